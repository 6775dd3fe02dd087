// What a parent does while its child runs. For supervise and keeper.
#pragma once

#include <csignal>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "core/sys/cgroup.hpp"
#include "core/sys/signal.hpp"
#include "core/sys/supervise.hpp"

namespace core {

/// Which signals of this process are waited for instead of being acted upon, for as long as this
/// lives: SIGCHLD, SIGTSTP, SIGCONT, and those that would end it; `wait` passes over what was
/// ignored. The one that a fault of its own brings is none of them. Children are heard meanwhile.
/// For one thread.
class WaitedSignals {
 public:
  WaitedSignals();
  ~WaitedSignals();
  WaitedSignals(const WaitedSignals&) = delete;
  WaitedSignals& operator=(const WaitedSignals&) = delete;

  /// Waits for one: its number, or 0 once `deadline` has passed. sigtimedwait(2)
  int wait(const Deadline& deadline, siginfo_t& about) const;
  /// Waits for `signal` too from now on, whatever was done about it before.
  void add(int signal);
  /// SIGCHLD where it was ignored before, else 0.
  int ignored() const { return children_.were_ignored() ? SIGCHLD : 0; }

 private:
  ChildrenHeard children_;
  sigset_t waited_;
  sigset_t before_;
};

/// Hands signals and the terminal on between this process and its child. This process stops when
/// the child has, and not before: a shell that saw it stopped would read from the terminal while
/// the child still does.
class ChildWatch {
 public:
  /// For a child in this process's own group.
  explicit ChildWatch(const WaitedSignals& signals) : signals_(&signals) {}
  /// For `program` as the child.
  ChildWatch(const WaitedSignals& signals, const Program& program);

  /// Where the child begins its life.
  Placement placement() const;
  /// Starts `program` there; the error is that of `spawn`.
  Result<pid_t> start(Program& program, const Placement& placement);
  /// The child is there.
  void begin(pid_t child);
  /// What came to this process goes to the child, unless the terminal sent it to both.
  void forward(int signal, const siginfo_t& about);
  /// Looks whether the child was stopped, or has ended; `before_reaping` is called with its end
  /// while it is a zombie still. wait4(2)
  std::optional<ChildEnd> look(const std::function<void(const ChildEnd&)>& before_reaping = {});
  pid_t child() const { return child_; }

 private:
  bool peek(int& word, ResourceUsage& usage) const;
  void open_terminal();
  void hand_on(int signal, pid_t whom);
  void child_stopped(int signal);
  void stop(int signal);
  void resume();
  bool has_terminal(pid_t group) const;
  void give_terminal(pid_t group) const;

  const WaitedSignals* signals_;
  bool own_group_ = false;    ///< the child has a process group that is not ours
  bool own_session_ = false;  ///< and no terminal
  Fd terminal_;
  pid_t child_ = 0;
  bool stopped_ = false;    ///< the child is stopped
  bool asked_ = false;      ///< this process is to stop as soon as the child has
  bool continues_ = false;  ///< the child is stopped from here alone
  int received_ = 0;
  Duration began_ = monotonic_time();
};

/// The tree of a child and all that it starts, in a process that has no other children.
class TreeWatch {
 public:
  /// `cgroup`: what the tree is put into, where there is one; it outlives this.
  /// `parent`: all ends when this is not the parent any more; 0: the tree is on its own, and has no
  /// use for a terminal.
  TreeWatch(const Program& program, const Watch& watch, const WaitedSignals& signals,
            const std::optional<Cgroup>& cgroup, pid_t parent);

  /// Starts the child; the error is that of `spawn`.
  Result<pid_t> start(Program& program);
  /// Waits for its end, and where its time was over for that of all others. None where all was
  /// ended because the parent is gone.
  std::optional<ChildEnd> wait(const std::function<void(const ChildEnd&)>& before_reaping = {});

 private:
  void time_is_over();
  using Known = std::set<std::pair<pid_t, std::uint64_t>>;
  /// To all below this process that are not in `sent`, which they are in afterwards.
  void send_to_all(int signal, Known& sent) const;
  void kill_all();
  void reap_orphans() const;

  const Watch* watch_;
  const WaitedSignals* signals_;
  ChildWatch child_;
  pid_t parent_;
  const std::optional<Cgroup>* cgroup_;
  Deadline deadline_;
  enum class Stage : unsigned char { running, signaled, last_moment, over } stage_ = Stage::running;
  std::optional<ChildEnd> end_;
  Known signaled_;  ///< who has got the signal of the timeout
};

}  // namespace core
