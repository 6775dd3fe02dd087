#include "core/out/plan.hpp"

#include <fmt/core.h>

#include <charconv>
#include <iterator>
#include <utility>

#include "core/out/json.hpp"
#include "core/out/nearest.hpp"
#include "core/out/number.hpp"
#include "core/out/quote.hpp"
#include "core/out/utf8.hpp"

namespace out {
namespace {

using Append = void (*)(std::string& to, std::string_view bytes);

/// Adds `value` as text. A list is its elements, each a word of the shell as `append_element` has
/// it, with blanks between them.
void append_text(std::string& to, const Value& value, Names names,
                 Append append_element = append_quoted) {
  bool first = true;
  const auto separate = [&] {
    if (!std::exchange(first, false)) to += ' ';
  };
  switch (value.kind()) {
    case Kind::null:
      break;
    case Kind::boolean:
      to += value.boolean() ? "true" : "false";
      break;
    case Kind::integer:
      append_number(to, value.integer());
      break;
    case Kind::natural:
      append_number(to, value.natural());
      break;
    case Kind::time:
      append_nanoseconds(to, value.time());
      break;
    case Kind::text:
      to += value.bytes();
      break;
    case Kind::name:
      if (names == Names::quoted) {
        append_quoted(to, value.bytes());
      } else {
        to += value.bytes();
      }
      break;
    case Kind::names:
    case Kind::texts:
      for (const std::string_view element : value.list()) {
        separate();
        append_element(to, element);
      }
      break;
    case Kind::integers:
      for (const std::int64_t element : value.integers()) {
        separate();
        append_number(to, element);
      }
      break;
  }
}

/// Takes fill and alignment from the front of a format specification.
std::string_view take_alignment(std::string_view& specification) {
  const auto aligns = [](std::string_view rest) {
    return !rest.empty() && (rest[0] == '<' || rest[0] == '>' || rest[0] == '^');
  };
  if (specification.empty()) return {};
  std::size_t length = 0;
  const Utf8 fill = decode_utf8(specification);
  const std::size_t fill_length = fill.length != 0 ? fill.length : 1;
  if (aligns(specification.substr(fill_length))) {
    length = fill_length + 1;
  } else if (aligns(specification)) {
    length = 1;
  }
  const std::string_view alignment = specification.substr(0, length);
  specification.remove_prefix(length);
  return alignment;
}

/// Fill, alignment and width of a format specification, with nothing that depends on the type.
std::string blank_format_of(std::string_view specification) {
  std::string blank(take_alignment(specification));
  specification.remove_prefix(
      std::min(specification.find_first_not_of("+- #0"), specification.size()));
  const std::size_t width = specification.find_first_not_of("0123456789");
  return blank.append(specification.substr(0, width));
}

#ifdef __SIZEOF_INT128__
/// A number that takes more than 64 bits with its sign.
void append_wide(std::string& to, const std::string& format, const Value& value) {
  __extension__ using Wide = __int128;
  Wide number = 0;
  if (value.kind() == Kind::natural) {
    number = value.natural();
  } else {
    number = Wide{value.time().seconds} * 1'000'000'000 + value.time().nanoseconds;
  }
  fmt::vformat_to(std::back_inserter(to), format, fmt::make_format_args(number));
}
#else
/// A number that takes more than 64 bits with its sign, which fmt does not know on 32-bit machines:
/// there it follows the format as text does, with its sign, but is decimal and not filled with
/// zeros in any case. A natural number without a sign is as everywhere.
void append_wide(std::string& to, const std::string& format, const Value& value) {
  std::string_view rest = std::string_view(format).substr(2, format.size() - 3);
  std::string blank = blank_format_of(rest);
  // Unlike text, a number stands on the right.
  if (take_alignment(rest).empty()) blank.insert(0, 1, '>');
  const bool plus = rest.starts_with('+') || rest.starts_with(' ');
  if (value.kind() == Kind::natural && !plus && !rest.starts_with('-')) {
    const std::uint64_t number = value.natural();
    fmt::vformat_to(std::back_inserter(to), format, fmt::make_format_args(number));
    return;
  }
  std::string text;
  append_text(text, value, Names::raw);
  if (plus && !text.starts_with('-')) text.insert(0, 1, rest[0]);
  fmt::vformat_to(std::back_inserter(to), "{:" + blank + "}", fmt::make_format_args(text));
}
#endif

void append_formatted(std::string& to, const std::string& format, const Value& value, Names names) {
  const auto put = [&](const auto& argument) {
    fmt::vformat_to(std::back_inserter(to), format, fmt::make_format_args(argument));
  };
  switch (value.kind()) {
    case Kind::boolean:
      put(value.boolean());
      break;
    case Kind::integer:
      put(value.integer());
      break;
    case Kind::natural:
      // fmt shows no sign of an unsigned number.
      if (value.natural() <= INT64_MAX) {
        put(static_cast<std::int64_t>(value.natural()));
      } else {
        append_wide(to, format, value);
      }
      break;
    case Kind::time:
      if (const auto count = nanoseconds(value.time())) {
        put(*count);
      } else {
        append_wide(to, format, value);
      }
      break;
    case Kind::null:
      put(std::string_view());
      break;
    case Kind::text:
      put(value.bytes());
      break;
    case Kind::name:
      if (names == Names::raw) {
        put(value.bytes());
        break;
      }
      [[fallthrough]];
    default: {
      std::string text;
      append_text(text, value, names);
      put(text);
    }
  }
}

void append_shell(std::string& to, std::string_view variable, const Value& value) {
  switch (value.kind()) {
    case Kind::name:
    case Kind::text:
      append_assignment(to, variable, value.bytes());
      break;
    case Kind::names:
    case Kind::texts:
    case Kind::integers: {
      // For eval "set -- $variable", which every shell must understand.
      std::string words;
      append_text(words, value, Names::raw, append_word);
      append_assignment(to, variable, words);
      break;
    }
    case Kind::null:
      append_assignment(to, variable, {});
      break;
    default:
      to += variable;
      to += '=';
      append_text(to, value, Names::raw);
  }
}

/// Any value of `kind`, to try a format on.
Value example(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return Value::boolean(true);
    case Kind::integer:
      return Value::integer(-1);
    case Kind::natural:
      return Value::natural(1);
    case Kind::time:
      return Value::time({});
    default:
      return Value::text("a");
  }
}

/// What may stand behind the colon of a field of `kind`.
std::string_view formats_of(Kind kind) {
  switch (kind) {
    case Kind::integer:
    case Kind::natural:
    case Kind::time:
      return "a number has fill and <, > or ^, then +, - or a blank, #, 0, width, and d, x, X, b, "
             "B or o";
    case Kind::boolean:
      return "true or false has fill and <, > or ^, then width; with d it is a number";
    default:
      return "text has fill and <, > or ^, then width, .precision and s";
  }
}

/// True where `specification` asks for a width, or a precision, that no line needs.
bool too_wide(std::string_view specification) {
  const char* const end = specification.data() + specification.size();
  for (const char* at = specification.data(); at != end;) {
    std::size_t number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error == std::errc::result_out_of_range || number > widest) return true;
    at = next == at ? at + 1 : next;
  }
  return false;
}

