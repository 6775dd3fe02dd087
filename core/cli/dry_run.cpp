#include "core/cli/dry_run.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "core/cli/command.hpp"
#include "core/out/number.hpp"
#include "core/out/quote.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/signal_name.hpp"
#include "core/sys/stat.hpp"

namespace cli {
namespace {

using out::Field;
using out::Io;
using out::Value;

/// What would be set, for a record: null where it stays as it is.
struct DryRun {
  const core::ProcessAttributes& set;
  const core::Watch& watch;
  std::optional<std::string> path;
  std::vector<std::string_view> arguments;
  std::vector<std::string_view> entries;
  std::vector<std::string> limit_words;
  std::vector<std::string_view> limits;
  std::vector<std::int64_t> group_numbers;
  std::vector<std::string> ignored_words;
  std::vector<std::string_view> ignored;
  std::vector<std::string> default_words;
  std::vector<std::string_view> defaults;
  std::string death_signal_name;
  std::string signal_name;

  using Lists = std::optional<std::span<const std::string_view>>;
  static Lists unless_empty(const std::vector<std::string_view>& list) {
    return list.empty() ? Lists() : Lists(list);
  }

  std::span<const std::string_view> argv() const { return arguments; }
  Lists environment() const { return set.environment.empty() ? Lists() : Lists(entries); }
  const std::optional<std::string>& directory() const { return set.directory; }
  std::optional<mode_t> umask() const { return set.umask; }
  std::optional<uid_t> uid() const { return set.ids.uid; }
  std::optional<gid_t> gid() const { return set.ids.gid; }
  std::optional<std::span<const std::int64_t>> groups() const {
    if (!set.ids.groups) return std::nullopt;
    return group_numbers;
  }
  std::optional<int> nice() const { return set.nice; }
  Lists limit_list() const { return unless_empty(limits); }
  template <std::size_t Number>
  std::optional<std::string_view> stream() const {
    const auto& redirection = set.streams[Number];
    return redirection ? std::optional<std::string_view>(redirection->path) : std::nullopt;
  }
  std::optional<unsigned> close_from() const { return set.close_from; }
  bool session() const { return set.session; }
  std::optional<pid_t> process_group() const { return set.process_group; }
  bool no_new_privs() const { return set.no_new_privileges; }
  std::optional<std::string_view> death_signal() const {
    if (set.death_signal == 0) return std::nullopt;
    return death_signal_name;
  }
  static std::optional<std::int64_t> microseconds(const std::optional<core::Duration>& span) {
    if (!span) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::microseconds>(*span).count();
  }
  std::optional<std::int64_t> timeout() const { return microseconds(watch.timeout); }
  std::optional<std::string_view> signal() const {
    return watch.timeout ? std::optional<std::string_view>(signal_name) : std::nullopt;
  }
  std::optional<std::int64_t> kill_after() const { return microseconds(watch.kill_after); }
  Lists ignored_signals() const { return unless_empty(ignored); }
  Lists default_signals() const { return unless_empty(defaults); }
};

constexpr std::array fields = {
    out::name<&DryRun::path>("path", "The file that would be executed; null: it is not found"),
    out::names<&DryRun::argv>("argv", "Its arguments, argv[0] first"),
    out::name<&DryRun::directory>("directory", "Its current directory"),
    out::names<&DryRun::environment>("environment",
                                     "All of its environment, where something of it is changed"),
    out::natural<&DryRun::umask>("umask", "Its file mode creation mask; {umask:04o} is octal"),
    out::natural<&DryRun::uid>("uid", "Its real, effective and saved user id"),
    out::natural<&DryRun::gid>("gid", "Its real, effective and saved group id"),
    out::integers<&DryRun::groups>("groups", "Its supplementary group ids"),
    out::integer<&DryRun::nice>("nice", "What is added to its nice value"),
    out::texts<&DryRun::limit_list>("limits", "Its resource limits, as --limit takes them"),
    out::name<&DryRun::stream<0>>("stdin", "The file of its standard input"),
    out::name<&DryRun::stream<1>>("stdout", "The file of its standard output"),
    out::name<&DryRun::stream<2>>("stderr", "The file of its standard error"),
    out::natural<&DryRun::close_from>("close_from", "The first descriptor of those closed"),
    out::boolean<&DryRun::session>("session", "Whether it gets a session of its own"),
    out::integer<&DryRun::process_group>("process_group", "Its process group; 0: one of its own"),
    out::boolean<&DryRun::no_new_privs>("no_new_privs", "Whether it can get no new privileges"),
    out::text<&DryRun::death_signal>("death_signal", "What comes to it when its parent dies"),
    out::texts<&DryRun::ignored_signals>("ignored_signals", "The signals that it would ignore"),
    out::texts<&DryRun::default_signals>("default_signals",
                                         "The signals that get their default action"),
    out::integer<&DryRun::timeout>("timeout_us", "Microseconds until its time is over"),
    out::text<&DryRun::signal>("signal", "What ends it then"),
    out::integer<&DryRun::kill_after>("kill_after_us", "Microseconds from there to SIGKILL"),
};

void append_value(std::string& to, const Value& value) {
  const auto append_list = [&to](const auto& list, auto append) {
    for (const auto& item : list) append(to += ' ', item);
  };
  switch (value.kind()) {
    case out::Kind::natural:
      return out::append_number(to += ' ', value.natural());
    case out::Kind::integer:
      return out::append_number(to += ' ', value.integer());
    case out::Kind::integers:
      return append_list(value.integers(), [](std::string& text, std::int64_t item) {
        out::append_number(text, item);
      });
    case out::Kind::names:
    case out::Kind::texts:
      return append_list(value.list(), out::append_quoted);
    case out::Kind::boolean:
      to += " yes";
      return;
    default:
      return out::append_quoted(to += ' ', value.bytes());
  }
}

/// The names of `signals`.
std::vector<std::string> names_of(std::span<const int> signals) {
  std::vector<std::string> names;
  for (const int signal : signals) names.push_back(core::signal_name(signal));
  return names;
}

std::string limit_word(const core::LimitChange& change) {
  const auto number = [](rlim_t value) {
    return value == RLIM_INFINITY ? std::string("unlimited") : std::to_string(value);
  };
  std::string word = std::string(change.resource->name) + "=";
  if (change.soft) word += number(*change.soft);
  if (change.hard) word += ":" + number(*change.hard);
  return word;
}

std::string octal(mode_t mode) {
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof digits, mode, 8).ptr;
  const std::string text(digits, end);
  return std::string(4 - std::min<std::size_t>(text.size(), 4), '0') + text;
}

}  // namespace

