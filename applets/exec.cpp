#include "core/cli/command.hpp"
#include "core/cli/dry_run.hpp"
#include "core/cli/process_options.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args : ProcessArgs {};

constexpr auto options =
    rows(process_options<Args>, std::array{command<&Args::words, Args>("What osbox becomes")});

Outcome run(Args& args, Io& io) {
  auto attributes = TRY(attributes_of(args));
  if (!args.dry_run) {
    if (io.style().needs_records()) return misuse(no_records);
    return become(std::move(args.words), std::move(attributes), io);
  }
  return dry_run(TRY(core::Program::prepare(std::move(args.words), std::move(attributes))), {}, io);
}

constexpr Alias aliases[] = {
    {"execv", "--no-search", "become a command, named by its path"},
    {"execve", "--no-search", "become a command, named by its path"},
    {"execvp", "", "become a command, looked for in PATH"},
};

constexpr Example examples[] = {
    {"exec --chdir / --setenv LC_ALL=C ls", "ls of the root directory, in the C locale"},
    {"exec --clear-env --umask 077 --dry-run --json env", "What would be set, for a program"},
    {"exec --limit nofile=64 --nice 5 true", "With few descriptors, and nicely"},
};

}  // namespace

extern constexpr Applet exec = {
    .name = "exec",
    .group = Group::processes,
    .summary = "set up this process and become a command",
    .description =
        "Becomes COMMAND with its arguments: the same process, with another program in it, as "
        "execve(2) does. A COMMAND without a slash is looked for in the PATH of its own "
        "environment, unless --no-search is given. There is no shell: what is neither a program "
        "nor a script with a #! line is ENOEXEC.\n\n"
        "What is set before comes in one order, whatever the order of the options: signal actions, "
        "session and process group, standard streams, limits, nice value, umask, groups, group and "
        "user, no-new-privs, death signal, current directory, descriptors. So the files of the "
        "streams are opened, and limits raised, with the rights of who runs osbox, and the "
        "directory is entered with those of --user. What was in the files is gone as late as can "
        "be, and not where COMMAND is not found. SIGPIPE has its default action and the signal "
        "mask is empty, whatever they were before. Other signals that are ignored stay so.\n\n"
        "--user gives all ids of that user for good: real, effective and saved user and group id "
        "and the supplementary groups, with --group and --groups in the place of the last two. "
        "They are read back, and where root's rights could be had again COMMAND does not run. The "
        "environment stays as it is, HOME and USER too, unless --setenv says otherwise.\n\n"
        "--dry-run looks for COMMAND and enters the directory of --chdir; whether the rest may be "
        "set, and the files of the streams opened, is seen only when it is done.\n\n"
        "A COMMAND that cannot be executed is a failure that says what is missing: the command "
        "itself, with the error of a directory of PATH that could not be searched, or the "
        "interpreter of "
        "its #! line.",
    .options = options,
    .tables = {&dry_run_table, 1},
    .aliases = aliases,
    .examples = examples,
    .statuses = chain_statuses,
    .see_also = "osbox-spawn(1), env(1), execve(2), exec(3), setpriv(1)",
    .failure = 125,
    .main = runs<run>,
};

}  // namespace applets
