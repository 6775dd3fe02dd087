#include "core/sys/backend.hpp"

namespace core::posix {

Result<Fd> openat2(Path path, int /*flags*/, mode_t /*mode*/, At /*at*/) {
  return failure(ENOSYS, "open", path);
}

}  // namespace core::posix
