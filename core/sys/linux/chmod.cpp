#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "core/sys/backend.hpp"

// Linux 6.6; one number on every architecture but alpha.
#if !defined SYS_fchmodat2 && !defined __alpha__
#define SYS_fchmodat2 452
#endif

namespace core::backend {

int fchmodat2(int directory, const char* path, mode_t mode) {
#ifdef SYS_fchmodat2
  // The C library of Debian 12 has no wrapper, and what is loaded to see its calls, as by
  // fakeroot(1), would miss this one.
  static const bool watched = std::getenv("LD_PRELOAD") != nullptr;
  if (!watched) {
    const int flags = AT_SYMLINK_NOFOLLOW | (path[0] == '\0' ? AT_EMPTY_PATH : 0);
    if (::syscall(SYS_fchmodat2, directory, path, mode, flags) == 0) return 0;
    if (!not_offered(errno)) return -1;
    // EPERM may be the answer, of a file that is somebody else's. A flag that does not exist tells.
    if (errno == EPERM && ::syscall(SYS_fchmodat2, -1, "", 0, -1) != 0 && errno == EINVAL) {
      errno = EPERM;
      return -1;
    }
  }
#endif
  return posix::fchmodat2(directory, path, mode);
}

}  // namespace core::backend
