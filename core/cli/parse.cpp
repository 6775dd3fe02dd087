// The command line of one applet. The one file that knows CLI11.
#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <map>

#include "core/cli/applet.hpp"
#include "core/cli/command.hpp"
#include "core/cli/common.hpp"
#include "core/cli/habits.hpp"
#include "core/cli/pages.hpp"
#include "core/out/nearest.hpp"
#include "core/out/plan.hpp"
#include "core/out/quote.hpp"
#include "core/out/utf8.hpp"
#include "core/sys/directory.hpp"
#include "core/sys/fs.hpp"

namespace cli {
namespace {

/// A row, and what it stores into.
struct Row {
  const Option* option;
  void* into;
};

using Rows = std::span<const Row>;

std::string shown(const Option& option) {
  return option.name.empty() ? std::string{'-', option.letter} : "--" + std::string(option.name);
}

const Row* by_name(Rows rows, std::string_view name) {
  for (const Row& row : rows) {
    if (!name.empty() && row.option->name == name) return &row;
  }
  return nullptr;
}

const Row* by_letter(Rows rows, char letter) {
  for (const Row& row : rows) {
    if (letter != 0 && row.option->letter == letter) return &row;
  }
  return nullptr;
}

/// CLI11 as a reader of one option at a time. It takes some words for what they are not ("-a-" for
/// -a and "--", "-a!" for -a and an operand, "--name=" for a --name that lacks its value), so each
/// is looked at before; operands never reach it.
class Parser : public CLI::App {
 public:
  explicit Parser(Rows rows) : CLI::App("") {
    set_help_flag();
    for (const Row& row : rows) {
      const Option& option = *row.option;
      if (option.is_operand() || option.shape == Option::Shape::dashed) continue;
      std::string names = option.letter != 0 ? std::string{'-', option.letter} : "";
      if (!option.name.empty()) {
        names.append(names.empty() ? "" : ",").append("--").append(option.name);
      }
      // One value each time, whatever it looks like, and no more words than that.
      made_[&row] = option.shape == Option::Shape::value
                        ? add_option(names)->expected(1)->allow_extra_args(false)
                        : add_flag(names);
    }
  }

  /// Reads the option of `row` that the last of `words` begins with, and takes it away, its value
  /// with it. Throws CLI::ArgumentMismatch where there is none.
  const std::string& read(const Row& row, std::vector<std::string>& words) {
    bool ended = false;
    _parse_single(words, ended);
    return made_.at(&row)->results().back();
  }

