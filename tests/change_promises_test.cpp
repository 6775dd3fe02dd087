// What every applet owes its callers that changes something.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "applets/registry.hpp"
#include "core/sys/error.hpp"
#include "tests/harness.hpp"

using tests::binary;
using tests::run;

namespace {

bool takes_paths(const cli::Applet& applet) {
  return std::ranges::any_of(applet.options,
                             [](const cli::Option& option) { return option.operands != nullptr; });
}

/// What an operand has to be, so that the applet can do its work.
enum class Operand {
  fresh,      ///< nothing yet
  file,       ///< a file that chmod, chown and truncate change
  directory,  ///< an empty one
  pair,       ///< a file, and a name that is free
  text,       ///< any text, and a name that is free
};

struct Change {
  Words words;  ///< the applet, and what stands in front of its paths
  Operand operand;
};

/// A row for every applet that changes something, and for every way of its own to do it.
const std::vector<Change>& changes() {
  static const std::vector<Change> all = {
      {{"chmod", "600"}, Operand::file},
      {{"chmod", "-R", "600"}, Operand::file},
      {{"chown", std::to_string(::getuid()) + ":" + std::to_string(::getgid())}, Operand::file},
      {{"link"}, Operand::pair},
      {{"makedirs"}, Operand::fresh},
      {{"mkdir"}, Operand::fresh},
      {{"mkfifo"}, Operand::fresh},
      {{"mknod", "--type", "file"}, Operand::fresh},
      {{"removedirs"}, Operand::directory},
      {{"rename"}, Operand::pair},
      {{"replace"}, Operand::pair},
      {{"replace", "--copy", "--no-sync"}, Operand::pair},
      {{"rmdir"}, Operand::directory},
      {{"symlink"}, Operand::text},
      {{"symlink", "--replace"}, Operand::text},
      {{"truncate", "3"}, Operand::file},
      {{"unlink"}, Operand::file},
      {{"utime", "--atime", "1", "--mtime", "1"}, Operand::file},
  };
  return all;
}

/// Every row, and again under each alias of its applet.
std::vector<Change> changes_of_all() {
  std::vector<Change> all;
  for (const cli::Found& found : cli::all(applets::registry)) {
    for (Change change : changes()) {
      if (change.words[0] != found.applet->name) continue;
      change.words[0] = found.name();
      all.push_back(std::move(change));
    }
  }
  return all;
}

bool of_two(const Change& change) {
  return change.operand == Operand::pair || change.operand == Operand::text;
}

/// Makes what the applet needs of `name` in `directory`, which is below the scratch directory and
/// ends with a slash or is empty; returns the operands, from there.
Words prepare(const Change& change, const Scratch& scratch, const std::string& directory,
              const std::string& name) {
  switch (change.operand) {
    case Operand::fresh:
      return {name};
    case Operand::file: {
      // Whoever is the owner, a chown takes the set-user-ID away.
      const std::string path = scratch.file(directory + name, "content", 04755);
      const timespec old[] = {{2, 0}, {2, 0}};
      REQUIRE(::utimensat(AT_FDCWD, path.c_str(), old, 0) == 0);
      return {name};
    }
    case Operand::directory:
      scratch.directory(directory + name);
      return {name};
    case Operand::pair:
    case Operand::text:
      if (::access((scratch / (directory + "to")).c_str(), F_OK) != 0) {
        scratch.directory(directory + "to");
      }
      if (change.operand == Operand::text) return {"text", "to/" + name};
      scratch.file(directory + name, "content");
      return {name, "to/" + name};
  }
  return {};
}

/// Operands that fail: below something that is no directory.
Words failing(const Change& change, const std::string& path) {
  if (change.operand == Operand::pair) return {path, "free"};
  if (change.operand == Operand::text) return {"text", path};
  return {path};
}

/// A scratch directory with what is needed for `names`.
struct Ready {
  Ready(const Change& change, const Words& names) {
    scratch.file("plain");
    for (const std::string& name : names) {
      operands = joined(operands, prepare(change, scratch, "", name));
    }
  }
  std::string picture() const { return tests::picture(scratch.path()); }
  Scratch scratch;
  Words operands;
};

std::string nul_ended(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += word + '\0';
  return text;
}

/// osbox with these options and operands; more than one pair comes from standard input.
tests::Command command_of(const Change& change, const Words& options, const Words& operands,
                          const Scratch& scratch, bool from_input = false) {
  tests::Command command{.words = joined(joined({binary()}, change.words), options),
                         .directory = scratch.path()};
  if (from_input || (of_two(change) && operands.size() > 2)) {
    command.words = joined(command.words, {"--files0-from", "-"});
    command.input = nul_ended(operands);
  } else {
    command.words.emplace_back("--");
    command.words = joined(command.words, operands);
  }
  return command;
}

const Words three = {"a", "b", "c"};

/// What is there when the work on `names` was done one by one.
std::string done(const Change& change, const Words& names) {
  const Ready ready(change, names);
  const std::size_t each = ready.operands.size() / names.size();
  const std::string failed = tests::in_child([&] {
    if (::chdir(ready.scratch.path().c_str()) != 0) return std::string("chdir");
    for (std::size_t i = 0; i < ready.operands.size(); i += each) {
      const auto first = ready.operands.begin() + static_cast<std::ptrdiff_t>(i);
      const Words operands(first, first + static_cast<std::ptrdiff_t>(each));
      const Ran ran = osbox(joined(joined(change.words, {"--"}), operands));
      if (ran.status != 0) return std::to_string(ran.status) + " " + ran.err;
    }
    return std::string();
  });
  CHECK(failed == "");
  return ready.picture();
}

}  // namespace

