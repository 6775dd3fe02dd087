// Entries: names that are shown together, what the kernel says of each, and their order.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/out/file_order.hpp"
#include "core/out/io.hpp"
#include "core/out/long_lines.hpp"
#include "core/sys/directory.hpp"
#include "core/sys/listing.hpp"
#include "core/sys/stat.hpp"

namespace out {

/// Where names stand: in a directory, or on a command line.
class Place {
 public:
  /// Where operands start.
  explicit Place(core::At where) : at_(where) {}
  /// The directory `path`, which is open.
  Place(std::string_view path, core::FdRef opened);

  core::At at() const { return at_; }
  /// True where the names are operands.
  bool of_operands() const { return prefix_.empty(); }
  /// What stands in front of each name in its path.
  const std::string& prefix() const { return prefix_; }
  std::string path(std::string_view name) const { return prefix_ + std::string(name); }
  /// `error`, as one of the directory itself.
  core::Error about(core::Error error) const;

 private:
  core::At at_;
  std::string directory_;
  std::string prefix_;
};

/// The type of `entry`: as stat has it, where `facts` are known, else as its directory does.
inline core::Type type_of(const core::DirEntry& entry, const LineFacts* facts) {
  return facts != nullptr && facts->type != core::Type::unknown ? facts->type : entry.type;
}

/// Some names, with their order and what was asked of each. The names are somebody else's, and
/// live as long as they are needed here; the memory for the rest is kept.
class Entries {
 public:
  struct How {
    core::Want want = core::want::nothing;   ///< of each
    std::array<core::Want, 8> want_of = {};  ///< more, of those of each type
    FileTime time = FileTime::mtime;         ///< the one that a LineFacts has
    bool whole = false;                      ///< all of a Stat is kept too
  };
  enum class Threads : std::uint8_t { one, several };

  explicit Entries(How how) : how_(how) {}

  /// What is asked of each name, whatever its type.
  core::Want want() const { return how_.want; }
  /// True where something is asked of a name whose type nobody has told.
  bool asks_unknown() const { return want_for(core::Type::unknown) != 0; }

  /// Forgets the names.
  void clear();
  void add(const core::DirEntry& entry);
  void add(std::span<const core::DirEntry> batch);
  /// Adds `count` of those in `listing`, `first` and what follows it.
  void add(const core::Listing& listing, std::size_t first, std::size_t count);

  /// Forgets those of which `is_one` is true.
  template <class Is>
  void erase_if(Is is_one) {
    std::erase_if(names_, is_one);
  }

  /// Asks what is wanted of each name, once. One in a directory that is gone meanwhile is dropped.
  /// What cannot be had is told; of operands it is dropped too. lstat(2)
  void ask(const Place& place, Io& io, Threads threads);
  /// Puts them in an order by stat, as far as it was asked; else they are as they were added.
  void sort_by_stat(FileOrder order, bool reverse);

  std::size_t size() const { return names_.size(); }

  // In their order.
  const core::DirEntry& entry(std::size_t i) const { return names_[nth(i)]; }
  /// Null where nothing is known.
  const LineFacts* facts(std::size_t i) const {
    if (facts_.empty()) return nullptr;
    const Facts& facts = facts_[nth(i)];
    return facts.known ? &facts.file : nullptr;
  }
  /// Where that is not null, and with `whole`: all that there is to know.
  const core::Stat& stat(std::size_t i) const { return stats_[nth(i)]; }

  /// Puts `listing`, from which all were added, in the same order, without those that were
  /// dropped. Where they are in no order of their own it stays as it is.
  void reorder(core::Listing& listing) const;

 private:
  /// What is known of a name.
  struct Facts {
    LineFacts file = {};
    int error = 0;
    bool known = false;  ///< `file` holds what was asked for
  };

  core::Want want_for(core::Type type) const {
    return how_.want | how_.want_of[static_cast<std::size_t>(type)];
  }
  std::size_t nth(std::size_t i) const { return order_.empty() ? i : order_[i]; }

  How how_;
  std::vector<core::DirEntry> names_;
  std::vector<Facts> facts_;  ///< empty where nothing was asked
  std::vector<core::Stat> stats_;
  std::vector<std::uint32_t> order_;
};

}  // namespace out
