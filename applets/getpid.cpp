// getpid, getppid, getpgid, getsid, and pids, which is all of them.
#include "core/cli/applet.hpp"
#include "core/cli/process_value.hpp"
#include "core/sys/process.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  std::vector<std::string> pids;
};

constexpr Option options[] = {
    operands<&Args::pids>("PID", "Id of a process; none: the process that runs osbox", Least::none,
                          Completes::pid),
};

/// What was asked about `pid`; each applet fills in what it prints.
struct Row {
  pid_t pid = 0;
  pid_t ppid = 0;
  pid_t pgid = 0;
  pid_t sid = 0;
  std::optional<pid_t> parent_pgid = {};
};

constexpr Field pid_field = integer<&Row::pid>("pid", "The process asked about");
constexpr Field ppid_field =
    integer<&Row::ppid>("ppid", "Its parent; 0: none, or one outside this pid namespace");
constexpr Field pgid_field = integer<&Row::pgid>("pgid", "Its process group");
constexpr Field parent_pgid_field = integer<&Row::parent_pgid>(
    "parent_pgid", "The process group of its parent; null where that is not to be had");
constexpr Field sid_field = integer<&Row::sid>("sid", "Its session");

constexpr Field getpid_fields[] = {pid_field};
constexpr Field getppid_fields[] = {pid_field, ppid_field};
constexpr Field getpgid_fields[] = {pid_field, pgid_field};
constexpr Field getsid_fields[] = {pid_field, sid_field};
constexpr Field pids_fields[] = {pid_field, ppid_field, pgid_field, parent_pgid_field, sid_field};

constexpr Table getpid_tables[] = {{.fields = getpid_fields, .line = "{pid}"}};
constexpr Table getppid_tables[] = {{.fields = getppid_fields, .line = "{ppid}"}};
constexpr Table getpgid_tables[] = {{.fields = getpgid_fields, .line = "{pgid}"}};
constexpr Table getsid_tables[] = {{.fields = getsid_fields, .line = "{sid}"}};
constexpr Table pids_tables[] = {{.fields = pids_fields,
                                  .line = "This process id: {pid}\n"
                                          "Parent process : {ppid}\n"
                                          "Process group  : {pgid}\n"
                                          "Parent group   : {parent_pgid}\n"
                                          "Session id     : {sid}"}};

/// What one applet of the family asks about a process.
struct Question {
  std::span<const Table> tables;
  const char* call;
  core::Result<void> (*ask)(Row& row);
};

constexpr Question parent = {getppid_tables, "getppid", [](Row& row) -> core::Result<void> {
                               row.ppid = TRY(core::kin(row.pid)).ppid;
                               return {};
                             }};

constexpr Question group = {getpgid_tables, "getpgid", [](Row& row) -> core::Result<void> {
                              row.pgid = TRY(core::getpgid(row.pid));
                              return {};
                            }};

// Any call would do: all that counts is whether there is such a process.
constexpr Question self = {getpid_tables, "getpgid", group.ask};

constexpr Question session = {getsid_tables, "getsid", [](Row& row) -> core::Result<void> {
                                row.sid = TRY(core::getsid(row.pid));
                                return {};
                              }};

/// True for what stands in the way of knowing of another process: it has ended, or a security
/// module does not let everybody see it.
bool is_unseen(const core::Error& error) {
  return error.number == ESRCH || error.number == EPERM || error.number == EACCES;
}

constexpr Question all = {pids_tables, "getppid", [](Row& row) -> core::Result<void> {
                            const core::Kin kin = TRY(core::kin(row.pid));
                            row.ppid = kin.ppid;
                            row.pgid = kin.pgid;
                            row.sid = kin.sid;
                            if (kin.ppid == 0) return {};
                            const auto pgid = core::getpgid(kin.ppid);
                            if (pgid) row.parent_pgid = *pgid;
                            if (pgid || is_unseen(pgid.error())) return {};
                            return std::unexpected(pgid.error());
                          }};

template <const Question& question>
Outcome run(Args& args, Io& io) {
  auto records = TRY(io.records<Row>(question.tables[0]));
  const auto put = [&](core::Result<pid_t> pid) -> core::Result<void> {
    Row row{.pid = TRY(std::move(pid))};
    TRY(question.ask(row));
    records.put(row);
    return {};
  };
  if (args.pids.empty()) TRY(put(core::caller()));
  return io.each(args.pids,
                 [&](const std::string& word) { return put(pid_or_none(word, question.call)); });
}

constexpr Example getpid_examples[] = {
    {"getpid", "The number that the shell calls $$"},
    {"getpid $$ 1", "The same numbers again, if there are such processes"},
};

constexpr Example getppid_examples[] = {
    {"getppid", "Who started this shell"},
    {"getppid $$", "The same, by its number"},
};

