#include "core/out/clock.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <ctime>
#include <random>

#include "core/sys/stat.hpp"
#include "tests/harness.hpp"

namespace {

/// The time zone of this process, until the end of the test.
class Zone {
 public:
  explicit Zone(const char* name) {
    if (const char* const old = std::getenv("TZ")) old_ = old;
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  ~Zone() {
    if (old_) {
      ::setenv("TZ", old_->c_str(), 1);
    } else {
      ::unsetenv("TZ");
    }
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

 private:
  std::optional<std::string> old_;
};

std::string full(core::Time time) {
  std::string text;
  out::append_clock(text, time);
  return text;
}

std::string brief(core::Time time) {
  std::string text;
  out::ShortClock().append(text, time);
  return text;
}

/// Sets the modification time of `path`.
void set_time(const std::string& path, std::int64_t seconds, long nanoseconds) {
  const timespec times[2] = {{0, UTIME_OMIT}, {seconds, nanoseconds}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

constexpr std::int64_t day = 86'400;

}  // namespace

TEST_CASE("a time in full is the date, the time, its nanoseconds and the zone") {
  {
    const Zone zone("UTC");
    CHECK(full({1'795'446'456, 123'456'789}) == "2026-11-23 15:07:36.123456789 +0000");
    CHECK(full({0, 1}) == "1970-01-01 00:00:00.000000001 +0000");
    CHECK(full({-1, 999'999'999}) == "1969-12-31 23:59:59.999999999 +0000");
    CHECK(full({253'402'300'800, 0}) == "10000-01-01 00:00:00.000000000 +0000");
    CHECK(full({-62'135'596'800 - day, 0}) == "0000-12-31 00:00:00.000000000 +0000");
    CHECK(full({-64'000'000'000, 0}) == "-0059-12-03 06:13:20.000000000 +0000");
  }
  {
    const Zone zone("XXX3:30");
    CHECK(full({0, 0}) == "1969-12-31 20:30:00.000000000 -0330");
  }
  {
    const Zone zone("XXX-5:45");
    CHECK(full({0, 0}) == "1970-01-01 05:45:00.000000000 +0545");
  }
}

TEST_CASE("a time that the C library refuses is its seconds since the epoch") {
  const Zone zone("UTC");
  CHECK(full({INT64_MAX, 5}) == "9223372036854775807.000000005");
  CHECK(full({INT64_MIN, 0}) == "-9223372036854775808.000000000");
  CHECK(full({INT64_MIN, 1}) == "-9223372036854775807.999999999");
  CHECK(brief({INT64_MAX, 0}) == "9223372036854775807");
  CHECK(brief({INT64_MIN, 0}) == "-9223372036854775808");
}

TEST_CASE("a time in short has the time of day for half a year, then the year") {
  const Zone zone("UTC");
  CHECK(brief({0, 0}) == "Jan  1  1970");
  CHECK(brief({-1, 0}) == "Dec 31  1969");
  CHECK(brief({1'700'000'000, 0}) == "Nov 14  2023");
  CHECK(brief({253'402'300'800, 0}) == "Jan  1  10000");
  const std::int64_t now = ::time(nullptr);
  CHECK(brief({now - 100 * day, 0})[9] == ':');
  CHECK(brief({now - 200 * day, 0})[7] == ' ');
  CHECK(brief({now + day, 0})[7] == ' ');
}

TEST_CASE("a short time that is remembered is never taken for another") {
  const Zone zone("UTC");
  out::ShortClock clock;
  const auto ask = [&clock](core::Time time) {
    std::string text;
    clock.append(text, time);
    return text;
  };
  const std::int64_t minute = ::time(nullptr) / 60 * 60 - 100 * day;
  for (const std::int64_t seconds :
       {minute, minute + 59, minute + 60, minute - 1, minute, minute - 200 * day,
        minute - 200 * day + 59, minute + 200 * day, INT64_MAX, INT64_MIN, minute}) {
    CAPTURE(seconds);
    CHECK(ask({seconds, 0}) == brief({seconds, 0}));
  }
}

TEST_CASE("both forms are those of GNU ls, in every zone") {
  const Scratch scratch;
  const std::string path = scratch.file("f");
  const std::int64_t now = ::time(nullptr);
  for (const char* const name : {"UTC", "XXX-5:45", "Europe/Berlin", "America/St_Johns"}) {
    const Zone zone(name);
    for (const std::int64_t seconds :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{1'700'000'000}, now - day, now - 182 * day,
          now - 183 * day, now - 190 * day, now + 7200, std::int64_t{951'782'400}}) {
      set_time(path, seconds, 120'000'034);
      CAPTURE(name);
      CAPTURE(seconds);
      const auto gnu = [&](const std::string& style) {
        return tests::run({.words = {"ls", "-l", "--time-style=" + style, path},
                           .environment = {"LC_ALL=C"}})
            .out;
      };
      const core::Time time = core::stat(path)->mtime;
      CHECK(gnu("full-iso").find(" " + full(time) + " ") != std::string::npos);
      CHECK(gnu("locale").find(" " + brief(time) + " ") != std::string::npos);
    }
  }
}

TEST_CASE("what is written as a time is read as the same one, in every zone and of any size") {
  std::mt19937_64 random(1);
  for (const char* const name : {"UTC", "XXX-5:45", "XXX3:30", "Europe/Berlin", "Asia/Kolkata"}) {
    const Zone zone(name);
    for (int i = 0; i < 2000; ++i) {
      auto seconds = static_cast<std::int64_t>(random());
      // After 1970 no zone has seconds in it, which are not written.
      if (i % 2 == 0) seconds = static_cast<std::int64_t>(random() >> 24);
      if (i % 2 == 1 && std::string_view(name).find('/') != std::string_view::npos) continue;
      const core::Time time{seconds, static_cast<std::uint32_t>(random() % 1'000'000'000)};
      const std::string text = full(time);
      CAPTURE(text);
      const auto parsed = out::parse_clock(text);
      REQUIRE(parsed.has_value());
      CHECK(*parsed == time);
    }
  }
}

TEST_CASE("a time is read from many forms") {
  const Zone zone("XXX-1");
  const std::pair<const char*, core::Time> forms[] = {
      {"0", {0, 0}},
      {"+5", {5, 0}},
      {"-0", {0, 0}},
      {"-0.5", {-1, 500'000'000}},
      {"-1.000000001", {-2, 999'999'999}},
      {"1.1", {1, 100'000'000}},
      {"20261123", {20'261'123, 0}},
      {"9223372036854775807.999999999", {INT64_MAX, 999'999'999}},
      {"-9223372036854775808", {INT64_MIN, 0}},
      {"-9223372036854775807.25", {INT64_MIN, 750'000'000}},
      {"1970-01-01", {-3600, 0}},
      {"1970-01-01T01:00", {0, 0}},
      {"1970-01-01 01:00:01", {1, 0}},
      {"1970-01-01T01:00:01.5", {1, 500'000'000}},
      {"1970-01-01T01:00:01,000000001", {1, 1}},
      {"1970-01-01T00:00Z", {0, 0}},
      {"1970-01-01T00:00:00.25Z", {0, 250'000'000}},
      {"1970-01-01 00:00:00 Z", {0, 0}},
      {"1970-01-01T00:00-00:30", {1800, 0}},
      {"1970-01-01T00:00+0030", {-1800, 0}},
      {"1970-01-01 00:00 +02", {-7200, 0}},
      {"1969-12-31T23:59:59.999999999+00:00", {-1, 999'999'999}},
      {"2000-02-29T00:00Z", {951'782'400, 0}},
      {"2026-11-23T15:07:36.123456789Z", {1'795'446'456, 123'456'789}},
      {"0000-12-31T00:00Z", {-62'135'596'800 - day, 0}},
      {"-0059-12-03 06:13:20Z", {-64'000'000'000, 0}},
      {"10000-01-01T00:00Z", {253'402'300'800, 0}},
      {"292277026596-12-04T15:30:07Z", {INT64_MAX, 0}},
      {"-292277022657-01-27T08:29:52Z", {INT64_MIN, 0}},
  };
  for (const auto& [text, time] : forms) {
    CAPTURE(text);
    const auto parsed = out::parse_clock(text);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == time);
  }
}

TEST_CASE("what is no time is refused, with the reason") {
  const Zone zone("UTC");
  const auto refused = [](std::string_view text) {
    const auto parsed = out::parse_clock(text);
    return parsed ? full(*parsed) : parsed.error();
  };
  const std::string none = "neither seconds since 1970 nor a date such as 2026-11-23T15:07:36";
  for (const char* const text : {"",
                                 " ",
                                 "-",
                                 "+",
                                 "+-1",
                                 "--1",
                                 "x",
                                 ".5",
                                 "-.5",
                                 " 1",
                                 "1 ",
                                 "1e9",
                                 "0x1",
                                 "1,5",
                                 "nan",
                                 "inf",
                                 "@1",
                                 "now",
                                 "12:00",
                                 "T12:00",
                                 "2026-11",
                                 "2026-11-23T",
                                 "2026-11-23 ",
                                 "2026-11-23T1",
                                 "2026-11-23T15",
                                 "2026-11-23T15:7",
                                 "2026-11-23T15:07:",
                                 "2026-11-23T15:07:3",
                                 "2026-11-23T1507",
                                 "2026-11-23Z",
                                 "2026-11-23+01:00",
                                 "26-11-23",
                                 "2026-1-2",
                                 "2026-11-231",
                                 "2026-11-23T15:07x",
                                 "2026-11-23T15:07 ",
                                 "2026-11-23T15:07  Z",
                                 "2026-11-23T15:07z",
                                 "2026-11-23T15:07ZZ",
                                 "2026-11-23T15:07+",
                                 "2026-11-23T15:07+1",
                                 "2026-11-23T15:07+01:",
                                 "2026-11-23T15:07+01:0",
                                 "2026-11-23T15:07+01:60",
                                 "2026-11-23T15:07+25:00",
                                 "2026-11-23T15:07+01:00:00",
                                 "2026-11-23T15:07 CET",
                                 "2026/11/23",
                                 "--2026-11-23"}) {
    CAPTURE(text);
    CHECK(refused(text) == none);
  }
  CHECK(refused(std::string_view("1\0", 2)) == none);
  for (const char* const text : {"2026-02-30", "2025-02-29", "1900-02-29T00:00Z", "2026-00-01",
                                 "2026-13-01", "2026-01-00", "2026-04-31", "2026-01-32"}) {
    CAPTURE(text);
    CHECK(refused(text) == "no such day");
  }
  for (const char* const text : {"2026-11-23T24:00", "2026-11-23T25:00", "2026-11-23T15:60",
                                 "2016-12-31T23:59:60Z", "2026-11-23T15:07:61"}) {
    CAPTURE(text);
    CHECK(refused(text) == "no such time of day");
  }
  for (const char* const text : {"1.", "-1.", "1.1234567890", "2026-11-23T15:07:36.",
                                 "2026-11-23T15:07:36.Z", "2026-11-23T15:07:36,0123456789Z"}) {
    CAPTURE(text);
    CHECK(refused(text) == "one to nine digits stand behind the point");
  }
  for (const char* const text :
       {"9223372036854775808", "-9223372036854775809", "-9223372036854775808.000000001",
        "99999999999999999999999999", "292277026596-12-04T15:30:08Z",
        "-292277022657-01-27T08:29:51Z", "300000000001-01-01", "99999999999999999999-01-01",
        "292277026596-12-04", "-292277022657-01-28", "9999999999-01-01"}) {
    CAPTURE(text);
    CHECK(refused(text) == "time out of range");
  }
}

TEST_CASE(
    "a time without a zone is that of local clocks, the first of two, and none that is skipped") {
  for (const std::string name :
       {"UTC", "Europe/Berlin", "America/St_Johns", "America/Sao_Paulo", "Australia/Lord_Howe",
        "Africa/Casablanca", "Pacific/Apia", "Asia/Gaza", "XXX-5:45"}) {
    const tests::Command python{.words = {"python3", "-c", R"(
import datetime, random
random.seed(5)
times = [datetime.datetime(random.randint(1905, 2037), random.randint(1, 12), random.randint(1, 28),
                           random.randrange(24), random.randrange(60), random.randrange(60))
         for _ in range(500)]
# Around each change of the clocks in some years.
for year in 1945, 1976, 1999, 2011, 2018, 2026:
    hour = datetime.datetime(year, 1, 1)
    while hour.year == year:
        later = hour + datetime.timedelta(hours=1)
        if hour.astimezone().utcoffset() != later.astimezone().utcoffset():
            times += [hour + datetime.timedelta(minutes=m) for m in range(-180, 240, 15)]
        hour = later
for time in times:
    stamp = time.timestamp()
    whole = int(stamp) if stamp == int(stamp) else None
    shown = datetime.datetime.fromtimestamp(whole)
    print(time.isoformat(), whole if shown == time else 'skipped')
)"},
                                .environment = {"TZ=" + name}};
    const auto answers = tests::lines(tests::run(python).out);
    REQUIRE(answers.size() >= 500);
    const Zone zone(name.c_str());
    for (const std::string& answer : answers) {
      CAPTURE(name);
      CAPTURE(answer);
      const std::size_t blank = answer.find(' ');
      const auto parsed = out::parse_clock(answer.substr(0, blank));
      const std::string theirs = answer.substr(blank + 1);
      if (parsed) {
        CHECK(std::to_string(parsed->seconds) == theirs);
      } else {
        CHECK(parsed.error() == "local clocks skip this time");
        CHECK(theirs == "skipped");
      }
    }
  }
}
