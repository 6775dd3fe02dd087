// A child of the tests that tells which signals reach it.
#pragma once

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/harness.hpp"

namespace tests {

/// It handles the signals `heard` and ignores `ignored`; all others have their default action. It
/// does `first`, and then waits to be killed. Killed and waited for with this object.
class Child {
 public:
  explicit Child(
      const std::vector<int>& heard = {}, const std::vector<int>& ignored = {},
      const std::function<void()>& first = [] {}) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(ends[0]);
      tells() = ends[1];
      for (int signal = 1; signal <= SIGRTMAX; ++signal) ::signal(signal, SIG_DFL);
      for (const int signal : heard) ::signal(signal, tell);
      for (const int signal : ignored) ::signal(signal, SIG_IGN);
      sigset_t none;
      ::sigemptyset(&none);
      ::sigprocmask(SIG_SETMASK, &none, nullptr);
      first();
      tell(0);
      for (;;) ::pause();
    }
    ::close(ends[1]);
    told_ = ends[0];
    REQUIRE(next() == 0);
  }
  ~Child() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(told_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  /// The pid as a word.
  std::string word() const { return std::to_string(pid_); }

  /// The next signal that it was reached by; -1 once it has ended.
  int next() const {
    pollfd end{told_, POLLIN, 0};
    REQUIRE(::poll(&end, 1, 60'000) == 1);
    char signal = 0;
    return ::read(told_, &signal, 1) == 1 ? signal : -1;
  }
  /// All signals that it was reached by, until it has ended; the order of those that wait for a
  /// process at a time is the kernel's.
  std::set<int> rest() const {
    std::set<int> all;
    for (int signal = 0; (signal = next()) >= 0;) all.insert(signal);
    return all;
  }
  /// True where it is there, and was reached by nothing that `next` has not told.
  bool untouched() const {
    pollfd end{told_, POLLIN, 0};
    return ::poll(&end, 1, 0) == 0;
  }
  /// Waits until it is a zombie.
  void wait_for_zombie() const {
    siginfo_t ended;
    REQUIRE(::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT) == 0);
  }
  /// Waits for it: the word of wait(2).
  int reap() {
    int word = 0;
    REQUIRE(::waitpid(pid_, &word, 0) == pid_);
    pid_ = 0;
    return word;
  }

 private:
  static int& tells() {
    static int descriptor = -1;
    return descriptor;
  }
  static void tell(int signal) {
    const char byte = static_cast<char>(signal);
    if (::write(tells(), &byte, 1) != 1) ::_exit(125);
  }

  pid_t pid_ = 0;
  int told_ = -1;
};

}  // namespace tests
