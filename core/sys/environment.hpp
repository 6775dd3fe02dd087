// The environment of this process: its entries as they stand.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/sys/result.hpp"

namespace core {

/// One entry, taken apart at its first '='. Whoever called execve(2) may have put in any text:
/// without a '=', with an empty name, or with a name that came before.
struct Variable {
  std::string_view name;
  std::optional<std::string_view> value;  ///< empty where the entry has no '='

  static Variable of(std::string_view entry);
};

/// All entries in their order, none left out, for as long as nobody changes them. environ(7)
std::span<const char* const> environment();

/// The value of the first entry called `name`; empty where there is none. EINVAL for a name that
/// cannot be one: the empty one, or one with a '='. getenv(3)
Result<std::optional<std::string_view>> getenv(std::string_view name);

}  // namespace core
