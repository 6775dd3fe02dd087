// Supervise: a child from its start to its end, with a deadline for it and all that it starts.
#pragma once

#include <csignal>
#include <optional>

#include "core/sys/duration.hpp"
#include "core/sys/execute.hpp"
#include "core/sys/pidfd.hpp"
#include "core/sys/wait_status.hpp"

namespace core {

/// How long a child may run, and what comes then.
struct Watch {
  std::optional<Duration> timeout = {};     ///< none: as long as it takes
  int signal = SIGTERM;                     ///< for it and all of its descendants when that is over
  std::optional<Duration> kill_after = {};  ///< SIGKILL for what is left so long after the signal
};

/// How a child ended.
struct ChildEnd {
  pid_t pid = 0;
  WaitStatus status;
  ResourceUsage usage;
  Duration wall{};
  bool timed_out = false;
  int received = 0;  ///< the last signal that came to this process meanwhile and ends one
};

/// Runs `program` as a child and waits for its end; the error is that of `spawn`. Meanwhile signals
/// that would end this process go to the child instead, but for those of the terminal, which has
/// sent them to both already; SIGCHLD need not be at its default. A child with a process group of
/// its own gets the terminal where this process has it, and when it is stopped so is this process.
///
/// With a timeout a process of its own stands between the two, and takes in all orphans below it.
/// It signals the whole tree, processes that left the group and the session included, and ends it
/// at once where this process dies, by SIGKILL too. SIGKILL goes to a cgroup, where one may be
/// made, else to every process that is found, until there is none. PR_SET_CHILD_SUBREAPER,
/// PR_SET_PDEATHSIG, cgroup.kill
Result<ChildEnd> run(Program& program, const Watch& watch = {});

/// Starts `program` and comes back once it runs; the error is that of `spawn`, or says that the
/// status could not be kept. A small process stays as its parent, writes down how it ended and then
/// waits for it, so that at any moment there is the process or its record. See JobDirectory.
///
/// Without a timeout that process begins with the memory of this one, and does not wait before this
/// one has ended: called by who has little left to do.
Result<ProcessId> start_job(Program& program, const Watch& watch = {});

}  // namespace core
