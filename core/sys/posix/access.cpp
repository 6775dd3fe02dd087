#include <fcntl.h>
#include <unistd.h>

#include "core/sys/backend.hpp"

namespace core::posix {

Result<void> faccessat(FdRef directory, Path path, int mode, int flags) {
  // Where real and effective ids are the same, both questions have one answer.
  if (::getuid() == ::geteuid() && ::getgid() == ::getegid()) flags &= ~AT_EACCESS;
  // Anything left could only be answered from the mode bits, which is no answer.
  if (flags != 0) return failure(ENOSYS, "access", path);
  if (::faccessat(directory.number(), path.c_str(), mode, 0) != 0) return failure("access", path);
  return {};
}

}  // namespace core::posix
