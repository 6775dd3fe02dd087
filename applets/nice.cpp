// nice, getpriority and setpriority: the nice values that the scheduler goes by.
#include "core/cli/account_option.hpp"
#include "core/cli/applet.hpp"
#include "core/cli/command.hpp"
#include "core/sys/priority.hpp"
#include "core/sys/process.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;
using core::Whose;

// -- nice

struct NiceArgs {
  std::optional<int> increment;
  std::vector<std::string> command;
};

constexpr Option nice_options[] = {
    operand<&NiceArgs::increment>("INCREMENT", "Added to the nice value; -5 takes away from it"),
    command<&NiceArgs::command>(becomes_then, Least::none),
};

struct Own {
  int value;
};

constexpr Field nice_fields[] = {integer<&Own::value>("nice", "The nice value, -20 to 19")};
constexpr Table nice_tables[] = {{.fields = nice_fields, .line = "{nice}"}};

Outcome run_nice(NiceArgs& args, Io& io) {
  if (!args.increment) {
    io.set_failure(1);
    auto records = TRY(io.records<Own>(nice_tables[0]));
    records.put({TRY(core::getpriority(Whose::process, 0))});
    return 0;
  }
  if (args.command.empty()) return misuse(missing_command);
  if (io.style().needs_records()) return misuse(no_records);
  return become(std::move(args.command), {.nice = args.increment}, io);
}

constexpr Example nice_examples[] = {
    {"nice", "The nice value of this shell and what it runs"},
    {"nice 10 osbox nice", "A command that is nicer by ten"},
};

constexpr Status nice_statuses[] = {
    {"0", "without INCREMENT: the nice value was printed"},
    {"1", "without INCREMENT: it could not be printed"},
    chain_statuses[0],
    chain_statuses[1],
    chain_statuses[2],
    chain_statuses[3],
    chain_statuses[4],
};

// -- getpriority and setpriority

std::string_view word_of(Whose whose) {
  switch (whose) {
    case Whose::process:
      return "process";
    case Whose::group:
      return "group";
    case Whose::user:
      break;
  }
  return "user";
}

std::unexpected<core::Error> invalid(const char* call, const std::string& word, const char* note) {
  return std::unexpected(core::Error{.number = EINVAL, .call = call, .path = word, .note = note});
}

/// The user called `word`, or of that number.
core::Result<id_t> read_user(const std::string& word, const char* call) {
  const auto id = TRY(core::told_as(call, word, find_user(word)));
  if (!id) return invalid(call, word, "no such user");
  // Of root nobody else can ask: the kernel takes a 0 for the real user of who asks.
  if (*id == 0 && TRY(core::credentials()).uid != 0) {
    return invalid(call, word, "to the kernel user 0 is who asks");
  }
  return *id;
}

/// `word` as what `whose` counts; `instead_of_zero` is what stands for the caller.
core::Result<id_t> read_id(Whose whose, const std::string& word, const char* call,
                           const char* instead_of_zero) {
  if (whose == Whose::user) return read_user(word, call);
  auto id = core::read_pid(word, call);
  if (id) return static_cast<id_t>(*id);
  if (whose == Whose::group) id.error().note = "not a process group id";
  if (word == "0") id.error().note = core::joined_notes(id.error().note, instead_of_zero);
  return std::unexpected(std::move(id).error());
}

/// Reports as a failure of the word that was given, which may be a name.
template <class T>
core::Result<T> of_word(const std::string& word, core::Result<T> result) {
  if (!result) result.error().path = word;
  return result;
}

template <class Args>
constexpr std::array whose_options = {
    sets<&Args::whose, Whose::group, Args>('g', "group", "IDs are of process groups"),
    sets<&Args::whose, Whose::user, Args>('u', "user", "IDs are users, by name or number"),
};

struct GetArgs {
  Whose whose = Whose::process;
  std::vector<std::string> ids;
};

