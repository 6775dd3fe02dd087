#include <dirent.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"

using tests::binary;
using tests::Command;
using tests::run;

namespace {

/// `osbox spawn` of the real binary.
Ran spawn(std::vector<std::string> words, Command command = {}) {
  words.insert(words.begin(), {binary(), "spawn"});
  command.words = std::move(words);
  return run(command);
}

/// The processes that have `mark` among their arguments, itself left out.
std::vector<pid_t> marked(const std::string& mark) {
  std::vector<pid_t> found;
  DIR* const proc = ::opendir("/proc");
  REQUIRE(proc != nullptr);
  while (const dirent* const entry = ::readdir(proc)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid == 0 || pid == ::getpid()) continue;
    const std::string words = tests::content("/proc/" + std::string(entry->d_name) + "/cmdline");
    if (words.find(mark) != words.npos) found.push_back(pid);
  }
  ::closedir(proc);
  return found;
}

/// A span for sleep(1) that no other process has: it tells whose sleep it is.
std::string unlike_others() {
  static int count = 0;
  return "97." + std::to_string(::getpid()) + std::to_string(++count) + "7";
}

/// Waits until `is`, for as long as a slow machine may take.
template <class Is>
bool soon(Is is) {
  for (int i = 0; i < 2000; ++i) {
    if (is()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

void put_away(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) ::kill(pid, SIGKILL);
}

std::string field(const std::string& json, const std::string& name) {
  const std::string key = "\"" + name + "\":";
  const std::size_t at = json.find(key);
  if (at == json.npos) return "missing";
  const std::size_t begin = at + key.size();
  return json.substr(begin, json.find_first_of(",}", begin) - begin);
}

/// Records of jobs go to a directory of the test's own.
struct Runtime : Scratch {
  Command with(Command command = {}) const {
    command.environment.push_back("XDG_RUNTIME_DIR=" + path());
    return command;
  }
  /// The names of the records that are there.
  std::vector<std::string> records() const {
    return tests::lines(run({.words = {"ls", path() + "/osbox"}}).out);
  }
  /// What `script` prints, with osbox in its PATH.
  Ran shell(const std::string& script) const {
    return tests::shell("XDG_RUNTIME_DIR=" + path() + "; export XDG_RUNTIME_DIR\n" + script);
  }
};

/// The cgroup that is the last word of the first line of `output`, where spawn made one; "" where
/// it could make none. A command prints it by `tells_cgroup`.
const std::string tells_cgroup = "echo $(grep ^0:: /proc/self/cgroup | grep -o '/[.]osbox-.*'); ";
std::string cgroup_in(const std::string& output) { return output.substr(0, output.find('\n')); }

/// False, and told, where osbox can wait for nothing but its own children.
bool waits_for_strangers() {
  if (!tests::newer_calls()) MESSAGE("not tested: there are no descriptors of processes");
  return tests::newer_calls();
}

/// True where the cgroup of that name is gone, or there never was one.
bool is_removed(const std::string& cgroup) {
  if (cgroup.empty()) return true;
  return tests::shell("find /sys/fs/cgroup -path \"*$1\" 2>/dev/null", {cgroup}).out.empty();
}

}  // namespace

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
                            mark + " & echo >\"$1\"; exec sleep " + mark +
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

TEST_CASE("spawn --nowait prints who it is at once, and holds no pipe open") {
  if (!waits_for_strangers()) return;
  const Runtime runtime;
  const std::string mark = unlike_others();
  // Standard error is the command's as it is osbox's, and this test reads it to its end.
  const Ran ran =
      runtime.shell("p=$(osbox spawn --nowait --stderr /dev/null sleep " + mark + "); echo $p");
  CHECK(ran.status == 0);
  const pid_t pid = std::atoi(ran.out.c_str());
  const auto pids = marked(mark);
  REQUIRE(std::ranges::find(pids, pid) != pids.end());
  CHECK(runtime.records() == std::vector<std::string>{ran.out.substr(0, ran.out.size() - 1)});
  put_away({pid});
  const Ran status = runtime.shell("osbox waitpid " + ran.out);
  CHECK(status.out == std::to_string(pid) + " 9 killed SIGKILL\n");
  CHECK(runtime.records().empty());

  const Ran missing = spawn({"--nowait", "/no/such"}, runtime.with());
  CHECK(missing.status == 127);
  CHECK(missing.out == "");
  CHECK(missing.err == "spawn: /no/such: exec: ENOENT: No such file or directory\n");
  CHECK(spawn({"--nowait", "--chdir", "/no/such", "true"}, runtime.with()).status == 125);
  CHECK(runtime.records().empty());

  const Ran streams = runtime.shell(
      "p=$(osbox spawn --nowait --stdout $XDG_RUNTIME_DIR/out sh -c 'ls -l /proc/$$/fd') && osbox "
      "waitpid $p && cat $XDG_RUNTIME_DIR/out");
  CHECK(streams.out.find(" 0 -> /dev/null\n") != std::string::npos);
  CHECK(streams.out.find(" 1 -> " + runtime.path() + "/out\n") != std::string::npos);
  CHECK(spawn({"--nowait", "--rusage", "true"}, runtime.with()).status == 2);
  const Ran json = runtime.shell("osbox spawn --nowait --json sh -c 'exit 3'");
  const std::string handle = field(json.out, "pid") + ":" + field(json.out, "inode");
  CHECK(field(json.out, "handle") == "\"" + handle + "\"");
  CHECK(runtime.shell("osbox waitpid --mirror " + handle).status == 3);
}

TEST_CASE("the keeper of a job is small, and has nothing of who started it") {
  if (!waits_for_strangers()) return;
  const Runtime runtime;
  const std::string mark = unlike_others();
  const Ran started = runtime.shell("osbox spawn --nowait --stderr /dev/null sleep " + mark +
                                    " 8</dev/null 9>$XDG_RUNTIME_DIR/held");
  const pid_t job = std::atoi(started.out.c_str());
  REQUIRE(job > 1);
  const auto word_of = [](pid_t pid, int number) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string word;
    for (int i = 0; i < number; ++i) stat >> word;
    return word;
  };
  const std::string keeper = word_of(job, 4);
  REQUIRE(word_of(std::stoi(keeper), 2) == "(osbox-keeper)");
  std::ifstream rollup("/proc/" + keeper + "/smaps_rollup");
  std::string line;
  long kib = -1;
  // What no other process has of it; the pages of the file are those of osbox.
  while (std::getline(rollup, line)) {
    if (line.starts_with("Anonymous:")) kib = std::stol(line.substr(10));
  }
  CHECK(kib > 0);
  CHECK((kib < 1024 || tests::sanitized));
  CHECK(run({.words = {"readlink", "/proc/" + keeper + "/cwd"}}).out == "/\n");
  CHECK(soon([&] {
    return tests::lines(run({.words = {"ls", "/proc/" + keeper + "/fd"}}).out).size() == 4;
  }));
  const Ran fds = run({.words = {"ls", "-l", "/proc/" + keeper + "/fd"}});
  CHECK(fds.out.find("held") == std::string::npos);
  CHECK(tests::shell("osbox getsid " + keeper).out == keeper + "\n");
  // Killed, it costs the record, and nobody waits for ever.
  ::kill(std::stoi(keeper), SIGKILL);
  REQUIRE(soon([&] { return ::kill(std::stoi(keeper), 0) != 0; }));
  CHECK(marked(mark) == std::vector<pid_t>{job});
  put_away({job});
  REQUIRE(soon([&] { return ::kill(job, 0) != 0; }));
  const Ran lost = runtime.shell("osbox waitpid --exit-errno " + started.out);
  CHECK(lost.status == ENODATA);
  CHECK(lost.out == "");
  CHECK(runtime.records().empty());
}

