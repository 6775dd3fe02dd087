#include "core/sys/resolve.hpp"

#include <algorithm>
#include <optional>

#include "core/sys/stat.hpp"

namespace core {
namespace {

/// One name of a path, and what is behind it.
struct Component {
  std::string name;
  std::size_t end;  ///< where the rest begins
  bool enters;      ///< a slash follows: it has to be a directory
  bool last;        ///< nothing but slashes follows
};

/// The first component of `path` from `at` on; none at the end.
std::optional<Component> next_component(const std::string& path, std::size_t at) {
  const std::size_t begin = path.find_first_not_of('/', at);
  if (begin == path.npos) return std::nullopt;
  const std::size_t end = std::min(path.find('/', begin), path.size());
  return Component{path.substr(begin, end - begin), end, end < path.size(),
                   path.find_first_not_of('/', end) == path.npos};
}

/// The kernel's name for what `fd` stands for; ENOENT where it has none, as for a deleted file, and
/// ENOSYS where there is no /proc to ask: what was looked for is there.
Result<std::string> name_of(FdRef fd) {
  auto name = readlink("/proc/self/fd/" + std::to_string(fd.number()));
  if (!name && name.error().number == ENOENT) {
    return std::unexpected(
        Error{.number = ENOSYS, .call = "readlink", .note = "the answer is read from /proc"});
  }
  if (!name) return name;
  const Stat here = TRY(fstat(fd, want::ino));
  const auto there = lstat(*name, want::ino);
  if (!there || there->ino != here.ino || there->dev != here.dev) return failure(ENOENT, "stat");
  return name;
}

/// A canonical name in the making. The root is the empty name until the end.
class Canonical {
 public:
  explicit Canonical(Exists exists) : exists_(exists) {}

  Result<std::string> operator()(std::string path, At at) {
    if (path.empty()) return failure(ENOENT, "open");
    if (path.front() == '/') {
      TRY(go_to_root());
    } else {
      directory_ = TRY(open(".", O_PATH | O_DIRECTORY, at));
      name_ = at.directory.number() == AT_FDCWD ? TRY(getcwd()) : TRY(name_of(directory_));
      if (name_.front() != '/') return failure(ENOENT, "getcwd");  // outside the root
      if (name_ == "/") name_.clear();
    }
    std::size_t position = 0;
    while (const auto component = next_component(path, position)) {
      position = component->end;
      if (component->name == "." || component->name == "..") {
        TRY(step(component->name));
        continue;
      }
      const auto target = TRY(enter(*component));
      if (!target) continue;
      path = *target + path.substr(component->end);
      position = 0;
      if (path.front() == '/') TRY(go_to_root());
    }
    return name_.empty() ? "/" : name_;
  }

 private:
  Result<void> go_to_root() {
    directory_ = TRY(open("/", O_PATH | O_DIRECTORY));
    name_.clear();
    return {};
  }

  /// True where the name so far is that of `directory_`.
  bool real() const { return virtual_ == 0 && directory_; }

  Result<void> step(const std::string& dots) {
    if (real()) {
      auto opened = open(dots, O_PATH | O_DIRECTORY, directory_);
      if (opened) {
        directory_ = *std::move(opened);
      } else if (exists_ != Exists::nothing) {
        return std::unexpected(std::move(opened).error());
      } else if (dots == "..") {
        directory_.close();
      }
    }
    if (dots == "." || name_.empty()) return {};
    name_.resize(name_.rfind('/'));
    if (virtual_ > 0) --virtual_;
    return {};
  }

  /// Adds a component to the name, or says where the link leads that it is.
  Result<std::optional<std::string>> enter(const Component& component) {
    if (real()) {
      int number = 0;
      if (auto target = readlink(component.name, directory_)) {
        if (links_++ < most_links) return *std::move(target);
        number = ELOOP;
      } else if (target.error().number != EINVAL) {
        number = target.error().number;
      } else if (component.enters) {
        auto opened = open(component.name, O_PATH | O_DIRECTORY | O_NOFOLLOW, directory_);
        if (opened) {
          directory_ = *std::move(opened);
        } else {
          number = opened.error().number;
        }
      }
      const bool may_miss = exists_ == Exists::nothing ||
                            (exists_ == Exists::all_but_last && component.last && number == ENOENT);
      if (number != 0 && !may_miss) return failure(number, "readlink");
      if (number != 0) ++virtual_;
    } else {
      ++virtual_;
    }
    name_.append("/").append(component.name);
    return std::nullopt;
  }

