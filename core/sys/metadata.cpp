#include "core/sys/metadata.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "core/sys/backend.hpp"

namespace core {
namespace {

bool ends_in_slash(std::string_view path) { return path.ends_with('/'); }

/// True where the kernel would go further with `path` than the At and the Links say, so that it has
/// to be opened first.
bool goes_too_far(Path path, Links links, At at) {
  return at.resolve.restricted() || (links == Links::no_follow && ends_in_slash(path));
}

/// What `made` does with the name that /proc has for `fd`.
template <class Made>
Result<void> through_proc(const char* call, FdRef fd, Made made) {
  if (made(descriptor_path(fd)) == 0) return {};
  if (errno != ENOENT) return failure(call);
  // The file is there: it is open.
  return std::unexpected(
      Error{.number = ENOSYS, .call = call, .note = "it takes /proc, which is not mounted"});
}

/// True where a call that knows no directory to start from will do.
bool is_plain(At at) {
  return !at.resolve.restricted() && at.directory.number() == FdRef::current_directory().number();
}

/// truncate(2) without the SIGXFSZ that comes with EFBIG where a file may not be that large, and
/// would end the process.
int truncate_quietly(Path path, off_t size) {
  sigset_t too_large;
  ::sigemptyset(&too_large);
  ::sigaddset(&too_large, SIGXFSZ);
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &too_large, &before);
  const int done = ::truncate(path.c_str(), size);
  const int number = errno;
  if (::sigismember(&before, SIGXFSZ) == 0) {
    const timespec now = {};
    if (done != 0 && number == EFBIG) ::sigtimedwait(&too_large, nullptr, &now);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  errno = number;
  return done;
}

int flag(Links links) { return links == Links::no_follow ? AT_SYMLINK_NOFOLLOW : 0; }

}  // namespace

Result<Fd> open_path(Path path, Links links, At at) {
  if (links == Links::follow) return open(path, O_PATH, at);
  const std::string name(without_slashes(path));
  auto file = open(name, O_PATH | O_NOFOLLOW, at);
  if (!file) return failure(file.error().number, "open", path);
  if (name.size() < std::string_view(path).size()) {
    const Type type = TRY(fstat(*file, want::type)).type;
    if (type != Type::dir && type != Type::link) return failure(ENOTDIR, "open", path);
  }
  return file;
}

Result<void> chmod(Path path, mode_t mode, Links links, At at) {
  if (goes_too_far(path, links, at)) {
    const Fd file = TRY(told_as("chmod", path, open_path(path, links, at)));
    return told_as("chmod", path, fchmod(file, mode));
  }
  // An empty path has a meaning of its own there.
  const bool no_follow = links == Links::no_follow && path.c_str()[0] != '\0';
  const int done = no_follow ? backend::fchmodat2(at.directory.number(), path.c_str(), mode)
                             : ::fchmodat(at.directory.number(), path.c_str(), mode, 0);
  if (done == 0) return {};
  return failure("chmod", path);
}

Result<void> fchmod(FdRef fd, mode_t mode) {
  if (backend::fchmodat2(fd.number(), "", mode) == 0) return {};
  return failure("chmod");
}

Result<void> chown(Path path, uid_t user, gid_t group, Links links, At at) {
  if (goes_too_far(path, links, at)) {
    const Fd file = TRY(told_as("chown", path, open_path(path, links, at)));
    return told_as("chown", path, fchown(file, user, group));
  }
  if (::fchownat(at.directory.number(), path.c_str(), user, group, flag(links)) == 0) return {};
  return failure("chown", path);
}

Result<void> fchown(FdRef fd, uid_t user, gid_t group) {
  if (::fchownat(fd.number(), "", user, group, AT_EMPTY_PATH) == 0) return {};
  return failure("chown");
}

Result<void> utimens(Path path, const FileTimes& times, Links links, At at) {
  if (goes_too_far(path, links, at)) {
    const Fd file = TRY(told_as("utime", path, open_path(path, links, at)));
    return told_as("utime", path, futimens(file, times));
  }
  const timespec both[] = {times.access, times.modification};
  if (::utimensat(at.directory.number(), path.c_str(), both, flag(links)) == 0) return {};
  return failure("utime", path);
}

Result<void> futimens(FdRef fd, const FileTimes& times) {
  const timespec both[] = {times.access, times.modification};
  if (::utimensat(fd.number(), "", both, AT_EMPTY_PATH) == 0) return {};
  if (errno != EINVAL) return failure("utime");
  // Linux 5.8 brought the flag.
  return through_proc("utime", fd,
                      [&](Path path) { return ::utimensat(AT_FDCWD, path.c_str(), both, 0); });
}

Result<void> truncate(Path path, off_t size, At at) {
  if (is_plain(at)) {
    if (truncate_quietly(path, size) == 0) return {};
    return failure("truncate", path);
  }
  const Fd file = TRY(told_as("truncate", path, open_path(path, Links::follow, at)));
  return told_as("truncate", path, ftruncate(file, size));
}

Result<void> ftruncate(FdRef fd, off_t size) {
  // What was opened with O_PATH cannot be written to, but the name that /proc has for it can.
  return through_proc("truncate", fd, [&](Path path) { return truncate_quietly(path, size); });
}

Result<struct statvfs> statvfs(Path path, At at) {
  struct statvfs known;
  if (is_plain(at)) {
    if (::statvfs(path.c_str(), &known) == 0) return known;
    return failure("statvfs", path);
  }
  const Fd file = TRY(told_as("statvfs", path, open_path(path, Links::follow, at)));
  if (::fstatvfs(FdRef(file).number(), &known) == 0) return known;
  return failure("statvfs", path);
}

}  // namespace core
