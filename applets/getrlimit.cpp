// getrlimit and setrlimit: resource limits.

#include <algorithm>

#include "core/cli/applet.hpp"
#include "core/cli/command.hpp"
#include "core/cli/process_value.hpp"
#include "core/out/number.hpp"
#include "core/out/quote.hpp"
#include "core/sys/limit.hpp"
#include "core/sys/process.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;
using core::Limit;
using core::Resource;

std::string shown(const std::optional<std::uint64_t>& limit) {
  return limit ? std::to_string(*limit) : "unlimited";
}

// -- getrlimit

struct GetArgs {
  pid_t pid = 0;
  std::vector<std::string> names;
};

constexpr Option get_options[] = {
    parsed<&GetArgs::pid, take_pid_or_none>(0, "pid", "PID", "The limits of this process",
                                            Completes::pid),
    operands<&GetArgs::names>("NAME", "Resource, as nofile or RLIMIT_NOFILE; none: all of them",
                              Least::none),
};

/// How wide the columns of lines are that are shown together.
struct Widths {
  std::size_t name = 0, soft = 0, hard = 0;
};

struct Row {
  const Resource* resource;
  Limit limit;
  const Widths* widths;

  std::string_view name() const { return resource->name; }
  std::string_view what() const { return resource->what; }
  std::optional<std::uint64_t> soft() const { return limit.soft; }
  std::optional<std::uint64_t> hard() const { return limit.hard; }
  std::optional<std::string_view> unit() const {
    if (resource->unit.empty()) return std::nullopt;
    return resource->unit;
  }
};

constexpr Field get_fields[] = {
    text<&Row::name>("resource", "The resource, nofile for RLIMIT_NOFILE"),
    natural<&Row::soft>("soft", "What counts; null where there is no limit"),
    natural<&Row::hard>("hard", "What the other may be raised to; null where there is no limit"),
    text<&Row::unit>("unit", "What is counted; null where it is a number and no more"),
    text<&Row::what>("description", "What is limited"),
};

void print_limit(const Row& row, Io& io) {
  std::string line(row.name());
  line.append(row.widths->name - line.size() + 2, ' ');
  append_right(line, shown(row.limit.soft), row.widths->soft);
  append_right(line += "  ", shown(row.limit.hard), row.widths->hard);
  line.append("  ").append(row.what());
  if (const auto unit = row.unit()) line.append(" (").append(*unit).append(")");
  io.print(line);
  io.end_record();
}

constexpr Table get_tables[] = {{.fields = get_fields, .print = prints<print_limit, Row>}};

Outcome run_get(GetArgs& args, Io& io) {
  auto records = TRY(io.records<Row>(get_tables[0]));
  std::vector<Row> rows;
  Widths widths;
  const auto add = [&](const Resource& resource) -> core::Result<void> {
    const Limit limit = TRY(core::getrlimit(resource, args.pid));
    widths.name = std::max(widths.name, resource.name.size());
    widths.soft = std::max(widths.soft, shown(limit.soft).size());
    widths.hard = std::max(widths.hard, shown(limit.hard).size());
    rows.push_back({&resource, limit, &widths});
    return {};
  };
  for (const std::string& name : args.names) {
    if (const Resource* const resource = core::find_resource(name)) {
      TRY(add(*resource));
    } else {
      io.fail({.number = EINVAL,
               .call = "getrlimit",
               .path = name,
               .note = core::joined_notes(std::string(core::no_such_resource),
                                          "without a NAME all are shown")});
    }
  }
  if (args.names.empty()) {
    for (const Resource& resource : core::resources()) TRY(add(resource));
  }
  for (const Row& row : rows) records.put(row);
  return 0;
}

constexpr Example get_examples[] = {
    {"getrlimit", "All limits of this shell and what it runs"},
    {"getrlimit --pid $$ nofile core", "Two of them, of a process"},
    {"getrlimit --format '{soft}' nofile", "How many descriptors may be open"},
};

// -- setrlimit

struct SetArgs {
  std::vector<pid_t> pids;
  std::vector<std::string> words;
};

constexpr Option set_options[] = {
    pid_to_change<SetArgs>,
    command<&SetArgs::words>(
        "Limits, one at least, with the names that osbox getrlimit shows; then what osbox becomes: "
        "the first word without a '=' is the command, or the one behind --",
        Least::one, "NAME=SOFT[:HARD]... COMMAND"),
};

struct Change {
  pid_t pid;
  const Resource* resource;
  Limit old;
  Limit now;

  std::string_view name() const { return resource->name; }
  std::optional<std::uint64_t> old_soft() const { return old.soft; }
  std::optional<std::uint64_t> old_hard() const { return old.hard; }
  std::optional<std::uint64_t> soft() const { return now.soft; }
  std::optional<std::uint64_t> hard() const { return now.hard; }
};

constexpr Field set_fields[] = {
    integer<&Change::pid>("pid", "The process that was changed"),
    text<&Change::name>("resource", "The resource, nofile for RLIMIT_NOFILE"),
    natural<&Change::old_soft>("old_soft", "The soft limit there was; null: none"),
    natural<&Change::old_hard>("old_hard", "The hard limit there was; null: none"),
    natural<&Change::soft>("soft", "The soft limit there is; null: none"),
    natural<&Change::hard>("hard", "The hard limit there is; null: none"),
};

