// Replacing a file: others see the old one or the new one, and never a part.
#pragma once

#include "core/sys/fd.hpp"
#include "core/sys/replacement.hpp"
#include "core/sys/result.hpp"

namespace core {

/// What came of it.
struct Replaced {
  bool moved = true;       ///< false: both were names of one file, and rename(2) does nothing then
  bool copied = false;     ///< its content went to another file system
  bool backed_up = false;  ///< the old file has the name of the backup
};

/// Gives the file `source` the name `dest`, in the place of what has it. Of `how` only the backup
/// counts; what it keeps is what was replaced, and another file there in between is EBUSY, where
/// two names can be exchanged. rename(2), and link(2) and renameat2(2) for a backup
Result<Replaced> replace(Path source, Path dest, At at, const ReplaceHow& how);

/// The same, also from one file system to another: then `dest` becomes a copy of `source`, with its
/// owner, mode, times and extended attributes, and `source` is removed. A symbolic link is copied
/// as one, FIFOs and devices are made again; EXDEV for directories and sockets. EBUSY where
/// `source` changes meanwhile, and where another file has its name in the end, which is left
/// alone. rename(2), renameat2(2), and what copy_content and Replacement need
Result<Replaced> replace_by_copy(Path source, Path dest, At at, const ReplaceHow& how);

/// Makes `dest` a file of all that `input` gives until its end. A file that was there gives its
/// owner, mode and extended attributes; EOPNOTSUPP for a device, a FIFO and a socket.
Result<Replaced> replace_content(FdRef input, Path dest, At at, const ReplaceHow& how);

}  // namespace core
