// Which applet a command line means, and the words that belong to osbox itself.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "core/cli/applet.hpp"

namespace cli {

/// All applets, sorted by name.
using Registry = std::span<const Applet* const>;

/// An applet, and what its name stands for.
struct Found {
  const Applet* applet = nullptr;
  const Alias* alias = nullptr;  ///< where the name is one

  std::string_view name() const { return alias != nullptr ? alias->name : applet->name; }
  std::string_view summary() const { return alias != nullptr ? alias->summary : applet->summary; }
};

/// The applet or alias called `name`; no applet where there is none.
Found find(Registry registry, std::string_view name);

/// What a program of this name runs, as its link says: the applet `stat` for "/bin/stat", "os-stat"
/// and "osbox-stat". No applet for osbox itself and for a name that means nothing.
Found find_by_link(Registry registry, std::string_view program);

/// True where a program of this name is osbox itself, which looks for the applet in its first word.
bool is_osbox(std::string_view program);

/// The words that osbox itself takes in place of an applet's name.
struct OwnWord {
  std::string_view word;
  std::string_view summary;
};
extern const std::span<const OwnWord> own_words;

/// Every applet and alias, sorted by name.
std::vector<Found> all(Registry registry);

/// Runs a whole command line, words[0] being argv[0], and says the exit status: 127 where there is
/// no such applet. `install` is what runs for --install.
int dispatch(Registry registry, const Applet& install, std::span<const std::string_view> words,
             out::Io& io);

}  // namespace cli
