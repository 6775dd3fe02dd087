// Sink: bytes on their way to a descriptor, in large blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/sys/fd.hpp"

namespace out {

/// A buffer in front of a descriptor; without one, all that was written stays in the buffer.
class Sink {
 public:
  /// Keeps everything, for tests.
  Sink() = default;
  explicit Sink(core::FdRef to) : to_(to) { buffer_.reserve(block + block / 4); }

  /// Where to append; call `commit` after whole lines.
  std::string& buffer() { return buffer_; }

  /// Writes the buffer out once it holds a block.
  void commit() {
    if (buffer_.size() >= block) flush();
  }

  /// Writes all of the buffer out, interrupted or in parts. After an error nothing more is written.
  void flush();

  /// errno of the first write(2) that failed, or 0. From then on what is written is lost.
  int error() const { return error_; }

 private:
  static constexpr std::size_t block = 64 << 10;
  std::optional<core::FdRef> to_;
  std::string buffer_;
  int error_ = 0;
};

}  // namespace out
