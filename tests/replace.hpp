// What the tests of replace share.
#pragma once

#include <string>
#include <vector>

#include "core/sys/stat.hpp"
#include "tests/harness.hpp"

namespace tests {

using Names = std::vector<std::string>;

/// Runs the real osbox with standard input.
inline Ran from_stdin(const Words& words, const std::string& input = "new\n",
                      const std::vector<Denied>& denied = {}, bool as_nobody = false) {
  Command command{.words = {binary(), "replace", "--stdin"},
                  .input = input,
                  .as_nobody = as_nobody,
                  .denied = denied};
  command.words.insert(command.words.end(), words.begin(), words.end());
  return run(command);
}

inline mode_t mode_of(const std::string& path) { return core::lstat(path)->mode & 07777; }

/// A directory on another file system than /tmp.
struct Elsewhere {
  Scratch here{"/tmp"};
  Scratch there{"/dev/shm"};
  Elsewhere() { REQUIRE(core::stat(here.path())->dev != core::stat(there.path())->dev); }
};

/// Runs `script` of Python as `python`, with osbox and `arguments` behind it, in `directory`.
inline Ran python_in(const std::string& directory, const std::string& script,
                     const Words& arguments = {}, const std::vector<Denied>& denied = {}) {
  Command command{
      .words = {"python3", "-c", script, binary()}, .directory = directory, .denied = denied};
  command.words.insert(command.words.end(), arguments.begin(), arguments.end());
  return run(command);
}

}  // namespace tests
