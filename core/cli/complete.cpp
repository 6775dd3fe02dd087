#include "core/cli/complete.hpp"

#include <unistd.h>

#include <algorithm>

#include "core/cli/common.hpp"
#include "core/out/quote.hpp"
#include "core/sys/error.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/listing.hpp"
#include "core/sys/signal_name.hpp"

namespace cli {
namespace {

using Words = std::span<const std::string_view>;

/// The lines that answer for one word.
class Answer {
 public:
  /// What the user has typed of the word; `before` is a part of it that stays as it is.
  Answer(std::string_view typed, std::string_view before) : typed_(typed), before_(before) {}

  /// A word of osbox's own, where it begins as the typed one.
  void offer(std::string_view candidate, std::string_view description = {}) {
    if (!candidate.starts_with(typed_)) return;
    text_.append(before_).append(candidate);
    if (!description.empty()) text_.append(1, '\t').append(description);
    text_ += '\n';
  }
  void ask_shell(std::string_view what) { text_.append(":").append(what).append("\n"); }

  std::string_view typed() const { return typed_; }
  void keep(std::size_t count) {
    before_ += typed_.substr(0, count);
    typed_.remove_prefix(count);
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string_view typed_;
  std::string before_;
  std::string text_;
};

void offer_applets(Registry registry, Answer& answer) {
  for (const Found& found : all(registry)) answer.offer(found.name(), found.summary());
}

void offer_errors(Answer& answer) {
  for (int number = 1; number <= core::max_error_number; ++number) {
    const std::string_view name = core::error_name(number);
    if (name.empty()) continue;
    answer.offer(name, core::error_message(number));
    const std::string_view alias = core::error_alias(number);
    if (!alias.empty() && alias != name) answer.offer(alias, core::error_message(number));
  }
}

/// The first words of the lines of /etc/passwd or /etc/group: the accounts of this machine. Those
/// of a network may be many thousands.
void offer_accounts(const char* file, Answer& answer) {
  const auto content = core::read_file(file);
  std::string_view rest = content ? std::string_view(*content) : std::string_view();
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::string_view name = line.substr(0, line.find(':'));
    if (!name.empty() && name[0] != '#' && name[0] != '+' && name[0] != '-') answer.offer(name);
  }
}

void offer_processes(Answer& answer) {
  const auto directory = core::open_directory("/proc");
  core::DirectoryReader reader;
  core::Listing listing;
  // What could be read before an error is as good without the rest.
  if (!directory || !listing.read(reader, *directory)) return;
  for (const core::Listing::Entry& entry : listing.entries()) {
    const std::string_view pid = listing.name(entry);
    if (!std::ranges::all_of(pid, [](char c) { return c >= '0' && c <= '9'; })) continue;
    if (!pid.starts_with(answer.typed())) continue;
    auto name = core::read_file(std::string(pid) + "/comm", *directory);
    if (!name) continue;  // gone already
    if (name->ends_with('\n')) name->pop_back();
    answer.offer(pid, out::quoted(*name));
  }
}

/// In capitals, without "SIG"; `dash` in front of each.
void offer_signals(Answer& answer, std::string_view dash = {}) {
  const auto offer = [&](std::string_view name, std::string_view message) {
    answer.offer(std::string(dash).append(name), message);
  };
  for (const std::string_view name : core::signal_names()) {
    offer(name, core::signal_message(*core::signal_number(name)));
  }
  offer("RTMIN", "The first real-time signal");
  offer("RTMAX", "The last real-time signal");
}

void offer_variables(Answer& answer) {
  for (char** at = ::environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry = *at;
    const std::string_view name = entry.substr(0, entry.find('='));
    const auto plain = [](char c) {
      return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    if (std::ranges::all_of(name, plain)) answer.offer(name);
  }
}

/// The words of a choice, also behind a comma where the option takes a list of them.
void offer_words(const Option& option, Answer& answer) {
  const std::string_view taken = answer.typed().substr(0, answer.typed().rfind(',') + 1);
  answer.keep(taken.size());
  for (const std::string_view word : option.words) {
    const std::string item = std::string(word) + ",";
    if (!("," + std::string(taken)).contains("," + item)) answer.offer(word);
  }
}

void offer_values(Registry registry, const Option& option, Answer& answer) {
  switch (option.completes) {
    case Completes::nothing:
      break;
    case Completes::file:
      return answer.ask_shell("files");
    case Completes::directory:
      return answer.ask_shell("directories");
    case Completes::command:
      return answer.ask_shell("commands");
    case Completes::words:
      return offer_words(option, answer);
    case Completes::user:
      return offer_accounts("/etc/passwd", answer);
    case Completes::group:
      return offer_accounts("/etc/group", answer);
    case Completes::errno_name:
      return offer_errors(answer);
    case Completes::pid:
      return offer_processes(answer);
    case Completes::signal:
      return offer_signals(answer);
    case Completes::variable:
      return offer_variables(answer);
    case Completes::applet:
      return offer_applets(registry, answer);
  }
}

/// The rows of one applet.
struct Rows {
  std::vector<const Option*> options;
  std::vector<const Option*> operands;

  explicit Rows(const Applet& applet) {
    for (const Section& section : sections(applet)) {
      for (const Option& option : section.options) {
        (option.is_operand() ? operands : options).push_back(&option);
      }
    }
  }
  /// Leaves out the operand that the option in `word` is in the place of.
  void give(std::string_view word) {
    std::erase_if(operands, [word](const Option* operand) {
      return !operand->unless.empty() &&
             word.substr(0, word.find('=')) == "--" + std::string(operand->unless);
    });
  }
  const Option* by_name(std::string_view name) const {
    const auto at = std::ranges::find(options, name, &Option::name);
    return name.empty() || at == options.end() ? nullptr : *at;
  }
  const Option* by_letter(char letter) const {
    const auto at = std::ranges::find(options, letter, &Option::letter);
    return letter == 0 || at == options.end() ? nullptr : *at;
  }
  /// The row that takes operand number `index`.
  const Option* operand(std::size_t index) const {
    if (index < operands.size()) return operands[index];
    const bool more = !operands.empty() && operands.back()->shape != Option::Shape::operand;
    return more ? operands.back() : nullptr;
  }
  /// The option in `word` that wants the next word for its value.
  const Option* wants_next(std::string_view word) const {
    const auto value_of = [](const Option* option) {
      return option != nullptr && option->shape == Option::Shape::value ? option : nullptr;
    };
    if (word.starts_with("--")) return value_of(by_name(word.substr(2)));
    const auto takes = [text = word.substr(1)](const Option* option) {
      return option->shape == Option::Shape::dashed && option->takes(text);
    };
    if (std::ranges::any_of(options, takes)) return nullptr;
    for (std::size_t i = 1; i < word.size(); ++i) {
      const Option* const option = value_of(by_letter(word[i]));
      if (option != nullptr) return i + 1 == word.size() ? option : nullptr;
    }
    return nullptr;
  }
};

void offer_options(const Rows& rows, Answer& answer) {
  for (const Option* const option : rows.options) {
    if (option->shape == Option::Shape::dashed && option->completes == Completes::signal) {
      offer_signals(answer, "-");
    }
    if (answer.typed() == "-" && option->letter != 0) {
      answer.offer(std::string{'-', option->letter}, option->help);
    }
    if (!option->name.empty()) answer.offer("--" + std::string(option->name), option->help);
  }
}

std::string complete(Registry registry, const Applet& install, Words words, std::size_t before);

/// True for a command that is osbox under whatever name: stat without a prefix is anybody's.
bool runs_osbox(Registry registry, std::string_view program) {
  if (is_osbox(program)) return true;
  const std::string_view name = program.substr(program.rfind('/') + 1);
  return (name.starts_with("os-") || name.starts_with("osbox-")) &&
         find_by_link(registry, name).applet != nullptr;
}

/// `words` are those behind the name of the applet, `before` the number of all words up to it.
std::string complete_applet(Registry registry, const Applet& install, const Applet& applet,
                            Words words, std::size_t before) {
  Rows rows(applet);
  const std::string_view typed = words.back();
  const Option* wanting = nullptr;
  std::size_t operands = 0;
  bool ended = false;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string_view word = words[i];
    if (wanting != nullptr) {
      wanting = nullptr;
    } else if (!ended && word == "--") {
      ended = true;
    } else if (!ended && word.size() > 1 && word[0] == '-') {
      wanting = rows.wants_next(word);
      rows.give(word);
    } else {
      const Option* const row = rows.operand(operands);
      const bool command = row != nullptr && row->shape == Option::Shape::command;
      // Settings may stand in front of the command: "NAME=VALUE... COMMAND".
      if (command && row->value.find('=') != row->value.npos && word.find('=') != word.npos)
        continue;
      ++operands;
      // Behind a command's name its own words follow; it may be osbox again.
      if (command && runs_osbox(registry, word)) {
        return complete(registry, install, words.subspan(i), before + i);
      }
      if (command) return ":command " + std::to_string(before + i) + "\n";
    }
  }

  Answer answer(typed, {});
  if (wanting != nullptr) {
    offer_values(registry, *wanting, answer);
  } else if (!ended && typed.starts_with("--") && typed.find('=') != typed.npos) {
    const std::size_t equals = typed.find('=');
    const Option* const option = rows.by_name(typed.substr(2, equals - 2));
    answer.keep(equals + 1);
    if (option != nullptr) offer_values(registry, *option, answer);
  } else if (!ended && typed.starts_with('-')) {
    offer_options(rows, answer);
  } else if (const Option* const row = rows.operand(operands)) {
    offer_values(registry, *row, answer);
  }
  return std::move(answer).text();
}

/// `words` begin with the name of the program; `before` is how many there are in front of it.
std::string complete(Registry registry, const Applet& install, Words words, std::size_t before) {
  const Found link = find_by_link(registry, words[0]);
  if (link.applet != nullptr) {
    return complete_applet(registry, install, *link.applet, words.subspan(1), before + 1);
  }
  Answer answer(words.back(), {});
  if (!is_osbox(words[0])) {
    answer.ask_shell("files");
  } else if (words.size() == 2) {
    if (!words[1].starts_with('-')) offer_applets(registry, answer);
    for (const OwnWord& own : own_words) {
      if (own.word.starts_with('-') == words[1].starts_with('-')) {
        answer.offer(own.word, own.summary);
      }
    }
  } else if (words[1] == "help") {
    if (words.size() == 3) {
      offer_applets(registry, answer);
      answer.offer("tour", "Python's os module by example");
    }
  } else if (words[1] == install.name) {
    return complete_applet(registry, install, install, words.subspan(2), before + 2);
  } else if (const Found found = find(registry, words[1]); found.applet != nullptr) {
    return complete_applet(registry, install, *found.applet, words.subspan(2), before + 2);
  }
  return std::move(answer).text();
}

}  // namespace

std::string completions(Registry registry, const Applet& install, Words words) {
  if (words.size() < 2) return {};
  return complete(registry, install, words, 0);
}

}  // namespace cli
