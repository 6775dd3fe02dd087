#include <algorithm>
#include <charconv>
#include <csignal>
#include <set>

#include "core/cli/applet.hpp"
#include "core/sys/job.hpp"
#include "core/sys/kill.hpp"
#include "core/sys/pidfd.hpp"
#include "core/sys/process.hpp"
#include "core/sys/signal_name.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

/// Who gets the signal.
enum class Whom { processes, groups, own_group, everyone };

const char* call_of(Whom whom) { return whom == Whom::groups ? "killpg" : "kill"; }

/// A signal, and how long is waited then.
struct Step {
  int signal = SIGTERM;
  std::optional<core::Duration> wait = {};
};

struct Args {
  std::optional<int> signal;
  std::vector<Step> plan;
  std::optional<core::Duration> wait;
  Whom whom = Whom::processes;
  bool list = false;
  std::vector<std::string> words;
};

/// True for what looks like a signal and like no letters: options of this applet are in lower case,
/// and -L is procps's for a table of signals.
bool is_signal(std::string_view text) {
  if (text == "L") return false;
  const char first = text.front();
  return (first >= '0' && first <= '9') || (first >= 'A' && first <= 'Z') ||
         core::signal_number(text);
}

Stored take_signal(std::optional<int>& to, std::string_view text) {
  // A number might be meant for a group, as kill(2) has it.
  if (to) return std::unexpected("a second signal; groups are signalled with --group");
  to = core::signal_number(text);
  if (!to) return std::unexpected("no such signal");
  return {};
}

/// "TERM:5s,KILL:2s"
Stored take_plan(std::vector<Step>& to, std::string_view text) {
  to.clear();
  for (;;) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view step = text.substr(0, end);
    const std::size_t colon = std::min(step.find(':'), step.size());
    std::optional<int> signal;
    std::optional<core::Duration> wait;
    TRY(take_signal(signal, step.substr(0, colon)));
    if (colon < step.size()) TRY(cli::detail::take(wait, step.substr(colon + 1)));
    to.push_back({*signal, wait});
    if (end == text.size()) return {};
    text.remove_prefix(end + 1);
  }
}

constexpr Option options[] = {
    parsed<&Args::signal, take_signal>('s', "signal", "SIG",
                                       "Send this signal, a name or a number, instead of TERM; 0 "
                                       "asks whether one could be sent",
                                       Completes::signal),
    dashed<&Args::signal, is_signal, take_signal>("SIG", "The same: -KILL, -SIGKILL, -9, -RTMIN+1",
                                                  Completes::signal),
    value<&Args::wait>(0, "wait", "DUR",
                       "Wait until they have ended, no longer than DUR (ETIMEDOUT)"),
    parsed<&Args::plan, take_plan>(0, "plan", "PLAN",
                                   "Send several signals, each to those that are left, and wait "
                                   "after each: TERM:5s,KILL:2s",
                                   Completes::signal),
    sets<&Args::whom, Whom::groups>(0, "group", "Signal the process groups PID..."),
    sets<&Args::whom, Whom::own_group>(0, "own-group",
                                       "Signal the process group of the caller, as kill(2) with 0"),
    sets<&Args::whom, Whom::everyone>(0, "everyone",
                                      "Signal all that may be signalled, as kill(2) with -1"),
    flag<&Args::list>('l', "list",
                      "Signal nobody: PID... are signals, of which the name is told by number, and "
                      "the number by name; none: all of them"),
    operands<&Args::words>("PID",
                           "Id of a process, or with --group, as in killpg, of a process group; "
                           "PID:INODE is that process or nobody",
                           Least::none, Completes::pid),
};

/// What became of one process, or of one group.
struct Row {
  Whom whom = Whom::processes;
  std::optional<pid_t> pid = {};
  std::optional<std::uint64_t> inode = {};
  std::optional<int> sent = {};
  std::string_view outcome = "sent";
  std::optional<core::WaitStatus> status = {};

  std::string signal_text = !sent ? "" : *sent == 0 ? "0" : core::signal_name(*sent);

  std::optional<std::string_view> signal() const {
    if (!sent) return std::nullopt;
    return signal_text;
  }
  std::optional<int> status_word() const {
    if (!status) return std::nullopt;
    return status->word();
  }
};

