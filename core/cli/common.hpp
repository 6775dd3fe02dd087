// The options that applets share, and which applet has which.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/cli/applet.hpp"

namespace cli {

/// What the shared options say.
struct Common {
  out::Style style;
  std::optional<std::string> files0_from;
  std::optional<std::string> beneath;
  bool no_symlinks = false;
  bool help = false;
};

/// A titled part of an applet's options.
struct Section {
  std::string_view title;
  std::span<const Option> options;
  bool shared;  ///< stored into a Common, not into the applet's own arguments
};

/// All options and operands of `applet`, its own first.
std::vector<Section> sections(const Applet& applet);

}  // namespace cli
