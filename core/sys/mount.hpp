// Mounts, as /proc/self/mountinfo lists them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/sys/result.hpp"

namespace core {

/// One mount.
struct Mount {
  std::string point;       ///< where it is, from this process's root
  std::string root;        ///< what of its file system is there: "/" for all
  std::string type;        ///< of its file system: "ext4"
  bool read_only = false;  ///< the mount, or all of its file system
  bool no_exec = false;
  bool operator==(const Mount&) const = default;
};

/// The mount of the number that statx(2) gives (Stat::mount_id); none where this process cannot see
/// it. proc_pid_mountinfo(5)
Result<std::optional<Mount>> find_mount(std::uint64_t id);

/// The first mount of a file system of `type`, likewise.
Result<std::optional<Mount>> find_mount_of(std::string_view type);

}  // namespace core