constexpr Field fields[] = {
    integer<&Row::pid>("pid", "The process, or the process group; null with --everyone"),
    natural<&Row::inode>("inode",
                         "What tells it from all others that have had its number, or null"),
    text<&Row::signal>("signal", "The last signal sent: SIGTERM, or 0; null: none"),
    text<&Row::outcome>("outcome",
                        "sent, or with --wait and --plan ended, running, or gone: it had ended "
                        "before"),
    integer<&Row::status_word>(
        "status", "The word of wait(2) for how it ended, where that is to be had; else null"),
};

/// "sent SIGTERM to 17"
void print_row(const Row& row, Io& io) {
  std::string line;
  const std::string pid = row.pid ? std::to_string(*row.pid) : "";
  if (row.outcome == "sent") {
    const std::string whom = row.whom == Whom::processes   ? pid
                             : row.whom == Whom::groups    ? "group " + pid
                             : row.whom == Whom::own_group ? "own group " + pid
                                                           : "everyone";
    line = row.sent == 0 ? whom + " can be signalled" : "sent " + row.signal_text + " to " + whom;
  } else {
    line = pid + (row.outcome == "gone"      ? " had ended before"
                  : row.outcome == "running" ? " is still running"
                                             : " has ended");
    if (row.sent > 0) line += " after " + row.signal_text;
    if (row.status && row.status->signaled()) {
      line += ", killed by " + core::signal_name(row.status->signal());
    } else if (row.status) {
      line += ", exited with " + std::to_string(row.status->exit_code());
    }
  }
  io.print(line);
  io.end_record();
}

/// One signal that there is.
struct Signal {
  enum class Shown { all, name, number };

  int number;
  Shown shown = Shown::all;
  std::string name = core::signal_name(number);
  std::optional<std::string_view> message() const {
    const std::string_view message = core::signal_message(number);
    return message.empty() ? std::nullopt : std::optional(message);
  }
};

constexpr Field signal_fields[] = {
    integer<&Signal::number>("number", "The number on this system"),
    text<&Signal::name>("signal", "The symbol, SIGTERM"),
    text<&Signal::message>("message", "The C library's text; null where it has none"),
};

void print_signal(const Signal& signal, Io& io) {
  const std::string number = std::to_string(signal.number);
  const std::string_view name = std::string_view(signal.name).substr(3);
  switch (signal.shown) {
    case Signal::Shown::all:
      io.print(number.size() < 2 ? " " + number : number);
      io.print(" ");
      io.print(name);
      if (const auto message = signal.message()) {
        io.print(std::string(8 - std::min<std::size_t>(7, name.size()), ' '));
        io.print(*message);
      }
      break;
    case Signal::Shown::name:
      io.print(name);
      break;
    case Signal::Shown::number:
      io.print(number);
      break;
  }
  io.end_record();
}

constexpr Table tables[] = {
    {.fields = fields, .print = prints<print_row, Row>},
    {.fields = signal_fields, .print = prints<print_signal, Signal>, .when = "with --list"},
};

/// A signal's name; or its number, or that and 128, which is what shells make of it in $?.
std::optional<Signal> find_signal(std::string_view text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) {
    const auto named = core::signal_number(text);
    if (!named) return std::nullopt;
    return Signal{*named, Signal::Shown::number};
  }
  if (number > 128) number -= 128;
  if (core::signal_name(number).empty()) return std::nullopt;
  return Signal{number, Signal::Shown::name};
}

Outcome list(const Args& args, Io& io) {
  auto records = TRY(io.records<Signal>(tables[1], true));
  for (const std::string& word : args.words) {
    if (const auto signal = find_signal(word)) {
      records.put(*signal);
    } else {
      io.fail({.number = EINVAL, .call = "kill", .path = word, .note = "no such signal"});
    }
  }
  for (int number = 1; args.words.empty() && number <= SIGRTMAX; ++number) {
    if (!core::signal_name(number).empty()) records.put({number});
  }
  return 0;
}

/// An operand.
struct Target {
  std::string_view word;
  core::ProcessId id;
};

