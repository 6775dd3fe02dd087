// With -Dsyscalls=posix the twins are all there is.
#include "core/sys/backend.hpp"

namespace core::backend {

Result<Stat> statx(FdRef directory, Path path, int flags, Want want) {
  return posix::statx(directory, path, flags, want);
}

Result<Fd> openat2(Path path, int flags, mode_t mode, At at) {
  return posix::openat2(path, flags, mode, at);
}

Result<void> faccessat(FdRef directory, Path path, int mode, int flags) {
  return posix::faccessat(directory, path, mode, flags);
}

int renameat2(int from_directory, const char* from, int to_directory, const char* to, Rename how) {
  return posix::renameat2(from_directory, from, to_directory, to, how);
}

int fchmodat2(int directory, const char* path, mode_t mode) {
  return posix::fchmodat2(directory, path, mode);
}

Fd signal_descriptor(const sigset_t& signals) { return posix::signal_descriptor(signals); }

bool clone(FdRef from, FdRef to) { return posix::clone(from, to); }

Result<std::optional<std::size_t>> copy_range(FdRef from, FdRef to, off_t offset,
                                              std::size_t size) {
  return posix::copy_range(from, to, offset, size);
}

Fd pidfd_open(pid_t pid) { return posix::pidfd_open(pid); }

int pidfd_send_signal(FdRef process, int signal, bool group) {
  return posix::pidfd_send_signal(process, signal, group);
}

std::optional<int> pidfd_exit_status(FdRef process) { return posix::pidfd_exit_status(process); }

int pidfd_wait(FdRef process, siginfo_t& ended, int options, KernelUsage& usage) {
  return posix::pidfd_wait(process, ended, options, usage);
}

pid_t fork_sharing_memory(int (*work)(void*), void* argument) {
  return posix::fork_sharing_memory(work, argument);
}

std::unique_ptr<DirectoryBatches> directory_batches() { return posix::directory_batches(); }

}  // namespace core::backend