TEST_CASE("a job loses no status where osbox is killed while it tells of it") {
  if (!waits_for_strangers()) return;
  const Runtime runtime;
  // It comes to its end while osbox waits for a reader of its pipe.
  const Ran told = runtime.shell(
      "python3 -S -c '\n"
      "import os, subprocess, sys, time\n"
      "r, w = os.pipe()\n"
      "os.set_blocking(w, False)\n"
      "try:\n"
      "  while True: os.write(w, bytes(4096))\n"
      "except BlockingIOError: os.set_blocking(w, True)\n"
      "p = subprocess.Popen([\"osbox\", \"spawn\", \"--nowait\", \"sh\", \"-c\", \"exit 7\"], "
      "stdout=w)\n"
      "jobs = os.environ[\"XDG_RUNTIME_DIR\"] + \"/osbox\"\n"
      "found = lambda: [f for f in os.listdir(jobs) if f[0] != \".\"] if os.path.isdir(jobs) else "
      "[]\n"
      "while not found(): time.sleep(.01)\n"
      "time.sleep(.3)\n"
      "assert p.poll() is None\n"
      "p.kill(); p.wait()\n"
      "print(found()[0])'");
  REQUIRE(told.out.find(':') != told.out.npos);
  CHECK(runtime.shell("osbox waitpid --format '{exit_code} {source}' " + told.out).out ==
        "7 record\n");
  CHECK(soon([&] { return runtime.records().empty(); }));
}

