// Progress: how far a long run has come, for somebody who watches.
#pragma once

#include <cstdint>

#include "core/out/sink.hpp"

namespace out {

/// A line on the terminal with a count and a rate, renewed a few times a second. It is taken away
/// with blanks: a dumb terminal has nothing else.
class Progress {
 public:
  Progress();

  /// So many more are done. True where it is time to show it.
  bool tick(std::uint64_t more);
  /// Writes the line, over the one that stands there.
  void show(Sink& terminal);
  /// Takes the line away, before something else is written there.
  void clear(Sink& terminal);

 private:
  std::uint64_t count_ = 0;
  std::int64_t began_;  ///< nanoseconds of CLOCK_MONOTONIC
  std::int64_t shown_;
  std::size_t width_ = 0;  ///< of what is shown
};

}  // namespace out
