#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "tests/harness.hpp"

using tests::binary;
using tests::Command;
using tests::run;

namespace {

/// `osbox exec` of the real binary.
Ran exec(std::vector<std::string> words, Command command = {}) {
  words.insert(words.begin(), {binary(), "exec"});
  command.words = std::move(words);
  return run(command);
}

/// The rest of the line that `key` begins in the status of a process that was started with
/// `options`.
std::string status_of(const std::string& key, std::vector<std::string> options,
                      Command command = {}) {
  options.insert(options.end(), {"grep", "^" + key + ":", "/proc/self/status"});
  const Ran ran = exec(options, std::move(command));
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  return ran.out.substr(key.size() + 2, ran.out.size() - key.size() - 3);
}

/// True where a set of signals, as /proc/PID/status writes it, has `signal`.
bool has(const std::string& set, int signal) {
  return (std::stoull(set, nullptr, 16) >> (signal - 1) & 1) != 0;
}

}  // namespace

TEST_CASE("exec becomes the command, and its status is the command's") {
  CHECK(exec({"sh", "-c", "exit 42"}).status == 42);
  CHECK(exec({"sh", "-c", "kill -9 $$"}).status == 137);
  CHECK(exec({"echo", "a b", "--json"}).out == "a b --json\n");
  // The same process, not a child of it.
  const Ran ran = tests::shell("sh -c 'echo $$; exec osbox exec sh -c \"echo \\$\\$\"'");
  const auto pids = tests::lines(ran.out);
  REQUIRE(pids.size() == 2);
  CHECK(pids[0] == pids[1]);
}

TEST_CASE("exec looks for the command in the PATH that the command gets") {
  const Scratch scratch;
  scratch.directory("a");
  scratch.directory("b");
  scratch.file("a/tool", "#!/bin/sh\necho a\n", 0644);
  scratch.file("b/tool", "#!/bin/sh\necho b\n", 0755);
  const std::string path = "PATH=" + scratch / "a" + ":" + scratch / "b";
  CHECK(exec({"--setenv", path, "tool"}).out == "b\n");
  CHECK(exec({"tool"}, {.environment = {path}}).out == "b\n");
  // An empty entry is the current directory.
  CHECK(exec({"--setenv", "PATH=:/none", "tool"}, {.directory = scratch / "b"}).out == "b\n");
  const Ran no_search = exec({"--no-search", "tool"}, {.environment = {path}});
  CHECK(no_search.status == 127);
  CHECK(no_search.err == "exec: tool: ENOENT: No such file or directory\n");
  CHECK(exec({"--no-search", "tool"}, {.directory = scratch / "b"}).out == "b\n");
  // The directory is entered before it is looked for.
  CHECK(exec({"--chdir", scratch / "b", "./tool"}).out == "b\n");
  // Without a PATH it is where execvp(3) looks.
  CHECK(exec({"--unsetenv", "PATH", "echo", "found"}).out == "found\n");
}

