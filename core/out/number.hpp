// Numbers in decimal, without a locale.
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <optional>
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

/// Decimal digits and nothing else, one at least.
constexpr bool is_decimal(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
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

/// Adds `nanoseconds`, less than a second, with all nine digits.
inline void append_fraction(std::string& to, std::uint32_t nanoseconds) {
  to.append(9 - digits(nanoseconds), '0');
  append_number(to, nanoseconds);
}

/// A time as a number is written: a sign, and what counts away from the epoch behind it.
struct Distance {
  bool before;  ///< the epoch
  std::uint64_t seconds;
  std::uint32_t nanoseconds;
};
constexpr Distance from_epoch(core::Time time) {
  constexpr std::uint32_t second = 1'000'000'000;
  // A broken file system may have more nanoseconds than a second has.
  const std::uint64_t seconds =
      static_cast<std::uint64_t>(time.seconds) + time.nanoseconds / second;
  const std::uint32_t rest = time.nanoseconds % second;
  if (time.seconds >= 0 || static_cast<std::int64_t>(seconds) >= 0) return {false, seconds, rest};
  return {true, 0 - seconds - (rest != 0 ? 1 : 0), rest != 0 ? second - rest : 0};
}

/// The nanoseconds between the epoch and `time`, none where they take more than 64 bits, or nearly
/// so: a broken file system may have four seconds of them.
constexpr std::optional<std::int64_t> nanoseconds(core::Time time) {
  constexpr std::int64_t most = INT64_MAX / 1'000'000'000 - 5;
  if (time.seconds < -most || time.seconds > most) return std::nullopt;
  return time.seconds * 1'000'000'000 + time.nanoseconds;
}

/// Adds the nanoseconds between the epoch and `time`, which may take more than 64 bits.
inline void append_nanoseconds(std::string& to, core::Time time) {
  if (const auto count = nanoseconds(time)) {
    append_number(to, *count);
    return;
  }
  const Distance distance = from_epoch(time);
  if (distance.before) to += '-';
  append_number(to, distance.seconds);
  append_fraction(to, distance.nanoseconds);
}

}  // namespace out