std::string list_of(std::span<const Field> fields) {
  std::string list;
  for (const Field& field : fields) {
    if (!list.empty()) list += ", ";
    list += field.name;
  }
  return list;
}

/// " (did you mean size?)", or nothing.
std::string near_to(std::string_view name, std::span<const Field> fields) {
  std::vector<std::string_view> known;
  for (const Field& field : fields) known.push_back(field.name);
  return did_you_mean(name, known);
}

bool is_letter(char byte) { return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'); }

/// The byte that the escape sequence of `letter` stands for.
std::optional<char> unescaped(char letter) {
  switch (letter) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '0':
      return '\0';
    case '\\':
      return '\\';
    default:
      return std::nullopt;
  }
}

}  // namespace

bool has_directive(std::string_view text) {
  const std::size_t percent = text.find('%');
  if (percent == text.npos || percent + 1 == text.size()) return false;
  const bool counted = percent > 0 && text[percent - 1] >= '0' && text[percent - 1] <= '9';
  return !counted && is_letter(text[percent + 1]);
}

void Plan::add(Piece piece) {
  if (piece.field != nullptr) want_ |= piece.field->want;
  pieces_.push_back(std::move(piece));
}

Plan Plan::json(std::span<const Field> fields, char end) {
  Plan plan;
  for (const Field& field : fields) {
    std::string key(plan.pieces_.empty() ? "{\"" : ",\"");
    key.append(field.name).append("\":");
    plan.add({.before = std::move(key), .field = &field, .form = Form::json});
  }
  plan.add({.before = std::string("}") + end});
  return plan;
}

