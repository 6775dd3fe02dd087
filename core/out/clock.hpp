// Times for people, in the local time zone and without a locale.
#pragma once

#include <string>

#include "core/sys/stat.hpp"

namespace out {

/// Adds all of `time` as "2026-11-23 15:07:36.123456789 +0000". A time whose year is beyond
/// localtime_r(3) is its seconds since the epoch and the nanoseconds:
/// "-67768040609740800.000000000".
void append_clock(std::string& to, core::Time time);

/// Adds times in the short form of ls, always 12 columns wide or wider: "Nov 23 15:07" within the
/// last six months, else "Nov 23  2025". A time that localtime_r(3) refuses is its seconds since
/// the epoch. Many files share a minute: the last one is remembered.
class ShortClock {
 public:
  ShortClock();
  void append(std::string& to, core::Time time);

 private:
  core::Time now_;
  std::int64_t minute_ = 0;  ///< when the minute began that `text_` stands for
  bool recent_ = false;
  std::string text_;  ///< empty: nothing is remembered
};

}  // namespace out
