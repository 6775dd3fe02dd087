// The examples of the manual pages written by hand, of the README and of --help: each is run, and
// prints what stands below it.
//
// In the pages and in the README an example is a literal block. Behind "$ " there is a command,
// behind "# " one that only root can run, behind "> " its next line, and below it what it prints.
// The examples of a section share a shell, and a directory that is empty at first. What a reader
// does not see, comments in front of a block, tells the rest:
//   4711 = [0-9]+     in what is printed 4711 stands for what matches, the same each time
//   0.1s ~ [0-9.]+s   likewise, and each time for itself
//   any order         the lines that a command of the next block prints may come in any order
//   $ COMMAND         is run as well, and prints nothing
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <regex>

#include "applets/registry.hpp"
#include "core/cli/pages.hpp"
#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"
#include "tests/stranger.hpp"

namespace {

using Lines = std::vector<std::string>;

struct Placeholder {
  std::string text;
  std::string pattern;
  bool same;  ///< wherever it stands
};

struct Step {
  std::string command;
  Lines expected = {};
  bool root = false;
  bool any_order = false;
};

struct Section {
  std::string title;
  std::vector<Placeholder> placeholders = {};
  std::vector<Step> steps = {};
};

/// Gathers the examples of a text whose marks the caller knows.
class Examples {
 public:
  void section(const std::string& title) { sections_.push_back({.title = title}); }

  void comment(const std::string& text) {
    REQUIRE(!sections_.empty());
    Section& section = sections_.back();
    std::smatch found;
    CAPTURE(text);
    if (text.starts_with("$ ")) {
      section.steps.push_back({.command = text.substr(2)});
    } else if (text == "any order") {
      any_order_ = true;
    } else if (std::regex_match(text, found, std::regex("(.+) ([=~]) (.+)"))) {
      section.placeholders.push_back({found[1], found[3], found[2] == "="});
    } else {
      FAIL("a comment that means nothing");
    }
  }

  void line(const std::string& text) {
    REQUIRE(!sections_.empty());
    std::vector<Step>& steps = sections_.back().steps;
    const std::string mark = text.substr(0, 2);
    if (mark == "$ " || mark == "# ") {
      steps.push_back({.command = text.substr(2), .root = mark == "# ", .any_order = any_order_});
      begun_ = true;
      return;
    }
    CAPTURE(text);
    REQUIRE_MESSAGE(begun_, "a literal block that is no example");
    if (mark == "> " && steps.back().expected.empty()) {
      steps.back().command += "\n" + text.substr(2);
    } else {
      steps.back().expected.push_back(text);
    }
  }

  /// The end of a literal block, or of all: of empty lines there nobody knows.
  void end_block() {
    CHECK_MESSAGE(begun_, "a literal block without an example");
    begun_ = any_order_ = false;
    for (Step& step : sections_.back().steps) {
      while (!step.expected.empty() && step.expected.back().empty()) step.expected.pop_back();
    }
  }

  std::vector<Section> all() && { return std::move(sections_); }

