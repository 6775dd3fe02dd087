// The calls that Linux does better than POSIX. core/sys/linux has them at their best and gives way
// to core/sys/posix when it runs on a kernel, or under a seccomp profile, without them;
// `-Dsyscalls=posix` builds the twins alone. Only core/sys includes this, and
// the tests that hold the twins against each other.
#pragma once

#include <csignal>
#include <memory>
#include <optional>

#include "core/sys/directory.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"
#include "core/sys/wait_status.hpp"

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
/// A descriptor that can be read while one of `signals`, which are held back, is pending; none
/// where there is no such thing. signalfd(2)
Fd signal_descriptor(const sigset_t& signals);
/// Makes the empty file `to` share all of the content of `from`. ioctl(2) with FICLONE
bool clone(FdRef from, FdRef to);
/// Copies at most `size` bytes that both files have at `offset`, without their passing through this
/// process: how many, 0 at the end, or none where it does not offer that. copy_file_range(2)
Result<std::optional<std::size_t>> copy_range(FdRef from, FdRef to, off_t offset, std::size_t size);
/// A descriptor of the process `pid`; none, and errno, where it is not to be had: ESRCH, ENOENT or
/// EINVAL for a thread, ENOSYS without the call. pidfd_open(2)
Fd pidfd_open(pid_t pid);
/// Sends `signal` to the process, or to the group that it leads: 0, or -1 and errno, ENOSYS where
/// there is no such call. pidfd_send_signal(2)
int pidfd_send_signal(FdRef process, int signal, bool group);
/// The wait status of a process that was waited for, by whomever; none, and errno, where it is not
/// to be had: EAGAIN before somebody waited for it, ESRCH where the kernel did not keep it,
/// anything else where it keeps none at all. ioctl(2) with PIDFD_GET_INFO and PIDFD_INFO_EXIT,
/// Linux 6.15
std::optional<int> pidfd_exit_status(FdRef process);
/// Waits for a child of this process: 0, or -1 and errno, EINVAL or ENOSYS without P_PIDFD (before
/// Linux 5.4). waitid(2), whose fifth argument the C library leaves out
int pidfd_wait(FdRef process, siginfo_t& ended, int options, KernelUsage& usage);
/// A child that runs `work`, which does not come back, in the memory of this process: fork(2)
/// without a copy of it, which outlives this process. -1, and errno, where that is not to be had.
/// Two must not run in one memory at a time: errno and what malloc(3) has are there once. The
/// caller may close descriptors and then goes to sleep, and `work` before it wakes the caller up
/// again. clone(2) with CLONE_VM
pid_t fork_sharing_memory(int (*work)(void*), void* argument);
std::unique_ptr<DirectoryBatches> directory_batches();
}  // namespace backend

namespace posix {
Result<Stat> statx(FdRef directory, Path path, int flags, Want want);
Result<Fd> openat2(Path path, int flags, mode_t mode, At at);
Result<void> faccessat(FdRef directory, Path path, int mode, int flags);
int renameat2(int from_directory, const char* from, int to_directory, const char* to, Rename how);
int fchmodat2(int directory, const char* path, mode_t mode);
Fd signal_descriptor(const sigset_t& signals);
bool clone(FdRef from, FdRef to);
Result<std::optional<std::size_t>> copy_range(FdRef from, FdRef to, off_t offset, std::size_t size);
Fd pidfd_open(pid_t pid);
int pidfd_send_signal(FdRef process, int signal, bool group);
std::optional<int> pidfd_exit_status(FdRef process);
int pidfd_wait(FdRef process, siginfo_t& ended, int options, KernelUsage& usage);
pid_t fork_sharing_memory(int (*work)(void*), void* argument);
std::unique_ptr<DirectoryBatches> directory_batches();
}  // namespace posix

}  // namespace core