TEST_CASE("every applet that changes something at a path is in the table above") {
  for (const cli::Found& found : cli::all(applets::registry)) {
    CAPTURE(found.applet->name);
    CHECK(std::ranges::any_of(changes(), [&](const Change& change) {
            return change.words[0] == found.applet->name;
          }) == (found.applet->changes && takes_paths(*found.applet)));
  }
  for (const Change& change : changes()) {
    CAPTURE(change.words[0]);
    CHECK(cli::find(applets::registry, change.words[0]).applet != nullptr);
  }
}

TEST_CASE("applets that change something say so only when they are asked") {
  for (const Change& change : changes_of_all()) {
    CAPTURE(tests::line(change.words));
    const std::string expected = done(change, three);
    for (const Words& options : std::vector<Words>{
             {}, {"-v"}, {"--json"}, {"--format", "{path}"}, {"--shell"}, {"-0", "-v"}}) {
      CAPTURE(tests::line(options));
      const Ready ready(change, three);
      const std::string before = ready.picture();
      const Ran ran = run(command_of(change, options, ready.operands, ready.scratch));
      CHECK(ran.status == 0);
      CHECK(ran.err == "");
      CHECK(std::ranges::count(ran.out, options.size() == 2 && options[0] == "-0" ? '\0' : '\n') ==
            (options.empty() ? 0 : 3));
      CHECK(ready.picture() != before);
      CHECK(ready.picture() == expected);
    }
  }
}

TEST_CASE("operands of a file are done as those of the command line") {
  for (const Change& change : changes_of_all()) {
    CAPTURE(tests::line(change.words));
    const Ready ready(change, three);
    const Ran ran = run(command_of(change, {"--json"}, ready.operands, ready.scratch, true));
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
    CHECK(ready.picture() == done(change, three));
    const Ready named(change, three);
    named.scratch.file("operands", nul_ended(named.operands));
    tests::Command command = command_of(change, {"--json"}, {}, named.scratch);
    command.words.pop_back();
    command.words = joined(command.words, {"--files0-from", "operands"});
    CHECK(run(command).out == ran.out);
    if (of_two(change)) continue;
    const Ready line(change, three);
    CHECK(run(command_of(change, {"--json"}, line.operands, line.scratch)).out == ran.out);
  }
}

TEST_CASE("a name that has no partner is told, and the pairs before it are done") {
  for (const Change& change : changes_of_all()) {
    if (!of_two(change)) continue;
    CAPTURE(tests::line(change.words));
    const Ready ready(change, three);
    const Ran ran = run(command_of(change, {}, joined(ready.operands, {"alone"}), ready.scratch));
    CHECK(ran.status == 1);
    CHECK(ran.err.starts_with(change.words[0] + ": alone: "));
    CHECK(ran.err.find("EINVAL") != std::string::npos);
    CHECK(ready.picture() == done(change, three));
  }
}

