// Jobs: what is written down of processes that `spawn --nowait` started, so that their status is
// there when somebody asks, whoever waited for them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/sys/fd.hpp"
#include "core/sys/pidfd.hpp"
#include "core/sys/wait_status.hpp"

namespace core {

/// One process that was started, and how it ended, once it has.
struct Job {
  ProcessId id;
  ProcessId owner;  ///< who ran osbox: the shell
  struct End {
    WaitStatus status;
    ResourceUsage usage;
    Duration wall{};  ///< from its start to its end
    bool timed_out = false;
  };
  std::optional<End> end = {};
};

/// The directory that jobs are written into: `osbox` in $XDG_RUNTIME_DIR, else in /run/user/UID,
/// else /dev/shm/osbox-UID, else /tmp/osbox-UID; whichever is there first and is this user's own,
/// a directory, and nobody else's to write or read. Each job is a file, PID:INODE, that is written
/// under another name and renamed.
class JobDirectory {
 public:
  /// The one to write into; made, with mode 0700, where there is none yet.
  static Result<JobDirectory> make();
  /// All that there are, to read from.
  static std::vector<JobDirectory> all();

  /// Writes `job` down, in the place of what was written of it before. With `end` unset that says
  /// who has the job.
  Result<void> put(const Job& job) const;
  /// What is written of the process `id`; with a bare pid the youngest of that number. A record of
  /// an earlier boot is none.
  Result<std::optional<Job>> find(ProcessId id) const;
  /// The jobs of `owner`, oldest first.
  Result<std::vector<Job>> owned_by(ProcessId owner) const;
  /// Takes away what is written of `id`, which must have its inode; no error where nothing is.
  Result<void> remove(ProcessId id) const;
  /// Takes away what nobody came for: ends that are older than a day, and jobs without an end whose
  /// process is gone for as long. Does nothing where that was done in the last hour.
  void sweep() const;

  FdRef descriptor() const { return fd_; }

 private:
  explicit JobDirectory(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace core
