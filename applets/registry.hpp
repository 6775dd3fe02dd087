// The table of all applets, made from the list in applets/meson.build.
#pragma once

#include "core/cli/dispatch.hpp"

namespace applets {

/// Sorted by name.
extern const cli::Registry registry;

/// What `osbox --install` runs.
extern const cli::Applet install;

}  // namespace applets