TEST_CASE("what cannot be told is done all the same, and the loss is told") {
  for (const Change& change : changes_of_all()) {
    CAPTURE(tests::line(change.words));
    const std::string expected = done(change, three);
    for (const std::string how : {"--json", "-v"}) {
      const Ready full(change, three);
      tests::Command command = command_of(change, {how}, full.operands, full.scratch);
      command.output_file = "/dev/full";
      Ran ran = run(command);
      CHECK(ran.status == 1);
      CHECK(tests::lines(ran.err).size() == 1);
      CHECK(ran.err.find(how == "-v" ? "stdout: write: ENOSPC: " : R"("error":"ENOSPC")") !=
            std::string::npos);
      CHECK(full.picture() == expected);
      const Ready closed(change, three);
      command = command_of(change, {how, "--exit-errno"}, closed.operands, closed.scratch);
      command.closed = {1};
      ran = run(command);
      CHECK(ran.status == EBADF);
      CHECK(tests::lines(ran.err).size() == 1);
      CHECK(closed.picture() == expected);
    }
    // Who prints nothing loses nothing.
    const Ready quiet(change, three);
    tests::Command command = command_of(change, {}, quiet.operands, quiet.scratch);
    command.closed = {1};
    CHECK(run(command).status == 0);
    CHECK(quiet.picture() == expected);
  }
}

