#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/sys/backend.hpp"

namespace core::backend {

Result<Fd> openat2(Path path, int flags, mode_t mode, At at) {
  open_how how = {};
  // Unlike open(2) this call is not told by the C library that sizes have 64 bits, without which a
  // 32-bit machine refuses files of 2 GiB. With O_PATH that is EINVAL.
  if ((flags & O_PATH) == 0) flags |= O_LARGEFILE;
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = (at.resolve.beneath ? RESOLVE_BENEATH : 0U) |
                (at.resolve.no_symlinks ? RESOLVE_NO_SYMLINKS : 0U);
  // EAGAIN: something was renamed or mounted meanwhile, and the kernel could not be sure of a "..".
  // But it is also the answer of a leased file to O_NONBLOCK, so there is an end to it.
  for (int patience = 10'000;; --patience) {
    const long number =
        ::syscall(SYS_openat2, at.directory.number(), path.c_str(), &how, sizeof how);
    if (number >= 0) return Fd(static_cast<int>(number));
    if (errno == EINTR || (errno == EAGAIN && patience > 0)) continue;
    // EPERM may be the answer, of an immutable file. A call without an argument tells.
    const int refused = errno;
    if (refused == EPERM && ::syscall(SYS_openat2, -1, "", nullptr, 0) < 0 && errno == EINVAL) {
      return failure(EPERM, "open", path);
    }
    if (not_offered(refused)) return posix::openat2(path, flags, mode, at);
    return failure(refused, "open", path);
  }
}

}  // namespace core::backend