constinit const std::array<Field, 23> dry_run_fields = fields;

// A line for everything that is set.
void print_dry_run(const void* row, Io& io) {
  std::string text;
  for (const Field& field : dry_run_fields) {
    const Value value = field.get(row);
    const bool unset =
        value.kind() == out::Kind::null || (value.kind() == out::Kind::boolean && !value.boolean());
    if (unset && field.name != "path") continue;
    text.append(field.name).append(":");
    if (unset) {
      text += " ?";
    } else if (field.name == "umask") {
      text.append(" ").append(octal(static_cast<mode_t>(value.natural())));
    } else {
      append_value(text, value);
    }
    text += '\n';
  }
  text.pop_back();
  io.print(text);
  io.end_record();
}

out::Outcome dry_run(const core::Program& program, const core::Watch& watch, Io& io) {
  auto records = TRY(io.records<DryRun>(dry_run_table));
  DryRun row{.set = program.attributes(), .watch = watch};
  // A relative one is looked for from where the command would be.
  core::Fd directory;
  if (row.set.directory) {
    auto opened = core::open(*row.set.directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (!opened) {
      return io.fail_with(
          125, {.number = opened.error().number, .call = "chdir", .path = row.set.directory});
    }
    directory = *std::move(opened);
  }
  const core::At from = directory ? core::At(directory) : core::At();
  core::Error missing{.number = ENOENT, .call = "exec"};
  for (const std::string& candidate : program.candidates()) {
    if (row.path) break;
    const auto file = core::stat(candidate, core::want::type, from);
    const bool executable = file && file->type == core::Type::file &&
                            core::access(candidate, X_OK, {.effective = true}, from);
    if (executable) row.path = candidate;
    if (!executable && (file || file.error().number == EACCES)) missing.number = EACCES;
  }
  const auto texts = [](std::span<char* const> strings) {
    std::vector<std::string_view> list(strings.begin(), strings.end() - 1);
    return list;
  };
  row.arguments = texts(program.arguments());
  if (!row.set.environment.empty()) row.entries = texts(program.environment());
  for (const core::LimitChange& change : row.set.limits) {
    row.limit_words.push_back(limit_word(change));
  }
  row.limits.assign(row.limit_words.begin(), row.limit_words.end());
  if (row.set.ids.groups) {
    row.group_numbers.assign(row.set.ids.groups->begin(), row.set.ids.groups->end());
  }
  row.ignored_words = names_of(row.set.ignored_signals);
  row.ignored.assign(row.ignored_words.begin(), row.ignored_words.end());
  row.default_words = names_of(row.set.default_signals);
  row.defaults.assign(row.default_words.begin(), row.default_words.end());
  row.death_signal_name = core::signal_name(row.set.death_signal);
  row.signal_name = core::signal_name(watch.signal);
  records.put(row);
  if (row.path) return 0;
  missing.path = std::string(row.arguments.front());
  return io.fail_with(core::unstarted_status(missing), missing);
}

}  // namespace cli
