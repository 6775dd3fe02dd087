// The command of an applet that runs one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/cli/applet.hpp"
#include "core/cli/process_value.hpp"
#include "core/sys/execute.hpp"
#include "core/sys/pidfd.hpp"
#include "core/sys/supervise.hpp"
#include "core/sys/wait.hpp"

namespace cli {

/// The exit statuses of an applet that becomes a command.
inline constexpr Status chain_statuses[] = {
    {"N", "what the command exits with: it has taken the place of osbox"},
    {"2", "wrong usage; nothing was done"},
    {"125", "osbox failed, and standard error says at what; the command did not run"},
    {"126", "the command cannot be executed, or a directory of PATH not be searched"},
    {"127", "the command was not found"},
};

/// Those of an applet that becomes one, or changes a process that runs.
inline constexpr Status chain_or_pid_statuses[] = {
    {"0", "with --pid: all was done"},
    {"1", "with --pid: something failed, and standard error says what; the rest was done"},
    chain_statuses[0],
    chain_statuses[1],
    chain_statuses[2],
    chain_statuses[3],
    chain_statuses[4],
};

/// Those of an applet that runs one and waits for it.
inline constexpr Status child_statuses[] = {
    {"N", "what the command exits with, or 128 and the number of the signal that ended it"},
    {"2", "wrong usage; nothing was done"},
    {"124", "its time was over"},
    {"125", "osbox failed, and standard error says at what"},
    {"126", "the command cannot be executed, or a directory of PATH not be searched"},
    {"127", "the command was not found"},
};

/// What the operand COMMAND is in most of these.
inline constexpr const char* becomes_then = "What osbox becomes then, with its arguments";

/// The option of an applet that becomes a command, or changes a process that runs; only of the
/// latter there are records.
template <class Args>
constexpr Option pid_to_change = parsed<&Args::pids, take_pids, Args>(
    0, "pid", "PID", "Change this process, and run no COMMAND; may be given more than once",
    Completes::pid);

/// What is said where something is asked of records, in an applet that has some, but none of a
/// command; --json is of failures too.
inline constexpr const char* no_records =
    "with COMMAND the output is all its own: there are no records";

/// What is said where operands ask for a change, and nothing is there that it would be for.
inline constexpr const char* missing_command =
    "missing operand COMMAND (the change is for that alone)";

/// Runs `program` as a child, calls `told` with how it ended, and has its status, or 124 where its
/// time was over. Where the signal that ended it came to osbox too, osbox ends by it.
out::Outcome run_child(core::Program& program, const core::Watch& watch, out::Io& io,
                       const std::function<void(const core::Ended&)>& told);

/// Writes out what `io` has, which tells of `child`. False where that was lost: then the child is
/// killed, since nobody could end it or wait for it.
bool told_of_child(const core::ProcessId& child, out::Io& io);

/// Becomes the command `words` with `attributes`: the end of an applet of which nothing but a
/// command is left. Comes back only where that failed, with the failure told and its exit status.
/// Whoever uses this has `.failure = 125` in its table. Where a command without a slash is not
/// found, and has arguments, `why_no_command` is asked for what its name looks like instead: a
/// sentence, or nothing where it looks like a name mistyped. execve(2)
out::Outcome become(std::vector<std::string> words, core::ProcessAttributes attributes, out::Io& io,
                    const char* (*why_no_command)(const std::string& name) = nullptr);

}  // namespace cli
