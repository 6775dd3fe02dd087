// What a file is: statx(2), with a plain twin over fstatat(2).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/sys/fd.hpp"
#include "core/sys/result.hpp"

namespace core {

/// What kind of file; the words of every `type` field.
enum class Type : std::uint8_t { unknown, file, dir, link, fifo, socket, character, block };

/// "file", "dir", "link", "fifo", "socket", "char", "block" or "unknown".
std::string_view type_word(Type type);

/// The type that the format bits of `mode` (S_IFMT) stand for.
Type type_of_mode(mode_t mode);

/// `mode` as ls writes it: "drwxr-xr-x", set-ids and the sticky bit included.
struct ModeText {
  char text[11];
  operator std::string_view() const { return {text, 10}; }  // NOLINT(*-explicit-*)
};
ModeText mode_text(mode_t mode);

/// A point in time. Before 1970 `seconds` is negative; `nanoseconds` always counts forward from it.
struct Time {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  auto operator<=>(const Time&) const = default;
};

/// The fields a caller needs, so that the kernel is asked for no more. The bits are those of
/// statx(2); what a file system gives for free may be there without being asked for.
using Want = std::uint32_t;
namespace want {
inline constexpr Want type = 0x1, mode = 0x2, nlink = 0x4, uid = 0x8, gid = 0x10, atime = 0x20,
                      mtime = 0x40, ctime = 0x80, ino = 0x100, size = 0x200, blocks = 0x400,
                      birthtime = 0x800, mount_id = 0x1000;
/// dev, rdev, blksize and attributes, which every answer has: a reason to call, with no bit of its
/// own.
inline constexpr Want always = 0x4000'0000;
inline constexpr Want basic = 0x7ff;
inline constexpr Want nothing = 0;
}  // namespace want

/// Which file it is: no other has both numbers while this one is there.
struct FileId {
  std::uint64_t dev = 0;
  std::uint64_t ino = 0;
  bool operator==(const FileId&) const = default;
};

/// One answer of statx(2). A field that was not asked for is 0 or empty.
struct Stat {
  Type type = Type::unknown;
  mode_t mode = 0;  ///< format and permission bits, as st_mode
  std::uint64_t ino = 0;
  std::uint64_t dev = 0;
  std::uint64_t nlink = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t size = 0;
  std::uint64_t blocks = 0;  ///< of 512 bytes
  std::uint64_t blksize = 0;
  std::uint64_t rdev = 0;
  Time atime, mtime, ctime;
  std::optional<Time> birthtime;          ///< empty where the file system keeps none
  std::optional<std::uint64_t> mount_id;  ///< empty where the kernel does not tell
  std::uint64_t attributes = 0;           ///< STATX_ATTR_*, those that are set
  std::uint64_t attributes_mask = 0;      ///< those that the file system knows; 0 without statx

  FileId id() const { return {dev, ino}; }
};

/// True where both were asked of one file.
inline bool same_file(const Stat& a, const Stat& b) { return a.id() == b.id(); }

/// What `path` leads to. No automount is triggered, and no FIFO or device is opened. stat(2)
Result<Stat> stat(Path path, Want want = want::basic, At at = {});

/// `path` itself, where it is a symbolic link. lstat(2)
Result<Stat> lstat(Path path, Want want = want::basic, At at = {});

/// stat or lstat, as `links` says.
Result<Stat> stat(Path path, Links links, Want want, At at);

/// What `fd` stands for; a descriptor opened with O_PATH will do. fstat(2)
Result<Stat> fstat(FdRef fd, Want want = want::basic);

}  // namespace core
