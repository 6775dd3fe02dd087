#include "core/cli/command.hpp"

#include <cerrno>
#include <csignal>

#include "core/sys/kill.hpp"
#include "core/sys/process.hpp"
#include "core/sys/signal.hpp"

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

namespace {

/// Kills it, if that can be done; there is nobody left to tell a failure to.
void kill_untold(const core::ProcessId& child) {
  const auto process = core::Process::open(child);
  const auto sent = process ? process->send(SIGKILL) : std::unexpected(process.error());
  if (sent || sent.error().number != ENOSYS) return;
  // The kernel has no handles for processes. Who waits for the child may have done so.
  const auto start = core::start_time(child.pid);
  if (start && child.inode == *start) (void)core::kill(child.pid, SIGKILL);
}

}  // namespace

bool told_of_child(const core::ProcessId& child, out::Io& io) {
  // Where the write ends osbox, that waits until the child has been ended too.
  const auto held = core::HeldSignals::of_writes();
  io.flush();
  if (!io.writable()) kill_untold(child);
  return io.writable();
}

out::Outcome become(std::vector<std::string> words, core::ProcessAttributes attributes, out::Io& io,
                    const char* (*why_no_command)(const std::string& name)) {
  std::string name;
  if (why_no_command != nullptr && words.size() > 1 && words.front().find('/') == name.npos) {
    name = words.front();
  }
  core::Program program = TRY(core::Program::prepare(std::move(words), std::move(attributes)));
  io.flush();
  core::Error error = core::exec(program);
  const bool missing = error.number == ENOENT && std::string_view(error.call) == "exec";
  if (!name.empty() && missing && error.note.empty()) error.note = why_no_command(name);
  return io.fail_with(core::unstarted_status(error), error);
}

}  // namespace cli
