// setsid and setpgid: a command in another session or process group.
#include <charconv>

#include "core/cli/applet.hpp"
#include "core/cli/command.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct SessionArgs {
  std::vector<std::string> command;
};

constexpr Option session_options[] = {
    command<&SessionArgs::command>(becomes_then),
};

Outcome run_setsid(SessionArgs& args, Io& io) {
  return become(std::move(args.command), {.session = true}, io);
}

constexpr Example session_examples[] = {
    {"setsid sh -c 'osbox pids $$'", "A command that leads a session and a group of its own"},
};

struct GroupArgs {
  pid_t group = 0;
  std::vector<std::string> command;
};

Stored take_group(pid_t& group, std::string_view text) {
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, group);
  if (read.ec == std::errc() && read.ptr == end && text[0] != '-') return {};
  return std::unexpected("not a process group id");
}

constexpr Option group_options[] = {
    parsed_operand<&GroupArgs::group, take_group>(
        "PGID", "Id of a process group of this session; 0: a group of its own"),
    command<&GroupArgs::command>(becomes_then),
};

Outcome run_setpgid(GroupArgs& args, Io& io) {
  return become(std::move(args.command), {.process_group = args.group}, io);
}

constexpr Example group_examples[] = {
    {"setpgid 0 sh -c 'osbox pids $$'", "A command that leads a process group of its own"},
    {"setpgid \"$(osbox getpgid)\" date", "One that is in the group of this shell"},
};

}  // namespace

extern constexpr Applet setsid = {
    .name = "setsid",
    .group = Group::processes,
    .summary = "run a command in a session of its own",
    .description =
        "Makes a session and becomes COMMAND: setsid(2), and then execve(2), in one process. It "
        "leads the session, and a process group in it, and has no controlling terminal.\n\n"
        "A process that leads a process group cannot do that: EPERM. An interactive shell makes "
        "osbox the leader of one; there 'osbox spawn --session' helps, which starts COMMAND as a "
        "child. setsid(1) forks in that case, with nobody to wait for COMMAND; this one never "
        "does.",
    .options = session_options,
    .examples = session_examples,
    .statuses = chain_statuses,
    .see_also =
        "osbox-getsid(1), osbox-setpgid(1), osbox-spawn(1), setsid(2), credentials(7), setsid(1)",
    .failure = 125,
    .main = runs<run_setsid>,
};

extern constexpr Applet setpgid = {
    .name = "setpgid",
    .group = Group::processes,
    .summary = "run a command in another process group",
    .description =
        "Joins the process group PGID, or makes one where it is 0 or the process's own id, and "
        "becomes COMMAND.\n\n"
        "A PGID that is no group of this session is EPERM, and so is any where osbox leads a "
        "session. What is no number is wrong usage.\n\n"
        "A process group that is not the foreground one of its terminal is stopped when it reads "
        "from it (SIGTTIN), and Ctrl-C does not reach it.",
    .options = group_options,
    .examples = group_examples,
    .statuses = chain_statuses,
    .see_also = "osbox-getpgid(1), osbox-setsid(1), setpgid(2), credentials(7)",
    .failure = 125,
    .main = runs<run_setpgid>,
};

}  // namespace applets
