#include "core/out/quote.hpp"

#include "core/out/utf8.hpp"

namespace out {
namespace {

/// True for ASCII that no shell gives a meaning to, anywhere in a word.
bool inert(char byte) {
  if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9'))
    return true;
  return std::string_view("_@%+=:,./-").find(byte) != std::string_view::npos;
}

/// Blanks of other scripts, which look like the end of a word.
bool blank(char32_t point) {
  return point == 0xa0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200d) ||
         point == 0x202f || point == 0x205f || point == 0x3000;
}

enum class Need { none, quotes, escapes };

Need need(std::string_view bytes) {
  // zsh takes "=ls" for the path of ls, in an assignment too.
  Need found = bytes.empty() || bytes[0] == '=' ? Need::quotes : Need::none;
  while (!bytes.empty()) {
    if (inert(bytes[0])) {
      bytes.remove_prefix(1);
      continue;
    }
    const Utf8 next = decode_utf8(bytes);
    if (next.length == 0 || !printable(next.point)) return Need::escapes;
    if (next.point < 0x80 || blank(next.point)) found = Need::quotes;
    bytes.remove_prefix(next.length);
  }
  return found;
}

void append_single_quoted(std::string& to, std::string_view bytes) {
  to += '\'';
  for (const char byte : bytes) {
    if (byte == '\'') {
      to += "'\\''";
    } else {
      to += byte;
    }
  }
  to += '\'';
}

void append_octal(std::string& to, char byte) {
  const auto value = static_cast<unsigned char>(byte);
  to += '\\';
  to += static_cast<char>('0' + (value >> 6));
  to += static_cast<char>('0' + ((value >> 3) & 7));
  to += static_cast<char>('0' + (value & 7));
}

/// Adds `bytes` with an octal escape for each that must not be seen, and what `escape` says for
/// each that means something to the reader.
template <class Escape>
void append_escaped(std::string& to, std::string_view bytes, Escape escape) {
  while (!bytes.empty()) {
    const Utf8 next = decode_utf8(bytes);
    const std::string_view one = bytes.substr(0, next.length != 0 ? next.length : 1);
    bytes.remove_prefix(one.size());
    const std::string_view instead = one.size() == 1 ? escape(one[0]) : std::string_view();
    if (!instead.empty()) {
      to += instead;
    } else if (next.length != 0 && printable(next.point)) {
      to += one;
    } else {
      for (const char byte : one) append_octal(to, byte);
    }
  }
}

}  // namespace

void append_quoted(std::string& to, std::string_view name) {
  switch (need(name)) {
    case Need::none:
      to += name;
      break;
    case Need::quotes:
      append_single_quoted(to, name);
      break;
    case Need::escapes:
      to += "$'";
      append_escaped(to, name, [](char byte) -> std::string_view {
        switch (byte) {
          case '\n':
            return "\\n";
          case '\t':
            return "\\t";
          case '\r':
            return "\\r";
          case '\\':
            return "\\\\";
          case '\'':
            return "\\'";
          default:
            return {};
        }
      });
      to += '\'';
      break;
  }
}

std::string quoted(std::string_view name) {
  std::string to;
  append_quoted(to, name);
  return to;
}

void append_word(std::string& to, std::string_view bytes) {
  if (need(bytes) == Need::none) {
    to += bytes;
  } else {
    append_single_quoted(to, bytes);
  }
}

void append_visible(std::string& to, std::string_view text) {
  append_escaped(to, text, [](char) { return std::string_view(); });
}

void append_assignment(std::string& to, std::string_view variable, std::string_view value) {
  to += variable;
  to += '=';
  switch (need(value)) {
    case Need::none:
      to += value;
      break;
    case Need::quotes:
      append_single_quoted(to, value);
      break;
    case Need::escapes: {
      // A command substitution loses newlines at the end. They are put aside with a dot behind
      // them, by themselves: bash 5.2 makes garbage of ${name%.} where bytes are not UTF-8.
      const std::size_t length = value.find_last_not_of('\n') + 1;
      const bool newlines = length != value.size();
      if (newlines) {
        to += "$(printf '";
        for (std::size_t i = length; i < value.size(); ++i) to += "\\n";
        to += ".'); ";
        to += variable;
        to += '=';
      }
      if (length != 0) {
        to += "$(printf -- '";
        append_escaped(to, value.substr(0, length), [](char byte) -> std::string_view {
          switch (byte) {
            case '\\':
              return "\\\\";
            case '%':
              return "%%";
            case '\'':
              return "'\\''";
            default:
              return {};
          }
        });
        to += "')";
      }
      if (newlines) {
        to += "${";
        to += variable;
        to += "%.}";
      }
      break;
    }
  }
}

}  // namespace out
