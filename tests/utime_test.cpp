#include <sys/stat.h>
#include <sys/syscall.h>

#include <ctime>
#include <random>

#include "core/out/number.hpp"
#include "core/sys/metadata.hpp"
#include "core/sys/stat.hpp"
#include "tests/harness.hpp"
#include "tests/injection.hpp"
#include "tests/sanitizer.hpp"

using tests::binary;
using tests::run;

namespace {

/// "atime mtime" of the file itself, in nanoseconds.
std::string times(const std::string& path) {
  const auto stat = core::lstat(path);
  REQUIRE(stat);
  std::string text;
  out::append_nanoseconds(text, stat->atime);
  text += ' ';
  out::append_nanoseconds(text, stat->mtime);
  return text;
}

/// `nanoseconds` as --atime takes them: seconds, and behind a point what is less than one.
std::string seconds_text(std::int64_t seconds, std::int64_t nanoseconds) {
  const bool negative = seconds < 0;
  auto whole = static_cast<std::uint64_t>(seconds);
  if (negative) {
    whole = 0 - whole;
    if (nanoseconds != 0) {
      --whole;
      nanoseconds = 1'000'000'000 - nanoseconds;
    }
  }
  std::string rest = std::to_string(nanoseconds);
  rest.insert(0, 9 - rest.size(), '0');
  return (negative ? "-" : "") + std::to_string(whole) + "." + rest;
}

}  // namespace

TEST_CASE("utime sets both times to now, and says nothing") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  CHECK(osbox({"utime", "--atime", "1", "--mtime", "2", file}).status == 0);
  CHECK(times(file) == "1000000000 2000000000");
  timespec before;
  ::clock_gettime(CLOCK_REALTIME_COARSE, &before);
  const Ran ran = osbox({"utime", file});
  CHECK(ran.status == 0);
  CHECK(ran.out == "");
  CHECK(ran.err == "");
  const auto stat = core::stat(file);
  CHECK(stat->atime == stat->mtime);
  CHECK(stat->atime.seconds >= before.tv_sec);
  CHECK(osbox({"utime", "--mtime", "now", "--atime=-5.25", file}).status == 0);
  CHECK(core::stat(file)->mtime.seconds >= before.tv_sec);
  CHECK(core::stat(file)->atime == core::Time{-6, 750'000'000});
}

TEST_CASE("utime with one time leaves the other, and omit leaves one too") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const auto set = [&](const std::vector<std::string>& options) {
    std::vector<std::string> words = {"utime"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(file);
    CHECK(osbox(words).status == 0);
    return times(file);
  };
  CHECK(set({"--atime", "1", "--mtime", "2"}) == "1000000000 2000000000");
  CHECK(set({"--atime", "3"}) == "3000000000 2000000000");
  CHECK(set({"--mtime", "-4"}) == "3000000000 -4000000000");
  CHECK(set({"--atime", "omit", "--mtime", "5"}) == "3000000000 5000000000");
  CHECK(set({"--mtime", "omit", "--atime", "1970-01-01T00:00:06Z"}) == "6000000000 5000000000");
  CHECK(set({"--atime", "1", "--atime", "2"}) == "2000000000 5000000000");
}

TEST_CASE("utime --reference takes the times of another file, but for those that are given") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const std::string other = scratch.file("other");
  const std::string link = scratch.link("other", "link");
  CHECK(osbox({"utime", "--atime", "-1.5", "--mtime", "0.000000001", other}).status == 0);
  CHECK(osbox({"utime", "--no-follow", "--atime", "10", "--mtime", "20", link}).status == 0);
  CHECK(times(other) == "-1500000000 1");
  CHECK(times(link) == "10000000000 20000000000");
  CHECK(osbox({"utime", "--reference", other, file}).status == 0);
  CHECK(times(file) == "-1500000000 1");
  CHECK(osbox({"utime", "--mtime", "7", "--reference", other, file}).status == 0);
  CHECK(times(file) == "-1500000000 7000000000");
  CHECK(osbox({"utime", "--atime", "omit", "--reference", other, file}).status == 0);
  CHECK(times(file) == "-1500000000 1");
  CHECK(osbox({"utime", "--no-follow", "--reference", link, file}).status == 0);
  CHECK(times(file) == "10000000000 20000000000");
  CHECK(osbox({"utime", "--reference", link, file}).status == 0);
  CHECK(times(file) == "-1500000000 1");
  const Ran gone = osbox({"utime", "--reference", scratch / "nosuch", file});
  CHECK(gone.status == 1);
  CHECK(gone.err == "utime: " + scratch / "nosuch" + ": stat: ENOENT: No such file or directory\n");
}