TEST_CASE("exec says what is missing, and where it could not be looked for") {
  const Scratch scratch;
  scratch.directory("a");
  scratch.directory("b");
  const std::string path = "PATH=" + scratch / "a" + ":" + scratch / "b" + ":" + scratch / "none";
  const Ran missing = exec({"--setenv", path, "tool"});
  CHECK(missing.status == 127);
  CHECK(missing.err == "exec: tool: ENOENT: No such file or directory\n");
  const std::string no_directory = scratch.file("file");
  CHECK(exec({"--setenv", "PATH=" + no_directory + ":" + scratch / "a", "tool"}).err ==
        "exec: tool: ENOENT: No such file or directory (in PATH: " + no_directory + " ENOTDIR)\n");
  scratch.file("b/tool", "#!/bin/sh\n", 0644);
  const Ran denied = exec({"--setenv", path, "tool"});
  CHECK(denied.status == 126);
  CHECK(denied.err == "exec: tool: EACCES: Permission denied (" + scratch / "b/tool" +
                          ": no permission to execute it)\n");
  CHECK(exec({"--exit-errno", "--setenv", path, "tool"}).status == 126);

  const std::string script = scratch.file("script", "#! /no/such/interpreter -x\n", 0755);
  const Ran interpreter = exec({script});
  CHECK(interpreter.status == 127);
  CHECK(interpreter.err == "exec: " + script +
                               ": ENOENT: No such file or directory (its interpreter "
                               "/no/such/interpreter is missing)\n");
  const std::string other = scratch.file("other", "#!" + scratch / "a" + "\n", 0755);
  CHECK(exec({other}).err == "exec: " + other + ": EACCES: Permission denied (its interpreter " +
                                 scratch / "a" + " may not be executed)\n");

  // No shell takes over what is no program.
  const std::string text = scratch.file("text", "echo run by a shell\n", 0755);
  const Ran garbage = exec({text});
  CHECK(garbage.status == 126);
  CHECK(garbage.out == "");
  CHECK(garbage.err == "exec: " + text +
                           ": ENOEXEC: Exec format error (neither a program of this machine nor a "
                           "script with #!)\n");
  const std::string elf = scratch.file("elf", "\177ELF garbage", 0755);
  CHECK(exec({elf}).status == 126);

  const Ran directory = exec({scratch / "a"});
  CHECK(directory.status == 126);
  CHECK(directory.err == "exec: " + scratch / "a" + ": EACCES: Permission denied (a directory)\n");
  CHECK(exec({""}).status == 127);
  CHECK(exec({""}).err == "exec: '': ENOENT: No such file or directory\n");
  CHECK(exec({scratch / "b/tool/x"}).status == 127);
  const std::string json = exec({"--json", "--no-search", "tool"}).err;
  CHECK(json.starts_with(R"({"applet":"exec","call":"exec","path":"tool","errno":2,)"));
}

TEST_CASE("exec names the loader that a program wants and the machine does not have") {
  const Scratch scratch;
  std::ifstream from("/bin/true", std::ios::binary);
  std::string program(std::istreambuf_iterator<char>(from), {});
  const std::size_t at = program.find("/ld-");
  REQUIRE(at != std::string::npos);
  program[at + 1] = 'x';
  const std::string path = scratch.file("true", program, 0755);
  const Ran ran = exec({path});
  CHECK(ran.status == 127);
  CHECK(ran.err.find("(its loader /lib") != std::string::npos);
  CHECK(ran.err.ends_with(" is missing)\n"));
}

TEST_CASE("exec sets the environment of the command, byte for byte") {
  const auto environment = [](std::vector<std::string> options, std::vector<std::string> entries) {
    options.insert(options.end(), {"--no-search", "/usr/bin/env", "-0"});
    return exec(options, {.entries = std::move(entries)}).out;
  };
  using namespace std::string_literals;
  CHECK(environment({"--setenv", "A=x=\xff\n", "--unsetenv", "B"}, {"A=1", "B=2", "C=3", "B=4"}) ==
        "A=x=\xff\n\0C=3\0"s);
  CHECK(environment({"--setenv", "A=1", "--clear-env"}, {"B=2"}) == "A=1\0"s);
  CHECK(environment({"--clear-env"}, {"B=2"}) == "");
  CHECK(environment({}, {"A=1", "A=2", "NOEQ", "=x"}) == "A=1\0A=2\0NOEQ\0=x\0"s);
  for (const char* const wrong : {"A", "=b", ""}) {
    CHECK(exec({"--setenv", wrong, "true"}).status == 2);
  }
  CHECK(exec({"--unsetenv", "A=b", "true"}).status == 2);
  CHECK(exec({"--unsetenv", "", "true"}).status == 2);
}

TEST_CASE("exec sets argv[0], the umask, the nice value and limits") {
  using namespace std::string_literals;
  CHECK(exec({"--argv0", "another name", "cat", "/proc/self/cmdline"}).out ==
        "another name\0/proc/self/cmdline\0"s);
  CHECK(status_of("Umask", {"--umask", "027"}) == "0027");
  for (const char* const wrong : {"8", "1000", "", "-1", "u+s", " 22"}) {
    CHECK(exec({"--umask", wrong, "true"}).status == 2);
  }
  const int own = std::stoi(tests::python("import os; print(os.nice(0))"));
  const Ran nice = exec({"--nice", "3", "python3", "-c", "import os; print(os.nice(0))"});
  CHECK(nice.out == std::to_string(std::min(own + 3, 19)) + "\n");
  const Ran limits = exec({"--limit", "nofile=33:44", "--limit", "core=0", "sh", "-c",
                           "ulimit -Sn; ulimit -Hn; ulimit -Sc"});
  CHECK(limits.out == "33\n44\n0\n");
  CHECK(exec({"--limit", "nosuch=1", "true"}).status == 2);
  CHECK(exec({"--limit", "nofile=x", "true"}).status == 2);
  // More than the kernel has room for, even for root.
  const Ran above = exec({"--limit", "nofile=:2000000000", "true"});
  CHECK(above.status == 125);
  CHECK(above.err == "exec: nofile: setrlimit: EPERM: Operation not permitted\n");
}