 private:
  std::map<const Row*, CLI::Option*> made_;
};

/// What the operands of an applet are like.
struct Expected {
  std::string_view applet;  ///< its name
  bool paths = false;
  bool command = false;
  std::size_t before_command = 0;  ///< operands in front of the command's name
};

/// Of a word that is no option but the name of a file, as a '*' of the shell brings it.
std::string name_with_dash(const Expected& expected, std::string_view word) {
  if (!expected.paths || !core::lstat(std::string(word), core::want::nothing)) return {};
  return " (a name that begins with '-' goes behind --, or as " +
         out::quoted("./" + std::string(word)) + ")";
}

std::unexpected<out::Usage> unknown_name(const Expected& expected, std::string_view whole,
                                         std::string_view name, Rows rows) {
  const std::string_view applet = expected.applet;
  const std::string word = "--" + std::string(name);
  std::vector<std::string_view> known;
  for (const Row& row : rows) {
    if (!row.option->name.empty()) known.push_back(row.option->name);
  }
  std::string hint = name_with_dash(expected, whole);
  if (hint.empty()) hint = use_instead(applet, word);
  if (hint.empty()) hint = out::did_you_mean(name, known, "--");
  if (hint.empty()) hint = use_instead(applet, "");
  return out::misuse("unknown option " + out::quoted(word) + hint);
}

/// `letters` are those of `word`, a bundle, that are left, the unknown one first.
std::unexpected<out::Usage> unknown_letter(const Expected& expected, std::string_view word,
                                           std::string_view letters) {
  const std::string_view applet = expected.applet;
  if (const std::string hint = name_with_dash(expected, word); !hint.empty()) {
    return out::misuse("unknown option " + out::quoted(word) + hint);
  }
  // "-maxdepth" is meant as a whole.
  if (const std::string hint = use_instead(applet, word); word.size() > 2 && !hint.empty()) {
    return out::misuse("unknown option " + out::quoted(word) + hint);
  }
  const unsigned length = std::max(1U, out::decode_utf8(letters).length);
  const std::string letter = "-" + std::string(letters.substr(0, length));
  std::string hint = use_instead(applet, letter);
  if (hint.empty()) hint = use_instead(applet, "");
  return out::misuse("unknown option " + out::quoted(letter) + hint);
}

/// Of a template without fields: what to use where another tool's word or directive is meant.
std::string instead_of_template(std::string_view applet, std::string_view text) {
  if (text.find('{') != text.npos) return {};
  return use_instead(applet, "--format=" + std::string(out::has_directive(text) ? "%s" : text));
}

/// What the words have told so far.
struct Told {
  std::vector<const Option*> given;
  /// The first value that nobody knows of whether it can be taken. Whoever is told of that wants it
  /// in the format that another word may say.
  std::optional<core::Error> failure;
};

std::expected<void, out::Usage> store(const Row& row, std::string_view value, Told& told) {
  auto stored = row.option->store(row.into, value);
  if (stored) return {};
  if (auto* const failure = std::get_if<core::Error>(&stored.error())) {
    if (!told.failure) told.failure = std::move(*failure);
    return {};
  }
  const std::string& why = std::get<std::string>(stored.error());
  // What is behind a dash is no value of something else.
  if (row.option->shape == Option::Shape::dashed) {
    return out::misuse(out::quoted("-" + std::string(value)) + ": " + why);
  }
  std::string label =
      row.option->is_operand() ? std::string(row.option->value) : shown(*row.option);
  return out::misuse(label + " " + out::quoted(value) + ": " + why);
}

bool is_operand(std::string_view word) { return word.size() < 2 || word[0] != '-'; }

/// The dashed row that `word` is for.
const Row* by_dash(Rows rows, std::string_view word) {
  if (is_operand(word) || word[1] == '-') return nullptr;
  for (const Row& row : rows) {
    if (row.option->shape == Option::Shape::dashed && row.option->takes(word.substr(1))) {
      return &row;
    }
  }
  return nullptr;
}

/// Stores the options among `words`, in the order given, and leaves the operands.
std::expected<std::vector<std::string_view>, out::Usage> take_options(
    std::span<const std::string_view> words, Rows rows, const Expected& expected, Told& told) {
  // Nothing to parse, no parser to build.
  if (std::ranges::all_of(words, is_operand) ||
      (expected.command && expected.before_command == 0 && is_operand(words.front()))) {
    return std::vector(words.begin(), words.end());
  }

  Parser parser(rows);
  std::vector<std::string_view> operands;
  std::vector<std::string> left(words.rbegin(), words.rend());
  bool ended = false;
  bool in_bundle = false;
  while (!left.empty()) {
    const std::string_view word = words[words.size() - left.size()];
    if (!in_bundle) {
      const Row* const dashed = ended ? nullptr : by_dash(rows, word);
      if (dashed != nullptr) {
        TRY(store(*dashed, word.substr(1), told));
        told.given.push_back(dashed->option);
        left.pop_back();
        continue;
      }
      const bool at_command = expected.command && operands.size() == expected.before_command;
      // -1 may be a number where there is no such option, but neither a path nor a command.
      const bool number = word.size() > 1 && word[0] == '-' && word[1] >= '0' && word[1] <= '9' &&
                          by_letter(rows, word[1]) == nullptr && !expected.paths && !at_command;
      if (ended || is_operand(word) || number) {
        operands.push_back(word);
        left.pop_back();
        ended = ended || at_command;
        continue;
      }
      if (word == "--") {
        ended = true;
        left.pop_back();
        continue;
      }
    }
    const bool is_long = !in_bundle && word[1] == '-';
    const std::size_t equals = is_long ? word.find('=') : word.npos;
    const std::string_view name = is_long ? word.substr(2, equals - 2) : std::string_view();
    const Row* const row = is_long ? by_name(rows, name) : by_letter(rows, left.back()[1]);
    if (row == nullptr) {
      if (is_long) return unknown_name(expected, word, name, rows);
      return unknown_letter(expected, word, std::string_view(left.back()).substr(1));
    }
    const Option& option = *row->option;
    if (equals != word.npos) {
      switch (option.shape) {
        case Option::Shape::flag:
          return out::misuse("option " + shown(option) + " takes no value");
        case Option::Shape::optional_value:
          // A second "=" tells an empty value, and "{}", from none.
          left.back().insert(equals, 1, '=');
          break;
        default:
          left.back() = word.substr(equals + 1);
          left.push_back(shown(option));
      }
    }
    const std::size_t count = left.size();
    try {
      std::string_view value = parser.read(*row, left);
      if (option.shape == Option::Shape::optional_value) {
        value = value.starts_with('=') ? value.substr(1) : option.otherwise;
      }
      if (auto stored = store(*row, value, told); !stored) {
        // Not "-t ype".
        const std::string hint =
            word.size() > 2 && !is_long ? use_instead(expected.applet, word) : "";
        if (!hint.empty()) return out::misuse("unknown option " + out::quoted(word) + hint);
        return std::unexpected(std::move(stored).error());
      }
      if (option.name == "format") {
        const std::string hint = instead_of_template(expected.applet, value);
        if (!hint.empty()) return out::misuse("--format " + out::quoted(value) + hint);
      }
      told.given.push_back(&option);
    } catch (const CLI::ArgumentMismatch&) {
      return out::misuse("option " + shown(option) + " needs a value");
    }
    in_bundle = left.size() == count;
  }
  return operands;
}

/// `from_file`: the path operands come from --files0-from.
std::expected<void, out::Usage> take_operands(std::span<const std::string_view> operands, Rows rows,
                                              bool from_file, std::string_view applet, Told& told) {
  auto needed = static_cast<std::size_t>(
      std::ranges::count_if(rows, [](const Row& row) { return row.option->required; }));
  bool changes = false;  // an operand in front of the command says what
  bool pair = false;
  for (const Row& row : rows) {
    const Option& option = *row.option;
    if (!option.is_operand()) continue;
    const bool in_file = from_file && option.operands != nullptr;
    if (option.required) --needed;
    // What need not be there leaves the words to what must be.
    if (!option.required && operands.size() <= needed) continue;
    if (operands.empty()) {
      if (in_file) continue;
      if (option.shape == Option::Shape::command && changes) return out::misuse(missing_command);
      return out::misuse("missing operand " + std::string(option.value));
    }
    if (in_file) {
      return out::misuse("operand " + out::quoted(operands.front()) +
                         " and --files0-from do not go together");
    }
    const std::size_t count = option.shape == Option::Shape::operand ? 1 : operands.size();
    for (const std::string_view operand : operands.first(count)) {
      auto stored = store(row, operand, told);
      if (stored) continue;
      // "chmod FILE 644", where the next word is what this one should be.
      const bool paths_follow =
          std::ranges::any_of(rows, [](const Row& one) { return one.option->operands != nullptr; });
      if (paths_follow && count == 1 && operands.size() > 1 &&
          row.option->store(row.into, operands[1])) {
        stored.error().message += " (" + std::string(option.value) + " comes first)";
      }
      return stored;
    }
    pair = count == 1 && option.operands != nullptr;
    changes = true;
    operands = operands.subspan(count);
  }
  if (operands.empty()) return {};
  return out::misuse(
      "unexpected operand " + out::quoted(operands.front()) +
      (pair ? " (use --files0-from for more than one pair)" : use_instead(applet, "")));
}

}  // namespace

std::expected<std::optional<int>, out::Stop> Call::parse(void* args, out::Io& io) const {
  Common common;
  std::vector<Row> rows;
  Expected expected{.applet = applet_->name};
  Operands* paths = nullptr;
  for (const Section& section : sections(*applet_)) {
    for (const Option& option : section.options) {
      rows.push_back({&option, section.shared ? &common : args});
      if (option.shape == Option::Shape::command) expected.command = true;
      if (option.shape == Option::Shape::operand) ++expected.before_command;
      if (option.operands != nullptr) paths = option.operands(args);
    }
  }
  out::Running running{.name = name_,
                       .call = applet_->call.empty() ? applet_->name : applet_->call,
                       .failure = applet_->failure,
                       .changes = applet_->changes,
                       .target_first = applet_->target_first};
  expected.paths = paths != nullptr;
  io.start(running, {});
  Told told;
  const auto operands = TRY(take_options(words_, rows, expected, told));
  if (common.help) {
    io.print(help_page(*applet_, name_, io.screen().columns));
    return 0;
  }
  std::erase_if(rows, [&](const Row& row) {
    const std::string_view unless = row.option->unless;
    return !unless.empty() &&
           std::ranges::find(told.given, unless, &Option::name) != told.given.end();
  });
  TRY(take_operands(operands, rows, common.files0_from.has_value(), applet_->name, told));

  if (common.style.format == out::Style::Format::shell && common.style.text == "*") {
    // A variable's name begins with no dash: --install.
    common.style.text = name_.substr(std::min(name_.find_first_not_of('-'), name_.size()));
    common.style.text += '_';
  }
  const char* const asked = std::getenv("OSBOX_EXIT_ERRNO");
  if (asked != nullptr && std::string_view(asked) == "1") common.style.exit_errno = true;
  io.start(running, std::move(common.style));
  if (told.failure) return std::unexpected(*std::move(told.failure));
  if (paths == nullptr) return std::nullopt;
  if (common.files0_from) paths->read_from(*std::move(common.files0_from));
  if (common.beneath || common.no_symlinks) {
    core::Fd base;
    if (common.beneath) base = TRY(core::open(*common.beneath, O_PATH | O_DIRECTORY));
    paths->start_at(std::move(base), {common.beneath.has_value(), common.no_symlinks});
  }
  return std::nullopt;
}

}  // namespace cli
