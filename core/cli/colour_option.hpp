// --color, of every applet that colours names.
#pragma once

#include "core/cli/option.hpp"
#include "core/out/colour.hpp"

namespace cli {

inline constexpr Word<out::ColourWhen> colour_words[] = {
    {"auto", out::ColourWhen::automatic},
    {"always", out::ColourWhen::always},
    {"never", out::ColourWhen::never},
};

/// Takes one of them into a ColourWhen, for Colours::asked.
template <auto Member, class Args = detail::Owner<Member>>
constexpr Option colour() {
  return choice<Member, colour_words, Args>(0, "color", "WHEN",
                                            "Colour names; 'always' when left out", "always");
}

}  // namespace cli
