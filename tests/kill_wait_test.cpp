// kill --wait and --plan: it comes back when they have ended.
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>

#include "tests/kill.hpp"
#include "tests/spawn.hpp"

using tests::binary;
using tests::Child;
using tests::handles;
using tests::joined;
using tests::run;
using tests::Words;

TEST_CASE("kill: --wait comes back once they have ended, whoever's children they are") {
  if (!handles()) return;
  const Child one;
  const Child two;
  const Ran ran = osbox({"kill", "-v", "--wait", "1m", one.word(), two.word()});
  CHECK(ran.status == 0);
  CHECK(ran.err == "");
  const Words told = tests::lines(ran.out);
  REQUIRE(told.size() == 2);
  CHECK(std::ranges::count_if(told, [&](const std::string& line) {
          return line == one.word() + " has ended after SIGTERM, killed by SIGTERM";
        }) == 1);
  CHECK(std::ranges::count_if(told, [&](const std::string& line) {
          return line == two.word() + " has ended after SIGTERM, killed by SIGTERM";
        }) == 1);
}

TEST_CASE("kill: one that goes on after the wait is ETIMEDOUT") {
  if (!handles()) return;
  const Child child({}, {SIGTERM});
  const Child other;
  const Ran ran = osbox({"kill", "-v", "--wait", "200ms", child.word(), other.word()});
  CHECK(ran.status == 1);
  CHECK(ran.err == "kill: " + child.word() + ": ETIMEDOUT: Connection timed out (still running)\n");
  CHECK(ran.out == other.word() + " has ended after SIGTERM, killed by SIGTERM\n" + child.word() +
                       " is still running after SIGTERM\n");
  CHECK(osbox({"kill", "--wait", "0", "--exit-errno", child.word()}).status == ETIMEDOUT);
  CHECK(osbox({"kill", "-0", "--wait", "0", child.word()}).status == 1);
  CHECK(child.untouched());
}

TEST_CASE("kill: one that had ended before is gone, and gets no signal") {
  if (!handles()) return;
  Child child;
  ::kill(child.pid(), SIGKILL);
  child.wait_for_zombie();
  const Ran ran = osbox(
      {"kill", "--format", "{pid} {signal} {outcome}", "--plan", "TERM:1m,KILL:1m", child.word()});
  CHECK(ran.status == 0);
  CHECK(ran.out == child.word() + "  gone\n");
  CHECK(osbox({"kill", "-v", "--wait", "1m", child.word()}).out ==
        child.word() + " had ended before, killed by SIGKILL\n");
  const std::string pid = child.word();
  child.reap();
  CHECK(osbox({"kill", "--wait", "1m", pid}).err == "kill: " + pid + ": ESRCH: No such process\n");
}

TEST_CASE("kill: -0 with --wait waits, and sends nothing") {
  if (!handles()) return;
  // The child ends once osbox holds it, and sleeps: that is when it waits.
  const Scratch scratch;
  const Ran ran = tests::shell(
      "{ read osbox <\"$1\"; n=0\n"
      "  until ls -l /proc/$osbox/fd | grep -q pidfd &&\n"
      "      grep -q '^State:.S' /proc/$osbox/status; do\n"
      "    n=$((n + 1)); [ $n -lt 3000 ] || exit 1; sleep .01\n"
      "  done; } & p=$!\n"
      "osbox kill -0 --wait 1m --format '{signal} {outcome}' $p &\n"
      "echo $! >\"$1\"; wait $!; wait $p; echo $?",
      {scratch.fifo("fifo")});
  CHECK(ran.out == "0 ended\n0\n");
}

TEST_CASE("kill: the steps of a plan reach those that are left") {
  if (!handles()) return;
  const Child stubborn({SIGHUP, SIGTERM});
  const Child fair({SIGHUP});
  const Ran ran = osbox({"kill", "--json", "--plan", "HUP,TERM:300ms,KILL:1m", stubborn.word(),
                         fair.word(), stubborn.word()});
  CHECK(ran.status == 0);
  CHECK(ran.err == "");
  CHECK(stubborn.rest() == std::set{SIGHUP, SIGTERM});
  CHECK(!fair.rest().contains(SIGTERM));
  CHECK(tests::python(R"(
import json, sys
for line in sys.argv[3].splitlines():
    record = json.loads(line)
    print(sys.argv.index(str(record['pid'])), record['signal'], record['outcome'],
          isinstance(record['inode'], int), record['status'])
)",
                      {stubborn.word(), fair.word(), ran.out}) ==
        "2 SIGTERM ended True 15\n1 SIGKILL ended True 9\n");
}

TEST_CASE("kill: a last step without a wait is sent, and that is all") {
  if (!handles()) return;
  const Child child({SIGHUP, SIGTERM});
  const Ran ran = osbox({"kill", "-v", "--plan", "HUP:0,TERM", child.word()});
  CHECK(ran.status == 0);
  CHECK(ran.out == "sent SIGTERM to " + child.word() + "\n");
  CHECK(std::set{child.next(), child.next()} == std::set{SIGHUP, SIGTERM});
}

