#include "core/sys/listing.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace core {
namespace {

/// The first eight bytes of `name`, as a number that compares like them; NULs fill it up.
std::uint64_t key_of(std::string_view name) {
  std::uint64_t key = 0;
  std::memcpy(&key, name.data(), std::min(name.size(), sizeof key));
  if constexpr (std::endian::native == std::endian::little) key = std::byteswap(key);
  return key;
}

}  // namespace

Result<void> Listing::read(DirectoryReader& reader, FdRef directory) {
  clear();
  reader.begin(directory);
  for (;;) {
    const auto batch = TRY(reader.read());
    if (batch.empty()) return {};
    for (const DirEntry& entry : batch) add(entry);
  }
}

void Listing::add(const DirEntry& entry, Type target) {
  entries_.push_back(
      {key_of(entry.text()), entry.ino, names_.size(), entry.length, entry.type, target});
  names_.append(entry.name, entry.length + std::size_t{1});
}

void Listing::clear() {
  names_.clear();
  entries_.clear();
}

void Listing::sort() {
  std::ranges::sort(entries_, [this](const Entry& a, const Entry& b) {
    if (a.key != b.key) return a.key < b.key;
    return name(a) < name(b);
  });
}

void Listing::release() {
  names_ = {};
  entries_ = {};
}

}  // namespace core
