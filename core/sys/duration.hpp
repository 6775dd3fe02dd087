// Spans of time, and the moments at which they end.
#pragma once

#include <chrono>
#include <ctime>
#include <optional>
#include <string_view>

namespace core {

using Duration = std::chrono::nanoseconds;

/// `text` as a span of time: a decimal number, with a fraction or without, and its unit, "ns",
/// "us", "ms", "s", "m", "h" or "d"; seconds without one. What is less than a nanosecond counts as
/// one. None for anything else, and for more than 200 years.
std::optional<Duration> read_duration(std::string_view text);

/// A moment that is waited for; never, unless it is said when. CLOCK_MONOTONIC
class Deadline {
 public:
  Deadline() = default;
  static Deadline in(Duration span);
  static Deadline earlier(const Deadline& a, const Deadline& b);

  bool is_set() const { return at_.has_value(); }
  bool passed() const;
  /// How long it is until then, nothing less than 0; none for never. For ppoll(2) and
  /// sigtimedwait(2), whose null pointer means never as well.
  std::optional<timespec> left() const;

 private:
  std::optional<Duration> at_;
};

/// The time of CLOCK_MONOTONIC.
Duration monotonic_time();

}  // namespace core
