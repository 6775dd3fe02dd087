// What every applet that runs a command owes to that command and to whoever waits for it.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "applets/registry.hpp"
#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"

using tests::binary;
using tests::run;

namespace {

enum class Kind {
  becomes,  ///< osbox is the command in the end
  waits,    ///< the command is its child, and it waits
  child,    ///< the command is its child, and somebody else waits
  shell,    ///< the command is in a line of shell
};

/// A way to run a command.
struct Way {
  Words words;  ///< the applet, and what stands in front of the command
  Kind kind = Kind::becomes;
  /// What is not as it would be without osbox: the lines of `state` that begin so.
  Words changes = {};
  bool only_root = false;
  bool prints_pid = false;  ///< a line with the id of its child, which is no output of the command
  Words behind = {};        ///< behind the command
  bool searches = true;     ///< in PATH
  bool is_exec = false;     ///< the call exec is its own
  bool has_records = false;

  const std::string& name() const { return words.front(); }
  std::string text() const { return tests::line(words); }
};

/// A row for every applet that runs a command, and for every way of its own to do it.
const std::vector<Way>& ways() {
  // An effective id that is not the real one would have shells give it up, and hide /proc/self.
  static const std::string uid = std::to_string(tests::is_root() ? 65534 : ::getuid());
  static const std::string gid = std::to_string(tests::is_root() ? 65534 : ::getgid());
  static const std::string euid = std::to_string(::geteuid());
  static const std::string egid = std::to_string(::getegid());
  static const std::string cpu =
      tests::lines(tests::python("import os; print(max(os.sched_getaffinity(0)))"))[0];
  // The parent in the place of the one who waits.
  static const Words waits = {";", "/usr/bin/python3", "-ISc",
                              "import os; word = os.wait()[1]; "
                              "os._exit(word >> 8 if word & 127 == 0 else 128 + (word & 127))"};
  static const std::vector<Way> all = {
      {{"chdir", "/"}, Kind::becomes, {"cwd"}},
      {{"exec"}},
      {{"fork"}, Kind::child, {"PPid"}, false, true, waits},
      {{"fork", "/bin/true", ";"}, Kind::becomes, {}, false, true},
      {{"nice", "3"}, Kind::becomes, {"nice", "priority", "autogroup"}},
      {{"putenv", "OSBOX_TEST=1"}},
      {{"sched_setaffinity", cpu}, Kind::becomes, {"Cpus_allowed"}},
      {{"setegid", egid}},
      {{"seteuid", euid}},
      {{"setgid", gid}, Kind::becomes, {"Gid"}},
      {{"setgroups", gid}, Kind::becomes, {"Groups"}, true},
      {{"setpgid", "0"}, Kind::becomes, {"NSpgid", "pgrp"}},
      {{"setrlimit", "core=0"}, Kind::becomes, {"Max core file size"}},
      {{"setsid"}, Kind::becomes, {"NSpgid", "NSsid", "pgrp", "session", "tty"}},
      {{"setuid", uid}, Kind::becomes, {"Uid", "Cap"}},
      {{"spawn"}, Kind::waits, {"PPid"}},
      {{"spawn", "--process-group"}, Kind::waits, {"PPid", "NSpgid", "pgrp"}},
      {{"spawn", "--session"}, Kind::waits, {"PPid", "NSpgid", "NSsid", "pgrp", "session", "tty"}},
      // With its time comes a cgroup where there may be one.
      {{"spawn", "--timeout", "100"}, Kind::waits, {"PPid", "cgroup"}},
      {{"system"}, Kind::shell, {"PPid"}},
      {{"umask", "0137"}, Kind::becomes, {"Umask"}},
      {{"unsetenv", "OSBOX_TEST"}},
  };
  return all;
}

/// Every row that is possible; and under each alias of an applet the one without options.
std::vector<Way> ways_of_all() {
  std::vector<Way> all;
  for (const cli::Found& found : cli::all(applets::registry)) {
    for (Way way : ways()) {
      if (way.name() != found.applet->name || (way.only_root && !tests::is_root())) continue;
      if (found.alias != nullptr && way.words.size() > 1) continue;
      way.words.front() = found.name();
      way.searches = found.alias == nullptr || found.alias->options != "--no-search";
      way.is_exec = found.applet->name == "exec";
      way.has_records = !found.applet->tables.empty();
      all.push_back(std::move(way));
    }
  }
  return all;
}

bool runs_command(const cli::Applet& applet) {
  return std::ranges::any_of(applet.options, [](const cli::Option& option) {
    return option.shape == cli::Option::Shape::command;
  });
}

std::string shell_line(const Words& command) {
  std::string text = "exec";
  for (const std::string& word : command) {
    text += " '";
    for (const char each : word) text += each == '\'' ? "'\\''" : std::string(1, each);
    text += '\'';
  }
  return text;
}

/// What runs `command` in this way; `options` are those behind the name of the applet.
Words with(const Way& way, const Words& command, const Words& options = {}) {
  Words words = joined({binary(), way.name()}, options);
  words.insert(words.end(), way.words.begin() + 1, way.words.end());
  return joined(joined(words, way.kind == Kind::shell ? Words{shell_line(command)} : command),
                way.behind);
}

/// What runs `command` and would be the same, were it not for osbox.
Words without(const Way& way, const Words& command) {
  if (way.kind == Kind::shell) return {"/bin/sh", "-c", "--", shell_line(command)};
  return command;
}

/// Takes the line with the id of a child out of what was printed: the child may have been faster
/// than its parent, and each wrote all it had at once. A child that tells its own id, as
/// /proc/self/status does, may have written in pieces, and not all of them lines.
void take_pid(std::string& out) {
  constexpr std::string_view head = "\nPid:\t";
  if (const std::size_t told = out.find(head); told != std::string::npos) {
    const std::size_t begin = told + head.size();
    const std::string line = out.substr(begin, out.find('\n', begin) + 1 - begin);
    std::size_t at = out.find(line);
    while (at != std::string::npos && at > 0 && out[at - 1] == '\t') at = out.find(line, at + 1);
    if (at != std::string::npos) {
      out.erase(at, line.size());
      return;
    }
  }
  for (std::size_t begin = 0; begin < out.size(); ++begin) {
    if (begin > 0 && out[begin - 1] != '\n' && out[begin - 1] != '\0') continue;
    const std::size_t end = std::min(out.find_first_not_of("0123456789", begin), out.size() - 1);
    if (end == begin || out[end] != '\n') continue;
    out.erase(begin, end + 1 - begin);
    return;
  }
  FAIL("no process id in " << out);
}

/// Runs it, `command.words` behind `launcher` where there is one.
Ran ran(const Way& way, tests::Command command, const Words& launcher = {}) {
  command.words = joined(launcher, command.words);
  Ran ran = run(command);
  // A child that cannot be executed has none.
  const bool none = ran.status != 0 && ran.out.empty();
  if (way.prints_pid && !none) take_pid(ran.out);
  return ran;
}

/// A launcher that does `script` and then becomes what is behind it.
Words after(const std::string& script) { return {"/bin/sh", "-c", script + "; exec \"$@\"", "sh"}; }

std::string nul_ended(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += word + '\0';
  return text;
}

/// What there is to be known of a process: read by cat, which changes nothing of its own.
const Words state_command = {"/bin/cat",
                             "/proc/self/status",
                             "/proc/self/limits",
                             "/proc/self/cgroup",
                             "/proc/self/oom_score_adj",
                             "/proc/self/timerslack_ns",
                             "/proc/self/personality",
                             "/proc/self/coredump_filter",
                             "/proc/self/loginuid",
                             "/proc/self/stat"};

/// The lines of that which are not another in every process, but for those that begin with one of
/// `changes`.
std::string state(const std::string& text, const Words& changes) {
  // How the process is called, where its memory is, and when it ran.
  const Words passing = {"Pid:",    "Tgid:",     "NStgid:",     "NSpid:", "Vm",
                         "Rss",     "Hugetlb",   "SigQ:",       "State",  "FDSize",
                         "Threads", "voluntary", "nonvoluntary"};
  const auto begins = [](const std::string& line, const Words& with) {
    return std::ranges::any_of(with,
                               [&](const std::string& head) { return line.starts_with(head); });
  };
  std::string all;
  for (const std::string& line : tests::lines(text)) {
    if (line.find(" (cat) ") != std::string::npos) {
      std::istringstream fields(line.substr(line.find(") ") + 2));
      Words values(3);  // counted as in proc(5), from 1
      for (std::string field; fields >> field;) values.push_back(field);
      REQUIRE(values.size() > 41);
      for (const auto& [name, at] :
           {std::pair("pgrp", 5U), std::pair("session", 6U), std::pair("tty", 7U),
            std::pair("priority", 18U), std::pair("nice", 19U), std::pair("exit_signal", 38U),
            std::pair("rt_priority", 40U), std::pair("policy", 41U)}) {
        if (!begins(name, changes)) all.append(name).append(" ").append(values[at]).append("\n");
      }
      continue;
    }
    // The group of cgroup v2 that it is in.
    const bool cgroup = line.starts_with("0::");
    if (!begins(line, passing) && !begins(cgroup ? "cgroup" : line, changes)) all += line + "\n";
  }
  return all;
}

/// A directory with commands that are none.
struct Commands {
  Commands() {
    scratch.directory("empty");
    scratch.directory("full");
    scratch.directory("full/directory");
    scratch.file("full/text", "echo run by a shell\n", 0755);
    scratch.file("full/plain", "#!/bin/sh\necho ran\n", 0644);
    scratch.file("full/program", "\177ELF garbage", 0755);
    scratch.file("full/nothing", "", 0755);
    scratch.file("full/script", "#!/no/such/interpreter\n", 0755);
    scratch.file("full/windows", "#!/bin/sh\r\necho ran\r\n", 0755);
    scratch.file("full/here", "#!/bin/sh\necho here\n", 0755);
  }
  std::string path(const std::string& name) const { return scratch / "full/" + name; }
  Scratch scratch;
};

}  // namespace

