// What an applet says of itself, from its table: --help, and its manual page. And the tour.
#pragma once

#include <string>
#include <string_view>

#include "core/cli/applet.hpp"

namespace cli {

/// The text of --help for a screen of so many columns; of 80 at most, and as of 40 on a smaller
/// one. `name` is how the applet was called.
std::string help_page(const Applet& applet, std::string_view name, std::size_t columns);

/// The manual page osbox-APPLET(1), in mdoc.
std::string manual_page(const Applet& applet);

/// The text of osbox-tour(7), made from man/osbox-tour.7 when osbox is built.
extern const std::string_view tour;

}  // namespace cli
