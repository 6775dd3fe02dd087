#include "core/out/stat_fields.hpp"

#include <utility>

namespace out {

void attribute_words(const core::Stat& stat, std::vector<std::string_view>& to) {
  // The bits STATX_ATTR_*, which are part of the kernel's interface.
  constexpr std::pair<std::uint64_t, std::string_view> words[] = {
      {0x4, "compressed"},        {0x10, "immutable"},  {0x20, "append"},
      {0x40, "nodump"},           {0x800, "encrypted"}, {0x1000, "automount"},
      {0x2000, "mount_root"},     {0x100000, "verity"}, {0x200000, "dax"},
      {0x400000, "write_atomic"},
  };
  to.clear();
  for (const auto& [bit, word] : words) {
    if ((stat.attributes & bit) != 0) to.push_back(word);
  }
}

}  // namespace out
