// Names in every format that somebody reads back: the input is one, and a list of them with commas.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/out/json.hpp"
#include "core/out/plan.hpp"
#include "core/out/quote.hpp"
#include "core/out/utf8.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace out;
using fuzz::check;

bool one_line(std::string_view text) { return fuzz::visible_lines(text) && !text.contains('\n'); }

// -- a small shell

/// What no shell gives a meaning to.
bool is_inert(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z') || std::string_view("_@%+=:,./-").contains(byte);
}

std::optional<char> escaped(char letter) {
  constexpr std::string_view letters = "ntr\\'";
  constexpr std::string_view bytes = "\n\t\r\\'";
  const std::size_t at = letters.find(letter);
  return at == letters.npos ? std::nullopt : std::optional(bytes[at]);
}

/// Takes three octal digits.
char take_octal(std::string_view& text) {
  unsigned value = 0;
  for (int i = 0; i < 3; ++i) {
    check(!text.empty() && text[0] >= '0' && text[0] <= '7', "an octal escape", text);
    value = value * 8 + static_cast<unsigned>(text[0] - '0');
    text.remove_prefix(1);
  }
  check(value < 256, "a byte");
  return static_cast<char>(value);
}

bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

/// What printf(1) makes of `format`, which asks for no operand, in a command substitution.
std::string printed(std::string_view format) {
  std::string to;
  while (!format.empty()) {
    if (take(format, "%%")) {
      to += '%';
    } else if (take(format, "\\\\")) {
      to += '\\';
    } else if (take(format, "\\n")) {
      to += '\n';
    } else if (take(format, "\\")) {
      to += take_octal(format);
    } else {
      check(format[0] != '%', "no conversion", format);
      to += format[0];
      format.remove_prefix(1);
    }
  }
  to.resize(to.find_last_not_of('\n') + 1);
  return to;
}

/// Takes a word off the front of `text`, up to a blank or what else ends it; with `dollars` $'...'
/// too, and otherwise what only an assignment has.
std::string take_word(std::string_view& text, bool dollars,
                      const std::map<std::string, std::string, std::less<>>* variables = nullptr) {
  std::string word;
  const auto take_quoted = [&](std::string& to) {
    check(text.contains('\''), "quotes in pairs", text);
    to += fuzz::take_until(text, '\'');
  };
  if (variables == nullptr) check(!text.empty() && text[0] != '=', "a word", text);
  while (!text.empty() && text[0] != ' ' && text[0] != ';') {
    if (take(text, "'")) {
      take_quoted(word);
    } else if (take(text, "\\'")) {
      word += '\'';
    } else if (dollars && take(text, "$'")) {
      while (!take(text, "'")) {
        if (take(text, "\\")) {
          check(!text.empty(), "a whole escape");
          const auto byte = escaped(text[0]);
          word += byte ? *byte : take_octal(text);
          if (byte) text.remove_prefix(1);
        } else {
          check(!text.empty(), "quotes in pairs");
          word += text[0];
          text.remove_prefix(1);
        }
      }
    } else if (variables != nullptr && take(text, "$(printf ")) {
      std::string format;
      const bool ended = take(text, "-- ");
      while (!take(text, ")")) {
        if (take(text, "\\'")) {
          format += '\'';
        } else {
          check(take(text, "'"), "a quoted format", text);
          take_quoted(format);
        }
      }
      check(ended || !format.starts_with('-'), "no option of printf", format);
      word += printed(format);
    } else if (variables != nullptr && take(text, "${")) {
      std::string value = variables->at(std::string(fuzz::take_until(text, '%')));
      check(take(text, ".}"), "a dot is cut off", text);
      if (value.ends_with('.')) value.pop_back();
      word += value;
    } else {
      check(is_inert(text[0]), "nothing that means something to a shell", text);
      word += text[0];
      text.remove_prefix(1);
    }
  }
  return word;
}

/// The variables that `line` sets.
std::map<std::string, std::string, std::less<>> evaluate(std::string_view line) {
  std::map<std::string, std::string, std::less<>> variables;
  while (!line.empty()) {
    const std::string name(fuzz::take_until(line, '='));
    check(!name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == name.npos,
          "an assignment", line);
    check(line.empty() || line[0] != '=', "no path of a command, as zsh has it", line);
    variables[name] = take_word(line, false, &variables);
    check(line.empty() || take(line, "; ") || take(line, " "), "assignments apart", line);
  }
  return variables;
}

// -- a small reader of JSON

unsigned take_hex(std::string_view& text) {
  unsigned unit = 0;
  for (int i = 0; i < 4; ++i) {
    const std::size_t digit =
        std::string_view("0123456789abcdef").find(text.empty() ? 'x' : text[0]);
    check(digit < 16, "four digits", text);
    unit = unit * 16 + static_cast<unsigned>(digit);
    text.remove_prefix(1);
  }
  return unit;
}

void append_utf8(std::string& to, unsigned point) {
  const auto add = [&to](unsigned byte) { to += static_cast<char>(byte); };
  if (point < 0x80) return add(point);
  if (point < 0x800) {
    add(0xc0 | point >> 6);
  } else {
    if (point < 0x10000) {
      add(0xe0 | point >> 12);
    } else {
      add(0xf0 | point >> 18);
      add(0x80 | (point >> 12 & 0x3f));
    }
    add(0x80 | (point >> 6 & 0x3f));
  }
  add(0x80 | (point & 0x3f));
}

