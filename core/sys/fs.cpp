#include "core/sys/fs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "core/sys/backend.hpp"
#include "core/sys/signal.hpp"

namespace core {
namespace {

/// What a call that makes, moves or removes a name is given: a path the kernel resolves freely, or,
/// for a restricted At, one name in a directory that was reached within its bounds.
class Name {
 public:
  static Result<Name> of(Path path, At at) {
    if (!at.resolve.restricted()) return Name(at.directory, path);
    Parent parent = TRY(open_parent(path, at));
    // The slash is the kernel's to judge; for these calls it makes no link be followed.
    if (parent.slash) parent.name += '/';
    Name name(parent.directory, "");
    name.opened_ = std::move(parent.directory);
    name.bare_ = std::move(parent.name);
    return name;
  }
  int directory() const { return directory_.number(); }
  const char* path() const { return opened_ ? bare_.c_str() : path_.c_str(); }

 private:
  Name(FdRef directory, Path path) : directory_(directory), path_(path) {}
  FdRef directory_;
  Path path_;
  Fd opened_;
  std::string bare_;
};

/// Makes a call of one name: `made` gets the Name and returns what the call does.
template <class Made>
Result<void> call_on(const char* call, Path path, At at, Made made) {
  const auto name = Name::of(path, at);
  if (!name) return failure(name.error().number, call, path);
  if (made(*name) == 0) return {};
  return failure(call, path);
}

std::unexpected<Error> failure_of_two(int number, const char* call, Path path, Path target) {
  return std::unexpected(
      Error{.number = number, .call = call, .path = path.c_str(), .target = target.c_str()});
}

/// Makes a call of two names, likewise.
template <class Made>
Result<void> call_on_two(const char* call, Path path, Path target, At at, Made made) {
  const auto from = Name::of(path, at);
  if (!from) return failure_of_two(from.error().number, call, path, target);
  const auto to = Name::of(target, at);
  if (!to) return failure_of_two(to.error().number, call, path, target);
  if (made(*from, *to) == 0) return {};
  return failure_of_two(errno, call, path, target);
}

/// rename without RENAME_NOREPLACE, for what is no directory: 0, or -1 and errno.
int link_and_unlink(const Name& from, const Name& to, int refused) {
  // Both names are there for a moment, which is no way to end.
  const HeldSignals held;
  if (::linkat(from.directory(), from.path(), to.directory(), to.path(), 0) != 0) {
    // The kernel lets the new name of a directory end in a slash, where link(2) sees nothing.
    const bool slash = std::string_view(to.path()).ends_with('/');
    if (errno == ENOENT && slash && refused == EINVAL) errno = EPERM;
    if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK) return -1;
    // A directory, or a file system without hard links: there is no second way. But with a slash
    // behind it a link was followed, and that is nothing to rename.
    const std::string bare(without_slashes(from.path()));
    struct ::stat found;
    const bool link = bare != from.path() &&
                      ::fstatat(from.directory(), bare.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
                      S_ISLNK(found.st_mode);
    errno = link ? ENOTDIR : refused;
    return -1;
  }
  if (::unlinkat(from.directory(), from.path(), 0) == 0) return 0;
  const int number = errno;
  ::unlinkat(to.directory(), to.path(), 0);
  errno = number;
  return -1;
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

Result<Fd> duplicate(FdRef fd) {
  const int number = ::fcntl(fd.number(), F_DUPFD_CLOEXEC, 3);
  if (number < 0) return failure("dup");
  return Fd(number);
}

std::string_view without_slashes(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

Result<Parent> open_parent(Path path, At at) {
  const std::string_view text = without_slashes(path);
  if (text.empty()) return failure(ENOENT, "open");
  Parent parent;
  parent.slash = text != std::string_view(path);
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

std::string beside(Path path, std::string_view name) {
  const std::string_view text = without_slashes(path);
  return std::string(text.substr(0, text.rfind('/') + 1)).append(name);
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

Result<void> mkdir(Path path, mode_t mode, At at) {
  return call_on("mkdir", path, at,
                 [&](const Name& name) { return ::mkdirat(name.directory(), name.path(), mode); });
}

Result<void> rmdir(Path path, At at) {
  return call_on("rmdir", path, at, [](const Name& name) {
    return ::unlinkat(name.directory(), name.path(), AT_REMOVEDIR);
  });
}

Result<void> unlink(Path path, At at) {
  return call_on("unlink", path, at,
                 [](const Name& name) { return ::unlinkat(name.directory(), name.path(), 0); });
}

Result<void> mknod(Path path, mode_t mode, dev_t device, At at) {
  return call_on("mknod", path, at, [&](const Name& name) {
    return ::mknodat(name.directory(), name.path(), mode, device);
  });
}

Result<void> symlink(Path target, Path link, At at) {
  const auto name = Name::of(link, at);
  if (!name) return failure_of_two(name.error().number, "symlink", target, link);
  if (::symlinkat(target.c_str(), name->directory(), name->path()) == 0) return {};
  return failure_of_two(errno, "symlink", target, link);
}

Result<std::optional<std::string>> replace_symlink(Path target, Path link, At at) {
  const auto fail = [&](Error error) {
    error.path = target.c_str();
    error.target = link.c_str();
    return std::unexpected(std::move(error));
  };
  auto opened = open_parent(link, at);
  if (!opened) return fail({.number = opened.error().number, .call = "symlink"});
  // A link that does not end at its name is the kernel's to judge.
  if (opened->slash || opened->name == "." || opened->name == "..") {
    TRY(symlink(target, link, at));
    return std::nullopt;
  }
  const At parent = opened->directory;
  const std::string& name = opened->name;
  const auto left_behind = [&](Error& error, const char* note, const std::string& fresh) {
    error.note = note;
    error.note_path = beside(link, fresh);
  };
  for (int patience = 100;; --patience) {
    auto made = symlink(target, name, parent);
    if (made) return std::nullopt;
    // It comes and goes, or a cache of the file system keeps saying so.
    if (made.error().number != EEXIST || patience == 0) return fail(std::move(made).error());
    // What is no link now is not touched even for a moment; what it is later, the exchange tells.
    const auto there = readlink(name, parent);
    if (!there && there.error().number == ENOENT) continue;
    if (!there && there.error().number == EINVAL)
      return fail({.number = EEXIST, .call = "symlink"});
    if (!there) return fail(there.error());
    // Nothing that would end this process may leave the name in between behind.
    const HeldSignals held;
    const auto named = temporary_name();
    if (!named) return fail(named.error());
    const std::string& fresh = *named;
    made = symlink(target, fresh, parent);
    if (!made && made.error().number == EEXIST) continue;
    if (!made) return fail(std::move(made).error());
    if (auto exchanged = rename(fresh, name, parent, Rename::exchange); !exchanged) {
      const auto removed = unlink(fresh, parent);
      // It went away meanwhile.
      if (removed && exchanged.error().number == ENOENT) continue;
      // No directory is inside another here: the file system does not know the flag.
      if (exchanged.error().number == EINVAL) exchanged.error().number = ENOTSUP;
      if (!removed) left_behind(exchanged.error(), "left behind is", fresh);
      return fail(std::move(exchanged).error());
    }
    // What had the name has the other one now, and whether it is a link can be asked in peace.
    auto old = readlink(fresh, parent);
    auto removed = old ? unlink(fresh, parent) : Result<void>();
    if (old && removed) return *std::move(old);
    auto back = rename(fresh, name, parent, Rename::exchange);
    // A file that somebody put there meanwhile is not ours to remove.
    if (back && !readlink(fresh, parent)) back = failure(EEXIST, "symlink");
    if (!back) {
      left_behind(back.error(), "what was there is now", fresh);
      return fail(std::move(back).error());
    }
    Error error = old ? removed.error() : old.error();
    if (!old && error.number == EINVAL) error = {.number = EEXIST, .call = "symlink"};
    if (!unlink(fresh, parent)) left_behind(error, "left behind is", fresh);
    return fail(std::move(error));
  }
}

Result<void> link(Path source, Path name, At at, Links links) {
  const bool follow = links == Links::follow;
  const bool slash = std::string_view(source).ends_with('/');
  if ((follow || slash) && at.resolve.restricted()) {
    // The link is followed within the bounds, as one with a slash behind it is in any case; the
    // descriptor is what it leads to.
    const auto file = open(source, O_PATH, at);
    if (!file) return failure_of_two(file.error().number, "link", source, name);
    const auto to = Name::of(name, at);
    if (!to) return failure_of_two(to.error().number, "link", source, name);
    // What a slash is behind is a directory, to be refused as one.
    if (slash) {
      (void)!::linkat(FdRef(*file).number(), ".", to->directory(), to->path(), 0);
      return failure_of_two(errno, "link", source, name);
    }
    if (::linkat(AT_FDCWD, descriptor_path(*file).c_str(), to->directory(), to->path(),
                 AT_SYMLINK_FOLLOW) == 0) {
      return {};
    }
    // The way to a descriptor is one through /proc.
    const int number = errno;
    const bool lost = number == ENOENT && !lstat(descriptor_path(*file), want::type);
    return failure_of_two(lost ? ENOSYS : number, "link", source, name);
  }
  return call_on_two("link", source, name, at, [&](const Name& from, const Name& to) {
    return ::linkat(from.directory(), from.path(), to.directory(), to.path(),
                    follow ? AT_SYMLINK_FOLLOW : 0);
  });
}

Result<void> rename(Path from, Path to, At at, Rename how) {
  return call_on_two("rename", from, to, at, [&](const Name& old, const Name& fresh) {
    if (how == Rename::replace) {
      return ::renameat(old.directory(), old.path(), fresh.directory(), fresh.path());
    }
    const int done =
        backend::renameat2(old.directory(), old.path(), fresh.directory(), fresh.path(), how);
    // EINVAL is the file system's answer to a flag it does not know, ENOTSUP the kernel's.
    if (done == 0 || how == Rename::exchange || (errno != EINVAL && errno != ENOTSUP)) return done;
    return link_and_unlink(old, fresh, errno);
  });
}

Result<std::string> temporary_name() {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz234567";
  std::string name(temporary_prefix);
  char random[12];
  // Not arc4random(3), which ends the process where there are none.
  if (::getentropy(random, sizeof random) != 0) {
    if (!not_offered(errno)) return failure("getrandom");
    const Fd device = TRY(open("/dev/urandom", O_RDONLY));
    if (TRY(read(device, random, sizeof random)) != sizeof random) return failure(EIO, "getrandom");
  }
  for (const char byte : random) name += letters[static_cast<unsigned char>(byte) % letters.size()];
  return name;
}

std::string descriptor_path(FdRef fd) { return "/proc/self/fd/" + std::to_string(fd.number()); }

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

Result<void> write(FdRef fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd.number(), bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return failure("write");
    }
  }
  return {};
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
