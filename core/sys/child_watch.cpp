#include "core/sys/child_watch.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/sys/fs.hpp"
#include "core/sys/process.hpp"

namespace core {
namespace {

/// What others send is the child's too.
bool is_handed_on(int signal) { return signal == SIGTSTP || is_sent_to_end(signal); }

/// True for what is sent to a command to end it.
bool ends(int signal) {
  return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

}  // namespace

WaitedSignals::WaitedSignals() {
  ::sigemptyset(&waited_);
  ::sigaddset(&waited_, SIGCHLD);
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (is_handed_on(signal)) ::sigaddset(&waited_, signal);
  }
  // One that is blocked is kept, even where it is ignored; and the process goes on all the same.
  ::sigaddset(&waited_, SIGCONT);
  sigset_t blocked = waited_;
  // Who gives the terminal away must not be stopped for it.
  ::sigaddset(&blocked, SIGTTOU);
  // Nor die of a reader that is gone.
  ::sigaddset(&blocked, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before_);
}

WaitedSignals::~WaitedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void WaitedSignals::add(int signal) {
  struct ::sigaction action = {};
  action.sa_handler = SIG_DFL;
  ::sigaddset(&waited_, signal);
  ::pthread_sigmask(SIG_BLOCK, &waited_, nullptr);
  ::sigaction(signal, &action, nullptr);
}

int WaitedSignals::wait(const Deadline& deadline, siginfo_t& about) const {
  for (;;) {
    const auto left = deadline.left();
    const int signal = ::sigtimedwait(&waited_, &about, left ? &*left : nullptr);
    // Which are ignored is asked of those that come: to ask of all takes longer than many a child.
    if (signal > 0 && is_handed_on(signal) && is_ignored(signal)) continue;
    if (signal > 0) return signal;
    if (errno != EINTR && deadline.passed()) return 0;
  }
}

ChildWatch::ChildWatch(const WaitedSignals& signals, const Program& program)
    : signals_(&signals),
      own_group_(program.attributes().session || program.attributes().process_group),
      own_session_(program.attributes().session) {
  if (own_group_ && !own_session_) open_terminal();
}

void ChildWatch::open_terminal() {
  if (auto terminal = core::open("/dev/tty", O_RDWR | O_NOCTTY)) terminal_ = *std::move(terminal);
}

bool ChildWatch::has_terminal(pid_t group) const {
  return terminal_ && ::tcgetpgrp(FdRef(terminal_).number()) == group;
}

void ChildWatch::give_terminal(pid_t group) const { ::tcsetpgrp(FdRef(terminal_).number(), group); }

Placement ChildWatch::placement() const {
  Placement placement{.ignored_signal = signals_->ignored()};
  if (has_terminal(::getpgrp())) placement.terminal = terminal_;
  return placement;
}

Result<pid_t> ChildWatch::start(Program& program, const Placement& placement) {
  const auto child = spawn(program, placement);
  if (child) {
    begin(*child);
  } else if (placement.terminal) {
    // It had it before its program could not be executed.
    give_terminal(::getpgrp());
  }
  return child;
}

void ChildWatch::begin(pid_t child) {
  child_ = child;
  // What the terminal sent when there was no child yet did not reach it.
  siginfo_t about;
  while (const int signal = signals_->wait(Deadline::in({}), about)) hand_on(signal, child_);
}

void ChildWatch::forward(int signal, const siginfo_t& about) {
  const bool from_terminal = about.si_code > 0;
  // It was not waited for yet, so that the number is still its own.
  if (from_terminal) {
    // A terminal means all of a group.
    hand_on(signal, own_group_ ? -::getpgid(child_) : 0);
  } else {
    // What stops its own group knows of it.
    const bool has_it = signal == SIGTSTP && about.si_pid == child_;
    if (signal == SIGTSTP) continues_ = !has_it;
    hand_on(signal, has_it ? 0 : child_);
  }
}

void ChildWatch::hand_on(int signal, pid_t whom) {
  if (signal == SIGCHLD) return;
  if (signal == SIGCONT) return resume();
  if (whom != 0) ::kill(whom, signal);
  if (signal != SIGTSTP) {
    received_ = signal;
    return;
  }
  asked_ = true;
  // One that is stopped does not tell so again, and SIGTSTP does not stop a session of its own.
  siginfo_t about = {};
  constexpr int options = WSTOPPED | WCONTINUED | WNOHANG;
  if (::waitid(P_PID, static_cast<id_t>(child_), &about, options) == 0 && about.si_pid == child_) {
    stopped_ = about.si_code == CLD_STOPPED;
  }
  if (stopped_ || own_session_) stop(SIGTSTP);
}

void ChildWatch::child_stopped(int signal) {
  if (own_session_) return;
  if (!terminal_) open_terminal();
  const pid_t own = ::getpgrp();
  const pid_t group = own_group_ ? ::getpgid(child_) : own;
  if (signal == SIGTTIN || signal == SIGTTOU) {
    // The kernel has stopped all of a group.
    if (!own_group_ || !terminal_) return;
    // A shell that puts a job in the foreground does not tell the job.
    has_terminal(own) ? resume() : stop(SIGTTIN);
  } else if (asked_ || has_terminal(own) || has_terminal(group)) {
    stop(SIGTSTP);
  }
}

/// Stops this process until somebody continues it.
void ChildWatch::stop(int signal) {
  if (own_group_ && has_terminal(::getpgid(child_))) give_terminal(::getpgrp());
  // Whoever asked has asked all who are concerned. Else it is all of the job, as Ctrl-Z would have
  // it, so that the shell that has it is told.
  ::kill(std::exchange(asked_, false) ? ::getpid() : 0, signal);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTSTP);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A terminal does not stop an orphaned group, where nobody would continue it; nor then the group
  // of the child.
  ::sigpending(&signals);
  if (own_group_ && signal == SIGTSTP && ::sigismember(&signals, SIGCONT) == 0) resume();
}

