// Times for people, in the local time zone and without a locale.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "core/sys/stat.hpp"

namespace out {

/// Adds all of `time` as "2026-11-23 15:07:36.123456789 +0000". A time whose year is beyond
/// localtime_r(3) is seconds since the epoch: "-67768040609740800.000000000".
void append_clock(std::string& to, core::Time time);

/// The time that `text` tells, exact to nine digits and of any size and sign; the error is a
/// sentence for the user. It is seconds since the epoch, "1795446456" or "-0.25", or what
/// append_clock and ISO 8601 have: "2026-11-23", "2026-11-23T15:07", "2026-11-23 15:07:36.5 +0100",
/// "...T15:07:36Z". Without a zone it is local; of two moments that a clock shows the first, and an
/// error where it shows none. A second 60 is an error: the epoch knows none.
std::expected<core::Time, std::string> parse_clock(std::string_view text);

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
