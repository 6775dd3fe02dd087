#include "core/out/clock.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <optional>

#include "core/out/number.hpp"

namespace out {
namespace {

/// Half a year of the Gregorian calendar's average length.
constexpr std::int64_t six_months = 31'556'952 / 2;

core::Time current_time() {
  timespec time;
  (void)::clock_gettime(CLOCK_REALTIME, &time);
  return {time.tv_sec, static_cast<std::uint32_t>(time.tv_nsec)};
}

std::optional<tm> local(std::int64_t seconds) {
  const time_t time = seconds;
  tm parts;
  if (::localtime_r(&time, &parts) == nullptr) return std::nullopt;
  return parts;
}

std::int64_t year_of(const tm& parts) { return std::int64_t{parts.tm_year} + 1900; }

/// Adds `number`, filled up with `fill` to `width` digits; a sign goes in front of them.
void append_padded(std::string& to, std::int64_t number, std::size_t width, char fill) {
  auto magnitude = static_cast<std::uint64_t>(number);
  if (number < 0) {
    to += '-';
    magnitude = 0 - magnitude;
  }
  const std::size_t begin = to.size();
  append_number(to, magnitude);
  const std::size_t length = to.size() - begin;
  if (length < width) to.insert(begin, width - length, fill);
}

// ---- parse_clock

using Parsed = std::expected<core::Time, std::string>;

std::unexpected<std::string> refuse(std::string why) { return std::unexpected(std::move(why)); }
std::unexpected<std::string> no_time() {
  return refuse("neither seconds since 1970 nor a date such as 2026-11-23T15:07:36");
}
std::unexpected<std::string> out_of_range() { return refuse("time out of range"); }

/// The time that is so far from the epoch.
Parsed time_at(Distance distance) {
  std::uint64_t seconds = distance.seconds;
  std::uint32_t nanoseconds = distance.nanoseconds;
  constexpr std::uint64_t most = INT64_MAX;
  if (!distance.before) {
    if (seconds > most) return out_of_range();
    return core::Time{static_cast<std::int64_t>(seconds), nanoseconds};
  }
  // The nanoseconds of a time count upwards.
  if (seconds > most + (nanoseconds == 0 ? 1 : 0)) return out_of_range();
  if (nanoseconds != 0) {
    ++seconds;
    nanoseconds = 1'000'000'000 - nanoseconds;
  }
  return core::Time{static_cast<std::int64_t>(0 - seconds), nanoseconds};
}

/// A text that is taken from its front.
class Rest {
 public:
  explicit Rest(std::string_view text) : text_(text) {}
  bool empty() const { return text_.empty(); }
  char next() const { return text_.empty() ? '\0' : text_.front(); }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  /// All digits there are at the front.
  std::string_view digits() {
    const std::size_t count = std::min(text_.find_first_not_of("0123456789"), text_.size());
    const std::string_view found = text_.substr(0, count);
    text_.remove_prefix(count);
    return found;
  }
  /// Two digits, as a number.
  std::optional<int> pair() {
    if (text_.size() < 2) return std::nullopt;
    const std::string_view found = Rest(text_.substr(0, 2)).digits();
    if (found.size() < 2) return std::nullopt;
    text_.remove_prefix(2);
    return (found[0] - '0') * 10 + (found[1] - '0');
  }
  /// The digits of a fraction, as nanoseconds.
  std::optional<std::uint32_t> fraction() {
    const std::string_view found = digits();
    if (found.empty() || found.size() > 9) return std::nullopt;
    std::uint32_t nanoseconds = 0;
    for (std::size_t i = 0; i < 9; ++i) {
      nanoseconds =
          nanoseconds * 10 + static_cast<std::uint32_t>(i < found.size() ? found[i] - '0' : 0);
    }
    return nanoseconds;
  }

