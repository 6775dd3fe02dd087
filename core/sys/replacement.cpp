#include "core/sys/replacement.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/sys/metadata.hpp"
#include "core/sys/mode.hpp"
#include "core/sys/spot.hpp"
#include "core/sys/xattr.hpp"

namespace core {
namespace {

Result<void> fsync(FdRef fd) {
  while (::fsync(fd.number()) != 0) {
    if (errno != EINTR) return failure("fsync");
  }
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

}  // namespace

Result<void> fsync_or_syncfs(FdRef fd) {
  auto done = fsync(fd);
  if (done || done.error().number != EINVAL) return done;
  if (::syncfs(fd.number()) != 0) return failure("syncfs");
  return {};
}

// -- Backup

Backup::~Backup() { (void)take_away(); }

bool Backup::take_away() {
  if (!made_ || kept_) return true;
  const Stat file = *std::exchange(made_, std::nullopt);
  // What another has put there meanwhile is not ours to remove.
  return discard({parent_.directory, parent_.name, path_}, file).has_value();
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
  const auto failed = [this](int number, const char* call, const char* note = "") {
    return std::unexpected(
        Error{.number = number, .call = call, .path = of_, .target = path_, .note = note});
  };
  // As long as this is open no other file has its number.
  const auto old = open(name, O_PATH | O_NOFOLLOW, directory);
  if (!old && old.error().number == ENOENT) return {};
  if (!old) return failed(old.error().number, "open");
  const auto file = fstat(*old, want::basic);
  if (!file) return failed(file.error().number, "stat");
  const auto link = [this](int from, const std::string& path, int flags) {
    return ::linkat(from, path.c_str(), FdRef(parent_.directory).number(),
                    parent_.whole_name().c_str(), flags) == 0;
  };
  // The file itself, whoever has its name by now; its name where there is no /proc.
  const std::string itself = descriptor_path(*old);
  const bool linked =
      link(AT_FDCWD, itself, AT_SYMLINK_FOLLOW) ||
      (errno == ENOENT && !core::lstat(itself, want::type) && link(directory.number(), name, 0));
  if (!linked) {
    const int number = errno;
    if (number != ENOENT) return failed(number, "link");
    // The same errno stands for a lost directory of the backup, and for a file without a name.
    if (!core::lstat(name, want::type, directory)) return {};
    const auto now = fstat(*old, want::nlink);
    if (!now || now->nlink != 0) return failed(number, "link");
    return failed(EBUSY, "link", "another file took the place of the old one");
  }
  // Whatever else has the name by now is not taken away.
  made_ = *file;
  const auto made = core::lstat(parent_.name, want::ino, parent_.directory);
  if (!made) return failed(made.error().number, "stat");
  if (!same_file(*made, *file)) {
    made_.reset();
    return failed(EBUSY, "link", "what is there now is not the old file");
  }
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
        joined_notes(error.note, backup_left ? "left behind are the backup and" : "left behind is");
    error.note_path = beside(path_, name);
  } else if (backup_left) {
    error.note = joined_notes(error.note, "the backup is left behind");
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
    auto named = temporary_name();
    if (!named) return failed({named.error().number, named.error().call});
    std::string name = *std::move(named);
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
  const auto opened = open_to_read({parent_.directory, parent_.name, path_}, *old_);
  const auto now = opened ? fstat(*opened, want::basic) : std::unexpected(opened.error());
  return now ? keep(*opened, *now) : kept;
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
  auto done = rename(from, {directory, parent_.name, path_}, backup_.file(), true);
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

}  // namespace core