TEST_CASE("every applet that runs a command is in the table above") {
  for (const cli::Found& found : cli::all(applets::registry)) {
    CAPTURE(found.applet->name);
    CHECK(std::ranges::any_of(ways(), [&](const Way& way) {
            return way.name() == found.applet->name;
          }) == (runs_command(*found.applet) || found.applet->name == "system"));
  }
  for (const Way& way : ways()) {
    CAPTURE(way.name());
    CHECK(cli::find(applets::registry, way.name()).applet != nullptr);
  }
}

TEST_CASE("the status of a command is its own, and so is what it writes and reads") {
  const std::string script = "read -r line; echo \"$line\"; echo err >&2; ";
  for (const Way& way : ways_of_all()) {
    CAPTURE(way.text());
    for (const auto& [end, status] :
         {std::pair("exit 0", 0), std::pair("exit 1", 1), std::pair("exit 42", 42),
          std::pair("exit 255", 255), std::pair("kill -9 $$", 137),
          std::pair("kill -TERM $$", 143)}) {
      CAPTURE(end);
      // The errno of a failure comes in the place of no status but a failure's.
      for (const bool as_errno : {false, true}) {
        if (as_errno && status != 1) continue;
        const Words command = {"/bin/sh", "-c", script + end};
        tests::Command all{.words = with(way, command, as_errno ? Words{"--exit-errno"} : Words{}),
                           .input = "in\xff\n"};
        if (as_errno) all.environment = {"OSBOX_EXIT_ERRNO=1"};
        const Ran told = ran(way, all);
        CHECK(told.status == status);
        CHECK(told.out == "in\xff\n");
        CHECK(told.err == "err\n");
      }
    }
  }
}

