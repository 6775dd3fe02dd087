#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/sys/backend.hpp"

namespace core::backend {

Result<void> faccessat(FdRef directory, Path path, int mode, int flags) {
  // With flags the C library would make up an answer from the mode bits where the call is missing,
  // so those go to the kernel directly.
#ifdef SYS_faccessat2
  const long failed =
      flags == 0 ? ::faccessat(directory.number(), path.c_str(), mode, 0)
                 : ::syscall(SYS_faccessat2, directory.number(), path.c_str(), mode, flags);
  if (failed == 0) return {};
  if (!not_offered(errno)) return failure("access", path);
  // EPERM may be the answer (an immutable file) or a seccomp profile's; the older call knows.
  if (flags == 0) {
    if (::syscall(SYS_faccessat, directory.number(), path.c_str(), mode) == 0) return {};
    return failure("access", path);
  }
  const int number = errno;
  auto answer = posix::faccessat(directory, path, mode, flags);
  if (!answer && answer.error().number == ENOSYS && number == EPERM) {
    return failure(EPERM, "access", path);
  }
  return answer;
#else
  return posix::faccessat(directory, path, mode, flags);
#endif
}

}  // namespace core::backend
