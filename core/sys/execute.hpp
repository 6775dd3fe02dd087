// Execute: a program with everything about its process set, in the place of this one or as a child.
#pragma once

#include <sys/types.h>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/sys/affinity.hpp"
#include "core/sys/environment.hpp"
#include "core/sys/fd.hpp"
#include "core/sys/limit.hpp"
#include "core/sys/privilege.hpp"
#include "core/sys/result.hpp"

namespace core {

/// A file that takes the place of a standard stream. It is opened by whoever starts the program,
/// with that one's rights and from that one's directory.
struct Redirection {
  std::string path;
  bool append = false;  ///< writes behind what there is; else what there was is gone
};

/// What is set of a process before it executes a program. What is not said stays as it is, but for
/// SIGPIPE, which has its default action, and the signal mask, which is empty. The order is: signal
/// actions, cgroup, session and process group, streams, limits, nice value, affinity, umask, ids,
/// no_new_privs, death signal, directory, descriptors, mask. What needs privileges comes before
/// they are given up, and what a change of ids takes back after it.
struct ProcessAttributes {
  std::optional<std::string> directory = {};        ///< chdir(2), with the rights of the new ids
  std::vector<EnvironmentChange> environment = {};  ///< in the order given
  std::optional<std::string> argv0 = {};  ///< words[0] of the program, not the file's name
  std::optional<mode_t> umask = {};
  Ids ids = {};
  std::optional<int> nice = {};  ///< added to the nice value. setpriority(2)
  std::optional<CpuSet> affinity = {};
  std::vector<LimitChange> limits = {};
  std::array<std::optional<Redirection>, 3> streams = {};  ///< standard input, output and error
  std::optional<unsigned> close_from = {};                 ///< descriptors from this one on
  bool session = false;                                    ///< setsid(2)
  std::optional<pid_t> process_group = {};                 ///< setpgid(2); 0: one of its own
  bool no_new_privileges = false;                          ///< PR_SET_NO_NEW_PRIVS
  int death_signal = 0;  ///< comes when the parent dies. PR_SET_PDEATHSIG
  std::vector<int> ignored_signals = {};
  std::vector<int> default_signals = {};
  bool search = true;  ///< a command without a slash is looked for in PATH, as by execvp(3)
};

/// Where a child begins its life, beside what its program asks for.
struct Placement {
  std::optional<FdRef> cgroup = {};    ///< the cgroup.procs of the group to join, open for writing
  std::optional<FdRef> terminal = {};  ///< whose foreground process group its own is to be
  int ignored_signal = 0;              ///< one that it ignores, though its parent does not any more
  int default_signal = 0;              ///< one that it does not ignore, though its parent may
  int death_signal = 0;                ///< as the attribute, where that is not set
};

/// A program and its attributes, made ready: what needs memory is done, and nothing is changed yet.
class Program {
 public:
  /// Makes the environment and the paths to try. `words` are the command and its arguments; one at
  /// least.
  static Result<Program> prepare(std::vector<std::string> words, ProcessAttributes attributes);

  Program(Program&&) noexcept;
  ~Program();

  /// Opens the files of its streams, which takes as long as it takes where one is a FIFO. `exec`
  /// and `spawn` do so themselves; this is for who holds signals back by then.
  Result<void> open_streams();
  /// Closes them, where it is another process that has a use for them. `spawn` does so itself.
  void close_streams();

  /// The paths that are tried, in order: one, or one for each directory of PATH.
  std::span<const std::string> candidates() const;
  /// What the program gets: argv, and its environment, each with a null pointer behind it.
  std::span<char* const> arguments() const;
  std::span<char* const> environment() const;
  const ProcessAttributes& attributes() const;

 private:
  friend Error exec(Program& program);
  friend Result<pid_t> spawn(Program& program, const Placement& placement);
  struct Ready;
  explicit Program(std::unique_ptr<Ready> ready);
  std::unique_ptr<Ready> ready_;
};

/// Becomes `program`: the same process, with another program in it. Comes back only where a step
/// failed, which the error names by its call: "exec" where the program itself could not be
/// executed, with a note on what is missing. Standard error is what it was then. execve(2)
Error exec(Program& program);

/// Starts `program` as a child and comes back once it runs, or with the error of the step that
/// failed, as `exec`, and no child. Signals are held back meanwhile. vfork(2), execve(2)
Result<pid_t> spawn(Program& program, const Placement& placement = {});

/// The exit status that says why a program did not start: 127 where it was not found, 126 where it
/// was and could not be executed, 125 where another step failed.
int unstarted_status(const Error& error);

}  // namespace core
