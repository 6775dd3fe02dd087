// The orders in which files are shown.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/out/long_lines.hpp"
#include "core/sys/listing.hpp"

namespace out {

enum class FileOrder : std::uint8_t {
  name,       ///< byte order
  extension,  ///< that of what follows the last dot
  version,    ///< numbers in names as numbers, as strverscmp(3) has it
  size,       ///< the largest first
  time,       ///< the newest first
  none,       ///< as the file system has them
};

/// True where more than names decides. Those that are the same then stand as their names do.
constexpr bool is_by_stat(FileOrder order) {
  return order == FileOrder::size || order == FileOrder::time;
}

/// What stat must be asked for, for that; of the times it is `which` that counts.
core::Want want_of(FileOrder order, FileTime which);

/// What such an order goes by: the greater of two comes first. A size stands in the seconds.
core::Time key_of(const LineFacts& file, FileOrder order);

/// True where the name `a` comes before `b`, each with a NUL behind it.
bool comes_before(std::string_view a, std::string_view b, FileOrder order);

/// Puts `names` in order or, with `reverse`, in the opposite one, as far as names decide; with
/// `none` they stay as they are.
void sort(core::Listing& names, FileOrder order, bool reverse);

}  // namespace out
