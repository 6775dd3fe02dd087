#include "core/cli/process_value.hpp"

#include <sys/stat.h>

#include <csignal>

#include "core/sys/process.hpp"
#include "core/sys/signal_name.hpp"

namespace cli {
namespace {

/// `instead_of_zero` is what stands for the caller.
core::Result<pid_t> read_pid(std::string_view word, const char* call, const char* instead_of_zero) {
  auto pid = core::read_pid(word, call);
  if (!pid && word == "0") pid.error().note = core::joined_notes(pid.error().note, instead_of_zero);
  return pid;
}

Stored take_pid(pid_t& to, std::string_view text, const char* instead_of_zero) {
  const auto pid = read_pid(text, "", instead_of_zero);
  if (!pid) return std::unexpected(pid.error().note);
  to = *pid;
  return {};
}

}  // namespace

core::Result<pid_t> pid_or_none(std::string_view word, const char* call) {
  return read_pid(word, call, none_is_the_caller);
}

Stored take_pid_or_none(pid_t& to, std::string_view text) {
  return take_pid(to, text, none_is_the_caller);
}

Stored take_pids(std::vector<pid_t>& to, std::string_view text) {
  return take_pid(to.emplace_back(), text, the_shell_is);
}

Stored take_signal(int& to, std::string_view text) {
  const auto number = core::signal_number(text);
  if (!number || *number == 0) return std::unexpected("no such signal");
  to = *number;
  return {};
}

Stored take_action_signals(std::vector<int>& to, std::string_view text) {
  TRY(take_signal(to.emplace_back(), text));
  if (to.back() == SIGKILL || to.back() == SIGSTOP) {
    return std::unexpected("its action cannot be changed");
  }
  return {};
}

Stored take_umask(std::optional<mode_t>& to, std::string_view text) {
  constexpr mode_t all = S_IRWXU | S_IRWXG | S_IRWXO;
  auto mode = core::Mode::parse(text);
  if (!mode) return std::unexpected(std::move(mode).error());
  if ((mode->apply(0, false, 0) & ~all) != 0) {
    return std::unexpected(mode->is_absolute() ? "greater than 777"
                                               : "a umask has neither set-ids nor a sticky bit");
  }
  to = mode->is_absolute() ? mode->absolute()
                           : all & ~mode->apply(all & ~core::get_umask(), false, 0);
  return {};
}

Stored take_limit(std::vector<core::LimitChange>& to, std::string_view text) {
  auto change = core::LimitChange::parse(text);
  if (!change) return std::unexpected(std::move(change).error());
  to.push_back(*std::move(change));
  return {};
}

Stored take_setenv(std::vector<core::EnvironmentChange>& to, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos || equals == 0) return std::unexpected("not NAME=VALUE");
  to.push_back(
      {.name = std::string(text.substr(0, equals)), .value = std::string(text.substr(equals + 1))});
  return {};
}

Stored take_unsetenv(std::vector<core::EnvironmentChange>& to, std::string_view name) {
  if (name.empty() || name.find('=') != name.npos) {
    return std::unexpected("not the name of a variable");
  }
  to.push_back({.how = core::EnvironmentChange::How::unset, .name = std::string(name)});
  return {};
}

}  // namespace cli
