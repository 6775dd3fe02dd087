#include <fcntl.h>
#ifdef __linux__
#include <linux/capability.h>
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include "core/sys/backend.hpp"

namespace core::posix {
namespace {

#ifdef __linux__

/// Whether the capabilities that count are those that access(2) asks about: all that root may have,
/// none for anybody else.
bool usual_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  for (const __user_cap_data_struct& word : data) {
    if (word.effective != (::getuid() == 0 ? word.permitted : 0)) return false;
  }
  return true;
}

int faccessat(int directory, const char* path, int mode) {
  // The C library makes the newer call first, which a seccomp profile may refuse with EPERM; but
  // that is an answer as well, of an immutable file. The older call knows.
  if (::faccessat(directory, path, mode, 0) == 0) return 0;
  if (errno != EPERM) return -1;
  return static_cast<int>(::syscall(SYS_faccessat, directory, path, mode));
}

#else

bool usual_capabilities() { return true; }

int faccessat(int directory, const char* path, int mode) {
  return ::faccessat(directory, path, mode, 0);
}

#endif

}  // namespace

Result<void> faccessat(FdRef directory, Path path, int mode, int flags) {
  // Where the process is no more and no less than its real ids, both questions have one answer.
  if ((flags & AT_EACCESS) != 0 && ::getuid() == ::geteuid() && ::getgid() == ::getegid() &&
      usual_capabilities()) {
    flags &= ~AT_EACCESS;
  }
  // Anything left could only be answered from the mode bits, which is no answer.
  if (flags != 0) return failure(ENOSYS, "access", path);
  if (faccessat(directory.number(), path.c_str(), mode) != 0) return failure("access", path);
  return {};
}

}  // namespace core::posix
