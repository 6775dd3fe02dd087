#include "core/sys/priority.hpp"

#include <cerrno>
#include <string>

namespace core {
namespace {

// glibc's own type for the first argument in C++, or plain int.
using Which = decltype(PRIO_PROCESS);

std::unexpected<Error> failed(const char* call, id_t id) {
  return id == 0 ? failure(call) : failure(call, std::to_string(id));
}

}  // namespace

Result<int> getpriority(Whose whose, id_t id) {
  // -1 is a nice value as well.
  errno = 0;
  const int value = ::getpriority(static_cast<Which>(whose), id);
  if (value == -1 && errno != 0) return failed("getpriority", id);
  return value;
}

Result<void> setpriority(Whose whose, id_t id, int value) {
  if (::setpriority(static_cast<Which>(whose), id, value) != 0) return failed("setpriority", id);
  return {};
}

}  // namespace core
