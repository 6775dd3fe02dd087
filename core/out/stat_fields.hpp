// The fields of a file's metadata, the same wherever a record has them.
#pragma once

#include <sys/stat.h>

#include <vector>

#include "core/out/field.hpp"
#include "core/sys/account.hpp"

namespace out {

/// What a row has to hold for `stat_fields`: derive from it.
struct StatRow {
  core::Stat stat = {};
  core::Accounts* accounts = nullptr;  ///< where names are looked up
  bool known = true;                   ///< false: stat failed, and its fields are null
  // Memory for what is put together when a record is written.
  mutable core::ModeText permissions = {};
  mutable std::vector<std::string_view> words = {};
};

/// The words of `attributes` that `stat` has, as chattr(1) and statx(2) name them.
void attribute_words(const core::Stat& stat, std::vector<std::string_view>& to);

namespace detail {

/// Fetches a part of `row.stat`, null where there is none.
template <Kind K, auto Get>
Value stat_value(const StatRow& row) {
  static_assert(outlives<decltype(Get(row))>);
  return row.known ? value_of<K>(Get(row)) : Value();
}

template <Kind K, class Row, auto Get>
constexpr Field stat_field(std::string_view name, std::string_view help, core::Want want) {
  return {name,
          K,
          help,
          want,
          [](const void* row) {
            const StatRow& base = *static_cast<const Row*>(row);
            return stat_value<K, Get>(base);
          },
          &row_type<Row>};
}

template <class Row>
consteval auto make_stat_fields() {
  using core::Stat;
  using detail::stat_field;
  namespace want = core::want;
  using K = Kind;
  return std::array{
      stat_field<K::natural, Row, [](const StatRow& r) { return r.stat.mode; }>(
          "mode", "Type and permission bits, st_mode", want::mode | want::type),
      stat_field<K::text, Row,
                 [](const StatRow& r) -> std::string_view {
                   return r.permissions = core::mode_text(r.stat.mode);
                 }>("permissions", "The mode as ls writes it, -rw-r--r--", want::mode | want::type),
      stat_field<K::natural, Row, [](const StatRow& r) { return r.stat.ino; }>(
          "ino", "Inode number", want::ino),
      stat_field<K::natural, Row, [](const StatRow& r) { return r.stat.dev; }>(
          "dev", "Device that the file is on, st_dev", want::always),
      stat_field<K::natural, Row, [](const StatRow& r) { return r.stat.nlink; }>(
          "nlink", "Number of hard links", want::nlink),
      stat_field<K::natural, Row, [](const StatRow& r) { return r.stat.uid; }>(
          "uid", "Owner's user id", want::uid),
      stat_field<K::name, Row,
                 [](const StatRow& r) -> const std::string& {
                   return r.accounts->user(r.stat.uid);
                 }>("user", "Owner's name, or the id where there is none", want::uid),
      stat_field<K::natural, Row, [](const StatRow& r) { return r.stat.gid; }>("gid", "Group id",
                                                                               want::gid),
      stat_field<K::name, Row,
                 [](const StatRow& r) -> const std::string& {
                   return r.accounts->group(r.stat.gid);
                 }>("group", "Group's name, or the id where there is none", want::gid),
      stat_field<K::natural, Row, [](const StatRow& r) { return r.stat.size; }>(
          "size", "Size in bytes", want::size),
      stat_field<K::natural, Row, [](const StatRow& r) { return r.stat.blocks; }>(
          "blocks", "Blocks of 512 bytes that it takes", want::blocks),
      stat_field<K::natural, Row, [](const StatRow& r) { return r.stat.blksize; }>(
          "blksize", "Block size that suits input and output", want::always),
      stat_field<K::natural, Row, [](const StatRow& r) { return r.stat.rdev; }>(
          "rdev", "Device that it stands for, st_rdev", want::always),
      stat_field<K::time, Row, [](const StatRow& r) { return r.stat.atime; }>(
          "atime_ns", "Last access", want::atime),
      stat_field<K::time, Row, [](const StatRow& r) { return r.stat.mtime; }>(
          "mtime_ns", "Last change of the content", want::mtime),
      stat_field<K::time, Row, [](const StatRow& r) { return r.stat.ctime; }>(
          "ctime_ns", "Last change of the metadata", want::ctime),
      stat_field<K::time, Row, [](const StatRow& r) { return r.stat.birthtime; }>(
          "birthtime_ns", "Birth, null where none is kept", want::birthtime),
      stat_field<K::natural, Row, [](const StatRow& r) { return r.stat.mount_id; }>(
          "mount_id", "Id of the mount, as in /proc/self/mountinfo", want::mount_id),
      stat_field<K::texts, Row,
                 [](const StatRow& r) -> std::optional<std::span<const std::string_view>> {
                   if (r.stat.attributes_mask == 0) return std::nullopt;
                   attribute_words(r.stat, r.words);
                   return std::span<const std::string_view>(r.words);
                 }>("attributes", "Those of statx(2) that are set: immutable, append, ...",
                    want::always),
  };
}
}  // namespace detail

/// The fields that os.stat_result has too, and those that statx(2) adds, for rows of type `Row`.
template <class Row>
inline constexpr auto stat_fields = detail::make_stat_fields<Row>();

}  // namespace out