TEST_CASE("exec opens the standard streams, one file for both where it is one") {
  const Scratch scratch;
  const std::string in = scratch.file("in", "input\n");
  const std::string out = scratch / "out";
  CHECK(exec({"--stdin", in, "--stdout", out, "cat"}).status == 0);
  CHECK(tests::shell("cat \"$1\"", {out}).out == "input\n");
  CHECK(exec({"--stdout", out, "--append", "echo", "more"}).status == 0);
  CHECK(tests::shell("cat \"$1\"", {out}).out == "input\nmore\n");
  CHECK(exec({"--stdout", out, "--stderr", out, "sh", "-c", "echo 1; echo 2 >&2; echo 3"}).status ==
        0);
  CHECK(tests::shell("cat \"$1\"", {out}).out == "1\n2\n3\n");
  const Ran missing = exec({"--stdin", scratch / "none", "--stdout", scratch / "new", "cat"});
  CHECK(missing.status == 125);
  CHECK(missing.err == "exec: " + scratch / "none" + ": open: ENOENT: No such file or directory\n");
  CHECK(::access((scratch / "new").c_str(), F_OK) != 0);
  // Where the command cannot be executed, that is told to whoever ran osbox.
  const Ran untold = exec({"--stderr", scratch / "err", "--close-from", "0", scratch / "none"});
  CHECK(untold.status == 127);
  CHECK(untold.err.starts_with("exec: "));
  // Closed streams are no place for the files of others.
  const Ran closed =
      exec({"--stdin", in, "sh", "-c", "cat; ls -l /proc/self/fd | wc -l"}, {.closed = {0, 2}});
  CHECK(closed.out.starts_with("input\n"));
}

TEST_CASE("exec closes descriptors, and leaves a program none of its own") {
  const Ran few = tests::shell(
      "osbox exec --close-from 4 sh -c 'ls /proc/$$/fd' 3</dev/null 4</dev/null 9</dev/null");
  CHECK(tests::lines(few.out) == std::vector<std::string>{"0", "1", "2", "3"});
  const std::string list = "sh -c 'ls /proc/$$/fd' 4</dev/null 9</dev/null";
  CHECK(tests::shell("osbox exec " + list).out == tests::shell(list).out);
  const Ran old = run({.words = {"sh", "-c",
                                 "exec \"$0\" exec --close-from 4 sh -c 'ls /proc/$$/fd' "
                                 "3</dev/null 4</dev/null 9</dev/null",
                                 binary()},
                       .denied = {{SYS_close_range, ENOSYS}}});
  CHECK(old.out == few.out);
}

TEST_CASE("exec gives a session or a process group of its own") {
  const std::string script = "cut -d' ' -f1,5,6 /proc/self/stat";
  const auto ids = [&](const char* option) {
    // A child of the shell that leads no group.
    const Ran ran = tests::shell("osbox exec " + std::string(option) +
                                 " cut -d' ' -f1,5,6 /proc/self/stat; true");
    std::istringstream words(ran.out);
    std::vector<int> numbers(3);
    for (int& number : numbers) words >> number;
    return numbers;
  };
  const auto group = ids("--process-group");
  CHECK(group[0] == group[1]);
  CHECK(group[0] != group[2]);
  const auto session = ids("--session");
  CHECK(session[0] == session[1]);
  CHECK(session[0] == session[2]);
  const auto neither = ids("");
  CHECK(neither[0] != neither[1]);
  const Ran leader = tests::shell("setsid -w osbox exec --session true");
  CHECK(leader.status == 125);
  CHECK(leader.err ==
        "exec: setsid: EPERM: Operation not permitted (it leads its process group; 'spawn "
        "--session' can)\n");
}

