#include "core/sys/child_watch.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "core/sys/fs.hpp"
#include "core/sys/process.hpp"

namespace core {
namespace {

/// What is sent to a process to end it or, as SIGUSR1, to tell it something.
bool is_handed_on(int signal) {
  switch (signal) {
    case SIGHUP:
    case SIGINT:
    case SIGQUIT:
    case SIGALRM:
    case SIGTERM:
    case SIGUSR1:
    case SIGUSR2:
      return true;
    default:
      return signal >= SIGRTMIN;
  }
}

bool is_ignored(int signal) {
  struct ::sigaction action;
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

/// The 16-bit word of what waitid(2) tells.
int word_of(const siginfo_t& about) {
  switch (about.si_code) {
    case CLD_EXITED:
      return (about.si_status & 0xff) << 8;
    case CLD_DUMPED:
      return about.si_status | 0x80;
    case CLD_STOPPED:
    case CLD_TRAPPED:
      return about.si_status << 8 | 0x7f;
    default:
      return about.si_status;
  }
}

}  // namespace

WaitedSignals::WaitedSignals() {
  struct ::sigaction action = {};
  action.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &action, &child_);
  ::sigemptyset(&waited_);
  ::sigaddset(&waited_, SIGCHLD);
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (is_handed_on(signal) && !is_ignored(signal)) ::sigaddset(&waited_, signal);
  }
  sigset_t blocked = waited_;
  // Who gives the terminal away must not be stopped for it.
  ::sigaddset(&blocked, SIGTTOU);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before_);
}

WaitedSignals::~WaitedSignals() {
  ::sigaction(SIGCHLD, &child_, nullptr);
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

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
    if (signal > 0) return signal;
    if (errno != EINTR && deadline.passed()) return 0;
  }
}

ChildWatch::ChildWatch(const WaitedSignals& signals, const Program& program)
    : signals_(&signals),
      own_group_(program.attributes().session || program.attributes().process_group) {
  if (!program.attributes().process_group || program.attributes().session) return;
  auto terminal = core::open("/dev/tty", O_RDWR | O_NOCTTY);
  if (!terminal) return;
  terminal_ = *std::move(terminal);
  if (!has_terminal(::getpgrp())) terminal_.close();
}

bool ChildWatch::has_terminal(pid_t group) const {
  return terminal_ && ::tcgetpgrp(FdRef(terminal_).number()) == group;
}

void ChildWatch::give_terminal(pid_t group) const { ::tcsetpgrp(FdRef(terminal_).number(), group); }

Placement ChildWatch::placement() const {
  Placement placement{.ignored_signal = signals_->ignored()};
  if (terminal_) placement.terminal = terminal_;
  return placement;
}

void ChildWatch::forward(int signal, const siginfo_t& about) {
  received_ = signal;
  const bool from_terminal = about.si_code > 0;
  if (from_terminal && !own_group_) return;
  // It was not waited for yet, so that the number is still its own.
  ::kill(child_, signal);
}

void ChildWatch::stop() {
  if (!terminal_) return;
  const pid_t group = ::getpgid(child_);
  if (!has_terminal(group)) return;
  give_terminal(::getpgrp());
  // All of the job, as Ctrl-Z would have done; the shell that has it continues it.
  ::kill(0, SIGTSTP);
  if (has_terminal(::getpgrp())) give_terminal(group);
  ::kill(-group, SIGCONT);
}

/// What became of the child, without waiting for it for good; false where nothing did.
bool ChildWatch::peek(int& word, ResourceUsage& usage) const {
  siginfo_t about = {};
  rusage used = {};
  // The C library's waitid(3) leaves out what the child used.
  constexpr int options = WEXITED | WSTOPPED | WNOHANG | WNOWAIT;
  if (::syscall(SYS_waitid, P_PID, child_, &about, options, &used) == 0) {
    if (about.si_pid != child_) return false;
    word = word_of(about);
  } else {
    // Where that is not offered, what is told is gone.
    if (::wait4(child_, &word, WNOHANG | WUNTRACED, &used) != child_) return false;
  }
  usage = ResourceUsage::of(used);
  return true;
}

std::optional<ChildEnd> ChildWatch::look(
    const std::function<void(const ChildEnd&)>& before_reaping) {
  int word = 0;
  ResourceUsage usage;
  while (peek(word, usage)) {
    if (WIFSTOPPED(word)) {
      siginfo_t about;
      ::waitid(P_PID, static_cast<id_t>(child_), &about, WSTOPPED | WNOHANG);
      stop();
      continue;
    }
    if (has_terminal(child_)) give_terminal(::getpgrp());
    const ChildEnd end{.pid = child_,
                       .status = WaitStatus(word),
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
  const pid_t child = TRY(spawn(program, placement));
  child_.begin(child);
  return child;
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
    } else if (signal != SIGCHLD && !end_) {
      child_.forward(signal, about);
    }
  }
}

void TreeWatch::time_is_over() {
  deadline_ = {};
  if (stage_ == Stage::last_moment) {
    stage_ = Stage::over;
  } else if (stage_ == Stage::running && watch_->signal != SIGKILL) {
    stage_ = Stage::signaled;
    send_to_all(watch_->signal);
    // What is stopped could not even end.
    send_to_all(SIGCONT);
    if (watch_->kill_after) deadline_ = Deadline::in(*watch_->kill_after);
  } else {
    stage_ = Stage::over;
    kill_all();
  }
}

void TreeWatch::send_to_all(int signal) const {
  const pid_t self = ::getpid();
  const auto all = descendants(self);
  if (!all) {
    // Without /proc nobody but the child is known.
    if (!end_) ::kill(child_.child(), signal);
    return;
  }
  for (const Descendant& each : *all) {
    if (each.ppid == self) {
      // A child of ours, and not waited for since.
      ::kill(each.pid, signal);
      continue;
    }
    const auto process = Process::open({.pid = each.pid});
    if (!process) continue;
    // The descriptor is there, so the number cannot be another's from here on.
    if (const auto start = start_time(each.pid); start && *start == each.start) {
      (void)process->send(signal);
    }
  }
}

void TreeWatch::kill_all() {
  if (*cgroup_) (void)(*cgroup_)->kill();
  // Who forks meanwhile is found in the next round. A process that does not die of it is in the
  // hands of the kernel, and there is an end to looking for it.
  constexpr int rounds = 1000;
  for (int round = 0; round < rounds; ++round) {
    send_to_all(SIGKILL);
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
