#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/sys/backend.hpp"

namespace core::backend {

Result<Fd> openat2(Path path, int flags, mode_t mode, At at) {
  open_how how = {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = (at.resolve.beneath ? RESOLVE_BENEATH : 0U) |
                (at.resolve.no_symlinks ? RESOLVE_NO_SYMLINKS : 0U);
  for (;;) {
    const long number =
        ::syscall(SYS_openat2, at.directory.number(), path.c_str(), &how, sizeof how);
    if (number >= 0) return Fd(static_cast<int>(number));
    // EAGAIN: something was renamed or mounted meanwhile, and the kernel could not be sure.
    if (errno == EINTR || errno == EAGAIN) continue;
    if (not_offered(errno)) return posix::openat2(path, flags, mode, at);
    return failure("open", path);
  }
}

}  // namespace core::backend