TEST_CASE(
    "a program that exec starts has SIGPIPE and an empty mask, and what was ignored stays so") {
  CHECK(has(status_of("SigIgn", {}, {.ignores_sigpipe = true}), SIGPIPE) == false);
  CHECK(has(status_of("SigIgn", {"--ignore-signal", "PIPE"}), SIGPIPE));
  CHECK(has(status_of("SigIgn", {"--ignore-signal", "usr1", "--ignore-signal", "12"}), SIGUSR1));
  CHECK(tests::shell("trap '' USR1 TERM; osbox exec --default-signal TERM grep SigIgn "
                     "/proc/self/status")
            .out == "SigIgn:\t" + std::string("0000000000000200") + "\n");
  const std::string masked = tests::python(
      "import os, signal, sys\n"
      "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))\n"
      "os.execv(sys.argv[1], ['osbox', 'exec', 'grep', 'SigBlk', '/proc/self/status'])",
      {binary()});
  CHECK(masked == "SigBlk:\t0000000000000000\n");
  CHECK(exec({"--ignore-signal", "NOSUCH", "true"}).status == 2);
  CHECK(exec({"--ignore-signal", "0", "true"}).status == 2);
  CHECK(exec({"--ignore-signal", "KILL", "true"}).status == 2);
  CHECK(exec({"--default-signal", "STOP", "true"}).status == 2);
}

TEST_CASE("exec forbids new privileges, and has a signal come when the parent dies") {
  CHECK(status_of("NoNewPrivs", {"--no-new-privs"}) == "1");
  CHECK(status_of("NoNewPrivs", {}) == "0");
  // The parent of the command dies once that is ready; what it does about it is told.
  const Scratch scratch;
  const Ran ran = tests::shell(
      "(osbox exec --death-signal USR1 sh -c 'trap \"echo came >\\\"$2\\\"; exit\" USR1\n"
      "echo ready >\"$1\"; while :; do sleep .05; done' sh \"$1\" \"$2\" &\n"
      "read line <\"$1\"; kill -9 $(sh -c 'echo $PPID')) & timeout 60 cat \"$2\"",
      {scratch.fifo("ready"), scratch.fifo("told")});
  CHECK(ran.out == "came\n");
}

TEST_CASE("exec --death-signal comes where the parent was dead before it was asked for") {
  // osbox spawn is killed while its child is about to ask, which strace holds up.
  const Scratch scratch;
  const Ran ran = tests::shell(
      "strace -f -qq -o /dev/null -e trace=prctl -e inject=prctl:delay_enter=2000000 sh -c '\n"
      "  echo $$ >\"$1/pid\"\n"
      "  exec osbox spawn --death-signal KILL sh -c \"sleep 3; echo ran >\\\"\\$1/ran\\\"\" sh "
      "\"$1\"' sh \"$1\" &\n"
      "child=; until [ -n \"$child\" ]; do sleep .01; pid=$(cat \"$1/pid\" 2>/dev/null) &&\n"
      "  child=$(cat /proc/$pid/task/$pid/children 2>/dev/null); done\n"
      "kill -9 $pid; wait; echo over",
      {scratch.path()});
  CHECK(ran.out == "over\n");
  CHECK(::access((scratch / "ran").c_str(), F_OK) != 0);
}