 private:
  std::vector<Section> sections_;
  bool begun_ = false;
  bool any_order_ = false;
};

/// A line of a literal block as it is shown. What groff shows as another character, a sign that no
/// shell knows, has to be an escape.
std::string shown(const std::string& source) {
  static const std::map<std::string, char> escapes = {
      {"\\-", '-'}, {"\\e", '\\'}, {"\\(aq", '\''}, {"\\(ga", '`'}, {"\\(ha", '^'}, {"\\(ti", '~'}};
  std::string text;
  CAPTURE(source);
  for (std::size_t at = 0; at < source.size();) {
    CHECK(std::string_view("-'`^~").find(source[at]) == std::string_view::npos);
    if (source[at] != '\\') {
      text += source[at++];
      continue;
    }
    const std::size_t size = source.compare(at + 1, 1, "(") == 0 ? 4 : 2;
    const auto escape = escapes.find(source.substr(at, size));
    REQUIRE(escape != escapes.end());
    text += escape->second;
    at += size;
  }
  return text;
}

std::string file_of_manual(const std::string& name) {
  const std::string text = tests::content(tests::build_directory() + "/man/" + name);
  REQUIRE(text != "");
  return text;
}

std::vector<Section> examples_of_manual(const std::string& name) {
  Examples examples;
  bool literal = false;
  for (const std::string& line : tests::lines(file_of_manual(name))) {
    CAPTURE(line);
    if (line == ".Ed") {
      examples.end_block();
      literal = false;
    } else if (literal) {
      examples.line(shown(line));
    } else if (line.starts_with(".\\\" ")) {
      examples.comment(line.substr(4));
    } else if (line.starts_with(".Sh ") || line.starts_with(".Ss ")) {
      examples.section(line.substr(4));
    } else if (line.starts_with(".Bd ")) {
      CHECK(line == ".Bd -literal -offset 2n");
      literal = true;
    } else {
      CHECK(!line.starts_with(".D1"));
      CHECK(!line.starts_with(".Dl"));
      CHECK(!line.starts_with(".nf"));
    }
  }
  CHECK(!literal);
  return std::move(examples).all();
}

std::vector<Section> examples_of_readme() {
  Examples examples;
  std::string title;
  std::string fence;
  for (const std::string& line : tests::lines(file_of_manual("README.md"))) {
    CAPTURE(line);
    if (line == "```") {
      CHECK(fence != "");
      if (fence == "```console") examples.end_block();
      fence = "";
    } else if (fence == "```console") {
      examples.line(line);
    } else if (fence != "") {
      continue;
    } else if (line.starts_with("```")) {
      // The check of every change runs those two as they stand, from a bare machine on.
      const bool from_nothing = title == "Build it" || title == "Test it";
      CHECK(line == (from_nothing ? "```sh" : "```console"));
      fence = line;
    } else if (line.starts_with("<!-- ")) {
      REQUIRE(line.ends_with(" -->"));
      examples.comment(line.substr(5, line.size() - 9));
    } else if (line.starts_with("#")) {
      title = line.substr(line.find(' ') + 1);
      examples.section(title);
    } else {
      CHECK(!line.starts_with("    "));
    }
  }
  CHECK(fence == "");
  return std::move(examples).all();
}

/// Whether what was printed is what a section shows.
class Expectation {
 public:
  explicit Expectation(std::vector<Placeholder> placeholders)
      : placeholders_(std::move(placeholders)) {
    // The longest one that stands at a place is meant.
    std::ranges::sort(placeholders_, std::ranges::greater(),
                      [](const Placeholder& each) { return each.text.size(); });
  }

  bool met_by(const Step& step, Lines printed) {
    if (!step.any_order) return matches(step.expected, printed);
    REQUIRE(printed.size() <= 6);
    std::ranges::sort(printed);
    do {
      if (matches(step.expected, printed)) return true;
    } while (std::ranges::next_permutation(printed).found);
    return false;
  }

  /// What stands nowhere.
  Lines unused() const {
    Lines all;
    for (const Placeholder& each : placeholders_) {
      if (std::ranges::find(used_, each.text) == used_.end()) all.push_back(each.text);
    }
    return all;
  }

 private:
  static std::string escaped(std::string_view text) {
    std::string to;
    for (const char c : text) {
      if (std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos) to += '\\';
      to += c;
    }
    return to;
  }

  bool matches(const Lines& expected, const Lines& printed) {
    if (expected.size() != printed.size()) return false;
    const auto bound = bound_;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (matches(expected[i], printed[i])) continue;
      bound_ = bound;
      return false;
    }
    return true;
  }

  bool matches(const std::string& expected, const std::string& printed) {
    std::string pattern;
    Lines groups;
    for (std::size_t at = 0; at < expected.size();) {
      const auto found = std::ranges::find_if(placeholders_, [&](const Placeholder& each) {
        return expected.compare(at, each.text.size(), each.text) == 0;
      });
      if (found == placeholders_.end()) {
        pattern += escaped(expected.substr(at++, 1));
        continue;
      }
      at += found->text.size();
      used_.push_back(found->text);
      const auto group = std::ranges::find(groups, found->text);
      if (!found->same) {
        pattern += "(?:" + found->pattern + ")";
      } else if (bound_.contains(found->text)) {
        pattern += escaped(bound_[found->text]);
      } else if (group != groups.end()) {
        pattern += "\\" + std::to_string(group - groups.begin() + 1);
      } else {
        pattern += "(" + found->pattern + ")";
        groups.push_back(found->text);
      }
    }
    std::smatch found;
    if (!std::regex_match(printed, found, std::regex(pattern))) return false;
    for (std::size_t i = 0; i < groups.size(); ++i) bound_[groups[i]] = found[i + 1];
    return true;
  }

