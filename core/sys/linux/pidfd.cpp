#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "core/sys/backend.hpp"

// One number on every architecture but alpha.
#if !defined SYS_pidfd_open && !defined __alpha__
#define SYS_pidfd_open 434
#endif
#if !defined SYS_pidfd_send_signal && !defined __alpha__
#define SYS_pidfd_send_signal 424
#endif

namespace core::backend {
namespace {

/// struct pidfd_info of linux/pidfd.h, in its first size.
struct PidfdInfo {
  std::uint64_t mask;
  std::uint64_t cgroup;
  std::uint32_t ids[11];
  std::int32_t exit_code;
};
static_assert(sizeof(PidfdInfo) == 64);

constexpr std::uint64_t info_exit = 1U << 3;  // PIDFD_INFO_EXIT
constexpr unsigned long get_info = _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, sizeof(PidfdInfo));
constexpr unsigned signal_process_group = 1U << 2;  // PIDFD_SIGNAL_PROCESS_GROUP

}  // namespace

Fd pidfd_open(pid_t pid) {
  const long number = ::syscall(SYS_pidfd_open, pid, 0);
  // The kernel never answers EPERM; a seccomp profile does.
  if (number < 0 && errno == EPERM) errno = ENOSYS;
  return Fd(static_cast<int>(number));
}

int pidfd_send_signal(FdRef process, int signal, bool group) {
  const long done = ::syscall(SYS_pidfd_send_signal, process.number(), signal, nullptr,
                              group ? signal_process_group : 0);
  // Before Linux 6.9 there were no flags.
  if (done != 0 && group && errno == EINVAL) errno = ENOSYS;
  return static_cast<int>(done);
}

std::optional<int> pidfd_exit_status(FdRef process) {
  PidfdInfo info = {};
  info.mask = info_exit;
  if (::ioctl(process.number(), get_info, &info) != 0) return std::nullopt;
  if ((info.mask & info_exit) != 0) return info.exit_code;
  // Linux 6.13 and 6.14 know the call and not the status; they say ESRCH when there would be one.
  errno = EAGAIN;
  return std::nullopt;
}

int pidfd_wait(FdRef process, siginfo_t& ended, int options, KernelUsage& usage) {
  return static_cast<int>(
      ::syscall(SYS_waitid, P_PIDFD, process.number(), &ended, options, &usage));
}

}  // namespace core::backend
