#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <random>
#include <thread>

#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"
#include "tests/spawn.hpp"

using tests::binary;
using tests::cgroup_in;
using tests::Command;
using tests::field;
using tests::is_removed;
using tests::marked;
using tests::put_away;
using tests::run;
using tests::Runtime;
using tests::soon;
using tests::spawn;
using tests::tells_cgroup;
using tests::unlike_others;
using tests::waits_for_strangers;

namespace {

/// A word of what /proc says of a process.
std::string word_of(pid_t pid, int number) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string word;
  for (int i = 0; i < number; ++i) stat >> word;
  return word;
}

}  // namespace

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

TEST_CASE("the keeper of a job ends where its record has no place any more") {
  const std::string mark = unlike_others();
  const Runtime runtime;
  const Ran started = runtime.shell("osbox spawn --nowait --stderr /dev/null sleep " + mark +
                                    " && rm -r $XDG_RUNTIME_DIR/osbox");
  const pid_t pid = std::atoi(started.out.c_str());
  REQUIRE(pid > 1);
  const int keeper = std::stoi(word_of(pid, 4));
  REQUIRE(word_of(keeper, 2) == "(osbox-keeper)");
  put_away({pid});
  CHECK(soon([&] { return ::kill(keeper, 0) != 0; }));
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

TEST_CASE("spawn --nowait leaves no command running that it could tell nobody of") {
  struct Lost {
    std::string how;
    std::string status;
    std::string error;
  };
  // Where nobody reads, SIGPIPE ends osbox, but not before the command.
  const Lost all[] = {
      {"{ osbox spawn --nowait sleep $1 >/dev/full; echo $?; }", "125\n",
       "spawn: stdout: write: ENOSPC: No space left on device\n"},
      {"mkfifo \"$2\"; { cat <\"$2\" & exec 3>\"$2\"; kill $!; wait; }; trap - PIPE; "
       "osbox spawn --nowait sleep $1 >&3; echo $?",
       "141\n", ""},
  };
  for (const Lost& lost : all) {
    CAPTURE(lost.how);
    const Runtime runtime;
    const std::string mark = unlike_others();
    const Ran ran =
        tests::shell("XDG_RUNTIME_DIR=" + runtime.path() +
                         "; export XDG_RUNTIME_DIR; exec 2>&1; (" + lost.how + ") 2>\"$3\"",
                     {mark, runtime / "fifo", runtime / "errors"});
    CHECK(ran.out == lost.status);
    CHECK(tests::content(runtime / "errors").find(lost.error) != std::string::npos);
    CHECK(soon([&] { return marked(mark).empty(); }));
  }
}
