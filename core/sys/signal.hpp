// Signals: held back for as long as something must not be left half done.
#pragma once

#include <csignal>

#include "core/sys/fd.hpp"
#include "core/sys/result.hpp"

namespace core {

/// True for what is sent to a process to end it or, as SIGUSR1, to tell it something; it ends one
/// that does not expect it.
bool is_sent_to_end(int signal);

/// True where nothing is done about `signal` in this process. sigaction(2)
bool is_ignored(int signal);

/// Has the kernel tell of children that end, for as long as this lives: where SIGCHLD is ignored,
/// it forgets how they did. sigaction(2)
class ChildrenHeard {
 public:
  ChildrenHeard();
  ~ChildrenHeard();
  ChildrenHeard(const ChildrenHeard&) = delete;
  ChildrenHeard& operator=(const ChildrenHeard&) = delete;

  /// True where SIGCHLD was ignored before.
  bool were_ignored() const { return changed_; }

 private:
  struct ::sigaction before_ = {};
  bool changed_ = false;
};

/// Holds back the signals that would end this process, for as long as it lives: SIGHUP, SIGINT,
/// SIGQUIT, SIGTERM and their like, the real-time ones too. Not SIGKILL, nor what a fault of the
/// process or abort(3) brings. One that came meanwhile does its work when this goes, unless
/// it is held back from outside too. What is ignored stays ignored. SIGXFSZ is no more than
/// the EFBIG that comes with it. For one thread. sigprocmask(2)
class HeldSignals {
 public:
  HeldSignals();
  /// SIGPIPE and SIGXFSZ alone, which a write brings.
  static HeldSignals of_writes();
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  /// EINTR where one came: it is time to clean up and to let it through. sigpending(2)
  Result<void> check() const;
  /// Waits until `fd` can be read, or has come to its end; EINTR as above. poll(2), signalfd(2)
  Result<void> wait_to_read(FdRef fd);

 private:
  explicit HeldSignals(bool (*which)(int signal));

  sigset_t held_;
  sigset_t before_;
  Fd descriptor_;
};

/// Ends this process by `signal`, without a core file. Comes back where that does not end it.
void die_by(int signal);

}  // namespace core