 private:
  std::string_view text_;
};

/// Digits as a number, none beyond 64 bits.
std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

Parsed parse_seconds(Rest text) {
  const bool negative = text.take('-');
  if (!negative) text.take('+');
  const std::string_view digits = text.digits();
  if (digits.empty()) return no_time();
  std::uint32_t nanoseconds = 0;
  if (text.take('.')) {
    const auto fraction = text.fraction();
    if (!fraction) return refuse("one to nine digits stand behind the point");
    nanoseconds = *fraction;
  }
  if (!text.empty()) return no_time();
  const auto seconds = number_of(digits);
  if (!seconds) return out_of_range();
  return time_at({negative, *seconds, nanoseconds});
}

/// The days between the epoch and the year's first one, in the Gregorian calendar.
std::int64_t days_before(std::int64_t year) {
  // Whole years since the year 1; the leap days count downwards before it.
  const std::int64_t years = year - 1;
  const auto every = [years](std::int64_t period) {
    return years / period - (years % period < 0 ? 1 : 0);
  };
  constexpr std::int64_t epoch = 719'162;
  return years * 365 + every(4) - every(100) + every(400) - epoch;
}

/// The moment when local clocks show what those of UTC show at `shown`.
Parsed local_time(std::int64_t shown, std::uint32_t nanoseconds) {
  // Far from the edges of what localtime_r is asked.
  constexpr std::int64_t most = INT64_MAX - 2 * 86'400;
  if (shown > most || shown < -most) return out_of_range();
  std::optional<std::int64_t> first;
  // No offset is more than a day and an hour, so any that counts is in use within these hours.
  for (std::int64_t hours = -26; hours <= 26; ++hours) {
    const auto about = local(shown + hours * 3600);
    if (!about) return out_of_range();
    const std::int64_t moment = shown - about->tm_gmtoff;
    const auto then = local(moment);
    if (!then || then->tm_gmtoff != about->tm_gmtoff) continue;
    first = std::min(first.value_or(moment), moment);
  }
  if (!first) return refuse("local clocks skip this time");
  return core::Time{*first, nanoseconds};
}

/// The seconds by which a zone's clocks are ahead, for "Z", "+01:00", "+0100" and "+01".
std::optional<int> parse_zone(Rest& text) {
  if (text.take('Z')) return 0;
  const int sign = text.next() == '-' ? -1 : 1;
  if (!text.take('-') && !text.take('+')) return std::nullopt;
  const auto hours = text.pair();
  if (!hours || *hours > 24) return std::nullopt;
  if (text.empty()) return sign * *hours * 3600;
  text.take(':');
  const auto minutes = text.pair();
  if (!minutes || *minutes > 59) return std::nullopt;
  return sign * (*hours * 3600 + *minutes * 60);
}

Parsed parse_date(Rest text) {
  constexpr int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  // Beyond the years of 64 bits of seconds.
  constexpr std::uint64_t last_year = 300'000'000'000;

  const bool before_zero = text.take('-');
  const std::string_view digits = text.digits();
  if (digits.size() < 4 || !text.take('-')) return no_time();
  const auto month = text.pair();
  if (!month || !text.take('-')) return no_time();
  const auto day_of_month = text.pair();
  if (!day_of_month) return no_time();

  int hour = 0;
  int minute = 0;
  int seconds = 0;
  std::uint32_t nanoseconds = 0;
  std::optional<int> zone;
  if (text.take('T') || text.take(' ')) {
    const auto hours = text.pair();
    if (!hours || !text.take(':')) return no_time();
    const auto minutes = text.pair();
    if (!minutes) return no_time();
    hour = *hours;
    minute = *minutes;
    if (text.take(':')) {
      const auto some = text.pair();
      if (!some) return no_time();
      seconds = *some;
      if (text.take('.') || text.take(',')) {
        const auto fraction = text.fraction();
        if (!fraction) return refuse("one to nine digits stand behind the point");
        nanoseconds = *fraction;
      }
    }
    const bool blank = text.take(' ');
    if (blank || !text.empty()) {
      zone = parse_zone(text);
      if (!zone) return no_time();
    }
  }
  if (!text.empty()) return no_time();

  const auto magnitude = number_of(digits);
  if (!magnitude || *magnitude > last_year) return out_of_range();
  const std::int64_t year = (before_zero ? -1 : 1) * static_cast<std::int64_t>(*magnitude);
  const bool leap = days_before(year + 1) - days_before(year) == 366;
  if (*month < 1 || *month > 12) return refuse("no such day");
  std::int64_t days = days_before(year) + *day_of_month - 1;
  for (int i = 0; i < *month - 1; ++i) days += lengths[i];
  if (leap && *month > 2) ++days;
  const int length = lengths[*month - 1] + (leap && *month == 2 ? 1 : 0);
  if (*day_of_month < 1 || *day_of_month > length) return refuse("no such day");
  if (hour > 23 || minute > 59 || seconds > 59) return refuse("no such time of day");
  const std::int64_t minutes = days * 1440 + hour * 60 + minute - zone.value_or(0) / 60;
  // Before the epoch the minute counts from its end, since the first one that is there begins
  // before all times.
  const int end = minutes < 0 ? 1 : 0;
  std::int64_t shown = 0;
  if (__builtin_mul_overflow(minutes + end, 60, &shown) ||
      __builtin_add_overflow(shown, seconds - end * 60, &shown)) {
    return out_of_range();
  }
  if (!zone) return local_time(shown, nanoseconds);
  return core::Time{shown, nanoseconds};
}

}  // namespace

std::expected<core::Time, std::string> parse_clock(std::string_view text) {
  // Only a date has a dash behind something.
  return text.find('-', 1) == text.npos ? parse_seconds(Rest(text)) : parse_date(Rest(text));
}

void append_clock(std::string& to, core::Time time) {
  const auto parts = local(time.seconds);
  if (!parts) {
    // A number like any other: behind the point it too counts away from 0.
    const Distance distance = from_epoch(time);
    if (distance.before) to += '-';
    append_number(to, distance.seconds);
    to += '.';
    append_fraction(to, distance.nanoseconds);
    return;
  }
  const auto part = [&to](char before, std::int64_t number, std::size_t width) {
    to += before;
    append_padded(to, number, width, '0');
  };
  append_padded(to, year_of(*parts), 4, '0');
  part('-', parts->tm_mon + 1, 2);
  part('-', parts->tm_mday, 2);
  part(' ', parts->tm_hour, 2);
  part(':', parts->tm_min, 2);
  part(':', parts->tm_sec, 2);
  part('.', time.nanoseconds, 9);
  const long minutes = std::abs(parts->tm_gmtoff) / 60;
  to += parts->tm_gmtoff < 0 ? " -" : " +";
  append_padded(to, minutes / 60, 2, '0');
  append_padded(to, minutes % 60, 2, '0');
}

ShortClock::ShortClock() : now_(current_time()) {}

void ShortClock::append(std::string& to, core::Time time) {
  // A file may be younger than the last look at the clock.
  if (time > now_) now_ = current_time();
  const bool recent = time < now_ && time > core::Time{now_.seconds - six_months, now_.nanoseconds};
  if (!text_.empty() && recent == recent_ && time.seconds >= minute_ &&
      time.seconds < minute_ + 60) {
    to += text_;
    return;
  }
  text_.clear();
  const auto parts = local(time.seconds);
  if (!parts) {
    std::string number = std::to_string(time.seconds);
    to.append(number.size() < 12 ? 12 - number.size() : 0, ' ').append(number);
    return;
  }
  constexpr char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  text_.append(months + 3 * parts->tm_mon, 3).append(1, ' ');
  append_padded(text_, parts->tm_mday, 2, ' ');
  text_ += ' ';
  if (recent) {
    append_padded(text_, parts->tm_hour, 2, '0');
    text_ += ':';
    append_padded(text_, parts->tm_min, 2, '0');
  } else {
    text_ += ' ';
    append_padded(text_, year_of(*parts), 4, '0');
  }
  to += text_;
  recent_ = recent;
  minute_ = time.seconds - parts->tm_sec;
  // The 61st second of a minute belongs to no other one.
  if (parts->tm_sec >= 60) text_.clear();
}

}  // namespace out
