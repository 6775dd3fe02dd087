// Reading one directory: getdents64(2), with a plain twin over readdir(3).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/sys/fd.hpp"
#include "core/sys/result.hpp"
#include "core/sys/stat.hpp"

namespace core {

/// One name in a directory, as long as the batch that holds it. "." and ".." are never among them.
struct DirEntry {
  const char* name;  ///< ends with a NUL
  std::uint32_t length;
  Type type;          ///< unknown where the file system does not tell (DT_UNKNOWN)
  std::uint64_t ino;  ///< of a mount point: that of the directory below the mount

  std::string_view text() const { return {name, length}; }
};

/// Opens a directory to be read. ENOTDIR where it is something else; with `no_follow` a link too,
/// but not "link/", which the kernel follows all the same.
/// open(2) with O_DIRECTORY
Result<Fd> open_directory(Path path, At at = {}, Links links = Links::follow);

class DirectoryBatches;

/// Reads directories, one after the other, through one buffer.
class DirectoryReader {
 public:
  DirectoryReader();
  ~DirectoryReader();
  DirectoryReader(DirectoryReader&&) noexcept;

  /// Turns to `directory`, which stays the caller's and must have been opened for this: a
  /// descriptor can be read through once. What is left of the directory before is forgotten.
  void begin(FdRef directory);

  /// The next names, in the order of the file system; none at the end, which a directory that is
  /// deleted meanwhile comes to. A batch holds until the next call. An error may come after good
  /// batches: what was read before it stands. getdents64(2); there is no giving way to readdir(3),
  /// which makes the same call.
  Result<std::span<const DirEntry>> read();

 private:
  std::unique_ptr<DirectoryBatches> batches_;
};

}  // namespace core
