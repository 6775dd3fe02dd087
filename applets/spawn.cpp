#include <csignal>

#include "core/cli/command.hpp"
#include "core/cli/dry_run.hpp"
#include "core/cli/process_options.hpp"
#include "core/out/process_fields.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args : ProcessArgs {
  bool nowait = false;
  bool rusage = false;
  std::optional<core::Duration> timeout;
  int signal = 0;
  std::optional<core::Duration> kill_after;
};

constexpr auto own_options = std::array{
    flag<&Args::nowait>("nowait", "Print its PID:INODE at once, and do not wait for it"),
    value<&Args::timeout>(0, "timeout", "DUR",
                          "End it and all that it started after this; 0 ends it at once"),
    parsed<&Args::signal, take_signal>('s', "signal", "SIG", "What --timeout sends (SIGTERM)",
                                       Completes::signal),
    value<&Args::kill_after>(0, "kill-after", "DUR", "SIGKILL for what is left so long after that"),
    flag<&Args::rusage>("rusage", "Tell how it ended, and the time and memory it used"),
};

constexpr auto options = rows(own_options, process_options<Args>,
                              std::array{command<&Args::words, Args>("What is run")});

using Row = EndedRow;

void print_end(const Row& row, Io& io) {
  std::string text;
  append_ended(text, row.ended, true);
  io.print(text);
  io.end_record();
}

/// A child that nobody waits for yet.
struct Started {
  core::ProcessId id;
  mutable std::string text = {};
  pid_t pid() const { return id.pid; }
  std::optional<std::uint64_t> inode() const { return id.inode; }
  std::string_view handle() const { return text = id.text(); }
};

constexpr auto ended_row = ended_fields<Row>;
constexpr Field started_fields[] = {
    integer<&Started::pid>("pid", "Its process id"),
    natural<&Started::inode>("inode", "What tells it from others that had this id; null: unknown"),
    text<&Started::handle>("handle", "Both, PID:INODE, as waitpid and kill take them"),
};

enum Which : std::size_t { ended, started, planned };
constexpr Table tables[] = {
    {.fields = ended_row, .print = prints<print_end, Row>, .when = "with --rusage, or a format"},
    {.fields = started_fields, .line = "{handle}", .when = "with --nowait"},
    dry_run_table,
};

/// A child that runs on must not keep a pipe open that somebody reads to its end.
void let_go_of_streams(core::ProcessAttributes& attributes) {
  for (const std::size_t stream : {std::size_t{0}, std::size_t{1}}) {
    auto& redirection = attributes.streams[stream];
    if (!redirection) redirection = core::Redirection{.path = "/dev/null", .append = true};
  }
}

Outcome start(core::Program& program, const core::Watch& watch, Io& io) {
  auto records = TRY(io.records<Started>(tables[started]));
  const auto job = core::start_job(program, watch);
  if (!job) return io.fail_with(core::unstarted_status(job.error()), job.error());
  records.put({*job});
  told_of_child(*job, io);
  return 0;
}

Outcome run(Args& args, Io& io) {
  if (!args.timeout && (args.kill_after || args.signal != 0)) {
    return misuse(std::string(args.signal != 0 ? "--signal" : "--kill-after") + " needs --timeout");
  }
  if (args.nowait && args.rusage) {
    return misuse("--nowait has nothing to tell for --rusage; 'waitpid --rusage' has");
  }
  auto attributes = TRY(attributes_of(args));
  if (args.nowait) let_go_of_streams(attributes);
  core::Program program = TRY(core::Program::prepare(std::move(args.words), std::move(attributes)));
  const core::Watch watch{.timeout = args.timeout,
                          .signal = args.signal != 0 ? args.signal : SIGTERM,
                          .kill_after = args.kill_after};
  if (args.dry_run) return dry_run(program, watch, io);
  if (args.nowait) return start(program, watch, io);
  auto records = TRY(io.records<Row>(tables[ended]));
  return run_child(program, watch, io, [&](const core::Ended& end) {
    if (args.rusage || records.formatted()) records.put({.ended = end});
  });
}

constexpr Alias aliases[] = {
    {"spawnv", "--no-search", "run a command, named by its path, and wait for it"},
    {"spawnvp", "", "run a command, looked for in PATH, and wait for it"},
};

constexpr Example examples[] = {
    {"spawn --timeout 5 --kill-after 1 sleep .1", "Six seconds at the most, whatever it starts"},
    {"spawn --rusage sleep .1", "How it ended, and what it used"},
    {"spawn --nowait sleep .1", "A handle for osbox waitpid, in this shell or another"},
};

}  // namespace

extern constexpr Applet spawn = {
    .name = "spawn",
    .group = Group::processes,
    .summary = "run a command, with all of its process set",
    .description =
        "Runs COMMAND as a child and waits for it, as os.spawnvp does with P_WAIT. The status is "
        "that of COMMAND: its exit code, or 128 and the number of the signal that ended it. The "
        "options say how its process is to be; osbox exec tells of each, and in which order they "
        "are done.\n\n"
        "Signals that would end osbox, SIGUSR1 and SIGUSR2 go to COMMAND instead. At a terminal it "
        "is in the foreground together with osbox: Ctrl-C and Ctrl-Z are for both. Where COMMAND "
        "has a process group of its own, it gets the terminal for as long as it runs. SIGCHLD may "
        "be ignored, and children that were there before are left alone.\n\n"
        "With --timeout a signal, SIGTERM or that of --signal, ends COMMAND and everything that it "
        "started when the time since its start is over, processes that have left its process group "
        "and its session included, and the status is 124. A time of 0, which to timeout(1) is no "
        "limit, ends them at once. COMMAND does not ignore that signal, even where osbox does. "
        "With --kill-after what is left so long after that is killed; "
        "without it spawn waits for COMMAND as long as it takes, and for the others one second. "
        "All of them are killed at once where osbox itself is, and SIGTERM, SIGINT, SIGHUP and "
        "SIGQUIT for osbox go to all of them; what a terminal sends goes to its foreground alone. "
        "What goes on behind a COMMAND that ends in time is left alone. Without /proc, where what "
        "COMMAND started is found, --timeout is a failure.\n\n"
        "With --nowait osbox prints PID:INODE and ends as soon as COMMAND runs; one that cannot be "
        "executed is told now. Standard input and output are /dev/null unless something else is "
        "asked for. Where PID:INODE cannot be printed COMMAND is killed. A small process stays "
        "behind as the parent of COMMAND and writes down how it ended, in $XDG_RUNTIME_DIR/osbox, "
        "/run/user/UID/osbox, /dev/shm/osbox-UID or "
        "/tmp/osbox-UID, so that osbox waitpid has its status whenever it asks, for a day. PID "
        "alone may be another process by then; PID:INODE is not.\n\n"
        "Files of --stdin, --stdout and --stderr are opened with the rights, the umask and the "
        "directory of osbox. What was in them is gone when COMMAND starts, not where it is not "
        "found. With --nowait --death-signal is about the process that stays behind.\n\n"
        "The record of --json, --format and --shell goes to standard output behind what COMMAND "
        "writes there; --stdout keeps them apart.",
    .options = options,
    .tables = tables,
    .aliases = aliases,
    .examples = examples,
    .statuses = child_statuses,
    .see_also =
        "osbox-exec(1), osbox-waitpid(1), osbox-kill(1), timeout(1), setsid(1), "
        "posix_spawn(3)",
    .failure = 125,
    .main = runs<run>,
};

}  // namespace applets
