// The calls that change what is known of a file: chmod, chown, utimens, truncate; and statvfs,
// which tells what is known of its file system. Those that begin with f take a descriptor, which
// may have been opened with O_PATH, so that the file that was looked at is the one that is changed.
#pragma once

#include <sys/statvfs.h>
#include <sys/types.h>

#include <ctime>

#include "core/sys/fd.hpp"
#include "core/sys/result.hpp"

namespace core {

/// `path` for a call that takes a descriptor: opened with O_PATH, which needs no permission on the
/// file itself, waits for nothing and triggers nothing. With `no_follow` a symbolic link is nothing
/// but that, also with a slash behind it, where the kernel would follow it. open(2)
Result<Fd> open_path(Path path, Links links = Links::follow, At at = {});

/// Sets the permissions of `path` to `mode`, set-ids and the sticky bit included. A symbolic link
/// that is not followed is ENOTSUP, also where the kernel cannot do without following.
/// fchmodat2(2), chmod(2)
Result<void> chmod(Path path, mode_t mode, Links links = Links::follow, At at = {});

/// The same of an open file. ENOTSUP without fchmodat2(2) and /proc. fchmod(2)
Result<void> fchmod(FdRef fd, mode_t mode);

/// An id that chown leaves alone.
inline constexpr uid_t same_user = static_cast<uid_t>(-1);
inline constexpr gid_t same_group = static_cast<gid_t>(-1);

/// Gives `path` to `user` and `group`. The kernel takes set-ids away from what is not root's to
/// give. fchownat(2)
Result<void> chown(Path path, uid_t user, gid_t group, Links links = Links::follow, At at = {});

/// The same of an open file. fchown(2)
Result<void> fchown(FdRef fd, uid_t user, gid_t group);

/// The two times of a file that can be set; tv_nsec may be UTIME_NOW or UTIME_OMIT.
struct FileTimes {
  timespec access{0, UTIME_OMIT};
  timespec modification{0, UTIME_OMIT};
};

/// Sets the times of `path`. utimensat(2)
Result<void> utimens(Path path, const FileTimes& times, Links links = Links::follow, At at = {});

/// The same of an open file. futimens(3)
Result<void> futimens(FdRef fd, const FileTimes& times);

/// Makes the file `path` `size` bytes long: what is beyond is lost, what is new is a hole of zeros.
/// EISDIR for a directory, EINVAL for what else is no file. truncate(2)
Result<void> truncate(Path path, off_t size, At at = {});

/// The same of a file that is open, if only with O_PATH. ENOSYS where /proc is not mounted.
/// truncate(2)
Result<void> ftruncate(FdRef fd, off_t size);

/// What is known of the file system that `path` is on. statvfs(3)
Result<struct statvfs> statvfs(Path path, At at = {});

}  // namespace core
