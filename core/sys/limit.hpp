// Resource limits.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/sys/result.hpp"

namespace core {

/// One resource that has a limit.
struct Resource {
  int number;             ///< RLIMIT_NOFILE
  std::string_view name;  ///< "nofile", as RLIMIT_NOFILE is written in short
  std::string_view unit;  ///< "files", "bytes", "seconds"; empty where it has none
  std::string_view what;  ///< "open file descriptors"
};

/// All resources of this system, sorted by name.
std::span<const Resource> resources();

/// The resource called `name`, in any case, with "RLIMIT_" in front or without; null where there is
/// none.
const Resource* find_resource(std::string_view name);

/// What is said where there is none.
inline constexpr std::string_view no_such_resource = "no such resource";

/// A soft and a hard limit. A number that is not there is no limit at all (RLIM_INFINITY).
struct Limit {
  std::optional<std::uint64_t> soft;
  std::optional<std::uint64_t> hard;
};

/// A change of a limit; a half that is not named stays as it is.
struct LimitChange {
  const Resource* resource = nullptr;
  std::optional<rlim_t> soft = {};  ///< RLIM_INFINITY for none
  std::optional<rlim_t> hard = {};

  /// Reads "SOFT", "SOFT:HARD" or ":HARD", decimal numbers or "unlimited"; the error is a sentence.
  static std::expected<LimitChange, std::string> parse(const Resource& resource,
                                                       std::string_view text);
  /// Reads "NAME=SOFT[:HARD]".
  static std::expected<LimitChange, std::string> parse(std::string_view text);
};

/// The limit of process `pid`; 0 is this one. ESRCH where there is none, EPERM where it is somebody
/// else's. prlimit(2)
Result<Limit> getrlimit(const Resource& resource, pid_t pid = 0);

/// Changes it, and says what it was before: 0, or the errno. EPERM where a hard limit would be
/// raised, EINVAL where the soft one would be above the hard one. Nobody else may change the half
/// that stays meanwhile, or that is undone. It allocates nothing, so that it can be called between
/// fork and exec. prlimit(2)
int setrlimit(const LimitChange& change, pid_t pid = 0, Limit* before = nullptr);

/// What that errno of setrlimit means, where it does not say so itself; else null.
constexpr const char* setrlimit_note(int number) {
  return number == EINVAL ? "the soft limit would be above the hard one" : nullptr;
}

}  // namespace core
