// How a process ended, and what it used.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>

#include "core/sys/duration.hpp"

namespace core {

/// The 16-bit word that wait(2) and Python's os.wait give: how a process ended.
class WaitStatus {
 public:
  WaitStatus() = default;
  explicit WaitStatus(int word) : word_(word) {}

  /// Of what waitid(2) tells; also of a child that was stopped or continued.
  static WaitStatus of(const siginfo_t& about) {
    switch (about.si_code) {
      case CLD_EXITED:
        return WaitStatus((about.si_status & 0xff) << 8);
      case CLD_DUMPED:
        return WaitStatus((about.si_status & 0x7f) | WCOREFLAG);
      case CLD_STOPPED:
      case CLD_TRAPPED:
        return WaitStatus(about.si_status << 8 | 0x7f);
      case CLD_CONTINUED:
        return WaitStatus(0xffff);
      default:
        return WaitStatus(about.si_status & 0x7f);
    }
  }

  int word() const { return word_; }
  bool exited() const { return WIFEXITED(word_); }
  /// What it handed to exit(3), where it did.
  int exit_code() const { return WEXITSTATUS(word_); }
  bool signaled() const { return WIFSIGNALED(word_); }
  /// The signal that ended it, where one did.
  int signal() const { return WTERMSIG(word_); }
  bool dumped_core() const { return signaled() && WCOREDUMP(word_); }
  /// What a shell makes of it: the exit code, or 128 and the signal.
  int shell_status() const { return signaled() ? 128 + signal() : exit_code(); }

 private:
  int word_ = 0;
};

/// struct rusage as the kernel itself has it, whatever the C library makes of its times: for calls
/// that are made without it.
struct KernelUsage {
  long user[2];  ///< seconds and microseconds
  long system[2];
  long max_rss, shared_text, unshared_data, unshared_stack;
  long minor_faults, major_faults, swaps;
  long blocks_in, blocks_out;
  long messages_sent, messages_received, signals;
  long voluntary_switches, involuntary_switches;
};

/// What a process, and the children that it waited for, used. getrusage(2)
struct ResourceUsage {
  Duration user{};    ///< CPU time in user mode
  Duration system{};  ///< CPU time in the kernel
  long max_rss = 0;   ///< the most memory it had at a time, in KiB
  long minor_faults = 0;
  long major_faults = 0;
  long blocks_in = 0;   ///< reads that went to a device
  long blocks_out = 0;  ///< and writes
  long voluntary_switches = 0;
  long involuntary_switches = 0;

  static ResourceUsage of(const KernelUsage& usage) {
    const auto span = [](const long(&time)[2]) {
      return Duration(std::chrono::seconds(time[0]) + std::chrono::microseconds(time[1]));
    };
    return {span(usage.user),   span(usage.system),       usage.max_rss,
            usage.minor_faults, usage.major_faults,       usage.blocks_in,
            usage.blocks_out,   usage.voluntary_switches, usage.involuntary_switches};
  }
  static ResourceUsage of(const ::rusage& usage) {
    const auto span = [](const timeval& time) {
      return Duration(std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec));
    };
    return {span(usage.ru_utime), span(usage.ru_stime), usage.ru_maxrss,
            usage.ru_minflt,      usage.ru_majflt,      usage.ru_inblock,
            usage.ru_oublock,     usage.ru_nvcsw,       usage.ru_nivcsw};
  }
};

}  // namespace core
