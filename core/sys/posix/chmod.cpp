#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/sys/backend.hpp"

namespace core::posix {

int fchmodat2(int directory, const char* path, mode_t mode) {
  // The C library goes by a descriptor and /proc where the kernel cannot do it, and never follows.
  if (path[0] != '\0') return ::fchmodat(directory, path, mode, AT_SYMLINK_NOFOLLOW);
  const int done = ::chmod(descriptor_path(FdRef::borrowed(directory)).c_str(), mode);
  if (done != 0 && errno == ENOENT) errno = ENOTSUP;
  return done;
}

}  // namespace core::posix