TEST_CASE("all words behind a command's name are the command's, byte for byte") {
  const Words more = {"",   "--json", "--help", "--",  "-x", "--exit-errno", "--timeout", "1",
                      "-0", "A=1",    "-v",     "--a", "",   "-1",           "core=0"};
  Words words = joined(tests::hostile_names(), more);
  for (const Way& way : ways_of_all()) {
    CAPTURE(way.text());
    Words arguments = words;
    // The first one ends the words of a child of fork.
    if (way.kind != Kind::child) arguments.insert(arguments.begin() + 3, {";", ";"});
    const Words command = joined({"/usr/bin/printf", "%s\\0"}, arguments);
    const Ran told = ran(way, {.words = with(way, command)});
    CHECK(told.status == 0);
    CHECK(told.err == "");
    CHECK(told.out == nul_ended(arguments));
    // argv[0] is what was written.
    const Words cat = {"/bin//cat", "/proc/self/cmdline"};
    CHECK(ran(way, {.words = with(way, cat)}).out == nul_ended(cat));
    if (way.kind == Kind::shell) continue;
    CHECK(ran(way, {.words = with(way, joined({"--"}, cat))}).out ==
          (way.text() == "fork /bin/true ;" ? "" : nul_ended(cat)));
  }
}

TEST_CASE("a command may have any name") {
  const Scratch scratch;
  const Words names = {"bad\xff\n", "-leading", "a=b", std::string(255, 'n')};
  for (const std::string& name : names) {
    scratch.file(name, "#!/bin/sh\nprintf '%s\\n' \"${0##*/}\"\n", 0755);
  }
  for (const Way& way : ways_of_all()) {
    // The parent of fork stands behind a ';' and not behind a --.
    if (way.kind == Kind::shell || way.words.back() == ";") continue;
    CAPTURE(way.text());
    for (const std::string& name : names) {
      CAPTURE(name);
      const Ran path = ran(way, {.words = with(way, {"--", scratch / name})});
      CHECK(path.status == 0);
      CHECK(path.err == "");
      CHECK(path.out == name + "\n");
      if (!way.searches || !name.starts_with('-')) continue;
      const Ran found =
          ran(way, {.words = with(way, {"--", name}), .environment = {"PATH=" + scratch.path()}});
      CHECK(found.status == 0);
      CHECK(found.out == name + "\n");
    }
  }
}

