#include "core/sys/makedirs.hpp"

#include <fcntl.h>

#include <algorithm>
#include <climits>
#include <string>

#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"

namespace core {
namespace {

constexpr int to_enter = O_PATH | O_DIRECTORY;
constexpr int to_enter_itself = to_enter | O_NOFOLLOW;

/// True for what the kernel says of a link, or of a file, that was to be entered itself.
bool is_no_directory(int number) { return number == ENOTDIR || number == ELOOP; }

bool is_directory(Path path, At at) {
  const auto found = stat(path, want::type, at);
  return found && found->type == Type::dir;
}

/// One that is open is never mistaken for another.
Result<FileId> id_of(FdRef directory) { return TRY(fstat(directory, want::ino)).id(); }

/// A path on the way down: what of it is done, and the directory that this has led to.
class Descent {
 public:
  Descent(std::string_view path, At at) : path_(path), at_(at) {}

  /// The directory that is reached, for calls on a bare name that follow no link.
  FdRef here() const { return directory_ ? FdRef(directory_) : base().directory; }
  /// Where a call that may follow links starts, and what it takes for the path up to `end`: in a
  /// restricted place the kernel has to see the whole way, to know how far a link may lead.
  At base() const { return {base_ ? FdRef(base_) : at_.directory, at_.resolve}; }
  std::string from_base(std::size_t end) const {
    return std::string(path_.substr(begin_, end - begin_));
  }

  /// Where the next name begins, where it ends, and what it is.
  std::size_t done() const { return done_; }
  std::size_t end() const { return std::min(path_.find('/', done_), path_.size()); }
  std::string name() const { return std::string(path_.substr(done_, end() - done_)); }

  /// Goes on in `directory`, which the path up to `end` leads to.
  void enter(Fd directory, std::size_t end) {
    directory_ = std::move(directory);
    pass(end);
    // Where the kernel is free, or the way too long for it, the next link starts here.
    if (!at_.resolve.restricted() || done_ - begin_ > PATH_MAX / 2) {
      base_ = std::move(directory_);
      begin_ = done_;
    }
  }
  /// Goes on behind `end` in the same directory.
  void pass(std::size_t end) { done_ = std::min(path_.find_first_not_of('/', end), path_.size()); }

  /// The directory that was entered last, for who goes no further.
  Fd take() { return std::move(directory_ ? directory_ : base_); }

  /// Opens as much of the path up to `leaf` as is there, links followed, and goes on from there.
  Result<void> enter_existing(std::size_t leaf);