TEST_CASE("utime sets what os.utime sets, to the nanosecond, on every time the kernel has") {
  std::mt19937_64 random(3);
  std::string input;
  std::vector<std::string> texts;
  for (int i = 0; i < 600; ++i) {
    auto seconds = static_cast<std::int64_t>(random());
    if (i % 3 == 1) seconds >>= 30;
    if (i % 3 == 2) seconds >>= 45;
    if (i < 2) seconds = i == 0 ? INT64_MIN : INT64_MAX;
    const auto nanoseconds = static_cast<std::int64_t>(i % 7 == 0 ? 0 : random() % 1'000'000'000);
    texts.push_back(seconds_text(seconds, nanoseconds));
    input += std::to_string(seconds) + " " + std::to_string(nanoseconds) + "\n";
  }
  std::vector<std::string> bases = {"/dev/shm"};
  if (const char* const base = std::getenv("TMPDIR")) bases.emplace_back(base);
  bases.emplace_back("/tmp");
  for (const std::string& base : bases) {
    CAPTURE(base);
    const Scratch scratch(base);
    const auto theirs = tests::lines(run({.words = {"python3", "-c", R"(
import os, sys
times = []
for line in sys.stdin:
    seconds, nanoseconds = map(int, line.split())
    times.append(seconds * 10 ** 9 + nanoseconds)
for atime, mtime in zip(times[::2], times[1::2]):
    os.utime(sys.argv[1], ns=(atime, mtime))
    stat = os.stat(sys.argv[1])
    print(stat.st_atime_ns, stat.st_mtime_ns)
)",
                                                    scratch.file("theirs")},
                                          .input = input})
                                         .out);
    REQUIRE(theirs.size() == 300);
    const std::string file = scratch.file("ours");
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      CAPTURE(texts[2 * i]);
      CAPTURE(texts[2 * i + 1]);
      const Ran ran = osbox({"utime", "--atime", texts[2 * i], "--mtime", texts[2 * i + 1],
                             "--format", "{atime_ns} {mtime_ns}", file});
      CHECK(ran.status == 0);
      CHECK(ran.out == theirs[i] + "\n");
      CHECK(times(file) == theirs[i]);
    }
  }
}

