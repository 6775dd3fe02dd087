// The small calls on paths: open, access, readlink, symlink, link, rename, unlink, getcwd.
#pragma once

#include <string>

#include "core/sys/fd.hpp"
#include "core/sys/result.hpp"

namespace core {

/// Opens `path`. O_CLOEXEC is always added; an interrupted call is made again. openat(2), and
/// openat2(2) for a restricted `at`: EXDEV where `path` leads out of it, ELOOP where a link is in
/// the way, ENOSYS where the kernel lacks the call.
Result<Fd> open(Path path, int flags, At at = {}, mode_t mode = 0);

/// A path without its last component, opened, and that component: for a call that must not resolve
/// more than one name. The name keeps no trailing slash; `slash` says whether there was one.
struct Parent {
  Fd directory;
  std::string name;
  bool slash = false;
};

/// Opens the directory that `path` has its last component in. The name is "." for "/", and in a
/// restricted `at` for "..", which is resolved at once. For an empty path ENOENT is the answer.
Result<Parent> open_parent(Path path, At at = {});

/// How access(2) looks at a file.
struct AccessHow {
  bool effective = false;       ///< AT_EACCESS: ask for the effective ids, not the real ones
  Links links = Links::follow;  ///< no_follow: AT_SYMLINK_NOFOLLOW
};

/// Succeeds where the kernel would let this process do all of `mode` (R_OK | W_OK | X_OK, or F_OK).
/// It is the kernel that answers, never the mode bits. faccessat2(2); where the kernel lacks it,
/// the cases that faccessat(2) cannot answer fail with ENOSYS: no_follow, a restricted `at`, and
/// effective ids or capabilities that are not those of the real ids.
Result<void> access(Path path, int mode, AccessHow how = {}, At at = {});

/// The text that a symbolic link holds, whatever its length. EINVAL where `path` is no link.
/// readlink(2)
Result<std::string> readlink(Path path, At at = {});

/// Makes `link`, holding `target` as it stands. Fails with EEXIST where `link` exists, whatever it
/// is. symlink(2)
Result<void> symlink(Path target, Path link, At at = {});

/// Makes `name` another name of the file `source`; where `source` is a symbolic link, of the link.
/// Fails with EEXIST where `name` exists, with EXDEV on another file system, with EPERM for a
/// directory. Both paths start at `at`. link(2)
Result<void> link(Path source, Path name, At at = {});

/// Gives the file `from` the name `to`, in place of what had it, in one step. Both paths start at
/// `at`. Where both are names of one file nothing happens. rename(2)
Result<void> rename(Path from, Path to, At at = {});

/// Takes the name `path` away. EISDIR for a directory. unlink(2)
Result<void> unlink(Path path, At at = {});

/// The current directory, whatever its length. ENOENT where it was deleted; "(unreachable)" and the
/// rest where it lies outside this process's root. getcwd(3)
Result<std::string> getcwd();

/// Reads at most `size` bytes; 0 at the end. An interrupted call is made again. read(2)
Result<std::size_t> read(FdRef fd, char* buffer, std::size_t size);

/// The whole of a small file, as those of /proc.
Result<std::string> read_file(Path path, At at = {});

}  // namespace core