/// All operands; none where one of them is no id, which is told.
std::optional<std::vector<Target>> read_targets(const Args& args, Io& io) {
  std::vector<Target> targets;
  for (const std::string& word : args.words) {
    auto id = core::read_process_id(word, call_of(args.whom));
    if (id) {
      targets.push_back({word, *id});
      continue;
    }
    core::Error error = std::move(id).error();
    if (word == "0") {
      error.note = "the caller's group is signalled with --own-group";
    } else if (word == "-1") {
      error.note = "everyone is signalled with --everyone";
    } else if (core::signal_number(word)) {
      error.note = "a signal stands behind a dash: -" + word;
    } else if (word.starts_with('-')) {
      error.note = "groups are signalled with --group";
    }
    io.fail(error);
  }
  if (targets.size() < args.words.size()) return std::nullopt;
  return targets;
}

/// `error` as a failure on the operand `word`.
core::Error told(core::Error error, std::string_view word, const char* call) {
  if (error.path == "/proc") return error;
  error.path = word;
  // That a process is not there, or is none, is what kill(2) would have said.
  if (error.number == ESRCH || error.number == EINVAL) error.call = call;
  if (error.number == ENOSYS) error.note = "this kernel has no handles for processes";
  return error;
}

/// Signals sent once, and no wait.
class Signals {
 public:
  Signals(Records<Row> records, Whom whom, int signal)
      : records_(std::move(records)), whom_(whom), signal_(signal) {}

  core::Result<void> send(const core::ProcessId& id) {
    auto process = core::Process::open(id);
    if (!process) {
      TRY(send_by_number(id, std::move(process).error()));
      put(id.pid, id.inode);
      return {};
    }
    std::optional<std::uint64_t> inode;
    if (records_.wanted()) inode = process->id().inode;
    if (whom_ == Whom::processes) {
      auto sent = process->send(signal_);
      if (!sent && sent.error().number == ENOSYS) {
        sent = send_by_number(id, std::move(sent).error());
      }
      TRY(std::move(sent));
    } else {
      TRY(send_to_group(*process, id));
    }
    put(id.pid, inode);
    return {};
  }

  core::Result<void> send_to_many() {
    if (whom_ == Whom::everyone) {
      TRY(core::kill_everyone(signal_));
      put({}, {});
      return {};
    }
    // osbox is in it, and has something to say still.
    const core::Spared spared(signal_);
    TRY(core::kill_own_group(signal_));
    put(TRY(core::getpgid(0)), {});
    return {};
  }

 private:
  /// Where `without`, an error, keeps a descriptor from being had: with the number alone, that says
  /// no less at this moment than a descriptor opened at this moment.
  core::Result<void> send_by_number(const core::ProcessId& id, core::Error without) {
    const bool group = whom_ == Whom::groups;
    // A group may have lost the process that it has its number from.
    const bool possible = without.number == ENOSYS || (group && without.number == ESRCH);
    // What is sent to group 1 by its number goes to everyone.
    if (!possible || id.inode || (group && id.pid == 1)) return std::unexpected(std::move(without));
    if (!group) return core::kill(id.pid, signal_);
    const core::Spared spared(signal_);
    return core::killpg(id.pid, signal_);
  }

  core::Result<void> send_to_group(const core::Process& leader, const core::ProcessId& id) {
    const core::Spared spared(signal_);
    auto sent = leader.send_to_group(signal_);
    if (sent || sent.error().number != ENOSYS) return sent;
    return send_by_number(id, std::move(sent).error());
  }

  void put(std::optional<pid_t> pid, std::optional<std::uint64_t> inode) {
    records_.put({.whom = whom_, .pid = pid, .inode = inode, .sent = signal_});
  }

  Records<Row> records_;
  Whom whom_;
  int signal_;
};

/// Signals sent in turn to those that have not ended.
class Plan {
 public:
  Plan(Io& io, Records<Row> records) : io_(io), records_(std::move(records)) {}

  void add(const Target& target) {
    auto process = opener_.open(target.id);
    if (!process) {
      // A job that was written down has been there, and is gone as was wished.
      if (const auto end = end_of(target.id); end && process.error().number == ESRCH) {
        records_.put({.pid = target.id.pid,
                      .inode = target.id.inode,
                      .outcome = "gone",
                      .status = end->status});
        return;
      }
      return io_.fail(told(std::move(process).error(), target.word, "kill"));
    }
    const core::ProcessId id = process->id();
    // One that is named twice is signalled once.
    if (!known_.insert({id.pid, id.inode.value_or(0)}).second) return;
    left_.push_back({target.word, *std::move(process), id, {}});
  }