  Exists exists_;
  Fd directory_;             ///< what `name_` without its virtual part stands for; none: unknown
  std::string name_;         ///< canonical
  std::size_t virtual_ = 0;  ///< components at the end of `name_` that are not looked into
  std::size_t links_ = 0;
};

/// The same where the kernel has to keep to `at`: it resolves, and is asked for the name.
Result<std::string> restricted_canonical(std::string path, Exists exists, At at) {
  if (exists == Exists::nothing) return failure(EINVAL, "realpath");
  for (std::size_t links = 0; links <= most_links; ++links) {
    auto file = open(path, O_PATH, at);
    if (file) return name_of(*file);
    if (exists == Exists::all || file.error().number != ENOENT) {
      return std::unexpected(std::move(file).error());
    }
    // Only the last component may be missing; where it is a link, that of what it leads to.
    const Parent parent = TRY(open_parent(path, at));
    const auto target = readlink(parent.name, parent.directory);
    if (!target && target.error().number == ENOENT && parent.name != "." && parent.name != "..") {
      auto name = name_of(parent.directory);
      if (name && *name != "/") *name += '/';
      if (name) *name += parent.name;
      return name;
    }
    if (!target) return std::unexpected(std::move(file).error());
    if (at.resolve.no_symlinks) break;
    if (target->front() == '/') {
      path = *target;
    } else {
      path.resize(without_slashes(path).rfind('/') + 1);
      path += *target;
    }
  }
  return failure(ELOOP, "open");
}

}  // namespace

Result<std::string> canonical(Path path, Exists exists, At at) {
  auto name = at.resolve.restricted() ? restricted_canonical(path.c_str(), exists, at)
                                      : Canonical(exists)(path.c_str(), at);
  if (!name) {
    return std::unexpected(Error{.number = name.error().number,
                                 .call = "realpath",
                                 .path = path.c_str(),
                                 .note = std::move(name).error().note});
  }
  return name;
}

Obstacle find_obstacle(Path path, AccessHow how, At at) {
  using Kind = Obstacle::Kind;
  std::vector<FileId> chain;  // the links that lead to nothing, one inside the other
  std::string first;          // the outermost of them
  int first_number = 0;
  Obstacle obstacle;
  const auto stops = [&obstacle](Kind kind, int number, std::string component) {
    obstacle.kind = kind;
    obstacle.number = number;
    obstacle.component = std::move(component);
    return std::move(obstacle);
  };
  const auto reaches = [&](const std::string& prefix, Links links) -> int {
    const auto answer = access(prefix, F_OK, {how.effective, links}, at);
    if (answer) return 0;
    if (answer.error().number != ENOSYS) return answer.error().number;
    // The older call always follows; lstat asks for the effective ids, but it is near enough here.
    const auto found = stat(prefix, links, want::type, at);
    return found ? 0 : found.error().number;
  };

  std::string rest = path.c_str();
  if (rest.empty()) return stops(Kind::missing, ENOENT, "");
  std::string done = rest.front() == '/' ? "/" : "";
  std::size_t position = 0;
  while (const auto component = next_component(rest, position)) {
    position = component->end;
    const std::string here = done + (done.empty() || done == "/" ? "" : "/") + component->name;
    if (const int number = reaches(here, Links::no_follow); number != 0) {
      if (number == EACCES) return stops(Kind::no_search, number, done.empty() ? "." : done);
      return stops(number == ENOENT ? Kind::missing : Kind::other, number, here);
    }
    auto found = lstat(here, want::type | want::ino, at);
    if (!found) return stops(Kind::other, found.error().number, here);
    const bool follows = component->enters || how.links == Links::follow;
    if (found->type == Type::link && follows) {
      if (at.resolve.no_symlinks) return stops(Kind::forbidden, ELOOP, here);
      auto target = readlink(here, at);
      if (!target) return stops(Kind::other, target.error().number, here);
      const int number = reaches(here, Links::follow);
      if (number != 0) {
        if (std::ranges::find(chain, found->id()) != chain.end())
          return stops(Kind::loop, ELOOP, here);
        if (chain.empty()) {
          first = here;
          first_number = number;
        }
        chain.push_back(found->id());
      }
      obstacle.links.push_back({here, *target});
      if (number != 0) {
        if (chain.size() > most_links) return stops(Kind::many_links, ELOOP, here);
        // It ends somewhere in there; what is behind the link no longer matters.
        rest = *std::move(target);
        if (rest.front() == '/') done = "/";
        position = 0;
        continue;
      }
      found = stat(here, want::type, at);
      if (!found) return stops(Kind::other, found.error().number, here);
    }
    if (component->enters && found->type != Type::dir) {
      return stops(Kind::not_directory, ENOTDIR, here);
    }
    done = here;
  }
  // The text of that link leads somewhere, but following it does not.
  if (first_number == ELOOP) return stops(Kind::many_links, ELOOP, first);
  if (first_number != 0) return stops(Kind::other, first_number, first);
  return obstacle;
}

}  // namespace core
