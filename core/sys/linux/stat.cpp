#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/sys/backend.hpp"

namespace core::backend {
namespace {

static_assert(want::basic == STATX_BASIC_STATS && want::birthtime == STATX_BTIME &&
              want::mount_id == STATX_MNT_ID && want::ctime == STATX_CTIME);

Time time_of(const statx_timestamp& from) { return {from.tv_sec, from.tv_nsec}; }

}  // namespace

Result<Stat> statx(FdRef directory, Path path, int flags, Want want) {
  struct ::statx from;
  if (path.c_str()[0] == '\0') flags |= AT_EMPTY_PATH;
  if (::statx(directory.number(), path.c_str(), flags | AT_NO_AUTOMOUNT, want & ~want::always,
              &from) != 0) {
    if (not_offered(errno)) return posix::statx(directory, path, flags & ~AT_EMPTY_PATH, want);
    return failure("stat", path);
  }
  Stat to{
      .type = type_of_mode(from.stx_mode),
      .mode = from.stx_mode,
      .ino = from.stx_ino,
      .dev = ::makedev(from.stx_dev_major, from.stx_dev_minor),
      .nlink = from.stx_nlink,
      .uid = from.stx_uid,
      .gid = from.stx_gid,
      .size = from.stx_size,
      .blocks = from.stx_blocks,
      .blksize = from.stx_blksize,
      .rdev = ::makedev(from.stx_rdev_major, from.stx_rdev_minor),
      .atime = time_of(from.stx_atime),
      .mtime = time_of(from.stx_mtime),
      .ctime = time_of(from.stx_ctime),
      .birthtime = {},
      .mount_id = {},
      .attributes = from.stx_attributes & from.stx_attributes_mask,
      .attributes_mask = from.stx_attributes_mask,
  };
  // Some file systems set the bit for a birth time of 0, which is none.
  if ((from.stx_mask & STATX_BTIME) != 0 && (from.stx_btime.tv_sec | from.stx_btime.tv_nsec) != 0) {
    to.birthtime = time_of(from.stx_btime);
  }
  if ((from.stx_mask & STATX_MNT_ID) != 0) to.mount_id = from.stx_mnt_id;
  return to;
}

}  // namespace core::backend