Plan Plan::shell(std::span<const Field> fields, std::string_view prefix, char end) {
  Plan plan;
  for (const Field& field : fields) {
    plan.add({.before = plan.pieces_.empty() ? "" : " ",
              .field = &field,
              .form = Form::shell,
              .variable = std::string(prefix).append(field.name)});
  }
  plan.add({.before = std::string(1, end)});
  return plan;
}

std::expected<Plan, std::string> Plan::format(std::span<const Field> fields,
                                              std::string_view format, Names names, char end,
                                              std::string_view null) {
  const auto refuse = [](std::string text) { return std::unexpected(std::move(text)); };
  Plan plan;
  plan.names_ = names;
  plan.null_ = null;
  std::string before;
  for (std::size_t at = 0; at < format.size(); ++at) {
    const char byte = format[at];
    const char next = at + 1 < format.size() ? format[at + 1] : '\0';
    if (byte == '\\') {
      const auto plain = at + 1 < format.size() ? unescaped(next) : std::nullopt;
      if (!plain) return refuse("a backslash in a format stands before n, t, 0 or another one");
      before += *plain;
      ++at;
    } else if ((byte == '{' || byte == '}') && next == byte) {
      before += byte;
      ++at;
    } else if (byte == '}') {
      return refuse("a single '}' in a format; '}}' stands for one");
    } else if (byte == '{') {
      const std::size_t close = format.find('}', at);
      if (close == format.npos) return refuse("a '{' in a format that no '}' ends");
      const std::string_view inside = format.substr(at + 1, close - at - 1);
      at = close;
      const std::size_t colon = inside.find(':');
      const std::string_view name = inside.substr(0, colon);
      const std::string_view specification =
          colon == inside.npos ? std::string_view() : inside.substr(colon + 1);
      const Field* field = nullptr;
      for (const Field& candidate : fields) {
        if (candidate.name == name) field = &candidate;
      }
      if (field == nullptr) {
        return refuse("no field " + quoted(name) + near_to(name, fields) + "; there are " +
                      list_of(fields));
      }
      Piece piece{.before = std::exchange(before, {}), .field = field};
      if (!specification.empty()) {
        piece.form = Form::format;
        piece.format = "{:" + std::string(specification) + "}";
        piece.blank_format = "{:" + blank_format_of(specification) + "}";
        std::string trial;
        if (too_wide(specification)) return refuse(quoted(inside) + " is too wide");
        // A number as the byte of that code would bring a terminal whatever there is.
        bool suits = !specification.ends_with('c');
        try {
          append_formatted(trial, piece.format, example(field->kind), Names::raw);
          append_formatted(trial, piece.blank_format, Value(), Names::raw);
        } catch (const std::exception&) {
          suits = false;
        }
        if (!suits) {
          return refuse("the format " + quoted(specification) + " does not suit the field " +
                        std::string(name) + ": " + std::string(formats_of(field->kind)));
        }
      }
      plan.add(std::move(piece));
    } else {
      before += byte;
    }
  }
  // Constant text may be meant, the directives of other tools are not.
  if (plan.pieces_.empty() && has_directive(before)) {
    return refuse("a format has fields in braces, as '{" + std::string(fields.front().name) +
                  "}', and no %; there are " + list_of(fields));
  }
  before += end;
  plan.add({.before = std::move(before)});
  return plan;
}

void Plan::write(const void* row, std::string& to) const {
  for (const Piece& piece : pieces_) {
    to += piece.before;
    if (piece.field == nullptr) continue;
    const Value value = piece.field->get(row);
    const bool null = value.kind() == Kind::null;
    switch (piece.form) {
      case Form::text:
        append_text(to, null ? Value::text(null_) : value, names_);
        break;
      case Form::format:
        append_formatted(to, null ? piece.blank_format : piece.format,
                         null ? Value::text(null_) : value, names_);
        break;
      case Form::json:
        append_json_value(to, piece.field->name, value);
        break;
      case Form::shell:
        append_shell(to, piece.variable, value);
        break;
    }
  }
}

}  // namespace out
