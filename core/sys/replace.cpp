#include "core/sys/replace.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/sys/backend.hpp"
#include "core/sys/copy.hpp"
#include "core/sys/metadata.hpp"
#include "core/sys/mode.hpp"
#include "core/sys/xattr.hpp"

namespace core {
namespace {

constexpr const char* in_place = "the new file is in place";

/// How a file is opened that may turn out to be a FIFO or a device.
constexpr int to_read = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

bool same_file(const Stat& a, const Stat& b) { return a.ino == b.ino && a.dev == b.dev; }

bool changed(const Stat& before, const Stat& after) {
  return !same_file(before, after) || before.size != after.size || before.mtime != after.mtime ||
         before.ctime != after.ctime;
}

Result<void> fsync(FdRef fd) {
  while (::fsync(fd.number()) != 0) {
    if (errno != EINTR) return failure("fsync");
  }
  return {};
}

/// The same; where the file system knows no such thing, all of it. syncfs(2)
Result<void> fsync_or_syncfs(FdRef fd) {
  auto done = fsync(fd);
  if (done || done.error().number != EINVAL) return done;
  if (::syncfs(fd.number()) != 0) return failure("syncfs");
  return {};
}

/// NFS writes, and fails, when a descriptor is closed; any one of the file will do.
Result<void> flush(FdRef file) {
  const int number = ::fcntl(file.number(), F_DUPFD_CLOEXEC, 3);
  if (number < 0) return failure("dup");
  if (::close(number) != 0 && errno != EINTR) return failure("close");
  return {};
}

/// True for attributes that hold for one file alone: what the kernel measured.
bool is_measured(const std::string& name) {
  return name == "security.ima" || name == "security.evm";
}

/// The mode 0666 under an access control list that a directory gives to what is made in it; the
/// umask does not count then.
mode_t mode_under(const std::string& list) {
  // A version of 4 bytes; entries with a tag and permissions of 2 bytes, and an id of 4.
  constexpr unsigned user = 0x01;
  constexpr unsigned group = 0x04;
  constexpr unsigned mask = 0x10;
  constexpr unsigned other = 0x20;
  mode_t mode = 0;
  bool masked = false;
  for (std::size_t at = 4; at + 8 <= list.size(); at += 8) {
    const auto tag = static_cast<unsigned char>(list[at]);
    const mode_t bits = static_cast<unsigned char>(list[at + 2]) & 6U;
    if (tag == user) mode |= bits << 6;
    if (tag == other) mode |= bits;
    if (tag == mask) {
      mode = (mode & ~mode_t{070}) | bits << 3;
      masked = true;
    }
    if (tag == group && !masked) mode |= bits << 3;
  }
  return mode;
}

/// The name of `parent` as the kernel would take it behind its directory.
std::string whole_name(const Parent& parent) { return parent.name + (parent.slash ? "/" : ""); }

/// A name in a directory, and how the user would write it.
struct Spot {
  FdRef directory = FdRef::current_directory();
  std::string name;
  std::string path;
};

Result<Stat> lstat(const Spot& spot) { return core::lstat(spot.name, want::basic, spot.directory); }

bool renamed(const Spot& from, const Spot& to) {
  return ::renameat(from.directory.number(), from.name.c_str(), to.directory.number(),
                    to.name.c_str()) == 0;
}

bool renamed(const Spot& from, const Spot& to, Rename how) {
  return backend::renameat2(from.directory.number(), from.name.c_str(), to.directory.number(),
                            to.name.c_str(), how) == 0;
}

std::string joined(const std::string& note, const std::string& more) {
  return note.empty() || more.empty() ? note + more : note + "; " + more;
}

/// A name beside `spot` that nobody else knows.
Spot aside_of(const Spot& spot) {
  std::string name = temporary_name();
  std::string path = beside(spot.path, name);
  return {spot.directory, std::move(name), std::move(path)};
}

/// Takes the name away from `file`, and from no other: false where another one has it, which keeps
/// it. An error with a path in its note says where that one is now. Where the kernel cannot move a
/// file without overwriting another, one that comes between the look and unlink(2) is lost.
Result<bool> discard(const Spot& spot, const Stat& file) {
  const auto there = lstat(spot);
  if (!there && there.error().number == ENOENT) return true;
  if (!there) return failure(there.error().number, "stat");
  if (!same_file(*there, file)) return false;
  const Spot aside = aside_of(spot);
  const bool moved = renamed(spot, aside, Rename::no_replace);
  // Nobody else knows the name, and what has it can be looked at in peace.
  const auto found = moved ? lstat(aside) : there;
  const bool another = found && !same_file(*found, file);
  if (found && !another) {
    const Spot& last = moved ? aside : spot;
    if (::unlinkat(last.directory.number(), last.name.c_str(), 0) == 0) return true;
    if (errno == ENOENT) return true;
  }
  const int number = found ? errno : found.error().number;
  if (!moved || renamed(aside, spot, Rename::no_replace)) {
    if (another) return false;
    return failure(number, found ? "unlink" : "stat");
  }
  return std::unexpected(Error{.number = another ? EBUSY : number,
                               .call = "unlink",
                               .note = "what had the name is now",
                               .note_path = aside.path});
}

/// Gives `aside`, whose name nobody else knows, the name of `to`, and takes away what had that, if
/// it is `kept`; false where the two cannot be exchanged. An error with a path in its note says
/// what could not be put back.
Result<bool> exchange(const Spot& aside, const Spot& to, const Stat& kept) {
  const auto fresh = lstat(aside);
  // A directory would take the place of a file, and a file would lose both names where they are
  // its own.
  if (!fresh || fresh->type == Type::dir || same_file(*fresh, kept)) return false;
  if (!renamed(aside, to, Rename::exchange)) return false;
  Error error;
  if (const auto old = lstat(aside); !old) {
    error = {.number = old.error().number, .call = "stat"};
  } else if (!same_file(*old, kept)) {
    error = {
        .number = EBUSY, .call = "rename", .note = "another file took the place of the old one"};
  } else if (::unlinkat(aside.directory.number(), aside.name.c_str(), 0) == 0) {
    return true;
  } else {
    error = {.number = errno, .call = "unlink"};
  }
  if (!renamed(aside, to, Rename::exchange)) {
    error.note = "the new file is in place, and the old one is";
    error.note_path = aside.path;
  } else if (const auto back = lstat(aside); !back || !same_file(*back, *fresh)) {
    error.note = "what was there is now";
    error.note_path = aside.path;
  }
  return std::unexpected(std::move(error));
}

/// Renames `from` to `to`. With a backup, and where two names can be exchanged, what had the name
/// is what the backup keeps, or it is EBUSY. `temporary` says that nobody else knows `from`. An
/// error with a path in its note says what could not be put back.
Result<void> put(const Spot& from, const Spot& to, const Backup& backup, bool temporary) {
  if (const auto kept = backup.made() ? backup.file() : failure(0, "stat")) {
    const Spot aside = temporary ? from : aside_of(from);
    if (temporary || renamed(from, aside, Rename::no_replace)) {
      auto done = exchange(aside, to, *kept);
      if (done && *done) return {};
      if (!done && done.error().note_path) return std::unexpected(std::move(done).error());
      if (!temporary && !renamed(aside, from, Rename::no_replace)) {
        Error error = done ? Error{.number = errno, .call = "rename"} : std::move(done).error();
        error.note = joined(error.note, "what was to be renamed is now");
        error.note_path = aside.path;
        return std::unexpected(std::move(error));
      }
      if (!done) return std::unexpected(std::move(done).error());
    }
  }
  // Where the name could not be moved, this says why.
  if (renamed(from, to)) return {};
  return failure("rename");
}

}  // namespace

// -- Backup

Backup::~Backup() { (void)take_away(); }

Result<Stat> Backup::file() const {
  return core::lstat(parent_.name, want::basic, parent_.directory);
}

bool Backup::take_away() {
  if (!made_ || kept_) return true;
  made_ = false;
  return ::unlinkat(FdRef(parent_.directory).number(), parent_.name.c_str(), 0) == 0;
}

Result<void> Backup::begin(Path of, Path path, At at) {
  of_ = of.c_str();
  path_ = path.c_str();
  auto parent = open_parent(path, at);
  if (!parent) return failure(parent.error().number, "open", path);
  parent_ = *std::move(parent);
  return {};
}

Result<void> Backup::make(FdRef directory, const std::string& name, bool sync) {
  if (::linkat(directory.number(), name.c_str(), FdRef(parent_.directory).number(),
               whole_name(parent_).c_str(), 0) != 0) {
    const int number = errno;
    // The same errno stands for a lost directory of the backup.
    if (number == ENOENT && !core::lstat(name, want::type, directory)) return {};
    return std::unexpected(Error{.number = number, .call = "link", .path = of_, .target = path_});
  }
  made_ = true;
  if (!sync) return {};
  SyncedDirectory synced;
  TRY(synced.begin(parent_.directory));
  return synced.sync({});
}

// -- SyncedDirectory

Result<void> SyncedDirectory::begin(FdRef directory) {
  auto opened = open(".", O_RDONLY | O_DIRECTORY, directory);
  if (opened) {
    directory_ = *std::move(opened);
  } else if (opened.error().number != EACCES) {
    return failure(opened.error().number, "open");
  }
  return {};
}

Result<void> SyncedDirectory::sync(const Fd& file) const {
  if (directory_) return fsync_or_syncfs(directory_);
  if (!file) {
    ::sync();
  } else if (::syncfs(FdRef(file).number()) != 0) {
    return failure("syncfs");
  }
  return {};
}

// -- Replacement

Replacement::~Replacement() {
  Error nobody_asks;
  undo(nobody_asks);
}

void Replacement::undo(Error& error) {
  file_.close();
  const bool backup_left = !backup_.take_away();
  const std::string name = std::exchange(temporary_, {});
  const bool left =
      !name.empty() && ::unlinkat(FdRef(parent_.directory).number(), name.c_str(), 0) != 0;
  if (left) {
    error.note =
        joined(error.note, backup_left ? "left behind are the backup and" : "left behind is");
    error.note_path = beside(path_, name);
  } else if (backup_left) {
    error.note = joined(error.note, "the backup is left behind");
  }
}

std::unexpected<Error> Replacement::failed(Error error) const {
  if (!error.path) error.path = path_;
  return std::unexpected(std::move(error));
}

Result<void> Replacement::begin(Path path, At at) {
  path_ = path.c_str();
  auto parent = open_parent(path, at);
  if (!parent) return failed({.number = parent.error().number, .call = "open"});
  parent_ = *std::move(parent);
  if (parent_.name == "." || parent_.name == "..") return failed({EBUSY, "rename"});
  if (parent_.slash) return failed({ENOTDIR, "rename"});
  TRY(look());
  if (how_->backup) TRY(backup_.begin(path, *how_->backup, at));
  if (how_->sync) {
    if (auto begun = directory_.begin(parent_.directory); !begun) return failed(begun.error());
  }
  return {};
}

Result<void> Replacement::look() {
  old_.reset();
  old_file_.close();
  auto there = open(parent_.name, O_PATH | O_NOFOLLOW, parent_.directory);
  if (!there && there.error().number == ENOENT) return {};
  if (!there) return failed({there.error().number, "open"});
  auto stat = fstat(*there, want::basic);
  if (!stat) return failed({stat.error().number, "stat"});
  if (stat->type == Type::dir) return failed({EISDIR, "rename"});
  old_ = *stat;
  if (stat->type == Type::file) old_file_ = *std::move(there);
  return {};
}

/// Makes the new file under a name that nothing has: `make` gets one.
template <class Make>
Result<void> Replacement::make(const char* call, Make make) {
  for (int patience = 100;; --patience) {
    std::string name = temporary_name();
    const Result<void> made = make(name);
    if (!made && made.error().number == EEXIST && patience > 0) continue;
    if (!made) return failed({made.error().number, call});
    temporary_ = std::move(name);
    break;
  }
  if (!file_) {
    auto opened = open(temporary_, O_PATH | O_NOFOLLOW, parent_.directory);
    if (!opened) return failed({opened.error().number, "open"});
    file_ = *std::move(opened);
  }
  auto stat = fstat(file_, want::basic);
  if (!stat) return failed({stat.error().number, "stat"});
  first_ = *stat;
  return {};
}

Result<void> Replacement::file() {
  const auto open_new = [&](const std::string& name) -> Result<void> {
    file_ = TRY(open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, parent_.directory, 0600));
    return {};
  };
  TRY(make("open", open_new));
  // Under a umask that takes these too, no attribute could be set.
  if ((first_.mode & 0600) != 0600) return set_mode(0600);
  return {};
}

