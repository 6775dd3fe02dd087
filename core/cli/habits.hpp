// Habits: what people type who come from other tools, or from Python, and what they want here.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cli {

/// A word that is none here.
struct Habit {
  std::string_view applet;  ///< whose word it is; empty: any applet's, or the name of an applet
  /// As it is typed: "-maxdepth"; empty: any that is not known; "--format=%s" stands for every text
  /// with a directive in the place of a template.
  std::string_view word;
  std::string_view instead;
};

/// All of them, sorted by applet and word. Nothing but a failure looks at them.
extern const std::span<const Habit> habits;

/// " (use unlink for a file)": what is used instead of `word`, which means nothing to `applet`; or
/// nothing. The word "" asks what is said of any.
std::string use_instead(std::string_view applet, std::string_view word);

}  // namespace cli