TEST_CASE("a command that is not there is 127, and one that cannot be executed 126") {
  const Commands commands;
  const std::string empty = commands.scratch / "empty";
  const std::string full = commands.scratch / "full";
  for (const Way& way : ways_of_all()) {
    CAPTURE(way.text());
    const auto told = [&](const std::string& command, const Words& options = {}) {
      Ran all = ran(way, {.words = with(way, {command}, options),
                          .environment = {"PATH=" + empty + ":" + full + ":" + empty}});
      CHECK(all.out == "");
      return all;
    };
    if (way.kind == Kind::shell) {
      CHECK(told("nosuch").status == 127);
      CHECK(told(commands.path("directory")).status == 126);
      continue;
    }
    const std::string head = way.name() + ": ";
    const std::string call = way.is_exec ? ": " : ": exec: ";
    const std::string missing = "ENOENT: No such file or directory";
    const Ran nosuch = told("nosuch");
    CHECK(nosuch.status == 127);
    CHECK(nosuch.err == head + "nosuch" + call + missing + "\n");
    CHECK(told("nosuch", {"--exit-errno"}).status == 127);
    CHECK(told("", {}).status == 127);
    CHECK(told("", {}).err == head + "''" + call + missing + "\n");
    const std::string path = commands.path("text/nosuch");
    CHECK(told(path).status == 127);
    CHECK(told(path).err == head + path + call + "ENOTDIR: Not a directory\n");
    if (!way.has_records) continue;
    const Ran json = run({.words = with(way, {commands.path("nosuch")}, {"--json"})});
    CHECK(json.status == 127);
    CHECK(json.err.starts_with(R"({"applet":")" + way.name() + R"(","call":"exec","path":")" +
                               commands.path("nosuch") + R"(","errno":2,"error":"ENOENT",)"));
  }
}

TEST_CASE("a command that cannot be executed is 126, says why, and no shell takes over") {
  const Commands commands;
  struct Case {
    std::string name;
    int error;
    std::string message;
    int status = 126;
  };
  const std::vector<Case> cases = {
      {"directory", EACCES, "EACCES: Permission denied (a directory)"},
      {"plain", EACCES, "EACCES: Permission denied (no permission to execute it)"},
      {"text", ENOEXEC,
       "ENOEXEC: Exec format error (neither a program of this machine nor a script with #!)"},
      {"program", ENOEXEC,
       "ENOEXEC: Exec format error (neither a program of this machine nor a script with #!)"},
      {"nothing", ENOEXEC,
       "ENOEXEC: Exec format error (neither a program of this machine nor a script with #!)"},
      {"script", ENOENT,
       "ENOENT: No such file or directory (its interpreter /no/such/interpreter is missing)", 127},
      {"windows", ENOENT,
       "ENOENT: No such file or directory (its interpreter /bin/sh\\015 is missing)", 127},
  };
  for (const Way& way : ways_of_all()) {
    if (way.kind == Kind::shell) continue;
    CAPTURE(way.text());
    const std::string call = way.is_exec ? ": " : ": exec: ";
    for (const Case& each : cases) {
      CAPTURE(each.name);
      const std::string path = commands.path(each.name);
      const Ran told = ran(way, {.words = with(way, {path})});
      CHECK(told.status == each.status);
      CHECK(told.out == "");
      CHECK(told.err == way.name() + ": " + path + call + each.message + "\n");
      if (!way.searches || each.error == ENOEXEC) continue;
      const Ran found = ran(way, {.words = with(way, {each.name}, {"--exit-errno"}),
                                  .environment = {"PATH=" + commands.scratch / "full"}});
      CHECK(found.status == each.status);
      CHECK(found.out == "");
    }
  }
}

TEST_CASE("without a command it is wrong usage") {
  for (const Way& way : ways_of_all()) {
    CAPTURE(way.text());
    Words words = joined({binary()}, way.words);
    for (const Words& end : std::vector<Words>{{}, {"--"}}) {
      // Behind the ';' of fork it would be a command.
      if (way.words.back() == ";" && !end.empty()) continue;
      const Ran told = run({.words = joined(words, end)});
      CHECK(told.status == 2);
      CHECK(told.out == "");
      CHECK(told.err.starts_with(way.name() + ": missing "));
      CHECK(told.err.ends_with("; see 'osbox " + way.name() + " --help'\n"));
    }
    CHECK(run({.words = with(way, {"/bin/echo", "ran"}, {"--no-such-option"})}).status == 2);
    CHECK(run({.words = with(way, {"/bin/echo", "ran"}, {"--no-such-option"})}).out == "");
  }
}