Result<void> Replacement::symlink(const std::string& target) {
  return make("symlink", [&](const std::string& name) {
    return core::symlink(target, name, parent_.directory);
  });
}

Result<void> Replacement::node(mode_t mode, dev_t device) {
  return make("mknod", [&](const std::string& name) {
    return mknod(name, (mode & S_IFMT) | 0600, device, parent_.directory);
  });
}

Result<void> Replacement::keep() {
  // Since `begin` hours may have gone, and others may have replaced it.
  TRY(look());
  if (!old_file_) {
    const auto mode = mode_of_new();
    return mode ? set_mode(*mode) : Result<void>(failed(mode.error()));
  }
  auto kept = keep(old_file_, *old_);
  if (kept || kept.error().number != ENOSYS) return kept;
  // Without /proc the file must be opened to tell its attributes.
  const auto opened = open(parent_.name, to_read, parent_.directory);
  const auto now = opened ? fstat(*opened, want::basic) : std::unexpected(opened.error());
  return now && same_file(*now, *old_) ? keep(*opened, *now) : kept;
}

Result<void> Replacement::keep(FdRef file, const Stat& stat) {
  mode_t mode = stat.mode & 07777;
  TRY(keep_owner(stat, mode));
  TRY(keep_xattrs(file));
  // A symbolic link has no mode of its own.
  if (first_.type == Type::link) return {};
  return set_mode(mode);
}

