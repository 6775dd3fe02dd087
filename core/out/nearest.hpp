// "Did you mean": the words nearest to one that is not known.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace out {

/// Of `known`, those that a slip of the fingers away from `word`, nearest first, three at most. A
/// letter more, less, changed or swapped counts one; two of them make another word of a short one.
std::vector<std::string_view> nearest(std::string_view word,
                                      std::span<const std::string_view> known);

/// " (did you mean a, b?)", or nothing. `before` stands in front of each: "--" for options.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known,
                         std::string_view before = {});

}  // namespace out
