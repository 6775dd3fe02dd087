#include <dirent.h>

#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "core/sys/backend.hpp"

namespace core::backend {
namespace {

class Batches final : public DirectoryBatches {
 public:
  void begin(FdRef directory) override {
    directory_ = directory;
    at_end_ = false;
  }

  Result<std::span<const DirEntry>> read() override {
    entries_.clear();
    // A batch of "." and ".." alone is not the end.
    while (entries_.empty() && !at_end_) {
      const ssize_t size = ::getdents64(directory_.number(), buffer_.get(), buffer_size);
      if (size < 0 && errno == EINTR) continue;
      // A directory that was deleted meanwhile is at its end, as readdir(3) has it.
      if (size == 0 || (size < 0 && errno == ENOENT)) break;
      // No giving way here: readdir(3) makes the same call.
      if (size < 0) return failure("readdir");
      for (const char* at = buffer_.get(); at < buffer_.get() + size;) {
        const auto* const entry = reinterpret_cast<const dirent64*>(at);
        at += entry->d_reclen;
        // No entry has a position behind the greatest one, where ext4 and btrfs put the end: that
        // saves every directory a call. A file system that gives this position to what is not last
        // would break lseek(2) too.
        at_end_ = entry->d_off == std::numeric_limits<off64_t>::max();
        const char* const name = entry->d_name;
        if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))) continue;
        entries_.push_back({name, static_cast<std::uint32_t>(std::strlen(name)),
                            type_of_mode(static_cast<mode_t>(DTTOIF(entry->d_type))),
                            entry->d_ino});
      }
    }
    return entries_;
  }

 private:
  static constexpr std::size_t buffer_size = 64 << 10;
  FdRef directory_ = FdRef::current_directory();
  std::unique_ptr<char[]> buffer_ = std::make_unique_for_overwrite<char[]>(buffer_size);
  std::vector<DirEntry> entries_;
  bool at_end_ = false;
};

}  // namespace

std::unique_ptr<DirectoryBatches> directory_batches() { return std::make_unique<Batches>(); }

}  // namespace core::backend
