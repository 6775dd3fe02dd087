#include "core/sys/backend.hpp"

namespace core::posix {

bool clone(FdRef /*from*/, FdRef /*to*/) { return false; }

Result<std::optional<std::size_t>> copy_range(FdRef /*from*/, FdRef /*to*/, off_t /*offset*/,
                                              std::size_t /*size*/) {
  return std::nullopt;
}

}  // namespace core::posix
