// What an applet says of itself, from its table: --help, and its manual page. And the tour.
#pragma once

#include <string>
#include <string_view>

#include "core/cli/applet.hpp"

namespace cli {

/// How wide a text is on a screen of so many columns: 80 at most, and 40 at least.
std::size_t page_width(std::size_t columns);

/// Adds `text` to the line that `to` ends with, and in further lines of at most `width` columns
/// behind `indent` blanks.
void append_wrapped(std::string& to, std::string_view text, std::size_t indent, std::size_t width);

/// A line of a two-column list: `label`, then `text` from column `indent` on.
void append_entry(std::string& to, std::string_view label, std::string_view text,
                  std::size_t indent, std::size_t width);

/// The text of --help for a screen of so many columns. `name` is how the applet was called.
std::string help_page(const Applet& applet, std::string_view name, std::size_t columns);

/// The manual page osbox-APPLET(1), in mdoc.
std::string manual_page(const Applet& applet);

/// The text of osbox-tour(7), made from man/osbox-tour.7 when osbox is built.
extern const std::string_view tour;

}  // namespace cli
