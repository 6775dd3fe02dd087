#include "core/out/file_order.hpp"

#include <algorithm>
#include <cstring>

namespace out {
namespace {

std::string_view extension_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == name.npos ? std::string_view() : name.substr(dot);
}

}  // namespace

core::Want want_of(FileOrder order, FileTime which) {
  if (order == FileOrder::time) return want_of(which);
  return order == FileOrder::size ? core::want::size : core::want::nothing;
}

core::Time key_of(const LineFacts& file, FileOrder order) {
  if (order == FileOrder::time) return file.time;
  return {.seconds = static_cast<std::int64_t>(file.size)};
}

bool comes_before(std::string_view a, std::string_view b, FileOrder order) {
  int difference = 0;
  if (order == FileOrder::extension) difference = extension_of(a).compare(extension_of(b));
  if (order == FileOrder::version) difference = ::strverscmp(a.data(), b.data());
  return difference != 0 ? difference < 0 : a < b;
}

void sort(core::Listing& names, FileOrder order, bool reverse) {
  if (order == FileOrder::none) return;
  if (order == FileOrder::extension || order == FileOrder::version) {
    std::ranges::sort(names.entries(), [&](const auto& a, const auto& b) {
      return comes_before(names.name(a), names.name(b), order);
    });
  } else {
    names.sort();
  }
  if (reverse) std::ranges::reverse(names.entries());
}

}  // namespace out
