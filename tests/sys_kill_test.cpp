#include "core/sys/kill.hpp"

#include <sys/syscall.h>

#include <thread>

#include "core/sys/process.hpp"
#include "tests/child.hpp"

namespace {

using tests::Child;

std::string name_of(const core::Result<void>& result) {
  return result ? "done" : std::string(core::error_name(result.error().number));
}

}  // namespace

TEST_CASE("kill reaches the process that has the number") {
  const Child child({SIGUSR1});
  CHECK(core::kill(child.pid(), 0).has_value());
  CHECK(child.untouched());
  CHECK(core::kill(child.pid(), SIGUSR1).has_value());
  CHECK(child.next() == SIGUSR1);
}

TEST_CASE("kill of who was waited for is ESRCH, of a zombie it is none") {
  Child child;
  const pid_t pid = child.pid();
  CHECK(core::kill(pid, SIGKILL).has_value());
  child.wait_for_zombie();
  CHECK(core::kill(pid, SIGKILL).has_value());
  child.reap();
  const auto sent = core::kill(pid, SIGKILL);
  REQUIRE(!sent);
  CHECK(sent.error().number == ESRCH);
  CHECK(sent.error().path == std::to_string(pid));
  CHECK(std::string(sent.error().call) == "kill");
}

TEST_CASE("kill and killpg refuse the numbers that mean many, without a call") {
  // With kill(2) denied whatever gets as far as that is EPERM, and reaches nobody.
  CHECK(tests::in_child(
            [] {
              std::string answers;
              for (const pid_t pid : {0, -1, -2, -2147483647}) {
                answers += name_of(core::kill(pid, SIGUSR1)) + " ";
              }
              for (const pid_t group : {1, 0, -1, -2}) {
                answers += name_of(core::killpg(group, SIGUSR1)) + " ";
              }
              return answers + name_of(core::killpg(2, SIGUSR1));
            },
            {{SYS_kill, EPERM}}) ==
        "EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL EPERM");
}

TEST_CASE("a thread is told from a process") {
  const std::string answers = tests::in_child([] {
    std::string text;
    std::thread([&text] {
      const pid_t thread = ::gettid();
      const auto sent = core::kill(thread, 0);
      text = std::string(core::is_thread(thread) ? "thread " : "process ") +
             (core::is_thread(::getpid()) ? "thread " : "process ") + name_of(sent) + " " +
             (sent ? "" : sent.error().note);
    }).join();
    return text;
  });
  CHECK(answers == "thread process EINVAL a thread, not a process");
  Child child;
  const pid_t pid = child.pid();
  CHECK(!core::is_thread(pid));
  ::kill(pid, SIGKILL);
  child.wait_for_zombie();
  CHECK(!core::is_thread(pid));
  child.reap();
  CHECK(!core::is_thread(pid));
}

TEST_CASE("killpg reaches a group that has lost its leader") {
  Child leader({}, {}, [] { ::setpgid(0, 0); });
  const pid_t group = leader.pid();
  const Child member({SIGUSR1}, {}, [group] { ::setpgid(0, group); });
  REQUIRE(*core::getpgid(member.pid()) == group);
  ::kill(group, SIGKILL);
  leader.reap();
  CHECK(core::killpg(group, SIGUSR1).has_value());
  CHECK(member.next() == SIGUSR1);
}

TEST_CASE("killpg of a group that is not there is ESRCH") {
  Child child({}, {}, [] { ::setpgid(0, 0); });
  const pid_t group = child.pid();
  ::kill(group, SIGKILL);
  child.reap();
  const auto sent = core::killpg(group, SIGKILL);
  REQUIRE(!sent);
  CHECK(sent.error().number == ESRCH);
  CHECK(sent.error().path == std::to_string(group));
  CHECK(std::string(sent.error().call) == "killpg");
}

TEST_CASE("who is spared survives a signal to its own group, and is as before then") {
  const std::string answer = tests::in_child([] {
    ::setpgid(0, 0);
    std::string text;
    for (const int signal : {SIGTERM, SIGTSTP, SIGRTMIN, SIGUSR1}) {
      ::signal(signal, SIG_DFL);
      {
        const core::Spared spared(signal);
        text += name_of(core::kill_own_group(signal)) + " ";
      }
      struct ::sigaction after;
      ::sigaction(signal, nullptr, &after);
      text += after.sa_handler == SIG_DFL ? "default " : "changed ";
    }
    const core::Spared none(0);
    const core::Spared kill(SIGKILL);
    return text + name_of(core::kill_own_group(0));
  });
  CHECK(answer == "done default done default done default done default done");
}
