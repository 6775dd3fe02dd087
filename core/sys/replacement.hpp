// Replacement: a new file under a temporary name, until it takes the place of the old one.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/sys/fd.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/result.hpp"
#include "core/sys/signal.hpp"
#include "core/sys/stat.hpp"

namespace core {

/// The note of an error that came when the new file had its name.
inline constexpr const char* in_place = "the new file is in place";

/// How a file is replaced.
struct ReplaceHow {
  bool sync = true;    ///< the new file is on the disk before it has the name, and so is the name
  bool owner = true;   ///< user and group are kept, or it is a failure
  bool xattrs = true;  ///< extended attributes and access control lists likewise
  std::optional<std::string> backup = {};  ///< another name for the old file; EEXIST if it is there
};

/// A second name for the file that is about to lose its own, and taken away again unless it did.
class Backup {
 public:
  Backup() = default;
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;
  ~Backup();

  /// Finds the directory of `path`, the name that the file `of` is to have too. open(2)
  Result<void> begin(Path of, Path path, At at);
  /// Gives it to what `name` in `directory` stands for; what is not there needs no backup. EBUSY
  /// where another file has one of the two names meanwhile. link(2), and with `sync` fsync(2)
  Result<void> make(FdRef directory, const std::string& name, bool sync);
  bool made() const { return made_.has_value(); }
  /// What it keeps: what has the name now; none where it was not made.
  const std::optional<Stat>& file() const { return made_; }
  void keep() { kept_ = made(); }
  bool kept() const { return kept_; }
  /// Takes it away again, unless it is kept; false where it is left behind. unlink(2)
  bool take_away();

 private:
  std::string of_;
  std::string path_;
  Parent parent_;
  std::optional<Stat> made_;
  bool kept_ = false;
};

/// fsync(2); where the file system knows no such thing, all of it. syncfs(2)
Result<void> fsync_or_syncfs(FdRef fd);

/// A directory that is to be on the disk as it is.
class SyncedDirectory {
 public:
  /// Opens `directory` for it, before anything is changed that could not be undone. open(2)
  Result<void> begin(FdRef directory);
  /// Where the directory cannot be read, or knows no fsync, all of the file system it is on, which
  /// `file`, where it is open, is on too. fsync(2), syncfs(2), sync(2)
  Result<void> sync(const Fd& file) const;

 private:
  Fd directory_;
};

/// The replacement of one file, in steps: `begin`, `file` or another that makes the new one under a
/// temporary name in the directory of the old one, its content, `keep`, `commit`. Until that is
/// done, its end takes the new file away again, and the old one is untouched. Signals that would
/// end the process are held back from the start. Errors name the path that `begin` got.
class Replacement {
 public:
  explicit Replacement(const ReplaceHow& how) : how_(&how) {}
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;
  ~Replacement();

  /// Finds what `path` is and the directory it is in, and opens what `commit` will need. EISDIR for
  /// a directory; with a slash behind the name ENOTDIR, and EBUSY for ".", as of rename(2).
  Result<void> begin(Path path, At at);
  /// What has the name, itself; none where nothing has it.
  const std::optional<Stat>& old() const { return old_; }

  /// Makes a new file, empty, that nobody else may open (0600). open(2)
  Result<void> file();
  /// Makes a new symbolic link. symlink(2)
  Result<void> symlink(const std::string& target);
  /// Makes a new FIFO or device, of the type in `mode`. mknod(2)
  Result<void> node(mode_t mode, dev_t device);

  /// The new file; one that `file` made can be written to.
  FdRef made() const { return file_; }

  /// Gives the new file what the old one, which is looked for again, has of owner, extended
  /// attributes and mode. Where there is none, or it is no regular file, the mode is that of any
  /// file that is made here.
  Result<void> keep();
  /// Gives it what `file`, opened with O_PATH perhaps, has of them. Where the owner is given up and
  /// is another one now, set-user-id and set-group-id are too; another group may do no more than
  /// everybody may.
  Result<void> keep(FdRef file, const Stat& stat);
  /// Sets the times. utimensat(2)
  Result<void> set_times(Time access, Time modification);

  /// Brings the new file to the disk. fsync(2)
  Result<void> sync();
  /// Puts it into its place. An error that came after that has a note which says so. EBUSY where
  /// what it replaces is not what the backup keeps, which rename(2) alone cannot tell. link(2),
  /// renameat2(2), rename(2), fsync(2)
  Result<void> commit();
  /// Takes away what was made, but for what is in its place; what is left behind, `error` tells.
  void undo(Error& error);

  bool backed_up() const { return backup_.kept(); }
  HeldSignals& held() { return held_; }
  /// The error with the path that `begin` got.
  std::unexpected<Error> failed(Error error) const;

 private:
  Result<void> look();
  template <class Make>
  Result<void> make(const char* call, Make make);
  Result<void> keep_owner(const Stat& stat, mode_t& mode);
  Result<void> keep_xattrs(FdRef from);
  Result<void> set_mode(mode_t mode);
  Result<mode_t> mode_of_new() const;

  HeldSignals held_;  // the last to go
  const ReplaceHow* how_;
  std::string path_;
  Parent parent_;
  SyncedDirectory directory_;
  std::optional<Stat> old_;
  Fd old_file_;            ///< with O_PATH, where it is a regular file
  std::string temporary_;  ///< the name of the new file, until it has the other one
  Fd file_;                ///< the new file, to be written to; with O_PATH if it is no regular file
  Stat first_;             ///< what it was like at first
  Backup backup_;
};

}  // namespace core
