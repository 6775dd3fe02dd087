// waitpid, which waits for the processes that it is given, and wait, for the next of many.
#include "core/cli/applet.hpp"
#include "core/out/process_fields.hpp"
#include "core/sys/job.hpp"
#include "core/sys/process.hpp"
#include "core/sys/wait.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

constexpr int timed_out = 124;
constexpr int osbox_failed = 125;

struct Args {
  std::vector<std::string> pids;
  std::optional<core::Duration> timeout;
  std::optional<std::size_t> count;
  bool all = false;
  bool nohang = false;
  bool rusage = false;
  bool mirror = false;
  bool peek = false;

  core::Deadline deadline() const {
    if (nohang) return core::Deadline::in({});
    return timeout ? core::Deadline::in(*timeout) : core::Deadline();
  }
};

Stored read_count(std::optional<std::size_t>& to, std::string_view text) {
  TRY(cli::detail::take(to, text));
  if (*to > 0) return {};
  return std::unexpected("not a number above 0");
}

constexpr Option timeout =
    value<&Args::timeout>(0, "timeout", "DUR", "No longer than 2, 0.5s, 3m, ...; 0 looks once");
constexpr Option nohang =
    flag<&Args::nohang>("nohang", "Tell what has ended and wait for nothing, as WNOHANG");
constexpr Option rusage = flag<&Args::rusage>("rusage", "Tell also what they used, as wait4(2)");
constexpr Option mirror =
    flag<&Args::mirror>("mirror", "Exit as that process did: its exit code, or 128 and the signal");

constexpr Option waitpid_options[] = {
    timeout,
    nohang,
    rusage,
    mirror,
    flag<&Args::peek>("peek", "Leave the status for the next who asks, as WNOWAIT"),
    operands<&Args::pids>("PID", "Id of a process, or PID:INODE", Least::one, Completes::pid),
};

constexpr Option wait_options[] = {
    parsed<&Args::count, read_count>(0, "count", "N", "The first N to end; 1 without it"),
    flag<&Args::all>("all", "All of them, as they end"),
    timeout,
    nohang,
    rusage,
    mirror,
    operands<&Args::pids>("PID", "Id of a process, or PID:INODE; none: children, else jobs",
                          Least::none, Completes::pid),
};

struct Row : EndedRow {
  bool rusage = false;
};

constexpr auto fields = ended_fields<Row>;

void print(const Row& row, Io& io) {
  std::string line;
  append_ended(line, row.ended, row.rusage);
  io.print(line);
  io.end_record();
}

constexpr Table tables[] = {{.fields = fields, .print = prints<print, Row>}};

/// Adds the process that `word` names.
core::Result<void> add(core::Wait& wait, std::string_view word) {
  auto id = core::read_process_id(word, "waitpid");
  if (!id && (word == "0" || word == "-1")) {
    id.error().note = "not a process id, which is 1 or more; osbox wait takes any child";
  }
  return wait.add(TRY(std::move(id)));
}

/// The next to end, of those in `wait`, or of the children of this process where there is none.
/// What was told before is read before this blocks.
core::Result<std::optional<core::Ended>> next(core::Wait* wait, const core::Deadline& deadline,
                                              Io& io) {
  if (wait != nullptr) {
    if (!wait->ready()) io.flush();
    return wait->next(deadline);
  }
  auto at_once = TRY(core::wait_for_child(core::Deadline::in({})));
  if (at_once || deadline.passed()) return at_once;
  io.flush();
  return core::wait_for_child(deadline);
}

/// True for what ends the wait for one process, and not for the others.
bool is_of_one(const core::Error& error) { return error.path.has_value(); }

/// The end where something runs still: `left` with a word each, unless nobody wanted to wait.
int still_running(const Args& args, std::span<const core::ProcessId> left, Io& io) {
  io.set_failure(timed_out);
  core::Error error{.number = ETIMEDOUT, .call = "waitpid", .note = "still running"};
  for (const core::ProcessId& id : left) {
    if (args.nohang) break;
    error.path = id.text();
    io.fail(error);
  }
  return timed_out;
}

/// What cannot be meant.
std::expected<void, Usage> check(const Args& args, bool one) {
  if (args.nohang && args.timeout) return misuse("--nohang and --timeout do not go together");
  if (args.all && args.count) return misuse("--all and --count do not go together");
  if (args.mirror && !one) return misuse("--mirror is for one process");
  return {};
}