TEST_CASE("nobody's rights are not root's") {
  if (!tests::is_root()) {
    MESSAGE("not tested: only root has what nobody may not execute");
    return;
  }
  const Commands commands;
  const std::string own = commands.scratch.file("own", "#!/bin/sh\necho ran\n", 0700);
  commands.scratch.directory("locked", 0700);
  const std::string inside = commands.scratch.file("locked/command", "#!/bin/sh\necho ran\n", 0755);
  for (const Way& way : ways_of_all()) {
    if (way.kind == Kind::shell || way.only_root) continue;
    CAPTURE(way.text());
    Way as_nobody = way;
    for (std::string& word : as_nobody.words) {
      if (word == "0" && way.name().starts_with("sete")) word = "65534";
    }
    for (const std::string& path : {own, inside}) {
      const Ran told = ran(way, {.words = with(as_nobody, {path}), .as_nobody = true});
      CHECK(told.status == 126);
      CHECK(told.out == "");
      CHECK(told.err == way.name() + ": " + path + (way.is_exec ? ": " : ": exec: ") +
                            "EACCES: Permission denied\n");
    }
    const Ran well = ran(way, {.words = with(as_nobody, {"/usr/bin/id", "-u"}), .as_nobody = true});
    CHECK(well.status == 0);
    if (!way.prints_pid) CHECK(well.out == "65534\n");
  }
}

TEST_CASE("signals of a command are at their default, but for those that were ignored") {
  const Words hostile = {"/usr/bin/env", "--block-signal", "--ignore-signal=PIPE,USR1,CHLD,TSTP"};
  const Words plain = {"/usr/bin/env", "--ignore-signal=USR1,CHLD,TSTP"};
  const Words show = {"/bin/grep", "-E", "^Sig(Blk|Ign|Cgt|Pnd)|ShdPnd", "/proc/self/status"};
  for (const Way& way : ways_of_all()) {
    CAPTURE(way.text());
    Way alone = way;
    // Who ignores SIGCHLD has nobody to wait for.
    if (way.kind == Kind::child) alone.behind = {";", "/bin/true"};
    const std::string expected = run({.words = joined(plain, without(way, show))}).out;
    CHECK(ran(way, {.words = with(alone, show)}, hostile).out == expected);
    if (way.kind == Kind::child) continue;
    // The status is passed on all the same.
    const Ran told = ran(way, {.words = with(way, {"/bin/sh", "-c", "exit 42"})}, hostile);
    CHECK(told.status == 42);
    CHECK(told.err == "");
  }
}

TEST_CASE("nothing of a process changes but what the applet changes") {
  // A process that is none of the usual ones, in a directory that is gone.
  const Words odd = after("umask 0026; ulimit -Sn 77; ulimit -Sc 0; cd /usr; trap '' USR2");
  const Words gone = after("mkdir \"$D/gone\" && cd \"$D/gone\" && rmdir \"$D/gone\"");
  const Words where = {"/bin/readlink", "/proc/self/cwd", "/proc/self/root"};
  const Scratch scratch;
  const Words entry = {"D=" + scratch.path()};
  const Way shell{{"system"}, Kind::shell};
  const std::string plain[] = {run({.words = joined(odd, state_command)}).out,
                               run({.words = joined(odd, without(shell, state_command))}).out};
  for (const Way& way : ways_of_all()) {
    CAPTURE(way.text());
    const Ran told = ran(way, {.words = with(way, state_command)}, odd);
    CHECK(told.status == 0);
    CHECK(told.err == "");
    const std::string expected = state(plain[way.kind == Kind::shell ? 1 : 0], way.changes);
    CHECK(std::ranges::count(expected, '\n') > 50);
    CHECK(state(told.out, way.changes) == expected);
    CHECK(ran(way, {.words = with(way, where), .environment = entry}, gone).out ==
          (way.name() == "chdir" ? "/\n/\n" : scratch / "gone (deleted)" + "\n/\n"));
  }
}

TEST_CASE("a command's environment is what it was, byte for byte") {
  const Words wild = {"A=1", "PATH=/usr/bin:/bin", "A=2",        "NOEQ",   "=x",
                      "",    "bad=\xff",           "L=a\nb\n\n", "b\xfe=", "OSBOX_EXIT_ERRNO=1"};
  const Words show = {"/bin/cat", "/proc/self/environ"};
  for (const Way& way : ways_of_all()) {
    CAPTURE(way.text());
    Words expected = wild;
    if (way.name() == "putenv") expected.emplace_back("OSBOX_TEST=1");
    const Ran told = ran(way, {.words = with(way, show), .entries = wild});
    CHECK(told.status == 0);
    CHECK(told.out == (way.kind == Kind::shell
                           ? run({.words = without(way, show), .entries = wild}).out
                           : nul_ended(expected)));
    // None at all.
    const Words none = {"/usr/bin/env", "-i"};
    const std::string left = ran(way, {.words = with(way, show)}, none).out;
    if (way.kind == Kind::shell) {
      CHECK(left == run({.words = joined(none, without(way, show))}).out);
    } else {
      CHECK(left == (way.name() == "putenv" ? nul_ended({"OSBOX_TEST=1"}) : ""));
    }
  }
}

