#include "core/out/percent.hpp"

#include <charconv>

#include "core/out/number.hpp"
#include "core/out/quote.hpp"

namespace out {
namespace {

/// Adds `digits` behind `sign` (and 0x), filled up to the width.
void append_filled(std::string& to, const Percent& how, std::string_view sign,
                   std::string_view digits, bool zeros) {
  const std::size_t length = sign.size() + digits.size();
  const std::size_t fill = how.width > length ? how.width - length : 0;
  if (!how.left && !zeros) to.append(fill, ' ');
  to += sign;
  if (!how.left && zeros) to.append(fill, '0');
  to += digits;
  if (how.left) to.append(fill, ' ');
}

std::string_view sign_of(const Percent& how, bool negative) {
  if (negative) return "-";
  if (how.plus) return "+";
  return how.blank ? " " : "";
}

/// The digits of `number`, at least as many as the precision asks for.
std::string digits_of(const Percent& how, std::uint64_t number, int base) {
  char text[24];
  std::string digits(text, std::to_chars(text, text + sizeof text, number, base).ptr);
  if (!how.precision) return digits;
  const std::size_t least = *how.precision == Percent::all ? 0 : *how.precision;
  if (least == 0 && number == 0) digits.clear();
  if (digits.size() < least) digits.insert(0, least - digits.size(), '0');
  return digits;
}

}  // namespace

std::expected<std::vector<Percent>, std::string> parse_percent(std::string_view format) {
  std::vector<Percent> all;
  Percent next;
  for (std::size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%' || at + 1 == format.size()) {
      next.before += format[at];
      continue;
    }
    const std::size_t begin = at++;
    if (format[at] == '%') {
      next.before += '%';
      continue;
    }
    for (; at < format.size(); ++at) {
      const char flag = format[at];
      if (flag == '-') {
        next.left = true;
      } else if (flag == '0') {
        next.zero = true;
      } else if (flag == '+') {
        next.plus = true;
      } else if (flag == ' ') {
        next.blank = true;
      } else if (flag == '#') {
        next.alternate = true;
      } else if (flag != '\'' && flag != 'I') {  // both of them are a locale's
        break;
      }
    }
    const auto take_number = [&](std::size_t& number) {
      const char* const end = format.data() + format.size();
      const auto taken = std::from_chars(format.data() + at, end, number);
      const bool fits = taken.ec != std::errc::result_out_of_range && number <= widest;
      at = static_cast<std::size_t>(taken.ptr - format.data());
      return fits;
    };
    bool fits = take_number(next.width);
    if (at < format.size() && format[at] == '.') {
      ++at;
      std::size_t precision = 0;
      const std::size_t digits = at;
      fits = take_number(precision) && fits;
      next.precision = at == digits ? Percent::all : precision;
    }
    if (at + 1 < format.size() && (format[at] == 'H' || format[at] == 'L')) {
      next.modifier = format[at++];
    }
    if (!fits) return std::unexpected(quoted(format.substr(begin, at - begin)) + " is too wide");
    if (at >= format.size() || format[at] == '%') {
      return std::unexpected("no letter in " + quoted(format.substr(begin, at - begin)));
    }
    next.letter = format[at];
    all.push_back(std::exchange(next, {}));
  }
  if (!next.before.empty()) all.push_back(std::move(next));
  return all;
}

void append_percent(std::string& to, const Percent& how, std::string_view text) {
  if (how.precision) text = text.substr(0, *how.precision == Percent::all ? 0 : *how.precision);
  append_filled(to, how, "", text, false);
}

void append_percent(std::string& to, const Percent& how, std::uint64_t number, int base) {
  std::string digits = digits_of(how, number, base);
  std::string_view prefix;
  if (how.alternate && base == 8 && !digits.starts_with('0')) digits.insert(0, 1, '0');
  if (how.alternate && base == 16 && number != 0) prefix = "0x";
  append_filled(to, how, prefix, digits, how.zero && !how.precision);
}

void append_percent(std::string& to, const Percent& how, std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  append_filled(to, how, sign_of(how, number < 0), digits_of(how, number < 0 ? 0 - bits : bits, 10),
                how.zero && !how.precision);
}

void append_percent(std::string& to, const Percent& how, core::Time time) {
  std::size_t places = how.precision.value_or(0);
  if (places == Percent::all) places = 9;
  if (places == 0) {
    Percent whole = how;
    whole.precision.reset();
    append_percent(to, whole, time.seconds);
    return;
  }
  const Distance distance = from_epoch(time);
  std::string digits;
  append_number(digits, distance.seconds);
  digits += '.';
  append_fraction(digits, distance.nanoseconds);
  if (places < 9) {
    digits.resize(digits.size() - (9 - places));
  } else {
    digits.append(places - 9, '0');
  }
  append_filled(to, how, sign_of(how, distance.before), digits, how.zero);
}

}  // namespace out