  std::vector<Placeholder> placeholders_;
  std::map<std::string, std::string> bound_;
  Lines used_;
};

/// A directory for what is run, and one for the jobs that it leaves to be waited for.
class Place {
 public:
  explicit Place(bool as_nobody) {
    REQUIRE(::chmod(runtime_.path().c_str(), 0700) == 0);
    if (!as_nobody || !tests::is_root()) return;
    for (const Scratch* const each : {&runtime_, &scratch_}) {
      REQUIRE(::chown(each->path().c_str(), 65534, 65534) == 0);
    }
  }

  const Scratch& scratch() const { return scratch_; }

  /// osbox is first in PATH, behind a directory "bin" of the scratch directory if there is one.
  tests::Command command(const std::string& script, bool as_nobody = false) const {
    const std::string here = tests::binary().substr(0, tests::binary().rfind('/'));
    return {.words = {"sh", "-c", script},
            .environment = {"PATH=" + (scratch_ / "bin") + ":" + here + ":" + std::getenv("PATH"),
                            "XDG_RUNTIME_DIR=" + runtime_.path(), "OSBOX_EXIT_ERRNO="},
            .directory = scratch_.path(),
            .as_nobody = as_nobody};
  }

 private:
  Scratch runtime_;
  Scratch scratch_;
};

/// What goes wrong stands where a reader would see it, and new files have the usual mode.
const std::string prelude = "exec 2>&1; umask 022\n";

void run_section(const Section& section, bool as_nobody) {
  CAPTURE(section.title);
  CAPTURE(as_nobody);
  const bool root = tests::is_root() && !as_nobody && !tests::sanitized;
  std::vector<const Step*> steps;
  for (const Step& step : section.steps) {
    if (!step.root || root) steps.push_back(&step);
  }
  // In front of each command, and behind the last one, its number and the status before it.
  std::string script =
      prelude + "step() { status=$?; printf '\\036%d %d\\n' $1 $status; return $status; }\n";
  for (std::size_t i = 0; i < steps.size(); ++i) {
    script += "step " + std::to_string(i) + "\n" + steps[i]->command + "\n";
  }
  script += "step " + std::to_string(steps.size()) + "\n";

  const Place place(as_nobody);
  const Ran ran = tests::run(place.command(script, as_nobody));
  CHECK(ran.err == "");
  std::vector<std::string> printed;
  std::vector<std::string> statuses;
  std::string rest = ran.out;
  std::smatch mark;
  while (std::regex_search(rest, mark, std::regex("\036(\\d+) (\\d+)\n"))) {
    printed.push_back(mark.prefix());
    statuses.push_back(mark[2]);
    rest = mark.suffix();
  }
  INFO(ran.out);
  REQUIRE(printed.size() == steps.size() + 1);
  Expectation expectation(section.placeholders);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    INFO("$ " << steps[i]->command << "\n" << printed[i + 1]);
    Lines lines = tests::lines(printed[i + 1]);
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    CHECK(expectation.met_by(*steps[i], lines));
    // Who fails says so.
    if (steps[i]->expected.empty()) CHECK(statuses[i + 1] == "0");
  }
  if (steps.size() == section.steps.size()) CHECK(expectation.unused() == Lines());
}

void run_all(const std::vector<Section>& sections) {
  std::size_t steps = 0;
  for (const Section& section : sections) steps += section.steps.size();
  CHECK(steps > 10);
  if (!tests::newer_calls()) {
    MESSAGE("not tested: the examples show what the newer calls do");
    return;
  }
  for (const Section& section : sections) {
    run_section(section, true);
    if (tests::is_root()) run_section(section, false);
  }
}

}  // namespace

TEST_CASE("examples: those of osbox-tour(7) print what it shows") {
  run_all(examples_of_manual("osbox-tour.7"));
}

TEST_CASE("examples: those of osbox(1) print what it shows") {
  run_all(examples_of_manual("osbox.1"));
}

TEST_CASE("examples: those of the README print what it shows") { run_all(examples_of_readme()); }

