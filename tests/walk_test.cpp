#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <set>
#include <thread>

#include "core/out/quote.hpp"
#include "core/sys/directory.hpp"
#include "tests/colours.hpp"
#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"

namespace {

constexpr out::Screen terminal = {.output_is_terminal = true};

/// A small tree with something of most kinds.
void make_tree(const Scratch& scratch) {
  scratch.directory("t");
  scratch.directory("t/b");
  scratch.file("t/b/inner.c", "12345");
  scratch.directory("t/b/deep");
  scratch.file("t/b.c");
  scratch.link("b", "t/to-b");
  scratch.link("nowhere", "t/dangling");
  scratch.fifo("t/pipe");
}

/// `text` with the scratch directory taken out of it.
std::string within(const Scratch& scratch, std::string text) {
  const std::string prefix = scratch / "";
  for (std::size_t at; (at = text.find(prefix)) != text.npos;) text.erase(at, prefix.size());
  return text;
}

/// Makes `levels` directories called `name`, each in the one before it, with `beside` in each.
void make_chain(const Scratch& scratch, const std::string& name, unsigned levels,
                const std::string& beside = {}) {
  core::Fd at = *core::open_directory(scratch.path());
  for (unsigned i = 0; i < levels; ++i) {
    const int number = core::FdRef(at).number();
    if (::mkdirat(number, name.c_str(), 0755) != 0) FAIL("mkdirat");
    if (!beside.empty() && ::mkdirat(number, beside.c_str(), 0755) != 0) FAIL("mkdirat");
    at = *core::open_directory(name, at);
  }
}

std::vector<std::string> parts(std::string_view text, char end) {
  std::vector<std::string> all;
  for (std::size_t at = 0; (at = text.find(end)) != text.npos; text.remove_prefix(at + 1)) {
    all.emplace_back(text.substr(0, at));
  }
  return all;
}

}  // namespace

TEST_CASE("walk prints a path a line, depth first, names in byte order") {
  const Scratch scratch;
  make_tree(scratch);
  const Ran ran = osbox({"walk", scratch / "t"});
  CHECK(ran.status == 0);
  CHECK(within(scratch, ran.out) ==
        "t\nt/b\nt/b/deep\nt/b/inner.c\nt/b.c\nt/dangling\nt/pipe\nt/to-b\n");
  CHECK(within(scratch, osbox({"walk", "--bottom-up", scratch / "t/b"}).out) ==
        "t/b/deep\nt/b/inner.c\nt/b\n");
  CHECK(within(scratch, osbox({"walk", scratch / "t/b/"}).out) == "t/b/\nt/b/deep\nt/b/inner.c\n");
  // The current directory, from where the user is.
  const Ran here = tests::run({.words = {tests::binary(), "walk"}, .directory = scratch / "t/b"});
  CHECK(here.out == ".\n./deep\n./inner.c\n");
  // A link to a directory may be a root, and a file too.
  CHECK(within(scratch, osbox({"walk", scratch / "t/to-b"}).out) ==
        "t/to-b\nt/to-b/deep\nt/to-b/inner.c\n");
  CHECK(within(scratch, osbox({"walk", "--format", "{path} {type} {dir}|", scratch / "t/b.c",
                               scratch / "t/dangling"})
                            .out) == "t/b.c file |\nt/dangling link |\n");
}

TEST_CASE("walk prints what find prints") {
  const Scratch scratch;
  scratch.directory("hostile");
  for (const std::string& name : tests::hostile_names()) {
    scratch.directory("hostile/" + name);
    for (const std::string& inner : tests::hostile_names()) {
      scratch.file("hostile/" + name + "/" + inner);
    }
  }
  const std::string script =
      "export LC_ALL=C; for root in \"$2/hostile\" $3 /etc//; do "
      "find \"$root\" -print0 2>/dev/null | sort -z > \"$1/find\"; "
      "for order in --paths --unordered --bottom-up; do "
      "osbox walk $order -0 \"$root\" 2>/dev/null | sort -z | cmp - \"$1/find\"; done; done; "
      "find / -maxdepth 1 | sort > \"$1/find\"; osbox walk --max-depth 1 / | sort | cmp - "
      "\"$1/find\"";
  const Ran ran = tests::shell(script, {scratch.path(), scratch.path(),
                                        tests::is_long() ? "/usr/share /usr/" : "/usr/lib/"});
  CHECK(ran.out == "");
  CHECK(ran.err == "");
}

TEST_CASE("walk --json gives the tuples of os.walk") {
  const Scratch scratch;
  make_tree(scratch);
  scratch.link("self", "t/self");
  for (const std::string& name : tests::hostile_names()) {
    scratch.directory("t/" + name);
    scratch.file("t/" + name + "/" + name);
    scratch.link(name, "t/b/" + name);
  }
  CHECK(tests::python(R"(
import base64, json, os, subprocess, sys
osbox, *roots = sys.argv[1:]

def theirs(root, **how):
  for dir, dirs, files in os.walk(os.fsencode(root), **how):
    dirs.sort()
    yield dir, dirs, sorted(files)

def mine(root, *options):
  text = subprocess.run([osbox, 'walk', '--json', *options, root], stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL).stdout
  for line in text.splitlines():
    row = json.loads(line)
    assert list(row)[0] == 'dir'
    made = []
    for key in 'dir', 'dirs', 'files':
      value = row[key]
      value = [os.fsencode(v) for v in value] if type(value) is list else os.fsencode(value)
      if key + '_b64' in row:
        plain = row[key + '_b64']
        assert value == ([base64.b64decode(v) for v in plain] if type(plain) is list
                         else base64.b64decode(plain))
      made.append(value)
    yield tuple(made)

for root in roots:
  assert list(mine(root)) == list(theirs(root)), root
  assert sorted((d, sorted(n), sorted(f)) for d, n, f in mine(root, '--unordered')) == \
    sorted(theirs(root)), root
  assert sorted(mine(root, '--bottom-up')) == sorted(theirs(root, topdown=False)), root
  assert list(mine(root, '--follow')) == list(theirs(root, followlinks=True)), root
print('same')
)",
                      {tests::binary(), scratch / "t", "/etc"}) == "same\n");
}

TEST_CASE("walk on a terminal shows every directory with the names in it") {
  const Scratch scratch;
  make_tree(scratch);
  scratch.file("t/b/a b");
  scratch.file("t/b/\x1b[31m");
  scratch.directory("t/b/x y");
  const std::string shown =
      "t\n  b.c\n  b/\n  dangling\n  pipe\n  to-b/\n\n"
      "t/b\n  $'\\033[31m'\n  'a b'\n  deep/\n  inner.c\n  'x y'/\n\n"
      "t/b/deep\n\n";
  CHECK(within(scratch, osbox({"walk", "--color=never", scratch / "t"}, terminal).out) ==
        shown + "'" + "t/b/x y'\n\n");
  const Ran raw = osbox({"walk", "--group", "--bottom-up", scratch / "t"});
  CHECK(within(scratch, raw.out) ==
        "t/b/deep\n\nt/b/x y\n\n"
        "t/b\n  \x1b[31m\n  a b\n  deep/\n  inner.c\n  x y/\n\n"
        "t\n  b.c\n  b/\n  dangling\n  pipe\n  to-b/\n\n");
}

