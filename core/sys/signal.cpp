#include "core/sys/signal.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>

#include <ctime>

#include "core/sys/backend.hpp"

namespace core {

namespace {

/// True for what ends a process unless it says otherwise, and is no fault of the process itself.
bool ends_process(int signal) {
  switch (signal) {
    case SIGPIPE:
    case SIGXCPU:
    case SIGXFSZ:
    case SIGVTALRM:
    case SIGPROF:
    case SIGIO:
#ifdef SIGPWR
    case SIGPWR:
#endif
#ifdef SIGSTKFLT
    case SIGSTKFLT:
#endif
      return true;
    default:
      return is_sent_to_end(signal);
  }
}

}  // namespace

bool is_sent_to_end(int signal) {
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

ChildrenHeard::ChildrenHeard() {
  if (::sigaction(SIGCHLD, nullptr, &before_) != 0 || before_.sa_handler != SIG_IGN) return;
  struct ::sigaction heard = {};
  heard.sa_handler = SIG_DFL;
  changed_ = ::sigaction(SIGCHLD, &heard, nullptr) == 0;
}

ChildrenHeard::~ChildrenHeard() {
  if (changed_) ::sigaction(SIGCHLD, &before_, nullptr);
}

HeldSignals::HeldSignals() : HeldSignals(ends_process) {}

HeldSignals HeldSignals::of_writes() {
  return HeldSignals([](int signal) { return signal == SIGPIPE || signal == SIGXFSZ; });
}

HeldSignals::HeldSignals(bool (*which)(int signal)) {
  sigset_t ends;
  ::sigemptyset(&ends);
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    // One that is ignored would wait to be let through all the same.
    if (which(signal) && !is_ignored(signal)) ::sigaddset(&ends, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &ends, &before_);
  // What was held back before never gets through by letting go of this.
  ::sigemptyset(&held_);
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (::sigismember(&ends, signal) == 1 && ::sigismember(&before_, signal) == 0) {
      ::sigaddset(&held_, signal);
    }
  }
}

HeldSignals::~HeldSignals() {
  const int number = errno;
  if (::sigismember(&held_, SIGXFSZ) == 1) {
    sigset_t too_large;
    ::sigemptyset(&too_large);
    ::sigaddset(&too_large, SIGXFSZ);
    const timespec now = {};
    ::sigtimedwait(&too_large, nullptr, &now);
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  errno = number;
}

void die_by(int signal) {
  const rlimit no_core = {};
  ::setrlimit(RLIMIT_CORE, &no_core);
  struct ::sigaction action = {};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  sigset_t it;
  ::sigemptyset(&it);
  ::sigaddset(&it, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &it, nullptr);
  (void)::raise(signal);
}

Result<void> HeldSignals::check() const {
  sigset_t pending;
  ::sigpending(&pending);
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (signal != SIGXFSZ && ::sigismember(&pending, signal) == 1 &&
        ::sigismember(&held_, signal) == 1) {
      return failure(EINTR, "read");
    }
  }
  return {};
}

Result<void> HeldSignals::wait_to_read(FdRef fd) {
  if (!descriptor_) descriptor_ = backend::signal_descriptor(held_);
  // Without one it has to be asked for again and again.
  constexpr int often = 50;
  for (;;) {
    pollfd ends[] = {{fd.number(), POLLIN, 0}, {-1, POLLIN, 0}};
    if (descriptor_) ends[1].fd = FdRef(descriptor_).number();
    const int count = ::poll(ends, 2, descriptor_ ? -1 : often);
    TRY(check());
    if (count < 0 && errno != EINTR) return failure("poll");
    if (count > 0 && ends[0].revents != 0) return {};
  }
}

}  // namespace core