TEST_CASE("examples: help tour is the page osbox-tour(7)") {
  const std::string page = file_of_manual("osbox-tour.7");
  const Ran clean = tests::run({.words = {"mandoc", "-Tlint", "-W", "warning"}, .input = page});
  CHECK(clean.out == "");
  CHECK(clean.status == 0);

  const Ran ran = osbox({"help", "tour"});
  CHECK(ran.status == 0);
  CHECK(ran.err == "");
  CHECK(ran.out == cli::tour);
  CHECK(cli::find(applets::registry, "tour").applet == nullptr);
  CHECK(osbox({"help", "tour", "x"}).status == 2);
  for (const std::string& line : tests::lines(ran.out)) {
    CAPTURE(line);
    CHECK(line.size() <= 80);
    CHECK(!line.ends_with(' '));
  }
  CHECK(ran.out.find("\n\n\n") == std::string::npos);
  // As mandoc has it, but for blanks, bold letters and its own quotes.
  const auto words = [](std::string text, std::size_t from) {
    text = std::regex_replace(text.substr(from), std::regex(".\b|\\s+"), "");
    return std::regex_replace(text, std::regex("[\"']|\xe2\x80[\x98-\x9d]"), "");
  };
  const std::string rendered =
      tests::run({.words = {"mandoc", "-Tutf8", "-O", "width=80"}, .input = page}).out;
  const std::string begin = "These are";
  std::string ours = words(ran.out, ran.out.find(begin));
  std::string theirs = words(rendered, rendered.find(begin));
  CHECK(theirs.starts_with(ours));
  // What is left is the foot of the page.
  CHECK(theirs.size() - ours.size() < 100);
}

namespace {

/// What the examples of applets that change something expect to find.
const std::string fixture = prelude + R"sh(
for name in secret script model copy notes data draft blue green new.conf app.conf hosts old.log \
    app.log disk.img stamp photo.jpg old original; do
  : >"$name"
done
mkdir -p tree/dir upload cache/tmp bin lib tmp
[ "$1" = mkdir ] || mkdir lock
case $1 in
  removedirs) mkdir -p cache/a/b/c ;;
  unlink) : >cache/cache.db; : >cache/tmp/a ;;
  replace) : >tmp/image.iso ;;
esac
ln -s notes link
ln -s releases/41 current
)sh";

/// `command` with each `from` in it as `to`.
std::string replaced(std::string command, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = command.find(from, at)) != command.npos; at += to.size()) {
    command.replace(at, from.size(), to);
  }
  return command;
}

/// An example of kill with processes of its own for the numbers in it.
std::string with_processes(std::string command) {
  command = replaced(command, "4711:7102", "$a");
  command = replaced(command, "4711", "${a%:*}");
  command = replaced(command, "4712", "${b%:*}");
  return "a=$(osbox spawn --nowait --process-group sleep 60)\n"
         "b=$(osbox spawn --nowait sleep 60)\n"
         "osbox " +
         command +
         "\n"
         "status=$?\n"
         "kill -KILL ${a%:*} ${b%:*} 2>/dev/null\n"
         "osbox waitpid $a $b >/dev/null 2>&1\n"
         "exit $status";
}

}  // namespace

TEST_CASE("examples: those of --help run, also where they change something") {
  // Those of other applets are run in table_test.
  std::vector<const cli::Applet*> all = {&applets::install};
  std::ranges::copy_if(applets::registry, std::back_inserter(all), [](const auto* applet) {
    return applet->changes || applet->name == "getenv";
  });
  for (const cli::Applet* const applet : all) {
    const std::string name(applet->name);
    for (const cli::Example& example : applet->examples) {
      std::string command(example.command);
      CAPTURE(command);
      // Not what belongs to others.
      command = replaced(command, "/tmp/", "tmp/");
      command = replaced(command, "/usr/local/bin", "bin");
      const bool everybody = command.find("--user 19 nobody") != command.npos;
      command = replaced(command, "--user 19 nobody", "--user 19 4000000000");
      // An example is done for real, and outside of its own place there is nothing to be done.
      for (std::size_t at = 0; (at = command.find('/', at)) != command.npos; ++at) {
        if (at > 0 && command[at - 1] != ' ' && command[at - 1] != '=') continue;
        CHECK_MESSAGE(command.substr(at).starts_with("/usr/share/zoneinfo/"), command);
      }
      CHECK(command.find("..") == command.npos);
      const Place place(false);
      tests::Command run =
          place.command(fixture + (name == "kill" ? with_processes(command) : "osbox " + command));
      run.words.insert(run.words.end(), {"sh", name});
      run.environment.push_back("HOME=" + place.scratch().path());
      const Ran ran = tests::run(run);
      INFO(ran.out);
      const auto says = [&](const std::string& error) {
        return ran.out.find(": " + error + ": ") != std::string::npos;
      };
      if (everybody) {
        CHECK(says("ESRCH"));
      } else if (says("EPERM") || says("EACCES")) {
        // A container's root makes no devices.
        CHECK((!tests::is_root() || name == "mknod"));
      } else if (says("ENOSYS") || says("EOPNOTSUPP") || says("EINVAL")) {
        CHECK(!tests::newer_calls());
      } else {
        CHECK(ran.status == 0);
        CHECK(ran.out.find(name + ": ") == std::string::npos);
      }
    }
  }
}

