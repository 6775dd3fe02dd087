#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/sys/backend.hpp"

namespace core::posix {

int fchmodat2(int directory, const char* path, mode_t mode) {
  // The C library goes by a descriptor and /proc where the kernel cannot do it, and never follows.
  if (path[0] != '\0') return ::fchmodat(directory, path, mode, AT_SYMLINK_NOFOLLOW);
  // Some file systems of older kernels give a link a mode.
  struct ::stat found;
  if (::fstat(directory, &found) != 0) return -1;
  if (S_ISLNK(found.st_mode)) {
    errno = ENOTSUP;
    return -1;
  }
  const int done = ::chmod(descriptor_path(FdRef::borrowed(directory)).c_str(), mode);
  if (done != 0 && errno == ENOENT) errno = ENOTSUP;
  return done;
}

}  // namespace core::posix
