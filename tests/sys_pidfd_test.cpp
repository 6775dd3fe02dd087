#include "core/sys/pidfd.hpp"

#include <sys/syscall.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "core/sys/process.hpp"
#include "tests/child.hpp"

namespace {

using core::Process;
using tests::Child;

/// True where osbox was built with handles, and the kernel has them.
bool handles() {
  const bool found = tests::newer_calls();
  if (!found) MESSAGE("skipped: no descriptors of processes");
  return found;
}

/// ESRCH of a process that has ended and was waited for.
template <class T>
void is_gone(const core::Result<T>& result) {
  REQUIRE(!result);
  CHECK(result.error().number == ESRCH);
}

}  // namespace

TEST_CASE("pidfd: a process is written PID or PID:INODE") {
  const auto read = [](std::string_view text) { return *core::read_process_id(text, "kill"); };
  CHECK(read("1") == core::ProcessId{1});
  CHECK(read("2147483647") == core::ProcessId{2147483647});
  CHECK(read("4711:7102") == core::ProcessId{4711, 7102});
  CHECK(read("1:18446744073709551615") == core::ProcessId{1, 18446744073709551615U});
  for (const std::string text : {"1", "4711:7102", "1:18446744073709551615"}) {
    CHECK(read(text).text() == text);
  }
}

TEST_CASE("pidfd: whatever else is written is EINVAL, and named") {
  for (const std::string text :
       {"",     "abc",   "0",   "-5",   "-1",   "+1",  "99999999999", "2147483648",
        " 1",   "1 ",    "1x",  "0x1",  "1:",   ":1",  ":",           "1:0",
        "1:x",  "1:2:3", "1:-", "1:-1", "1: 2", "0:1", "-1:1",        "1:18446744073709551616",
        "1:2 ", "1::2"}) {
    CAPTURE(text);
    const auto id = core::read_process_id(text, "waitpid");
    REQUIRE(!id);
    CHECK(id.error().number == EINVAL);
    CHECK(id.error().path == text);
    CHECK(std::string(id.error().call) == "waitpid");
    CHECK(id.error().note.starts_with("not a process id"));
  }
}

TEST_CASE("pidfd: the inode tells a process from all others, as Python's os.pidfd_open does") {
  if (!handles()) return;
  const Child one;
  const Child two;
  const auto first = Process::open({one.pid()});
  const auto again = Process::open({one.pid()});
  const auto other = Process::open({two.pid()});
  REQUIRE(first);
  REQUIRE(again);
  REQUIRE(other);
  CHECK(first->pid() == one.pid());
  const auto inode = first->inode();
  REQUIRE(inode);
  CHECK(*again->inode() == *inode);
  CHECK(*other->inode() != *inode);
  CHECK(first->id() == core::ProcessId{one.pid(), *inode});
  const std::string python = tests::python(
      "import os, sys; print(os.fstat(os.pidfd_open(int(sys.argv[1]))).st_ino)", {one.word()});
  // Before Linux 6.9 all had the inode of one file.
  if (tests::python("import os, sys; print(os.fstat(os.pidfd_open(int(sys.argv[1]))).st_ino)",
                    {two.word()}) != python) {
    CHECK(std::to_string(*inode) + "\n" == python);
  }
  CHECK(Process::open({one.pid(), *inode}).has_value());
}

TEST_CASE("pidfd: with another's inode there is no such process") {
  if (!handles()) return;
  const Child child;
  const std::uint64_t inode = *Process::open({child.pid()})->inode();
  for (const std::uint64_t wrong : {inode + 1, inode - 1, std::uint64_t{1}, ~std::uint64_t{0}}) {
    const auto process = Process::open({child.pid(), wrong});
    is_gone(process);
    CHECK(process.error().path == core::ProcessId{child.pid(), wrong}.text());
    CHECK(process.error().note == "another process has this number now");
  }
}

