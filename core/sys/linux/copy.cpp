#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/sys/backend.hpp"

namespace core::backend {

bool clone(FdRef from, FdRef to) { return ::ioctl(to.number(), FICLONE, from.number()) == 0; }

Result<std::optional<std::size_t>> copy_range(FdRef from, FdRef to, off_t offset,
                                              std::size_t size) {
  for (;;) {
    off_t out = offset;
    off_t in = offset;
    const ssize_t count = ::copy_file_range(from.number(), &in, to.number(), &out, size, 0);
    if (count >= 0) return static_cast<std::size_t>(count);
    switch (errno) {
      case EINTR:
        break;
      case EXDEV:
      case EINVAL:
      case ENOSYS:
      case EOPNOTSUPP:
      case EPERM:
      case EBADF:
      case ETXTBSY:
        return std::nullopt;
      default:
        return failure("write");
    }
  }
}

}  // namespace core::backend
