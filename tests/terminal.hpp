// A terminal with an interactive shell, and what is typed there.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/harness.hpp"

namespace tests {

inline constexpr auto patience = std::chrono::seconds(60);

inline constexpr const char* prompt = "ready> ";

// What the keys send, with the settings that a terminal has.
inline constexpr const char* ctrl_c = "\x03";
inline constexpr const char* ctrl_d = "\x04";
inline constexpr const char* ctrl_z = "\x1a";
inline constexpr const char* ctrl_backslash = "\x1c";

struct Process {
  pid_t pid;
  char state;  ///< the letter of /proc/PID/stat
};

/// A terminal, and an interactive shell that has it. Nothing is left of them after this object.
class Terminal {
 public:
  explicit Terminal(const std::string& shell) : mark_("OSBOX_TERMINAL=" + unique()) {
    master_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    REQUIRE(master_ >= 0);
    REQUIRE(::grantpt(master_) == 0);
    REQUIRE(::unlockpt(master_) == 0);
    const std::string name = ::ptsname(master_);
    shell_ = ::fork();
    REQUIRE(shell_ >= 0);
    if (shell_ == 0) become(shell, name);
    until(prompt);
  }
  ~Terminal() {
    for (const Process& each : processes()) ::kill(each.pid, SIGKILL);
    hang_up();
    if (shell_ > 0) ::waitpid(shell_, nullptr, 0);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void type(std::string_view text) {
    REQUIRE(::write(master_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }

  /// What is written up to `text`, and reads it.
  std::string until(std::string_view text) {
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
      if (const std::size_t at = written_.find(text); at != std::string::npos) {
        const std::string before = written_.substr(0, at);
        written_.erase(0, at + text.size());
        return before;
      }
      pollfd master{master_, POLLIN, 0};
      const bool come = std::chrono::steady_clock::now() < end && ::poll(&master, 1, 1000) >= 0;
      char block[4096];
      const ssize_t count = master.revents != 0 ? ::read(master_, block, sizeof block) : 0;
      if (count > 0) written_.append(block, static_cast<std::size_t>(count));
      if (come && count >= 0) continue;
      std::string left;
      for (const Process& each : processes()) left += describe(each);
      FAIL("no \"" << text << "\" came, but \"" << written_ << "\"; there are\n" << left);
    }
  }

  /// Types a line, and has what is written up to the next prompt.
  std::string line(const std::string& text) {
    type(text + "\n");
    return until(prompt);
  }
  /// $? of the line before.
  int status() {
    type("echo status $?.\n");
    until("status ");
    const int status = std::stoi(until("."));
    until(prompt);
    return status;
  }

  /// The process group that has the terminal.
  pid_t foreground() const { return ::tcgetpgrp(master_); }
  pid_t shell() const { return shell_; }

  /// All that came from the shell and has not ended, the shell included.
  std::vector<Process> processes() const {
    std::vector<Process> all;
    DIR* const directory = ::opendir("/proc");
    REQUIRE(directory != nullptr);
    while (const dirent* const entry = ::readdir(directory)) {
      const int pid = std::atoi(entry->d_name);
      if (pid == 0 || contents(pid, "environ").find(mark_) == std::string::npos) continue;
      const std::string stat = contents(pid, "stat");
      const std::size_t name = stat.rfind(')');
      if (name == std::string::npos || stat.size() < name + 3) continue;
      all.push_back({pid, stat[name + 2]});
    }
    ::closedir(directory);
    return all;
  }
  /// Waits until `condition` is true of all processes but the shell.
  bool wait_for(const std::function<bool(const std::vector<Process>&)>& condition) const {
    for (const auto end = std::chrono::steady_clock::now() + patience;
         std::chrono::steady_clock::now() < end;) {
      auto all = processes();
      std::erase_if(all, [&](const Process& each) { return each.pid == shell_; });
      if (condition(all)) return true;
      ::usleep(5000);
    }
    for (const Process& each : processes()) MESSAGE(describe(each));
    return false;
  }
  bool all_end() const {
    return wait_for([](const std::vector<Process>& all) { return all.empty(); });
  }
  /// There is more than the shell, and all of it stops.
  bool all_stop() const {
    return wait_for([](const std::vector<Process>& all) {
      return !all.empty() &&
             std::ranges::all_of(all, [](const Process& each) { return each.state == 'T'; });
    });
  }

  /// The terminal goes away, as when its window is closed.
  void hang_up() {
    if (master_ >= 0) ::close(master_);
    master_ = -1;
  }

  // What is in the directory where the shell is.
  std::string directory(std::string_view name) const { return home_.directory(name); }
  std::string fifo(std::string_view name) const { return home_.fifo(name); }
  std::string file(std::string_view name, std::string_view content) const {
    return home_.file(name, content);
  }

 private:
  static std::string unique() {
    static int count = 0;
    return std::to_string(::getpid()) + "." + std::to_string(++count) + ".";
  }
  static std::string contents(pid_t pid, const char* name) {
    return content("/proc/" + std::to_string(pid) + "/" + name);
  }
  static std::string describe(const Process& each) {
    std::string words = contents(each.pid, "cmdline");
    std::ranges::replace(words, '\0', ' ');
    return std::to_string(each.pid) + " " + each.state + " " + words + "\n";
  }

  /// In the child.
  [[noreturn]] void become(const std::string& shell, const std::string& name) const {
    ::setsid();
    const int terminal = ::open(name.c_str(), O_RDWR);
    if (terminal < 0 || ::ioctl(terminal, TIOCSCTTY, 0) < 0) ::_exit(125);
    // What is typed does not come back and a newline is one byte; all else is as it is.
    termios settings;
    ::tcgetattr(terminal, &settings);
    settings.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    settings.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    ::tcsetattr(terminal, TCSANOW, &settings);
    for (int stream = 0; stream < 3; ++stream) ::dup2(terminal, stream);
    if (terminal > 2) ::close(terminal);
    for (int signal = 1; signal <= SIGRTMAX; ++signal) ::signal(signal, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    const std::string here = binary().substr(0, binary().rfind('/'));
    const std::size_t equals = mark_.find('=');
    ::setenv(mark_.substr(0, equals).c_str(), mark_.substr(equals + 1).c_str(), 1);
    ::setenv("PATH", (here + ":" + std::getenv("PATH")).c_str(), 1);
    ::setenv("HOME", home_.path().c_str(), 1);
    ::setenv("PS1", prompt, 1);
    ::setenv("LC_ALL", "C", 1);
    ::setenv("TERM", "dumb", 1);
    for (const char* const each : {"ENV", "HISTFILE", "PROMPT_COMMAND", "TMOUT", "ZDOTDIR"}) {
      ::unsetenv(each);
    }
    if (::chdir(home_.path().c_str()) != 0) ::_exit(125);
    if (shell == "bash") {
      ::execlp("bash", "bash", "--norc", "--noprofile", "--noediting", "-i", nullptr);
    } else if (shell == "zsh") {
      ::execlp("zsh", "zsh", "-f", "-i", "-o", "nozle", "-o", "nopromptcr", "-o", "nopromptsp",
               nullptr);
    } else {
      ::execlp(shell.c_str(), shell.c_str(), "-i", nullptr);
    }
    ::_exit(127);
  }

  Scratch home_;
  std::string mark_;
  int master_ = -1;
  pid_t shell_ = -1;
  std::string written_;
};

}  // namespace tests