/// What was told of, until it has been written: a status that nobody got can be asked for again.
class Told {
 public:
  Told(core::Wait& wait, Io& io) : wait_(&wait), io_(&io) {}
  ~Told() {
    io_->flush();
    for (const core::ProcessId& id : ids_) {
      if (io_->writable()) wait_->consume(id);
    }
  }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;
  void add(const core::Ended& ended) { ids_.push_back(ended.id); }

 private:
  core::Wait* wait_;
  Io* io_;
  std::vector<core::ProcessId> ids_;
};

Outcome run_waitpid(Args& args, Io& io) {
  TRY(check(args, args.pids.size() == 1));
  auto records = TRY(io.records<Row>(tables[0]));
  if (args.mirror) io.set_failure(osbox_failed);
  const core::Deadline deadline = args.deadline();
  core::Wait wait(args.peek);
  Told told(wait, io);
  for (const std::string& word : args.pids) {
    if (const auto added = add(wait, word); !added) io.fail(added.error());
  }
  int status = 0;
  while (wait.size() > 0) {
    const auto ended = next(&wait, deadline, io);
    if (!ended && !is_of_one(ended.error())) return std::unexpected(ended.error());
    if (!ended) {
      io.fail(ended.error());
    } else if (!*ended) {
      return still_running(args, wait.left(), io);
    } else {
      records.put({{**ended}, args.rusage});
      told.add(**ended);
      if (args.mirror) status = (*ended)->status.shell_status();
    }
  }
  return status;
}

/// The processes that the caller of osbox started with `osbox spawn --nowait`.
core::Result<std::vector<core::ProcessId>> jobs_of_caller() {
  std::vector<core::ProcessId> jobs;
  // A caller outside this pid namespace cannot have any in it.
  const auto caller = core::caller();
  const auto directories = TRY(core::JobDirectory::all());
  // A shell may have become osbox: it runs its last command so.
  for (const pid_t pid : {caller.value_or(0), ::getpid()}) {
    if (pid == 0) continue;
    core::ProcessId owner{.pid = pid};
    if (const auto process = core::Process::open(owner)) owner = process->id();
    for (const core::JobDirectory& directory : directories) {
      for (const core::Job& job : TRY(directory.owned_by(owner))) jobs.push_back(job.id);
    }
  }
  return jobs;
}

Outcome run_wait(Args& args, Io& io) {
  TRY(check(args, !args.all && args.count.value_or(1) == 1));
  auto records = TRY(io.records<Row>(tables[0]));
  if (args.mirror) io.set_failure(osbox_failed);
  const core::Deadline deadline = args.deadline();
  const std::size_t most = args.all ? SIZE_MAX : args.count.value_or(1);
  std::size_t told = 0;
  // One whose status is gone has ended all the same, and counts.
  const auto fail = [&](const core::Error& error) {
    io.fail(error);
    if (error.number == ENODATA) ++told;
  };

  core::Wait wait;
  Told written(wait, io);
  const bool children = args.pids.empty() && core::has_children();
  for (const std::string& word : args.pids) {
    if (const auto added = add(wait, word); !added) fail(added.error());
  }
  if (args.pids.empty() && !children) {
    for (const core::ProcessId& id : TRY(jobs_of_caller())) {
      if (told >= most) break;
      if (const auto added = wait.add(id); !added) fail(added.error());
    }
  }

  int status = 0;
  while (told < most) {
    const auto ended = next(children ? nullptr : &wait, deadline, io);
    if (!ended && is_of_one(ended.error())) {
      fail(ended.error());
    } else if (!ended && ended.error().number == ECHILD) {
      // All that there were are told of, or why they are not.
      if (args.all ? told > 0 || io.failed() : io.failed() && !args.pids.empty()) break;
      return std::unexpected(core::Error{.number = ECHILD, .call = "wait"});
    } else if (!ended) {
      return std::unexpected(ended.error());
    } else if (!*ended) {
      if (!children) return still_running(args, wait.left(), io);
      io.set_failure(timed_out);
      if (!args.nohang) io.fail({.number = ETIMEDOUT, .call = "wait", .note = "still running"});
      return timed_out;
    } else {
      records.put({{**ended}, args.rusage});
      written.add(**ended);
      ++told;
      if (args.mirror) status = (*ended)->status.shell_status();
    }
  }
  return status;
}