namespace {

/// A row of the README's table of tasks: who does it, and how.
struct Row {
  std::string who;
  std::string command;
};

std::vector<Row> rows_of_readme() {
  std::vector<Row> rows;
  for (const std::string& line : tests::lines(file_of_manual("README.md"))) {
    if (line.starts_with("## ")) break;
    std::smatch found;
    const std::regex row("\\| (.*?) \\| `(.*?)` \\| (.*) \\| ([0-9.,]+|–) \\|");
    if (!std::regex_match(line, found, row)) continue;
    rows.push_back({found[1], replaced(found[2], "\\|", "|")});
  }
  return rows;
}

/// A directory where the rows can be run.
class Tasks {
 public:
  Tasks() : place_(true) {
    run("mkdir -m 755 bin etc && : >new.conf && echo old >app.conf && chmod 640 app.conf &&\n"
        "printf '#!/bin/sh\\necho new\\n' >bin/make-conf &&\n"
        "cat >bin/job <<'END' && chmod +x bin/*\n"
        "#!/bin/sh\n"
        "setsid sh -c 'echo $$ >pid; exec sleep 60' >/dev/null 2>&1 &\n"
        "exec sleep 60\n"
        "END");
  }
  /// As nobody where this is root, in sh.
  Ran run(const std::string& command) const { return tests::run(place_.command(command, true)); }
  std::string content(const std::string& name) const {
    return tests::content(place_.scratch() / name);
  }

 private:
  Place place_;
};

}  // namespace

