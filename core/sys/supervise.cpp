#include "core/sys/supervise.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include "core/sys/child_watch.hpp"
#include "core/sys/handover.hpp"
#include "core/sys/process.hpp"

namespace core {
namespace {

/// Runs it as a child of this process.
Result<ChildEnd> run_alone(Program& program) {
  WaitedSignals signals;
  ChildWatch watch(signals, program);
  TRY(watch.start(program, watch.placement()));
  for (;;) {
    if (auto end = watch.look()) return *end;
    siginfo_t about;
    watch.forward(signals.wait({}, about), about);
  }
}

/// The life of the process between this one and the child; what comes of it goes to `report`.
void stand_between(Program& program, const Watch& watch, WaitedSignals& signals,
                   const std::optional<Cgroup>& cgroup, pid_t parent, FdRef report) {
  // One that nobody else sends, to wake it when its parent dies.
  signals.add(SIGRTMAX);
  ::prctl(PR_SET_PDEATHSIG, SIGRTMAX);
  if (::getppid() != parent) return;
  TreeWatch tree(program, watch, signals, cgroup, parent);
  const auto started = tree.start(program);
  if (!started) return send_error(report, started.error());
  send_value(report, *started);
  if (const auto end = tree.wait()) send_value(report, *end);
}

/// Runs it as a child of a process between, which is there for nothing else.
Result<ChildEnd> run_guarded(Program& program, const Watch& watch) {
  // Where nobody knows what the command starts, nothing of that could be ended.
  if (auto known = descendants(::getpid()); !known) return std::unexpected(known.error());
  WaitedSignals signals;
  auto pipe = TRY(make_pipe());
  std::optional<Cgroup> cgroup = Cgroup::make();
  const pid_t parent = ::getpid();
  const pid_t between = ::fork();
  if (between < 0) return failure("fork");
  if (between == 0) {
    pipe.read.close();
    stand_between(program, watch, signals, cgroup, parent, pipe.write);
    cgroup.reset();
    ::_exit(0);
  }
  pipe.write.close();
  program.close_streams();
  ChildWatch guard(signals);
  guard.begin(between);
  const auto started = receive_value<pid_t>(pipe.read);
  std::optional<ChildEnd> guard_end;
  while (!(guard_end = guard.look())) {
    siginfo_t about;
    guard.forward(signals.wait({}, about), about);
  }
  if (!started) return std::unexpected(started.error());
  auto end = receive_value<ChildEnd>(pipe.read);
  if (!end) {
    // It was killed. The command dies with it, and so does what else is in its cgroup.
    if (cgroup) (void)cgroup->kill();
    return end;
  }
  if (guard_end->received != 0) end->received = guard_end->received;
  return end;
}

}  // namespace

Result<ChildEnd> run(Program& program, const Watch& watch) {
  TRY(program.open_streams());
  return watch.timeout ? run_guarded(program, watch) : run_alone(program);
}

}  // namespace core
