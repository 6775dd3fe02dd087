#include "core/out/utf8.hpp"

#include "tests/harness.hpp"

namespace {

std::string hex(std::string_view bytes) {
  std::string to;
  for (const char byte : bytes) {
    constexpr char digits[] = "0123456789abcdef";
    to += digits[static_cast<unsigned char>(byte) >> 4];
    to += digits[static_cast<unsigned char>(byte) & 15];
  }
  return to;
}

}  // namespace

TEST_CASE("UTF-8 is valid where Python's decoder says so") {
  tests::Command python{.words = {"python3", "-c", R"(
import sys
for line in sys.stdin:
    try: bytes.fromhex(line).decode(); print(1)
    except UnicodeDecodeError: print(0)
)"}};
  std::string ours;
  for (const std::string& bytes : tests::byte_strings()) {
    python.input += hex(bytes) + "\n";
    ours += out::valid_utf8(bytes) ? "1\n" : "0\n";
  }
  CHECK(tests::run(python).out == ours);
}

TEST_CASE("a code point is decoded whole, and what is none byte by byte") {
  CHECK(out::decode_utf8("\xf0\x9f\x98\x80z").point == 0x1f600);
  CHECK(out::decode_utf8("\xf0\x9f\x98\x80z").length == 4);
  CHECK(out::decode_utf8("\xe2\x82").length == 0);
  CHECK(out::decode_utf8("\xf4\x8f\xbf\xbf").point == 0x10ffff);
  CHECK(out::decode_utf8("\xf4\x90\x80\x80").length == 0);
  CHECK(out::decode_utf8(std::string_view("\0", 1)).length == 1);
}

TEST_CASE("what a terminal would obey is not printable") {
  const std::string python = tests::python(R"(
import unicodedata
for point in range(0x110000):
    c = chr(point)
    # Control characters, line ends, and the formatting ones that have to do with direction.
    if (unicodedata.category(c) in ('Cc', 'Zl', 'Zp')
        or unicodedata.bidirectional(c) in ('LRE', 'RLE', 'LRO', 'RLO', 'PDF', 'LRI', 'RLI', 'FSI', 'PDI')
        or c in '\u061c\u200e\u200f'):
        print(point)
)");
  std::string ours;
  for (char32_t point = 0; point < 0x110000; ++point) {
    if (!out::printable(point)) ours += std::to_string(static_cast<unsigned>(point)) + "\n";
  }
  CHECK(ours == python);
}

TEST_CASE("width is counted in columns") {
  CHECK(out::display_width("plain") == 5);
  CHECK(out::display_width("\xc3\xa9t\xc3\xa9") == 3);
  CHECK(out::display_width("\xd0\xb4\xe2\x82\xac") == 2);
  CHECK(out::display_width("e\xcc\x81") == 1);
  CHECK(out::display_width("\xe6\x97\xa5\xe6\x9c\xac") == 4);
  CHECK(out::display_width("\xf0\x9f\x98\x80") == 2);
  CHECK(out::display_width("\xff\xfe") == 2);
  CHECK(out::display_width("") == 0);
}
