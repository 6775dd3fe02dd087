// The command line of one applet. The one file that knows CLI11.
#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <map>

#include "core/cli/applet.hpp"
#include "core/cli/common.hpp"
#include "core/cli/nearest.hpp"
#include "core/cli/pages.hpp"
#include "core/out/quote.hpp"
#include "core/sys/directory.hpp"
#include "core/sys/fs.hpp"

namespace cli {
namespace {

// What stands for the value of an option that has none, and for one that is empty; CLI11 knows
// neither.
constexpr const char* omitted = "\1";
constexpr const char* empty = "\2";

constexpr const char* no_value = " takes no value";

/// A row, and what it stores into.
struct Row {
  const Option* option;
  void* into;
};

std::string shown(const Option& option) {
  return option.name.empty() ? std::string{'-', option.letter} : "--" + std::string(option.name);
}

/// CLI11's own view of what it could not place: operands, and options that nobody has.
class Parser : public CLI::App {
 public:
  Parser() : CLI::App("") {
    set_help_flag();
    allow_extras();
  }
  const auto& left() const { return missing_; }
  using Classifier = CLI::detail::Classifier;
};

std::unexpected<out::Usage> unknown_option(std::string_view word, std::span<const Row> rows) {
  word = word.substr(0, word.find('='));
  std::string text;
  if (word.starts_with("--")) {
    std::vector<std::string_view> known;
    for (const Row& row : rows) {
      if (!row.option->name.empty()) known.push_back(row.option->name);
    }
    text = "unknown option " + out::quoted(word) + did_you_mean(word.substr(2), known);
  } else {
    text = "unknown option " + out::quoted(word.substr(0, 2));
  }
  return out::misuse(std::move(text));
}

std::expected<void, out::Usage> store(const Row& row, std::string_view value) {
  auto stored = row.option->store(row.into, value);
  if (stored) return {};
  std::string label =
      row.option->is_operand() ? std::string(row.option->value) : shown(*row.option);
  return out::misuse(label + " " + out::quoted(value) + ": " + stored.error());
}

/// Stores the options among `words`, in the order given, and leaves the operands.
std::expected<std::vector<std::string_view>, out::Usage> take_options(
    std::span<const std::string_view> words, std::span<const Row> rows, bool command,
    bool takes_paths) {
  std::vector<std::string_view> operands;
  // Nothing to parse, no parser to build.
  const auto is_operand = [](std::string_view word) { return word.size() < 2 || word[0] != '-'; };
  if (std::ranges::all_of(words, is_operand) || (command && is_operand(words.front()))) {
    operands.assign(words.begin(), words.end());
    return operands;
  }

  Parser parser;
  if (command) parser.prefix_command();
  std::map<const CLI::Option*, std::pair<const Row*, std::size_t>> made;
  for (const Row& row : rows) {
    const Option& option = *row.option;
    if (option.is_operand()) continue;
    std::string names = option.letter != 0 ? std::string{'-', option.letter} : "";
    if (!option.name.empty()) {
      names.append(names.empty() ? "" : ",").append("--").append(option.name);
    }
    CLI::Option* to = nullptr;
    if (option.shape == Option::Shape::value) {
      // One value each time, whatever it looks like; the last one counts, or all, as `store` says.
      to = parser.add_option(names)->expected(1)->allow_extra_args(false);
    } else {
      // With a value that may be left out, --name takes none from the next word.
      const bool optional = option.shape == Option::Shape::optional_value;
      to = parser.add_flag(optional ? names + "{" + omitted + "}" : names);
      to->disable_flag_override(!optional);
    }
    to->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    made[to] = {&row, 0};
  }

  // CLI11 reads from the back. "--name=" it takes for a --name that still wants its value.
  std::vector<std::string> reversed;
  bool ended = false;
  for (const std::string_view word : words) {
    ended = ended || word == "--";
    reversed.emplace_back(word);
    if (ended || !word.starts_with("--") || word.find('=') != word.size() - 1) continue;
    const std::string_view name = word.substr(2, word.size() - 3);
    const auto row = std::ranges::find(rows, name, [](const Row& r) { return r.option->name; });
    if (row == rows.end()) continue;
    switch (row->option->shape) {
      case Option::Shape::flag:
        return out::misuse("option --" + std::string(name) + no_value);
      case Option::Shape::optional_value:
        reversed.back() += empty;
        break;
      default:
        reversed.back().pop_back();
        reversed.emplace_back();
    }
  }
  std::ranges::reverse(reversed);
  try {
    parser.parse(std::move(reversed));
  } catch (const CLI::ArgumentMismatch& mismatch) {
    const std::string text = mismatch.what();
    const std::string name = text.substr(0, text.find_first_of(" :"));
    return out::misuse(name.starts_with('-') ? "option " + name + " needs a value"
                                             : "option --" + name + no_value);
  } catch (const CLI::Error& error) {
    return out::misuse(error.what());
  }

  bool options_ended = false;
  std::size_t at = 0;
  for (const auto& [kind, word] : parser.left()) {
    if (kind == Parser::Classifier::POSITIONAL_MARK) {
      options_ended = true;
      continue;
    }
    // CLI11 holds "-1" for an operand where there is no option 1; only where numbers are expected
    // it may be one.
    const bool number = kind == Parser::Classifier::NONE && !options_ended && !command &&
                        word.size() > 1 && word[0] == '-';
    if (kind != Parser::Classifier::NONE || (number && takes_paths)) {
      return unknown_option(word, rows);
    }
    // The words of the caller live longer than the parser's.
    while (words[at] != word) ++at;
    operands.push_back(words[at++]);
  }
  for (const CLI::Option* const option : parser.parse_order()) {
    auto& [row, used] = made.at(option);
    std::string_view value = option->results()[used++];
    if (row->option->shape == Option::Shape::optional_value) {
      if (value == omitted) value = row->option->otherwise;
      if (value == empty) value = {};
    }
    TRY(store(*row, value));
  }
  return operands;
}

std::expected<void, out::Usage> take_operands(std::span<const std::string_view> operands,
                                              std::span<const Row> rows, bool from_file) {
  for (const Row& row : rows) {
    const Option& option = *row.option;
    if (!option.is_operand()) continue;
    if (operands.empty()) {
      if (option.required && !from_file) {
        return out::misuse("missing operand " + std::string(option.value));
      }
      continue;
    }
    const std::size_t count = option.shape == Option::Shape::operand ? 1 : operands.size();
    if (from_file) {
      return out::misuse("operands and --files0-from do not go together");
    }
    for (const std::string_view operand : operands.first(count)) TRY(store(row, operand));
    operands = operands.subspan(count);
  }
  if (operands.empty()) return {};
  return out::misuse("unexpected operand " + out::quoted(operands.front()));
}

}  // namespace

std::expected<std::optional<int>, out::Stop> Call::parse(void* args, out::Io& io) const {
  Common common;
  std::vector<Row> rows;
  bool command = false;
  Operands* paths = nullptr;
  for (const Section& section : sections(*applet_)) {
    for (const Option& option : section.options) {
      rows.push_back({&option, section.shared ? &common : args});
      command = command || option.shape == Option::Shape::command;
      if (option.operands != nullptr) paths = option.operands(args);
    }
  }
  out::Running running{.name = name_,
                       .call = applet_->call.empty() ? applet_->name : applet_->call,
                       .failure = applet_->failure};
  io.start(running, {});
  const auto operands = TRY(take_options(words_, rows, command, paths != nullptr));
  if (common.help) {
    io.print(help_page(*applet_, name_));
    return 0;
  }
  TRY(take_operands(operands, rows, common.files0_from.has_value()));

  if (common.style.format == out::Style::Format::shell && common.style.text == "*") {
    common.style.text = std::string(name_) + "_";
  }
  const char* const asked = std::getenv("OSBOX_EXIT_ERRNO");
  if (asked != nullptr && std::string_view(asked) == "1") common.style.exit_errno = true;
  io.start(running, std::move(common.style));
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
