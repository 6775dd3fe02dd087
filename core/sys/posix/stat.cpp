#include <fcntl.h>
#include <sys/stat.h>

#include "core/sys/backend.hpp"

namespace core::posix {
namespace {

Time time_of(const timespec& from) {
  return {from.tv_sec, static_cast<std::uint32_t>(from.tv_nsec)};
}

}  // namespace

Result<Stat> statx(FdRef directory, Path path, int flags, Want /*all of it comes anyway*/) {
  struct ::stat from;
#ifdef AT_NO_AUTOMOUNT
  flags |= AT_NO_AUTOMOUNT;
#endif
  const bool itself = path.c_str()[0] == '\0';
  const int failed = itself ? ::fstat(directory.number(), &from)
                            : ::fstatat(directory.number(), path.c_str(), &from, flags);
  if (failed != 0) return failure("stat", path);
  return Stat{
      .type = type_of_mode(from.st_mode),
      .mode = from.st_mode,
      .ino = from.st_ino,
      .dev = from.st_dev,
      .nlink = from.st_nlink,
      .uid = from.st_uid,
      .gid = from.st_gid,
      .size = static_cast<std::uint64_t>(from.st_size),
      .blocks = static_cast<std::uint64_t>(from.st_blocks),
      .blksize = static_cast<std::uint64_t>(from.st_blksize),
      .rdev = from.st_rdev,
      .atime = time_of(from.st_atim),
      .mtime = time_of(from.st_mtim),
      .ctime = time_of(from.st_ctim),
      .birthtime = {},
      .mount_id = {},
  };
}

}  // namespace core::posix
