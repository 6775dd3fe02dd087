// The options that say how a process is to be: those of exec and spawn.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/cli/applet.hpp"
#include "core/cli/process_value.hpp"
#include "core/sys/execute.hpp"

namespace cli {

/// What the options of `process_options` say. The arguments of an applet that has them derive from
/// this.
struct ProcessArgs : core::ProcessAttributes {
  std::optional<std::string> user;
  std::optional<std::string> group;
  std::optional<std::string> groups;
  bool clear_environment = false;
  bool append = false;
  bool dry_run = false;
  std::vector<std::string> words;  ///< the command
};

/// For the rows below.
template <std::size_t Number>
Stored take_stream(std::array<std::optional<core::Redirection>, 3>& to, std::string_view file) {
  to[Number] = core::Redirection{.path = std::string(file)};
  return {};
}

/// The rows, for an applet whose arguments are `Args`.
template <class Args>
constexpr std::array process_options = {
    value<&Args::directory, Args>(0, "chdir", "DIR", "Its current directory", Completes::directory),
    parsed<&Args::environment, take_setenv, Args>(
        0, "setenv", "NAME=VALUE", "A variable of its environment", Completes::variable),
    parsed<&Args::environment, take_unsetenv, Args>(
        0, "unsetenv", "NAME", "A variable that is not in its environment", Completes::variable),
    flag<&Args::clear_environment, Args>("clear-env", "Nothing in its environment but --setenv"),
    value<&Args::argv0, Args>(0, "argv0", "NAME", "Its argv[0], instead of COMMAND"),
    parsed<&Args::umask, take_umask, Args>(0, "umask", "MODE", "Its file mode creation mask"),
    value<&Args::user, Args>(0, "user", "USER",
                             "Its user, for good, and that user's groups, as at a login",
                             Completes::user),
    value<&Args::group, Args>(0, "group", "GROUP", "Its group, for good", Completes::group),
    value<&Args::groups, Args>(0, "groups", "GROUP,...", "Its supplementary groups; '': none",
                               Completes::group),
    value<&Args::nice, Args>(0, "nice", "N", "Added to its nice value"),
    parsed<&Args::limits, take_limit, Args>(0, "limit", "NAME=SOFT[:HARD]",
                                            "A resource limit, as nofile=64 or core=unlimited; "
                                            "osbox getrlimit shows the names"),
    parsed<&Args::streams, take_stream<0>, Args>(0, "stdin", "FILE", "Its standard input",
                                                 Completes::file),
    parsed<&Args::streams, take_stream<1>, Args>(0, "stdout", "FILE", "Its standard output",
                                                 Completes::file),
    parsed<&Args::streams, take_stream<2>, Args>(
        0, "stderr", "FILE", "Its standard error; both into one FILE share it", Completes::file),
    flag<&Args::append, Args>("append", "Write behind what is in these files"),
    value<&Args::close_from, Args>(0, "close-from", "N", "Close its descriptors from N on"),
    flag<&Args::session, Args>("session", "In a session of its own, without a terminal"),
    sets<&Args::process_group, 0, Args>(0, "process-group", "In a process group of its own"),
    flag<&Args::no_new_privileges, Args>("no-new-privs",
                                         "No set-user-ID program gives it rights any more"),
    parsed<&Args::death_signal, take_signal, Args>(
        0, "death-signal", "SIG", "Comes to it when its parent dies", Completes::signal),
    parsed<&Args::ignored_signals, take_action_signals, Args>(
        0, "ignore-signal", "SIG", "A signal that it ignores", Completes::signal),
    parsed<&Args::default_signals, take_action_signals, Args>(
        0, "default-signal", "SIG", "A signal that it does not ignore, though this process does",
        Completes::signal),
    sets<&Args::search, false, Args>(0, "no-search",
                                     "COMMAND is a path, not a name to look for in PATH"),
    flag<&Args::dry_run, Args>("dry-run", "Start nothing; print what would be started, and how"),
};

/// The attributes that `args` ask for, ids looked up. Takes them out of `args`.
std::expected<core::ProcessAttributes, out::Stop> attributes_of(ProcessArgs& args);

}  // namespace cli
