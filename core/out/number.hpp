// Numbers in decimal, without a locale.
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

#include "core/sys/stat.hpp"

namespace out {

/// The widest field that a template of people's own may ask for: more than any line of text needs,
/// and little enough to be harmless.
inline constexpr std::size_t widest = 65'535;

/// Adds `number` in decimal.
template <std::integral T>
void append_number(std::string& to, T number) {
  char digits[24];
  to.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

/// How many digits `number` has in decimal.
constexpr std::size_t digits(std::uint64_t number) {
  std::size_t count = 1;
  for (; number >= 10; number /= 10) ++count;
  return count;
}

/// Adds text or a number with blanks in front, up to `width`.
inline void append_right(std::string& to, std::string_view text, std::size_t width) {
  to.append(width - std::min(width, text.size()), ' ').append(text);
}
inline void append_right(std::string& to, std::uint64_t number, std::size_t width) {
  to.append(width - std::min(width, digits(number)), ' ');
  append_number(to, number);
}

/// A signed integer wide enough for the nanoseconds of every time that a file system keeps.
__extension__ using Nanoseconds = __int128;

/// The nanoseconds between the epoch and `time`.
constexpr Nanoseconds nanoseconds(core::Time time) {
  return Nanoseconds{time.seconds} * 1'000'000'000 + time.nanoseconds;
}

/// Adds the nanoseconds between the epoch and `time`, which may take more than 64 bits.
inline void append_nanoseconds(std::string& to, core::Time time) {
  constexpr std::int64_t most = INT64_MAX / 1'000'000'000 - 1;
  if (time.seconds >= -most && time.seconds <= most) {
    append_number(to, static_cast<std::int64_t>(nanoseconds(time)));
    return;
  }
  // Seconds and nanoseconds side by side, both counted away from the epoch.
  Nanoseconds magnitude = nanoseconds(time);
  if (magnitude < 0) {
    to += '-';
    magnitude = -magnitude;
  }
  append_number(to, static_cast<std::uint64_t>(magnitude / 1'000'000'000));
  const std::string rest = std::to_string(static_cast<std::uint32_t>(magnitude % 1'000'000'000));
  to.append(9 - rest.size(), '0').append(rest);
}

}  // namespace out
