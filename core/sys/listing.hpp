// Listing: names of one directory, kept in memory, to be put in order and gone through.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/sys/directory.hpp"

namespace core {

/// The names of one directory. The memory is kept for the next one, until `release`.
class Listing {
 public:
  struct Entry {
    std::uint64_t key;  ///< the first eight bytes, so that most comparisons look no further
    std::uint64_t ino;
    std::size_t at;  ///< where the name begins
    std::uint32_t length;
    Type type;
    Type target = Type::unknown;  ///< of a link, where somebody asked: what it leads to
  };

  /// Takes the names of `directory`, in place of those it had. An error may come half way: the
  /// names before it are there.
  Result<void> read(DirectoryReader& reader, FdRef directory);

  /// Adds one name, which comes last until the next `sort`.
  void add(const DirEntry& entry, Type target = Type::unknown);

  /// Forgets the names and keeps the memory.
  void clear();

  /// Puts the names in byte order.
  void sort();

  /// Gives the memory back.
  void release();

  std::vector<Entry>& entries() { return entries_; }
  const std::vector<Entry>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }

  std::string_view name(const Entry& entry) const {
    return {names_.data() + entry.at, entry.length};
  }
  /// The same for a system call: a NUL follows.
  Path path(const Entry& entry) const { return names_.data() + entry.at; }

 private:
  std::string names_;
  std::vector<Entry> entries_;
};

}  // namespace core