TEST_CASE("utime understands dates as GNU touch does") {
  const Scratch scratch;
  const std::string ours = scratch.file("ours");
  const std::string theirs = scratch.file("theirs");
  std::mt19937 random(4);
  const auto below = [&random](unsigned most) { return static_cast<unsigned>(random() % most); };
  const char* const zones[] = {"UTC", "Europe/Berlin", "America/St_Johns", "XXX-5:45"};
  for (int i = 0; i < 160; ++i) {
    char text[80];
    char fraction[12] = "";
    char offset[12] = "";
    if (i % 4 == 1) std::snprintf(fraction, sizeof fraction, ".%09u", below(1'000'000'000));
    if (i % 4 == 2) std::snprintf(fraction, sizeof fraction, ",%u", below(1'000));
    if (i % 5 == 1) std::snprintf(offset, sizeof offset, "Z");
    if (i % 5 == 2) std::snprintf(offset, sizeof offset, "+%02u:%02u", below(15), below(60));
    if (i % 5 == 3) std::snprintf(offset, sizeof offset, " -%02u%02u", below(13), below(60));
    if (i % 5 == 4) std::snprintf(offset, sizeof offset, "+%02u", below(13));
    // No hour that a zone may skip or repeat: touch refuses those, or chooses.
    std::snprintf(text, sizeof text, "%04u-%02u-%02u%c%02u:%02u:%02u%s%s", 1902 + below(400),
                  1 + below(12), 1 + below(28), i % 3 == 0 ? ' ' : 'T', 6 + below(18), below(60),
                  below(60), fraction, offset);
    const std::string zone = std::string("TZ=") + zones[below(4)];
    CAPTURE(text);
    CAPTURE(zone);
    REQUIRE(run({.words = {"touch", "-m", "-d", text, theirs}, .environment = {"LC_ALL=C", zone}})
                .status == 0);
    const Ran ran =
        run({.words = {binary(), "utime", "--mtime", text, ours}, .environment = {zone}});
    CHECK(ran.err == "");
    CHECK(core::stat(ours)->mtime == core::stat(theirs)->mtime);
  }
}

TEST_CASE("utime takes digits alone for seconds, whatever date they look like") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  CHECK(osbox({"utime", "--mtime", "20261123", file}).status == 0);
  CHECK(core::stat(file)->mtime == core::Time{20261123, 0});
}

TEST_CASE("utime takes nanoseconds with their unit, as records have them") {
  const Scratch scratch("/dev/shm");
  const std::string file = scratch.file("file");
  const std::string copy = scratch.file("copy");
  for (const std::string count :
       {"0", "1", "-1", "999999999", "1000000000", "-1000000000", "-1000000001",
        "1795446456250000000", "-1795446456250000001", "9223372036854775806999999999",
        "-9223372036854775808000000000"}) {
    CAPTURE(count);
    CHECK(osbox({"utime", "--atime", count + "ns", "--mtime", "+0007ns", file}).status == 0);
    CHECK(times(file) == count + " 7");
    CHECK(tests::shell(R"sh(
osbox utime --mtime "$(osbox stat --format '{atime_ns}ns' "$1")" --atime 0 "$2")sh",
                       {file, copy})
              .status == 0);
    CHECK(times(copy) == "0 " + count);
  }
  for (const std::string text : {"ns", "-ns", "1.5ns", "1 ns", "1us", "--1ns", "1nsns",
                                 "9223372036854775808000000000ns", "2026-11-23ns"}) {
    CAPTURE(text);
    CHECK(osbox({"utime", "--mtime", text, file}).status == 2);
  }
}

TEST_CASE("utime takes no nanoseconds for seconds, and seconds with a point for what they are") {
  const Scratch scratch("/dev/shm");
  const std::string file = scratch.file("file");
  for (const std::string text : {"999999999999", "-999999999999", "0000999999999999"}) {
    CHECK(osbox({"utime", "--mtime", text, file}).status == 0);
  }
  CHECK(core::stat(file)->mtime == core::Time{999'999'999'999, 0});
  for (const std::string text :
       {"1795446456250000000", "-1795446456250000000", "+1000000000000", "-1000000000000"}) {
    CAPTURE(text);
    CHECK(osbox({"utime", "--mtime", text, file}).err ==
          "utime: --mtime " + text +
              ": 10^12 seconds or more; nanoseconds are written Nns, and seconds that are meant "
              "N.0; see 'osbox utime --help'\n");
  }
  CHECK(core::stat(file)->mtime == core::Time{999'999'999'999, 0});
  CHECK(osbox({"utime", "--mtime", "1000000000000.0", file}).status == 0);
  CHECK(core::stat(file)->mtime == core::Time{1'000'000'000'000, 0});
}

TEST_CASE("utime understands what stat and date show") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const std::string copy = scratch.file("copy");
  CHECK(osbox({"utime", "--mtime", "-2000000000.123456789", file}).status == 0);
  for (const std::string zone : {"UTC", "Asia/Kolkata", "XXX3:30"}) {
    CHECK(tests::shell(R"sh(export TZ="$3"
osbox utime --mtime "$(osbox stat -c %y "$1")" "$2" &&
osbox utime --atime "$(date -r "$1" -Ins)" "$2")sh",
                       {file, copy, zone})
              .err == "");
    CHECK(times(copy) == "-2000000000123456789 -2000000000123456789");
    CHECK(osbox({"utime", "--atime", "0", "--mtime", "0", copy}).status == 0);
  }
}

TEST_CASE("utime refuses what is no time, and changes nothing") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const std::string before = times(file);
  for (const std::string text : {"", "x", "nowhere", "Now", "2026-02-30", "25:00", "1e9", "0x10"}) {
    for (const std::string option : {"--atime", "--mtime"}) {
      const Ran ran = osbox({"utime", option, text, file});
      CAPTURE(text);
      CHECK(ran.status == 2);
      CHECK(ran.err.starts_with("utime: " + option + " "));
    }
  }
  CHECK(osbox({"utime", "--mtime", "2026-02-30", file}).err ==
        "utime: --mtime 2026-02-30: no such day; see 'osbox utime --help'\n");
  // The kernel would say that all is well, whatever the file.
  for (const std::string& path : {file, scratch / "nosuch"}) {
    CHECK(osbox({"utime", "--atime", "omit", path}).status == 2);
    CHECK(osbox({"utime", "--atime", "omit", "--mtime", "omit", path}).status == 2);
  }
  CHECK(times(file) == before);
}

TEST_CASE("utime tells with -v, and in records, what there was and what is now") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  CHECK(osbox({"utime", "--atime", "1", "--mtime", "-1", file}).status == 0);
  const Ran verbose =
      run({.words = {binary(), "utime", "-v", "--mtime", "1.5", file}, .environment = {"TZ=UTC"}});
  // Of what was not set there is nothing to tell.
  const std::string mtime =
      "mtime 1969-12-31 23:59:59.000000000 +0000 -> 1970-01-01 00:00:01.500000000 +0000";
  CHECK(verbose.out == file + ": " + mtime + "\n");
  const Ran both = run({.words = {binary(), "utime", "-v", "--atime", "1", "--mtime", "1.5", file},
                        .environment = {"TZ=UTC"}});
  CHECK(both.out == file +
                        ": atime 1970-01-01 00:00:01.000000000 +0000 -> "
                        "1970-01-01 00:00:01.000000000 +0000, mtime "
                        "1970-01-01 00:00:01.500000000 +0000 -> "
                        "1970-01-01 00:00:01.500000000 +0000\n");
  CHECK(osbox({"utime", "--json", "--atime", "2026-11-23T15:07:36.123456789Z", file}).out ==
        "{\"path\":\"" + file +
            "\",\"old_atime_ns\":1000000000,\"old_mtime_ns\":1500000000,"
            "\"atime_ns\":1795446456123456789,\"mtime_ns\":1500000000}\n");
}

TEST_CASE("utime --no-follow sets the times of a link itself") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const std::string link = scratch.link("file", "link");
  const std::string dangling = scratch.link("nosuch", "dangling");
  const std::string before = times(file);
  for (const std::string how : {"--exit-errno", "-v"}) {
    CHECK(osbox({"utime", how, "--no-follow", "--atime", "0", "--mtime", "0", link}).status == 0);
    CHECK(osbox({"utime", how, "--no-follow", "--mtime", "0", dangling}).status == 0);
    CHECK(osbox({"utime", how, dangling}).err ==
          "utime: " + dangling + ": ENOENT: No such file or directory\n");
    CHECK(core::lstat(link)->mtime == core::Time{});
    CHECK(core::lstat(dangling)->mtime == core::Time{});
    CHECK(times(file) == before);
    CHECK(osbox({"utime", how, "--no-follow", link, dangling}).status == 0);
    CHECK(core::lstat(link)->mtime > core::Time{});
  }
}

TEST_CASE("utime fails as os.utime does, waits for nothing, and makes no file") {
  const Scratch scratch;
  scratch.directory("dir");
  scratch.file("file", "", 0666);
  scratch.file("locked", "", 0644);
  scratch.fifo("fifo");
  scratch.link("file", "link");
  scratch.link("nosuch", "dangling");
  scratch.link("loop", "loop");
  scratch.directory("shut", 0700);
  scratch.file("shut/x");
  const std::vector<std::string> paths = {"file",     "locked",
                                          "dir",      "dir/",
                                          "fifo",     "link",
                                          "dangling", "loop",
                                          "",         ".",
                                          "nosuch/",  "file/x",
                                          "shut/x",   std::string(256, 'n'),
                                          "/",        "/proc/version"};
  const std::string script = R"(
import errno, os, sys
now, follow = sys.argv[1] == 'now', sys.argv[2] == 'True'
for path in sys.argv[3:]:
    try:
        os.utime(path, None if now else (1, 2), follow_symlinks=follow)
        print('done')
    except OSError as error:
        print(errno.errorcode[error.errno])
)";
  for (const bool as_nobody : {false, true}) {
    // Nobody but root may set the times of what is not his, and the root of all is left alone.
    const std::size_t count = as_nobody || !tests::is_root() ? paths.size() : paths.size() - 2;
    for (const bool now : {false, true}) {
      for (const bool follow : {false, true}) {
        tests::Command python{
            .words = {"python3", "-c", script, now ? "now" : "1", follow ? "True" : "False"},
            .directory = scratch.path(),
            .as_nobody = as_nobody};
        python.words.insert(python.words.end(), paths.begin(),
                            paths.begin() + static_cast<std::ptrdiff_t>(count));
        const auto theirs = tests::lines(run(python).out);
        REQUIRE(theirs.size() == count);
        for (std::size_t i = 0; i < count; ++i) {
          tests::Command command{.words = {"timeout", "20", binary(), "utime", "--json"},
                                 .directory = scratch.path(),
                                 .as_nobody = as_nobody};
          if (!now) {
            for (const std::string word : {"--atime", "1", "--mtime", "2"}) {
              command.words.push_back(word);
            }
          }
          if (!follow) command.words.emplace_back("--no-follow");
          command.words.push_back(paths[i]);
          CAPTURE(command.words);
          CAPTURE(as_nobody);
          const Ran ran = run(command);
          CHECK((ran.status == 0) == (theirs[i] == "done"));
          if (theirs[i] == "done") continue;
          CHECK(ran.err.find("\"error\":\"" + theirs[i] + "\"") != std::string::npos);
          CHECK(ran.err.find("open") == std::string::npos);
        }
      }
    }
  }
  CHECK(!core::lstat(scratch / "nosuch"));
}

