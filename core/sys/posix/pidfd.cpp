#include <cerrno>

#include "core/sys/backend.hpp"

namespace core::posix {

Fd pidfd_open(pid_t /*pid*/) {
  errno = ENOSYS;
  return {};
}

int pidfd_send_signal(FdRef /*process*/, int /*signal*/, bool /*group*/) {
  errno = ENOSYS;
  return -1;
}

std::optional<int> pidfd_exit_status(FdRef /*process*/) {
  errno = ENOSYS;
  return std::nullopt;
}

int pidfd_wait(FdRef /*process*/, siginfo_t& /*ended*/, int /*options*/, KernelUsage& /*usage*/) {
  errno = ENOSYS;
  return -1;
}

}  // namespace core::posix
