// Processes that are nobody's children here, to be waited for all the same.
#pragma once

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tests/harness.hpp"

namespace tests {

/// In front of what the child of a shell does that becomes osbox: it waits until that is done.
/// Before that the shell may wait for a child that has ended, and then osbox has none.
inline const std::string once_osbox =
    "until read -r name </proc/$PPID/comm && [ \"$name\" = osbox ]; do sleep .01; done; ";

/// In a script: a child that is there as long as its parent.
inline const std::string lasting =
    "sh -c 'while kill -0 $1; do sleep .01; done' sh $$ >/dev/null 2>&1 & ";

/// A process whose parent is another one, which waits for it at once, or when it is told to.
class Stranger {
 public:
  enum class Reaped : bool { at_once, when_told };

  /// It does `last` once `end` is called, and exits with 0 where that comes back.
  explicit Stranger(const std::function<void()>& last, Reaped reaped = Reaped::at_once) {
    int answer[2];
    REQUIRE(::pipe2(answer, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(to_parent_, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(to_it_, O_CLOEXEC) == 0);
    parent_ = ::fork();
    REQUIRE(parent_ >= 0);
    if (parent_ == 0) be_parent(answer[1], last, reaped);
    ::close(answer[1]);
    REQUIRE(::read(answer[0], &pid_, sizeof pid_) == sizeof pid_);
    ::close(answer[0]);
  }
  ~Stranger() {
    tell(to_it_, 'q');
    tell(to_parent_, 'q');
    ::waitpid(parent_, nullptr, 0);
    for (const int fd : {to_parent_[0], to_parent_[1], to_it_[0], to_it_[1]}) ::close(fd);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  pid_t pid() const { return pid_; }
  std::string text() const { return std::to_string(pid_); }
  void end() { tell(to_it_, 'e'); }
  /// Ends it, and comes back when it is a zombie.
  void end_and_stay() {
    end();
    while (state() != 'Z') ::usleep(1000);
  }
  void reap() { tell(to_parent_, 'r'); }

 private:
  static void tell(const int (&pipe)[2], char word) {
    if (::write(pipe[1], &word, 1) != 1) std::abort();
  }
  static char hear(const int (&pipe)[2]) {
    char word = 'q';
    return ::read(pipe[0], &word, 1) == 1 ? word : 'q';
  }
  [[noreturn]] void be_parent(int answer, const std::function<void()>& last, Reaped reaped) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (hear(to_it_) == 'e') last();
      ::_exit(0);
    }
    if (::write(answer, &pid, sizeof pid) != sizeof pid) std::abort();
    char word = reaped == Reaped::when_told ? hear(to_parent_) : ' ';
    ::waitpid(pid, nullptr, 0);
    while (word != 'q') word = hear(to_parent_);
    ::_exit(0);
  }
  /// The letter of /proc/PID/stat.
  char state() const {
    std::ifstream file("/proc/" + text() + "/stat");
    const std::string stat((std::istreambuf_iterator<char>(file)), {});
    return stat.at(stat.rfind(')') + 2);
  }

  int to_parent_[2];
  int to_it_[2];
  pid_t parent_ = 0;
  pid_t pid_ = 0;
};

/// XDG_RUNTIME_DIR for as long as this lives: a directory of its own, where nobody else's jobs are.
class RuntimeDirectory {
 public:
  explicit RuntimeDirectory(std::string path) {
    const char* const old = std::getenv("XDG_RUNTIME_DIR");
    if (old != nullptr) before_ = old;
    ::setenv("XDG_RUNTIME_DIR", path.c_str(), 1);
  }
  ~RuntimeDirectory() {
    if (before_) {
      ::setenv("XDG_RUNTIME_DIR", before_->c_str(), 1);
    } else {
      ::unsetenv("XDG_RUNTIME_DIR");
    }
  }
  RuntimeDirectory(const RuntimeDirectory&) = delete;
  RuntimeDirectory& operator=(const RuntimeDirectory&) = delete;

 private:
  std::optional<std::string> before_;
};

/// True, with no word said, where osbox has descriptors for processes and the kernel keeps the
/// status of one for them (Linux 6.15). Asked of the kernel and not of osbox, which might be wrong.
inline bool kernel_keeps_status() {
  static const bool answer = [] {
    const char* const built = std::getenv("SYSCALLS");
    if (built != nullptr && std::string_view(built) != "linux") return false;
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(3);
    const int fd = static_cast<int>(::syscall(434, pid, 0));  // SYS_pidfd_open
    ::waitpid(pid, nullptr, 0);
    struct {
      std::uint64_t mask = 8;  // PIDFD_INFO_EXIT
      std::uint64_t rest[7] = {};
    } info;
    const bool kept = fd >= 0 && ::ioctl(fd, _IOWR(0xff, 11, info), &info) == 0 && info.mask & 8;
    if (fd >= 0) ::close(fd);
    return kept;
  }();
  return answer;
}

/// The same, and says so where a test means nothing without it.
inline bool needs_kept_status() {
  if (!kernel_keeps_status()) MESSAGE("not tested: the kernel keeps no status of a process");
  return kernel_keeps_status();
}

}  // namespace tests