Result<void> Replacement::keep_owner(const Stat& stat, mode_t& mode) {
  const uid_t user = stat.uid == first_.uid ? same_user : stat.uid;
  const gid_t group = stat.gid == first_.gid ? same_group : stat.gid;
  if (how_->owner) {
    if (user == same_user && group == same_group) return {};
    auto done = fchown(file_, user, group);
    return done ? done : failed(std::move(done).error());
  }
  if (user != same_user) mode &= ~mode_t{S_ISUID};
  // What its group might do, another one may only as far as everybody may.
  if (group != same_group) mode &= ~mode_t{S_ISGID | S_IRWXG} | (mode & S_IRWXO) << 3;
  return {};
}

Result<void> Replacement::keep_xattrs(FdRef from) {
  if (!how_->xattrs) return {};
  const auto copy = [&]() -> Result<void> {
    const auto wanted = TRY(listxattr(from));
    const auto there = TRY(listxattr(file_));
    for (const std::string& name : wanted) {
      if (is_measured(name)) continue;
      const auto value = getxattr(from, name);
      if (!value && value.error().number == ENODATA) continue;
      if (!value) return std::unexpected(value.error());
      const auto has = getxattr(file_, name);
      const bool same = has && *has == *value;
      if (!same) TRY(setxattr(file_, name, *value));
    }
    // What the directory gave it. A label of SELinux cannot be taken away.
    for (const std::string& name : there) {
      if (is_measured(name) || name == "security.selinux") continue;
      if (std::ranges::count(wanted, name) != 0) continue;
      TRY(removexattr(file_, name));
    }
    return {};
  };
  auto done = copy();
  return done ? done : failed(std::move(done).error());
}