#ifdef SYS_clone3
TEST_CASE("a job has a keeper also where that must have memory of its own") {
  if (!waits_for_strangers()) return;
  const Runtime runtime;
  Command command = runtime.with(
      {.words = {"sh", "-c", "\"$0\" waitpid --mirror $(\"$0\" spawn --nowait sh -c 'exit 7')",
                 binary()}});
  for (const int error : {ENOSYS, EPERM}) {
    command.denied = {{SYS_clone3, error}};
    CHECK(run(command).status == 7);
  }
}
#endif

TEST_CASE("a job may have a timeout, and its record says so") {
  if (!waits_for_strangers()) return;
  const Runtime runtime;
  const std::string mark = unlike_others();
  const Ran ran = runtime.shell(
      "osbox waitpid --json $(osbox spawn --nowait --stdout $XDG_RUNTIME_DIR/cgroup --timeout .2 "
      "sh "
      "-c '" +
      tells_cgroup + "setsid sleep " + mark + " & sleep " + mark + "')");
  CHECK(field(ran.out, "timed_out") == "true");
  CHECK(field(ran.out, "signal") == "\"SIGTERM\"");
  CHECK(soon([&] { return marked(mark).empty(); }));
  const std::string cgroup = cgroup_in(runtime.shell("cat $XDG_RUNTIME_DIR/cgroup").out);
  CHECK(soon([&] { return is_removed(cgroup); }));
}

TEST_CASE("many jobs at a time, and many one after the other, lose no status") {
  if (!waits_for_strangers()) return;
  const int jobs = tests::is_long() ? 1000 : 40;
  const Runtime runtime;
  const std::string never = runtime.fifo("never");
  std::mt19937 random(1);
  // A job that ends by itself, after up to `most` milliseconds; its handle.
  const auto start = [&](unsigned most, int status) {
    char delay[16];
    std::snprintf(delay, sizeof delay, "%.3f", static_cast<double>(random() % most + 1) / 1000);
    const Ran ran =
        spawn({"--nowait", "--stderr", "/dev/null", "bash", "-c", "read -t $1 <>$2; exit $3",
               "bash", delay, never, std::to_string(status)},
              runtime.with());
    REQUIRE(ran.status == 0);
    return ran.out.substr(0, ran.out.size() - 1);
  };

  std::vector<std::string> words = {binary(), "waitpid", "--format", "{pid}:{inode} {exit_code}"};
  std::vector<std::string> expected;
  for (int i = 0; i < jobs; ++i) {
    words.push_back(start(tests::is_long() ? 5000 : 1000, i % 251));
    expected.push_back(words.back() + " " + std::to_string(i % 251));
  }
  auto told = tests::lines(run(runtime.with({.words = words})).out);
  std::ranges::sort(told);
  std::ranges::sort(expected);
  CHECK(told == expected);

  for (int i = 0; i < jobs; ++i) {
    const std::string handle = start(4, i % 251);
    // Some have ended when they are asked for.
    if (i % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(random() % 8));
    const Ran ran = run(runtime.with({.words = {binary(), "waitpid", "--mirror", handle}}));
    CHECK(ran.status == i % 251);
  }
  CHECK(runtime.records().empty());
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