TEST_CASE("utime: a time that stands where a path is due is told as such") {
  const Scratch scratch;
  for (const std::string time :
       {"2021-01-01", "1795446456.25", "2021-01-01T10:00Z", "1795446456250000000ns"}) {
    CAPTURE(time);
    CHECK(osbox({"utime", scratch.file("f"), time}).err ==
          "utime: " + time +
              ": ENOENT: No such file or directory (a time stands behind --mtime or --atime)\n");
  }
}

TEST_CASE("utime takes any name, and operands from a file") {
  const Scratch scratch;
  std::string list;
  for (const std::string& name : tests::hostile_names()) {
    scratch.file(name);
    list += name + '\0';
  }
  const Ran ran = run({.words = {binary(), "utime", "--atime", "1", "--mtime", "2", "-0",
                                 "--format", "{path}", "--files0-from", "-"},
                       .input = list,
                       .directory = scratch.path()});
  CHECK(ran.status == 0);
  CHECK(ran.out == list);
  for (const std::string& name : tests::hostile_names()) {
    CHECK(times(scratch / name) == "1000000000 2000000000");
  }
}

TEST_CASE("utime --beneath and --no-symlinks keep to the directory") {
  const Scratch scratch;
  const std::string base = scratch.directory("base");
  const std::string outside = scratch.file("outside");
  const std::string inside = scratch.file("base/inside");
  scratch.link("../outside", "base/out");
  scratch.link("inside", "base/in");
  const std::string before = times(outside);
  for (const std::string how : {"--exit-errno", "-v"}) {
    if (!tests::newer_calls()) {
      CHECK(osbox({"utime", how, "--beneath", base, "in"}).status != 0);
      continue;
    }
    for (const std::string path : {"out", "../outside"}) {
      CHECK(osbox({"utime", how, "--mtime", "0", "--beneath", base, path}).err ==
            "utime: " + path + ": EXDEV: Invalid cross-device link\n");
    }
    CHECK(osbox({"utime", how, "--mtime", "0", "--no-symlinks", base + "/in"}).err ==
          "utime: " + base + "/in: ELOOP: Too many levels of symbolic links\n");
    CHECK(osbox({"utime", how, "--atime", "3", "--mtime", "4", "--beneath", base, "in"}).status ==
          0);
    CHECK(times(inside) == "3000000000 4000000000");
    CHECK(osbox({"utime", how, "--no-follow", "--mtime", "5", "--beneath", base, "out"}).status ==
          0);
    CHECK(core::lstat(base + "/out")->mtime == core::Time{5, 0});
  }
  CHECK(times(outside) == before);
}

TEST_CASE("utime: that the new times cannot be read is no failure to set them") {
  if (tests::disturbed_by_sanitizer()) return;
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const tests::Command command{.words = {binary(), "utime", "-v", "--mtime", "5", file},
                               .environment = {"TZ=UTC0"}};  // no file is read for it
  const auto look = tests::last_of(tests::watch(command), {SYS_statx, tests::fstatat_call}, EIO);
  const std::string fresh = scratch.file("file", "new");
  const Ran ran = tests::watch(command, {look}).ran;
  CHECK(ran.status == 1);
  CHECK(ran.out == "");
  CHECK(ran.err == "utime: " + file + ": stat: EIO: Input/output error (the times are set)\n");
  CHECK(times(fresh).ends_with(" 5000000000"));
}
