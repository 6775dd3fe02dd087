#include <cerrno>

#include "core/sys/backend.hpp"

namespace core::posix {

pid_t fork_sharing_memory(int (* /*work*/)(void*), void* /*argument*/) {
  errno = ENOSYS;
  return -1;
}

}  // namespace core::posix
