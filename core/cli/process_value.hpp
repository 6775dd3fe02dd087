// Values of options that are about processes, for rows made by `parsed` and `parsed_operand`.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/cli/option.hpp"
#include "core/sys/environment.hpp"
#include "core/sys/limit.hpp"
#include "core/sys/result.hpp"

namespace cli {

/// What follows where a 0 is no process id, though to Python it is the caller: the number of
/// whoever runs osbox, or what has the same meaning.
inline constexpr const char* the_shell_is = "that of the shell is $$";
inline constexpr const char* none_is_the_caller = "without any it is the caller";

/// An operand that is a process id, of an applet that without any asks about its caller.
core::Result<pid_t> pid_or_none(std::string_view word, const char* call);

/// The same of an option.
Stored take_pid_or_none(pid_t& to, std::string_view text);
/// The ids of processes that are changed.
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
