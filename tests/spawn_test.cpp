#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"
#include "tests/spawn.hpp"

using tests::binary;
using tests::cgroup_in;
using tests::field;
using tests::is_removed;
using tests::marked;
using tests::put_away;
using tests::run;
using tests::soon;
using tests::spawn;
using tests::tells_cgroup;
using tests::unlike_others;

TEST_CASE("spawn waits for the command, and has its status and its output") {
  for (const int code : {0, 1, 42, 255}) {
    CHECK(spawn({"sh", "-c", "exit " + std::to_string(code)}).status == code);
    CHECK(osbox({"spawn", "sh", "-c", "exit " + std::to_string(code)}).status == code);
  }
  CHECK(spawn({"sh", "-c", "kill -KILL $$"}).status == 137);
  CHECK(spawn({"echo", "-n", "--json"}).out == "--json");
  CHECK(spawn({"cat"}, {.input = "through\n"}).out == "through\n");
  const Ran missing = spawn({"--no-search", "/no/such"});
  CHECK(missing.status == 127);
  CHECK(missing.err == "spawn: /no/such: exec: ENOENT: No such file or directory\n");
  CHECK(spawn({"--chdir", "/no/such", "true"}).status == 125);
  CHECK(spawn({"/"}).status == 126);
}

TEST_CASE("spawn tells how the command ended, and what it used") {
  const std::string json = spawn({"--json", "sh", "-c", "exit 3"}).out;
  CHECK(field(json, "status") == "768");
  CHECK(field(json, "exit_code") == "3");
  CHECK(field(json, "signal") == "null");
  CHECK(field(json, "timed_out") == "false");
  CHECK(field(json, "source") == "\"child\"");
  CHECK(std::stol(field(json, "max_rss_kib")) > 0);
  const Ran killed = spawn({"--format", "{status} {exit_code} {signal} {core}", "sh", "-c",
                            "ulimit -c 0; kill -SEGV $$"});
  CHECK(killed.status == 139);
  CHECK(killed.out == "11  SIGSEGV false\n");
  const Ran line = spawn({"--rusage", "true"});
  CHECK(line.out.find(" 0 exited 0, wall 0") != std::string::npos);
  // What osbox or its caller has in memory is not the command's.
  const std::string fat = tests::python(
      "import subprocess, sys\n"
      "ballast = bytearray(200_000_000)\n"
      "print(subprocess.run([sys.argv[1], 'spawn', '--format', '{max_rss_kib}', 'true'],\n"
      "                     stdout=subprocess.PIPE).stdout.decode())",
      {binary()});
  CHECK(std::stol(fat) < 50'000);
  const std::string times = spawn({"--json", "sh", "-c",
                                   "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); "
                                   "done; sleep .05"})
                                .out;
  CHECK(std::stol(field(times, "user_us")) + std::stol(field(times, "system_us")) > 1000);
  CHECK(std::stol(field(times, "wall_us")) >= 50'000);
  CHECK(spawn({"--json", "true"}, {.output_file = "/dev/full"}).status == 125);
}

TEST_CASE("spawn ends what takes too long, with all that it started") {
  const std::string mark = unlike_others();
  const Ran plain = spawn({"--timeout", ".2", "sleep", mark});
  CHECK(plain.status == 124);
  CHECK(plain.err == "");
  CHECK(spawn({"--timeout", "0", "sleep", mark}).status == 124);
  CHECK(marked(mark).empty());
  const Ran left_session = spawn({"--timeout", ".2", "--", "sh", "-c",
                                  tells_cgroup + "setsid sleep " + mark + " & sleep " + mark});
  CHECK(left_session.status == 124);
  CHECK(is_removed(cgroup_in(left_session.out)));
  CHECK(marked(mark).empty());
  // An orphan of a parent that is gone, in a session of its own.
  const Ran orphan =
      spawn({"--timeout", ".3", "sh", "-c",
             "(setsid sh -c 'sleep " + mark + " & sleep " + mark + "' &) ; sleep " + mark});
  CHECK(orphan.status == 124);
  CHECK(marked(mark).empty());
  const std::string json = spawn({"--timeout", ".1", "--json", "sleep", mark}).out;
  CHECK(field(json, "timed_out") == "true");
  CHECK(field(json, "signal") == "\"SIGTERM\"");
  CHECK(spawn({"--timeout", "60", "sh", "-c", "exit 9"}).status == 9);
  CHECK(spawn({"--timeout", "60", "sh", "-c", "kill -KILL $$"}).status == 137);
  CHECK(spawn({"--timeout", "60", "/no/such"}).status == 127);
  CHECK(spawn({"--timeout", "60", "/no/such"}).err ==
        "spawn: /no/such: exec: ENOENT: No such file or directory\n");
  CHECK(osbox({"spawn", "--timeout", "60", "sh", "-c", "exit 9"}).status == 9);
}

TEST_CASE("spawn kills what ignores the signal of its timeout") {
  const std::string mark = unlike_others();
  const std::string script = "trap '' TERM; (trap '' TERM; setsid sleep " + mark + ") & sleep " +
                             mark + " & sleep " + mark + "; sleep " + mark;
  for (const bool as_nobody : {false, true}) {
    const Ran ran = spawn({"--timeout", ".2", "--kill-after", ".2", "sh", "-c", script},
                          {.as_nobody = as_nobody});
    CHECK(ran.status == 124);
    CHECK(marked(mark).empty());
  }
  // Without pidfd_open(2) those that are no children of the watching process come up one by one.
  const Ran old = spawn({"--timeout", ".2", "--kill-after", ".2", "sh", "-c", script},
                        {.as_nobody = true, .denied = {{SYS_pidfd_open, ENOSYS}}});
  CHECK(old.status == 124);
  CHECK(marked(mark).empty());
  const Ran at_once = spawn({"--timeout", ".2", "--signal", "KILL", "sh", "-c", script});
  CHECK(at_once.status == 124);
  CHECK(marked(mark).empty());
  // A stopped one ends too.
  CHECK(spawn({"--timeout", ".2", "sh", "-c", "kill -STOP $$"}).status == 124);
}

TEST_CASE(
    "spawn goes on without what outlives the signal of its timeout, if that is all there is") {
  const std::string mark = unlike_others();
  const std::string script = "(trap '' TERM; exec sleep " + mark + ") & exec sleep " + mark;
  const Ran ran = spawn(
      {"--timeout", ".5", "--stderr", "/dev/null", "--stdout", "/dev/null", "sh", "-c", script});
  CHECK(ran.status == 124);
  const std::vector<pid_t> left = marked(mark);
  CHECK(left.size() == 1);
  put_away(left);
}

TEST_CASE("a signal for spawn kills what its timeout has not ended, at once") {
  const std::string mark = unlike_others();
  const Scratch scratch;
  // The command is gone with its time, and the rest has five minutes.
  const std::string script =
      "(trap '' TERM; exec sleep " + mark + ") & echo $$; exec sleep " + mark;
  const Ran ran = tests::shell(
      "osbox spawn --timeout .5 --kill-after 5m sh -c \"$1\" >\"$2\" 2>/dev/null & p=$!\n"
      "until [ -s \"$2\" ]; do sleep .05; done\n"
      "while kill -0 $(cat \"$2\") 2>/dev/null; do sleep .05; done\n"
      "kill $p; wait $p; echo $?",
      {script, scratch / "pid"});
  CHECK(ran.out == "124\n");
  CHECK(marked(mark).empty());
}

TEST_CASE("the timeout of spawn counts where its signal is blocked or ignored on entry") {
  const std::string mark = unlike_others();
  const std::string script =
      "import os, signal, sys\n"
      "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))\n"
      "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
      "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
      "os.execv(sys.argv[1], ['osbox', 'spawn', '--timeout', '.2', '--json', 'sleep', "
      "sys.argv[2]])";
  const Ran ran = run({.words = {"python3", "-c", script, binary(), mark}});
  CHECK(ran.status == 124);
  CHECK(field(ran.out, "signal") == "\"SIGTERM\"");
  CHECK(marked(mark).empty());
}

TEST_CASE("spawn has the status though SIGCHLD is ignored, and the command has it ignored still") {
  const auto spawned = [](const std::string& words) {
    return run({.words = {"python3", "-c",
                          "import os, signal, sys\n"
                          "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
                          "os.execvp(sys.argv[1], ['osbox', 'spawn'] + sys.argv[2].split('|'))",
                          binary(), words}});
  };
  CHECK(spawned("sh|-c|exit 5").status == 5);
  CHECK(spawned("--timeout|60|sh|-c|exit 5").status == 5);
  const Ran ran = spawned("grep|SigIgn|/proc/self/status");
  REQUIRE(ran.status == 0);
  CHECK((std::stoull(ran.out.substr(8), nullptr, 16) >> (SIGCHLD - 1) & 1) == 1);
}

TEST_CASE("spawn leaves alone what was there before, and what goes on after a command in time") {
  const std::string before = unlike_others();
  const std::string mark = unlike_others();
  const Ran ran = tests::shell("sleep " + before +
                               " >/dev/null 2>&1 & exec osbox spawn --timeout .2 sleep " + mark);
  CHECK(ran.status == 124);
  CHECK(marked(before).size() == 1);
  put_away(marked(before));
  const Ran in_time = spawn({"--timeout", "60", "sh", "-c",
                             tells_cgroup + "sleep " + mark + " >/dev/null 2>&1 & exit 4"});
  CHECK(in_time.status == 4);
  CHECK(marked(mark).size() == 1);
  put_away(marked(mark));
  CHECK(is_removed(cgroup_in(in_time.out)));
}

TEST_CASE("signals for spawn reach the command, and osbox ends as it did") {
  const Scratch scratch;
  const std::string ready = scratch.fifo("ready");
  for (const std::string timeout : {"", "--timeout 60 "}) {
    CAPTURE(timeout);
    const Ran usr1 =
        tests::shell("osbox spawn " + timeout +
                         "sh -c 'trap \"echo got USR1; exit 6\" USR1; echo >\"$1\"; while :; do "
                         "sleep .02; done' sh "
                         "\"$1\" & p=$!; read x <\"$1\"; kill -USR1 $p; wait $p; echo $?",
                     {ready});
    CHECK(usr1.out == "got USR1\n6\n");
    const Ran term = tests::shell("osbox spawn " + timeout +
                                      "sh -c 'echo >\"$1\"; exec sleep 60' sh \"$1\" & p=$!; read "
                                      "x <\"$1\"; kill -TERM $p; wait "
                                      "$p; echo $?",
                                  {ready});
    CHECK(term.out == "143\n");
  }
}

TEST_CASE("the death of spawn, or of the process that watches for it, takes all along") {
  const Scratch scratch;
  const std::string ready = scratch.fifo("ready");
  const std::string mark = unlike_others();
  const std::string start = "osbox spawn --timeout 60 sh -c '" + tells_cgroup + "setsid sleep " +
                            mark + " >/dev/null 2>&1 & echo >\"$1\"; exec sleep " + mark +
                            "' sh \"$1\" & p=$!; read x <\"$1\"; ";
  const Ran ran = tests::shell(start + "kill -KILL $p; wait $p; echo $?", {ready});
  CHECK(ran.out.ends_with("\n137\n"));
  CHECK(soon([&] { return marked(mark).empty(); }));
  CHECK(soon([&] { return is_removed(cgroup_in(ran.out)); }));
  // The one between is the only child of osbox. Without a cgroup what left its session outlives it.
  const Ran between = tests::shell(
      start + "kill -KILL $(cat /proc/$p/task/$p/children); wait $p; echo $?", {ready});
  CHECK(between.out.ends_with("\n125\n"));
  CHECK(between.err.find("ECHILD") != std::string::npos);
  const std::size_t most = cgroup_in(between.out).empty() ? 1 : 0;
  CHECK(soon([&] { return marked(mark).size() <= most; }));
  put_away(marked(mark));
  CHECK(is_removed(cgroup_in(between.out)));
}

TEST_CASE("spawn without /proc has no timeout, where it could not keep it, and says so") {
  if (tests::disturbed_by_sanitizer()) return;
  const Ran ran = tests::shell(
      "unshare -m true 2>/dev/null || { echo none; exit; }; unshare -m sh -c 'umount -l /proc; "
      "osbox "
      "spawn --timeout .2 echo ran; echo $?; osbox spawn sh -c \"exit 3\"; echo $?'");
  if (ran.out == "none\n") {
    MESSAGE("not tested: no mount namespace to be had");
    return;
  }
  CHECK(ran.out == "125\n3\n");
  CHECK(ran.err.starts_with("spawn: /proc: open: ENOENT: "));
}

TEST_CASE("spawn drops the rights of root, and proves it") {
  if (!tests::is_root()) {
    const Ran ran = spawn({"--user", "root", "true"});
    CHECK(ran.status == 125);
    CHECK(ran.err.find("EPERM") != std::string::npos);
    return;
  }
  const Ran ran =
      spawn({"--user", "nobody", "grep", "-E", "^(Uid|Gid|Groups):", "/proc/self/status"});
  const std::string nobody = tests::python(
      "import pwd, os\n"
      "n = pwd.getpwnam('nobody')\n"
      "print('Uid:' + '\\t%d' % n.pw_uid * 4)\n"
      "print('Gid:' + '\\t%d' % n.pw_gid * 4)\n"
      "print('Groups:\\t' + ' '.join(map(str, sorted(os.getgrouplist('nobody', n.pw_gid)))) + ' "
      "')");
  CHECK(ran.out == nobody);
  const Ran regained = spawn({"--user", "nobody", "python3", "-S", "-c",
                              "import os\n"
                              "try:\n  os.setuid(0)\n  print('root again')\n"
                              "except PermissionError: print('for good')"});
  CHECK(regained.out == "for good\n");
  const Ran death = spawn({"--user", "nobody", "--death-signal", "KILL", "python3", "-S", "-c",
                           "import ctypes\ns = ctypes.c_int()\n"
                           "ctypes.CDLL(None).prctl(2, ctypes.byref(s))\nprint(s.value)"});
  CHECK(death.out == "9\n");
  for (const char* const wrong : {"-1", "", "0x0", " 1", "1abc", "4294967295", "no such user"}) {
    CAPTURE(wrong);
    const Ran refused = spawn({"--user", wrong, "echo", "ran"});
    CHECK(refused.status == 2);
    CHECK(refused.out == "");
    CHECK(spawn({"--group", wrong, "echo", "ran"}).status == 2);
  }
}

TEST_CASE("spawn has options that go together, and says which do not") {
  CHECK(spawn({"--signal", "INT", "true"}).status == 2);
  CHECK(spawn({"--kill-after", "1", "true"}).status == 2);
  CHECK(spawn({"--timeout", "x", "true"}).status == 2);
  CHECK(spawn({"--timeout", "-1", "true"}).status == 2);
  CHECK(spawn({}).status == 2);
  const std::string json = spawn({"--dry-run", "--json", "--timeout", "1.5", "-s", "INT",
                                  "--kill-after", "2s", "/bin/sh"})
                               .out;
  CHECK(field(json, "timeout_us") == "1500000");
  CHECK(field(json, "signal") == "\"SIGINT\"");
  CHECK(field(json, "kill_after_us") == "2000000");
}

TEST_CASE("spawnv takes a path, spawnvp a name") {
  CHECK(osbox({"spawnvp", "sh", "-c", "exit 3"}).status == 3);
  CHECK(osbox({"spawnv", "/bin/sh", "-c", "exit 3"}).status == 3);
  const Scratch scratch;
  CHECK(run({.words = {binary(), "spawnv", "sh"}, .directory = scratch.path()}).status == 127);
}
