// Copying the content of one file into another.
#pragma once

#include "core/sys/fd.hpp"
#include "core/sys/result.hpp"
#include "core/sys/signal.hpp"

namespace core {

/// Copies all of the regular file `from`, which is opened for reading at its start, into `to`,
/// which is empty. What is a hole stays one, and where the file system can, both share their
/// blocks. A file that does not tell its size, as those of /proc, is read to its end. EINTR where
/// `held` has one of its signals. ioctl(2) with FICLONE, lseek(2) with SEEK_DATA,
/// copy_file_range(2), read(2) and write(2)
Result<void> copy_content(FdRef from, FdRef to, const HeldSignals& held);

/// Writes all that comes from `from`, a pipe as a rule, to the end of `to`; EINTR as above.
Result<void> copy_stream(FdRef from, FdRef to, HeldSignals& held);

}  // namespace core
