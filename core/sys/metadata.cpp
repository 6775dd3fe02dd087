#include "core/sys/metadata.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/sys/backend.hpp"

namespace core {
namespace {

bool ends_in_slash(std::string_view path) { return path.ends_with('/'); }

/// True where the kernel would go further with `path` than the At and the Links say, so that it has
/// to be opened first.
bool goes_too_far(Path path, Links links, At at) {
  return at.resolve.restricted() || (links == Links::no_follow && ends_in_slash(path));
}

/// The file of `path`, for `call`.
Result<Fd> open_path(const char* call, Path path, Links links, At at) {
  auto file = core::open_path(path, links, at);
  if (!file) return failure(file.error().number, call, path);
  return file;
}

/// A call on an open file as one on `path`.
Result<void> named(Result<void> done, Path path) {
  if (!done) done.error().path = path;
  return done;
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

int flag(Links links) { return links == Links::no_follow ? AT_SYMLINK_NOFOLLOW : 0; }

}  // namespace

Result<Fd> open_path(Path path, Links links, At at) {
  if (links == Links::follow) return open(path, O_PATH, at);
  std::string_view bare = path;
  while (bare.size() > 1 && ends_in_slash(bare)) bare.remove_suffix(1);
  const std::string name(bare);
  auto file = open(name, O_PATH | O_NOFOLLOW, at);
  if (!file) return failure(file.error().number, "open", path);
  if (bare.size() < std::string_view(path).size()) {
    const Type type = TRY(fstat(*file, want::type)).type;
    if (type != Type::dir && type != Type::link) return failure(ENOTDIR, "open", path);
  }
  return file;
}

Result<void> chmod(Path path, mode_t mode, Links links, At at) {
  if (goes_too_far(path, links, at)) {
    return named(fchmod(TRY(open_path("chmod", path, links, at)), mode), path);
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
    return named(fchown(TRY(open_path("chown", path, links, at)), user, group), path);
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
    return named(futimens(TRY(open_path("utime", path, links, at)), times), path);
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
    if (::truncate(path.c_str(), size) == 0) return {};
    return failure("truncate", path);
  }
  return named(ftruncate(TRY(open_path("truncate", path, Links::follow, at)), size), path);
}

Result<void> ftruncate(FdRef fd, off_t size) {
  // What was opened with O_PATH cannot be written to, but the name that /proc has for it can.
  return through_proc("truncate", fd, [&](Path path) { return ::truncate(path.c_str(), size); });
}

Result<struct statvfs> statvfs(Path path, At at) {
  struct statvfs known;
  if (is_plain(at)) {
    if (::statvfs(path.c_str(), &known) == 0) return known;
    return failure("statvfs", path);
  }
  const Fd file = TRY(open_path("statvfs", path, Links::follow, at));
  if (::fstatvfs(FdRef(file).number(), &known) == 0) return known;
  return failure("statvfs", path);
}

}  // namespace core
