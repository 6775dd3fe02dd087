#include "core/out/sink.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace out {

void Sink::flush() {
  if (!to_) return;
  std::string_view rest = buffer_;
  while (!rest.empty() && error_ == 0) {
    const ssize_t count = ::write(to_->number(), rest.data(), rest.size());
    if (count >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      // Somebody left the descriptor non-blocking: wait for room as a blocking one would.
      pollfd room{to_->number(), POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  buffer_.clear();
}

}  // namespace out
