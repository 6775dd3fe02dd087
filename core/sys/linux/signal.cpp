#include <sys/signalfd.h>

#include "core/sys/backend.hpp"

namespace core::backend {

Fd signal_descriptor(const sigset_t& signals) {
  return Fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace core::backend
