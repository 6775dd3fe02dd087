// Process: one process that stays the same, whatever becomes of its number.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/sys/duration.hpp"
#include "core/sys/fd.hpp"
#include "core/sys/result.hpp"
#include "core/sys/wait_status.hpp"

namespace core {

/// Which process is meant: its number alone, or the number and what tells it from all others that
/// have had or will have that number. Written PID or PID:INODE.
struct ProcessId {
  pid_t pid = 0;
  std::optional<std::uint64_t> inode = {};

  std::string text() const;
  bool operator==(const ProcessId&) const = default;
};

/// `text` as PID or PID:INODE, decimal digits and no 0; all else is EINVAL of `call`.
Result<ProcessId> read_process_id(std::string_view text, const char* call);

/// A process held by a descriptor: a signal sent through it reaches that process or nobody.
class Process {
 public:
  /// ESRCH where there is no such process, or another one under its number. EINVAL for a thread
  /// that is no process. ENOSYS where the kernel has no such descriptors (before Linux 5.3). A
  /// zombie can be opened. pidfd_open(2)
  static Result<Process> open(ProcessId id);

  pid_t pid() const { return pid_; }
  FdRef descriptor() const { return fd_; }

  /// What tells this process from all others until the next boot: the inode number of its
  /// descriptor (Linux 6.9), or before that the clock ticks between boot and its start. ESRCH where
  /// the latter cannot be read any more. fstat(2)
  Result<std::uint64_t> inode() const;

  /// PID and INODE; the number alone where the other is not to be had.
  ProcessId id() const;

  /// Sends `signal`; 0 asks whether that could be done. ESRCH once it was waited for, EPERM where
  /// it is somebody else's. pidfd_send_signal(2)
  Result<void> send(int signal) const;

  /// Sends `signal` to the process group that it leads, or led: ESRCH where there is none. ENOSYS
  /// before Linux 6.9. pidfd_send_signal(2) with PIDFD_SIGNAL_PROCESS_GROUP
  Result<void> send_to_group(int signal) const;

  /// How it ended: kept by the kernel once somebody has waited for it (Linux 6.15), or read of a
  /// zombie, where this process may. None where that is not to be had, and before its end.
  std::optional<WaitStatus> exit_status() const;

 private:
  Process(pid_t pid, Fd fd) : pid_(pid), fd_(std::move(fd)) {}
  pid_t pid_;
  Fd fd_;
};

/// Opens processes, as many as the hard limit of descriptors allows: the soft one is raised where
/// that is needed, for as long as this lives. Two descriptors stay free for other work.
class ProcessOpener {
 public:
  ProcessOpener();
  ~ProcessOpener();
  ProcessOpener(const ProcessOpener&) = delete;
  ProcessOpener& operator=(const ProcessOpener&) = delete;

  /// As Process::open; EMFILE at the limit. setrlimit(2)
  Result<Process> open(const ProcessId& id);

 private:
  rlimit before_;
  rlimit now_;
};

/// The indexes of those of `processes` that have ended, zombies among them, as soon as there are
/// any; none once `deadline` has passed. poll(2)
Result<std::vector<std::size_t>> poll_ended(std::span<const FdRef> processes,
                                            const Deadline& deadline);

/// The id of a child of this process that was not waited for; the number alone where the other is
/// not to be had.
ProcessId id_of_child(pid_t pid);

}  // namespace core
