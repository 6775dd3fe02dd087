#include "core/sys/copy.hpp"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "core/sys/backend.hpp"

namespace core {
namespace {

constexpr std::size_t block = 128 << 10;
/// What the kernel may copy at once, so that a signal does not wait for long.
constexpr off_t most_at_once = 16 << 20;

/// Where the next data (SEEK_DATA), or the next hole (SEEK_HOLE), begins.
Result<off_t> seek(FdRef file, off_t offset, int whence) {
  const off_t found = ::lseek(file.number(), offset, whence);
  if (found < 0) return failure("lseek");
  return found;
}

class Copy {
 public:
  Copy(FdRef from, FdRef to, const HeldSignals& held) : from_(from), to_(to), held_(&held) {}

  /// Copies from `begin` to `end`, or as far as there is something; where that is.
  Result<off_t> range(off_t begin, off_t end) {
    while (by_kernel_ && begin < end) {
      TRY(held_->check());
      const auto size = static_cast<std::size_t>(std::min(end - begin, most_at_once));
      const auto count = TRY(backend::copy_range(from_, to_, begin, size));
      // Some file systems say 0 where there is something to be read.
      by_kernel_ = count.value_or(0) > 0;
      if (by_kernel_) begin += static_cast<off_t>(*count);
    }
    if (begin == end) return begin;
    (void)TRY(seek(from_, begin, SEEK_SET));
    (void)TRY(seek(to_, begin, SEEK_SET));
    return by_hand(begin, end);
  }

 private:
  Result<off_t> by_hand(off_t begin, off_t end) {
    if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(block);
    while (begin < end) {
      TRY(held_->check());
      const auto size = static_cast<std::size_t>(std::min(end - begin, off_t{block}));
      const std::size_t count = TRY(read(from_, buffer_.get(), size));
      if (count == 0) break;
      TRY(write(to_, {buffer_.get(), count}));
      begin += static_cast<off_t>(count);
    }
    return begin;
  }

  FdRef from_;
  FdRef to_;
  const HeldSignals* held_;
  bool by_kernel_ = true;
  std::unique_ptr<char[]> buffer_;
};

constexpr off_t no_end = std::numeric_limits<off_t>::max();

}  // namespace

Result<void> copy_content(FdRef from, FdRef to, const HeldSignals& held) {
  const auto size = static_cast<off_t>(TRY(fstat(from, want::size)).size);
  if (size > 0 && backend::clone(from, to)) return {};
  Copy copy(from, to, held);
  off_t at = 0;
  while (at < size) {
    const auto data = seek(from, at, SEEK_DATA);
    if (!data && data.error().number == ENXIO) {
      // Nothing but a hole is left.
      if (::ftruncate(to.number(), size) != 0) return failure("truncate");
      at = size;
      break;
    }
    // Holes are not to be had here.
    if (!data) break;
    const auto hole = seek(from, *data, SEEK_HOLE);
    const off_t end = hole ? *hole : size;
    at = TRY(copy.range(*data, end));
    if (at < end) return {};
  }
  (void)TRY(copy.range(at, no_end));
  return {};
}

Result<void> copy_stream(FdRef from, FdRef to, HeldSignals& held) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(block);
  for (;;) {
    TRY(held.wait_to_read(from));
    const auto count = read(from, buffer.get(), block);
    // Somebody else who reads the same was faster.
    if (!count && count.error().number == EAGAIN) continue;
    if (!count) return failure(count.error().number, "read", "stdin");
    if (*count == 0) return {};
    TRY(write(to, {buffer.get(), *count}));
  }
}

}  // namespace core
