#include "core/out/sink.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace out {

void Sink::flush() {
  if (!to_) return;
  write(buffer_);
  buffer_.clear();
}

void Sink::put(std::string_view records) {
  if (to_ && records.size() >= block) {
    flush();
    write(records);
  } else {
    buffer_ += records;
    if (full()) flush();
  }
}

/// Hands everything to the kernel, unless it failed before.
void Sink::write(std::string_view rest) {
  if (!rest.empty()) last_ = rest.back();
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
}

}  // namespace out