TEST_CASE("what fails keeps nothing else from being done") {
  for (const Change& change : changes_of_all()) {
    CAPTURE(tests::line(change.words));
    const Ready ready(change, three);
    const Words bad = joined(failing(change, "plain/x"), failing(change, ""));
    const Ran ran = run(command_of(change, {"--json"}, joined(bad, ready.operands), ready.scratch));
    CHECK(ran.status == 1);
    CHECK(tests::lines(ran.out).size() == 3);
    const auto errors = tests::lines(ran.err);
    REQUIRE(errors.size() == 2);
    CHECK(errors[0].find(R"("errno":20,"error":"ENOTDIR")") != std::string::npos);
    CHECK(errors[0].find(R"(":"plain/x")") != std::string::npos);
    CHECK(errors[1].find(R"("errno":2,"error":"ENOENT")") != std::string::npos);
    CHECK(errors[1].find(R"(":"")") != std::string::npos);
    CHECK(ready.picture() == done(change, three));

    const auto alone = [&](const std::string& path, const Words& options) {
      return run(command_of(change, options, failing(change, path), ready.scratch));
    };
    const std::string& name = change.words[0];
    const Ran people = alone("plain/x", {});
    CHECK(people.status == 1);
    CHECK(people.err.starts_with(name + ": "));
    CHECK(people.err.find("plain/x") != std::string::npos);
    CHECK(people.err.ends_with("ENOTDIR: Not a directory\n"));
    CHECK(tests::lines(people.err).size() == 1);
    CHECK(alone("plain/x", {"--exit-errno"}).status == ENOTDIR);
    CHECK(alone("", {"--exit-errno"}).status == ENOENT);
  }
}

TEST_CASE("standard error that is full changes no status of what changes something") {
  for (const Change& change : changes_of_all()) {
    CAPTURE(tests::line(change.words));
    const Ready ready(change, three);
    const auto status = [&](const Words& options, const Words& operands) {
      tests::Command command = command_of(change, options, operands, ready.scratch);
      command.error_file = "/dev/full";
      return run(command).status;
    };
    CHECK(status({"--no-such-option"}, ready.operands) == 2);
    CHECK(status({}, joined(failing(change, "plain/x"), ready.operands)) == 1);
    CHECK(ready.picture() == done(change, three));
    CHECK(status({}, prepare(change, ready.scratch, "", "d")) == 0);
  }
}

TEST_CASE("a command line that cannot be understood changes nothing") {
  for (const Change& change : changes_of_all()) {
    CAPTURE(tests::line(change.words));
    const Ready ready(change, {"a"});
    const std::string before = ready.picture();
    for (const Words& options : std::vector<Words>{{"--no-such-option"},
                                                   {"-v", "--no-such-option=x"},
                                                   {"--format", "{nothing}"},
                                                   {"--beneath"}}) {
      CAPTURE(tests::line(options));
      tests::Command command = command_of(change, {}, ready.operands, ready.scratch);
      command.words = joined(joined({binary(), change.words[0]}, options),
                             Words(command.words.begin() + 2, command.words.end()));
      if (options.back() == "--beneath") {
        command.words = joined(joined({binary()}, change.words), {"--beneath"});
      }
      const Ran ran = run(command);
      CHECK(ran.status == 2);
      CHECK(ran.out == "");
      CHECK(tests::lines(ran.err).size() >= 1);
    }
    // No operand at all, or half a pair.
    CHECK(run(command_of(change, {}, {}, ready.scratch)).status == 2);
    if (of_two(change)) CHECK(run(command_of(change, {}, {"a"}, ready.scratch)).status == 2);
    CHECK(ready.picture() == before);
  }
}

TEST_CASE("applets that change something take any name, and give it back in every format") {
  const Words& names = tests::hostile_names();
  for (const Change& change : changes_of_all()) {
    CAPTURE(tests::line(change.words));
    const std::string expected = done(change, names);
    const auto ran = [&](const Words& options) {
      const Ready ready(change, names);
      const Ran made = run(command_of(change, options, ready.operands, ready.scratch));
      CHECK(made.status == 0);
      CHECK(made.err == "");
      CHECK(ready.picture() == expected);
      return made.out;
    };
    const Words operands = Ready(change, names).operands;
    // Each operand is a field of its record, and "path" is the last of them or the first.
    const std::string paths = ran({"-0", "--format", "{path}"});
    CHECK(tests::run({.words = {"python3", "-c", R"(
import base64, json, os, sys
operands = os.fsencode(sys.argv[1]).split(b'/0/')[:-1]
records = [json.loads(line) for line in sys.stdin]
each = len(operands) // len(records)
for i, record in enumerate(records):
    values = []
    for key, value in record.items():
        if isinstance(value, str) and not key.endswith('_b64'):
            value = os.fsencode(value)
            assert base64.b64decode(record.get(key + '_b64', base64.b64encode(value))) == value
            values.append(value)
    for operand in operands[i * each:(i + 1) * each]:
        assert operand in values, (operand, record)
    sys.stdout.buffer.write(os.fsencode(record['path']) + b'\0')
)",
                                [&] {
                                  std::string all;
                                  for (const std::string& each : operands) all += each + "/0/";
                                  return all;
                                }()},
                      .input = ran({"--json"})})
              .out == paths);
    CHECK(tests::run({.words = {"sh", "-c",
                                "while IFS= read -r line; do eval \"$line\"; "
                                "printf '%s\\0' \"$p_path\"; done"},
                      .input = ran({"--shell=p_"})})
              .out == paths);
    Words expected_paths;
    const std::size_t each = operands.size() / names.size();
    for (std::size_t i = 0; i < operands.size(); i += each) {
      expected_paths.push_back(operands[i + (paths.starts_with(operands[0]) ? 0 : each - 1)]);
    }
    CHECK(paths == nul_ended(expected_paths));
  }
}

TEST_CASE("messages of what changes something keep every byte, and are harmless lines") {
  const Words& names = tests::hostile_names();
  for (const Change& change : changes_of_all()) {
    CAPTURE(tests::line(change.words));
    const Ready ready(change, {});
    Words operands;
    for (const std::string& name : names) {
      operands = joined(operands, failing(change, "plain/" + name));
    }
    const Ran people = run(command_of(change, {}, operands, ready.scratch));
    CHECK(people.status == 1);
    CHECK(people.out == "");
    CHECK(tests::lines(people.err).size() == names.size());
    CHECK(std::ranges::all_of(people.err, [](char byte) {
      return byte == '\n' || static_cast<unsigned char>(byte) >= ' ';
    }));
    const Ran programs = run(command_of(change, {"--json"}, operands, ready.scratch));
    Words paths;
    for (const std::string& name : names) paths.push_back("plain/" + name);
    CHECK(tests::python(R"(
import base64, json, os, sys
for line in sys.argv[1].splitlines():
    error = json.loads(line)
    assert error['error'] == 'ENOTDIR', error
    key = 'path' if error['path'].startswith('plain/') else 'target'
    path = os.fsencode(error[key])
    assert base64.b64decode(error.get(key + '_b64', base64.b64encode(path))) == path
    sys.stdout.buffer.write(path + b'\0')
)",
                        {programs.err}) == nul_ended(paths));
  }
}