void ChildWatch::resume() {
  if (own_group_) {
    const pid_t group = ::getpgid(child_);
    if (has_terminal(::getpgrp())) give_terminal(group);
    ::kill(-group, SIGCONT);
  } else if (std::exchange(continues_, false)) {
    // Else it was continued together with this process; once more would undo a stop that it may
    // have been sent since.
    ::kill(child_, SIGCONT);
  }
}

/// What became of the child, without waiting for it for good; false where nothing did.
bool ChildWatch::peek(int& word, ResourceUsage& usage) const {
  siginfo_t about = {};
  KernelUsage used = {};
  // The C library's waitid(3) leaves out what the child used.
  constexpr int options = WEXITED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT;
  if (::syscall(SYS_waitid, P_PID, child_, &about, options, &used) == 0) {
    if (about.si_pid != child_) return false;
    usage = ResourceUsage::of(used);
    word = WaitStatus::of(about).word();
  } else {
    // Where that is not offered, what is told is gone.
    rusage told = {};
    if (::wait4(child_, &word, WNOHANG | WUNTRACED | WCONTINUED, &told) != child_) return false;
    usage = ResourceUsage::of(told);
  }
  return true;
}

std::optional<ChildEnd> ChildWatch::look(
    const std::function<void(const ChildEnd&)>& before_reaping) {
  int word = 0;
  ResourceUsage usage;
  while (peek(word, usage)) {
    if (WIFSTOPPED(word) || WIFCONTINUED(word)) {
      siginfo_t about;
      ::waitid(P_PID, static_cast<id_t>(child_), &about, WSTOPPED | WCONTINUED | WNOHANG);
      stopped_ = WIFSTOPPED(word);
      if (stopped_) child_stopped(WSTOPSIG(word));
      continue;
    }
    const WaitStatus status(word);
    if (has_terminal(child_)) {
      // The terminal sent it to the child's group alone, in the place of this one.
      const bool typed =
          status.signaled() && (status.signal() == SIGINT || status.signal() == SIGQUIT);
      if (typed) received_ = status.signal();
      give_terminal(::getpgrp());
    }
    // What came together with the end has come as well.
    siginfo_t about;
    while (const int signal = signals_->wait(Deadline::in({}), about)) {
      if (signal != SIGCHLD && signal != SIGCONT && signal != SIGTSTP) received_ = signal;
    }
    const ChildEnd end{.pid = child_,
                       .status = status,
                       .usage = usage,
                       .wall = monotonic_time() - began_,
                       .received = received_};
    if (before_reaping) before_reaping(end);
    ::waitpid(child_, nullptr, 0);
    return end;
  }
  return std::nullopt;
}

