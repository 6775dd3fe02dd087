// The environment of this process: its entries as they stand.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

/// One change of an environment.
struct EnvironmentChange {
  enum class How : std::uint8_t { set, unset, clear } how = How::set;
  std::string name = {};
  std::string value = {};
};

/// The entries of this process's environment after `changes`, made one after the other. Where a
/// name comes several times, all of its entries are meant: a new value takes the place of the
/// first, and the others go. Entries without a '=' stay. EINVAL of "setenv" or "unsetenv" for a
/// name that cannot be one. setenv(3), unsetenv(3), clearenv(3)
Result<std::vector<std::string>> changed_environment(std::span<const EnvironmentChange> changes);

/// The value of the first entry called `name`; empty where there is none. EINVAL for a name that
/// cannot be one: the empty one, or one with a '='. getenv(3)
Result<std::optional<std::string_view>> getenv(std::string_view name);

}  // namespace core
