// Resolving a path one component after the other: canonical names, and where a path ends early.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/sys/fs.hpp"

namespace core {

/// As many symbolic links as Linux follows for one path (MAXSYMLINKS); ELOOP beyond.
inline constexpr std::size_t most_links = 40;

/// How much of a path has to be there.
enum class Exists : std::uint8_t { all, all_but_last, nothing };

/// The absolute path that `path` stands for: no link, no "." and no "..", no slash too many; of any
/// length. With Exists::nothing, what cannot be looked at is taken as it is written, and only an
/// unknown current directory is a failure. Under a restricted `at` the kernel itself resolves, and
/// Exists::nothing is EINVAL. realpath(3)
Result<std::string> canonical(Path path, Exists exists, At at = {});

/// The component of a path that the kernel does not get past.
struct Obstacle {
  enum class Kind : std::uint8_t {
    none,           ///< the path leads somewhere
    missing,        ///< ENOENT: `component` is not there
    no_search,      ///< EACCES: the directory `component` may not be searched
    not_directory,  ///< ENOTDIR: `component` is followed by a slash and is something else
    loop,           ///< ELOOP: the link `component` leads back to itself
    many_links,     ///< ELOOP: with the link `component` there are more than `most_links`
    forbidden,      ///< ELOOP: `component` is a link, and `at` allows none
    other,          ///< as `number` says
  };
  struct Link {
    std::string path;
    std::string target;
  };
  Kind kind = Kind::none;
  int number = 0;                ///< errno
  std::string component;         ///< from the start of the path, as written there or in a link
  std::vector<Link> links = {};  ///< those that were followed on the way, first one first
};

/// Asks the kernel about `path` component by component, with the ids that `how` says, and follows
/// links on the way, until it says no. What access(2) says of the whole path may be another thing a
/// moment later.
Obstacle find_obstacle(Path path, AccessHow how = {}, At at = {});

}  // namespace core
