// What every applet owes its callers, whichever it is.
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "applets/registry.hpp"
#include "tests/harness.hpp"

using tests::binary;
using tests::run;

namespace {

/// True for an applet that is nothing without a command to run.
bool runs_command(const cli::Applet& applet) {
  return std::ranges::any_of(applet.options, [](const cli::Option& option) {
    return option.shape == cli::Option::Shape::command && option.required;
  });
}

/// Every applet and alias that changes nothing, with operands that make it print something.
std::vector<Words> runs_of_all() {
  std::vector<Words> runs;
  for (const cli::Found& found : cli::all(applets::registry)) {
    if (found.applet->changes || runs_command(*found.applet)) continue;
    // These need a process that ends, or a line for the shell: they have tests of their own.
    const std::string_view name = found.applet->name;
    if (name == "wait" || name == "waitpid" || name == "system") continue;
    runs.push_back({std::string(found.name())});
    for (const cli::Option& option : found.applet->options) {
      if (!option.is_operand() || !option.required) continue;
      runs.back().emplace_back(option.operands == nullptr ? "PATH" : "/proc/self/exe");
    }
  }
  return runs;
}

bool takes_paths(const cli::Applet& applet) {
  return std::ranges::any_of(applet.options,
                             [](const cli::Option& option) { return option.operands != nullptr; });
}

/// Every applet and alias that takes paths, and changes nothing there.
Words path_applets() {
  Words names;
  for (const cli::Found& found : cli::all(applets::registry)) {
    if (takes_paths(*found.applet) && !found.applet->changes) names.emplace_back(found.name());
  }
  return names;
}

/// True where a "no such file" is an answer, and not a failure.
bool answers(const std::string& applet) { return applet == "access"; }

}  // namespace

TEST_CASE("every applet tells that its output is lost") {
  const Scratch scratch;
  scratch.file("file");
  for (const Words& words : runs_of_all()) {
    const std::string& name = words.front();
    CAPTURE(name);
    const Words command = joined({binary()}, words);
    // None of these runs a command, though one or the other could.
    const int told = cli::find(applets::registry, name).applet->failure;
    const int failure = told == 125 ? 1 : told;
    const std::string& here = scratch.path();
    const Ran well =
        run({.words = command, .environment = {"ASAN_OPTIONS=detect_leaks=1"}, .directory = here});
    CHECK(well.status == 0);
    CHECK(well.err == "");
    const Ran full = run({.words = command, .directory = here, .output_file = "/dev/full"});
    const Ran closed = run({.words = command, .directory = here, .closed = {1}});
    // Who is in no group has none to be printed.
    if (name == "getgroups" && well.out.empty()) continue;
    CHECK(well.out != "");
    CHECK(full.status == failure);
    CHECK(full.err == name + ": stdout: write: ENOSPC: No space left on device\n");
    CHECK(closed.status == failure);
    CHECK(closed.err == name + ": stdout: write: EBADF: Bad file descriptor\n");
    CHECK(run({.words = joined(command, {"--exit-errno"}),
               .directory = here,
               .output_file = "/dev/full"})
              .status == ENOSPC);
  }
}

TEST_CASE("standard error that is full changes no exit status of any applet") {
  const Scratch scratch;
  const std::string& here = scratch.path();
  for (const Words& words : runs_of_all()) {
    CAPTURE(words.front());
    const Words command = joined({binary()}, words);
    CHECK(run({.words = command, .directory = here, .error_file = "/dev/full"}).status == 0);
    const Words wrong = joined(command, {"--no-such-option"});
    CHECK(run({.words = wrong, .directory = here, .error_file = "/dev/full"}).status == 2);
  }
  for (const std::string& name : path_applets()) {
    CAPTURE(name);
    CHECK(run({.words = {binary(), name, scratch / "gone"}, .error_file = "/dev/full"}).status ==
          1);
  }
}

