#include "core/sys/error.hpp"

#include <cerrno>
#include <cstring>

namespace core {
namespace {

struct Alias {
  std::string_view name;
  int number;
};

constexpr Alias aliases[] = {
    {"EWOULDBLOCK", EWOULDBLOCK},
    {"EDEADLOCK", EDEADLOCK},
    {"ENOTSUP", ENOTSUP},
};

}  // namespace

std::string joined_notes(const std::string& note, const std::string& more) {
  return note.empty() || more.empty() ? note + more : note + "; " + more;
}

std::string_view error_name(int number) {
  const char* name = number > 0 ? ::strerrorname_np(number) : nullptr;
  return name != nullptr ? name : std::string_view();
}

std::string_view error_message(int number) {
  const char* text = number > 0 ? ::strerrordesc_np(number) : nullptr;
  return text != nullptr ? text : std::string_view();
}

std::string_view error_alias(int number) {
  for (const Alias& alias : aliases) {
    if (alias.number == number) return alias.name;
  }
  return {};
}

std::optional<int> error_number(std::string_view name) {
  if (name.empty()) return std::nullopt;
  for (const Alias& alias : aliases) {
    if (alias.name == name) return alias.number;
  }
  for (int number = 1; number <= max_error_number; ++number) {
    if (error_name(number) == name) return number;
  }
  return std::nullopt;
}

}  // namespace core
