// Waiting: for children, and for processes that are not.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/sys/duration.hpp"
#include "core/sys/pidfd.hpp"
#include "core/sys/wait_status.hpp"

namespace core {

/// Where the status of a process was had from.
enum class Source : std::uint8_t {
  child,   ///< it was a child of this process. waitid(2), wait4(2)
  record,  ///< `spawn --nowait` wrote it down
  pidfd,   ///< the kernel keeps it for whoever holds a descriptor. PIDFD_INFO_EXIT, Linux 6.15
  proc,    ///< nobody has waited for it yet: field 52 of /proc/PID/stat
};

/// A process that has ended.
struct Ended {
  ProcessId id;
  WaitStatus status;
  Source source = Source::child;
  std::optional<ResourceUsage> usage = {};
  std::optional<Duration> wall = {};  ///< from its start to its end
  bool timed_out = false;             ///< whoever started it ended it, since its time was over
};

/// Any number of processes, own children or not, that are waited for in one poll(2).
///
/// The status of one comes from the first of these that has it: what `spawn --nowait` wrote down;
/// waitid(2), where it is a child of this process; /proc/PID/stat, as long as nobody else has
/// waited for it and where this process may know; and what the kernel keeps for the descriptor once
/// somebody has. What is not to be had is ENODATA, never a guess.
///
/// While a Wait lives, SIGCHLD is not ignored, which would cost the status of children, and the
/// soft limit of descriptors may be as high as the hard one; both are put back.
class Wait {
 public:
  /// `keep` leaves records and zombies as they are for the next who asks (WNOWAIT, --peek).
  explicit Wait(bool keep = false);
  ~Wait();

  /// Adds a process; one that is there already is added once. ESRCH where there is none and nothing
  /// is known of it, EINVAL for a thread, ENODATA where it has ended and its status is not to be
  /// had, EDEADLK for this process itself, EMFILE where there is no descriptor left, ENOSYS where
  /// the kernel has none for processes and it is no child.
  Result<void> add(ProcessId id);

  /// How many have not been told by `next` yet.
  std::size_t size() const;
  /// Those that have not been told yet, as they were given to `add`: those that have ended, and
  /// then the others in the order added.
  std::vector<ProcessId> left() const;

  /// True where `next` has an answer at once, or nothing to wait for.
  bool ready();

  /// The next that has ended, or none once `deadline` has passed; one that has passed before still
  /// has it look once. A process whose status nobody can tell is an error that names it, ENODATA,
  /// and is not waited for any more. ECHILD where there is none left.
  Result<std::optional<Ended>> next(const Deadline& deadline);

  /// Takes away what is written of a process that `next` has told of, once that has arrived; does
  /// nothing where this is to `keep` it.
  void consume(const ProcessId& id);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// True where this process has a child to wait for.
bool has_children();

/// Waits for any child of this process. ECHILD where there is none; none once `deadline` has
/// passed. SIGCHLD is not ignored meanwhile. waitid(2), wait4(2)
Result<std::optional<Ended>> wait_for_child(const Deadline& deadline);

}  // namespace core