 private:
  std::string_view path_;
  At at_;
  Fd base_;  ///< none: that of `at_`
  std::size_t begin_ = 0;
  Fd directory_;  ///< none: `base_`
  std::size_t done_ = 0;
};

/// Without the "/." at its end too: what "a/./" makes is "a".
std::string_view without_dots(std::string_view path) {
  path = without_slashes(path);
  while (path.ends_with("/.")) path = without_slashes(path.substr(0, path.size() - 1));
  return path;
}

/// Where the last name of `path` begins; the end, where there is none.
std::size_t last_name(std::string_view path) { return path.rfind('/') + 1; }

Result<void> Descent::enter_existing(std::size_t leaf) {
  for (;;) {
    std::size_t end = leaf;
    if (end - begin_ >= PATH_MAX) end = last_name(path_.substr(0, begin_ + PATH_MAX - 1));
    const std::size_t most = end;
    Result<Fd> opened;
    for (; end > done_; end = last_name(without_slashes(path_.substr(0, end)))) {
      opened = open(from_base(end), to_enter, base());
      if (opened || opened.error().number != ENOENT) break;
    }
    if (end <= done_) return {};
    enter(TRY(std::move(opened)), end);
    if (end < most) return {};
  }
}

/// How many directories `stop` is above `from`; EINVAL where it is not above.
Result<std::size_t> levels_below(FdRef stop, FdRef from) {
  const FileId wanted = TRY(id_of(stop));
  FileId id = TRY(id_of(from));
  Fd reached;
  for (std::size_t levels = 0; id != wanted; ++levels) {
    reached = TRY(open("..", to_enter, reached ? FdRef(reached) : from));
    // The root is its own parent.
    if (id == std::exchange(id, TRY(id_of(reached)))) return failure(EINVAL, "open");
    if (id == wanted) return levels + 1;
  }
  return 0;
}

/// A parent that may be removed.
struct Level {
  FileId above;  ///< the directory that holds it
  std::size_t begin, end;
};

/// The directory that holds the last name of `path`, and the parents above it that a bare name
/// leads to. No other descriptor stays open: one further down would keep the kernel from forgetting
/// what is removed, and make it look through all of that at each next removal.
Result<Fd> go_down(std::string_view path, std::size_t leaf, At at, std::vector<Level>& levels) {
  Descent way(path, at);
  const bool absolute = path.front() == '/';
  way.enter(TRY(open(absolute ? "/" : ".", to_enter, at)), absolute ? 1 : 0);
  while (way.done() != leaf) {
    const std::size_t begin = way.done();
    const std::size_t end = way.end();
    const std::string name = way.name();
    const bool dots = name == "." || name == "..";
    auto entered = dots ? failure(ENOTDIR, "open") : open(name, to_enter_itself, way.here());
    if (entered) {
      levels.push_back({TRY(id_of(way.here())), begin, end});
    } else if (is_no_directory(entered.error().number)) {
      entered = open(way.from_base(end), to_enter, way.base());
      levels.clear();
    }
    way.enter(TRY(std::move(entered)), end);
  }
  return way.take();
}

}  // namespace

Result<void> makedirs(Path path, mode_t mode, bool exist_ok, At at,
                      std::vector<std::string_view>* made) {
  const std::string_view text = without_dots(path);
  const std::size_t leaf = last_name(text);
  const auto tell = [&](std::size_t end) {
    if (made != nullptr) made->push_back(text.substr(0, end));
  };
  const auto fail = [&](const Error& error, std::size_t end) {
    Error told{.number = error.number, .call = "mkdir", .path = path.c_str()};
    if (end < text.size()) {
      told.note = "at";
      told.note_path = text.substr(0, end);
    }
    return std::unexpected(std::move(told));
  };

  auto whole = mkdir(path, mode, at);
  if (whole) {
    tell(text.size());
    return {};
  }
  const int number = whole.error().number;
  const bool too_long = number == ENAMETOOLONG && std::string_view(path).size() >= PATH_MAX;
  if ((number != ENOENT && !too_long) || leaf == text.size()) {
    if (exist_ok && is_directory(path, at)) return {};
    return whole;
  }

  Descent way(text, at);
  if (text.front() == '/') {
    auto root = open("/", to_enter, at);
    if (!root) return fail(root.error(), text.size());
    way.enter(*std::move(root), 1);
  }
  if (const auto there = way.enter_existing(leaf); !there) return fail(there.error(), text.size());
  for (;;) {
    const std::size_t begin = way.done();
    const std::size_t end = way.end();
    const std::string name = way.name();
    const bool last = begin == leaf;
    if (!last && name == ".") {
      way.pass(end);
      continue;
    }
    if (!last && name == "..") {
      // It may lead to what was there before, and to links in it.
      if (const auto there = way.enter_existing(leaf); !there) return fail(there.error(), end);
      if (way.done() == begin) return fail({.number = ENOENT}, end);
      continue;
    }
    const auto one = mkdir(name, last ? mode : 0777, way.here());
    if (one) tell(end);
    if (last) {
      if (one || (exist_ok && is_directory(way.from_base(end), way.base()))) return {};
      return fail(one.error(), end);
    }
    if (!one && one.error().number != EEXIST) return fail(one.error(), end);
    auto entered = open(name, to_enter_itself, way.here());
    if (!entered && is_no_directory(entered.error().number)) {
      // A link that leads nowhere, or that was put there just now.
      const auto followed = open(name, to_enter, At(way.here(), at.resolve));
      if (followed) return fail({.number = ELOOP}, end);
      return fail(followed.error(), end);
    }
    if (!entered) return fail(entered.error(), end);
    way.enter(*std::move(entered), end);
  }
}

Result<void> removedirs(Path path, At at, std::optional<FdRef> stop,
                        std::vector<std::string_view>* removed) {
  const std::string_view text = without_slashes(path);
  const std::size_t leaf = last_name(text);
  if (leaf == text.size()) return rmdir(path, at);
  const auto tell = [&](std::size_t end) {
    if (removed != nullptr) removed->push_back(text.substr(0, end));
  };
  const auto fail = [&](const Error& error) { return failure(error.number, "rmdir", path); };
  // What keeps a directory where it is, and is no failure: it is not empty or in use, another has
  // removed it, or it is not for us to remove.
  const auto stays = [](int number) {
    return number == ENOTEMPTY || number == EEXIST || number == EBUSY || number == ENOENT ||
           number == ENOTDIR || number == EINVAL || number == EACCES || number == EPERM ||
           number == EROFS || number == ESTALE;
  };

  std::vector<Level> levels;
  auto holder = go_down(text, leaf, at, levels);
  if (!holder) return fail(holder.error());
  Fd here = *std::move(holder);
  if (stop) {
    const auto below = levels_below(*stop, here);
    if (!below && below.error().number == EINVAL) {
      return std::unexpected(Error{.number = EINVAL,
                                   .call = "rmdir",
                                   .path = path.c_str(),
                                   .note = "not below the directory to stop at"});
    }
    if (!below) return fail(below.error());
    if (*below < levels.size()) {
      levels.erase(levels.begin(), levels.end() - static_cast<std::ptrdiff_t>(*below));
    }
  }

  // A slash behind the name is the kernel's to judge.
  std::string name(text.substr(leaf));
  if (text.size() < std::string_view(path).size()) name += '/';
  if (const auto gone = rmdir(name, here); !gone) return fail(gone.error());
  tell(text.size());
  for (; !levels.empty(); levels.pop_back()) {
    const Level& level = levels.back();
    auto up = open("..", to_enter, here);
    const auto id = up ? id_of(*up) : std::unexpected(up.error());
    if (id && *id != level.above) break;
    name = text.substr(level.begin, level.end - level.begin);
    const auto gone = id ? rmdir(name, *up) : std::unexpected(id.error());
    if (!gone && stays(gone.error().number)) break;
    if (!gone) {
      return std::unexpected(Error{.number = gone.error().number,
                                   .call = "rmdir",
                                   .path = path.c_str(),
                                   .note = "at",
                                   .note_path = std::string(text.substr(0, level.end))});
    }
    tell(level.end);
    here = *std::move(up);
  }
  return {};
}

}  // namespace core