Result<void> Replacement::set_mode(mode_t mode) {
  const bool plain = first_.type == Type::file;
  if (plain && ::fchmod(FdRef(file_).number(), mode) != 0) return failed({errno, "chmod"});
  if (!plain) {
    if (auto done = fchmod(file_, mode); !done) return failed(std::move(done).error());
  }
  if ((mode & (S_ISUID | S_ISGID)) == 0) return {};
  // The kernel says nothing of a set-group-id that is not this process's to give.
  const auto now = fstat(file_, want::mode);
  if (!now) return failed({now.error().number, "stat"});
  if ((now->mode & 07777) != mode) return failed({EPERM, "chmod"});
  return {};
}

/// What open(2) with 0666 would give a file here.
Result<mode_t> Replacement::mode_of_new() const {
  const auto readable = open(".", O_RDONLY | O_DIRECTORY, parent_.directory);
  const FdRef directory = readable ? *readable : parent_.directory;
  const auto list = getxattr(directory, "system.posix_acl_default");
  if (list) return mode_under(*list);
  const int number = list.error().number;
  if (number != ENODATA && number != ENOTSUP) return std::unexpected(list.error());
  return 0666 & ~get_umask();
}

Result<void> Replacement::set_times(Time access, Time modification) {
  const auto time = [](Time from) {
    return timespec{static_cast<time_t>(from.seconds), static_cast<long>(from.nanoseconds)};
  };
  auto done = futimens(file_, {time(access), time(modification)});
  return done ? done : failed(std::move(done).error());
}

