// Lines of metadata as ls -l has them: all that stands in front of a name.
#pragma once

#include <cstdint>
#include <string>

#include "core/out/clock.hpp"
#include "core/sys/account.hpp"
#include "core/sys/stat.hpp"

namespace out {

/// One of the times of a file.
enum class FileTime : std::uint8_t { mtime, atime, ctime, birthtime };

/// What stat must be asked for.
core::Want want_of(FileTime which);

/// That time of `stat`; long before all others where it is not known.
core::Time time_of(const core::Stat& stat, FileTime which);

/// Adds `size` in powers of 1024, rounded up: "999", "1.0K", "12M".
void append_human(std::string& to, std::uint64_t size);

/// The columns of lines that are shown together: first all files are measured, then each is added.
class LongLines {
 public:
  struct How {
    bool human = false;    ///< sizes as append_human has them
    bool numeric = false;  ///< numbers of users and groups, not their names
    FileTime time = FileTime::mtime;
  };
  explicit LongLines(How how) : how_(how) {}

  /// What stat must be asked for.
  core::Want want() const;

  /// Forgets what was measured.
  void clear() { widths_ = {}; }
  /// Makes the columns wide enough for `stat`, and counts its blocks.
  void measure(const core::Stat& stat);

  /// Adds the size of all that was measured: in KiB, or as append_human has it.
  void append_total(std::string& to) const;
  /// Adds mode, links, owner, group, size and time, each with a blank behind it.
  void append(std::string& to, const core::Stat& stat);
  /// The same with question marks, of a file of which only the type is known.
  void append_unknown(std::string& to, core::Type type) const;

 private:
  struct Widths {
    std::size_t nlink = 0, user = 0, group = 0, size = 0, major = 0, minor = 0;
    std::uint64_t blocks = 0;
  };

  const std::string& user(uid_t uid) { return how_.numeric ? number(uid) : accounts_.user(uid); }
  const std::string& group(gid_t gid) { return how_.numeric ? number(gid) : accounts_.group(gid); }
  const std::string& number(std::uint32_t id);
  void append_size(std::string& to, const core::Stat& stat);

  How how_;
  Widths widths_;
  ShortClock clock_;
  core::Accounts accounts_;
  std::string number_;  ///< memory for digits
};

}  // namespace out
