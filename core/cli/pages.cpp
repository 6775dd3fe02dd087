#include "core/cli/pages.hpp"

#include <algorithm>
#include <vector>

#include "core/cli/common.hpp"
#include "core/out/utf8.hpp"

namespace cli {
namespace {

bool many(const Option& option) {
  return option.shape == Option::Shape::operands || option.shape == Option::Shape::command;
}

/// "[OPTION...] MODE PATH..."
std::string usage_of(const Applet& applet) {
  std::string usage = "[OPTION...]";
  for (const Option& option : applet.options) {
    if (!option.is_operand()) continue;
    std::string operand(option.value);
    if (many(option)) operand += "...";
    const bool required = option.required && option.unless.empty();
    usage += required ? " " + operand : " [" + operand + "]";
  }
  return usage;
}

/// "-m, --mode MODE"
std::string label_of(const Option& option) {
  if (option.is_operand()) return std::string(option.value) + (many(option) ? "..." : "");
  if (option.shape == Option::Shape::dashed) return "-" + std::string(option.value);
  std::string label = option.letter != 0 ? std::string{'-', option.letter} : "  ";
  if (!option.name.empty()) {
    label += option.letter != 0 ? ", --" : "  --";
    label += option.name;
  }
  if (option.shape == Option::Shape::value) label.append(" ").append(option.value);
  if (option.shape == Option::Shape::optional_value) {
    label.append("[=").append(option.value).append("]");
  }
  return label;
}

/// A titled list of rows, as pages show them.
struct Part {
  std::string_view title;
  std::vector<const Option*> rows;
};

/// The sections of `applet`, its operands in front, together with the options that are about them.
std::vector<Part> parts_of(const Applet& applet) {
  Part operands{"Operands", {}};
  std::vector<Part> parts = {{}};
  for (const Section& section : sections(applet)) {
    const bool about_operands = section.shared && section.title == operands.title;
    Part part{section.title, {}};
    for (const Option& option : section.options) {
      (option.is_operand() || about_operands ? operands : part).rows.push_back(&option);
    }
    if (!part.rows.empty()) parts.push_back(std::move(part));
  }
  parts.front() = std::move(operands);
  if (parts.front().rows.empty()) parts.erase(parts.begin());
  return parts;
}

/// The help of `option`, and the words it takes where the text does not name them.
std::string text_of(const Option& option) {
  std::string text(option.help);
  if (option.words.empty()) return text;
  text += ": ";
  for (const std::string_view& word : option.words) {
    if (&word != option.words.data()) text += &word == &option.words.back() ? " or " : ", ";
    text += word;
  }
  return text;
}

constexpr Status usual_statuses[] = {
    {"0", "all was done"},
    {"1", "something failed, and standard error says what; the rest was done"},
    {"2", "wrong usage; nothing was done"},
};

std::span<const Status> statuses_of(const Applet& applet) {
  return applet.statuses.empty() ? std::span<const Status>(usual_statuses) : applet.statuses;
}

/// One sentence, for a line of its own: the first letter a capital, a full stop at the end. A list
/// of words, "file, dir", keeps the first of them as it is.
std::string sentence(std::string_view text) {
  std::string line(text);
  const bool list = text.substr(0, text.find(' ')).find_first_of(",;") != text.npos;
  if (!list && text.substr(0, 1) >= "a" && text.substr(0, 1) <= "z") {
    line[0] = static_cast<char>(line[0] - 'a' + 'A');
  }
  return line.ends_with('.') || line.ends_with('?') ? line : line + ".";
}

// ---- mdoc

/// How roff is told of a byte that it would show as another sign, which no shell knows, or take for
/// its own; empty for all others.
std::string_view roff_escape(char byte) {
  switch (byte) {
    case '\\':
      return "\\e";
    case '-':
      return "\\-";
    case '\'':
      return "\\(aq";
    case '`':
      return "\\(ga";
    case '^':
      return "\\(ha";
    case '~':
      return "\\(ti";
    default:
      return {};
  }
}

/// Text that is none of roff's own.
std::string roff(std::string_view text) {
  std::string to;
  for (const char byte : text) {
    const std::string_view escape = roff_escape(byte);
    if (escape.empty()) {
      to += byte;
    } else {
      to += escape;
    }
  }
  return to;
}

/// The same, where a line may end behind the commas of a list that is as long as a narrow one.
std::string roff_word(std::string_view word) {
  std::string to = roff(word);
  if (word.size() < 24) return to;
  for (std::size_t at = to.find(','); at < to.size() - 1; at = to.find(',', at)) {
    to.insert(++at, "\\:");
  }
  return to;
}

/// Adds `text` in lines of its own that are not too long for those who read the source.
void append_lines(std::string& to, std::string_view text) {
  constexpr std::size_t source_width = 78;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string word = roff_word(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (column != 0 && column + 1 + word.size() > source_width) {
      to += '\n';
      column = 0;
    }
    if (column != 0) {
      to += ' ';
    } else if (word.starts_with('.')) {
      to += "\\&";  // at the beginning of a line it is the sign of a macro
    }
    to += word;
    column += 1 + word.size();
  }
  to += '\n';
}

/// A text for the arguments of a macro. Words of two letters could be macros themselves.
std::string macro_word(std::string_view text) {
  std::string to = text.size() == 2 ? "\"\\&" : "\"";
  for (const char byte : roff(text)) {
    if (byte == '"')
      to += "\\(dq";
    else
      to += byte;
  }
  return to + "\"";
}

/// Sentences of `text`, each on a line of its own, as manual pages have them.
void append_sentences(std::string& to, std::string_view text) {
  std::string line;
  for (std::size_t at = 0; at < text.size(); ++at) {
    line += text[at];
    const bool ends = (text[at] == '.' || text[at] == ':') && text.substr(at + 1, 1) == " " &&
                      text.substr(at + 2, 1) >= "A" && text.substr(at + 2, 1) <= "Z";
    if (!ends) continue;
    append_lines(to, line);
    line.clear();
    ++at;
  }
  if (!line.empty()) append_lines(to, line);
}

void append_paragraphs(std::string& to, std::string_view text) {
  for (bool first = true; !text.empty(); first = false) {
    const std::size_t end = std::min(text.find("\n\n"), text.size());
    if (!first) to += ".Pp\n";
    append_sentences(to, text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
}

void append_list_item(std::string& to, std::string_view label, std::string_view text) {
  to.append(".It ").append(macro_word(label)).append("\n");
  append_sentences(to, text);
}

void append_option_item(std::string& to, const Option& option) {
  to += ".It";
  if (option.is_operand()) {
    to.append(" Ar ").append(macro_word(option.value));
    if (many(option)) to += " ...";
  } else if (option.shape == Option::Shape::dashed) {
    to.append(" Fl Ns Ar ").append(macro_word(option.value));
  } else {
    if (option.letter != 0) to.append(" Fl ").append(macro_word({&option.letter, 1}));
    if (!option.name.empty()) {
      if (option.letter != 0) to += " , ";
      to.append(" Fl ").append(macro_word("-" + std::string(option.name)));
    }
    if (option.shape == Option::Shape::value) to.append(" Ar ").append(macro_word(option.value));
    if (option.shape == Option::Shape::optional_value) {
      to.append(" Ns Op Ns = Ns Ar ").append(macro_word(option.value));
    }
  }
  to += "\n";
  append_sentences(to, sentence(text_of(option)));
}

/// What the manual page is called; that of --install is osbox-install.
std::string page_name(const Applet& applet) {
  const std::size_t dashes = applet.name.find_first_not_of('-');
  return "osbox-" + std::string(applet.name.substr(std::min(dashes, applet.name.size())));
}

/// `list` is "stat(2), errno(3)"; in the page they are sorted by section and name, as is usual.
void append_see_also(std::string& to, std::string_view list) {
  std::vector<std::pair<std::string_view, std::string_view>> pages = {{"1", "osbox"}};
  while (!list.empty()) {
    const std::string_view page = list.substr(0, list.find(", "));
    list.remove_prefix(std::min(page.size() + 2, list.size()));
    const std::size_t open = std::min(page.find('('), page.size() - 1);
    pages.emplace_back(page.substr(open + 1, page.size() - open - 2), page.substr(0, open));
  }
  std::ranges::sort(pages);
  to += ".Sh SEE ALSO\n";
  for (const auto& page : pages) {
    to.append(".Xr ").append(page.second).append(" ").append(page.first);
    to += &page == &pages.back() ? "\n" : " ,\n";
  }
}

}  // namespace

void append_wrapped(std::string& to, std::string_view text, std::size_t indent, std::size_t width) {
  std::size_t column = to.size() - (to.rfind('\n') + 1);
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t word_width = out::display_width(word);
    if (!first && column + 1 + word_width > width) {
      to.append(1, '\n').append(indent, ' ');
      column = indent;
      first = true;
    }
    if (!first) {
      to += ' ';
      ++column;
    }
    first = false;
    to += word;
    column += word_width;
  }
  to += '\n';
}

void append_entry(std::string& to, std::string_view label, std::string_view text,
                  std::size_t indent, std::size_t width) {
  const std::size_t begin = to.size();
  to.append("  ").append(label);
  if (to.size() - begin + 2 > indent) {
    to += '\n';
    to.append(indent, ' ');
  } else {
    to.append(indent - (to.size() - begin), ' ');
  }
  append_wrapped(to, text, indent, width);
}

std::size_t page_width(std::size_t columns) { return std::clamp<std::size_t>(columns, 40, 80); }

std::string help_page(const Applet& applet, std::string_view name, std::size_t columns) {
  const std::size_t width = page_width(columns);
  const Alias* called = nullptr;
  for (const Alias& alias : applet.aliases) {
    if (alias.name == name) called = &alias;
  }
  std::string to = "osbox ";
  to.append(name).append(": ");
  append_wrapped(to, called != nullptr ? called->summary : applet.summary, 2, width);
  to.append("\nUsage: osbox ").append(name).append(" ");
  append_wrapped(to, usage_of(applet), 9, width);
  if (!applet.aliases.empty()) to += '\n';
  for (const Alias& alias : applet.aliases) {
    std::string line = "osbox ";
    line.append(alias.name).append(" is osbox ").append(applet.name);
    if (!alias.options.empty()) line.append(" ").append(alias.options);
    append_wrapped(to, line + ".", 2, width);
  }
  for (const Part& part : parts_of(applet)) {
    to.append("\n").append(part.title).append(":\n");
    for (const Option* const option : part.rows) {
      append_entry(to, label_of(*option), text_of(*option), 26, width);
    }
  }
  for (const out::Table& table : applet.tables) {
    to += "\nFields";
    if (!table.when.empty()) to.append(" ").append(table.when);
    to += ":\n";
    for (const out::Field& field : table.fields) {
      append_entry(to,
                   std::string(field.name) + " (" + std::string(out::kind_word(field.kind)) + ")",
                   field.help, 26, width);
    }
  }
  to += "\nExit status:\n";
  for (const Status& status : statuses_of(applet))
    append_entry(to, status.status, status.meaning, 8, width);
  if (!applet.examples.empty()) {
    to += "\nExamples:\n";
    for (const Example& example : applet.examples) {
      to.append("  osbox ").append(example.command).append("\n      ");
      append_wrapped(to, example.purpose, 6, width);
    }
  }
  to += '\n';
  append_wrapped(to, "The manual, " + page_name(applet) + "(1), tells the rest.", 0, width);
  return to;
}

std::string manual_page(const Applet& applet) {
  const std::string title = page_name(applet);
  std::string to;
  std::string upper = title;
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  to.append(".Dd ")
      .append(OSBOX_DATE)
      .append("\n.Dt ")
      .append(upper)
      .append(" 1\n.Os \"osbox " OSBOX_VERSION "\"\n");
  to.append(".Sh NAME\n.Nm ").append(title);
  for (const Alias& alias : applet.aliases) to.append(" ,\n.Nm osbox-").append(alias.name);
  to.append("\n.Nd ").append(roff(applet.summary)).append("\n.Sh SYNOPSIS\n.Nm osbox ");
  to.append(roff(applet.name)).append("\n.Op Ar OPTION ...\n");
  for (const Option& option : applet.options) {
    if (!option.is_operand()) continue;
    to += option.required ? ".Ar " : ".Op Ar ";
    to.append(macro_word(option.value)).append(many(option) ? " ...\n" : "\n");
  }
  to += ".Sh DESCRIPTION\n";
  append_paragraphs(to, applet.description);
  for (const Alias& alias : applet.aliases) {
    to.append(".Pp\n.Ic ").append(macro_word(alias.name)).append("\nis\n.Ic ");
    std::string meaning(applet.name);
    if (!alias.options.empty()) meaning.append(" ").append(alias.options);
    to.append(macro_word(meaning)).append(" .\n");
  }
  for (const Part& part : parts_of(applet)) {
    to.append(".Ss ").append(part.title).append("\n.Bl -tag -width Ds\n");
    for (const Option* const option : part.rows) append_option_item(to, *option);
    to += ".El\n";
  }
  for (const out::Table& table : applet.tables) {
    to += ".Ss Fields";
    if (!table.when.empty()) to.append(" ").append(roff(table.when));
    to += "\n.Bl -tag -width Ds\n";
    for (const out::Field& field : table.fields) {
      to.append(".It Va ").append(macro_word(field.name)).append(" Pq ");
      to.append(macro_word(out::kind_word(field.kind))).append("\n");
      append_sentences(to, sentence(field.help));
    }
    to += ".El\n";
  }
  to += ".Sh EXIT STATUS\n.Bl -tag -width Ds\n";
  for (const Status& status : statuses_of(applet)) {
    append_list_item(to, status.status, sentence(status.meaning));
  }
  to += ".El\n";
  if (!applet.examples.empty()) {
    to += ".Sh EXAMPLES\n";
    bool first = true;
    for (const Example& example : applet.examples) {
      if (!first) to += ".Pp\n";
      first = false;
      append_sentences(to, sentence(example.purpose));
      to.append(".Bd -literal -offset indent\n").append("osbox ");
      to.append(roff(example.command)).append("\n.Ed\n");
    }
  }
  append_see_also(to, applet.see_also);
  return to;
}

}  // namespace cli