Result<void> Replacement::sync() {
  if (first_.type != Type::file) return {};
  auto done = how_->sync ? fsync(file_) : flush(file_);
  return done ? done : failed(std::move(done).error());
}

Result<void> Replacement::commit() {
  const FdRef directory = parent_.directory;
  if (how_->backup) {
    auto made = backup_.make(directory, parent_.name, how_->sync);
    if (!made) return failed(std::move(made).error());
  }
  TRY(held_.check());
  const Spot from{directory, temporary_, beside(path_, temporary_)};
  auto done = put(from, {directory, parent_.name, path_}, backup_, true);
  if (!done && !done.error().note_path) return failed(std::move(done).error());
  temporary_.clear();
  backup_.keep();
  if (!done) return failed(std::move(done).error());
  if (!how_->sync) return {};
  auto synced = first_.type == Type::file ? directory_.sync(file_) : directory_.sync({});
  if (synced) return {};
  synced.error().note = in_place;
  return failed(std::move(synced).error());
}

// -- what the applet does

namespace {

/// The two names of a rename, in directories that are opened once.
struct Names {
  Spot source;
  Spot dest;
  Parent from;
  Parent to;

  std::unexpected<Error> failed(Error error) const {
    if (!error.target) {
      error.path = source.path;
      error.target = dest.path;
    }
    return std::unexpected(std::move(error));
  }
};

Result<void> find_names(Names& names, Path source, Path dest, At at) {
  const auto find = [&](Path path, Parent& parent, Spot& spot) -> Result<void> {
    spot.path = path.c_str();
    auto opened = open_parent(path, at);
    if (!opened) return failure(opened.error().number, "rename");
    parent = *std::move(opened);
    spot.directory = parent.directory;
    spot.name = whole_name(parent);
    return {};
  };
  names.dest.path = dest.c_str();
  auto found = find(source, names.from, names.source);
  if (found) found = find(dest, names.to, names.dest);
  return found ? found : names.failed(std::move(found).error());
}

/// rename(2) with a backup.
Result<Replaced> move(const Names& names, At at, const ReplaceHow& how, bool sync) {
  std::optional<HeldSignals> held;
  Backup backup;
  if (how.backup) {
    held.emplace();
    TRY(backup.begin(names.dest.path, *how.backup, at));
    TRY(backup.make(names.dest.directory, names.dest.name, sync));
  }
  if (auto done = put(names.source, names.dest, backup, false); !done) {
    Error& error = done.error();
    if (error.note_path) backup.keep();
    if (!backup.take_away()) error.note = joined(error.note, "the backup is left behind");
    return names.failed(std::move(error));
  }
  Replaced replaced;
  if (const auto still = lstat(names.source)) {
    const auto there = lstat(names.dest);
    replaced.moved = !there || !same_file(*still, *there);
  }
  if (replaced.moved) backup.keep();
  replaced.backed_up = backup.kept();
  return replaced;
}

/// A file that is to get a name elsewhere.
struct Source {
  const Spot* spot;
  Fd file;  ///< O_PATH
  Stat stat;
};

Result<Source> find_source(const Names& names) {
  Source source;
  source.spot = &names.source;
  source.file = TRY(open(names.from.name, O_PATH | O_NOFOLLOW, names.from.directory));
  source.stat = TRY(fstat(source.file, want::basic | want::mount_id));
  if (names.from.slash && source.stat.type != Type::dir) return failure(ENOTDIR, "rename");
  return source;
}

/// Opens the regular file that was found, and nothing else.
Result<Fd> open_to_read(const Source& source) {
  Fd file = TRY(open(source.spot->name, to_read, source.spot->directory));
  if (!same_file(TRY(fstat(file, want::ino)), source.stat)) return failure(EBUSY, "open");
  return file;
}

/// rename(2), and both the file and its name are on the disk.
Result<Replaced> move_durably(const Names& names, At at, const ReplaceHow& how) {
  SyncedDirectory directory;
  // What is not found here, rename speaks of.
  const auto source = find_source(names);
  if (!how.sync || !source) return move(names, at, how, how.sync);
  TRY(directory.begin(names.dest.directory));
  const Stat there = TRY(fstat(names.dest.directory, want::mount_id));
  Fd file;
  // To another mount it cannot go, and would be synchronised for nothing.
  if (source->stat.type == Type::file && source->stat.mount_id == there.mount_id) {
    if (auto opened = open_to_read(*source)) {
      file = *std::move(opened);
      TRY(fsync_or_syncfs(file));
    } else {
      ::sync();
    }
  }
  const Replaced replaced = TRY(move(names, at, how, true));
  if (auto synced = directory.sync(file); !synced) {
    synced.error().note = in_place;
    return std::unexpected(std::move(synced).error());
  }
  return replaced;
}

/// Makes a copy of `source` the file that `copy` is to replace: what the source was like before.
/// None where both are one.
Result<std::optional<Stat>> copy_over(const Source& source, Path dest, At at, Replacement& copy) {
  TRY(copy.begin(dest, at));
  if (copy.old() && same_file(*copy.old(), source.stat)) return std::nullopt;
  Fd content;
  std::string target;
  Stat before = source.stat;
  switch (before.type) {
    case Type::file:
      content = TRY(open_to_read(source));
      before = TRY(fstat(content, want::basic));
      TRY(copy.file());
      TRY(copy_content(content, copy.made(), copy.held()));
      break;
    case Type::link:
      target = TRY(readlink("", source.file));
      TRY(copy.symlink(target));
      break;
    case Type::fifo:
    case Type::character:
    case Type::block:
      TRY(copy.node(before.mode, static_cast<dev_t>(before.rdev)));
      break;
    default:
      return std::unexpected(Error{.number = EXDEV,
                                   .call = "rename",
                                   .note = before.type == Type::dir ? "a directory is not copied"
                                                                    : "a socket is not copied"});
  }
  const FdRef from = content ? content : source.file;
  TRY(copy.keep(from, before));
  TRY(copy.set_times(before.atime, before.mtime));
  TRY(copy.sync());
  const auto unchanged = [&](const char* note) -> Result<void> {
    if (!changed(before, TRY(fstat(from, want::basic)))) return {};
    return std::unexpected(Error{.number = EBUSY, .call = "read", .note = note});
  };
  TRY(unchanged("it changed while it was copied"));
  TRY(copy.commit());
  TRY(unchanged("it changed; a copy of what it was is in place"));
  return before;
}

Result<Replaced> copy_and_discard(const Names& names, At at, const ReplaceHow& how) {
  const Source source = TRY(find_source(names));
  Replacement copy(how);
  const auto before = copy_over(source, names.dest.path, at, copy);
  if (!before) {
    Error error = before.error();
    copy.undo(error);
    return std::unexpected(std::move(error));
  }
  if (!*before) return Replaced{.moved = false};
  auto gone = discard(*source.spot, **before);
  if (gone && !*gone) gone = failure(EBUSY, "unlink");
  if (!gone) {
    gone.error().note = joined(in_place, gone.error().note);
    return std::unexpected(std::move(gone).error());
  }
  return Replaced{.copied = true, .backed_up = copy.backed_up()};
}

}  // namespace

