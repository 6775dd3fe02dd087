#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "tests/colours.hpp"
#include "tests/harness.hpp"

namespace {

/// A directory with an entry of every kind, and every hostile name.
void fill(const Scratch& scratch) {
  scratch.file("file", "text");
  scratch.file(".hidden");
  scratch.directory("dir");
  scratch.fifo("fifo");
  scratch.link("file", "to-file");
  scratch.link("dir", "to-dir");
  scratch.link("nosuch", "dangling");
  scratch.link("self", "self");
  for (const std::string& name : tests::hostile_names()) scratch.file(name);
}

}  // namespace

TEST_CASE("scandir prints names and types, dot files too") {
  const Scratch scratch;
  scratch.file(".hidden");
  scratch.directory("dir");
  scratch.link("nosuch", "link");
  scratch.fifo("fifo");
  const Ran ran = osbox({"scandir", scratch.path()});
  CHECK(ran.status == 0);
  auto lines = tests::lines(ran.out);
  std::ranges::sort(lines);
  CHECK(lines == std::vector<std::string>{".hidden file", "dir dir", "fifo fifo", "link link"});
}

TEST_CASE("scandir agrees with Python, entry by entry and in its order") {
  const Scratch scratch;
  fill(scratch);
  const std::string script = R"(
import os, sys
def kind(e):
    if e.is_symlink(): return 'link'
    if e.is_dir(follow_symlinks=False): return 'dir'
    if e.is_file(follow_symlinks=False): return 'file'
    return 'other'
out = sys.stdout.buffer
for top in sys.argv[1:]:
    with os.scandir(top) as entries:
        for e in entries:
            out.write(os.fsencode(f'{e.name} {e.path} {e.inode()} {kind(e)}') + b'\0')
)";
  const auto others = [](std::string text) {
    for (const std::string word : {" fifo", " char", " block", " socket"}) {
      const std::string end = word + '\0';
      for (std::size_t at = 0; (at = text.find(end, at)) != text.npos;) {
        text.replace(at, end.size(), std::string(" other") + '\0');
      }
    }
    return text;
  };
  const Ran ran = osbox({"scandir", "-0", "--format", "{name} {path} {ino} {type}", scratch.path(),
                         scratch.path() + "/", "/etc", "/dev"});
  CHECK(ran.status == 0);
  CHECK(others(ran.out) ==
        tests::python(script, {scratch.path(), scratch.path() + "/", "/etc", "/dev"}));
}

TEST_CASE("scandir without DIR reads the current directory, as os.scandir does") {
  const Scratch scratch;
  scratch.file("x");
  const Ran ran = tests::run({.words = {tests::binary(), "scandir", "--format", "{dir} {path}"},
                              .directory = scratch.path()});
  CHECK(ran.out == ". ./x\n");
}

TEST_CASE("scandir --follow resolves links as is_dir and is_file do") {
  const Scratch scratch;
  fill(scratch);
  const Ran ran = osbox({"scandir", "--follow", "--json", scratch.path()});
  CHECK(ran.status == 0);
  CHECK(ran.err.empty());
  const std::string script = R"(
import json, os, sys
def kind(e):
    try:
        if e.is_dir(): return 'dir'
        if e.is_file(): return 'file'
    except OSError: pass
    return 'link' if e.is_symlink() else 'fifo'
theirs = {e.name: kind(e) for e in os.scandir(sys.argv[1])}
ours = {e['name']: e['type'] for e in map(json.loads, sys.argv[2].splitlines())}
print(ours == theirs, ours['to-dir'], ours['to-file'], ours['dangling'], ours['self'])
)";
  CHECK(tests::python(script, {scratch.path(), ran.out}) == "True dir file link link\n");
}

