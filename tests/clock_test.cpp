#include "core/out/clock.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <ctime>

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
