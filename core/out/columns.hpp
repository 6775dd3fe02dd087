// Names in columns, filled downwards.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace out {

/// How a list lies in columns: item `i` is in column `i / rows`, and every column but the last is
/// as wide as its widest item and the gap.
struct Columns {
  std::size_t rows;
  std::vector<std::uint32_t> widths;  ///< of each column, the gap behind it included
};

/// The fewest rows in which items of these `widths` fit into lines shorter than `line`; one column
/// where nothing fits. Two blanks separate columns.
Columns arrange(std::span<const std::uint32_t> widths, unsigned line);

}  // namespace out
