#include "core/sys/pidfd.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <charconv>
#include <csignal>

#include "core/sys/backend.hpp"
#include "core/sys/kill.hpp"
#include "core/sys/process.hpp"

namespace core {
namespace {

std::string digits(pid_t pid) { return std::to_string(pid); }

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
    int number = errno;
    // A number that no process has: that of a thread, or of a group whose leader is gone.
    if (number == ENOENT || number == EINVAL) number = is_thread(id.pid) ? EINVAL : ESRCH;
    Error error{.number = number, .call = "pidfd_open", .path = id.text()};
    if (number == EINVAL) error.note = "a thread, not a process";
    return std::unexpected(std::move(error));
  }
  Process process(id.pid, std::move(fd));
  if (id.inode) {
    const auto inode = process.inode();
    if (!inode) {
      // It is gone, or there is no /proc to read that in.
      if (inode.error().number == ESRCH) return failure(ESRCH, "pidfd_open", id.text());
      return std::unexpected(inode.error());
    }
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

std::optional<WaitStatus> Process::exit_status() const {
  auto word = backend::pidfd_exit_status(fd_);
  if (!word) {
    word = zombie_status(pid_);
    // Was it a zombie still when that was read? Else it is another one's, or there is nothing.
    const auto there = send(0);
    if (!there && there.error().number == ESRCH) word = backend::pidfd_exit_status(fd_);
  }
  if (!word) return std::nullopt;
  return WaitStatus(*word);
}

ProcessOpener::ProcessOpener() : before_{RLIM_INFINITY, RLIM_INFINITY} {
  ::getrlimit(RLIMIT_NOFILE, &before_);
  now_ = before_;
}

ProcessOpener::~ProcessOpener() {
  if (now_.rlim_cur != before_.rlim_cur) ::setrlimit(RLIMIT_NOFILE, &before_);
}

Result<Process> ProcessOpener::open(const ProcessId& id) {
  constexpr rlim_t spare = 2;
  for (;;) {
    auto process = Process::open(id);
    // The lowest number that is free is given out first: few are used where it is low.
    const bool full =
        process ? now_.rlim_cur != RLIM_INFINITY &&
                      static_cast<rlim_t>(process->descriptor().number()) + spare >= now_.rlim_cur
                : process.error().number == EMFILE;
    if (!full) return process;
    rlimit more = now_;
    more.rlim_cur = more.rlim_max;
    if (now_.rlim_cur == now_.rlim_max || ::setrlimit(RLIMIT_NOFILE, &more) != 0) {
      return failure(EMFILE, "pidfd_open", id.text());
    }
    now_ = more;
  }
}

Result<std::vector<std::size_t>> poll_ended(std::span<const FdRef> processes,
                                            const Deadline& deadline) {
  std::vector<pollfd> polled;
  polled.reserve(processes.size());
  for (const FdRef process : processes) polled.push_back({process.number(), POLLIN, 0});
  for (;;) {
    const auto left = deadline.left();
    const int count = ::ppoll(polled.data(), polled.size(), left ? &*left : nullptr, nullptr);
    if (count < 0 && errno != EINTR) return failure("poll");
    if (count < 0) continue;
    std::vector<std::size_t> ended;
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].revents != 0) ended.push_back(i);
    }
    return ended;
  }
}

ProcessId id_of_child(pid_t pid) {
  if (const auto process = Process::open({.pid = pid})) return process->id();
  // Nobody else has its number as long as it is not waited for.
  ProcessId id{.pid = pid};
  if (const auto start = start_time(pid)) id.inode = *start;
  return id;
}

}  // namespace core