TEST_CASE("pidfd: a zombie can be opened and signalled, one that was waited for cannot") {
  if (!handles()) return;
  Child child;
  const pid_t pid = child.pid();
  ::kill(pid, SIGKILL);
  child.wait_for_zombie();
  const auto zombie = Process::open({pid});
  REQUIRE(zombie);
  CHECK(zombie->send(SIGTERM).has_value());
  const auto inode = zombie->inode();
  REQUIRE(inode);
  CHECK(Process::open({pid, *inode}).has_value());
  child.reap();
  is_gone(zombie->send(SIGTERM));
  is_gone(zombie->send(0));
  is_gone(Process::open({pid}));
  is_gone(Process::open({pid, *inode}));
  is_gone(Process::open({2147483647}));
}

TEST_CASE("pidfd: a thread is no process") {
  if (!handles()) return;
  CHECK(tests::in_child([] {
          std::string text;
          std::thread([&text] {
            const auto opened = Process::open({::gettid()});
            text = opened ? "opened"
                          : std::to_string(opened.error().number) + " " + opened.error().note;
          }).join();
          return text;
        }) == std::to_string(EINVAL) + " a thread, not a process");
}

TEST_CASE("pidfd: signals reach the process that was opened") {
  if (!handles()) return;
  const Child child({SIGUSR1, SIGRTMIN, SIGHUP});
  const auto process = Process::open({child.pid()});
  REQUIRE(process);
  CHECK(process->send(0).has_value());
  CHECK(child.untouched());
  for (const int signal : {SIGUSR1, SIGRTMIN, SIGHUP}) {
    CHECK(process->send(signal).has_value());
    CHECK(child.next() == signal);
  }
}

TEST_CASE("pidfd: somebody else's process is EPERM") {
  if (!handles()) return;
  const Child child;
  const std::string answer = tests::in_child(
      [&child] {
        // Without root the first process is somebody else's.
        const auto process = Process::open({tests::is_root() ? child.pid() : 1});
        if (!process) return std::string("not opened");
        const auto sent = process->send(0);
        return sent ? std::string("sent") : std::string(core::error_name(sent.error().number));
      },
      {}, true);
  // In a container the first process may be of the same user.
  const bool own = !tests::is_root() && core::credentials(1)->uid == ::getuid();
  CHECK(answer == (own ? "sent" : "EPERM"));
  CHECK(child.untouched());
}

TEST_CASE("pidfd: the group of a leader, also after its end, and of nobody else") {
  if (!handles()) return;
  Child leader({SIGUSR1}, {}, [] { ::setpgid(0, 0); });
  const pid_t group = leader.pid();
  const Child member({SIGUSR1}, {}, [group] { ::setpgid(0, group); });
  const auto process = Process::open({group});
  const auto other = Process::open({member.pid()});
  REQUIRE(process);
  REQUIRE(other);
  const auto sent = process->send_to_group(SIGUSR1);
  if (!sent && sent.error().number == ENOSYS) {
    MESSAGE("skipped: before Linux 6.9");
    return;
  }
  CHECK(sent.has_value());
  CHECK(leader.next() == SIGUSR1);
  CHECK(member.next() == SIGUSR1);
  const auto refused = other->send_to_group(SIGUSR1);
  is_gone(refused);
  CHECK(std::string(refused.error().call) == "killpg");
  CHECK(member.untouched());
  ::kill(group, SIGKILL);
  leader.reap();
  CHECK(process->send_to_group(SIGUSR1).has_value());
  CHECK(member.next() == SIGUSR1);
}

TEST_CASE("pidfd: how a process ended is known of a zombie, and once somebody has waited for it") {
  if (!handles()) return;
  for (const int signal : {0, SIGKILL}) {
    Child child({}, {}, [signal] {
      if (signal == 0) ::signal(SIGUSR1, [](int) { ::_exit(42); });
    });
    const auto process = Process::open({child.pid()});
    REQUIRE(process);
    CHECK(!process->exit_status());
    ::kill(child.pid(), signal == 0 ? SIGUSR1 : signal);
    child.wait_for_zombie();
    const auto zombie = process->exit_status();
    const int word = child.reap();
    CHECK((zombie && zombie->word() == word));
    const auto status = process->exit_status();
    if (!status) {
      MESSAGE("skipped: before Linux 6.15");
      return;
    }
    CHECK(status->word() == word);
    CHECK(status->shell_status() == (signal == 0 ? 42 : 128 + signal));
  }
}

