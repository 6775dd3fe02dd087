#include "core/sys/stat.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>

#include "core/sys/backend.hpp"

namespace core {

std::string_view type_word(Type type) {
  switch (type) {
    case Type::file:
      return "file";
    case Type::dir:
      return "dir";
    case Type::link:
      return "link";
    case Type::fifo:
      return "fifo";
    case Type::socket:
      return "socket";
    case Type::character:
      return "char";
    case Type::block:
      return "block";
    case Type::unknown:
      break;
  }
  return "unknown";
}

Type type_of_mode(mode_t mode) {
  // The format bits are the same everywhere, and those of d_type.
  static constexpr auto types = [] {
    std::array<Type, 16> table = {};
    table[S_IFREG >> 12] = Type::file;
    table[S_IFDIR >> 12] = Type::dir;
    table[S_IFLNK >> 12] = Type::link;
    table[S_IFIFO >> 12] = Type::fifo;
    table[S_IFSOCK >> 12] = Type::socket;
    table[S_IFCHR >> 12] = Type::character;
    table[S_IFBLK >> 12] = Type::block;
    return table;
  }();
  return types[(mode & S_IFMT) >> 12];
}

ModeText mode_text(mode_t mode) {
  constexpr char types[] = {'?', '-', 'd', 'l', 'p', 's', 'c', 'b'};
  const auto bit = [mode](mode_t mask, char set) { return (mode & mask) != 0 ? set : '-'; };
  const auto execute = [mode](mode_t special, mode_t mask, char both, char only) {
    if ((mode & special) != 0) return (mode & mask) != 0 ? both : only;
    return (mode & mask) != 0 ? 'x' : '-';
  };
  return {{types[static_cast<std::size_t>(type_of_mode(mode))], bit(S_IRUSR, 'r'),
           bit(S_IWUSR, 'w'), execute(S_ISUID, S_IXUSR, 's', 'S'), bit(S_IRGRP, 'r'),
           bit(S_IWGRP, 'w'), execute(S_ISGID, S_IXGRP, 's', 'S'), bit(S_IROTH, 'r'),
           bit(S_IWOTH, 'w'), execute(S_ISVTX, S_IXOTH, 't', 'T'), '\0'}};
}

Result<Stat> stat(Path path, Links links, Want want, At at) {
  const char* const call = links == Links::follow ? "stat" : "lstat";
  const int no_follow = links == Links::follow ? 0 : AT_SYMLINK_NOFOLLOW;
  auto found = [&]() -> Result<Stat> {
    if (!at.resolve.restricted()) {
      // An empty path is ENOENT; below, it stands for the descriptor itself.
      if (path.c_str()[0] == '\0') return failure(ENOENT, call);
      return backend::statx(at.directory, path, no_follow, want);
    }
    const Fd file = TRY(backend::openat2(path, O_PATH | (no_follow != 0 ? O_NOFOLLOW : 0), 0, at));
    return backend::statx(file, "", no_follow, want);
  }();
  if (!found) return failure(found.error().number, call, path);
  return found;
}

Result<Stat> stat(Path path, Want want, At at) { return stat(path, Links::follow, want, at); }

Result<Stat> lstat(Path path, Want want, At at) { return stat(path, Links::no_follow, want, at); }

Result<Stat> fstat(FdRef fd, Want want) {
  auto found = backend::statx(fd, "", 0, want);
  if (!found) {
    found.error().call = "fstat";
    found.error().path.reset();
  }
  return found;
}

}  // namespace core