TEST_CASE("after a failed path the others are done, and the status tells") {
  const Scratch scratch;
  scratch.directory("dir");
  scratch.file("dir/file");
  for (const std::string& name : path_applets()) {
    CAPTURE(name);
    // The room on a disk is never the same twice.
    const Words good = {name == "readlink"  ? scratch.link("dir", "link")
                        : name == "statvfs" ? "/proc"
                                            : scratch / "dir"};
    // Directories of ls have headers where there are several; --json has none.
    const Words command = {name, "--json"};
    const Ran alone = osbox(joined(command, good));
    CHECK(alone.status == 0);
    CHECK(alone.out != "");
    const Ran ran = osbox(joined(joined(command, {scratch / "gone", ""}), good));
    CHECK(ran.status == 1);
    CHECK(ran.out.ends_with(alone.out));
    if (answers(name)) {
      CHECK(osbox({name, "-f", "--exit-errno", ""}).status == ENOENT);
      continue;
    }
    CHECK(ran.out == alone.out);
    const auto errors = tests::lines(ran.err);
    REQUIRE(errors.size() == 2);
    for (const std::string& error : errors) {
      CHECK(error.find(R"("errno":2,"error":"ENOENT")") != std::string::npos);
    }
    CHECK(errors[0].find(R"("path":")" + scratch / "gone" + "\"") != std::string::npos);
    CHECK(errors[1].find(R"("path":"")") != std::string::npos);
    CHECK(osbox({name, "--exit-errno", ""}).status == ENOENT);
  }
}

TEST_CASE("no applet waits for a FIFO that it is asked about") {
  const Scratch scratch;
  scratch.directory("dir");
  const Words paths = {scratch.fifo("fifo"), scratch.fifo("dir/fifo"), scratch / "dir",
                       scratch.link("fifo", "link")};
  for (const std::string& name : path_applets()) {
    CAPTURE(name);
    const Ran ran = run({.words = joined({"timeout", "20", binary(), name}, paths)});
    CHECK(ran.status <= 1);
    CHECK(ran.out != "");
  }
}

TEST_CASE("messages of every applet keep every byte of a name, and are one harmless line") {
  const Words& names = tests::hostile_names();
  const Scratch scratch;
  for (const cli::Found& found : cli::all(applets::registry)) {
    const std::string name(found.name());
    const bool paths = takes_paths(*found.applet);
    const bool pids = std::ranges::any_of(found.applet->options, [](const cli::Option& option) {
      return option.completes == cli::Completes::pid;
    });
    if (answers(name) || found.applet->changes || !(paths || pids || name == "strerror")) continue;
    CAPTURE(name);
    const Words command = joined({binary(), name, "--"}, names);
    const Ran people = run({.words = command, .directory = scratch.path()});
    CHECK(people.status == 1);
    CHECK(people.out == "");
    CHECK(tests::lines(people.err).size() == names.size());
    CHECK(std::ranges::all_of(people.err, [](char byte) {
      return byte == '\n' || static_cast<unsigned char>(byte) >= ' ';
    }));
    const Ran programs = run(
        {.words = joined({binary(), name, "--json", "--"}, names), .directory = scratch.path()});
    CHECK(tests::python(R"(
import base64, json, os, sys
for line in sys.argv[1].splitlines():
    error = json.loads(line)
    path = os.fsencode(error['path'])
    assert base64.b64decode(error.get('path_b64', base64.b64encode(path))) == path
    sys.stdout.buffer.write(path + b'\0')
)",
                        {programs.err}) == [&] {
      std::string all;
      for (const std::string& each : names) all += each + '\0';
      return all;
    }());
  }
}

