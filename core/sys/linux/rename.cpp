#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/sys/backend.hpp"

namespace core::backend {

int renameat2(int from_directory, const char* from, int to_directory, const char* to, Rename how) {
  const unsigned flags = how == Rename::exchange ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  if (::renameat2(from_directory, from, to_directory, to, flags) == 0) return 0;
  const int refused = errno;
  // EPERM may be the answer, of a sticky directory, and EINVAL is what the C library makes of
  // ENOSYS. A call with flags that exclude each other tells.
  if (refused == EPERM || refused == EINVAL) {
    const bool offered =
        ::syscall(SYS_renameat2, -1, "", -1, "", RENAME_EXCHANGE | RENAME_NOREPLACE) != 0 &&
        errno == EINVAL;
    errno = refused;
    if (offered) return -1;
  } else if (refused != ENOSYS) {
    return -1;
  }
  return posix::renameat2(from_directory, from, to_directory, to, how);
}

}  // namespace core::backend
