// What the tests of kill share.
#pragma once

#include <string>
#include <vector>

#include "tests/child.hpp"

namespace tests {

using Words = std::vector<std::string>;

inline Words joined(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// False, and said, where what needs descriptors of processes is not tested.
inline bool handles() {
  const bool found = newer_calls();
  if (!found) MESSAGE("skipped: no descriptors of processes");
  return found;
}

}  // namespace tests
