// What the tests of coloured output share.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tests {

/// Sets variables of this process, null: takes them away; for as long as it lives.
class Variables {
 public:
  using Setting = std::pair<const char*, const char*>;

  explicit Variables(const std::vector<Setting>& settings) {
    for (const auto& [name, value] : settings) {
      const char* const before = std::getenv(name);
      before_.emplace_back(name,
                           before != nullptr ? std::optional<std::string>(before) : std::nullopt);
      set(name, value);
    }
  }
  ~Variables() {
    for (const auto& [name, value] : before_) set(name, value ? value->c_str() : nullptr);
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

 private:
  static void set(const char* name, const char* value) {
    if (value != nullptr) {
      ::setenv(name, value, 1);
    } else {
      ::unsetenv(name);
    }
  }

  std::vector<std::pair<const char*, std::optional<std::string>>> before_;
};

/// An environment in which a terminal has the colours of `ls_colors`; null: those built in.
inline std::vector<Variables::Setting> colours(const char* ls_colors) {
  return {{"LS_COLORS", ls_colors}, {"NO_COLOR", nullptr}, {"TERM", "xterm"}};
}

/// `text` without its colours.
inline std::string without_colours(std::string text) {
  for (std::size_t at = 0; (at = text.find("\033[", at)) != text.npos;) {
    const std::size_t end = text.find_first_not_of("0123456789;", at + 2);
    if (end == text.npos || text[end] != 'm') {
      ++at;
    } else {
      text.erase(at, end + 1 - at);
    }
  }
  return text;
}

/// The same with colours written as {01;34}, and {} where they end.
inline std::string with_braces(std::string text) {
  for (std::size_t at = 0; (at = text.find("\033[", at)) != text.npos;) {
    const std::size_t end = text.find('m', at);
    const std::string code = text.substr(at + 2, end - at - 2);
    text.replace(at, end + 1 - at, "{" + (code == "0" ? "" : code) + "}");
  }
  return text;
}

}  // namespace tests
