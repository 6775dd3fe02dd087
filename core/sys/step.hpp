// Step: what went wrong between fork and exec, where nothing may be allocated.
#pragma once

namespace core {

/// The failure of one step. The texts are literals, or belong to whoever prepared the steps: a
/// child of fork(2) or vfork(2) has them at the same addresses.
struct StepFailure {
  const char* call = nullptr;  ///< null: nothing failed
  int number = 0;              ///< errno
  const char* path = nullptr;  ///< what the call was about, where there is such a thing
  const char* note = nullptr;

  explicit operator bool() const { return call != nullptr; }
};

}  // namespace core