namespace {

/// A command that writes into `file` which descriptors it has, and which of `files` they are. It is
/// one shell, with no descriptors of its own.
Words descriptors_into(const std::string& file, const Words& files) {
  return joined({"/bin/sh", "-c", R"(
out=$1 list=
shift
for fd in /proc/$$/fd/*; do
  [ -e "$fd" ] || continue
  list="$list ${fd##*/}"
  for file do [ "$fd" -ef "$file" ] && list="$list=$file"; done
done
echo "$list" >"$out")",
                 "sh", file},
                files);
}

/// What it wrote.
std::set<std::string> words_of(const std::string& file) {
  std::ifstream content(file);
  return {std::istream_iterator<std::string>(content), {}};
}

}  // namespace

TEST_CASE("a command has the descriptors that osbox was given, and no others") {
  const Scratch scratch;
  const std::string list = scratch.file("list", "", 0666);
  const Words files = {"/dev/null", "/dev/zero", scratch.file("more", "", 0666)};
  const Words open = after("exec 3</dev/null 5>/dev/zero 9<>/dev/null 7<\"$MORE\"");
  const Words command = descriptors_into(list, files);
  const auto had = [&](const Way& way, const Words& words, const std::vector<int>& closed,
                       bool more) {
    const tests::Command all{
        .words = words, .environment = {"MORE=" + files.back()}, .closed = closed};
    CHECK(ran(way, all, more ? open : Words()).status == 0);
    return words_of(list);
  };
  for (const std::vector<int>& closed :
       std::vector<std::vector<int>>{{}, {0}, {1}, {2}, {0, 1, 2}}) {
    for (const bool more : {false, true}) {
      if (more && !closed.empty()) continue;
      const std::set<std::string> expected = had({}, command, closed, more);
      CHECK(expected.contains("9=/dev/null") == more);
      for (const int each : closed) CHECK(!expected.contains(std::to_string(each)));
      for (const Way& way : ways_of_all()) {
        // Who prints a number needs where to print it.
        if (way.prints_pid && std::ranges::find(closed, 1) != closed.end()) continue;
        CAPTURE(way.text());
        CAPTURE(closed.size());
        CHECK(had(way, with(way, command), closed, more) == expected);
      }
    }
  }
}

TEST_CASE("the files of streams land there, whatever was closed before") {
  const Scratch scratch;
  const std::string list = scratch.file("list");
  const Words files = {scratch.file("in"), scratch.file("out"), scratch.file("err")};
  const Words options = {"--stdin", "--stdout", "--stderr"};
  const Words command = descriptors_into(list, files);
  run({.words = command, .closed = {0, 1, 2}});
  const std::set<std::string> others = words_of(list);
  for (const Words& applet :
       std::vector<Words>{{"exec"}, {"spawn"}, {"spawn", "--timeout", "100"}}) {
    CAPTURE(tests::line(applet));
    for (const unsigned closed : {0U, 1U, 2U, 4U, 7U}) {
      for (const unsigned given : {1U, 2U, 4U, 6U, 7U}) {
        CAPTURE(closed);
        CAPTURE(given);
        tests::Command all{.words = joined({binary()}, applet)};
        std::set<std::string> expected = others;
        for (unsigned i = 0; i < 3; ++i) {
          const bool is_closed = (closed >> i & 1) != 0;
          const bool is_given = (given >> i & 1) != 0;
          if (is_closed) all.closed.push_back(static_cast<int>(i));
          if (is_given) all.words = joined(all.words, {options[i], files[i]});
          if (is_given) {
            expected.insert(std::to_string(i) + "=" + files[i]);
          } else if (!is_closed) {
            expected.insert(std::to_string(i));
          }
        }
        all.words = joined(all.words, command);
        const Ran told = run(all);
        CHECK(told.status == 0);
        CHECK(told.err == "");
        CHECK(words_of(list) == expected);
      }
    }
  }
}

TEST_CASE("what becomes of osbox's own output is nothing to a command") {
  for (const Way& way : ways_of_all()) {
    if (way.prints_pid) continue;
    CAPTURE(way.text());
    const Words words = with(way, {"/bin/sh", "-c", "exit 42"});
    const Ran full = run({.words = words, .output_file = "/dev/full"});
    CHECK(full.status == 42);
    CHECK(full.err == "");
    const Ran closed = run({.words = words, .closed = {1}});
    CHECK(closed.status == 42);
    CHECK(closed.err == "");
    CHECK(run({.words = words, .closed = {0, 1, 2}}).status == 42);
  }
}

