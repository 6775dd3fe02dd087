// sched_getaffinity and sched_setaffinity: the CPUs that a process may run on.
#include "core/cli/applet.hpp"
#include "core/cli/command.hpp"
#include "core/cli/process_value.hpp"
#include "core/sys/affinity.hpp"
#include "core/sys/process.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;
using core::CpuSet;

/// A set in the forms that records have it in.
struct Cpus {
  std::vector<std::int64_t> numbers;
  std::string list;
  explicit Cpus(const CpuSet& set) : numbers(set.cpus()), list(set.list()) {}
};

// -- sched_getaffinity

struct GetArgs {
  std::vector<std::string> pids;
};

constexpr Option get_options[] = {
    operands<&GetArgs::pids>("PID", "Id of a process; none: osbox itself, and so whoever runs it",
                             Least::none, Completes::pid),
};

struct Row {
  std::optional<pid_t> pid;
  Cpus cpus;
  std::span<const std::int64_t> numbers() const { return cpus.numbers; }
  std::string_view list() const { return cpus.list; }
};

constexpr Field get_fields[] = {
    integer<&Row::pid>("pid", "The process asked about; null for osbox itself"),
    integers<&Row::numbers>("cpus", "The CPUs that it may run on"),
    text<&Row::list>("list", "The same as a list, 0-3,8"),
};

constexpr Table get_tables[] = {{.fields = get_fields, .line = "{list}"}};

Outcome run_get(GetArgs& args, Io& io) {
  auto records = TRY(io.records<Row>(get_tables[0]));
  if (args.pids.empty()) records.put({{}, Cpus(TRY(core::sched_getaffinity()))});
  const auto put = [&](const std::string& word) -> core::Result<void> {
    const pid_t pid = TRY(pid_or_none(word, "sched_getaffinity"));
    records.put({pid, Cpus(TRY(core::sched_getaffinity(pid)))});
    return {};
  };
  return io.each(args.pids, put);
}

constexpr Example get_examples[] = {
    {"sched_getaffinity", "The CPUs of this shell and what it runs"},
    {"sched_getaffinity --format '{pid}: {list}' $$ 1", "Those of two processes"},
    {"sched_getaffinity --json", "Each by its number, for a program"},
};

// -- sched_setaffinity

struct SetArgs {
  std::vector<pid_t> pids;
  CpuSet cpus;
  std::vector<std::string> command;
};

Stored take_cpus(CpuSet& cpus, std::string_view text) {
  cpus = TRY(CpuSet::parse(text));
  return {};
}

constexpr Option set_options[] = {
    pid_to_change<SetArgs>,
    parsed_operand<&SetArgs::cpus, take_cpus>("CPUS", "List of CPUs, as 0-3,8"),
    unless("pid", command<&SetArgs::command>(becomes_then)),
};

struct Change {
  pid_t pid;
  Cpus old;
  Cpus now;
  std::span<const std::int64_t> old_numbers() const { return old.numbers; }
  std::string_view old_list() const { return old.list; }
  std::span<const std::int64_t> numbers() const { return now.numbers; }
  std::string_view list() const { return now.list; }
};

constexpr Field set_fields[] = {
    integer<&Change::pid>("pid", "The process that was changed"),
    integers<&Change::old_numbers>("old_cpus", "The CPUs that it could run on"),
    text<&Change::old_list>("old_list", "The same as a list, 0-3,8"),
    integers<&Change::numbers>("cpus", "Those that it may run on now"),
    text<&Change::list>("list", "The same as a list"),
};

constexpr Table set_tables[] = {
    {.fields = set_fields, .line = "CPUs of {pid}: {old_list} -> {list}", .when = "with --pid"}};

/// Of one more CPU, which is taken for the command.
const char* missing_comma(const std::string& name) {
  return CpuSet::parse(name) ? "CPUS have commas between them" : "";
}

Outcome run_set(SetArgs& args, Io& io) {
  auto records = TRY(io.records<Change>(set_tables[0]));
  if (args.pids.empty()) {
    if (io.style().needs_records()) return misuse(no_records);
    return become(std::move(args.command), {.affinity = std::move(args.cpus)}, io, missing_comma);
  }
  io.set_failure(1);
  const auto set = [&](pid_t pid) -> core::Result<void> {
    const std::string word = std::to_string(pid);
    std::optional<Cpus> old;
    if (records.wanted()) {
      old.emplace(TRY(core::told_as("sched_setaffinity", word, core::sched_getaffinity(pid))));
    }
    if (const int error = core::sched_setaffinity(args.cpus, pid)) {
      return core::failure(error, "sched_setaffinity", word);
    }
    if (!old) return {};
    // The kernel leaves out CPUs that it does not have.
    auto now =
        core::told_as("sched_getaffinity", word, core::sched_getaffinity(pid), "the CPUs are set");
    records.put({pid, *std::move(old), Cpus(TRY(std::move(now)))});
    return {};
  };
  return io.each(args.pids, set);
}

constexpr Example set_examples[] = {
    {"sched_setaffinity 0 osbox sched_getaffinity", "A command on the first CPU alone"},
    {"sched_setaffinity -v 0-3,8 --pid $$", "This shell, and what it runs from now on"},
};

}  // namespace

extern constexpr Applet sched_getaffinity = {
    .name = "sched_getaffinity",
    .group = Group::processes,
    .summary = "print the CPUs that a process may run on",
    .description =
        "Prints the CPUs that every PID may run on, as a list such as 0-3,8, however many CPUs "
        "there are. Without PID it is that of osbox, which is that of the process that runs it.\n\n"
        "An unknown PID is a failure with ESRCH, and what is no number above 0 one with EINVAL. On "
        "Linux every thread has CPUs of its own. Those of a process are its first thread's, and "
        "the id of another thread may be given too.",
    .options = get_options,
    .tables = get_tables,
    .examples = get_examples,
    .see_also = "osbox-sched_setaffinity(1), sched_getaffinity(2), taskset(1)",
    .main = runs<run_get>,
};

extern constexpr Applet sched_setaffinity = {
    .name = "sched_setaffinity",
    .group = Group::processes,
    .summary = "set the CPUs that a command or process runs on",
    .description =
        "Lets the process run on CPUS and no others, and becomes COMMAND; or, with --pid, does so "
        "for a process that runs already. CPUS is a list of numbers and ranges with commas between "
        "them, as sched_getaffinity prints it. What is nothing of the kind is wrong usage.\n\n"
        "The kernel leaves out CPUs that it does not have or that the process's cpuset does not "
        "allow, without a word; a record tells what was left. Where nothing is left it is EINVAL. "
        "Somebody else's process is EPERM, and one that is not there is ESRCH.\n\n"
        "On Linux every thread has CPUs of its own: with --pid it is the first thread of the "
        "process that is moved, or the one whose id is given.",
    .options = set_options,
    .tables = set_tables,
    .changes = true,
    .examples = set_examples,
    .statuses = chain_or_pid_statuses,
    .see_also = "osbox-sched_getaffinity(1), sched_setaffinity(2), taskset(1), cpuset(7)",
    .failure = 125,
    .main = runs<run_set>,
};

}  // namespace applets
