// Job control, tried for real: interactive shells on a pseudo terminal, and what is typed there.
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
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/harness.hpp"

namespace {

using std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(60);

constexpr const char* prompt = "ready> ";

// What the keys send, with the settings that a terminal has.
constexpr const char* ctrl_c = "\x03";
constexpr const char* ctrl_d = "\x04";
constexpr const char* ctrl_z = "\x1a";
constexpr const char* ctrl_backslash = "\x1c";

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
    const auto end = steady_clock::now() + patience;
    for (;;) {
      if (const std::size_t at = written_.find(text); at != std::string::npos) {
        const std::string before = written_.substr(0, at);
        written_.erase(0, at + text.size());
        return before;
      }
      pollfd master{master_, POLLIN, 0};
      const bool come = steady_clock::now() < end && ::poll(&master, 1, 1000) >= 0;
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
    for (const auto end = steady_clock::now() + patience; steady_clock::now() < end;) {
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
    return tests::content("/proc/" + std::to_string(pid) + "/" + name);
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
    const std::string here = tests::binary().substr(0, tests::binary().rfind('/'));
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

/// How osbox runs a command: what is typed before and behind it.
struct Way {
  std::string before;
  std::string behind = {};
  std::string operator()(const std::string& command) const { return before + command + behind; }
};

const Way plain{"osbox spawn "};
const Way timed{"osbox spawn --timeout 600 "};
const Way own_group{"osbox spawn --process-group "};
const Way timed_own_group{"osbox spawn --timeout 600 --process-group "};
const Way session{"osbox spawn --session "};
const Way become{"osbox exec "};
const Way by_shell{"osbox system 'exec ", "'"};

/// Those of a command that has the terminal.
const std::vector<Way> ways = {plain, timed, own_group, timed_own_group, become, by_shell};

const std::vector<std::string> every_shell = {"bash", "dash", "zsh"};

/// Does `work` at a terminal of each of them; nothing is left of it but the shell then.
void in_shells(const std::vector<std::string>& shells, const std::function<void(Terminal&)>& work) {
  for (const std::string& shell : shells) {
    CAPTURE(shell);
    Terminal terminal(shell);
    work(terminal);
    CHECK(terminal.all_end());
    CHECK(terminal.foreground() == terminal.shell());
  }
}

void in_each_shell(const std::function<void(Terminal&)>& work) { in_shells(every_shell, work); }

/// Each way in one of the shells, another one in the next case, and in the long form in all.
void each_in_a_shell(const std::vector<Way>& each_way,
                     const std::function<void(Terminal&, const Way&)>& work) {
  std::size_t turn = doctest::getContextOptions()->currentTest->m_line;
  for (const Way& way : each_way) {
    ++turn;
    CAPTURE(way.before);
    const std::vector<std::string> turns =
        tests::is_long() ? every_shell : std::vector{every_shell[turn % every_shell.size()]};
    in_shells(turns, [&](Terminal& terminal) { work(terminal, way); });
  }
}

/// Waits until all that was started waits for something, as it has when somebody types.
void rest(const Terminal& terminal) {
  REQUIRE(terminal.wait_for([](const std::vector<Process>& all) {
    return !all.empty() &&
           std::ranges::all_of(all, [](const Process& each) { return each.state == 'S'; });
  }));
}

/// Starts a cat, and returns when it has the terminal and has read from it.
void start_cat(Terminal& terminal, const Way& way) {
  terminal.type(way("cat") + "\n");
  terminal.type("one\n");
  terminal.until("one\n");
  rest(terminal);
}

/// Ends a cat that has the terminal, which succeeds.
void end_cat(Terminal& terminal) {
  terminal.type(ctrl_d);
  terminal.until(prompt);
  CHECK(terminal.status() == 0);
}

/// Ctrl-Z, where it stops all that was started.
void stop(Terminal& terminal) {
  terminal.type(ctrl_z);
  terminal.until(prompt);
  CHECK(terminal.status() == 128 + SIGTSTP);
  CHECK(terminal.all_stop());
}

}  // namespace

TEST_CASE("a command in the foreground reads from the terminal") {
  each_in_a_shell(ways, [](Terminal& terminal, const Way& way) {
    start_cat(terminal, way);
    CHECK(terminal.foreground() != terminal.shell());
    end_cat(terminal);
  });
}

TEST_CASE("Ctrl-C and Ctrl-Backslash end the command") {
  each_in_a_shell(ways, [](Terminal& terminal, const Way& way) {
    start_cat(terminal, way);
    terminal.type(ctrl_c);
    terminal.until(prompt);
    CHECK(terminal.status() == 128 + SIGINT);
    start_cat(terminal, way);
    terminal.type(ctrl_backslash);
    terminal.until(prompt);
    CHECK(terminal.status() == 128 + SIGQUIT);
  });
}

TEST_CASE("Ctrl-Z stops the command, and fg has it read on") {
  each_in_a_shell(ways, [](Terminal& terminal, const Way& way) {
    start_cat(terminal, way);
    for (const std::string word : {"two\n", "three\n"}) {
      stop(terminal);
      const std::string jobs = terminal.line("jobs");
      const bool stopped = jobs.find("topped") != jobs.npos || jobs.find("suspended") != jobs.npos;
      CHECK_MESSAGE(stopped, jobs);
      terminal.type("fg\n");
      terminal.type(word);
      terminal.until(word);
      rest(terminal);
    }
    end_cat(terminal);
  });
}

TEST_CASE("a shell has the terminal again when the command has stopped, and not before") {
  each_in_a_shell(ways, [](Terminal& terminal, const Way& way) {
    // As an editor does it, which leaves the terminal as it was.
    terminal.fifo("fifo");
    terminal.file("editor",
                  "trap 'sleep .2; echo tidy; trap - TSTP; kill -TSTP $$' TSTP\n"
                  "exec 3<>fifo; echo on; while :; do read word <&3; done\n");
    terminal.type(way("sh editor") + "\n");
    terminal.until("on\n");
    rest(terminal);
    terminal.type(ctrl_z);
    const std::string before = terminal.until(prompt);
    CHECK_MESSAGE(before.find("tidy\n") != before.npos, before);
    CHECK(terminal.all_stop());
    terminal.type("fg\n");
    rest(terminal);
    terminal.type(ctrl_c);
    terminal.until(prompt);
    CHECK(terminal.status() == 128 + SIGINT);
  });
}

TEST_CASE("a command that stops itself stops the job") {
  each_in_a_shell({plain, timed, own_group, timed_own_group, by_shell},
                  [](Terminal& terminal, const Way& way) {
                    for (const std::string signal : {"TSTP", "STOP"}) {
                      CAPTURE(signal);
                      terminal.file("stops", "kill -" + signal + " $$; exec cat\n");
                      terminal.type(way("sh stops") + "\n");
                      terminal.until(prompt);
                      CHECK(terminal.status() == 128 + SIGTSTP);
                      terminal.type("fg\n");
                      terminal.type("one\n");
                      terminal.until("one\n");
                      rest(terminal);
                      end_cat(terminal);
                    }
                  });
}

TEST_CASE("bg has a stopped command go on, without the terminal") {
  each_in_a_shell(ways, [](Terminal& terminal, const Way& way) {
    terminal.fifo("fifo");
    terminal.file("script", "echo on; read word <fifo; echo off $word\n");
    terminal.type(way("sh script") + "\n");
    terminal.until("on\n");
    rest(terminal);
    stop(terminal);
    terminal.line("bg");
    CHECK(terminal.foreground() == terminal.shell());
    terminal.type("echo word >fifo\n");
    terminal.until("off word\n");
    CHECK(terminal.status() == 0);
  });
}

TEST_CASE("a command in the background leaves the terminal alone") {
  each_in_a_shell(ways, [](Terminal& terminal, const Way& way) {
    terminal.fifo("fifo");
    terminal.file("script", "echo on; read word <fifo; echo off $word\n");
    terminal.type(way("sh script") + " &\n");
    terminal.until("on\n");
    rest(terminal);
    CHECK(terminal.foreground() == terminal.shell());
    terminal.type("echo word >fifo\n");
    terminal.until("off word\n");
    CHECK(terminal.status() == 0);
  });
}

TEST_CASE("a command in the background that wants the terminal waits for fg") {
  each_in_a_shell(ways, [](Terminal& terminal, const Way& way) {
    terminal.type(way("cat") + " &\n");
    REQUIRE(terminal.all_stop());
    CHECK(terminal.status() == 0);
    CHECK(terminal.foreground() == terminal.shell());
    terminal.type("fg\n");
    terminal.type("one\n");
    terminal.until("one\n");
    rest(terminal);
    stop(terminal);
    terminal.type("fg\n");
    terminal.type("two\n");
    terminal.until("two\n");
    rest(terminal);
    end_cat(terminal);
  });
}

TEST_CASE("a command that came to the foreground as it ran has the terminal") {
  each_in_a_shell(ways, [](Terminal& terminal, const Way& way) {
    const std::string fifo = terminal.fifo("fifo");
    terminal.file("script", "echo on; read word <fifo; echo off $word; exec cat\n");
    for (const char* const key : {ctrl_c, ctrl_z, ""}) {
      CAPTURE(key);
      terminal.type(way("sh script") + " &\n");
      terminal.until("on\n");
      rest(terminal);
      CHECK(terminal.status() == 0);
      terminal.type("fg\n");
      REQUIRE(terminal.wait_for(
          [&](const auto&) { return terminal.foreground() != terminal.shell(); }));
      rest(terminal);
      terminal.type(key);
      if (key == std::string(ctrl_c)) {
        terminal.until(prompt);
        CHECK(terminal.status() == 128 + SIGINT);
        continue;
      }
      if (key == std::string(ctrl_z)) {
        terminal.until(prompt);
        CHECK(terminal.all_stop());
        terminal.type("fg\n");
        rest(terminal);
      }
      std::ofstream(fifo) << "word\n";
      terminal.until("off word\n");
      terminal.type("one\n");
      terminal.until("one\n");
      rest(terminal);
      end_cat(terminal);
    }
  });
}

TEST_CASE("signals to osbox stop the command and have it go on") {
  each_in_a_shell(ways, [](Terminal& terminal, const Way& way) {
    terminal.file("script", "echo on; exec sleep 600\n");
    terminal.type(way("sh script") + " &\n");
    terminal.until("on\n");
    rest(terminal);
    terminal.type("kill -TSTP $!\n");
    CHECK(terminal.all_stop());
    terminal.type("kill -CONT $!\n");
    rest(terminal);
    terminal.type("kill -TSTP %1\n");
    CHECK(terminal.all_stop());
    // The shell itself may continue what it has signalled, and that has ended then.
    terminal.type("kill %1; kill -CONT %1\n");
    CHECK(terminal.all_end());
    terminal.status();
  });
}

TEST_CASE("Ctrl-C ends a script, and not only the command that it waits for") {
  for (const Way& way : {plain, timed, by_shell, session}) {
    CAPTURE(way.before);
    for (const std::string& script_shell : every_shell) {
      CAPTURE(script_shell);
      Terminal terminal("bash");
      terminal.file("command", "echo on; exec sleep 600\n");
      terminal.file("script", "while :; do " + way("sh command") + "; done\n");
      terminal.type(std::string(script_shell) + " script\n");
      terminal.until("on\n");
      rest(terminal);
      terminal.type(ctrl_c);
      terminal.until(prompt);
      CHECK(terminal.status() == 128 + SIGINT);
      CHECK(terminal.all_end());
    }
  }
}

TEST_CASE("keys reach a process group of its own alone, and all of a session of its own") {
  each_in_a_shell({own_group, timed_own_group}, [](Terminal& terminal, const Way& way) {
    terminal.file("script", way("cat") + "; echo then $?; read word; echo got $word\n");
    terminal.type("sh script\n");
    terminal.type("one\n");
    terminal.until("one\n");
    rest(terminal);
    // The shell that runs the script has no job control; all of it stops all the same.
    stop(terminal);
    terminal.type("fg\n");
    terminal.type("two\n");
    terminal.until("two\n");
    rest(terminal);
    terminal.type(ctrl_c);
    terminal.until("then 130\n");
    terminal.type("word\n");
    terminal.until("got word\n");
    terminal.until(prompt);
  });
  in_each_shell([](Terminal& terminal) {
    terminal.file("script", "sleep 600; echo not reached\n");
    terminal.type(session("sh -c 'echo on; sleep 600; echo not reached'") + "\n");
    terminal.until("on\n");
    rest(terminal);
    terminal.type(ctrl_c);
    terminal.until(prompt);
    CHECK(terminal.status() == 128 + SIGINT);
  });
}

TEST_CASE("a script has its terminal back, whatever became of the command") {
  each_in_a_shell({own_group, timed_own_group}, [](Terminal& terminal, const Way& way) {
    for (const std::string command : {"true", "./none", "sh -c 'kill -9 $$'"}) {
      CAPTURE(command);
      terminal.file("script", way(command) + "; read word; echo got $word\n");
      terminal.type("sh script\n");
      terminal.type("word\n");
      terminal.until("got word\n");
      terminal.until(prompt);
    }
  });
}

TEST_CASE("Ctrl-C ends osbox where it waits for a FIFO") {
  const Way nowait{"osbox spawn --nowait "};
  each_in_a_shell({plain, timed, nowait, become}, [](Terminal& terminal, const Way& way) {
    terminal.fifo("fifo");
    terminal.type(way("--stdin fifo cat") + "\n");
    // A shell's child waits too, before it becomes osbox, and takes what is typed then for its own.
    REQUIRE(terminal.wait_for([](const std::vector<Process>& all) {
      return !all.empty() && std::ranges::all_of(all, [](const Process& each) {
        const std::string words = tests::content("/proc/" + std::to_string(each.pid) + "/cmdline");
        return each.state == 'S' && words.starts_with("osbox");
      });
    }));
    terminal.type(ctrl_c);
    terminal.until(prompt);
    CHECK(terminal.status() == 128 + SIGINT);
  });
}

TEST_CASE("Ctrl-Z reaches a command that is about to be executed") {
  const std::string slow =
      "strace -f -o /dev/null -e trace=prctl -e "
      "inject=prctl:delay_enter=1500000 ";
  each_in_a_shell({plain, own_group}, [&](Terminal& terminal, const Way& way) {
    terminal.type(slow + way("--no-new-privs cat") + "\n");
    // osbox, as long as its child is in that call.
    REQUIRE(terminal.wait_for([](const std::vector<Process>& all) {
      return all.size() >= 3 &&
             std::ranges::any_of(all, [](const Process& each) { return each.state == 'D'; });
    }));
    terminal.type(ctrl_z);
    terminal.until(prompt);
    terminal.type("fg\n");
    terminal.type("one\n");
    terminal.until("one\n");
    rest(terminal);
    end_cat(terminal);
  });
}

TEST_CASE("nothing is left when the terminal goes away") {
  std::vector<Way> all = ways;
  all.push_back(session);
  for (const Way& way : all) {
    CAPTURE(way.before);
    for (const std::string& shell : every_shell) {
      CAPTURE(shell);
      for (const bool stopped : {false, true}) {
        if (stopped && way.before == session.before) continue;
        CAPTURE(stopped);
        Terminal terminal(shell);
        terminal.file("script", "echo on; exec sleep 600\n");
        terminal.type(way("sh script") + "\n");
        terminal.until("on\n");
        rest(terminal);
        if (stopped) stop(terminal);
        terminal.hang_up();
        CHECK(terminal.all_end());
      }
    }
  }
}

TEST_CASE("ls that ends or stops in the middle of a colour gives the terminal its own back") {
  in_each_shell([](Terminal& terminal) {
    // More than a terminal holds while nobody reads, and nearly all of it in colour: what osbox
    // writes at once, and what it writes in parts.
    for (const int names : {250, 1000}) {
      terminal.directory(std::to_string(names));
      for (int i = 0; i < names; ++i) {
        terminal.directory(std::to_string(names) + "/" + std::to_string(i) + std::string(200, 'x'));
      }
    }
    const auto is_plain = [](const std::string& written) {
      const std::size_t last = written.rfind("\033[");
      return last != written.npos && written.compare(last, 4, "\033[0m") == 0;
    };
    const std::string list = "osbox ls --color=always -1 ";
    for (const auto& [names, key, signal] : {std::tuple("250\n", ctrl_c, SIGINT),
                                             {"250\n", ctrl_backslash, SIGQUIT},
                                             {"1000\n", ctrl_c, SIGINT},
                                             {"1000\n", ctrl_z, SIGTSTP}}) {
      CAPTURE(names);
      CAPTURE(signal);
      terminal.type(list + names);
      terminal.until("\033[01;34m");
      rest(terminal);
      terminal.type(key);
      const std::string written = terminal.until(prompt);
      CHECK_MESSAGE(is_plain(written), written.substr(written.size() - 300));
      CHECK(terminal.status() == 128 + signal);
    }
    CHECK(terminal.all_stop());
    terminal.type("fg\n");
    const std::string written = terminal.until(prompt);
    CHECK(is_plain(written));
    CHECK(written.find(std::string(200, 'x') + "\033[0m\n") != written.npos);
    CHECK(terminal.status() == 0);
  });
}

TEST_CASE("Ctrl-C ends what waits, and nothing is left of it") {
  in_each_shell([](Terminal& terminal) {
    terminal.file("f", "old");
    const std::string before = terminal.line("stty -g; osbox ls -A --json");
    std::vector<std::string> commands = {"replace --stdin f", "unlink --files0-from -",
                                         "chmod -R --progress --files0-from - 600"};
    // Nobody waits for another's child without pidfd_open(2).
    if (tests::newer_calls()) {
      commands.insert(commands.end(), {"waitpid $$", "wait $$", "kill -s CONT --wait 600 $$",
                                       "kill --plan CONT:600s $$"});
    }
    for (const std::string& command : commands) {
      CAPTURE(command);
      terminal.type("osbox " + command + "\n");
      // Before that the keys are for a copy of the shell, which may not heed them.
      REQUIRE(terminal.wait_for([](const std::vector<Process>& all) {
        return all.size() == 1 && all[0].state == 'S' &&
               tests::content("/proc/" + std::to_string(all[0].pid) + "/comm") == "osbox\n";
      }));
      terminal.type(ctrl_c);
      terminal.until(prompt);
      CHECK(terminal.status() == 128 + SIGINT);
      CHECK(terminal.line("stty -g; osbox ls -A --json") == before);
    }
    CHECK(terminal.line("cat f") == "old");
  });
}
