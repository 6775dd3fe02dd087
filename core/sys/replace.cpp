#include "core/sys/replace.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "core/sys/copy.hpp"
#include "core/sys/spot.hpp"

namespace core {
namespace {

bool changed(const Stat& before, const Stat& after) {
  return !same_file(before, after) || before.size != after.size || before.mtime != after.mtime ||
         before.ctime != after.ctime;
}

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
    spot.name = parent.whole_name();
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
  if (auto done = rename(names.source, names.dest, backup.file(), false); !done) {
    Error& error = done.error();
    if (error.note_path) backup.keep();
    if (!backup.take_away()) error.note = joined_notes(error.note, "the backup is left behind");
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
  source.file = TRY(told_as("open", source.spot->path,
                            open(names.from.name, O_PATH | O_NOFOLLOW, names.from.directory)));
  source.stat = TRY(fstat(source.file, want::basic | want::mount_id));
  if (names.from.slash && source.stat.type != Type::dir) return failure(ENOTDIR, "rename");
  return source;
}

/// rename(2), and both the file and its name are on the disk.
Result<Replaced> move_durably(const Names& names, At at, const ReplaceHow& how) {
  if (!how.sync) return move(names, at, how, false);
  SyncedDirectory directory;
  // What is not found here, rename speaks of.
  const auto source = find_source(names);
  if (!source) return move(names, at, how, true);
  TRY(directory.begin(names.dest.directory));
  const Stat there = TRY(fstat(names.dest.directory, want::mount_id));
  Fd file;
  // To another mount it cannot go, and would be synchronised for nothing.
  if (source->stat.type == Type::file && source->stat.mount_id == there.mount_id) {
    if (auto opened = open_to_read(*source->spot, source->stat)) {
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
      content = TRY(open_to_read(*source.spot, source.stat));
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
    gone.error().note = joined_notes(in_place, gone.error().note);
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
  // A backup on another file system is EXDEV of link(2), and would be so again.
  if (!replaced && replaced.error().number == EXDEV &&
      std::string_view(replaced.error().call) == "rename") {
    replaced = copy_and_discard(names, at, how);
  }
  // A backup that has no place is told of by its own name.
  if (replaced || (how.backup && replaced.error().path == how.backup)) return replaced;
  return names.failed(std::move(replaced).error());
}

namespace {

/// A device, a FIFO and a socket have no content that another could take the place of.
Result<void> check_content(const Replacement& replacement) {
  const auto& old = replacement.old();
  if (!old || old->type == Type::file || old->type == Type::link) return {};
  return replacement.failed({.number = EOPNOTSUPP,
                             .call = "rename",
                             .note = "a device, FIFO or socket is written to, not replaced"});
}

}  // namespace

Result<Replaced> replace_content(FdRef input, Path dest, At at, const ReplaceHow& how) {
  Replacement replacement(how);
  const auto steps = [&]() -> Result<void> {
    TRY(replacement.begin(dest, at));
    TRY(check_content(replacement));
    TRY(replacement.file());
    if (auto copied = copy_stream(input, replacement.made(), replacement.held()); !copied) {
      return replacement.failed(std::move(copied).error());
    }
    TRY(replacement.keep());
    TRY(check_content(replacement));
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
