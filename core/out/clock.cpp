#include "core/out/clock.hpp"

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
  ::clock_gettime(CLOCK_REALTIME, &time);
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

}  // namespace

void append_clock(std::string& to, core::Time time) {
  const auto parts = local(time.seconds);
  if (!parts) {
    append_number(to, time.seconds);
    to += '.';
    append_padded(to, time.nanoseconds, 9, '0');
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
