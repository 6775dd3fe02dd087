#include "core/sys/signal_name.hpp"

#include <charconv>
#include <csignal>
#include <cstring>
#include <vector>

#include "core/sys/word.hpp"

namespace core {
namespace {

/// Digits and nothing else.
std::optional<int> digits(std::string_view text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number < 0) return std::nullopt;
  return number;
}

/// `text` as `word`, which stands for `base`, or as word, `sign` and how far from there.
std::optional<int> real_time(std::string_view text, std::string_view word, int base, char sign) {
  if (!same_word(text.substr(0, word.size()), word)) return std::nullopt;
  text.remove_prefix(word.size());
  if (text.empty()) return base;
  const auto step = text[0] == sign ? digits(text.substr(1)) : std::nullopt;
  if (!step || *step > SIGRTMAX - SIGRTMIN) return std::nullopt;
  return sign == '+' ? base + *step : base - *step;
}

}  // namespace

std::string signal_name(int number) {
  if (number >= SIGRTMIN && number <= SIGRTMAX) {
    if (number == SIGRTMIN) return "SIGRTMIN";
    if (number == SIGRTMAX) return "SIGRTMAX";
    return "SIGRTMIN+" + std::to_string(number - SIGRTMIN);
  }
  const char* const name = number > 0 ? ::sigabbrev_np(number) : nullptr;
  return name == nullptr ? std::string() : std::string("SIG") + name;
}

std::string_view signal_message(int number) {
  const char* const message = number > 0 ? ::sigdescr_np(number) : nullptr;
  return message == nullptr ? std::string_view() : message;
}

std::optional<int> signal_number(std::string_view text) {
  if (const auto number = digits(text)) {
    if (*number == 0 || !signal_name(*number).empty()) return number;
    return std::nullopt;
  }
  if (same_word(text.substr(0, 3), "SIG")) text.remove_prefix(3);
  if (const auto number = real_time(text, "RTMIN", SIGRTMIN, '+')) return number;
  if (const auto number = real_time(text, "RTMAX", SIGRTMAX, '-')) return number;
  for (int number = 1; number < SIGRTMIN; ++number) {
    const char* const name = ::sigabbrev_np(number);
    if (name != nullptr && same_word(text, name)) return number;
  }
  // Two that share their numbers with others.
  if (same_word(text, "IOT")) return SIGABRT;
  if (same_word(text, "IO")) return SIGPOLL;
  if (same_word(text, "CLD")) return SIGCHLD;
  return std::nullopt;
}

std::span<const std::string_view> signal_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (int number = 1; number < SIGRTMIN; ++number) {
      if (const char* const name = ::sigabbrev_np(number)) all.emplace_back(name);
    }
    return all;
  }();
  return names;
}

}  // namespace core
