#include <cerrno>

#include "core/sys/backend.hpp"

namespace core::posix {

int renameat2(int /*from_directory*/, const char* /*from*/, int /*to_directory*/,
              const char* /*to*/, Rename /*how*/) {
  errno = ENOTSUP;
  return -1;
}

}  // namespace core::posix
