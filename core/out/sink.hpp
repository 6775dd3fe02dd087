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
  /// Keeps everything, for a branch of an Io and for tests.
  Sink() = default;
  explicit Sink(core::FdRef to) : to_(to) {}

  /// Where to append.
  std::string& buffer() { return buffer_; }
  const std::string& buffer() const { return buffer_; }

  /// True once the buffer holds a block: time to flush.
  bool full() const { return to_ && buffer_.size() >= block; }

  /// True where what came last, written or not, ends a line, or nothing came yet.
  bool ends_line() const { return (buffer_.empty() ? last_ : buffer_.back()) == '\n'; }

  /// Writes all of the buffer out, interrupted or in parts. After an error nothing more is written.
  void flush();

  /// Appends whole records; a block of them is not copied.
  void put(std::string_view records);

  /// errno of the first write(2) that failed, or 0. From then on what is written is lost.
  int error() const { return error_; }

 private:
  void write(std::string_view rest);

  static constexpr std::size_t block = 64 << 10;
  std::optional<core::FdRef> to_;
  std::string buffer_;
  char last_ = '\n';  ///< of what was written
  int error_ = 0;
};

}  // namespace out