TEST_CASE("scandir --stat adds what lstat knows") {
  const Scratch scratch;
  fill(scratch);
  const std::string script = R"(
import json, os, sys
keys = 'mode ino dev nlink uid gid size blocks blksize rdev atime_ns mtime_ns ctime_ns'.split()
for line in sys.argv[2].splitlines():
    entry = json.loads(line)
    s = getattr(os, sys.argv[1])(entry['path'])
    for key in keys:
        if entry[key] != getattr(s, 'st_' + key): print(entry['name'], key)
print(len(sys.argv[2].splitlines()))
)";
  const std::string count = std::to_string(tests::hostile_names().size() + 8);
  CHECK(tests::python(script,
                      {"lstat", osbox({"scandir", "--stat", "--json", scratch.path()}).out}) ==
        count + "\n");

  // Followed, a link that leads nowhere is a failure, and is listed all the same.
  const Ran followed = osbox(
      {"scandir", "--stat", "--follow", "--format", "{name} {type} [{size}]", scratch.path()});
  CHECK(followed.status == 1);
  CHECK(followed.err.find("scandir: " + (scratch / "dangling") + ": stat: ENOENT") !=
        std::string::npos);
  CHECK(followed.err.find("scandir: " + (scratch / "self") + ": stat: ELOOP") != std::string::npos);
  CHECK(followed.out.find("dangling link []\n") != std::string::npos);
  CHECK(followed.out.find("to-file file [4]\n") != std::string::npos);
}

