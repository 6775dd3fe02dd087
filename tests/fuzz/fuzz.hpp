// What every fuzzing target shares. A target is a file that defines `run`; libFuzzer makes its
// inputs, or, in a build without it, they are those of its corpus.
#pragma once

#include <string_view>

namespace fuzz {

/// Does what this target does with one input; leaves by an exception where a promise is broken.
void run(std::string_view input);

/// Throws where `holds` is false, with the promise and what `about` says.
void check(bool holds, std::string_view promise, std::string_view about = {});

/// True where `text` is lines that a terminal shows and does not obey.
bool visible_lines(std::string_view text);

/// Takes what is in front of the first `end` in `text` off it, and that `end`; all where there is
/// none.
std::string_view take_until(std::string_view& text, char end);

}  // namespace fuzz
