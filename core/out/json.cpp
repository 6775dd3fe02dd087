#include "core/out/json.hpp"

#include "core/out/number.hpp"
#include "core/out/utf8.hpp"

namespace out {
namespace {

constexpr char hex[] = "0123456789abcdef";

void append_unicode_escape(std::string& to, unsigned unit) {
  to += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) to += hex[(unit >> shift) & 0xf];
}

void append_base64(std::string& to, std::string_view bytes) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  to += '"';
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    unsigned bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = (bits << 8) | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      to += i <= group.size() ? digits[(bits >> (18 - 6 * i)) & 0x3f] : '=';
    }
  }
  to += '"';
}

bool plain(char byte) { return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\'; }

/// Adds the elements of a list with `add`, which takes one.
template <class List, class Add>
void append_array(std::string& to, const List& list, Add add) {
  to += '[';
  bool first = true;
  for (const auto& element : list) {
    if (!first) to += ',';
    first = false;
    add(element);
  }
  to += ']';
}

}  // namespace

bool append_json_string(std::string& to, std::string_view bytes) {
  bool valid = true;
  to += '"';
  while (!bytes.empty()) {
    std::size_t run = 0;
    while (run < bytes.size() && plain(bytes[run])) ++run;
    to += bytes.substr(0, run);
    bytes.remove_prefix(run);
    if (bytes.empty()) break;
    const Utf8 next = decode_utf8(bytes);
    if (next.length == 0) {
      append_unicode_escape(to, 0xdc00U + static_cast<unsigned char>(bytes[0]));
      valid = false;
    } else if (next.point == '"' || next.point == '\\') {
      to += '\\';
      to += bytes[0];
    } else if (next.point == '\n') {
      to += "\\n";
    } else if (next.point == '\t') {
      to += "\\t";
    } else if (!printable(next.point)) {
      append_unicode_escape(to, static_cast<unsigned>(next.point));
    } else {
      to += bytes.substr(0, next.length);
    }
    bytes.remove_prefix(next.length != 0 ? next.length : 1);
  }
  to += '"';
  return valid;
}

void append_json_member(std::string& to, std::string_view key, const Value& value) {
  to += '"';
  to += key;
  to += "\":";
  append_json_value(to, key, value);
}

void append_json_value(std::string& to, std::string_view key, const Value& value) {
  bool valid = true;
  switch (value.kind()) {
    case Kind::null:
      to += "null";
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
    case Kind::name:
      valid = append_json_string(to, value.bytes());
      break;
    case Kind::names:
    case Kind::texts:
      append_array(to, value.list(), [&](std::string_view element) {
        valid = append_json_string(to, element) && valid;
      });
      break;
    case Kind::integers:
      append_array(to, value.integers(), [&](std::int64_t element) { append_number(to, element); });
      break;
  }
  if (valid) return;
  to += ",\"";
  to += key;
  to += "_b64\":";
  if (value.kind() == Kind::names || value.kind() == Kind::texts) {
    append_array(to, value.list(), [&](std::string_view element) { append_base64(to, element); });
  } else {
    append_base64(to, value.bytes());
  }
}

}  // namespace out