constexpr auto get_options =
    rows(whose_options<GetArgs>,
         std::array{operands<&GetArgs::ids>(
             "ID", "Process, or as the options say; none: osbox itself, and so whoever runs it",
             Least::none, Completes::pid)});

struct Row {
  Whose whose;
  std::optional<id_t> id;
  int priority;
  std::string_view which() const { return word_of(whose); }
};

constexpr Field get_fields[] = {
    text<&Row::which>("which", "process, group or user"),
    natural<&Row::id>("id", "Its number; null for osbox's own"),
    integer<&Row::priority>("priority", "Its nice value, -20 to 19; the lowest of several"),
};

constexpr Table get_tables[] = {{.fields = get_fields, .line = "{priority}"}};

Outcome run_get(GetArgs& args, Io& io) {
  auto records = TRY(io.records<Row>(get_tables[0]));
  if (args.ids.empty()) records.put({args.whose, {}, TRY(core::getpriority(args.whose, 0))});
  const auto put = [&](const std::string& word) -> core::Result<void> {
    const id_t id = TRY(read_id(args.whose, word, "getpriority", none_is_the_caller));
    records.put({args.whose, id, TRY(of_word(word, core::getpriority(args.whose, id)))});
    return {};
  };
  return io.each(args.ids, put);
}

constexpr Example get_examples[] = {
    {"getpriority $$ 1", "The nice values of two processes"},
    {"getpriority --group", "The lowest one in this process group"},
    {"getpriority --json --user \"$(osbox getuid)\"", "And of one's own processes"},
};

struct SetArgs {
  Whose whose = Whose::process;
  int priority = 0;
  std::vector<std::string> ids;
};

/// The kernel takes what is out of range for the nearest value in it. Here that is an ID more
/// often, which stands where PRIORITY should, as in os.setpriority.
Stored take_priority(int& to, std::string_view text) {
  TRY(cli::detail::take(to, text));
  if (to < -20 || to > 19) return std::unexpected("no nice value, -20 to 19, which comes first");
  return {};
}

constexpr auto set_options =
    rows(whose_options<SetArgs>,
         std::array{
             parsed_operand<&SetArgs::priority, take_priority>("PRIORITY", "Nice value, -20 to 19"),
             operands<&SetArgs::ids>("ID", "Process, or as the options say", Least::one,
                                     Completes::pid)});

struct Change {
  Whose whose;
  id_t id;
  int old;
  int now;
  std::string_view which() const { return word_of(whose); }
};

constexpr Field set_fields[] = {
    text<&Change::which>("which", "process, group or user"),
    natural<&Change::id>("id", "Its number"),
    integer<&Change::old>("old_priority", "The nice value there was; the lowest of several"),
    integer<&Change::now>("priority", "The nice value there is"),
};

constexpr Table set_tables[] = {
    {.fields = set_fields, .line = "priority of {which} {id}: {old_priority} -> {priority}"}};

/// An operand, and the number that it stands for.
struct Target {
  const std::string& word;
  id_t id;
};

/// All operands; none where one of them is no id, which is told.
std::optional<std::vector<Target>> read_targets(const SetArgs& args, Io& io) {
  const char* const own =
      args.whose == Whose::group ? "that of the shell is $(osbox getpgid)" : the_shell_is;
  std::vector<Target> targets;
  for (const std::string& word : args.ids) {
    auto id = read_id(args.whose, word, "setpriority", own);
    if (id) {
      targets.push_back({word, *id});
      continue;
    }
    // "nice -n 5 sleep 1"
    if (args.whose == Whose::process && word.find_first_not_of("-0123456789") != word.npos) {
      id.error().note =
          core::joined_notes(id.error().note, "a command is run by 'nice " +
                                                  std::to_string(args.priority) + " COMMAND'");
    }
    io.fail(std::move(id).error());
  }
  if (targets.size() < args.ids.size()) return std::nullopt;
  return targets;
}

