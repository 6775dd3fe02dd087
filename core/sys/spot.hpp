// Spot: a name in a directory, moved and taken away for as long as it stands for the file meant.
#pragma once

#include <optional>
#include <string>

#include "core/sys/fd.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/result.hpp"
#include "core/sys/stat.hpp"

namespace core {

/// A name in a directory, and how the user would write it.
struct Spot {
  FdRef directory = FdRef::current_directory();
  std::string name;
  std::string path;
};

/// What has the name, itself. lstat(2)
Result<Stat> lstat(const Spot& spot);

/// Takes the name away from `file`, and from no other: false where another one has it, which keeps
/// it. An error with a path in its note says where that one is now. Where the kernel cannot move a
/// file without overwriting another, one that comes between the look and unlink(2) is lost.
/// renameat2(2), unlink(2)
Result<bool> discard(const Spot& spot, const Stat& file);

/// Renames `from` to `to`, as rename(2) does. Where something is `kept`, and two names can be
/// exchanged, what had the name is that, or it is EBUSY. `temporary` says that nobody else knows
/// `from`. An error with a path in its note says what could not be put back. renameat2(2),
/// rename(2)
Result<void> rename(const Spot& from, const Spot& to, const std::optional<Stat>& kept,
                    bool temporary);

/// Opens `file`, which has the name, and no other: EBUSY where another one has it. What may turn
/// out to be a FIFO or a device is opened without waiting for it. open(2)
Result<Fd> open_to_read(const Spot& spot, const Stat& file);

}  // namespace core
