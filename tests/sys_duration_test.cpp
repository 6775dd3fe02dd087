#include "core/sys/duration.hpp"

#include "tests/harness.hpp"

using namespace std::chrono_literals;
using core::Deadline;
using core::Duration;
using core::read_duration;

TEST_CASE("duration: a number and its unit, seconds without one") {
  CHECK(read_duration("0") == 0ns);
  CHECK(read_duration("1") == 1s);
  CHECK(read_duration("007") == 7s);
  CHECK(read_duration("1ns") == 1ns);
  CHECK(read_duration("20us") == 20us);
  CHECK(read_duration("300ms") == 300ms);
  CHECK(read_duration("1s") == 1s);
  CHECK(read_duration("2m") == 2min);
  CHECK(read_duration("3h") == 3h);
  CHECK(read_duration("4d") == 96h);
}

TEST_CASE("duration: fractions are exact, whatever the unit") {
  CHECK(read_duration(".3") == 300ms);
  CHECK(read_duration("5.") == 5s);
  CHECK(read_duration("5.s") == 5s);
  CHECK(read_duration("1.5m") == 90s);
  CHECK(read_duration("0.1d") == 144min);
  CHECK(read_duration("0.1") == 100ms);
  CHECK(read_duration("1.000000001") == 1s + 1ns);
  CHECK(read_duration("0.999999999") == 1s - 1ns);
  CHECK(read_duration("1.50000000000000000000000000000000000") == 1500ms);
  CHECK(read_duration("0.0000000000125d") == 1080ns);
}

TEST_CASE("duration: what is less than a nanosecond is one, so that no span becomes 0") {
  CHECK(read_duration("0.0000000001s") == 1ns);
  CHECK(read_duration("0.5ns") == 1ns);
  CHECK(read_duration("1.0000000001s") == 1s + 1ns);
  CHECK(read_duration("0.000000000000000000000000000000000000001d") == 1ns);
  CHECK(read_duration("0.99999999999999999999s") == 1s);
  CHECK(read_duration("0.0") == 0ns);
  CHECK(read_duration("0.00000000000000000000000000h") == 0ns);
}

TEST_CASE("duration: what is nothing of the kind is none") {
  for (const std::string text :
       {"",     ".",     "s",    ".s",  "ms",  "1e3", "-1",        "+1",         " 1",   "1 ",
        "1 s",  "1s ",   "0x1",  "0x",  "inf", "nan", "1,5",       "1.5.",       "1..5", "1S",
        "1sec", "1m30s", "1:30", "1\n", "5w",  "1M",  "\xc2\xb5s", "1\xc2\xb5s", "-",    "--1"}) {
    CAPTURE(text);
    CHECK(!read_duration(text));
  }
  CHECK(!read_duration(std::string_view("1\0", 2)));
}

TEST_CASE("duration: more than 200 years is none, in every unit") {
  for (const std::string text :
       {"99999999999999999999", "9223372036854775807", "9223372036854775808", "6324480001",
        "73201d", "1756801h", "105408001m", "99999999999999999999ns", "6324480000000000001ns"}) {
    CAPTURE(text);
    CHECK(!read_duration(text));
  }
  const Duration longest = 200 * 366 * 24h;
  for (const std::string text : {"6324480000", "73200d", "1756800h", "105408000m",
                                 "6324480000000000000ns", "00000000000000000000073200d"}) {
    CAPTURE(text);
    CHECK(read_duration(text) == longest);
  }
}

TEST_CASE("duration: Python's Fraction makes the same of any text") {
  std::vector<std::string> texts;
  for (const std::string number : {"1.23456789012345678901", "0.1000000001", "59.999999999999",
                                   "0.333333333333333333333", "17.00000000000000001", "2.718281"}) {
    for (const std::string unit : {"", "ns", "us", "ms", "s", "m", "h", "d"}) {
      texts.push_back(number + unit);
    }
  }
  std::string ours;
  for (const std::string& text : texts) {
    const auto span = read_duration(text);
    REQUIRE(span);
    ours += std::to_string(span->count()) + "\n";
  }
  CHECK(ours == tests::python(R"(
import math, re, sys
from fractions import Fraction
units = dict(ns=1, us=10**3, ms=10**6, s=10**9, m=60 * 10**9, h=3600 * 10**9, d=86400 * 10**9)
for text in sys.argv[1:]:
    number, unit = re.fullmatch(r'([0-9.]+)([a-z]*)', text).groups()
    print(math.ceil(Fraction(number) * units[unit or 's']))
)",
                              texts));
}

TEST_CASE("deadline: never, now, later, and the earlier of two") {
  const Deadline never;
  CHECK(!never.is_set());
  CHECK(!never.passed());
  CHECK(!never.left());
  const Deadline now = Deadline::in(0ns);
  CHECK(now.is_set());
  CHECK(now.passed());
  REQUIRE(now.left());
  CHECK(now.left()->tv_sec == 0);
  CHECK(now.left()->tv_nsec == 0);
  const Deadline later = Deadline::in(1h + 1ms);
  CHECK(!later.passed());
  REQUIRE(later.left());
  CHECK(later.left()->tv_sec <= 3600);
  CHECK(later.left()->tv_sec > 3000);
  CHECK(later.left()->tv_nsec < 1'000'000'000);
  CHECK(Deadline::earlier(now, later).passed());
  CHECK(Deadline::earlier(later, now).passed());
  CHECK(Deadline::earlier(never, now).passed());
  CHECK(Deadline::earlier(now, never).passed());
  CHECK(!Deadline::earlier(never, never).is_set());
  const Deadline farthest = Deadline::in(*read_duration("73200d"));
  CHECK(!farthest.passed());
  CHECK(farthest.left()->tv_sec > 6'000'000'000);
}