TEST_CASE("README: of each task, what goes wrong elsewhere and not here") {
  const std::vector<Row> rows = rows_of_readme();
  REQUIRE(rows.size() == 15);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i].command.find(i % 3 == 0   ? "osbox"
                               : i % 3 == 1 ? ""
                                            : "python3") != std::string::npos);
    CHECK(rows[i].who.starts_with(i % 3 == 0 ? "**" : i % 3 == 1 ? "coreutils" : "python3"));
  }
  const auto command = [&](std::size_t task, std::size_t way) {
    CAPTURE(rows[3 * task + way].command);
    return rows[3 * task + way].command;
  };
  SUBCASE("missing, or not to be looked at") {
    const auto answers = [&](std::size_t way) {
      const Tasks tasks;
      const Ran missing = tasks.run(command(0, way));
      tasks.run("chmod 0 etc");
      return missing.out + tasks.run(command(0, way)).out;
    };
    CHECK(answers(0) == "2\n13\n");
    CHECK(answers(1) == "1\n1\n");
    CHECK(answers(2) == "False\nFalse\n");
  }
  SUBCASE("another name, nothing overwritten") {
    const auto result = [&](std::size_t way) {
      const Tasks tasks;
      const Ran ran = tasks.run(command(1, way));
      return std::to_string(ran.status) + " " + tasks.content("app.conf") + ran.err;
    };
    CHECK(result(0) == "1 old\nrename: new.conf -> app.conf: EEXIST: File exists\n");
    // Some releases after that of Debian 12 tell.
    if (tests::shell("mv --version").out.starts_with("mv (GNU coreutils) 9.1\n")) {
      CHECK(result(1) == "0 old\n");
    }
    CHECK(result(2) == "0 ");
  }
  SUBCASE("a file written whole, or not at all") {
    const auto result = [&](std::size_t way) {
      const Tasks tasks;
      const Ran ran = tasks.run("umask 022; " + command(2, way));
      CHECK(ran.err == "");
      return tasks.run("stat -c %a app.conf").out + tasks.content("app.conf");
    };
    CHECK(result(0) == "640\nnew\n");
    CHECK(result(1) == "644\nnew\n");
    CHECK(result(2) == "644\nnew\n");
    // Where the new content cannot be made.
    const auto failed = [&](std::size_t way) {
      const Tasks tasks;
      tasks.run("printf '#!/bin/sh\\necho half; exit 1\\n' >bin/make-conf\n" + command(2, way));
      return tasks.content("app.conf") + tasks.content("tmp");
    };
    CHECK(failed(0) == "old\n");
    CHECK(failed(1) == "old\nhalf\n");
    CHECK(failed(2) == "half\n");
  }
  SUBCASE("one second, and no more") {
    const auto left = [&](std::size_t way) {
      const Tasks tasks;
      CHECK(tasks.run(command(3, way)).status == (way == 2 ? 1 : 124));
      // What is in a session of its own; a zombie has ended.
      return tasks
          .run(
              "p=$(cat pid); grep -v '^[0-9]* (sleep) Z' /proc/$p/stat >stat && echo left\n"
              "kill -9 $p")
          .out;
    };
    CHECK(left(0) == "");
    CHECK(left(1) == "left\n");
    CHECK(left(2) == "left\n");
  }
  SUBCASE("how did another shell's process end?") {
    const auto result = [&](std::size_t way, const std::string& until) {
      const Tasks tasks;
      return tasks
          .run(
              "mkfifo go\n"
              "sh -c 'sh -c \"echo \\$\\$ >pid; read word <go; exit 3\" & wait' &\n"
              "until [ -s pid ]; do sleep .01; done; p=$(cat pid)\n" +
              command(4, way) + " >out 2>&1 &\n" + until +
              "echo >go; wait $!; status=$?\n"
              "sed \"s/^$p /PID /; s/^ChildProcessError:.*/ECHILD/\" out | tail -n 1\n"
              "echo $status")
          .out;
    };
    if (tests::needs_kept_status()) {
      const std::string held = "until ls -l /proc/$!/fd | grep -q pidfd; do sleep .01; done\n";
      CHECK(result(0, held) == "PID 768 exited 3\n0\n");
    }
    CHECK(result(1, "") == "0\n");
    CHECK(result(2, "") == "ECHILD\n1\n");
  }
}

TEST_CASE("SECURITY: no control character of a name reaches a terminal, but with -0") {
  const Scratch scratch;
  Lines paths;
  for (const std::string& name : tests::hostile_names()) paths.push_back(scratch.link(".", name));
  ::setenv("NO_COLOR", "1", 1);  // or there are osbox's own
  const auto harmless = [](const std::string& text) {
    const std::regex control("[\\x01-\\x09\\x0b-\\x1f\\x7f]|\xc2[\x80-\x9f]");
    return !std::regex_search(text, control) && text.find('\0') == text.npos;
  };
  for (const cli::Found& found : cli::all(applets::registry)) {
    if (found.applet->changes) continue;
    const bool takes_paths =
        std::ranges::any_of(found.applet->options,
                            [](const cli::Option& option) { return option.operands != nullptr; });
    if (!takes_paths) continue;
    const std::string name(found.name());
    const bool reads = name == "walk" || name == "scandir" || name == "ls" || name == "listdir";
    for (const Lines& how : std::vector<Lines>{
             {}, {"--json"}, {"--format", "{path}"}, {"--shell"}, {"--no-symlinks"}}) {
      CAPTURE(name);
      CAPTURE(tests::line(how));
      Lines words = {name};
      words.insert(words.end(), how.begin(), how.end());
      words.emplace_back("--");
      if (reads) {
        words.push_back(scratch.path());
      } else {
        words.insert(words.end(), paths.begin(), paths.end());
      }
      const Ran ran = osbox(words, {.output_is_terminal = true, .error_is_terminal = true});
      CHECK(ran.out + ran.err != "");
      CHECK(harmless(ran.out));
      CHECK(harmless(ran.err));
    }
  }
  ::unsetenv("NO_COLOR");
  const Ran raw = osbox({"ls", "-0", scratch.path()}, {.output_is_terminal = true});
  CHECK(!harmless(raw.out));
}