Outcome run_set(SetArgs& args, Io& io) {
  auto records = TRY(io.records<Change>(set_tables[0]));
  const auto set = [&](const Target& target) -> core::Result<void> {
    const auto& [word, id] = target;
    if (!records.wanted()) {
      return of_word(word, core::setpriority(args.whose, id, args.priority));
    }
    const int old = TRY(core::told_as("setpriority", word, core::getpriority(args.whose, id)));
    TRY(of_word(word, core::setpriority(args.whose, id, args.priority)));
    const int now = TRY(core::told_as("getpriority", word, core::getpriority(args.whose, id),
                                      "the priority is set"));
    records.put({args.whose, id, old, now});
    return {};
  };
  const auto targets = read_targets(args, io);
  if (!targets) return 1;
  return io.each(*targets, set);
}

constexpr Example set_examples[] = {
    {"setpriority -v 5 $$", "This shell, and what it runs from now on"},
    {"setpriority -v -5 $$", "The same for the haste of root"},
    {"setpriority --user 19 nobody", "All processes of a user"},
};

}  // namespace

extern constexpr Applet nice = {
    .name = "nice",
    .group = Group::processes,
    .summary = "print the nice value, or run a command with another one",
    .description =
        "Without operands, prints the nice value of osbox, which is that of the process that runs "
        "it. With INCREMENT it adds that, as os.nice does, and becomes COMMAND. There is no "
        "default INCREMENT.\n\n"
        "A nice value goes from -20, which is served first, to 19; what would be beyond becomes "
        "the nearest of these. To lower it without CAP_SYS_NICE and a limit 'nice' that allows it "
        "is EPERM, and COMMAND does not run.",
    .options = nice_options,
    .tables = nice_tables,
    .examples = nice_examples,
    .statuses = nice_statuses,
    .see_also = "osbox-getpriority(1), osbox-setpriority(1), nice(2), nice(1), sched(7)",
    .failure = 125,
    .main = runs<run_nice>,
};

extern constexpr Applet getpriority = {
    .name = "getpriority",
    .group = Group::processes,
    .summary = "print nice values of processes, groups or users",
    .description =
        "Prints the nice value of every ID, a process; with --group, a process group, or with "
        "--user a user, whose lowest nice value it is. Without ID it is that of osbox, of its "
        "process group or of its real user, which are those of whoever runs it.\n\n"
        "An ID without a process is a failure with ESRCH. What is no number above 0, nor with "
        "--user the name or number of a user, is one with EINVAL; so is user 0 for who is not "
        "root, since the kernel takes 0 for the one who asks.\n\n"
        "On Linux every thread has a nice value of its own. That of a process is its first "
        "thread's, and the id of another thread may be given too.",
    .options = get_options,
    .tables = get_tables,
    .examples = get_examples,
    .see_also = "osbox-nice(1), osbox-setpriority(1), getpriority(2), sched(7)",
    .main = runs<run_get>,
};

extern constexpr Applet setpriority = {
    .name = "setpriority",
    .group = Group::processes,
    .summary = "set nice values of processes, groups or users",
    .description =
        "Sets the nice value of every ID to PRIORITY: of a process; with --group, of all processes "
        "of a group, or with --user of all of a user.\n\n"
        "Where one of the operands is no ID, as osbox-getpriority(1) says, that is EINVAL, and "
        "none of the others is changed either. A command is run by osbox-nice(1).\n\n"
        "To lower the nice value without CAP_SYS_NICE and a limit 'nice' that allows it is EACCES, "
        "somebody else's process is EPERM, and an ID without a process ESRCH. Where that is one of "
        "several the others are changed all the same.\n\n"
        "On Linux every thread has a nice value of its own. That of a process is its first "
        "thread's, and the others keep theirs.",
    .options = set_options,
    .tables = set_tables,
    .changes = true,
    .examples = set_examples,
    .see_also = "osbox-getpriority(1), osbox-nice(1), setpriority(2), renice(1), sched(7)",
    .main = runs<run_set>,
};

}  // namespace applets