TEST_CASE("walk --tree draws the tree") {
  const Scratch scratch;
  make_tree(scratch);
  CHECK(within(scratch, osbox({"walk", "--tree", scratch / "t"}).out) ==
        "t\n"
        "├── b\n"
        "│   ├── deep\n"
        "│   └── inner.c\n"
        "├── b.c\n"
        "├── dangling -> nowhere\n"
        "├── pipe\n"
        "└── to-b -> b\n");
  // The last one that is shown has the last branch; directories stay.
  CHECK(within(scratch, osbox({"walk", "--tree", "--follow", "--name", "inner*", "--exclude",
                               "to-*", scratch / "t"})
                            .out) ==
        "t\n"
        "└── b\n"
        "    ├── deep\n"
        "    └── inner.c\n");
  CHECK(within(scratch, osbox({"walk", "--tree", "--follow", "-t", "f", scratch / "t"}).out) ==
        "t\n"
        "├── b\n"
        "│   ├── deep\n"
        "│   └── inner.c\n"
        "├── b.c\n"
        "└── to-b -> b\n"
        "    ├── deep\n"
        "    └── inner.c\n");
}

TEST_CASE("walk passes every name through every format") {
  const Scratch scratch;
  std::set<std::string> names;
  for (const std::string& name : tests::hostile_names()) {
    scratch.directory(name);
    names.insert(name);
  }
  std::set<std::string> seen;
  for (const std::string& path :
       parts(osbox({"walk", "--min-depth", "1", "-0", scratch.path()}).out, '\0')) {
    seen.insert(path.substr(scratch.path().size() + 1));
  }
  CHECK(seen == names);
  const auto formatted = parts(
      osbox({"walk", "--min-depth", "1", "-0", "--format", "{name}", scratch.path()}).out, '\0');
  CHECK(std::set<std::string>(formatted.begin(), formatted.end()) == names);
  const Ran evaluated = tests::shell(
      "osbox walk --shell --min-depth 1 \"$1\" | while IFS= read -r line; do eval \"$line\"; "
      "[ \"$walk_dir/$walk_name\" = \"$walk_path\" ] && [ -d \"$walk_path\" ] && echo same; done",
      {scratch.path()});
  CHECK(tests::lines(evaluated.out).size() == names.size());
  for (const std::string form : {"--paths", "--group", "--tree", "--stat"}) {
    const Ran ran = osbox({"walk", form, "--color=never", scratch.path()}, terminal);
    CAPTURE(form);
    CHECK(ran.status == 0);
    CHECK(ran.out.find('\x1b') == ran.out.npos);
    CHECK(ran.out.find('\xff') == ran.out.npos);
    CHECK(ran.out.find("\xc2\x9b") == ran.out.npos);
    CHECK(ran.out.find("\nline") == ran.out.npos);
  }
}

TEST_CASE("walk has the fields of an entry, and those of stat where they are asked for") {
  const Scratch scratch;
  make_tree(scratch);
  const Ran plain = osbox({"walk", "--json", "--paths", scratch / "t/b"});
  CHECK(within(scratch, tests::lines(plain.out)[2]) ==
        R"({"path":"t/b/inner.c","name":"inner.c","dir":"t/b","type":"file","depth":1})");
  CHECK(within(scratch, osbox({"walk", "--format", "{permissions} {size} {name} {dir} {depth}",
                               "--name", "inner*", scratch / "t"})
                            .out) == "-rw-r--r-- 5 inner.c t/b 2\n");
  CHECK(tests::python(R"(
import json, os, subprocess, sys
for line in subprocess.run([sys.argv[1], 'walk', '--json', '--stat', *sys.argv[2:]],
                           stdout=subprocess.PIPE).stdout.splitlines():
  row = json.loads(line)
  s = os.stat(row['path']) if '--follow' in sys.argv and os.path.exists(row['path']) \
      else os.lstat(row['path'])
  assert (row['ino'], row['size'], row['mode'], row['mtime_ns'], row['nlink'], row['uid']) == \
    (s.st_ino, s.st_size, s.st_mode, s.st_mtime_ns, s.st_nlink, s.st_uid), row
  print(row['type'], end=' ')
)",
                      {tests::binary(), "--follow", scratch / "t"}) ==
        "dir dir dir file file link fifo dir dir file ");
  const Ran people = osbox({"walk", "--stat", scratch / "t/b/inner.c"});
  CHECK(people.out.starts_with("-rw-r--r--            5 "));
  CHECK(people.out.ends_with(scratch / "t/b/inner.c\n"));
}

TEST_CASE("walk shows what the filters leave") {
  const Scratch scratch;
  make_tree(scratch);
  const auto walk = [&](std::vector<std::string> options) {
    options.insert(options.begin(), "walk");
    options.push_back(scratch / "t");
    return within(scratch, osbox(options).out);
  };
  CHECK(walk({"-t", "d"}) == "t\nt/b\nt/b/deep\n");
  CHECK(walk({"--type", "fifo,l"}) == "t/dangling\nt/pipe\nt/to-b\n");
  CHECK(walk({"-tf", "-tp"}) == "t/b/inner.c\nt/b.c\nt/pipe\n");
  CHECK(walk({"--name", "*.c"}) == "t/b/inner.c\nt/b.c\n");
  CHECK(walk({"--name", "*.c", "--name", "t"}) == "t\nt/b/inner.c\nt/b.c\n");
  CHECK(walk({"--exclude", "b", "--exclude", "*a*"}) == "t\nt/b.c\nt/pipe\nt/to-b\n");
  CHECK(walk({"--exclude", "*/b/*"}) == "t\nt/b\nt/b.c\nt/dangling\nt/pipe\nt/to-b\n");
  // A path below the root will do, as in an ignore file.
  CHECK(walk({"--exclude", "b/*"}) == "t\nt/b\nt/b.c\nt/dangling\nt/pipe\nt/to-b\n");
  CHECK(walk({"--exclude", scratch / "t/b/*"}) == walk({"--exclude", "b/*"}));
  CHECK(walk({"--exclude", "t/b/*"}) == walk({}));
  for (const std::string root : {"t", "t/", "t//"}) {
    for (const std::string form : {"--paths", "--group", "--tree", "--json"}) {
      CAPTURE(root);
      CAPTURE(form);
      const Ran ran = osbox({"walk", form, "--exclude", "b/inner.c", scratch / root});
      CHECK(ran.out.contains("b.c"));
      CHECK_FALSE(ran.out.contains("inner.c"));
    }
  }
  CHECK(walk({"--exclude", "b", "--bottom-up"}) == "t/b.c\nt/dangling\nt/pipe\nt/to-b\nt\n");
  CHECK(walk({"--min-depth", "2"}) == "t/b/deep\nt/b/inner.c\n");
  CHECK(walk({"--max-depth", "0"}) == "t\n");
  CHECK(walk({"--max-depth", "1", "--bottom-up", "-td"}) == "t/b\nt\n");
  CHECK(walk({"--max-depth", "1", "-td", "--json"}) == R"({"dir":"t","dirs":["b"],"files":[]})"
                                                       "\n");
  CHECK(walk({"--name", "inner*", "--json"}) == R"({"dir":"t/b","dirs":[],"files":["inner.c"]})"
                                                "\n");
  CHECK(walk({"--exclude", "*/b/*", "--json"}) ==
        R"({"dir":"t","dirs":["b","to-b"],"files":["b.c","dangling","pipe"]})"
        "\n"
        R"({"dir":"t/b","dirs":[],"files":[]})"
        "\n");
  // The root is not excluded: it was asked for.
  CHECK(walk({"--exclude", "*"}) == "t\n");
}