TEST_CASE("no applet that changes something waits for a FIFO") {
  for (const Change& change : changes_of_all()) {
    CAPTURE(tests::line(change.words));
    const Scratch scratch;
    scratch.fifo("fifo");
    scratch.file("file");
    const auto status = [&](const Words& operands) {
      tests::Command command = command_of(change, {}, operands, scratch);
      command.words = joined({"timeout", "20"}, command.words);
      return run(command).status;
    };
    if (!of_two(change)) {
      CHECK(status({"fifo"}) <= 1);
      continue;
    }
    CHECK(status({"file", "fifo"}) <= 1);
    CHECK(status({"fifo", "free"}) <= 1);
  }
}

namespace {

/// Below a scratch directory "in", where the applet may work, and "out", where it may not and
/// could; in/link leads there.
struct Bounds {
  explicit Bounds(const Change& change) {
    scratch.directory("in");
    scratch.directory("out");
    scratch.link("../out", "in/link");
    inside = prepare(change, scratch, "in/", "name");
    prepare(change, scratch, "out/", "name");
    if (change.operand == Operand::pair) scratch.file("in/other");
  }
  std::string picture() const { return tests::picture(scratch.path()); }

  /// Operands of which one begins with `way`, the way out.
  std::vector<Words> leading_out(const Change& change, const std::string& way) const {
    if (change.operand == Operand::text) return {{"text", way + inside[1]}};
    if (change.operand == Operand::pair)
      return {{way + inside[0], "free"}, {"other", way + "free"}};
    return {{way + inside[0]}};
  }

  Scratch scratch;
  Words inside;
};

/// Operands as they are from above "in".
Words from_above(const Change& change, Words operands) {
  for (std::size_t i = change.operand == Operand::text ? 1 : 0; i < operands.size(); ++i) {
    operands[i] = "in/" + operands[i];
  }
  return operands;
}

void fails_and_changes_nothing(const Bounds& bounds, const tests::Command& command, int error) {
  const std::string before = bounds.picture();
  const Ran ran = run(command);
  const std::string message = ": " + std::string(core::error_name(error)) + ": ";
  CHECK(ran.status == 1);
  CHECK(ran.out == "");
  CHECK(tests::lines(ran.err).size() == 1);
  CHECK_MESSAGE(ran.err.find(message) != std::string::npos, ran.err);
  CHECK(bounds.picture() == before);
}

}  // namespace

TEST_CASE("nothing is changed where --beneath and --no-symlinks do not lead") {
  const bool newer = tests::newer_calls();
  for (const Change& change : changes_of_all()) {
    CAPTURE(tests::line(change.words));
    const Bounds bounds(change);
    const auto command = [&](const Words& options, const Words& operands) {
      return command_of(change, options, operands, bounds.scratch);
    };
    for (const std::string& way : {std::string("../out/"), std::string("link/"),
                                   std::string("link/../out/"), bounds.scratch / "out/"}) {
      CAPTURE(way);
      for (const Words& operands : bounds.leading_out(change, way)) {
        fails_and_changes_nothing(bounds, command({"--beneath", "in"}, operands),
                                  newer ? EXDEV : ENOSYS);
      }
    }
    for (const Words& operands : bounds.leading_out(change, "link/")) {
      fails_and_changes_nothing(bounds, command({"--no-symlinks"}, from_above(change, operands)),
                                newer ? ELOOP : ENOSYS);
      fails_and_changes_nothing(bounds, command({"--beneath", "in", "--no-symlinks"}, operands),
                                newer ? ELOOP : ENOSYS);
    }
    // Where the kernel has no openat2, or a seccomp profile denies it.
    for (const int error : {ENOSYS, EPERM}) {
      tests::Command denied = command({"--beneath", "in"}, bounds.inside);
      denied.denied = {{SYS_openat2, error}};
      fails_and_changes_nothing(bounds, denied, ENOSYS);
      denied = command({"--no-symlinks"}, from_above(change, bounds.inside));
      denied.denied = {{SYS_openat2, error}};
      fails_and_changes_nothing(bounds, denied, ENOSYS);
    }
    if (!newer) continue;
    for (const bool beneath : {true, false}) {
      const Bounds good(change);
      const std::string before = good.picture();
      const Ran ran =
          run(command_of(change, beneath ? Words{"--beneath", "in"} : Words{"--no-symlinks"},
                         beneath ? good.inside : from_above(change, good.inside), good.scratch));
      CHECK_MESSAGE(ran.status == 0, ran.err);
      CHECK(ran.err == "");
      CHECK(good.picture() != before);
    }
  }
}
