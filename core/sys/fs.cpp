#include "core/sys/fs.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "core/sys/backend.hpp"

namespace core {
namespace {

/// What a call that makes, moves or removes a name is given: a path the kernel resolves freely, or,
/// for a restricted At, one name in a directory that was reached within its bounds.
struct Name {
  Fd opened;
  FdRef directory;
  std::string text;
};

Result<Name> name_at(Path path, At at) {
  if (!at.resolve.restricted()) return Name{Fd(), at.directory, path.c_str()};
  Parent parent = TRY(open_parent(path, at));
  // The slash is the kernel's to judge; for these calls it makes no link be followed.
  if (parent.slash) parent.name += '/';
  const FdRef directory = parent.directory;
  return Name{std::move(parent.directory), directory, std::move(parent.name)};
}

std::unexpected<Error> failure_of_two(int number, const char* call, Path path, Path target) {
  return std::unexpected(
      Error{.number = number, .call = call, .path = path.c_str(), .target = target.c_str()});
}

}  // namespace

Result<Fd> open(Path path, int flags, At at, mode_t mode) {
  flags |= O_CLOEXEC;
  if (at.resolve.restricted()) return backend::openat2(path, flags, mode, at);
  for (;;) {
    const int number = ::openat(at.directory.number(), path.c_str(), flags, mode);
    if (number >= 0) return Fd(number);
    if (errno != EINTR) return failure("open", path);
  }
}

Result<Parent> open_parent(Path path, At at) {
  std::string_view text = path;
  if (text.empty()) return failure(ENOENT, "open");
  Parent parent;
  while (text.size() > 1 && text.back() == '/') {
    text.remove_suffix(1);
    parent.slash = true;
  }
  const auto last = text.rfind('/');
  const std::string directory(last == text.npos ? "." : text.substr(0, last + 1));
  parent.name = text.substr(last == text.npos ? 0 : last + 1);
  if (parent.name.empty()) parent.name = ".";
  // What comes after the last component is not looked at any more: ".." must not lead out now.
  const bool up = at.resolve.restricted() && parent.name == "..";
  auto opened = open(up ? path : Path(directory), O_PATH | O_DIRECTORY, at);
  if (up) parent.name = ".";
  if (!opened) return failure(opened.error().number, "open", path);
  parent.directory = *std::move(opened);
  return parent;
}

Result<void> access(Path path, int mode, AccessHow how, At at) {
  const int flags =
      (how.effective ? AT_EACCESS : 0) | (how.links == Links::no_follow ? AT_SYMLINK_NOFOLLOW : 0);
  auto answer = [&]() -> Result<void> {
    if (!at.resolve.restricted()) return backend::faccessat(at.directory, path, mode, flags);
    const bool no_follow = how.links == Links::no_follow;
    // The kernel would look for the file with the effective ids, and that is another question.
    if (!how.effective && (::getuid() != ::geteuid() || ::getgid() != ::getegid())) {
      return failure(ENOSYS, "access");
    }
    const Fd file = TRY(backend::openat2(path, O_PATH | (no_follow ? O_NOFOLLOW : 0), 0, at));
    return backend::faccessat(file, "", mode, flags | AT_EMPTY_PATH);
  }();
  if (!answer) return failure(answer.error().number, "access", path);
  return answer;
}

Result<std::string> readlink(Path path, At at) {
  Fd link;
  if (at.resolve.restricted()) {
    auto opened = backend::openat2(path, O_PATH | O_NOFOLLOW, 0, at);
    if (!opened) return failure(opened.error().number, "readlink", path);
    link = *std::move(opened);
  }
  std::string target(256, '\0');
  for (;;) {
    const ssize_t length =
        link ? ::readlinkat(FdRef(link).number(), "", target.data(), target.size())
             : ::readlinkat(at.directory.number(), path.c_str(), target.data(), target.size());
    // Asked about a descriptor, the kernel says ENOENT for what is no link.
    if (length < 0) return failure(link && errno == ENOENT ? EINVAL : errno, "readlink", path);
    if (static_cast<std::size_t>(length) < target.size()) {
      target.resize(static_cast<std::size_t>(length));
      return target;
    }
    target.resize(target.size() * 4);
  }
}

Result<void> symlink(Path target, Path link, At at) {
  const auto name = name_at(link, at);
  if (!name) return failure_of_two(name.error().number, "symlink", target, link);
  if (::symlinkat(target.c_str(), name->directory.number(), name->text.c_str()) == 0) return {};
  return failure_of_two(errno, "symlink", target, link);
}

Result<void> link(Path source, Path name, At at) {
  const auto from = name_at(source, at);
  if (!from) return failure_of_two(from.error().number, "link", source, name);
  const auto to = name_at(name, at);
  if (!to) return failure_of_two(to.error().number, "link", source, name);
  if (::linkat(from->directory.number(), from->text.c_str(), to->directory.number(),
               to->text.c_str(), 0) == 0) {
    return {};
  }
  return failure_of_two(errno, "link", source, name);
}

Result<void> rename(Path from, Path to, At at) {
  const auto old = name_at(from, at);
  if (!old) return failure_of_two(old.error().number, "rename", from, to);
  const auto fresh = name_at(to, at);
  if (!fresh) return failure_of_two(fresh.error().number, "rename", from, to);
  if (::renameat(old->directory.number(), old->text.c_str(), fresh->directory.number(),
                 fresh->text.c_str()) == 0) {
    return {};
  }
  return failure_of_two(errno, "rename", from, to);
}

Result<void> unlink(Path path, At at) {
  const auto name = name_at(path, at);
  if (!name) return failure(name.error().number, "unlink", path);
  if (::unlinkat(name->directory.number(), name->text.c_str(), 0) == 0) return {};
  return failure("unlink", path);
}

Result<std::string> getcwd() {
  const std::unique_ptr<char, decltype(&std::free)> path(::getcwd(nullptr, 0), std::free);
  if (path) return path.get();
#ifdef SYS_getcwd
  // The C library hides a directory that lies outside the root; the kernel names it.
  const int number = errno;
  std::string raw(4096, '\0');
  if (::syscall(SYS_getcwd, raw.data(), raw.size()) > 0 && raw.front() == '(') return raw.c_str();
  errno = number;
#endif
  return failure("getcwd");
}

Result<std::size_t> read(FdRef fd, char* buffer, std::size_t size) {
  for (;;) {
    const ssize_t count = ::read(fd.number(), buffer, size);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return failure("read");
  }
}

Result<std::string> read_file(Path path, At at) {
  const Fd file = TRY(open(path, O_RDONLY, at));
  std::string content;
  for (;;) {
    const std::size_t before = content.size();
    content.resize(before + 4096);
    const auto count = read(file, content.data() + before, 4096);
    if (!count) return failure(count.error().number, "read", path);
    content.resize(before + *count);
    if (*count == 0) return content;
  }
}

}  // namespace core