constexpr Example getpgid_examples[] = {
    {"getpgid", "The process group of this shell"},
    {"getpgid --format '{pid} is in {pgid}' $$ 1", "The groups of two processes"},
};

constexpr Example getsid_examples[] = {
    {"getsid", "The session of this shell"},
    {"getsid $$ 1", "The sessions of two processes"},
};

constexpr Example pids_examples[] = {
    {"pids", "All about this shell"},
    {"pids --json $$ 1", "All about two processes, for a program"},
};

}  // namespace

extern constexpr Applet getpid = {
    .name = "getpid",
    .group = Group::processes,
    .summary = "print the id of the process that runs osbox",
    .description =
        "Prints the id of the process that runs osbox: of the shell, in a script. osbox itself is "
        "gone as soon as it has answered, so that its own id would be of no use. With PIDs it "
        "prints each that is the id of a process, or of a thread, zombies included, and fails "
        "with ESRCH for the others. What is no number above 0 is a failure with EINVAL.\n\n"
        "A shell has a child run osbox, and that child's parent is what is asked about. In $(...), "
        "in a pipe and in (...) most shells let the forked child become osbox where it has nothing "
        "else to do; the answer is then the same as outside. Where it has more to do, as in "
        "$(osbox getpid; date), it forks once more, and the answer is the id of that child: "
        "$BASHPID of bash, and not $$. And where osbox is the last command of sh -c the shell may "
        "become osbox itself; the answer is then the id of what started that shell.\n\n"
        "Where the caller is outside this pid namespace, as for the first process of a container, "
        "it has no id here, and the answer is ESRCH.",
    .call = "getpgid",
    .options = options,
    .tables = getpid_tables,
    .examples = getpid_examples,
    .see_also = "osbox-pids(1), getpid(2)",
    .main = runs<run<self>>,
};

extern constexpr Applet getppid = {
    .name = "getppid",
    .group = Group::processes,
    .summary = "print the id of a process's parent",
    .description =
        "Prints the id of the parent of every PID, or of the process that runs osbox, which "
        "osbox-getpid(1) says more about. It is 0 where there is no parent, or one outside this "
        "pid namespace. A zombie has a parent still. An unknown PID is a failure with ESRCH, and "
        "what is no number above 0 one with EINVAL.\n\n"
        "The answer is read in /proc, since no system call gives it. Where /proc is not mounted, "
        "or is that of another pid namespace, getppid fails and names /proc.",
    .options = options,
    .tables = getppid_tables,
    .examples = getppid_examples,
    .see_also = "osbox-getpid(1), osbox-pids(1), getppid(2), proc(5)",
    .main = runs<run<parent>>,
};

extern constexpr Applet getpgid = {
    .name = "getpgid",
    .group = Group::processes,
    .summary = "print the process group of a process",
    .description =
        "Prints the id of the process group of every PID, or of the process that runs osbox, which "
        "osbox-getpid(1) says more about. It is 0 where the group comes from outside this pid "
        "namespace. An unknown PID is a failure with ESRCH, and what is no number above 0 one with "
        "EINVAL.",
    .options = options,
    .tables = getpgid_tables,
    .examples = getpgid_examples,
    .see_also = "osbox-getpid(1), osbox-pids(1), getpgid(2)",
    .main = runs<run<group>>,
};

extern constexpr Applet getsid = {
    .name = "getsid",
    .group = Group::processes,
    .summary = "print the session of a process",
    .description =
        "Prints the id of the session of every PID, or of the process that runs osbox, which "
        "osbox-getpid(1) says more about. It is 0 where the session comes from outside this pid "
        "namespace. An unknown PID is a failure with ESRCH, and what is no number above 0 one with "
        "EINVAL.",
    .options = options,
    .tables = getsid_tables,
    .examples = getsid_examples,
    .see_also = "osbox-getpid(1), osbox-pids(1), getsid(2)",
    .main = runs<run<session>>,
};

extern constexpr Applet pids = {
    .name = "pids",
    .group = Group::processes,
    .summary = "print all ids of a process: its own, parent, group and session",
    .description =
        "Prints what osbox getpid, getppid, getpgid and getsid print, and the process group of the "
        "parent, of every PID or of the process that runs osbox, which osbox-getpid(1) says more "
        "about. All but the last are of one moment. An unknown PID is a failure with ESRCH, and "
        "what is no number above 0 one with EINVAL.\n\n"
        "The answers are read in /proc, and without it pids fails as getppid does.",
    .call = "getppid",
    .options = options,
    .tables = pids_tables,
    .examples = pids_examples,
    .see_also = "osbox-getpid(1), osbox-getppid(1), osbox-getpgid(1), osbox-getsid(1), proc(5)",
    .main = runs<run<all>>,
};

}  // namespace applets
