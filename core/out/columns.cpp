#include "core/out/columns.hpp"

#include <algorithm>

namespace out {
namespace {

constexpr std::uint32_t gap = 2;
constexpr std::uint32_t least = 1 + gap;  // as GNU ls counts, the last column too

/// Fills `columns.widths` for its number of rows; false as soon as a line would be too long.
bool fits(std::span<const std::uint32_t> widths, Columns& columns, unsigned line) {
  columns.widths.clear();
  std::uint64_t total = 0;
  for (std::size_t at = 0; at < widths.size(); at += columns.rows) {
    const auto column = widths.subspan(at, std::min(columns.rows, widths.size() - at));
    const bool last = at + column.size() == widths.size();
    const std::uint32_t widest = *std::ranges::max_element(column);
    columns.widths.push_back(std::max(widest + (last ? 0 : gap), least));
    total += columns.widths.back();
    if (total >= line) return false;
  }
  return true;
}

}  // namespace

Columns arrange(std::span<const std::uint32_t> widths, unsigned line) {
  Columns columns{.rows = widths.size(), .widths = {}};
  for (std::size_t count = std::min<std::size_t>(widths.size(), line / least); count > 1; --count) {
    const std::size_t rows = (widths.size() + count - 1) / count;
    if (rows == columns.rows) continue;
    columns.rows = rows;
    if (fits(widths, columns, line)) return columns;
  }
  columns.rows = widths.size();
  fits(widths, columns, UINT32_MAX);
  return columns;
}

}  // namespace out