TEST_CASE("every applet that takes paths takes any name, and gives it back in every format") {
  const Scratch scratch;
  Words sorted = tests::hostile_names();
  std::ranges::sort(sorted);
  for (const std::string& name : sorted) scratch.link(".", name);
  for (const std::string& name : path_applets()) {
    CAPTURE(name);
    const bool reads = name == "scandir" || name == "walk";
    const auto ran = [&](const Words& format) {
      Words words = joined({binary(), name}, format);
      if (name == "walk") words = joined(words, {"--paths", "--min-depth", "1"});
      if (name == "ls" || name == "listdir") words.emplace_back("-d");
      words.emplace_back("--");
      const Ran made =
          run({.words = joined(words, reads ? Words{"."} : sorted), .directory = scratch.path()});
      CHECK(made.status == 0);
      CHECK(made.err == "");
      return made.out;
    };
    // What a directory holds comes in its order, behind the directory's own path.
    const auto same = [&](std::string_view paths) {
      Words found;
      for (std::size_t end = 0; (end = paths.find('\0')) != paths.npos;) {
        found.emplace_back(paths.substr(reads ? 2 : 0, end - (reads ? 2 : 0)));
        paths.remove_prefix(end + 1);
      }
      std::ranges::sort(found);
      return found == sorted;
    };
    CHECK(same(ran({"-0", "--format", "{path}"})));
    CHECK(same(tests::run({.words = {"python3", "-c", R"(
import base64, json, os, sys
for line in sys.stdin:
    record = json.loads(line)
    path = os.fsencode(record['path'])
    assert base64.b64decode(record.get('path_b64', base64.b64encode(path))) == path
    sys.stdout.buffer.write(path + b'\0')
)"},
                           .input = ran({"--json"})})
                   .out));
    CHECK(same(tests::run({.words = {"sh", "-c",
                                     "while IFS= read -r line; do eval \"$line\"; "
                                     "printf '%s\\0' \"$p_path\"; done"},
                           .input = ran({"--shell=p_"})})
                   .out));
  }
}

TEST_CASE("without statx every field is the same but for the three that it alone knows") {
  if (tests::needs_statx) return;
  const Scratch scratch;
  scratch.directory("dir");
  scratch.file("dir/file", "content", 0640);
  scratch.link("file", "dir/link");
  scratch.fifo("dir/fifo");
  for (const Words& words : std::vector<Words>{{"stat", "dir", "dir/file", "dir/link", "/dev/null"},
                                               {"lstat", "dir/link"},
                                               {"ls", "-l", "dir"},
                                               {"scandir", "--stat", "dir"},
                                               {"scandir", "--stat", "--follow", "dir"},
                                               {"walk", "--stat", "dir"},
                                               {"walk", "--stat", "--follow", "dir"}}) {
    CAPTURE(words.front());
    tests::Command command{.words = joined(joined({binary()}, words), {"--json"}),
                           .directory = scratch.path()};
    const Ran with = run(command);
    REQUIRE(with.status == 0);
    for (const int error : {ENOSYS, EPERM}) {
      command.denied = {{SYS_statx, error}};
      const Ran without = run(command);
      CHECK(without.status == 0);
      CHECK(without.err == "");
      CHECK(tests::python(R"(
import json, sys
with_, without = ([json.loads(line) for line in text.splitlines()] for text in sys.argv[1:])
assert len(with_) == len(without) > 0
for a, b in zip(with_, without):
    for key in 'birthtime_ns', 'mount_id', 'attributes':
        assert b[key] is None, (key, b)
        a[key] = None
    assert list(a) == list(b) and a == b, (a, b)
print('same')
)",
                          {with.out, without.out}) == "same\n");
    }
  }
}

TEST_CASE("without openat2 --beneath and --no-symlinks are ENOSYS, and nothing is looked at") {
  const Scratch scratch;
  scratch.directory("dir");
  scratch.file("dir/file");
  scratch.link("file", "dir/link");
  for (const std::string& name : path_applets()) {
    for (const Words& how : std::vector<Words>{{"--beneath", "dir", "."},
                                               {"--beneath", "dir", "link"},
                                               {"--no-symlinks", "dir/link"}}) {
      for (const int error : {ENOSYS, EPERM}) {
        CAPTURE(name);
        CAPTURE(how.back());
        const Ran ran = run({.words = joined({binary(), name}, how),
                             .directory = scratch.path(),
                             .denied = {{SYS_openat2, error}}});
        CHECK(ran.status == cli::find(applets::registry, name).applet->failure);
        CHECK(ran.out == "");
        CHECK(ran.err.starts_with(name + ": " + how.back() + ": "));
        CHECK(ran.err.ends_with("ENOSYS: Function not implemented\n"));
        CHECK(tests::lines(ran.err).size() == 1);
      }
    }
  }
  for (const std::string how : {"-f", "-e"}) {
    CHECK(run({.words = {binary(), "readlink", how, "--beneath", "dir", "link"},
               .directory = scratch.path(),
               .denied = {{SYS_openat2, ENOSYS}}})
              .err == "readlink: link: realpath: ENOSYS: Function not implemented\n");
  }
}
