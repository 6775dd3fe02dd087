#include "core/sys/spot.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "core/sys/backend.hpp"

namespace core {
namespace {

bool renamed(const Spot& from, const Spot& to) {
  return ::renameat(from.directory.number(), from.name.c_str(), to.directory.number(),
                    to.name.c_str()) == 0;
}

bool renamed(const Spot& from, const Spot& to, Rename how) {
  return backend::renameat2(from.directory.number(), from.name.c_str(), to.directory.number(),
                            to.name.c_str(), how) == 0;
}

/// A name beside `spot` that nobody else knows.
Result<Spot> aside_of(const Spot& spot) {
  std::string name = TRY(temporary_name());
  std::string path = beside(spot.path, name);
  return Spot{spot.directory, std::move(name), std::move(path)};
}

/// Gives `aside`, whose name nobody else knows, the name of `to`, and takes away what had that, if
/// it is `kept`; false where the two cannot be exchanged. An error with a path in its note says
/// what could not be put back.
Result<bool> exchange(const Spot& aside, const Spot& to, const Stat& kept) {
  const auto fresh = lstat(aside);
  // A directory would take the place of a file, and a file would lose both names where they are
  // its own.
  if (!fresh) return failure(fresh.error().number, "stat");
  if (fresh->type == Type::dir || same_file(*fresh, kept)) return false;
  if (!renamed(aside, to, Rename::exchange)) {
    // It is not offered, or what was to be replaced is gone.
    if (errno == EINVAL || errno == ENOTSUP || errno == ENOENT) return false;
    return failure("rename");
  }
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

}  // namespace

Result<Fd> open_to_read(const Spot& spot, const Stat& file) {
  constexpr int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  Fd opened = TRY(told_as("open", spot.path, open(spot.name, flags, spot.directory)));
  if (!same_file(TRY(fstat(opened, want::ino)), file)) return failure(EBUSY, "open");
  return opened;
}

Result<Stat> lstat(const Spot& spot) { return core::lstat(spot.name, want::basic, spot.directory); }

Result<bool> discard(const Spot& spot, const Stat& file) {
  const auto there = lstat(spot);
  if (!there && there.error().number == ENOENT) return true;
  if (!there) return failure(there.error().number, "stat");
  if (!same_file(*there, file)) return false;
  const Spot aside = TRY(aside_of(spot));
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

Result<void> rename(const Spot& from, const Spot& to, const std::optional<Stat>& kept,
                    bool temporary) {
  if (kept) {
    const Spot aside = temporary ? from : TRY(aside_of(from));
    if (temporary || renamed(from, aside, Rename::no_replace)) {
      auto done = exchange(aside, to, *kept);
      if (done && *done) return {};
      if (!done && done.error().note_path) return std::unexpected(std::move(done).error());
      if (!temporary && !renamed(aside, from, Rename::no_replace)) {
        Error error = done ? Error{.number = errno, .call = "rename"} : std::move(done).error();
        error.note = joined_notes(error.note, "what was to be renamed is now");
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

}  // namespace core
