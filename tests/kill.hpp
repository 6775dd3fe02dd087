// What the tests of kill share.
#pragma once

#include <string>
#include <vector>

#include "tests/child.hpp"

namespace tests {

/// False, and said, where what needs descriptors of processes is not tested.
inline bool handles() {
  const bool found = newer_calls();
  if (!found) MESSAGE("skipped: no descriptors of processes");
  return found;
}

}  // namespace tests
