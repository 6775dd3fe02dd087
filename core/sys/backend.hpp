// The calls that Linux does better than POSIX. core/sys/linux has them at their best and gives way
// to core/sys/posix when it runs on a kernel, or under a seccomp profile, without them;
// `-Dsyscalls=posix` builds the twins alone. Only core/sys includes this, and
// the tests that hold the twins against each other.
#pragma once

#include <memory>

#include "core/sys/directory.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"

namespace core {

/// Where a DirectoryReader stands in a directory.
class DirectoryBatches {
 public:
  virtual ~DirectoryBatches() = default;
  virtual void begin(FdRef directory) = 0;
  virtual Result<std::span<const DirEntry>> read() = 0;
};

namespace backend {
/// statx(2) with AT_* `flags`; an empty `path` means `directory` itself.
Result<Stat> statx(FdRef directory, Path path, int flags, Want want);
/// openat2(2) for a restricted `at`; ENOSYS where it is not to be had.
Result<Fd> openat2(Path path, int flags, mode_t mode, At at);
/// faccessat2(2)
Result<void> faccessat(FdRef directory, Path path, int mode, int flags);
/// renameat2(2) for what renameat(2) cannot do: 0, or -1 and errno, ENOTSUP without the call.
int renameat2(int from_directory, const char* from, int to_directory, const char* to, Rename how);
/// fchmodat2(2) that follows no link: 0, or -1 and errno, ENOTSUP for a link; an empty `path` means
/// `directory` itself, which may be opened with O_PATH.
int fchmodat2(int directory, const char* path, mode_t mode);
std::unique_ptr<DirectoryBatches> directory_batches();
}  // namespace backend

namespace posix {
Result<Stat> statx(FdRef directory, Path path, int flags, Want want);
Result<Fd> openat2(Path path, int flags, mode_t mode, At at);
Result<void> faccessat(FdRef directory, Path path, int mode, int flags);
int renameat2(int from_directory, const char* from, int to_directory, const char* to, Rename how);
int fchmodat2(int directory, const char* path, mode_t mode);
std::unique_ptr<DirectoryBatches> directory_batches();
}  // namespace posix

}  // namespace core
