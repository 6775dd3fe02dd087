// Values of options that are about processes, for rows made by `parsed` and `parsed_operand`.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/cli/option.hpp"
#include "core/sys/environment.hpp"
#include "core/sys/limit.hpp"

namespace cli {

/// The id of one process.
Stored take_pid(pid_t& to, std::string_view text);
Stored take_pids(std::vector<pid_t>& to, std::string_view text);

/// A signal by name or number, 0 not among them.
Stored take_signal(int& to, std::string_view text);
/// One whose action can be set: neither SIGKILL nor SIGSTOP.
Stored take_action_signals(std::vector<int>& to, std::string_view text);

/// A umask: octal, what new files do not get; or symbolic, what they may get, to begin with what
/// the umask of this process lets through. Set-ids and the sticky bit, which umask(2) would drop
/// without a word, are wrong.
Stored take_umask(std::optional<mode_t>& to, std::string_view text);

/// NAME=SOFT[:HARD]
Stored take_limit(std::vector<core::LimitChange>& to, std::string_view text);

/// NAME=VALUE, and NAME
Stored take_setenv(std::vector<core::EnvironmentChange>& to, std::string_view text);
Stored take_unsetenv(std::vector<core::EnvironmentChange>& to, std::string_view name);

}  // namespace cli