  core::Result<void> run(std::span<const Step> steps) {
    TRY(wait(core::Duration::zero()));
    for (const Step& step : steps) {
      for (auto held = left_.begin(); held != left_.end();) {
        held = send(*held, step.signal) ? held + 1 : left_.erase(held);
      }
      if (step.wait) TRY(wait(*step.wait));
    }
    const bool waited = steps.back().wait.has_value();
    for (const Held& held : left_) {
      tell(held, waited ? "running" : "sent");
      if (!waited) continue;
      io_.fail({.number = ETIMEDOUT,
                .call = "kill",
                .path = std::string(held.word),
                .note = "still running"});
    }
    return {};
  }

 private:
  struct Held {
    std::string_view word;
    core::Process process;
    core::ProcessId id;
    std::optional<int> sent;
  };

  /// How the job `id` ended, as `spawn --nowait` wrote it down.
  static std::optional<core::JobEnd> end_of(const core::ProcessId& id) {
    const auto directories = core::JobDirectory::all();
    if (!id.inode || !directories) return std::nullopt;
    for (const core::JobDirectory& directory : *directories) {
      const auto job = directory.find(id);
      if (job && *job && (*job)->end) return (*job)->end;
    }
    return std::nullopt;
  }

  /// False where it is through with `held`.
  bool send(Held& held, int signal) {
    const auto sent = held.process.send(signal);
    if (sent) {
      held.sent = signal;
      return true;
    }
    if (sent.error().number == ESRCH) {
      tell_ended(held);
    } else {
      io_.fail(told(sent.error(), held.word, "kill"));
    }
    return false;
  }

  /// Waits until all have ended, no longer than `span`.
  core::Result<void> wait(core::Duration span) {
    const core::Deadline deadline = core::Deadline::in(span);
    while (!left_.empty()) {
      io_.flush();
      std::vector<core::FdRef> polled;
      for (const Held& held : left_) polled.push_back(held.process.descriptor());
      const auto ended = TRY(core::poll_ended(polled, deadline));
      if (ended.empty()) break;
      for (const std::size_t index : ended) tell_ended(left_[index]);
      std::size_t index = 0;
      std::erase_if(left_, [&](const Held&) { return std::ranges::binary_search(ended, index++); });
    }
    return {};
  }

  void tell_ended(const Held& held) {
    if (!records_.wanted()) return;
    tell(held, held.sent ? "ended" : "gone", held.process.exit_status());
  }

  void tell(const Held& held, std::string_view outcome,
            std::optional<core::WaitStatus> status = {}) {
    records_.put({.pid = held.id.pid,
                  .inode = held.id.inode,
                  .sent = held.sent,
                  .outcome = outcome,
                  .status = status});
  }

  Io& io_;
  Records<Row> records_;
  core::ProcessOpener opener_;
  std::vector<Held> left_;
  std::set<std::pair<pid_t, std::uint64_t>> known_;
};

Outcome run(Args& args, Io& io) {
  const bool plans = args.wait || !args.plan.empty();
  if (args.list) {
    if (args.signal || plans) return misuse("--list signals nobody");
    return list(args, io);
  }
  if (!args.plan.empty() && args.signal) return misuse("--plan says which signals are sent");
  if (!args.plan.empty() && args.wait) return misuse("--plan says how long to wait");
  if (plans && args.whom != Whom::processes) return misuse("only processes can be waited for");
  const bool many = args.whom == Whom::own_group || args.whom == Whom::everyone;
  if (many && !args.words.empty()) {
    return misuse("--own-group and --everyone go without a PID");
  }
  if (!many && args.words.empty()) {
    // "kill --wait PID"
    return misuse(std::string("missing operand PID") +
                  (args.wait ? " (--wait takes a DUR of its own, as --wait 5s PID)" : ""));
  }

  auto records = TRY(io.records<Row>(tables[0]));
  const int signal = args.signal.value_or(SIGTERM);
  if (many) {
    TRY(Signals(std::move(records), args.whom, signal).send_to_many());
    return 0;
  }
  const auto targets = read_targets(args, io);
  if (!targets) return 1;
  if (plans) {
    Plan plan(io, std::move(records));
    for (const Target& target : *targets) plan.add(target);
    if (args.plan.empty()) args.plan = {{signal, args.wait}};
    TRY(plan.run(args.plan));
    return 0;
  }
  Signals signals(std::move(records), args.whom, signal);
  for (const auto& [word, id] : *targets) {
    auto sent = signals.send(id);
    if (sent) continue;
    io.fail(told(std::move(sent).error(), word, call_of(args.whom)));
  }
  return 0;
}

