#include "core/out/entries.hpp"

#include <algorithm>

#include "core/sys/parallel.hpp"

namespace out {

Place::Place(std::string_view path, core::FdRef opened)
    : at_(opened), directory_(path), prefix_(path) {
  if (!prefix_.ends_with('/')) prefix_ += '/';
}

core::Error Place::about(core::Error error) const {
  error.path = directory_;
  return error;
}

void Entries::clear() {
  names_.clear();
  facts_.clear();
  order_.clear();
}

void Entries::add(const core::DirEntry& entry) { names_.push_back(entry); }

void Entries::add(std::span<const core::DirEntry> batch) {
  names_.insert(names_.end(), batch.begin(), batch.end());
}

void Entries::add(const core::Listing& listing, std::size_t first, std::size_t count) {
  for (const auto& entry : std::span(listing.entries()).subspan(first, count)) {
    names_.push_back({listing.path(entry).c_str(), entry.length, entry.type, entry.ino});
  }
}

void Entries::ask(const Place& place, Io& io, Threads threads) {
  if (how_.want == 0 && std::ranges::none_of(names_, [this](const core::DirEntry& entry) {
        return want_for(entry.type) != 0;
      })) {
    return;
  }
  facts_.resize(names_.size());
  if (how_.whole) stats_.resize(names_.size());
  const auto ask_of = [&](std::size_t i) {
    const core::Want wanted = want_for(names_[i].type);
    if (wanted == 0) return;
    auto found = core::lstat(names_[i].name, wanted, place.at());
    facts_[i].known = found.has_value();
    if (found) {
      facts_[i].file = LineFacts(*found, how_.time);
      if (how_.whole) stats_[i] = *found;
    } else {
      facts_[i].error = found.error().number;
    }
  };
  if (threads == Threads::one) {
    for (std::size_t i = 0; i < names_.size(); ++i) ask_of(i);
  } else {
    core::for_each_index(names_.size(), ask_of);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const int error = facts_[i].error;
    if (error == ENOENT && !place.of_operands()) continue;
    if (error != 0) {
      io.fail({.number = error, .call = "lstat", .path = place.path(names_[i].text())});
      if (place.of_operands()) continue;
    }
    if (kept != i) {
      names_[kept] = names_[i];
      facts_[kept] = facts_[i];
      if (how_.whole) stats_[kept] = stats_[i];
    }
    ++kept;
  }
  names_.resize(kept);
  facts_.resize(kept);
}

void Entries::sort_by_stat(FileOrder order, bool reverse) {
  struct Key {
    core::Time time;
    std::uint32_t number;
  };
  std::vector<Key> keys;
  keys.reserve(facts_.size());
  for (const Facts& facts : facts_) {
    keys.push_back({key_of(facts.file, order), static_cast<std::uint32_t>(keys.size())});
  }
  std::ranges::sort(keys, [reverse](const Key& a, const Key& b) {
    if (a.time != b.time) return reverse ? a.time < b.time : a.time > b.time;
    return a.number < b.number;
  });
  order_.clear();
  for (const Key& key : keys) order_.push_back(key.number);
}

void Entries::reorder(core::Listing& listing) const {
  if (order_.empty()) return;
  auto& all = listing.entries();
  std::vector<core::Listing::Entry> kept;
  for (const auto& entry : all) {
    const bool is_next =
        kept.size() < names_.size() && names_[kept.size()].name == listing.path(entry).c_str();
    if (is_next) kept.push_back(entry);
  }
  all.clear();
  for (const std::uint32_t i : order_) all.push_back(kept[i]);
}

}  // namespace out
