// Mounts, as /proc/self/mountinfo lists them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/sys/result.hpp"

namespace core {

/// One mount.
struct Mount {
  std::string point;       ///< where it is, from this process's root
  std::string type;        ///< of its file system: "ext4"
  bool read_only = false;  ///< the mount, or all of its file system
  bool no_exec = false;
  bool operator==(const Mount&) const = default;
};

/// The mount of the number that statx(2) gives (Stat::mount_id); none where this process cannot see
/// it. proc_pid_mountinfo(5)
Result<std::optional<Mount>> find_mount(std::uint64_t id);

}  // namespace core