TEST_CASE("exec gives all ids of a user up for good, whatever is set beside them") {
  if (!tests::is_root()) {
    MESSAGE("not tested: only root can take on other ids");
    const Ran refused = exec({"--user", "root", "echo", "ran"});
    CHECK(refused.status == 125);
    CHECK(refused.out == "");
    CHECK(refused.err.find(": EPERM: Operation not permitted\n") != std::string::npos);
    return;
  }
  const auto ids = [](std::vector<std::string> options) {
    options.insert(options.end(), {"grep", "-E", "^(Uid|Gid|Groups):", "/proc/self/status"});
    return exec(options).out;
  };
  const std::string all = "Uid:\t65534\t65534\t65534\t65534\nGid:\t65534\t65534\t65534\t65534\n";
  // The primary group is among the others.
  CHECK(ids({"--user", "65534"}) == all + "Groups:\t65534 \n");
  CHECK(ids({"--user", "nobody", "--groups", "7,5"}) == all + "Groups:\t5 7 \n");
  CHECK(ids({"--user", "nobody", "--groups", ""}) == all + "Groups:\t \n");
  CHECK(ids({"--user", "nobody", "--group", "7", "--groups", ""}) ==
        "Uid:\t65534\t65534\t65534\t65534\nGid:\t7\t7\t7\t7\nGroups:\t \n");
  // What takes root's rights comes before they are given up, and the death signal after.
  const Scratch scratch;
  const std::string out = scratch.file("out", "", 0600);
  const Ran set = exec({"--user", "nobody", "--nice", "-1", "--limit", "core=0:1", "--stdout", out,
                        "--death-signal", "KILL", "--chdir", "/", "python3", "-S", "-c",
                        "import ctypes, os, resource as r\n"
                        "s = ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(s))\n"
                        "gone = []\n"
                        "for call in os.setuid, os.seteuid, os.setgid, os.setegid:\n"
                        "  try: call(0)\n"
                        "  except PermissionError: gone.append(call.__name__)\n"
                        "print(s.value, r.getrlimit(r.RLIMIT_CORE), *gone)"});
  CHECK(set.status == 0);
  CHECK(set.err == "");
  CHECK(tests::shell("cat \"$1\"", {out}).out == "9 (0, 1) setuid seteuid setgid setegid\n");
  // Names are looked up before anything is done.
  for (const char* const wrong : {"-1", "", "0x0", " 1", "1abc", "4294967295", "no such user"}) {
    CAPTURE(wrong);
    for (const char* const option : {"--user", "--group"}) {
      const Ran refused = exec({"--stdout", scratch / "new", option, wrong, "echo", "ran"});
      CHECK(refused.status == 2);
      CHECK(refused.out == "");
      CHECK(::access((scratch / "new").c_str(), F_OK) != 0);
    }
  }
}

TEST_CASE("exec names the step that failed, and the command does not run") {
  const Ran chdir = exec({"--chdir", "/no/such", "echo", "ran"});
  CHECK(chdir.status == 125);
  CHECK(chdir.out == "");
  CHECK(chdir.err == "exec: /no/such: chdir: ENOENT: No such file or directory\n");
  CHECK(exec({"--chdir", "/no/such", "--exit-errno", "true"}).status == 125);
  const Ran nice = exec({"--nice", "-5", "echo", "ran"}, {.as_nobody = true});
  CHECK(nice.status == 125);
  CHECK(nice.err.starts_with("exec: -5: nice: E"));
  CHECK(exec({}).status == 2);
  CHECK(exec({"--session"}).status == 2);
  CHECK(exec({"--close-from", "-1", "true"}).status == 2);
}

TEST_CASE("exec --dry-run prints what would be set, and sets nothing") {
  const Scratch scratch;
  const Ran ran = osbox({"exec",
                         "--dry-run",
                         "--json",
                         "--clear-env",
                         "--setenv",
                         "A=b",
                         "--umask",
                         "7",
                         "--nice",
                         "-3",
                         "--limit",
                         "nofile=5:6",
                         "--limit",
                         "core=unlimited",
                         "--stdout",
                         scratch / "out",
                         "--ignore-signal",
                         "INT",
                         "--death-signal",
                         "9",
                         "--session",
                         "--close-from",
                         "3",
                         "--chdir",
                         "/",
                         "--argv0",
                         "x",
                         "--no-search",
                         "/bin/sh",
                         "-c",
                         "true"});
  CHECK(ran.status == 0);
  CHECK(ran.out ==
        R"({"path":"/bin/sh","argv":["x","-c","true"],"directory":"/","environment":["A=b"],)"
        R"("umask":7,"uid":null,"gid":null,"groups":null,"nice":-3,)"
        R"("limits":["nofile=5:6","core=unlimited"],"stdin":null,"stdout":")" +
            scratch / "out" +
            R"(","stderr":null,"close_from":3,"session":true,"process_group":null,)"
            R"("no_new_privs":false,"death_signal":"SIGKILL","ignored_signals":["SIGINT"],)"
            R"("default_signals":null,"timeout_us":null,"signal":null,"kill_after_us":null})"
            "\n");
  CHECK(::access((scratch / "out").c_str(), F_OK) != 0);
  CHECK(osbox({"exec", "--dry-run", "--process-group", "--no-search", "/bin/sh", "a b"}).out ==
        "path: /bin/sh\nargv: /bin/sh 'a b'\nprocess_group: 0\n");
  CHECK(osbox({"exec",
               "--dry-run",
               "--umask",
               "7",
               "--user",
               "5",
               "--group",
               "6",
               "--groups",
               "8,7,8",
               "--nice",
               "-3",
               "--limit",
               "nofile=5:6",
               "--limit",
               "core=unlimited",
               "--stdin",
               "a b",
               "--close-from",
               "3",
               "--session",
               "--no-new-privs",
               "--default-signal",
               "INT",
               "--no-search",
               "/bin/sh"})
            .out ==
        "path: /bin/sh\nargv: /bin/sh\numask: 0007\nuid: 5\ngid: 6\ngroups: 8 7 8\nnice: -3\n"
        "limits: nofile=5:6 core=unlimited\nstdin: 'a b'\nclose_from: 3\nsession: yes\n"
        "no_new_privs: yes\ndefault_signals: SIGINT\n");
  const Ran ids = osbox({"exec", "--dry-run", "--json", "--groups", "8,7", "/bin/sh"});
  CHECK(ids.out.find(",\"groups\":[8,7],") != std::string::npos);
  const Ran missing = osbox({"exec", "--dry-run", "--no-search", "/no/such"});
  CHECK(missing.status == 127);
  CHECK(missing.out == "path: ?\nargv: /no/such\n");
  CHECK(missing.err == "exec: /no/such: ENOENT: No such file or directory\n");
}