TEST_CASE("scandir looks at entries only where a field needs it") {
  const Scratch scratch;
  scratch.file("file");
  scratch.link("file", "link");
  const auto looks = [&scratch](std::vector<std::string> options) {
    std::vector<std::string> words = {"strace", "-e", "trace=statx,newfstatat", tests::binary(),
                                      "scandir"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(scratch.path());
    const Ran ran = tests::run({.words = words});
    REQUIRE(ran.status == 0);
    std::size_t count = 0;
    for (const std::string& line : tests::lines(ran.err)) {
      count += line.find("\"file\"") != line.npos || line.find("\"link\"") != line.npos ? 1 : 0;
    }
    return count;
  };
  CHECK(looks({}) == 0);
  CHECK(looks({"--json"}) == 0);
  CHECK(looks({"--format", "{name} {ino} {path}"}) == 0);
  CHECK(looks({"--stat", "--format", "{name}"}) == 0);
  CHECK(looks({"--follow"}) == 1);
  CHECK(looks({"--format", "{name} {size}"}) == 2);
  CHECK(looks({"--stat"}) == 2);
}

TEST_CASE("scandir asks for types that a directory does not tell, and tells of a read that fails") {
  const char* const odd = std::getenv("ODD_FILE_SYSTEM");
  if (odd == nullptr) {
    MESSAGE("a static osbox cannot be given an odd file system: not tested");
    return;
  }
  const Scratch scratch;
  scratch.directory("broken");
  scratch.file("broken/file");
  scratch.fifo("broken/fifo");
  scratch.link("file", "broken/link");
  scratch.directory("well");
  scratch.file("well/known");
  const Ran ran = tests::run({.words = {tests::binary(), "scandir", "broken", "well"},
                              .environment = {std::string("LD_PRELOAD=") + odd},
                              .directory = scratch.path()});
  CHECK(ran.status == 1);
  auto lines = tests::lines(ran.out);
  std::ranges::sort(lines);
  CHECK(lines == std::vector<std::string>{"fifo fifo", "file file", "known file", "link link"});
  CHECK(ran.err == "scandir: broken: readdir: EIO: Input/output error\n");
}

TEST_CASE("scandir leaves out what is gone before it could be looked at") {
  // The twin's fstatat cannot be denied: the program loader needs it too.
  if (!tests::newer_calls()) return;
  const Scratch scratch;
  scratch.file("file");
  const auto scan = [&](int error) {
    return tests::run({.words = {tests::binary(), "scandir", "--format", "{name}{size}", "."},
                       .directory = scratch.path(),
                       .denied = {{SYS_statx, error}}});
  };
  CHECK(scan(ENOENT).status == 0);
  CHECK(scan(ENOENT).out + scan(ENOENT).err == "");
  CHECK(scan(EIO).status == 1);
  CHECK(scan(EIO).out == "file\n");
  CHECK(scan(EIO).err == "scandir: ./file: lstat: EIO: Input/output error\n");
}

TEST_CASE("scandir lists a directory that may be read but not searched") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.file("d/file");
  scratch.link("file", "d/link");
  REQUIRE(::chmod((scratch / "d").c_str(), 0644) == 0);
  const auto scan = [&scratch](const std::vector<std::string>& options) {
    std::vector<std::string> words = {tests::binary(), "scandir"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(scratch / "d");
    return tests::run({.words = words, .as_nobody = true});
  };
  const Ran plain = scan({});
  CHECK(plain.status == 0);
  CHECK(plain.out.find("file file\n") != std::string::npos);
  CHECK(plain.out.find("link link\n") != std::string::npos);
  const Ran looked = scan({"--stat", "--format", "{name} {type} [{size}{user}]"});
  CHECK(looked.status == 1);
  CHECK(looked.out.find("file file []\n") != std::string::npos);
  CHECK(looked.err.find("scandir: " + (scratch / "d/file") +
                        ": lstat: EACCES: Permission denied\n") != std::string::npos);
  CHECK(tests::lines(looked.err).size() == 2);
}

TEST_CASE("scandir goes on after a directory that cannot be read") {
  const Scratch scratch;
  scratch.directory("locked", 0);
  scratch.directory("open");
  scratch.file("open/file");
  const Ran ran =
      tests::run({.words = {tests::binary(), "scandir", scratch / "locked", scratch / "nosuch",
                            scratch / "open/file", "", scratch / "open"},
                  .as_nobody = true});
  CHECK(ran.status == 1);
  CHECK(ran.out == "file file\n");
  CHECK(ran.err ==
        "scandir: " + (scratch / "locked") +
            ": EACCES: Permission denied\nscandir: " + (scratch / "nosuch") +
            ": ENOENT: No such file or directory\nscandir: " + (scratch / "open/file") +
            ": ENOTDIR: Not a directory\nscandir: '': ENOENT: No such file or directory\n");
}

TEST_CASE("scandir --beneath and --no-symlinks keep to the directory") {
  const Scratch scratch;
  const std::string base = scratch.directory("base");
  scratch.directory("base/d");
  scratch.file("base/file");
  scratch.link("../file", "base/d/inside");
  scratch.link("../../", "base/d/outside");
  scratch.link("d", "base/link");
  scratch.link("..", "base/up");
  if (!tests::newer_calls()) return;
  for (const std::string path : {"..", "/etc", "up", "d/outside"}) {
    const Ran ran = osbox({"scandir", "--beneath", base, path});
    CHECK(ran.out.empty());
    CHECK(ran.err == "scandir: " + path + ": EXDEV: Invalid cross-device link\n");
  }
  const std::vector<std::string> names = {"d/inside link", "d/outside link"};
  auto lines =
      tests::lines(osbox({"scandir", "--beneath", base, "--format", "{path} {type}", "d"}).out);
  std::ranges::sort(lines);
  CHECK(lines == names);
  // A link may lead anywhere below the base, and no further.
  const Ran followed =
      osbox({"scandir", "--follow", "--beneath", base, "--format", "{path} {type}", "d"});
  CHECK(followed.out.find("d/inside file\n") != std::string::npos);
  CHECK(followed.out.find("d/outside link\n") != std::string::npos);
  CHECK(followed.err == "scandir: d/outside: stat: EXDEV: Invalid cross-device link\n");

  CHECK(osbox({"scandir", "--no-symlinks", base + "/link"}).err ==
        "scandir: " + base + "/link: ELOOP: Too many levels of symbolic links\n");
  const Ran kept = osbox({"scandir", "--no-symlinks", "--follow", base + "/d"});
  CHECK(kept.out.find("inside link\n") != std::string::npos);
}

TEST_CASE("scandir streams a large directory, each entry once") {
  const Scratch scratch;
  REQUIRE(
      tests::shell("cd \"$1\" && seq -f file%06g 20000 | xargs touch", {scratch.path()}).status ==
      0);
  auto lines = tests::lines(osbox({"scandir", "--format", "{name}", scratch.path()}).out);
  std::ranges::sort(lines);
  CHECK(lines.size() == 20000);
  CHECK(std::ranges::adjacent_find(lines) == lines.end());
  // The reader goes away, and so does scandir.
  CHECK(tests::shell("osbox scandir \"$1\" | head -n 1", {scratch.path()}).err.empty());
}

TEST_CASE("scandir --stat has question marks for what could not be found out") {
  const Scratch scratch;
  scratch.directory("d", 0777);
  scratch.file("d/f");
  ::chmod((scratch / "d").c_str(), 0444);
  const Ran ran = tests::run(
      {.words = {tests::binary(), "scandir", "--stat", scratch / "d"}, .as_nobody = true});
  CHECK(ran.status == 1);
  CHECK(ran.out == "f file ? ? ? ?\n");
  CHECK(tests::run(
            {.words = {tests::binary(), "scandir", "--format", "{name}[{size}]", scratch / "d"},
             .as_nobody = true})
            .out == "f[]\n");
}

namespace {

constexpr out::Screen terminal = {.output_is_terminal = true};

std::vector<std::string> sorted_lines(const std::string& text) {
  auto lines = tests::lines(text);
  std::ranges::sort(lines);
  return lines;
}

}  // namespace

TEST_CASE("scandir colours names as ls does") {
  const Scratch scratch;
  fill(scratch);
  scratch.file("program", "", 0755);
  scratch.file("a.tar");
  scratch.directory("open", 01777);
  for (const char* const ls_colors :
       {"", "or=31:*.tar=33", "ln=target", "ex=:tw=", "di=:ex=:su=:sg=", "fi=32:ln=target:or=35"}) {
    CAPTURE(ls_colors);
    const tests::Variables variables(tests::colours(ls_colors));
    for (const bool on_terminal : {true, false}) {
      const out::Screen screen = {.output_is_terminal = on_terminal};
      const Ran theirs = osbox({"ls", "-AU1", "--color", scratch.path()}, screen);
      const Ran ours = osbox({"scandir", "--color", scratch.path()}, screen);
      const Ran plain = osbox({"scandir", "--color=never", scratch.path()}, screen);
      std::string names = ours.out;
      for (const std::string type : {"file", "dir", "fifo", "link"}) {
        for (std::size_t at; (at = names.find(" " + type + "\n")) != names.npos;) {
          names.erase(at, type.size() + 1);
        }
      }
      CHECK(names == theirs.out);
      // Names as they are may have what looks like a colour.
      CHECK((on_terminal ? plain.out : tests::without_colours(plain.out)) ==
            tests::without_colours(ours.out));
      const Ran stat = osbox({"scandir", "--stat", "--color", scratch.path()}, screen);
      const auto lines = tests::lines(ours.out);
      const auto longer = tests::lines(stat.out);
      if (on_terminal) {
        REQUIRE(lines.size() == longer.size());
        for (std::size_t i = 0; i < lines.size(); ++i) CHECK(longer[i].starts_with(lines[i] + " "));
      }
    }
  }
}

TEST_CASE("scandir has colours on a terminal that wants them, and in no record for a program") {
  const Scratch scratch;
  scratch.directory("dir");
  scratch.link("dir", "to-dir");
  scratch.link("nosuch", "gone");
  scratch.file("it's", "", 0755);
  const tests::Variables variables(tests::colours("or=31"));
  const auto scan = [&](const Words& how, const out::Screen& screen) {
    const Ran ran = osbox(joined(joined({"scandir"}, how), {scratch.path()}), screen);
    auto lines = tests::lines(tests::with_braces(ran.out));
    std::ranges::sort(lines, {},
                      [](const std::string& line) { return line.substr(line.find('}') + 1); });
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  };
  CHECK(scan({}, terminal) ==
        "{01;32}'it'\\''s'{} file\n{01;34}dir{} dir\n{31}gone{} link\n{01;36}to-dir{} link\n");
  CHECK(scan({"--color"}, {}).contains("{01;32}it's{} file\n"));
  CHECK(scan({"--follow"}, terminal).contains("{31}gone{} link\n{01;34}to-dir{} dir\n"));
  CHECK(scan({}, {}) == "dir dir\ngone link\nit's file\nto-dir link\n");
  CHECK(scan({"--color=auto"}, {}) == scan({}, {}));
  CHECK_FALSE(scan({"--color=never"}, terminal).contains('{'));
  for (const tests::Variables::Setting& setting :
       {tests::Variables::Setting{"NO_COLOR", "1"}, {"TERM", "dumb"}}) {
    const tests::Variables none(std::vector{setting});
    CHECK_FALSE(scan({}, terminal).contains('{'));
    CHECK(scan({"--color"}, terminal).contains('{'));
  }
  for (const Words& records : {Words{"--json"}, {"--format", "{name}"}, {"--shell"}, {"-0"}}) {
    const Ran ran =
        osbox(joined(joined({"scandir", "--color"}, records), {scratch.path()}), terminal);
    CHECK_FALSE(ran.out.contains('\033'));
    CHECK(ran.out.contains("to-dir"));
  }
  CHECK(osbox({"scandir", "--color=red", "."}).status == 2);
}

TEST_CASE("scandir asks for a colour only where there is one") {
  const Scratch scratch;
  for (const char* const name : {"t-f1", "t-f2", "t-f3"}) scratch.file(name);
  scratch.directory("t-d");
  scratch.link("t-f1", "t-link");
  const auto looks = [&](const std::string& ls_colors, const Words& words) {
    const Ran ran = tests::run({.words = joined({"strace", "-e", "trace=statx,newfstatat,fstatat64",
                                                 tests::binary(), "scandir"},
                                                words),
                                .environment = {"LS_COLORS=" + ls_colors},
                                .directory = scratch.path()});
    REQUIRE(ran.status == 0);
    return std::ranges::count_if(tests::lines(ran.err),
                                 [](const std::string& call) { return call.contains("\"t-"); });
  };
  CHECK(looks("", {}) == 0);
  CHECK(looks("", {"--color=never"}) == 0);
  CHECK(looks("", {"--color"}) == 4);
  CHECK(looks("or=31", {"--color"}) == 5);
  CHECK(looks("ex=:su=:sg=:tw=:ow=:st=", {"--color"}) == 0);
  CHECK(looks("", {"--color", "--follow"}) == 5);
  CHECK(looks("", {"--color", "--stat"}) == 5);
  CHECK(looks("", {"--color", "--json"}) == 0);
}

TEST_CASE("scandir fails for no colour, and asks for types as without") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.file("d/f.tar", "", 0755);
  scratch.link("f.tar", "d/l");
  const auto scan = [&](const Words& how, const std::vector<std::string>& environment) {
    return tests::run(
        {.words = joined(joined({tests::binary(), "scandir", "--color"}, how), {scratch / "d"}),
         .environment = environment,
         .as_nobody = true});
  };
  if (const char* const odd = std::getenv("ODD_FILE_SYSTEM")) {
    const std::string colours = "LS_COLORS=ln=target";
    for (const Words& how : {Words{}, {"--follow"}, {"--stat"}}) {
      const Ran asked = scan(how, {colours, std::string("LD_PRELOAD=") + odd});
      CHECK(asked.out == scan(how, {colours}).out);
      CHECK(asked.err.empty());
    }
  }
  REQUIRE(::chmod((scratch / "d").c_str(), 0444) == 0);
  const Ran ran = scan({}, {"LS_COLORS=*.tar=33"});
  CHECK(ran.status == 0);
  CHECK(ran.err.empty());
  CHECK(sorted_lines(tests::with_braces(ran.out)) ==
        std::vector<std::string>{"{01;36}l{} link", "{33}f.tar{} file"});
}
