#include "core/cli/command.hpp"

#include <csignal>

#include "core/sys/kill.hpp"

namespace cli {

out::Outcome run_child(core::Program& program, const core::Watch& watch, out::Io& io,
                       const std::function<void(const core::Ended&)>& told) {
  io.flush();
  const auto end = core::run(program, watch);
  if (!end) return io.fail_with(core::unstarted_status(end.error()), end.error());
  told({.id = {.pid = end->pid},
        .status = end->status,
        .usage = end->usage,
        .wall = end->wall,
        .timed_out = end->timed_out});
  if (end->timed_out) {
    constexpr int timed_out = 124;
    return timed_out;
  }
  if (end->status.signaled() && end->status.signal() == end->received) io.end_by(end->received);
  return end->status.shell_status();
}

void kill_untold(const core::ProcessId& child) {
  const auto process = core::Process::open(child);
  if (process) {
    (void)process->send(SIGKILL);
  } else if (process.error().number == ENOSYS) {
    // The kernel has no handles for processes, and the number says no less at this moment.
    (void)core::kill(child.pid, SIGKILL);
  }
}

out::Outcome become(std::vector<std::string> words, core::ProcessAttributes attributes,
                    out::Io& io) {
  core::Program program = TRY(core::Program::prepare(std::move(words), std::move(attributes)));
  io.flush();
  const core::Error error = core::exec(program);
  return io.fail_with(core::unstarted_status(error), error);
}

}  // namespace cli
