// Job control, tried for real: interactive shells on a pseudo terminal, and what is typed there.
#include <algorithm>
#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "tests/terminal.hpp"

using tests::ctrl_backslash;
using tests::ctrl_c;
using tests::ctrl_d;
using tests::ctrl_z;
using tests::Process;
using tests::prompt;
using tests::Terminal;

namespace {

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

TEST_CASE("who ends or stops in the middle of a colour gives the terminal its own back") {
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
    for (const std::string other : {"walk --tree", "walk", "scandir"}) {
      CAPTURE(other);
      terminal.type("osbox " + other + " --color=always 1000\n");
      terminal.until("\033[01;34m");
      rest(terminal);
      terminal.type(ctrl_c);
      CHECK(is_plain(terminal.until(prompt)));
      CHECK(terminal.status() == 128 + SIGINT);
    }
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
