#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>

#include "core/sys/job.hpp"
#include "core/sys/process.hpp"
#include "tests/harness.hpp"
#include "tests/stranger.hpp"

using tests::binary;
using tests::lasting;
using tests::once_osbox;
using tests::Stranger;

namespace {

/// A directory for jobs of this test alone.
struct Jobs {
  Scratch scratch;
  tests::RuntimeDirectory runtime{scratch.path()};

  void put(core::Job job, std::optional<int> word = {}) const {
    const auto directory = core::JobDirectory::make();
    REQUIRE(directory);
    if (word) job.end = core::Job::End{.status = core::WaitStatus(*word), .usage = {}};
    REQUIRE(directory->put(job));
  }
};

/// Who runs osbox, where this process is osbox.
core::ProcessId caller() {
  const auto process = core::Process::open({.pid = ::getppid()});
  return process ? process->id() : core::ProcessId{.pid = ::getppid()};
}

}  // namespace

TEST_CASE("wait without PIDs has the children of the shell whose place it took") {
  const Jobs jobs;
  CHECK(tests::shell("sh -c '" + once_osbox +
                     "exit 3' & exec osbox wait --format '{exit_code} {source}'")
            .out == "3 child\n");
  // The second child ends once the first one was waited for.
  const Ran all =
      tests::shell("sh -c '" + once_osbox +
                   "kill -9 $$' & sh -c 'while kill -0 $1 2>/dev/null; do sleep .01; done' sh $! & "
                   "exec osbox wait --all --format '{status} {source}'");
  CHECK(all.out == "9 child\n0 child\n");
  CHECK(all.status == 0);
  const Ran first = tests::shell(lasting + "sh -c '" + once_osbox +
                                 "exit 1' & exec osbox wait --format {status}");
  CHECK(first.out == "256\n");
  CHECK(first.status == 0);
  const std::string pair = "sh -c '" + once_osbox + "exit 1' & sh -c '" + once_osbox + "exit 0' & ";
  const Ran two = tests::shell(pair + "exec osbox wait --count 2");
  CHECK(tests::lines(two.out).size() == 2);
  const Ran three = tests::shell(pair + "exec osbox wait --count 3");
  CHECK(tests::lines(three.out).size() == 2);
  CHECK(three.status == 1);
  CHECK(three.err == "wait: ECHILD: No child processes\n");
}

TEST_CASE("wait says of two children what os.wait says") {
  const Jobs jobs;
  const std::string python = tests::python(
      "import os\n"
      "for code in 0, 1:\n"
      "  if os.fork() == 0: os._exit(code)\n"
      "print(sorted(os.wait()[1] for i in range(2)))\n");
  CHECK(python == "[0, 256]\n");
  auto words = tests::lines(tests::shell("sh -c '" + once_osbox + "exit 0' & sh -c '" + once_osbox +
                                         "exit 1' & exec osbox wait --all --format '{status}'")
                                .out);
  std::ranges::sort(words);
  CHECK(words == std::vector<std::string>{"0", "256"});
}

TEST_CASE("wait takes the first to end of the PIDs, N of them, or all") {
  if (!tests::needs_kept_status()) return;
  const Jobs jobs;
  const core::Job one{.id = {4194305, 1}, .owner = {1, 1}};
  const core::Job two{.id = {4194306, 2}, .owner = {1, 1}};
  const Stranger running([] {});
  const auto put = [&] {
    jobs.put(one, 0);
    jobs.put(two, 256);
  };
  put();
  CHECK(osbox({"wait", running.text(), "4194305", "4194306"}).out == "4194305 0 exited 0\n");
  CHECK(osbox({"wait", running.text(), "4194306", "4194306"}).out == "4194306 256 exited 1\n");
  put();
  const Ran both = osbox({"wait", "--count", "2", running.text(), "4194305", "4194306"});
  CHECK(both.status == 0);
  CHECK(both.out == "4194305 0 exited 0\n4194306 256 exited 1\n");
  put();
  CHECK(osbox({"wait3", "--all", "4194305", "4194306"}).out ==
        "4194305 0 exited 0, wall 0.000s, user 0.000s, system 0.000s, memory 0 KiB\n"
        "4194306 256 exited 1, wall 0.000s, user 0.000s, system 0.000s, memory 0 KiB\n");
  put();
  const Ran more = osbox({"wait", "--count", "3", "4194305", "4194306"});
  CHECK(more.status == 1);
  CHECK(tests::lines(more.out).size() == 2);
  CHECK(more.err == "wait: ECHILD: No child processes\n");

  // What is no process does not count; one that ended, and nobody knows how, does.
  put();
  const Ran wrong = osbox({"wait", "abc", "4194307", "4194305"});
  CHECK(wrong.status == 1);
  CHECK(wrong.out == "4194305 0 exited 0\n");
  CHECK(wrong.err ==
        "wait: abc: EINVAL: Invalid argument (not a process id)\n"
        "wait: 4194307: ESRCH: No such process (nor a record of it; what spawn --nowait did not "
        "start is waited for before it ends)\n");
  jobs.put(one);
  const Ran lost = osbox({"wait", "4194305", "4194306"});
  CHECK(lost.status == 1);
  CHECK(lost.out == "");
  CHECK(lost.err ==
        "wait: 4194305: ENODATA: No data available (it has ended, and its status is gone)\n");
  CHECK(osbox({"wait", "4194305"}).err.starts_with("wait: 4194305: ESRCH: No such process (nor "));
}

