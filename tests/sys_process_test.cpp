#include "core/sys/process.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "tests/harness.hpp"

namespace {

/// A child that does `first` and then waits to be killed; `ready` once that is done.
class Child {
 public:
  explicit Child(const std::function<void()>& first) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      first();
      ::close(ends[0]);
      ::close(ends[1]);
      for (;;) ::pause();
    }
    ::close(ends[1]);
    char end = 0;
    REQUIRE(::read(ends[0], &end, 1) == 0);
    ::close(ends[0]);
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("read_pid takes decimal digits above 0 and nothing else") {
  CHECK(*core::read_pid("1", "kill") == 1);
  CHECK(*core::read_pid("2147483647", "kill") == 2147483647);
  for (const std::string text : {"", "0", "00", "-1", "+1", " 1", "1 ", "1x", "x", "0x1", "1.0",
                                 "2147483648", "4294967297", "99999999999"}) {
    CAPTURE(text);
    const auto pid = core::read_pid(text, "kill");
    REQUIRE(!pid);
    CHECK(pid.error().number == EINVAL);
    CHECK(pid.error().path == text);
    CHECK(std::string(pid.error().call) == "kill");
  }
}

TEST_CASE("kin is right whatever a process is called") {
  for (const char* const name : {") R 1 2 (", "a) (b", "x\ny\n", " ", "\xff)", "() S 7 7 7"}) {
    CAPTURE(name);
    const Child child([name] {
      ::prctl(PR_SET_NAME, name);
      ::setsid();
    });
    const auto kin = core::kin(child.pid());
    REQUIRE(kin);
    CHECK(kin->ppid == ::getpid());
    CHECK(kin->pgid == child.pid());
    CHECK(kin->sid == child.pid());
  }
}

TEST_CASE("credentials are right whatever a process is called") {
  const Child child([] { ::prctl(PR_SET_NAME, "x\nUid:\t7\t7\t7"); });
  const auto own = core::credentials();
  const auto theirs = core::credentials(child.pid());
  REQUIRE(own);
  REQUIRE(theirs);
  CHECK(theirs->uid == ::getuid());
  CHECK(theirs->egid == ::getegid());
  CHECK(theirs->groups == own->groups);
}

TEST_CASE("a process group of its own in the caller's session") {
  const Child child([] { ::setpgid(0, 0); });
  CHECK(*core::getpgid(child.pid()) == child.pid());
  CHECK(*core::getsid(child.pid()) == ::getsid(0));
  CHECK(core::kin(child.pid())->pgid == child.pid());
}

TEST_CASE("a zombie has kin and credentials, and nothing once it is reaped") {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) ::_exit(42);
  siginfo_t gone;
  REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &gone, WEXITED | WNOWAIT) == 0);
  CHECK(core::kin(pid)->ppid == ::getpid());
  CHECK(*core::getpgid(pid) == ::getpgid(0));
  CHECK(*core::getsid(pid) == ::getsid(0));
  CHECK(core::credentials(pid)->uid == ::getuid());
  REQUIRE(::waitpid(pid, nullptr, 0) == pid);
  const auto refused = [pid](const auto& result) {
    REQUIRE(!result);
    CHECK(result.error().number == ESRCH);
    CHECK(result.error().path == std::to_string(pid));
  };
  refused(core::kin(pid));
  refused(core::getpgid(pid));
  refused(core::getsid(pid));
  refused(core::credentials(pid));
}