TEST_CASE("pidfd: poll_ended tells who has ended, zombies too, and nobody once the time is over") {
  if (!handles()) return;
  std::vector<std::unique_ptr<Child>> children;
  std::vector<Process> processes;
  std::vector<core::FdRef> polled;
  for (int i = 0; i < 50; ++i) {
    children.push_back(std::make_unique<Child>());
    processes.push_back(*Process::open({children.back()->pid()}));
  }
  for (const Process& process : processes) polled.push_back(process.descriptor());
  using Indexes = std::vector<std::size_t>;
  using namespace std::chrono_literals;
  CHECK(*core::poll_ended(polled, core::Deadline::in(0s)) == Indexes{});
  CHECK(*core::poll_ended(polled, core::Deadline::in(20ms)) == Indexes{});
  CHECK(*core::poll_ended({}, core::Deadline::in(0s)) == Indexes{});
  ::kill(children[17]->pid(), SIGKILL);
  CHECK(*core::poll_ended(polled, {}) == Indexes{17});
  for (const std::size_t i : {3U, 49U}) {
    ::kill(children[i]->pid(), SIGKILL);
    children[i]->wait_for_zombie();
  }
  children[3]->reap();
  CHECK(*core::poll_ended(polled, core::Deadline::in(0s)) == Indexes{3, 17, 49});
}

TEST_CASE("pidfd: more processes are opened than the soft limit of descriptors allows") {
  if (!handles()) return;
  CHECK(tests::in_child([] {
          const rlimit few{16, 40};
          ::setrlimit(RLIMIT_NOFILE, &few);
          std::string text;
          {
            core::ProcessOpener opener;
            std::vector<Process> held;
            int error = 0;
            while (error == 0 && held.size() < 100) {
              auto process = opener.open({::getpid()});
              if (process) {
                held.push_back(*std::move(process));
              } else {
                error = process.error().number;
              }
            }
            // Two are left, and no more.
            int ends[2];
            const bool pipe = ::pipe(ends) == 0;
            const bool third = ::dup(0) >= 0;
            text = std::string(core::error_name(error)) + (held.size() > 20 ? " many " : " few ") +
                   (pipe ? "free " : "full ") + (third ? "free " : "full ");
          }
          rlimit after;
          ::getrlimit(RLIMIT_NOFILE, &after);
          return text + std::to_string(after.rlim_cur);
        }) == "EMFILE many free full 16");
}

TEST_CASE("pidfd: a process whose first thread is gone has not ended") {
  if (!handles()) return;
  const Child child({}, {}, [] {
    std::thread([] { ::pause(); }).detach();
    ::signal(SIGUSR1, [](int) { ::syscall(SYS_exit, 0); });
  });
  // Its first thread, and not the process, ends.
  REQUIRE(::tgkill(child.pid(), child.pid(), SIGUSR1) == 0);
  const auto process = Process::open({child.pid()});
  REQUIRE(process);
  const core::FdRef polled[] = {process->descriptor()};
  CHECK(core::poll_ended(polled, core::Deadline::in(std::chrono::milliseconds(50)))->empty());
  CHECK(process->send(SIGKILL).has_value());
  CHECK(core::poll_ended(polled, {})->size() == 1);
}

TEST_CASE("pidfd: without the call it is ENOSYS, also where a seccomp profile says EPERM") {
  for (const int error : {ENOSYS, EPERM}) {
    CHECK(tests::in_child(
              [] {
                const auto process = Process::open({::getpid()});
                return process ? std::string("opened")
                               : std::string(core::error_name(process.error().number));
              },
              {{SYS_pidfd_open, error}}) == "ENOSYS");
  }
}

TEST_CASE("pidfd: where descriptors have no inodes the start of a process tells it from others") {
  if (!handles()) return;
  const Child child;
  const std::string answer = tests::in_child(
      [&child] {
        const pid_t pid = child.pid();
        const std::uint64_t start = *core::start_time(pid);
        const auto process = Process::open({pid});
        const auto same = Process::open({pid, start});
        const auto other = Process::open({pid, start + 1});
        return std::to_string(*process->inode() - start) + (same ? " same " : " refused ") +
               (other ? "opened" : std::string(core::error_name(other.error().number)));
      },
      {{SYS_fstatfs, ENOSYS}});
  CHECK(answer == "0 same ESRCH");
}
