// Templates: the input is one, as --format takes it, and one as stat -c takes it.
#include <array>
#include <string>
#include <vector>

#include "core/out/number.hpp"
#include "core/out/percent.hpp"
#include "core/out/plan.hpp"
#include "core/out/quote.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace out;
using fuzz::check;

/// A field of every kind.
struct Row {
  Value flag, integer, natural, time, word, name, names, words, numbers;
};

constexpr std::array fields = {
    boolean<&Row::flag>("flag", ""),
    out::integer<&Row::integer>("int", ""),
    out::natural<&Row::natural>("size", ""),
    out::time<&Row::time>("time_ns", ""),
    text<&Row::word>("type", ""),
    out::name<&Row::name>("path", ""),
    out::names<&Row::names>("names", ""),
    texts<&Row::words>("words", ""),
    integers<&Row::numbers>("ids", ""),
};

constexpr std::string_view hostile = "bad\xff\x1b[31m'\n\xe2\x80\xae\xf0\x9f\x98";
constexpr std::string_view some_names[] = {"a", "", hostile, "two words"};
constexpr std::string_view some_words[] = {"umask", "nice"};
constexpr std::int64_t some_numbers[] = {0, INT64_MIN, INT64_MAX};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {Value::boolean(true), Value::integer(-1), Value::natural(1), Value::time({}),
       Value::text("file"), Value::name("a"), Value::names(some_names), Value::texts(some_words),
       Value::integers(some_numbers)},
      {},
      {Value::boolean(false), Value::integer(INT64_MIN), Value::natural(UINT64_MAX),
       Value::time({INT64_MIN, 999'999'999}), Value::text(""), Value::name(hostile),
       Value::names({}), Value::texts({}), Value::integers({})},
      {Value::boolean(true), Value::integer(INT64_MAX), Value::natural(256),
       Value::time({INT64_MAX, 1}), Value::text("dir"), Value::name("\xc3\xa9\xe6\x97\xa5"),
       Value::names(some_names), Value::texts(some_words), Value::integers(some_numbers)},
  };
  return all;
}

/// `value` where the template says no more than its name.
std::string plain(const Value& value, Names names, std::string_view null) {
  std::string to;
  const auto add = [&to](const std::string& element) { to += (to.empty() ? "" : " ") + element; };
  switch (value.kind()) {
    case Kind::null:
      return std::string(null);
    case Kind::boolean:
      return value.boolean() ? "true" : "false";
    case Kind::integer:
      return std::to_string(value.integer());
    case Kind::natural:
      return std::to_string(value.natural());
    case Kind::time: {
      __extension__ using Wide = __int128;
      Wide left = Wide{value.time().seconds} * 1'000'000'000 + value.time().nanoseconds;
      const bool negative = left < 0;
      do {
        to.insert(to.begin(), static_cast<char>('0' + (negative ? -(left % 10) : left % 10)));
        left /= 10;
      } while (left != 0);
      return negative ? "-" + to : to;
    }
    case Kind::text:
      return std::string(value.bytes());
    case Kind::name:
      return names == Names::quoted ? quoted(value.bytes()) : std::string(value.bytes());
    case Kind::names:
    case Kind::texts:
      for (const std::string_view element : value.list()) add(quoted(element));
      return to;
    case Kind::integers:
      for (const std::int64_t element : value.integers()) add(std::to_string(element));
      return to;
  }
  return to;
}

/// What is understood of a template without a library: text, and fields with or without a format.
struct Part {
  std::string text;
  const Field* field = nullptr;
  bool formatted = false;
};
/// None where it is wrong, whatever the formats in it are.
std::optional<std::vector<Part>> parts_of(std::string_view format) {
  std::vector<Part> parts(1);
  while (!format.empty()) {
    const char byte = format[0];
    const std::string_view two = format.substr(0, 2);
    format.remove_prefix(1);
    if (two == "{{" || two == "}}" || two == "\\\\") {
      parts.back().text += byte;
    } else if (two == "\\n" || two == "\\t" || two == "\\0") {
      parts.back().text += two == "\\n" ? '\n' : two == "\\t" ? '\t' : '\0';
    } else if (byte == '}' || byte == '\\') {
      return std::nullopt;
    } else if (byte != '{') {
      parts.back().text += byte;
      continue;
    } else {
      if (!format.contains('}')) return std::nullopt;
      std::string_view specification = fuzz::take_until(format, '}');
      const std::string_view name = fuzz::take_until(specification, ':');
      for (const Field& field : fields) {
        if (field.name == name) parts.back().field = &field;
      }
      if (parts.back().field == nullptr) return std::nullopt;
      parts.back().formatted = !specification.empty();
      parts.emplace_back();
      continue;
    }
    format.remove_prefix(1);
  }
  // "%s" and the like, which are another program's fields.
  const std::string& text = parts[0].text;
  const std::size_t percent = parts.size() == 1 ? text.find('%') : text.npos;
  const bool counted =
      percent != text.npos && percent > 0 && text[percent - 1] >= '0' && text[percent - 1] <= '9';
  if (!counted && percent != text.npos && percent + 1 < text.size()) {
    const int letter = text[percent + 1] | 0x20;
    if ('a' <= letter && letter <= 'z') return std::nullopt;
  }
  return parts;
}

void write(std::string_view format, Names names, std::string_view null) {
  const auto plan = Plan::format(fields, format, names, '\n', null);
  const auto parts = parts_of(format);
  bool formatted = false;
  if (parts) {
    for (const Part& part : *parts) formatted = formatted || part.formatted;
  }
  check(formatted || plan.has_value() == parts.has_value(), "what a template is");
  if (!plan) {
    std::string sentence;
    append_visible(sentence, plan.error());
    check(!sentence.empty() && fuzz::visible_lines(sentence), "a sentence", sentence);
    return;
  }
  check(parts.has_value(), "what a template is not");
  for (const Row& row : rows()) {
    std::string record;
    plan->write(&row, record);
    std::string again;
    plan->write(&row, again);
    check(again == record, "one row, one record", record);
    std::string expected;
    for (const Part& part : *parts) {
      expected += part.text;
      if (part.field != nullptr) expected += plain(part.field->get(&row), names, null);
    }
    check(formatted || record == expected + '\n', "the record of a template", record);
  }
}

void write_percent(std::string_view format) {
  const auto directives = parse_percent(format);
  if (!directives) {
    check(fuzz::visible_lines(directives.error()), "a sentence", directives.error());
    return;
  }
  for (const Percent& directive : *directives) {
    std::string to = directive.before;
    append_percent(to, directive, hostile);
    for (const int base : {8, 10, 16}) append_percent(to, directive, UINT64_MAX, base);
    append_percent(to, directive, std::int64_t{INT64_MIN});
    append_percent(to, directive, core::Time{INT64_MIN, 999'999'999});
    append_percent(to, directive, core::Time{-1, 1});
  }
}

}  // namespace

void fuzz::run(std::string_view input) {
  constexpr std::size_t longest = 256;
  if (input.size() > longest) return;
  write(input, Names::raw, "");
  write(input, Names::quoted, "?");
  write_percent(input);
}