TEST_CASE("kill: a stopped process ends once it is continued, which a plan can do") {
  if (!handles()) return;
  const Child child;
  REQUIRE(::kill(child.pid(), SIGSTOP) == 0);
  REQUIRE(::waitpid(child.pid(), nullptr, WUNTRACED) == child.pid());
  CHECK(osbox({"kill", "--wait", "100ms", child.word()}).status == 1);
  CHECK(child.untouched());
  CHECK(osbox({"kill", "--plan", "TERM,CONT:1m", child.word()}).status == 0);
  CHECK(child.next() == -1);
}

TEST_CASE("kill: who cannot be signalled is told once, and is not waited for") {
  if (!handles()) return;
  if (!tests::is_root()) {
    MESSAGE("skipped: needs root");
    return;
  }
  const Child child;
  const Ran ran = run({.words = {"sh", "-c",
                                 "sleep 1000 >/dev/null 2>&1 & p=$!\n"
                                 "\"$0\" kill --plan TERM:1m,KILL:1m \"$1\" $p; echo $?",
                                 binary(), child.word()},
                       .as_nobody = true});
  CHECK(ran.out == "1\n");
  CHECK(ran.err == "kill: " + child.word() + ": EPERM: Operation not permitted\n");
  CHECK(child.untouched());
}

TEST_CASE("kill: how a process ended is told, its parent may have waited for it or not") {
  if (!handles()) return;
  // bash waits for its children at once, dash does not.
  for (const std::string sh : {"bash", "dash"}) {
    const Scratch scratch;
    const Ran ran = tests::shell(
        "sh -c 'trap \"exit 7\" TERM; echo; while :; do sleep .05; done' >\"$1/ready\" & p=$!\n"
        "until [ -s \"$1/ready\" ]; do sleep .05; done\n"
        "osbox kill -v --wait 1m $p | sed s/$p/PID/",
        {scratch.path()}, sh);
    CHECK(ran.out == "PID has ended after SIGTERM, exited with 7\n");
  }
}

TEST_CASE("kill: one plan for hundreds of processes") {
  if (!handles()) return;
  std::vector<std::unique_ptr<Child>> children;
  Words words = {"kill", "--format", "{pid} {signal} {outcome}", "--plan", "TERM:1s,KILL:1m"};
  std::set<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    const bool stubborn = i % 10 == 0;
    children.push_back(std::make_unique<Child>(
        std::vector<int>{}, stubborn ? std::vector{SIGTERM} : std::vector<int>{}));
    words.push_back(children.back()->word());
    expected.insert(words.back() + (stubborn ? " SIGKILL ended" : " SIGTERM ended"));
  }
  // More of them than the soft limit of descriptors.
  const Ran ran =
      run({.words = joined({"sh", "-c", "ulimit -Sn 64; exec \"$@\"", "sh", binary()}, words)});
  CHECK(ran.status == 0);
  CHECK(ran.err == "");
  const Words told = tests::lines(ran.out);
  CHECK(told.size() == 300);
  CHECK(std::set(told.begin(), told.end()) == expected);
  for (const auto& child : children) CHECK(child->next() == -1);
}

TEST_CASE("kill: for whom there is no descriptor that is told, and the others are done") {
  if (!handles()) return;
  std::vector<std::unique_ptr<Child>> children;
  Words words = {binary(), "kill", "--wait", "1m"};
  for (int i = 0; i < 30; ++i) {
    children.push_back(std::make_unique<Child>());
    words.push_back(children.back()->word());
  }
  const Ran ran = run({.words = words, .descriptors = 16});
  CHECK(ran.status == 1);
  std::string expected;
  std::size_t ended = 0;
  for (const auto& child : children) {
    if (child->untouched()) {
      expected += "kill: " + child->word() + ": pidfd_open: EMFILE: Too many open files\n";
    } else {
      ++ended;
    }
  }
  CHECK(ran.err == expected);
  CHECK(ended > 5);
  CHECK(ended < 16);
}

TEST_CASE("kill: what becomes of each is told as it comes") {
  if (!handles()) return;
  const Scratch scratch;
  const Ran ran = tests::shell(
      "sleep 1000 & p=$!; (trap '' TERM; exec sleep 1000) & q=$!\n"
      "mkfifo \"$1/out\"; osbox kill --format '{outcome}' --wait 1m $p $q >\"$1/out\" & k=$!\n"
      "{ read first; echo $first; kill -KILL $q; read second; echo $second; } <\"$1/out\"\n"
      "wait $k; echo $?",
      {scratch.path()});
  CHECK(ran.out == "ended\nended\n0\n");
}

TEST_CASE("kill: a job that is gone is told of with what was written down of its end") {
  if (!handles() || !tests::waits_for_strangers()) return;
  const tests::Runtime runtime;
  const Ran job = runtime.shell("osbox spawn --nowait --json sh -c 'exit 3'");
  const std::string handle = tests::field(job.out, "pid") + ":" + tests::field(job.out, "inode");
  const pid_t pid = std::stoi(tests::field(job.out, "pid"));
  CHECK(tests::soon([&] { return ::kill(pid, 0) != 0; }));
  // Until it is written down it is a process that there is not.
  Ran told;
  CHECK(tests::soon([&] {
    told = runtime.shell("osbox kill -v --wait 1m " + handle);
    return told.status == 0;
  }));
  CHECK(told.err == "");
  CHECK(told.out == tests::field(job.out, "pid") + " had ended before, exited with 3\n");
  CHECK(runtime.shell("osbox waitpid --mirror " + handle).status == 3);
}
