// Completion: what could stand at the cursor, asked by the scripts in completions/.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/cli/dispatch.hpp"

namespace cli {

/// `words` are the command line up to the cursor, the name of the program first, the word to be
/// completed, which may be empty, last. A candidate a line, with a tab and a description behind it;
/// the line ":files" or ":directories" asks the shell for names of its own, ":commands" for
/// commands, ":command N" for what may follow in the command line of another program that begins
/// behind the first N of `words`.
std::string completions(Registry registry, const Applet& install,
                        std::span<const std::string_view> words);

}  // namespace cli
