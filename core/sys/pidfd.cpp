#include "core/sys/pidfd.hpp"

#include <sys/stat.h>
#include <sys/vfs.h>

#include <charconv>
#include <csignal>

#include "core/sys/backend.hpp"
#include "core/sys/process.hpp"

namespace core {
namespace {

std::string digits(pid_t pid) { return std::to_string(pid); }

/// True for a thread that does not lead its process.
bool is_thread(pid_t pid) {
  struct ::stat found;
  // A thread is not listed in /proc, but it can be looked up there.
  return ::stat(("/proc/" + digits(pid) + "/task/" + digits(pid)).c_str(), &found) == 0;
}

}  // namespace

std::string ProcessId::text() const {
  return inode ? digits(pid) + ":" + std::to_string(*inode) : digits(pid);
}

Result<ProcessId> read_process_id(std::string_view text, const char* call) {
  const std::size_t colon = text.find(':');
  auto pid = read_pid(text.substr(0, colon), call);
  if (colon == text.npos) return ProcessId{.pid = TRY(std::move(pid))};
  std::uint64_t inode = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, inode);
  if (pid && read.ec == std::errc() && read.ptr == end && inode > 0) {
    return ProcessId{*pid, inode};
  }
  return std::unexpected(Error{.number = EINVAL,
                               .call = call,
                               .path = std::string(text),
                               .note = "not a process id, nor PID:INODE"});
}

Result<Process> Process::open(ProcessId id) {
  Fd fd = backend::pidfd_open(id.pid);
  if (!fd) {
    // ENOENT, and EINVAL before Linux 6.9, is a number that belongs to a thread.
    const int number = errno;
    if ((number == ENOENT || number == EINVAL) && is_thread(id.pid)) {
      return std::unexpected(Error{.number = EINVAL,
                                   .call = "pidfd_open",
                                   .path = id.text(),
                                   .note = "a thread, not a process"});
    }
    return failure(number == ENOENT ? ESRCH : number, "pidfd_open", id.text());
  }
  Process process(id.pid, std::move(fd));
  if (id.inode) {
    const auto inode = process.inode();
    if (!inode) return failure(inode.error().number, inode.error().call, id.text());
    if (*inode != *id.inode) {
      return std::unexpected(Error{.number = ESRCH,
                                   .call = "pidfd_open",
                                   .path = id.text(),
                                   .note = "another process has this number now"});
    }
  }
  return process;
}

Result<std::uint64_t> Process::inode() const {
  // The file system that these descriptors have had since Linux 6.9; before, all had one inode.
  constexpr decltype(statfs::f_type) pid_fs = 0x50494446;
  struct statfs system;
  struct ::stat found;
  if (::fstatfs(FdRef(fd_).number(), &system) == 0 && system.f_type == pid_fs &&
      ::fstat(FdRef(fd_).number(), &found) == 0) {
    return found.st_ino;
  }
  const std::uint64_t start = TRY(start_time(pid_));
  // Was it still there when /proc was read? Then it was it.
  if (const auto there = send(0); !there && there.error().number == ESRCH)
    return std::unexpected(there.error());
  return start;
}

ProcessId Process::id() const {
  ProcessId id{.pid = pid_};
  if (const auto number = inode()) id.inode = *number;
  return id;
}

Result<void> Process::send(int signal) const {
  if (backend::pidfd_send_signal(fd_, signal, false) == 0) return {};
  return failure("kill", digits(pid_));
}

Result<void> Process::send_to_group(int signal) const {
  if (backend::pidfd_send_signal(fd_, signal, true) == 0) return {};
  return failure("killpg", digits(pid_));
}

}  // namespace core
