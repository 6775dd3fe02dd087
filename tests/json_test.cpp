#include "core/out/json.hpp"

#include "core/out/utf8.hpp"
#include "tests/harness.hpp"

namespace {

std::string member(const out::Value& value) {
  std::string to = "{";
  out::append_json_member(to, "x", value);
  return to + "}";
}

std::string text(std::string_view bytes) {
  std::string to;
  out::append_json_string(to, bytes);
  return to;
}

/// The bytes that Python makes of lines of JSON, each with a NUL behind it: of "x" as os.fsencode
/// has them, checked against "x_b64", which must be there exactly where they are no UTF-8.
std::string decoded(const std::string& json) {
  const Ran ran = tests::run({.words = {"python3", "-c", R"(
import base64, json, sys
for line in sys.stdin.buffer:
    record = json.loads(line.decode('utf-8', 'strict'))
    bytes = record['x'].encode('utf-8', 'surrogateescape')
    lone = any(0xd800 <= ord(c) < 0xe000 for c in record['x'])
    assert lone == ('x_b64' in record), line
    if lone: assert base64.b64decode(record['x_b64'], validate=True) == bytes, line
    assert record['x'] == bytes.decode('utf-8', 'surrogateescape'), line
    sys.stdout.buffer.write(bytes + b'\0')
)"},
                              .input = json});
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  return ran.out;
}

}  // namespace

TEST_CASE(
    "a JSON string is what Python's os.fsdecode makes of the name, and gives its bytes back") {
  std::string json;
  std::string all;
  for (const std::string& bytes : tests::byte_strings()) {
    const std::string line = member(out::Value::name(bytes));
    // A line is a line, and nothing in it is obeyed by a terminal.
    for (std::string_view rest = line; !rest.empty();) {
      const out::Utf8 next = out::decode_utf8(rest);
      REQUIRE(next.length != 0);
      REQUIRE(out::printable(next.point));
      rest.remove_prefix(next.length);
    }
    json += line + "\n";
    all += bytes + '\0';
  }
  CHECK(decoded(json) == all);
}

TEST_CASE("JSON strings look as expected") {
  CHECK(text("a \"b\" \\c/") == R"("a \"b\" \\c/")");
  CHECK(text("\n\t\r\x1b\x7f") == R"("\n\t\u000d\u001b\u007f")");
  CHECK(text("\xc2\x9b\xe2\x80\xae") == R"("\u009b\u202e")");
  CHECK(text("\xc3\xa9\xf0\x9f\x98\x80") == "\"\xc3\xa9\xf0\x9f\x98\x80\"");
  CHECK(text("bad\xff") == R"("bad\udcff")");
  CHECK(member(out::Value::name("bad\xff")) == R"({"x":"bad\udcff","x_b64":"YmFk/w=="})");
  CHECK(member(out::Value::name("")) == R"({"x":""})");
}

TEST_CASE("JSON has numbers, words, lists and null") {
  CHECK(member(out::Value()) == R"({"x":null})");
  CHECK(member(out::Value::boolean(true)) == R"({"x":true})");
  CHECK(member(out::Value::integer(INT64_MIN)) == R"({"x":-9223372036854775808})");
  CHECK(member(out::Value::natural(UINT64_MAX)) == R"({"x":18446744073709551615})");
  constexpr std::string_view list[] = {"a", "b\xff"};
  CHECK(member(out::Value::names(list)) == R"({"x":["a","b\udcff"],"x_b64":["YQ==","Yv8="]})");
  CHECK(member(out::Value::texts(list)) == member(out::Value::names(list)));
  CHECK(member(out::Value::names({})) == R"({"x":[]})");
  constexpr std::int64_t numbers[] = {1, -2};
  CHECK(member(out::Value::integers(numbers)) == R"({"x":[1,-2]})");
}

TEST_CASE("nanoseconds are exact, before 1970 and beyond 64 bits") {
  const std::pair<core::Time, std::string> times[] = {
      {{0, 0}, "0"},
      {{0, 1}, "1"},
      {{-1, 999'999'999}, "-1"},
      {{-1, 0}, "-1000000000"},
      {{-2, 500'000'000}, "-1500000000"},
      {{1'700'000'000, 123'456'789}, "1700000000123456789"},
      {{9'223'372'036, 854'775'807}, "9223372036854775807"},
      {{9'223'372'036, 854'775'808}, "9223372036854775808"},
      {{-9'223'372'037, 145'224'191}, "-9223372036854775809"},
      {{20'000'000'000, 5}, "20000000000000000005"},
      {{-20'000'000'000, 5}, "-19999999999999999995"},
      {{INT64_MAX, 999'999'999}, "9223372036854775807999999999"},
      {{INT64_MIN, 0}, "-9223372036854775808000000000"},
  };
  for (const auto& [time, expected] : times) {
    CHECK(member(out::Value::time(time)) == "{\"x\":" + expected + "}");
  }
}