void print_change(const Change& change, Io& io) {
  const auto both = [](const Limit& limit) { return shown(limit.soft) + ":" + shown(limit.hard); };
  io.print(std::string(change.name()) + " of " + std::to_string(change.pid) + ": " +
           both(change.old) + " -> " + both(change.now));
  io.end_record();
}

constexpr Table set_tables[] = {
    {.fields = set_fields, .print = prints<print_change, Change>, .when = "with --pid"}};

/// What there is after `change`.
Limit changed(Limit limit, const core::LimitChange& change) {
  const auto put = [](std::optional<std::uint64_t>& to, const std::optional<rlim_t>& value) {
    if (value) to = value;
    if (value == RLIM_INFINITY) to.reset();
  };
  put(limit.soft, change.soft);
  put(limit.hard, change.hard);
  return limit;
}

Outcome run_set(SetArgs& args, Io& io) {
  auto records = TRY(io.records<Change>(set_tables[0]));
  std::vector<core::LimitChange> changes;
  auto word = args.words.begin();
  for (; word != args.words.end() && word->find('=') != word->npos; ++word) {
    auto change = core::LimitChange::parse(*word);
    if (!change) return misuse(quoted(*word) + ": " + change.error());
    changes.push_back(*change);
  }
  if (changes.empty()) {
    return misuse("missing operand NAME=SOFT[:HARD]; " + quoted(*word) + " has no '='");
  }
  const bool ended = word != args.words.end() && *word == "--";
  if (!ended && word != args.words.end() && word->starts_with('-')) {
    return misuse("option " + quoted(*word) + " belongs in front of the limits");
  }
  if (ended) ++word;
  if (args.pids.empty()) {
    if (word == args.words.end()) return misuse(missing_command);
    if (io.style().needs_records()) return misuse(no_records);
    args.words.erase(args.words.begin(), word);
    return become(std::move(args.words), {.limits = std::move(changes)}, io);
  }
  if (word != args.words.end()) {
    return misuse("operand " + quoted(*word) + " and --pid do not go together");
  }
  io.set_failure(1);
  for (const pid_t pid : args.pids) {
    for (const core::LimitChange& change : changes) {
      Limit before;
      if (const int error = core::setrlimit(change, pid, &before)) {
        std::string note(change.resource->name);
        if (const char* const reason = core::setrlimit_note(error))
          note.append(": ").append(reason);
        io.fail({.number = error,
                 .call = "setrlimit",
                 .path = std::to_string(pid),
                 .note = std::move(note)});
      } else {
        records.put({pid, change.resource, before, changed(before, change)});
      }
    }
  }
  return 0;
}

constexpr Example set_examples[] = {
    {"setrlimit nofile=64 core=0:0 osbox getrlimit nofile core", "A command with two limits"},
    {"setrlimit as=unlimited nofile=256:256 -- true", "The same with the command marked"},
    {"setrlimit -v --pid $$ core=0", "This shell, and what it runs from now on"},
};

}  // namespace

extern constexpr Applet getrlimit = {
    .name = "getrlimit",
    .group = Group::processes,
    .summary = "print resource limits, of this process or of another",
    .description =
        "Prints the soft and the hard limit of every resource NAME, or of all resources of this "
        "system: those of osbox, which are those of the process that runs it, or with --pid of "
        "another process. The soft limit is what counts; a process may raise it as far as the hard "
        "one, and lower the hard one, for good where it is not privileged.\n\n"
        "A NAME is that of getrlimit(2) without RLIMIT_ or with it, in upper or lower case. One "
        "that is none is a failure with EINVAL, and the others are printed. Limits of somebody "
        "else's process are EPERM, and a process that is not there is ESRCH.",
    .options = get_options,
    .tables = get_tables,
    .examples = get_examples,
    .see_also = "osbox-setrlimit(1), getrlimit(2), prlimit(1)",
    .main = runs<run_get>,
};

extern constexpr Applet setrlimit = {
    .name = "setrlimit",
    .group = Group::processes,
    .summary = "set resource limits of a command or a process",
    .description =
        "Sets the limits and becomes COMMAND; or, with --pid, sets them in a process that runs "
        "already. NAME=SOFT sets the soft limit and leaves the hard one, NAME=SOFT:HARD sets both, "
        "and NAME=:HARD the hard one alone. Both are decimal numbers in the unit that "
        "osbox-getrlimit(1) tells, or 'unlimited'. What is nothing of the kind, a soft limit above "
        "its hard one and a NAME that does not exist are wrong usage; then nothing was changed.\n\n"
        "A soft limit above the hard one that there is is EINVAL, and to raise a hard limit takes "
        "CAP_SYS_RESOURCE: else it is EPERM. In another process the half that is not named is read "
        "and set again, which is two calls.\n\n"
        "The words in front that have a '=' are the limits, and the first one without is the "
        "command. A command whose name has a '=' stands behind --, which ends the limits.",
    .options = set_options,
    .tables = set_tables,
    .changes = true,
    .examples = set_examples,
    .statuses = chain_or_pid_statuses,
    .see_also = "osbox-getrlimit(1), osbox-exec(1), setrlimit(2), prlimit(2), prlimit(1)",
    .failure = 125,
    .main = runs<run_set>,
};

}  // namespace applets
