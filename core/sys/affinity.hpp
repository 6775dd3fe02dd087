// Affinity: the CPUs that a process may run on.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "core/sys/result.hpp"

namespace core {

/// A set of CPUs, however high their numbers are: a cpu_set_t ends at 1023.
class CpuSet {
 public:
  /// Reads a list as the kernel writes it, "0-3,8", in any order; the error is a sentence. The
  /// empty list is none.
  static std::expected<CpuSet, std::string> parse(std::string_view text);

  /// The list, as `parse` reads it: "0-3,8".
  std::string list() const;
  /// The numbers of the CPUs, ascending.
  std::vector<std::int64_t> cpus() const;

  bool operator==(const CpuSet& other) const;

 private:
  friend Result<CpuSet> sched_getaffinity(pid_t pid);
  friend int sched_setaffinity(const CpuSet& cpus, pid_t pid);
  using Word = unsigned long;  // as in a cpu_set_t, and in the kernel

  void add(unsigned cpu);
  bool has(std::size_t cpu) const;
  std::size_t capacity() const;

  std::vector<Word> words_;
};

/// The CPUs that process `pid` may run on; 0 is this one. ESRCH where there is none.
/// sched_getaffinity(2)
Result<CpuSet> sched_getaffinity(pid_t pid = 0);

/// Lets it run on `cpus` and no others: 0, or the errno. The kernel leaves out those that it does
/// not have; EINVAL where none is left. ESRCH where there is no such process, EPERM where it is
/// somebody else's. Allocates nothing, so that it can be called between fork and exec.
/// sched_setaffinity(2)
int sched_setaffinity(const CpuSet& cpus, pid_t pid = 0);

}  // namespace core
