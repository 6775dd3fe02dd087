// Ids: which process, whose child, in which group and session, and with whose rights it runs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/sys/result.hpp"

namespace core {

/// `text` as the id of one process: decimal digits, and no 0, which to the kernel is a word for the
/// process that asks. All else is EINVAL of `call`.
Result<pid_t> read_pid(std::string_view text, const char* call);

/// The process that runs this one. ESRCH where that is in a pid namespace further out. getppid(2)
Result<pid_t> caller();

/// Where a process stands among the others. An id is 0 where it means nothing in this pid
/// namespace.
struct Kin {
  pid_t ppid = 0;
  pid_t pgid = 0;
  pid_t sid = 0;
};

/// The parent, group and session of `pid` at one moment; zombies have them too. From
/// /proc/PID/stat: no system call tells the parent of another process. ESRCH where there is no such
/// process. Without a /proc of this pid namespace the error names /proc.
Result<Kin> kin(pid_t pid);

/// When `pid` was started, in clock ticks since boot. From /proc/PID/stat. Fails as `kin` does.
Result<std::uint64_t> start_time(pid_t pid);

/// One process below another.
struct Descendant {
  pid_t pid = 0;
  pid_t ppid = 0;
  std::uint64_t start = 0;  ///< as `start_time` says
};

/// All that are below `ancestor` at one moment or another while /proc is read, parents before their
/// children; zombies are left out. None can be hidden from its ancestor but by ending.
Result<std::vector<Descendant>> descendants(pid_t ancestor);

/// How `pid` ended, which nobody has waited for yet: the word that wait(2) would give. None where
/// it is no zombie, and where this process may not know (PTRACE_MODE_READ_FSCREDS). Who has the pid
/// from a descriptor has to ask that afterwards whether it was still the same process. From
/// /proc/PID/stat.
std::optional<int> zombie_status(pid_t pid);

/// The process group of `pid`. ESRCH where there is no such process. getpgid(2)
Result<pid_t> getpgid(pid_t pid);

/// The session of `pid`. ESRCH where there is no such process. getsid(2)
Result<pid_t> getsid(pid_t pid);

/// The users and groups that a process acts for.
struct Credentials {
  uid_t uid = 0;  ///< real
  uid_t euid = 0;
  uid_t suid = 0;  ///< saved
  gid_t gid = 0;
  gid_t egid = 0;
  gid_t sgid = 0;
  std::vector<gid_t> groups;  ///< supplementary, in the kernel's order
};

/// Those of this process. getresuid(2), getresgid(2), getgroups(2)
Result<Credentials> credentials();

/// Those of `pid`, from /proc/PID/status. Fails as `kin` does.
Result<Credentials> credentials(pid_t pid);

}  // namespace core
