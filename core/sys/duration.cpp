#include "core/sys/duration.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>

namespace core {
namespace {

struct Unit {
  std::string_view name;
  long long nanoseconds;
};

constexpr auto units = std::to_array<Unit>({{"", 1'000'000'000},
                                            {"ns", 1},
                                            {"us", 1'000},
                                            {"ms", 1'000'000},
                                            {"s", 1'000'000'000},
                                            {"m", 60'000'000'000},
                                            {"h", 3'600'000'000'000},
                                            {"d", 86'400'000'000'000}});

constexpr long long longest = 200LL * 366 * 86'400 * 1'000'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<Duration> read_duration(std::string_view text) {
  const auto whole_end = std::ranges::find_if_not(text, is_digit);
  const std::string_view whole(text.begin(), whole_end);
  text.remove_prefix(whole.size());
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = std::string_view(text.begin(), std::ranges::find_if_not(text, is_digit));
    text.remove_prefix(fraction.size());
  }
  const auto unit = std::ranges::find(units, text, &Unit::name);
  if ((whole.empty() && fraction.empty()) || unit == units.end()) return std::nullopt;

  long long count = 0;
  if (!whole.empty() &&
      std::from_chars(whole.data(), whole.data() + whole.size(), count).ec != std::errc()) {
    return std::nullopt;
  }
  if (count > longest / unit->nanoseconds) return std::nullopt;
  // Nothing goes through a double. The last digit comes first; what is less than a nanosecond
  // counts as one, so that no span but 0 becomes 0.
  long long part = 0;
  for (const char digit : std::views::reverse(fraction)) {
    part = (unit->nanoseconds * (digit - '0') + part + 9) / 10;
  }
  return Duration(count * unit->nanoseconds + part);
}

Duration monotonic_time() {
  timespec now{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec);
}

Deadline Deadline::in(Duration span) {
  Deadline deadline;
  deadline.at_ = monotonic_time() + span;
  return deadline;
}

Deadline Deadline::earlier(const Deadline& a, const Deadline& b) {
  if (!a.at_ || !b.at_) return a.at_ ? a : b;
  return *a.at_ < *b.at_ ? a : b;
}

bool Deadline::passed() const { return at_ && monotonic_time() >= *at_; }

std::optional<timespec> Deadline::left() const {
  if (!at_) return std::nullopt;
  const Duration left = std::max(*at_ - monotonic_time(), Duration::zero());
  timespec span{};
  span.tv_sec = static_cast<time_t>(left / std::chrono::seconds(1));
  span.tv_nsec = static_cast<long>((left % std::chrono::seconds(1)).count());
  return span;
}

}  // namespace core