TEST_CASE("wait without PIDs and children has the jobs of the shell that runs it") {
  if (!tests::needs_kept_status()) return;
  const Jobs jobs;
  const core::ProcessId shell = caller();
  core::ProcessId before = shell;
  --*before.inode;
  jobs.put({.id = {4194306, 2}, .owner = shell}, 512);
  jobs.put({.id = {4194305, 3}, .owner = shell}, 768);
  jobs.put({.id = {4194307, 4}, .owner = before}, 0);
  const auto wait = [](const std::vector<std::string>& words) {
    return tests::in_child([&words] {
      const Ran ran = osbox(words);
      return ran.out + ran.err + std::to_string(ran.status);
    });
  };
  // The caller of a child of this process is this process: so it asks for its own jobs.
  jobs.put({.id = {4194308, 5}, .owner = core::Process::open({.pid = ::getpid()})->id()}, 9);
  CHECK(wait({"wait"}) == "4194308 9 killed SIGKILL\n0");
  CHECK(wait({"wait"}) == "wait: ECHILD: No child processes\n1");
  CHECK(wait({"wait", "--all"}) == "wait: ECHILD: No child processes\n1");
  CHECK(wait({"wait", "--nohang"}) == "wait: ECHILD: No child processes\n1");
  CHECK(osbox({"wait", "--count", "1", "--format", "{pid}"}).out == "4194306\n");
  CHECK(osbox({"wait", "--all", "--format", "{pid}"}).out == "4194305\n");
  CHECK(osbox({"wait", "--exit-errno"}).status == ECHILD);
}

TEST_CASE("wait --timeout and --nohang end with 124 where something runs still") {
  if (!tests::needs_kept_status()) return;
  const Jobs jobs;
  const Stranger stranger([] {});
  const Ran late = osbox({"wait", "--timeout", "10ms", stranger.text()});
  CHECK(late.status == 124);
  CHECK(late.err ==
        "wait: " + stranger.text() + ": ETIMEDOUT: Connection timed out (still running)\n");
  const Ran quiet = osbox({"wait", "--nohang", stranger.text()});
  CHECK(quiet.status == 124);
  CHECK(quiet.err == "");
  const Ran child = tests::shell(lasting + "exec osbox wait --timeout 0");
  CHECK(child.status == 124);
  CHECK(child.err == "wait: ETIMEDOUT: Connection timed out (still running)\n");
  const Ran hushed = tests::shell(lasting + "exec osbox wait --nohang");
  CHECK(hushed.status == 124);
  CHECK(hushed.err == "");
}

TEST_CASE("wait --mirror exits as that process did") {
  const Jobs jobs;
  CHECK(tests::shell("sh -c '" + once_osbox + "exit 9' & exec osbox wait --mirror").status == 9);
  CHECK(tests::shell("sh -c '" + once_osbox + "kill -9 $$' & exec osbox wait --mirror").status ==
        137);
  CHECK(tests::shell("exec osbox wait --mirror").status == 125);
  CHECK(osbox({"wait", "--mirror", "--all"}).status == 2);
  CHECK(osbox({"wait", "--mirror", "--count", "2"}).status == 2);
  CHECK(osbox({"wait", "--all", "--count", "2"}).status == 2);
  CHECK(osbox({"wait", "--count", "0"}).status == 2);
  CHECK(osbox({"wait", "--count", "x"}).status == 2);
}

TEST_CASE("wait tells that its output is lost") {
  const Jobs jobs;
  const std::string child = "sh -c '" + once_osbox + "exit 0' & ";
  const Ran full = tests::shell(child + "exec osbox wait >/dev/full");
  CHECK(full.status == 1);
  CHECK(full.err == "wait: stdout: write: ENOSPC: No space left on device\n");
  const Ran closed = tests::shell(child + "exec osbox wait >&-");
  CHECK(closed.status == 1);
  CHECK(closed.err == "wait: stdout: write: EBADF: Bad file descriptor\n");
}