TEST_CASE("a record that is lost is 125, whatever became of the command") {
  const Scratch scratch;
  const std::string file = scratch / "file";
  const auto lost = [&](const Words& words, const std::string& how, bool runs) {
    CAPTURE(tests::line(words));
    const bool json = words[1] == "--json";
    for (const int error : {ENOSPC, EBADF}) {
      tests::Command command{.words = joined({binary()}, words)};
      if (error == ENOSPC) {
        command.output_file = "/dev/full";
      } else {
        command.closed = {1};
      }
      Ran told = run(command);
      CHECK(told.status == 125);
      const std::string name = error == ENOSPC ? "ENOSPC" : "EBADF";
      CHECK(tests::lines(told.err).size() == 1);
      CHECK(told.err.find(json
                              ? R"("error":")" + name + "\""
                              : words[0] + ": stdout: write: " + name + ": ") != std::string::npos);
      CHECK((::unlink(file.c_str()) == 0) == runs);
      command.words.insert(command.words.begin() + 2, "--exit-errno");
      CHECK(run(command).status == 125);
      CHECK((::unlink(file.c_str()) == 0) == runs);
    }
    INFO(how);
  };
  const std::string script = ": >\"" + file + "\"; exit ";
  for (const std::string status : {"0", "42"}) {
    for (const std::string applet : {"spawn", "spawnvp"}) {
      lost({applet, "--json", "sh", "-c", script + status}, "json", true);
      lost({applet, "--rusage", "sh", "-c", script + status}, "for people", true);
    }
    lost({"system", "--json", script + status}, "json", true);
    lost({"system", "--status", script + status}, "for people", true);
  }
  // Its child is there; who goes on as its parent would not know it.
  lost({"fork", "true", ";", "sh", "-c", script + "0"}, "parent", false);
  lost({"fork", "true"}, "alone", false);
}

TEST_CASE("there are no records of becoming a command") {
  for (const Way& way : ways_of_all()) {
    if (way.kind != Kind::becomes || way.prints_pid || !way.has_records) continue;
    CAPTURE(way.text());
    for (const std::string option : {"--format=x", "--shell", "-0"}) {
      const Ran wrong = run({.words = with(way, {"/bin/true"}, {option})});
      CHECK(wrong.status == 2);
      CHECK(wrong.err.starts_with(
          way.name() + ": with COMMAND the output is all its own: there are no records; see "));
    }
    CHECK(run({.words = with(way, {"/bin/true"}, {"--json"})}).status == 0);
  }
}

TEST_CASE("standard error that is full changes no status of what runs a command") {
  const Commands commands;
  for (const Way& way : ways_of_all()) {
    CAPTURE(way.text());
    const auto status = [&](const Words& words, const Words& options = {}) {
      return run({.words = with(way, words, options), .error_file = "/dev/full"}).status;
    };
    CHECK(status({"/bin/sh", "-c", "exit 42"}) == 42);
    CHECK(status({"/no/such"}) == 127);
    CHECK(status({commands.path("directory")}) == 126);
    CHECK(status({"/bin/true"}, {"--no-such-option"}) == 2);
    CHECK(run({.words = with(way, {"/no/such"}), .closed = {2}}).status == 127);
  }
}

TEST_CASE("commands run where there is no /proc, and no /dev") {
  if (tests::disturbed_by_sanitizer()) return;
  const std::string options = tests::is_root() ? "-m" : "-Urm";
  if (run({.words = {"unshare", options, "true"}}).status != 0) {
    MESSAGE("not tested: no mount namespaces here");
    return;
  }
  const Words launcher =
      joined({"unshare", options}, after("mount -t tmpfs none /proc && mount -t tmpfs none /dev"));
  for (const Way& way : ways_of_all()) {
    // In a namespace of its own a user is root, and is no other.
    if (!tests::is_root() && way.name().starts_with("set") && way.name().ends_with("id")) {
      if (way.name() != "setsid" && way.name() != "setpgid") continue;
    }
    CAPTURE(way.text());
    const Words command = {"/bin/sh", "-c", "echo out; exit 42"};
    // What a command starts is found in /proc, or not at all.
    if (way.text().find("--timeout") != std::string::npos) {
      CHECK(ran(way, {.words = with(way, command)}, launcher).status == 125);
      continue;
    }
    const Ran told = ran(way, {.words = with(way, command), .closed = {0, 2}}, launcher);
    CHECK(told.status == 42);
    CHECK(told.out == "out\n");
    CHECK(told.err == "");
    CHECK(ran(way, {.words = with(way, {"/no/such"})}, launcher).status == 127);
  }
  // The place of a closed stream is filled all the same, and a file does not land there by chance.
  const Scratch scratch;
  const std::string in = scratch.file("in", "in\n");
  for (const std::string applet : {"exec", "spawn"}) {
    for (const std::vector<int>& closed :
         std::vector<std::vector<int>>{{0}, {1}, {0, 1}, {0, 1, 2}}) {
      CAPTURE(closed.size());
      const std::string out = scratch / "out";
      const Words words = {binary(), applet, "--stdin", in, "--stdout", out, "/bin/cat"};
      const Ran told = run({.words = joined(launcher, words), .closed = closed});
      CHECK(told.status == 0);
      CHECK(told.err == "");
      CHECK(words_of(out) == std::set<std::string>{"in"});
      ::unlink(out.c_str());
    }
  }
}

