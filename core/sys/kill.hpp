// Signals by number: to whatever has it at that moment, and to many processes at once.
#pragma once

#include <sys/types.h>

#include <csignal>

#include "core/sys/result.hpp"

namespace core {

/// True for the number of a thread that is no process, as kill(2) does not tell.
bool is_thread(pid_t pid);

/// Sends `signal` to the process that has the number `pid`; 0 asks whether that could be done.
/// EINVAL for a thread, and for what is no number of one process. kill(2)
Result<void> kill(pid_t pid, int signal);

/// Sends `signal` to the process group `group`, whether it has its leader still or not. EINVAL for
/// 1 and less: to the kernel -1 means everyone. kill(2)
Result<void> killpg(pid_t group, int signal);

/// Sends `signal` to the process group of this process. kill(2) with 0
Result<void> kill_own_group(int signal);

/// Sends `signal` to every process that this one may signal, but for itself and the first one of
/// its pid namespace. ESRCH where there is none. kill(2) with -1
Result<void> kill_everyone(int signal);

/// Has this process ignore `signal` for as long as it lives, so that a group can be signalled from
/// within. SIGKILL and SIGSTOP cannot be ignored. sigaction(2)
class Spared {
 public:
  explicit Spared(int signal);
  ~Spared();
  Spared(const Spared&) = delete;
  Spared& operator=(const Spared&) = delete;

 private:
  int signal_;
  bool changed_ = false;
  struct ::sigaction before_ = {};
};

}  // namespace core
