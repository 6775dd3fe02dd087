// The program that runs: where its own file is.
#pragma once

#include <string>

#include "core/sys/result.hpp"

namespace core {

/// The absolute path of the file this process was started from, no link in it. Without /proc, the
/// path that was given to execve(2), resolved now. A file deleted since is not there any more under
/// its path. readlink(2) of /proc/self/exe
Result<std::string> program_path();

}  // namespace core
