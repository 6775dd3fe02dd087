#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/sys/backend.hpp"

namespace core::backend {

Result<void> faccessat(FdRef directory, Path path, int mode, int flags) {
#ifdef SYS_faccessat2
  // With flags the C library would make up an answer from the mode bits where the call is missing,
  // so those go to the kernel directly.
  if (flags != 0) {
    if (::syscall(SYS_faccessat2, directory.number(), path.c_str(), mode, flags) == 0) return {};
    if (!not_offered(errno)) return failure("access", path);
    // EPERM may be the answer, of an immutable file. A call with a flag that does not exist tells.
    if (errno == EPERM && ::syscall(SYS_faccessat2, -1, "", 0, -1) != 0 && errno == EINVAL) {
      return failure(EPERM, "access", path);
    }
  }
#endif
  return posix::faccessat(directory, path, mode, flags);
}

}  // namespace core::backend
