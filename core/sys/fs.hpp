// The small calls on paths: open, access, readlink and getcwd, and those that make, move and remove
// names. Each of the latter acts on one name, and follows no symbolic link that has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/sys/fd.hpp"
#include "core/sys/result.hpp"

namespace core {

/// Opens `path`. O_CLOEXEC is always added; an interrupted call is made again. openat(2), and
/// openat2(2) for a restricted `at`: EXDEV where `path` leads out of it, ELOOP where a link is in
/// the way, ENOSYS where the kernel lacks the call.
Result<Fd> open(Path path, int flags, At at = {}, mode_t mode = 0);

/// Another descriptor of the same opened file, closed on exec. fcntl(2) with F_DUPFD_CLOEXEC
Result<Fd> duplicate(FdRef fd);

/// `path` without the slashes at its end; of a path of nothing else one is left.
std::string_view without_slashes(std::string_view path);

/// A path without its last component, opened, and that component: for a call that must not resolve
/// more than one name. The name keeps no trailing slash; `slash` says whether there was one.
struct Parent {
  Fd directory;
  std::string name;
  bool slash = false;

  /// The name as the kernel would take it behind the directory.
  std::string whole_name() const { return slash ? name + '/' : name; }
};

/// Opens the directory that `path` has its last component in. The name is "." for "/", and in a
/// restricted `at` for "..", which is resolved at once. For an empty path ENOENT is the answer.
Result<Parent> open_parent(Path path, At at = {});

/// How one who writes `path` would write `name` in the same directory.
std::string beside(Path path, std::string_view name);

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

/// Makes a directory with the permissions `mode` less the umask, in the one call. EEXIST where
/// `path` exists, a dangling link included. mkdir(2)
Result<void> mkdir(Path path, mode_t mode, At at = {});

/// Removes an empty directory. ENOTEMPTY for a full one, ENOTDIR for anything else, a link to a
/// directory included. rmdir(2)
Result<void> rmdir(Path path, At at = {});

/// Takes the name `path` away. EISDIR for a directory. unlink(2)
Result<void> unlink(Path path, At at = {});

/// Makes a file of the type and permissions `mode` less the umask; a FIFO, a socket and an empty
/// file are for everybody, `device` and the types that have one need CAP_MKNOD. mknod(2)
Result<void> mknod(Path path, mode_t mode, dev_t device, At at = {});

/// Makes `link`, holding `target` as it stands. Fails with EEXIST where `link` exists, whatever it
/// is. symlink(2)
Result<void> symlink(Path target, Path link, At at = {});

/// Gives `link`, which must be a symbolic link or not be there, the text `target` in one step: who
/// looks sees the old link or the new one. What is no symbolic link keeps its name: EEXIST. ENOTSUP
/// where two names cannot be exchanged. What comes back is the text of the old link, if there was
/// one. symlink(2), renameat2(2)
Result<std::optional<std::string>> replace_symlink(Path target, Path link, At at = {});

/// Makes `name` another name of the file `source`; where `source` is a symbolic link, of the link,
/// unless `links` says to follow it. Fails with EEXIST where `name` exists, with EXDEV on another
/// file system, with EPERM for a directory. Both paths start at `at`. link(2)
Result<void> link(Path source, Path name, At at = {}, Links links = Links::no_follow);

/// What rename does with a file that has the new name already.
enum class Rename : std::uint8_t {
  replace,     ///< takes its place
  no_replace,  ///< RENAME_NOREPLACE: EEXIST
  exchange,    ///< RENAME_EXCHANGE: gives it the old name
};

/// Gives the file `from` the name `to` in one step. Both paths start at `at`. With `replace`, where
/// both are names of one file, nothing happens. Where the file system or the kernel has no
/// RENAME_NOREPLACE, a file that is no directory gets its new name by link(2) and loses the old one
/// by unlink(2), which overwrites as little, but takes whatever has the old name by then; a
/// directory, which cannot, is EINVAL where it is the file system that lacks it, and ENOTSUP where
/// it is the kernel. rename(2), renameat2(2)
Result<void> rename(Path from, Path to, At at = {}, Rename how = Rename::replace);

/// How the name of a file begins that is to be renamed or removed soon.
inline constexpr std::string_view temporary_prefix = ".osbox-";

/// A name for such a file: that, and twelve random letters and digits. getrandom(2)
Result<std::string> temporary_name();

/// The name that /proc has for what `fd` stands for, wherever that is now; a call on it follows it
/// there. ENOENT comes of it where /proc is not mounted.
std::string descriptor_path(FdRef fd);

/// The current directory, whatever its length. ENOENT where it was deleted; "(unreachable)" and the
/// rest where it lies outside this process's root. getcwd(3)
Result<std::string> getcwd();

/// Reads at most `size` bytes; 0 at the end. An interrupted call is made again. read(2)
Result<std::size_t> read(FdRef fd, char* buffer, std::size_t size);

/// Writes all of `bytes`. An interrupted call is made again, and one that wrote a part goes on.
/// write(2)
Result<void> write(FdRef fd, std::string_view bytes);

/// The whole of a small file, as those of /proc.
Result<std::string> read_file(Path path, At at = {});

}  // namespace core