TEST_CASE("walk refuses what does not go together") {
  for (const Words& options :
       {Words{"--tree", "--json"}, Words{"--tree", "--bottom-up"}, Words{"--tree", "-0"},
        Words{"--tree", "--min-depth", "1"}, Words{"--group", "--stat"}, Words{"--group", "-0"},
        Words{"--name", ""}, Words{"--exclude", ""}, Words{"--name", "a/b"},
        Words{"--name", "[ab]/c"}, Words{"--exclude", "b/"}, Words{"-t", "x"}, Words{"-t", ""},
        Words{"-t", "f,"}, Words{"--max-depth", "-1"}, Words{"--threads", "-1"},
        Words{"--format", "{nothing}"}}) {
    Words words = {"walk", "/usr"};
    words.insert(words.end(), options.begin(), options.end());
    const Ran ran = osbox(words);
    CAPTURE(options[0] + options.back());
    CHECK(ran.status == 2);
    CHECK(ran.out == "");
    CHECK(ran.err != "");
  }
}

TEST_CASE("walk tells of a root that is not there and does the others") {
  const Scratch scratch;
  make_tree(scratch);
  const Ran ran = osbox({"walk", scratch / "nosuch", "", scratch / "t/b/deep"});
  CHECK(ran.status == 1);
  CHECK(within(scratch, ran.out) == "t/b/deep\n");
  CHECK(within(scratch, ran.err) ==
        "walk: nosuch: ENOENT: No such file or directory\n"
        "walk: '': ENOENT: No such file or directory\n");
  CHECK(osbox({"walk", "--exit-errno", scratch / "nosuch"}).status == ENOENT);
  const Ran file = osbox({"walk", "--json", scratch / "t/b.c"});
  CHECK(file.status == 1);
  CHECK(file.out == "");
  CHECK(file.err.find("\"errno\":20,\"error\":\"ENOTDIR\"") != file.err.npos);
}

TEST_CASE("walk tells of a directory that it may not read, and does the rest") {
  const Scratch scratch;
  scratch.directory("top");
  scratch.directory("top/locked");
  scratch.file("top/locked/f");
  scratch.file("top/z");
  ::chmod((scratch / "top/locked").c_str(), 0);
  for (const std::string order : {"--paths", "--unordered"}) {
    const Ran ran =
        tests::run({.words = {tests::binary(), "walk", order, scratch / "top"}, .as_nobody = true});
    CHECK(ran.status == 1);
    auto lines = tests::lines(within(scratch, ran.out));
    std::ranges::sort(lines);
    CHECK(lines == std::vector<std::string>{"top", "top/locked", "top/z"});
    CHECK(within(scratch, ran.err) == "walk: top/locked: EACCES: Permission denied\n");
  }
  const Ran root =
      tests::run({.words = {tests::binary(), "walk", "--bottom-up", "-0", scratch / "top/locked"},
                  .as_nobody = true});
  CHECK(root.status == 1);
  CHECK(within(scratch, root.err) == "walk: top/locked: EACCES: Permission denied\n");
  CHECK(root.out == scratch / "top/locked" + '\0');

  // Names may be read, but nothing may be reached.
  ::chmod((scratch / "top/locked").c_str(), 0744);
  scratch.directory("top/locked/d");
  const std::string locked = scratch / "top/locked";
  if (!tests::is_root()) ::chmod(locked.c_str(), 0444);
  const Ran names = tests::run(
      {.words = {tests::binary(), "walk", "--json", "--paths", locked}, .as_nobody = true});
  CHECK(names.status == 1);
  CHECK(names.out.find("\"name\":\"d\",\"dir\":\"" + locked + "\",\"type\":\"dir\"") !=
        names.out.npos);
  CHECK(names.out.find("\"name\":\"f\",\"dir\":\"" + locked + "\",\"type\":\"file\"") !=
        names.out.npos);
  CHECK(tests::lines(names.err).size() == 1);
  const Ran sizes = tests::run(
      {.words = {tests::binary(), "walk", "--format", "{size}{name}", "--min-depth", "1", locked},
       .as_nobody = true});
  CHECK(sizes.status == 1);
  CHECK(sizes.out == "d\nf\n");
  CHECK(within(scratch, sizes.err) ==
        "walk: top/locked/d: lstat: EACCES: Permission denied\n"
        "walk: top/locked/d: EACCES: Permission denied\n"
        "walk: top/locked/f: lstat: EACCES: Permission denied\n");
}

TEST_CASE("walk --follow enters links, and tells of a loop") {
  const Scratch scratch;
  scratch.directory("t");
  scratch.directory("t/d");
  scratch.file("t/d/f");
  scratch.link("../d", "t/d/same");
  scratch.link("..", "t/up");
  scratch.link("x", "t/x");
  scratch.link("d/f", "t/y");
  const Ran ran =
      tests::run({.words = {tests::binary(), "walk", "--follow", "--format", "{path} {type}", "t"},
                  .directory = scratch.path()});
  CHECK(ran.status == 1);
  CHECK(ran.out ==
        "t dir\nt/d dir\nt/d/f file\nt/d/same dir\n"
        "t/up dir\nt/up/t dir\nt/x link\nt/y file\n");
  CHECK(ran.err ==
        "walk: t/d/same: ELOOP: Too many levels of symbolic links (leads back to t/d)\n"
        "walk: t/up/t: ELOOP: Too many levels of symbolic links (leads back to t)\n");
  // What the directory is called does no harm.
  const std::string hostile = scratch.directory("a\x1b b");
  scratch.link(".", "a\x1b b/l");
  const Ran quoted = osbox({"walk", "--follow", "--tree", hostile});
  CHECK(within(scratch, quoted.err) ==
        "walk: $'a\\033 b/l': ELOOP: Too many levels of symbolic links (leads back to $'a\\033 "
        "b')\n");
  CHECK(osbox({"walk", "--follow", "--json", hostile}).err.find("leads back to /") !=
        std::string::npos);
}

TEST_CASE("walk --beneath and --no-symlinks keep every link of a tree inside") {
  const Scratch scratch;
  if (!tests::newer_calls()) return;
  scratch.directory("outside");
  scratch.file("outside/secret", "secret");
  scratch.directory("in");
  scratch.directory("in/d");
  scratch.file("in/f");
  scratch.link("../../in/f", "in/d/away");
  scratch.link(scratch / "outside", "in/d/out");
  scratch.directory("in/e");
  scratch.file("in/e/g");
  scratch.link("../e", "in/d/inside");
  const auto format = "{path} {type} {size}";
  const Ran ran = osbox({"walk", "--beneath", scratch / "in", "--follow", "--format", format,
                         "--name", "*[ytg]*", "d"});
  CHECK(ran.status == 1);
  CHECK(ran.out.find("d/inside/g file 0\n") != ran.out.npos);
  CHECK(ran.out.find("d/away link 10\n") != ran.out.npos);
  CHECK(ran.out.find("d/out link ") != ran.out.npos);
  CHECK(ran.out.find("secret") == ran.out.npos);
  CHECK(ran.err.find("walk: d/away: stat: EXDEV: ") != ran.err.npos);
  CHECK(ran.err.find("walk: d/out: stat: EXDEV: ") != ran.err.npos);
  CHECK(osbox({"walk", "--beneath", scratch / "in", "../outside"}).err.find("EXDEV") !=
        std::string::npos);
  CHECK(osbox({"walk", "--beneath", scratch / "in/d", "out"}).err ==
        "walk: out: EXDEV: Invalid cross-device link\n");
  CHECK(osbox({"walk", "--beneath", scratch / "in"}).out.starts_with(".\n./d\n"));

  const Ran none = osbox({"walk", "--no-symlinks", "--follow", scratch / "in/d"});
  CHECK(none.status == 1);
  CHECK(within(scratch, none.out) == "in/d\nin/d/away\nin/d/inside\nin/d/out\n");
  CHECK(within(scratch, none.err).find("walk: in/d/inside: stat: ELOOP: ") != std::string::npos);
  CHECK(osbox({"walk", "--no-symlinks", scratch / "in/d/inside"}).err.find("ELOOP") !=
        std::string::npos);
}