TEST_CASE("with few descriptors a command runs, or EMFILE says why it does not") {
  if (tests::disturbed_by_sanitizer()) return;
  for (const Way& way : ways_of_all()) {
    CAPTURE(way.text());
    Way alone = way;
    if (way.kind == Kind::child) alone.behind = {};
    for (const unsigned limit : {4U, 6U, 16U}) {
      CAPTURE(limit);
      const Ran told =
          ran(way, {.words = with(alone, {"/bin/sh", "-c", "exit 42"}), .descriptors = limit});
      if (told.status != 125) {
        CHECK(told.status == (way.kind == Kind::child ? 0 : 42));
        CHECK(told.err == "");
        continue;
      }
      CHECK((way.kind != Kind::becomes || way.prints_pid));
      CHECK(limit < 16);
      CHECK(told.err.find("EMFILE: Too many open files\n") != std::string::npos);
      CHECK(tests::lines(told.err).size() == 1);
    }
  }
}

TEST_CASE("arguments that are too long are E2BIG, and 126") {
  // The kernel takes a path once more than the words, and a long one makes the difference.
  std::string command = "/bin/";
  while (command.size() < 4000) command += "./";
  command += "true";
  for (const Way& way : ways_of_all()) {
    if (way.kind == Kind::shell) continue;
    CAPTURE(way.text());
    constexpr std::size_t limit = 128 * 1024;
    const Words entries = {"PATH=/usr/bin:/bin"};
    const auto told = [&](std::size_t spare) {
      Words words = with(way, {command, ""});
      std::size_t size = binary().size() + 1 + entries[0].size() + 1 + 8;
      for (const std::string& word : words) size += word.size() + 1 + 8;
      const auto filler = std::ranges::find(words, "");
      filler->append(limit - size - spare, 'x');
      return ran(way, {.words = words, .entries = entries}, after("ulimit -Ss 512"));
    };
    const Ran well = told(8000);
    CHECK(well.status == 0);
    CHECK(well.err == "");
    const Ran long_one = told(2000);
    CHECK(long_one.status == 126);
    CHECK(long_one.out == "");
    CHECK(long_one.err.find("E2BIG: Argument list too long\n") != std::string::npos);
    CHECK(tests::lines(long_one.err).size() == 1);
  }
}

TEST_CASE("chains of all applets that become a command are one process") {
  Words words;
  for (const Way& way : ways_of_all()) {
    // Once in a session of its own there is no other to be had, and no way back to root.
    if (way.kind != Kind::becomes || way.prints_pid) continue;
    if (way.name() == "setpgid" || way.name() == "setuid") continue;
    if (!way.searches) continue;
    words = joined(words, joined({binary()}, way.words));
  }
  words = joined({"sh", "-c", "echo $$; exec \"$@\"", "sh"}, words);
  const Ran told = run({.words = joined(words, {"sh", "-c", "echo $$; umask; pwd; exit 42"}),
                        .ignores_sigpipe = true});
  CHECK(told.status == 42);
  CHECK(told.err == "");
  const Words lines = tests::lines(told.out);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == lines[1]);
  CHECK(lines[2] == "0137");
  CHECK(lines[3] == "/");
}

TEST_CASE("many children leave no process and no file behind") {
  const Scratch scratch;
  const std::string answer = tests::in_child([&] {
    // What loses its parent comes here.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    const Ran loop =
        run({.words = {"/bin/sh", "-c",
                       "i=0; while [ $i -lt $1 ]; do \"$0\" spawn /bin/true || "
                       "exit; i=$((i + 1)); done; \"$0\" spawn --timeout 100 "
                       "/bin/true && \"$0\" system true && echo done",
                       binary(), std::to_string(tests::rounds(1000))},
             .environment = {"XDG_RUNTIME_DIR=" + scratch.path(), "TMPDIR=" + scratch.path()},
             .directory = scratch.path()});
    const bool alone = ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
    return loop.out + loop.err + (alone ? "alone" : "not alone");
  });
  CHECK(answer == "done\nalone");
  CHECK(std::filesystem::is_empty(scratch.path()));
}
