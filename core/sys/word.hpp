// Words that are the same in any case.
#pragma once

#include <strings.h>

#include <string_view>

namespace core {

/// True where `a` and `b` differ in nothing but the case of their letters, ASCII's alone.
inline bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace core
