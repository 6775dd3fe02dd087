#include "core/sys/backend.hpp"

namespace core::posix {

Fd signal_descriptor(const sigset_t& /*signals*/) { return {}; }

}  // namespace core::posix