TEST_CASE("walk reads a large tree with as many threads as it is told, and prints the same") {
  const Scratch scratch;
  const Scratch traces;
  for (int i = 0; i < 100; ++i) scratch.directory("d" + std::to_string(i));
  const std::string trace = traces / "trace";
  const auto walked = [&](const std::string& threads, const std::vector<std::string>& more = {}) {
    tests::Command command{.words = {"strace", "-f", "-qq", "-e", "trace=clone,clone3", "-o", trace,
                                     tests::binary(), "walk", "--threads", threads,
                                     scratch.path()}};
    command.words.insert(command.words.end(), more.begin(), more.end());
    const Ran ran = tests::run(command);
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
    return ran.out;
  };
  const auto started = [&] {
    const auto calls = tests::lines(tests::content(trace));
    const auto all = std::ranges::count_if(calls, [](const std::string& call) {
      // Of a call that was interrupted the rest comes later, without what it was given.
      return call.find("clone3(") != call.npos || call.find("clone(") != call.npos;
    });
    return all > 0 ? all - tests::threads_of_sanitizer : 0;
  };
  const std::string alone = walked("1");
  CHECK(started() == 0);
  CHECK(tests::lines(alone).size() == 101);
  CHECK(walked("3") == alone);
  CHECK(started() == 2);
  CHECK(walked("4000000000") == alone);
  // Each needs descriptors; one of the 64 at most is there already.
  CHECK(started() > 2);
  CHECK(started() < 64);
  CHECK(walked("3", {"--unordered"}) != alone);
  CHECK(started() == 2);
}

TEST_CASE("what goes on in threads is done by one where no others are to be had") {
  if (tests::disturbed_by_sanitizer()) return;
  const Scratch scratch;
  for (int i = 0; i < 2000; ++i) scratch.directory("d" + std::to_string(i));
  for (const Words& words :
       {Words{"walk", "--threads", "4", scratch.path()}, Words{"ls", "-l", scratch.path()}}) {
    tests::Command command{.words = joined({tests::binary()}, words)};
    const Ran all = tests::run(command);
    command.denied = {{SYS_clone3, EAGAIN}, {SYS_clone, EAGAIN}};
    const Ran alone = tests::run(command);
    CHECK(alone.status == 0);
    CHECK(alone.err == "");
    CHECK(alone.out == all.out);
  }
}