Result<Replaced> replace(Path source, Path dest, At at, const ReplaceHow& how) {
  if (!how.backup) {
    // One call, which resolves both paths as only the kernel does.
    TRY(rename(source, dest, at));
    const auto still = core::lstat(source, want::ino, at);
    const auto there = still ? core::lstat(dest, want::ino, at) : still;
    return Replaced{.moved = !there || !same_file(*still, *there)};
  }
  Names names;
  TRY(find_names(names, source, dest, at));
  return move(names, at, how, false);
}

Result<Replaced> replace_by_copy(Path source, Path dest, At at, const ReplaceHow& how) {
  Names names;
  TRY(find_names(names, source, dest, at));
  auto replaced = move_durably(names, at, how);
  if (!replaced && replaced.error().number == EXDEV) {
    replaced = copy_and_discard(names, at, how);
  }
  return replaced ? replaced : names.failed(std::move(replaced).error());
}

Result<Replaced> replace_content(FdRef input, Path dest, At at, const ReplaceHow& how) {
  Replacement replacement(how);
  const auto steps = [&]() -> Result<void> {
    TRY(replacement.begin(dest, at));
    TRY(replacement.file());
    if (auto copied = copy_stream(input, replacement.made(), replacement.held()); !copied) {
      return replacement.failed(std::move(copied).error());
    }
    TRY(replacement.keep());
    TRY(replacement.sync());
    return replacement.commit();
  };
  if (auto done = steps(); !done) {
    replacement.undo(done.error());
    return std::unexpected(std::move(done).error());
  }
  return Replaced{.backed_up = replacement.backed_up()};
}

}  // namespace core