TEST_CASE("exec --dry-run finds the command that exec would run, and fails as that would") {
  const Scratch scratch;
  scratch.directory("dir");
  scratch.file("dir/tool", "#!/bin/sh\n", 0755);
  scratch.file("dir/text", "", 0644);
  const auto dry = [&](const std::string& directory, const std::string& command) {
    return osbox({"exec", "--dry-run", "--format", "{path}", "--chdir", directory, command});
  };
  const Ran found = dry(scratch / "dir", "./tool");
  CHECK(found.status == 0);
  CHECK(found.out == "./tool\n");
  CHECK(found.err == "");
  CHECK(dry(scratch.path(), "./tool").status == 127);
  const Ran text = dry(scratch / "dir", "./text");
  CHECK(text.status == 126);
  CHECK(text.err == "exec: ./text: EACCES: Permission denied\n");
  CHECK(dry(scratch.path(), "./dir").status == 126);
  const Ran nowhere = dry(scratch / "gone", "true");
  CHECK(nowhere.status == 125);
  CHECK(nowhere.err ==
        "exec: " + scratch / "gone" + ": chdir: ENOENT: No such file or directory\n");
}

TEST_CASE("exec finds an account of any length, and all groups of a user") {
  const Scratch scratch;
  const std::string name(200, 'n');
  std::string groups;
  std::string ids = "70000";
  for (int i = 0; i < 100; ++i) {
    groups += "group" + std::to_string(i) + ":x:" + std::to_string(80000 + i) + ":" + name + "\n";
    ids += "," + std::to_string(80000 + i);
  }
  scratch.file("passwd", name + ":x:70000:70000:" + std::string(5000, 'g') + ":/:/bin/sh\n");
  std::string members = name;
  for (int i = 0; i < 1000; ++i) members += ",member" + std::to_string(i);
  scratch.file("group", "many:x:70000:" + members + "\n" + groups);
  scratch.file("nsswitch.conf", "passwd: files\ngroup: files\n");
  const std::string options = tests::is_root() ? "-m" : "-Urm";
  if (run({.words = {"unshare", options, "true"}}).status != 0) {
    MESSAGE("not tested: no mount namespace to be had here");
    return;
  }
  const Ran ran = tests::shell(
      "exec unshare " + options +
          " sh -ec 'for f in passwd group nsswitch.conf; do mount --bind \"$1/$f\" /etc/$f; done\n"
          "osbox exec --dry-run --no-search --format \"{uid} {gid} {groups}\" --user \"$2\" "
          "/bin/sh\n"
          "osbox exec --dry-run --no-search --format \"{gid}\" --group many /bin/sh' sh \"$@\"",
      {scratch.path(), name});
  CHECK(ran.err == "");
  std::ranges::replace(ids, ',', ' ');
  CHECK(ran.out == "70000 70000 " + ids + "\n70000\n");
}
