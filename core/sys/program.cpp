#include "core/sys/program.hpp"

#include <sys/auxv.h>

#include <cstdlib>
#include <memory>

#include "core/sys/fs.hpp"

namespace core {

Result<std::string> program_path() {
  constexpr const char* running = "/proc/self/exe";
  if (auto path = readlink(running)) return path;
  // NOLINTNEXTLINE(*-int-to-ptr): getauxval(3) gives pointers as numbers.
  const auto* const started = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  if (started == nullptr) return failure(ENOENT, "readlink", running);
  const std::unique_ptr<char, decltype(&std::free)> path(::realpath(started, nullptr), std::free);
  if (!path) return failure("realpath", started);
  return path.get();
}

}  // namespace core
