// A run of osbox whose system calls are seen one by one, and can be made to fail: by a filter of
// seccomp(2) that asks this process. It knows the calls of any kernel, and costs a call some
// microseconds.
#pragma once

#include <string>
#include <vector>

#include "tests/harness.hpp"

namespace tests {

/// What a call answers instead of being made.
struct Injection {
  long call;           ///< SYS_openat
  int occurrence = 0;  ///< the how many-th of that call fails, from 1; 0: each does
  int error;
};

struct Watched {
  Ran ran;
  /// The calls of osbox and of what it forks, until they become another program, in their order.
  /// Those that have to do with memory, signals and threads are left out.
  std::vector<long> calls;
  int injected = 0;   ///< calls that were made to fail
  bool hung = false;  ///< it did not end in time, and was killed
};

/// Runs it to the end of all that it started.
Watched watch(const Command& command, const std::vector<Injection>& injections = {});

/// The last call of a run that is one of `calls`, to fail with `error` in the next.
Injection last_of(const Watched& watched, const std::vector<long>& calls, int error);

/// "openat"; the number of one that osbox is not known to make.
std::string call_name(long call);

}  // namespace tests
