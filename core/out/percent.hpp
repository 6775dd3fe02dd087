// Percent: formats in the manner of printf(3), with letters of one's own.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/sys/stat.hpp"

namespace out {

/// One directive, as "%-10.3s", and the text in front of it.
struct Percent {
  std::string before;
  char letter = 0;    ///< 0: nothing but the text in front
  char modifier = 0;  ///< H or L, where one stands before the letter
  bool left = false;
  bool zero = false;
  bool plus = false;
  bool blank = false;
  bool alternate = false;
  std::size_t width = 0;
  /// What a point begins; with no digits behind it `all`.
  std::optional<std::size_t> precision = {};
  static constexpr std::size_t all = SIZE_MAX;
};

/// The directives of `format`, with "%%" as a percent sign; one at the very end stands for itself.
/// The error is a sentence for the user. Which letters there are is the caller's to say.
std::expected<std::vector<Percent>, std::string> parse_percent(std::string_view format);

/// Each adds a value as `how` says; a flag that means nothing to its kind is passed over, as stat
/// and find of GNU do. `base` is 8, 10 or 16.
void append_percent(std::string& to, const Percent& how, std::string_view text);
void append_percent(std::string& to, const Percent& how, std::uint64_t number, int base);
void append_percent(std::string& to, const Percent& how, std::int64_t number);
/// Seconds since the epoch; with a precision as many digits of the fraction, cut off, not rounded.
void append_percent(std::string& to, const Percent& how, core::Time time);

}  // namespace out