TreeWatch::TreeWatch(const Program& program, const Watch& watch, const WaitedSignals& signals,
                     const std::optional<Cgroup>& cgroup, pid_t parent)
    : watch_(&watch),
      signals_(&signals),
      child_(parent == 0 ? ChildWatch(signals) : ChildWatch(signals, program)),
      parent_(parent),
      cgroup_(&cgroup) {
  // Orphans of the tree come to this process and not to one further up.
  if (watch.timeout) ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

Result<pid_t> TreeWatch::start(Program& program) {
  Placement placement = child_.placement();
  if (*cgroup_) placement.cgroup = (*cgroup_)->processes();
  if (watch_->timeout) placement.default_signal = watch_->signal;
  if (parent_ != 0) placement.death_signal = SIGKILL;
  if (watch_->timeout) deadline_ = Deadline::in(*watch_->timeout);
  return child_.start(program, placement);
}

std::optional<ChildEnd> TreeWatch::wait(
    const std::function<void(const ChildEnd&)>& before_reaping) {
  // How long the rest of the tree has to come to its end after the child, where it gets no SIGKILL.
  constexpr Duration moment = std::chrono::seconds(1);
  for (;;) {
    if (!end_) {
      end_ = child_.look([&](const ChildEnd& end) {
        ChildEnd told = end;
        told.timed_out = stage_ != Stage::running;
        if (before_reaping) before_reaping(told);
      });
      if (end_) {
        end_->timed_out = stage_ != Stage::running;
        if (stage_ == Stage::running) return end_;
        if (stage_ == Stage::signaled && !watch_->kill_after) {
          deadline_ = Deadline::in(moment);
          stage_ = Stage::last_moment;
        }
      }
    }
    reap_orphans();
    // Who came up, or was forked, since.
    if (stage_ == Stage::signaled || stage_ == Stage::last_moment) {
      send_to_all(watch_->signal, signaled_);
    }
    if (end_) {
      const auto rest = descendants(::getpid());
      if (stage_ == Stage::over || !rest || rest->empty()) return end_;
    }
    siginfo_t about;
    const int signal = signals_->wait(deadline_, about);
    if (parent_ != 0 && ::getppid() != parent_) {
      kill_all();
      return std::nullopt;
    }
    if (signal == 0) {
      time_is_over();
    } else if (!end_) {
      child_.forward(signal, about);
      // What is to end a command with a timeout is for all of it; the terminal knows its own way.
      const bool from_terminal = about.si_code > 0;
      if (watch_->timeout && ends(signal) && !from_terminal) {
        const auto start = start_time(child_.child());
        Known others = {{child_.child(), start.value_or(0)}};
        send_to_all(signal, others);
      }
    } else if (ends(signal)) {
      kill_all();
      stage_ = Stage::over;
    }
  }
}

void TreeWatch::time_is_over() {
  deadline_ = {};
  if (stage_ == Stage::last_moment) {
    stage_ = Stage::over;
  } else if (stage_ == Stage::running && watch_->signal != SIGKILL) {
    stage_ = Stage::signaled;
    send_to_all(watch_->signal, signaled_);
    // What is stopped could not even end.
    Known continued;
    send_to_all(SIGCONT, continued);
    if (watch_->kill_after) deadline_ = Deadline::in(*watch_->kill_after);
  } else {
    stage_ = Stage::over;
    kill_all();
  }
}

void TreeWatch::send_to_all(int signal, Known& sent) const {
  const pid_t self = ::getpid();
  // Who was forked meanwhile is found in the next round; for those who go on forking there is
  // SIGKILL.
  constexpr int rounds = 10;
  for (int round = 0; round < rounds; ++round) {
    const auto all = descendants(self);
    if (!all) {
      // Without /proc nobody but the child is known.
      if (!end_ && sent.insert({child_.child(), 0}).second) ::kill(child_.child(), signal);
      return;
    }
    bool more = false;
    for (const Descendant& each : *all) {
      if (sent.contains({each.pid, each.start})) continue;
      if (each.ppid == self) {
        // A child of ours, and not waited for since.
        ::kill(each.pid, signal);
        sent.insert({each.pid, each.start});
        more = true;
        continue;
      }
      // Where there are no such descriptors it has to come up and be a child first.
      const auto process = Process::open({.pid = each.pid});
      if (!process) continue;
      // The descriptor is there, so the number cannot be another's from here on.
      if (const auto start = start_time(each.pid); start && *start == each.start) {
        (void)process->send(signal);
        sent.insert({each.pid, each.start});
        more = true;
      }
    }
    if (!more) return;
  }
}

void TreeWatch::kill_all() {
  if (*cgroup_) (void)(*cgroup_)->kill();
  // Who forks meanwhile is found in the next round. A process that does not die of it is in the
  // hands of the kernel, and there is an end to looking for it.
  constexpr int rounds = 1000;
  for (int round = 0; round < rounds; ++round) {
    Known killed;
    send_to_all(SIGKILL, killed);
    reap_orphans();
    const auto left = descendants(::getpid());
    const bool alone = left && std::ranges::all_of(*left, [&](const Descendant& each) {
                         return each.pid == child_.child();
                       });
    if (!left || alone) return;
    const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
    ::nanosleep(&pause, nullptr);
  }
}

void TreeWatch::reap_orphans() const {
  for (;;) {
    siginfo_t about = {};
    if (::waitid(P_ALL, 0, &about, WEXITED | WNOHANG | WNOWAIT) != 0 || about.si_pid == 0) return;
    // The child's own end is looked at elsewhere; what is behind it in the queue waits.
    if (about.si_pid == child_.child() && !end_) return;
    ::waitpid(about.si_pid, nullptr, 0);
  }
}

}  // namespace core