TEST_CASE("walk keeps its order while others write slowly, whatever stands where in memory") {
  const Scratch scratch;
  scratch.directory("t");
  const std::string name(60, 'n');
  for (int i = 0; i < 20; ++i) {
    const std::string above = "t/" + std::to_string(i);
    scratch.directory(above);
    for (int j = 0; j < 15; ++j) {
      const std::string directory = above + "/" + name + std::to_string(j);
      scratch.directory(directory);
      for (int k = 0; k < 4; ++k) scratch.directory(directory + "/" + name + std::to_string(k));
    }
  }
  const auto walked = [&](const std::string& command) {
    return tests::shell(command, {scratch / "t"}).out;
  };
  const std::string alone = walked("osbox walk --threads 1 \"$1\"");
  REQUIRE(alone.size() > 150'000);
  // What one thread gives back is what the next one gets.
  const std::string slowly =
      "GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1 "
      "osbox walk --threads 8 \"$1\" | python3 -c '\n"
      "import os, sys, time\n"
      "while piece := os.read(0, 20000): os.write(1, piece); time.sleep(.002)'";
  for (int i = 0; i < 6; ++i) CHECK((walked(slowly) == alone));
}

TEST_CASE("walk leaves out what is gone before it could be looked at") {
  const Scratch scratch;
  for (const char* const name : {"a", "b", "c"}) scratch.file(name);
  const auto gone = [&](const std::string& option) {
    return tests::run({.words = {"strace", "--quiet=all", "-o", "/dev/null", "-P", "b", "-e",
                                 "inject=statx,newfstatat:error=ENOENT", tests::binary(), "walk",
                                 option, "--format", "{path} {nlink}", "."},
                       .directory = scratch.path()});
  };
  for (const std::string option : {"--unordered", "--bottom-up"}) {
    const Ran ran = gone(option);
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
    CHECK(ran.out.find("./a 1\n") != ran.out.npos);
    CHECK(ran.out.find("./b") == ran.out.npos);
    CHECK(ran.out.find("./c 1\n") != ran.out.npos);
  }
}

TEST_CASE("walk says so where a directory cannot be read to its end") {
  const Scratch scratch;
  scratch.directory("dir");
  // More than is read at a time, thrice.
  for (int i = 10'000; i < 13'000; ++i) {
    scratch.file("dir/" + std::to_string(i) + std::string(40, '-'));
  }
  const Ran ran = tests::run({.words = {"strace", "--quiet=all", "-o", "/dev/null", "-e",
                                        "inject=getdents64:error=EMFILE:when=4", tests::binary(),
                                        "walk", "--threads", "1", "."},
                              .directory = scratch.path()});
  CHECK(ran.status == 1);
  CHECK(ran.err == "walk: ./dir: readdir: EMFILE: Too many open files\n");
  CHECK(tests::lines(ran.out).size() > 100);
}

TEST_CASE("walk goes to any depth with few descriptors") {
  const auto lines_of = [](const Scratch& scratch, std::vector<std::string> options) {
    options.insert(options.begin(), {tests::binary(), "walk"});
    options.push_back(scratch.path());
    const Ran ran = tests::run({.words = options, .descriptors = 16});
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
    return tests::lines(ran.out);
  };
  {
    const Scratch scratch;
    make_chain(scratch, std::string(40, 'd'), 300, "z");
    CHECK(lines_of(scratch, {"--paths"}).size() == 601);
    CHECK(lines_of(scratch, {"--unordered", "--bottom-up"}).size() == 601);
    CHECK(lines_of(scratch, {"--follow", "--one-file-system"}).size() == 601);
    CHECK(lines_of(scratch, {"--group"}).size() == 2 * 601 + 600);
    CHECK(lines_of(scratch, {"--group", "--color", "--bottom-up"}).size() == 2 * 601 + 600);
    CHECK(lines_of(scratch, {"--tree"}).size() == 601);
    // Most of them are in use.
    const Ran crowded = tests::shell(
        "exec 3<&0 4<&0 5<&0 6<&0 7<&0 8<&0 9<&0; ulimit -n 15; for order in --paths --unordered; "
        "do "
        "osbox walk --stat $order \"$1\"; done",
        {scratch.path()});
    // UBSan looks at memory through a pipe, and calls it bad where there is no descriptor left.
    CHECK((crowded.err == "" || tests::sanitized));
    CHECK(tests::lines(crowded.out).size() == 2 * 601);
    CHECK(lines_of(scratch, {"--bottom-up", "--stat"}).back().ends_with(scratch.path()));
    CHECK(lines_of(scratch, {"--format", "{user} {permissions}", "-td"}).back() ==
          lines_of(scratch, {"--format", "{user} {permissions}", "-td"}).front());
  }
  const unsigned levels = tests::deep();
  const std::string last = std::to_string(levels);
  const std::string last_but_one = std::to_string(levels - 1);
  // Tens of thousands of directories keep a disk busy.
  const Scratch scratch("/dev/shm");
  make_chain(scratch, "a", levels);
  CHECK(lines_of(scratch, {"--format", "{depth}", "--min-depth", last_but_one}) ==
        std::vector<std::string>{last_but_one, last});
  CHECK(lines_of(scratch, {"--format", "{depth} {type}", "--unordered"}).back() == last + " dir");
  const auto sizes = lines_of(scratch, {"--format", "{depth} {permissions}", "--bottom-up"});
  CHECK(sizes.size() == levels + 1);
  CHECK(sizes.front() == last + " drwxr-xr-x");
  CHECK(sizes.back() == "0 drwxr-xr-x");
}

TEST_CASE("walk takes what appears and vanishes meanwhile as it comes") {
  const Scratch scratch;
  scratch.directory("t");
  for (int i = 0; i < 40; ++i) scratch.directory("t/stays" + std::to_string(i));
  std::atomic<bool> stop = false;
  std::thread other([&] {
    for (unsigned i = 0; !stop; ++i) {
      const std::string name = scratch / "t/d" + std::to_string(i % 50);
      if (::mkdir(name.c_str(), 0755) == 0) {
        ::mkdir((name + "/e").c_str(), 0755);
        ::close(::open((name + "/f").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
        ::symlink("stays1", (name + "/l").c_str());
      } else {
        ::unlink((name + "/l").c_str());
        ::unlink((name + "/f").c_str());
        ::rmdir((name + "/e").c_str());
        ::rmdir(name.c_str());
      }
    }
  });
  std::string errors;
  unsigned twice = 0;
  unsigned lost = 0;
  for (int i = 0; i < tests::rounds(150); ++i) {
    for (const std::vector<std::string>& options : {std::vector<std::string>{"--paths"},
                                                    {"--unordered"},
                                                    {"--follow"},
                                                    {"--bottom-up"},
                                                    {"--format", "{size} {path}"}}) {
      std::vector<std::string> words = {"walk", scratch / "t"};
      words.insert(words.end(), options.begin(), options.end());
      const Ran ran = osbox(words);
      errors += ran.err;
      auto lines = tests::lines(ran.out);
      for (std::string& line : lines) line.erase(0, line.find('/'));
      std::ranges::sort(lines);
      if (std::ranges::adjacent_find(lines) != lines.end()) ++twice;
      if (std::ranges::count_if(lines, [](const std::string& line) {
            return line.find("stays") != line.npos;
          }) != 40) {
        ++lost;
      }
    }
    osbox({"walk", "--json", scratch / "t"});
    osbox({"walk", "--tree", scratch / "t"});
  }
  stop = true;
  other.join();
  CHECK(errors == "");
  CHECK(twice == 0);
  CHECK(lost == 0);
}

TEST_CASE("walk asks for types that a directory does not tell, and uses what it read of one") {
  const char* const odd = std::getenv("ODD_FILE_SYSTEM");
  if (odd == nullptr) {
    MESSAGE("a static osbox cannot be given an odd file system: not tested");
    return;
  }
  const Scratch scratch;
  make_tree(scratch);
  scratch.directory("t/broken");
  scratch.file("t/broken/read");
  for (const std::string order : {"--paths", "--unordered"}) {
    const Ran ran = tests::run(
        {.words = {tests::binary(), "walk", order, "--format", "{path} {type}", scratch / "t"},
         .environment = {std::string("LD_PRELOAD=") + odd}});
    CHECK(ran.status == 1);
    auto lines = tests::lines(within(scratch, ran.out));
    std::ranges::sort(lines);
    CHECK(lines == std::vector<std::string>{"t dir", "t/b dir", "t/b.c file", "t/b/deep dir",
                                            "t/b/inner.c file", "t/broken dir",
                                            "t/broken/read file", "t/dangling link", "t/pipe fifo",
                                            "t/to-b link"});
    CHECK(within(scratch, ran.err) == "walk: t/broken: readdir: EIO: Input/output error\n");
  }
  const Ran group = tests::run({.words = {tests::binary(), "walk", "--json", scratch / "t"},
                                .environment = {std::string("LD_PRELOAD=") + odd}});
  CHECK(within(scratch, group.out)
            .starts_with(
                R"({"dir":"t","dirs":["b","broken","to-b"],"files":["b.c","dangling","pipe"]})"));
}

TEST_CASE("walk --one-file-system shows what is mounted and does not enter it") {
  const Ran other = osbox({"walk", "--one-file-system", "--max-depth", "2", "--paths", "/"});
  CHECK(other.out.find("\n/proc\n") != other.out.npos);
  CHECK(other.out.find("\n/proc/") == other.out.npos);
  CHECK(
      osbox({"walk", "--one-file-system", "--max-depth", "1", "/proc"}).out.find("/proc/self\n") !=
      std::string::npos);

  // The older calls do not tell which mount it is, but /proc does.
  const tests::Command top{
      .words = {tests::binary(), "walk", "--one-file-system", "--max-depth", "1", "/"}};
  tests::Command older = top;
  older.denied = {{SYS_statx, ENOSYS}};
  if (!tests::needs_statx) CHECK(tests::run(older).out == tests::run(top).out);

  // A bind mount has the device of what is below it.
  const Scratch scratch;
  scratch.directory("t");
  scratch.directory("t/m");
  scratch.directory("t/n");
  scratch.file("t/n/f");
  const std::string as_root = tests::is_root() ? "unshare -m" : "unshare -rm";
  const Ran bound = tests::shell(
      as_root +
          " sh -c 'mount --bind \"$1/n\" \"$1/m\" || exit 99; "
          "osbox walk --one-file-system \"$1\"; osbox walk --unordered \"$1/m\"' sh \"$1\"",
      {scratch / "t"});
  if (bound.status == 0) {
    CHECK(within(scratch, bound.out) == "t\nt/m\nt/n\nt/n/f\nt/m\nt/m/f\n");
  } else {
    MESSAGE("no mounts of one's own here, bind mounts not tested: " << bound.err);
  }
}

TEST_CASE("walk ends when nobody reads, and fails when nothing can be written") {
  const Ran closed = tests::shell("{ osbox walk --paths /usr; echo $? >&2; } | head -n 1");
  CHECK(closed.out == "/usr\n");
  CHECK(closed.err == "141\n");
  for (const std::string form : {"--paths", "--group", "--tree", "--json"}) {
    const Ran full = tests::run(
        {.words = {tests::binary(), "walk", form, "/usr/share"}, .output_file = "/dev/full"});
    CHECK(full.status == 1);
    CHECK(full.err.find("ENOSPC") != full.err.npos);
    const Ran none =
        tests::run({.words = {tests::binary(), "walk", form, "/usr/share"}, .closed = {1}});
    CHECK(none.status == 1);
    CHECK(none.err.find("EBADF") != none.err.npos);
  }
}

TEST_CASE("walk takes roots from a file, one after the other") {
  const Scratch scratch;
  make_tree(scratch);
  const Ran ran = tests::run({.words = {tests::binary(), "walk", "--files0-from", "-"},
                              .input = std::string("b/deep\0nosuch\0b.c", 17),
                              .directory = scratch / "t"});
  CHECK(ran.status == 1);
  CHECK(ran.out == "b/deep\nb.c\n");
  CHECK(ran.err == "walk: nosuch: ENOENT: No such file or directory\n");
}

TEST_CASE("walk tells of a root that is no directory on a line of its own") {
  const Scratch scratch;
  make_tree(scratch);
  scratch.file("t/new\nline");
  const auto walk = [&](Words words, const std::string& name) {
    words.insert(words.begin(), {"walk", "--color=never"});
    words.push_back(scratch / "t" + "/" + name);
    return osbox(words, terminal);
  };
  for (const std::string form : {"--paths", "--group", "--tree"}) {
    CAPTURE(form);
    for (const std::string name : {"b.c", "pipe"}) {
      CHECK(within(scratch, walk({form}, name).out) == "t/" + name + "\n");
      CHECK(walk({form}, name).status == 0);
      CHECK(walk({form}, name).err.empty());
    }
    CHECK(within(scratch, walk({form}, "dangling").out) ==
          (form == "--tree" ? "t/dangling -> nowhere\n" : "t/dangling\n"));
    CHECK(walk({form}, "new\nline").out.ends_with("/t/new\\nline'\n"));
    CHECK(walk({form}, "nosuch").status == 1);
    // What is chosen is.
    CHECK(walk({form, "-t", "d"}, "b.c").out.empty());
    CHECK(walk({form, "-t", "d"}, "b.c").status == 0);
    CHECK(walk({form, "--name", "*.c", "-t", "f"}, "b.c").out.ends_with("/b.c\n"));
    CHECK(walk({form, "--name", "*.h"}, "b.c").out.empty());
    if (form != "--tree") {
      CHECK(walk({form, "--min-depth", "1"}, "b.c").out.empty());
      CHECK(walk({form, "--bottom-up"}, "b.c").out.ends_with("/b.c\n"));
    }
    // One that was asked for is not excluded.
    CHECK(walk({form, "--exclude", "*"}, "b.c").out.ends_with("/b.c\n"));
  }
  CHECK(osbox({"walk", scratch / "t/b.c"}, terminal).status == 0);
  CHECK(within(scratch, osbox({"walk", "--group", scratch / "t/b.c", scratch / "t/b/deep",
                               scratch / "t/pipe"})
                            .out) == "t/b.c\nt/b/deep\n\nt/pipe\n");
  // For programs there are tuples of os.walk, and none of a file.
  for (const Words& records :
       {Words{"--json"}, {"--group", "--json"}, {"--group", "--format", "{dir}"}}) {
    const Ran ran = osbox(joined(joined({"walk"}, records), {scratch / "t/b.c"}));
    CHECK(ran.status == 1);
    CHECK(ran.out.empty());
    CHECK(ran.err.contains("ENOTDIR"));
  }
  scratch.link("loop", "t/loop");
  CHECK(osbox({"walk", "--json", scratch / "t/dangling"}).err.contains("ENOENT"));
  CHECK(osbox({"walk", "--json", scratch / "t/loop"}).err.contains("ELOOP"));
}

namespace {

/// A tree with something of every colour.
void make_colourful(const Scratch& scratch) {
  make_tree(scratch);
  scratch.file("t/a.tar");
  scratch.file("t/b/program", "", 0755);
  scratch.directory("t/open", 01777);
  scratch.file("t/b/a b", "", 0755);
  scratch.link("b/program", "t/to-program");
}

constexpr const char* settings[] = {
    "", "or=31:mi=05:*.tar=33", "ln=target", "ex=:tw=", "fi=32:ln=target:or=35", "di=:ex=:su=:sg=",
};

/// The code of the colour that `name` is in.
std::string code_of(const std::string& name) {
  return name.starts_with("\033[") ? name.substr(2, name.find('m') - 2) : "";
}
std::string in_colour(const std::string& code, const std::string& text) {
  return code.empty() ? text : "\033[" + code + "m" + text + "\033[0m";
}

}  // namespace

TEST_CASE("walk colours names as ls does") {
  const Scratch scratch;
  make_colourful(scratch);
  const auto sorted = [](std::vector<std::string> all) {
    std::ranges::sort(all);
    return all;
  };
  // The names of --group, without what is before and behind them.
  const auto names = [](const std::string& text) {
    std::vector<std::string> all;
    for (std::string& line : tests::lines(text)) {
      if (line.starts_with("  ")) all.push_back(line.substr(2, line.find_last_not_of('/') - 1));
    }
    return all;
  };
  for (const char* const ls_colors : settings) {
    CAPTURE(ls_colors);
    const tests::Variables variables(tests::colours(ls_colors));
    for (const std::string directory : {"t", "t/b"}) {
      const std::string path = scratch / directory;
      const auto theirs =
          sorted(tests::lines(osbox({"ls", "-A1", "--color=always", path}, terminal).out));
      for (const Words& how : {Words{}, {"--bottom-up"}, {"--unordered"}, {"--threads", "1"}}) {
        CAPTURE(tests::line(how));
        const Ran group =
            osbox(joined(joined({"walk", "--group", "--max-depth", "1"}, how), {path}), terminal);
        CHECK(sorted(names(group.out)) == theirs);
      }
      // Text behind a link has a colour of its own, as with -l.
      std::vector<std::string> drawn;
      for (const std::string& line :
           tests::lines(osbox({"walk", "--tree", "--max-depth", "1", path}, terminal).out)) {
        if (const std::size_t at = line.find("── "); at != line.npos) {
          drawn.push_back(line.substr(at + 7));
        }
      }
      std::vector<std::string> longer =
          tests::lines(osbox({"ls", "-Al", "--color=always", path}, terminal).out);
      REQUIRE(longer.size() == drawn.size() + 1);
      for (std::size_t i = 0; i < drawn.size(); ++i) CHECK(longer[i + 1].ends_with(" " + drawn[i]));
      // And a path ends in the name.
      for (const std::string form : {"--paths", "--stat"}) {
        const auto paths = tests::lines(
            osbox({"walk", form, "--min-depth", "1", "--max-depth", "1", path}, terminal).out);
        const auto listed =
            tests::lines(osbox({"ls", "-A1", "--color=always", path}, terminal).out);
        const auto plain = tests::lines(osbox({"ls", "-A1", path}).out);
        REQUIRE(paths.size() == listed.size());
        REQUIRE(paths.size() == plain.size());
        const std::string of_directories = *ls_colors == 'd' ? "" : "01;34";
        for (std::size_t i = 0; i < paths.size(); ++i) {
          const std::string whole = out::quoted(path + "/" + plain[i]);
          const std::size_t name = whole.rfind('/') + 1;
          const std::string code = code_of(listed[i]);
          const std::string expected = code == of_directories
                                           ? in_colour(code, whole)
                                           : in_colour(of_directories, whole.substr(0, name)) +
                                                 in_colour(code, whole.substr(name));
          if (form == "--paths") {
            CHECK(paths[i] == expected);
          } else {
            CHECK(paths[i].ends_with(" " + expected));
          }
        }
      }
    }
  }
}

TEST_CASE("walk has colours in every form") {
  const Scratch scratch;
  make_colourful(scratch);
  const tests::Variables variables(tests::colours("or=31:mi=05:*.tar=33"));
  const auto walk = [&](const Words& how, bool on_terminal = true) {
    const Words words = joined(joined({"walk"}, how), {scratch / "t"});
    return tests::with_braces(
        within(scratch, osbox(words, {.output_is_terminal = on_terminal}).out));
  };
  CHECK(walk({"--group"}) ==
        "t\n  {33}a.tar{}\n  b.c\n  {01;34}b{}/\n  {31}dangling{}\n  {30;42}open{}/\n  {33}pipe{}\n"
        "  {01;36}to-b{}/\n  {01;36}to-program{}\n\n"
        "t/b\n  {01;32}'a b'{}\n  {01;34}deep{}/\n  inner.c\n  {01;32}program{}\n\n"
        "t/b/deep\n\nt/open\n\n");
  CHECK(walk({}) == walk({"--group"}));
  const std::string paths =
      "{01;34}t{}\n{01;34}t/{}{33}a.tar{}\n{01;34}t/b{}\n{01;34}t/b/{}{01;32}a b{}\n"
      "{01;34}t/b/deep{}\n{01;34}t/b/{}inner.c\n{01;34}t/b/{}{01;32}program{}\n"
      "{01;34}t/{}b.c\n{01;34}t/{}{31}dangling{}\n{01;34}t/{}{30;42}open{}\n"
      "{01;34}t/{}{33}pipe{}\n{01;34}t/{}{01;36}to-b{}\n{01;34}t/{}{01;36}to-program{}\n";
  // Into a pipe names are raw all the same.
  CHECK(walk({"--color"}, false) == paths);
  CHECK(walk({"--color=always", "--paths"}, false) == paths);
  CHECK(walk({"--tree"}) ==
        "{01;34}t{}\n"
        "├── {33}a.tar{}\n"
        "├── {01;34}b{}\n"
        "│   ├── {01;32}'a b'{}\n"
        "│   ├── {01;34}deep{}\n"
        "│   ├── inner.c\n"
        "│   └── {01;32}program{}\n"
        "├── b.c\n"
        "├── {31}dangling{} -> {05}nowhere{}\n"
        "├── {30;42}open{}\n"
        "├── {33}pipe{}\n"
        "├── {01;36}to-b{} -> {01;34}b{}\n"
        "└── {01;36}to-program{} -> {01;32}b/program{}\n");
  // Followed, a link has the colour of what it leads to.
  for (const std::string form : {"--paths", "--stat"}) {
    const std::string followed = walk({form, "--follow"});
    CHECK(followed.contains("{01;34}t/to-b{}\n"));
    CHECK(followed.contains("{01;34}t/to-b/{}{01;32}program{}\n"));
    CHECK(followed.contains("{01;34}t/{}{01;32}to-program{}\n"));
    CHECK(followed.contains("{01;34}t/{}{31}dangling{}\n"));
  }
  CHECK(walk({"--group", "--follow"}).contains("  {01;34}to-b{}/\n  {01;32}to-program{}\n"));
  CHECK(walk({"--group", "--follow", "--bottom-up"}).contains("t/to-b\n  {01;32}'a b'{}\n"));
  CHECK(walk({"--tree", "--follow"}).contains("{01;32}to-program{} -> {01;32}b/program{}\n"));
  CHECK(walk({"--tree", "--follow"}).contains("{31}dangling{} -> {05}nowhere{}\n"));
  // A root is an operand: it has one colour.
  for (const std::string form : {"--group", "--paths", "--tree"}) {
    const auto root = [&](const std::string& name) {
      return tests::with_braces(
          within(scratch, osbox({"walk", form, scratch / name}, terminal).out));
    };
    CHECK(root("t/b/program") == "{01;32}t/b/program{}\n");
    CHECK(root("t/dangling") ==
          (form == "--tree" ? "{31}t/dangling{} -> {05}nowhere{}\n" : "{31}t/dangling{}\n"));
  }
}

TEST_CASE("walk has colours on a terminal that wants them, and in no record for a program") {
  const Scratch scratch;
  make_colourful(scratch);
  const auto coloured = [&](const Words& how, bool on_terminal,
                            const std::vector<tests::Variables::Setting>& more = {}) {
    const tests::Variables before(tests::colours(nullptr));
    const tests::Variables variables(more);
    const Ran ran =
        osbox(joined(joined({"walk"}, how), {scratch / "t"}), {.output_is_terminal = on_terminal});
    CHECK(ran.status == 0);
    return ran.out.contains('\033');
  };
  for (const std::string form : {"--group", "--paths", "--tree", "--stat"}) {
    CAPTURE(form);
    CHECK(coloured({form}, true));
    CHECK(coloured({form, "--color=auto"}, true));
    CHECK_FALSE(coloured({form}, true, {{"NO_COLOR", "1"}}));
    CHECK_FALSE(coloured({form}, true, {{"TERM", "dumb"}}));
    CHECK_FALSE(coloured({form, "--color=never"}, true));
    CHECK_FALSE(coloured({form}, false));
    CHECK_FALSE(coloured({form, "--color=auto"}, false));
    CHECK(coloured({form, "--color"}, false, {{"NO_COLOR", "1"}, {"TERM", "dumb"}}));
  }
  for (const Words& records : {Words{"--json"},
                               {"--json", "--paths"},
                               {"--format", "{path}"},
                               {"--shell"},
                               {"-0"},
                               {"-0", "--paths"},
                               {"--stat", "-0"}}) {
    CAPTURE(tests::line(records));
    CHECK_FALSE(coloured(joined({"--color=always"}, records), true));
  }
  CHECK(osbox({"walk", "--color=", scratch / "t"}).status == 2);
}

TEST_CASE("colours change nothing else of what walk prints, whatever a name holds") {
  const Scratch scratch;
  make_colourful(scratch);
  for (const std::string& name : tests::hostile_names()) {
    scratch.directory("t/" + name);
    scratch.file("t/" + name + "/" + name, "", 0755);
    scratch.link(name, "t/b/" + name);
  }
  const tests::Variables variables(tests::colours("or=31:*.tar=33"));
  for (const Words& form : {Words{"--group"},
                            {"--group", "--bottom-up"},
                            {"--paths"},
                            {"--stat"},
                            {"--paths", "--bottom-up"},
                            {"--paths", "--unordered"},
                            {"--tree"}}) {
    for (const Words& how : {Words{}, {"--follow"}, {"--name", "*[a-m]*"}}) {
      CAPTURE(tests::line(joined(form, how)));
      const auto walk = [&](const std::string& colour, const out::Screen& screen) {
        return osbox(joined(joined({"walk", colour}, joined(form, how)), {scratch / "t"}), screen);
      };
      const Ran ran = walk("--color=always", terminal);
      CHECK(ran.out.contains("\033["));
      CHECK(ran.err.empty());
      CHECK(tests::without_colours(ran.out) == walk("--color=never", terminal).out);
      CHECK_FALSE(tests::without_colours(ran.out).contains('\033'));
      CHECK(walk("--color=always", {}).out.contains("\033["));
    }
  }
}

TEST_CASE("walk has the same colours with several threads") {
  const Scratch scratch;
  for (int i = 0; i < 100; ++i) {
    const std::string directory = "d" + std::to_string(i);
    scratch.directory(directory, i % 3 == 0 ? 01777 : 0755);
    for (int j = 0; j < 5; ++j) {
      scratch.file(directory + "/f" + std::to_string(j), "", j % 2 == 0 ? 0755 : 0644);
    }
    scratch.link("f0", directory + "/l");
  }
  const tests::Variables variables(tests::colours("ln=target"));
  for (const Words& form : {Words{"--group"},
                            {"--group", "--bottom-up"},
                            {"--paths"},
                            {"--stat"},
                            {"--paths", "--bottom-up"},
                            {"--paths", "--unordered"},
                            {"--group", "--unordered"}}) {
    CAPTURE(tests::line(form));
    const auto walk = [&](const std::string& threads) {
      const Ran ran =
          osbox(joined(joined({"walk", "--color", "--threads", threads}, form), {scratch.path()}));
      CHECK(ran.status == 0);
      // With --unordered whole records come in any order.
      auto all = tests::lines(ran.out);
      std::ranges::sort(all);
      return form.back() == "--unordered" ? tests::line(all) : ran.out;
    };
    CHECK((walk("4") == walk("1")));
  }
}

TEST_CASE("walk asks the kernel for a colour only where there is one") {
  const Scratch scratch;
  for (int i = 0; i < 20; ++i) scratch.file("t-f" + std::to_string(i));
  scratch.directory("t-d");
  scratch.link("t-d", "t-link");
  const auto looks = [&](const std::string& ls_colors, const Words& words) {
    const Ran ran = tests::run({.words = joined({"strace", "-f", "-qq", "-e",
                                                 "trace=statx,newfstatat,lstat,stat,fstatat64",
                                                 tests::binary(), "walk", "--threads", "1"},
                                                words),
                                .environment = {"LS_COLORS=" + ls_colors},
                                .directory = scratch.path()});
    REQUIRE(ran.status == 0);
    return std::ranges::count_if(tests::lines(ran.err), [](const std::string& call) {
      return call.contains("\"t-") || call.contains("\"./t-");
    });
  };
  for (const std::string colour : {"--color=auto", "--color=never"}) {
    CHECK(looks("", {colour}) == 0);
    CHECK(looks("", {colour, "--unordered"}) == 0);
    CHECK(looks("", {colour, "--bottom-up"}) == 0);
    CHECK(looks("", {colour, "--tree"}) == 0);
    CHECK(looks("", {colour, "--group"}) == 1);  // where the link leads
  }
  // Files and directories, for their modes.
  CHECK(looks("", {"--color"}) == 21);
  CHECK(looks("", {"--color", "--unordered"}) == 21);
  CHECK(looks("", {"--color", "--tree"}) == 21);
  CHECK(looks("", {"--color", "--group"}) == 22);
  CHECK(looks("or=31", {"--color"}) == 22);
  CHECK(looks("or=31", {"--color", "--group"}) == 22);
  CHECK(looks("tw=:ow=:st=", {"--color"}) == 20);
  CHECK(looks("ex=:su=:sg=:tw=:ow=:st=", {"--color"}) == 0);
  // What was asked for already is not asked again, and what is not shown not at all.
  CHECK(looks("or=31", {"--color", "--stat"}) == 23);
  CHECK(looks("", {"--color", "-t", "l"}) == 0);
  CHECK(looks("", {"--color", "--group", "--name", "t-f1*"}) == 12);
  CHECK(looks("", {"--color", "--json"}) == 1);
}

TEST_CASE("walk fails for no colour, and shows what it cannot look at in that of its type") {
  const Scratch scratch;
  scratch.directory("top");
  scratch.directory("top/names");
  scratch.file("top/names/f.tar", "", 0755);
  scratch.link("f.tar", "top/names/l");
  ::chmod((scratch / "top/names").c_str(), 0744);
  if (!tests::is_root()) ::chmod((scratch / "top/names").c_str(), 0444);
  for (const Words& form :
       {Words{"--group"}, {"--group", "--bottom-up"}, {"--paths"}, {"--paths", "--unordered"}}) {
    CAPTURE(tests::line(form));
    const auto walk = [&](const std::string& colour) {
      return tests::run(
          {.words = joined(joined({tests::binary(), "walk", colour}, form), {scratch / "top"}),
           .environment = {"LS_COLORS=*.tar=33:ln=target"},
           .as_nobody = true});
    };
    const Ran ran = walk("--color");
    CHECK(ran.status == 0);
    CHECK(ran.err.empty());
    CHECK(ran.out.contains("\033[33mf.tar\033[0m\n"));
    CHECK(tests::without_colours(ran.out) == walk("--color=never").out);
  }
}

TEST_CASE("walk --beneath looks at nothing outside for a colour") {
  const Scratch scratch;
  if (!tests::newer_calls()) return;
  scratch.directory("in");
  scratch.directory("in/d");
  scratch.directory("in/e", 0777);
  scratch.file("outside", "", 0755);
  scratch.file("in/program", "", 0755);
  scratch.link("../../outside", "in/d/away");
  scratch.link("../program", "in/d/inside");
  scratch.link("../e", "in/d/to-e");
  scratch.link("d", "in/to-d");
  const tests::Variables variables(tests::colours("or=31:ln=target:mi=05"));
  const auto walk = [&](const Words& how) {
    return tests::with_braces(
        osbox(joined(joined({"walk", "--beneath", scratch / "in"}, how), {"d"}), terminal).out);
  };
  for (const Words& form : {Words{"--group"},
                            {"--group", "--bottom-up"},
                            {"--paths"},
                            {"--stat"},
                            {"--tree"},
                            {"--paths", "--follow"},
                            {"--group", "--follow"}}) {
    CAPTURE(tests::line(form));
    const std::string shown = walk(form);
    CHECK(shown.contains("{31}away{}"));
    CHECK(shown.contains("{01;32}inside{}"));
    CHECK(shown.contains("{34;42}to-e{}"));
  }
  // What a followed link leads to is looked at through that.
  for (const Words& order : {Words{}, {"--bottom-up"}}) {
    const Words words = joined({"walk", "--beneath", scratch / "in", "--group", "--follow"}, order);
    const std::string shown = tests::with_braces(osbox(joined(words, {"to-d"}), terminal).out);
    CHECK(shown.contains("{34;42}to-e{}"));
    const std::string top = tests::with_braces(osbox(joined(words, {"."}), terminal).out);
    CHECK(top.find("{34;42}to-e{}") != top.rfind("{34;42}to-e{}"));
  }
}

TEST_CASE("walk has the right colours where a directory does not tell types") {
  const char* const odd = std::getenv("ODD_FILE_SYSTEM");
  if (odd == nullptr) {
    MESSAGE("a static osbox cannot be given an odd file system: not tested");
    return;
  }
  const Scratch scratch;
  make_colourful(scratch);
  for (const Words& form :
       {Words{"--group"}, {"--group", "--bottom-up"}, {"--paths"}, {"--tree"}}) {
    CAPTURE(tests::line(form));
    const auto walk = [&](const std::vector<std::string>& more) {
      std::vector<std::string> environment = {"LS_COLORS=or=31"};
      environment.insert(environment.end(), more.begin(), more.end());
      return tests::run(
          {.words = joined(joined({tests::binary(), "walk", "--color"}, form), {scratch / "t"}),
           .environment = environment});
    };
    CHECK(walk({std::string("LD_PRELOAD=") + odd}).out == walk({}).out);
    CHECK(walk({}).status == 0);
  }
}