/// A string, as os.fsencode gives its bytes back; `lone` becomes true where it had a surrogate.
std::string take_string(std::string_view& text, bool& lone) {
  check(take(text, "\""), "a string", text);
  std::string bytes;
  while (!take(text, "\"")) {
    check(!text.empty() && static_cast<unsigned char>(text[0]) >= 0x20, "no control character",
          text);
    if (take(text, "\\u")) {
      unsigned unit = take_hex(text);
      if (unit >= 0xd800 && unit < 0xdc00) {
        check(take(text, "\\u"), "a pair", text);
        const unsigned low = take_hex(text);
        check(low >= 0xdc00 && low < 0xe000, "a pair", text);
        unit = 0x10000 + ((unit & 0x3ff) << 10 | (low & 0x3ff));
      }
      const bool surrogate = unit >= 0xdc80 && unit < 0xdd00;
      check(surrogate || unit < 0xdc00 || unit > 0xdfff, "a byte as a surrogate");
      lone = lone || surrogate;
      if (surrogate) {
        bytes += static_cast<char>(unit & 0xff);
      } else {
        append_utf8(bytes, unit);
      }
    } else if (take(text, "\\")) {
      check(!text.empty(), "a whole escape");
      const auto byte = text[0] == '"' ? '"' : escaped(text[0]);
      check(byte && text[0] != '\'', "an escape of JSON", text);
      bytes += *byte;
      text.remove_prefix(1);
    } else {
      bytes += text[0];
      text.remove_prefix(1);
    }
  }
  return bytes;
}

std::string take_base64(std::string_view& text) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  check(take(text, "\""), "base64", text);
  std::string bytes;
  unsigned bits = 0;
  unsigned count = 0;
  std::size_t characters = 0;
  for (; !take(text, "\""); text.remove_prefix(1), ++characters) {
    check(!text.empty(), "base64 has an end");
    if (text[0] == '=') continue;
    check(digits.contains(text[0]), "base64", text);
    bits = bits << 6 | static_cast<unsigned>(digits.find(text[0]));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  check(characters % 4 == 0, "base64 in fours");
  return bytes;
}

// -- what is written is read back

void quote(const std::string& name) {
  const std::string word = quoted(name);
  std::string_view rest = word;
  check(one_line(word), "one line that is safe to show", word);
  check(take_word(rest, true) == name && rest.empty(), "a quoted name is that name", word);
  std::string bare;
  append_word(bare, name);
  rest = bare;
  check(take_word(rest, false) == name && rest.empty(), "a word is what it stands for", bare);
  std::string visible;
  append_visible(visible, name);
  check(one_line(visible), "a sentence that is safe to show", visible);
  check(!one_line(name) || visible == name, "and as it is where it may", visible);
}

struct Row {
  std::string_view name;
  std::span<const std::string_view> names;
};
constexpr Field fields[] = {
    out::name<&Row::name>("name", ""),
    out::names<&Row::names>("names", ""),
};

void assign(const Row& row) {
  std::string line;
  Plan::shell(fields, "v_", '\n').write(&row, line);
  check(line.ends_with('\n') && one_line(std::string_view(line).substr(0, line.size() - 1)),
        "one line for the shell", line);
  line.pop_back();
  const auto variables = evaluate(line);
  check(variables.at("v_name") == row.name, "a variable has the bytes", line);
  std::string_view words = variables.at("v_names");
  for (const std::string_view name : row.names) {
    check(take_word(words, false) == name, "a list has them too", line);
    take(words, " ");
  }
  check(words.empty(), "and nothing more", line);
}

void encode(const Row& row) {
  std::string record;
  Plan::json(fields, '\n').write(&row, record);
  std::string_view rest = record;
  bool lone = false;
  check(take(rest, "{\"name\":"), "an object", rest);
  check(take_string(rest, lone) == row.name, "a string has the bytes", record);
  check(lone == !valid_utf8(row.name), "surrogates where a name is not UTF-8", record);
  if (lone) {
    check(take(rest, ",\"name_b64\":"), "then base64 too", record);
    check(take_base64(rest) == row.name, "base64 has the bytes", record);
  }
  check(take(rest, ",\"names\":["), "a list", rest);
  lone = false;
  for (std::size_t i = 0; i < row.names.size(); ++i) {
    check(i == 0 || take(rest, ","), "commas between", rest);
    check(take_string(rest, lone) == row.names[i], "a list has the bytes", record);
  }
  check(take(rest, "]"), "the end of the list", rest);
  if (lone) {
    check(take(rest, ",\"names_b64\":["), "then base64 of all", record);
    for (std::size_t i = 0; i < row.names.size(); ++i) {
      check(i == 0 || take(rest, ","), "commas between", rest);
      check(take_base64(rest) == row.names[i], "base64 has the bytes", record);
    }
    check(take(rest, "]"), "the end of the list", rest);
  }
  check(rest == "}\n" && one_line(std::string_view(record).substr(0, record.size() - 1)),
        "one line of JSON", record);
}

}  // namespace

void fuzz::run(std::string_view input) {
  constexpr std::size_t longest = 256;
  if (input.size() > longest) return;
  std::vector<std::string_view> names;
  for (std::string_view rest = input; !rest.empty();) names.push_back(take_until(rest, ','));
  const Row row{input, names};
  encode(row);
  // No name has one, and no variable could.
  if (input.contains('\0')) return;
  quote(std::string(input));
  assign(row);
}
