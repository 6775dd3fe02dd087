// Lines of metadata as ls -l has them: all that stands in front of a name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/out/clock.hpp"
#include "core/sys/account.hpp"
#include "core/sys/stat.hpp"

namespace out {

/// One of the times of a file.
enum class FileTime : std::uint8_t { mtime, atime, ctime, birthtime };

/// What stat must be asked for.
core::Want want_of(FileTime which);

/// What a line tells of a file, with one of its times: a third of a Stat, since a directory may
/// have a great many.
struct LineFacts {
  core::Type type = core::Type::unknown;
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t ino = 0;
  std::uint64_t nlink = 0;
  std::uint64_t size = 0;
  std::uint64_t blocks = 0;
  std::uint64_t rdev = 0;
  core::Time time = no_time;

  /// Long before all others: where a file system keeps no birth time.
  static constexpr core::Time no_time{.seconds = INT64_MIN};

  LineFacts() = default;
  LineFacts(const core::Stat& stat, FileTime which);
};

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
  /// Makes the columns wide enough for `file`, and counts its blocks.
  void measure(const LineFacts& file);

  /// Adds the size of all that was measured: in KiB, or as append_human has it.
  void append_total(std::string& to) const;
  /// Adds mode, links, owner, group, size and time, each with a blank behind it.
  void append(std::string& to, const LineFacts& file);
  /// The same with question marks, of a file of which only the type is known.
  void append_unknown(std::string& to, core::Type type) const;

 private:
  struct Widths {
    std::size_t nlink = 0, user = 0, group = 0, size = 0, major = 0, minor = 0;
    std::uint64_t blocks = 0;
  };

  /// The name of a user or a group: most files have those of the one before.
  struct Account {
    std::optional<std::uint32_t> id;
    std::string name;
    std::size_t width = 0;
  };
  const Account& user(uid_t uid) {
    if (user_.id != uid) set(user_, uid, how_.numeric ? nullptr : &accounts_.user(uid));
    return user_;
  }
  const Account& group(gid_t gid) {
    if (group_.id != gid) set(group_, gid, how_.numeric ? nullptr : &accounts_.group(gid));
    return group_;
  }
  static void set(Account& account, std::uint32_t id, const std::string* name);
  static void append_account(std::string& to, const Account& account, std::size_t width);
  void append_size(std::string& to, const LineFacts& file);

  How how_;
  Widths widths_;
  ShortClock clock_;
  core::Accounts accounts_;
  Account user_;
  Account group_;
  std::string number_;  ///< memory for digits
};

}  // namespace out