constexpr Status statuses[] = {
    {"0", "all was done; with --wait and --plan all have ended"},
    {"1",
     "something failed, and standard error says what; the rest was done, but nothing at all "
     "where an operand was no PID"},
    {"2", "wrong usage; nothing was done"},
};

constexpr Alias aliases[] = {{"killpg", "--group", "send signals to process groups"}};

constexpr Example examples[] = {
    {"kill -HUP 4711", "One signal to one process"},
    {"kill -0 $$", "Is it there, and may it be signalled?"},
    {"kill 4711:7102", "That very process, or ESRCH where its number is another's now"},
    {"kill -v --plan TERM:5s,KILL:2s 4711 4712", "5 s to end in order; then, with force, 2 s more"},
    {"kill -INT --wait 1m 4711", "Ask it to end, and wait until it has"},
    {"killpg -USR1 4711", "Everyone in the process group"},
    {"kill -l 137", "Which signal an exit status of a shell tells of: KILL"},
};

}  // namespace

extern constexpr Applet kill = {
    .name = "kill",
    .group = Group::processes,
    .summary = "send signals to processes, wait for their end",
    .description =
        "Sends a signal, TERM unless another one is named, to every PID. Each process is held by a "
        "descriptor before it is signalled, so that a number which passes to another process in "
        "between never brings the signal there. Who has the INODE of a process, from an earlier "
        "record, gives PID:INODE: where that number is another process's by now, the failure is "
        "ESRCH and nobody is signalled.\n\n"
        "A PID is a number above 0. Where one of the operands is anything else, as '', abc, 0 or "
        "-5, that is a failure with EINVAL, and none of the others is signalled either. A process "
        "that is not there (ESRCH) or is somebody else's (EPERM) is a failure too, after which the "
        "others are done. The id of a thread is EINVAL, where kill(2) would signal the process "
        "that the thread belongs to.\n\n"
        "-SIG stands where options may stand; one signal is all there can be. So neither kill -1, "
        "nor kill -9 -1, nor a mistake in a script ever signals everyone: -1 is the signal HUP, "
        "and what can be understood in no way is wrong usage. -0 is signal 0, which is never "
        "delivered: what it tells is whether it could be. Records that end in NUL are --null alone "
        "here.\n\n"
        "With --wait or --plan the end of each process is waited for, whoever's child it is, and "
        "-v or the records tell of it as it comes. A zombie has ended. A PLAN is SIG:DUR,..., and "
        "without DUR there is no wait before the next signal. One that has ended gets none of the "
        "signals that are left. One that is still running after the last wait is a failure with "
        "ETIMEDOUT. A process that is named twice counts once. DUR is a number and ns, us, ms, s, "
        "m, h or d; seconds without one.\n\n"
        "No signal is sent that was not asked for. A process that is stopped sees TERM no earlier "
        "than it is continued; --plan TERM,CONT:5s,KILL:2s has both.\n\n"
        "With --group each PID is the number of a process group: that of its leader, which may be "
        "gone. PID:INODE is the leader, which has to be there. Where osbox itself is in a group "
        "that is signalled, it ignores the signal, unless that is KILL or STOP. The group of the "
        "caller is a script's own; but a shell with job control gives each command a group. "
        "--everyone means "
        "all processes but osbox and the first one of the pid namespace, and fails only where "
        "there is no other.\n\n"
        "Before Linux 5.3, or where a seccomp profile forbids pidfd_open(2), a mere PID is "
        "signalled by its number, as kill(2) does it; PID:INODE, --wait and --plan are ENOSYS. "
        "Before Linux 6.9 so is PID:INODE with --group, and process group 1, for whose number "
        "kill(2) has another meaning. The inode of a process is that of its descriptor, and before "
        "Linux 6.9 the time of its start in clock ticks since boot.",
    .options = options,
    .tables = tables,
    .changes = true,
    .aliases = aliases,
    .examples = examples,
    .statuses = statuses,
    .see_also =
        "osbox-waitpid(1), kill(1), timeout(1), kill(2), pidfd_open(2), "
        "pidfd_send_signal(2), signal(7)",
    .main = runs<run>,
};

}  // namespace applets
