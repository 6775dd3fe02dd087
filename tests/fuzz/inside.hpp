// Applets in this process, where they can do no harm: in a root directory of their own, an empty
// file system in memory that nobody else sees and from which no path leads out. All other file
// systems are read-only for this process besides, so that no mistake here can reach them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/sys/stat.hpp"

namespace fuzz {

/// While one of these lives, the root and the current directory are an empty directory; in the end
/// all that is in it is gone. No more than one at a time. Without the right to have that, which is
/// root's, or anybody's where there are user namespaces, the process ends with status 77: skipped.
class Inside {
 public:
  Inside();
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
};

/// What is in the root directory: a line of each name, in byte order.
std::string picture();
std::string line_of(std::string_view path, core::Type type, mode_t mode, std::size_t links,
                    off_t size, std::string_view target);

/// How a run ended.
struct Ran {
  int status = 0;
  std::string out;
  std::string err;
};

/// Runs an applet, while there is an Inside: `osbox({"stat", "-L", path})`. What it may never
/// change in a process that lives on, or leave open, is checked.
Ran osbox(std::span<const std::string_view> words, bool terminal = false);

}  // namespace fuzz