constexpr Alias waitpid_aliases[] = {
    {"wait4", "--rusage", "wait for processes and say what they used"}};
constexpr Alias wait_aliases[] = {
    {"wait3", "--rusage", "wait for the next to end and say what it used"}};

constexpr Example waitpid_examples[] = {
    {"waitpid --nohang $$", "Has it ended? 124: this shell has not"},
    {"waitpid --timeout 0.1s --json $PPID", "No longer than that, for a program"},
};

constexpr Example wait_examples[] = {
    {"wait --all", "All that this shell started with spawn --nowait, as they end"},
    {"wait --nohang --format '{pid} {exit_code}'", "One that has ended, if there is one"},
};

constexpr Status statuses[] = {
    {"0", "all that was waited for has ended, however it did"},
    {"1", "something failed: a process that is not there, a status that is gone"},
    {"2", "wrong usage"},
    {"124", "the time is over, or --nohang is given, and something still runs"},
    {"125", "something failed, with --mirror"},
    {"N", "with --mirror: the exit code of the process, or 128 and the number of its signal"},
};

}  // namespace

extern constexpr Applet waitpid = {
    .name = "waitpid",
    .group = Group::processes,
    .summary = "wait for processes, children or not",
    .description =
        "Waits until every PID has ended and prints a line for each as it does: its id, the 16-bit "
        "word that os.waitpid returns, and what that means, \"exited N\" or \"killed SIGNAME\". A "
        "process given twice is waited for once. The status of osbox does not depend on how they "
        "ended, unless --mirror asks for that.\n\n"
        "They need not be children. Where a status was had from is the field source: \"record\", "
        "what osbox spawn --nowait wrote down, also when the process is long gone; \"child\", "
        "waitpid(2), which works after \"command & exec osbox waitpid $!\"; \"proc\", field 52 of "
        "/proc/PID/stat, of a process that its own parent has not waited for yet, where osbox may "
        "read it; \"pidfd\", what the kernel keeps once its parent has (Linux 6.15). The kernel "
        "keeps it for those who were waiting already: what is neither a child nor a job of osbox "
        "spawn --nowait has to be waited for before it ends. Where there is none of that the "
        "answer is ENODATA and never a guess; a process that is not there, and of which nothing is "
        "known, is ESRCH.\n\n"
        "Of a PID alone there may be another process by now; PID:INODE, as osbox spawn --nowait "
        "prints it, means that one process and no other. To read a record takes it away, as to "
        "wait for a child does, but for --peek. What a process used is known of children and from "
        "records.\n\n"
        "With --timeout each PID that still runs when the time is over is a failure with "
        "ETIMEDOUT. With --nohang it is not, and the status alone tells. A thread is EINVAL, osbox "
        "itself EDEADLK.",
    .options = waitpid_options,
    .tables = tables,
    .aliases = waitpid_aliases,
    .examples = waitpid_examples,
    .statuses = statuses,
    .see_also = "osbox-wait(1), waitpid(2), wait4(2), pidfd_open(2)",
    .main = runs<run_waitpid>,
};

extern constexpr Applet wait = {
    .name = "wait",
    .group = Group::processes,
    .summary = "wait for the next process to end",
    .description =
        "Waits for the first to end: of the PIDs; without any, of the children of osbox, which it "
        "has where it took the place of a shell, as in \"exec osbox wait\"; and without those, of "
        "the jobs that the calling shell has started with osbox spawn --nowait. With --count it "
        "waits for that many, with --all for all of them. Where there is none, or not as many, the "
        "answer is ECHILD.\n\n"
        "The line, the fields and where they come from are those of osbox-waitpid(1). A process "
        "whose status is gone has ended too, and counts as one that did; the answer is ENODATA.",
    .call = "waitpid",
    .options = wait_options,
    .tables = tables,
    .aliases = wait_aliases,
    .examples = wait_examples,
    .statuses = statuses,
    .see_also = "osbox-waitpid(1), wait(2), wait3(2)",
    .main = runs<run_wait>,
};

}  // namespace applets
