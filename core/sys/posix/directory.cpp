#include <dirent.h>
#include <fcntl.h>

#include <memory>
#include <vector>

#include "core/sys/backend.hpp"

namespace core::posix {
namespace {

Type type_of(const dirent& entry) {
#ifdef DT_UNKNOWN
  return type_of_mode(static_cast<mode_t>(DTTOIF(entry.d_type)));
#else
  return Type::unknown;
#endif
}

struct Close {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

class Batches final : public DirectoryBatches {
 public:
  void begin(FdRef directory) override {
    // A stream owns its descriptor, and the caller keeps his.
    const int number = ::fcntl(directory.number(), F_DUPFD_CLOEXEC, 3);
    stream_.reset(number < 0 ? nullptr : ::fdopendir(number));
    failed_ = stream_ ? 0 : errno;
    if (!stream_ && number >= 0) ::close(number);
  }

  Result<std::span<const DirEntry>> read() override {
    if (failed_ != 0) return failure(std::exchange(failed_, 0), "readdir");
    names_.clear();
    entries_.clear();
    while (stream_ && entries_.size() < batch) {
      errno = 0;
      const dirent* const entry = ::readdir(stream_.get());
      if (entry == nullptr) {
        failed_ = errno;
        stream_.reset();
        break;
      }
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      entries_.push_back(
          {nullptr, static_cast<std::uint32_t>(name.size()), type_of(*entry), entry->d_ino});
      names_.append(name).push_back('\0');
    }
    if (entries_.empty() && failed_ != 0) return read();
    const char* name = names_.c_str();
    for (DirEntry& entry : entries_) {
      entry.name = name;
      name += entry.length + 1;
    }
    return entries_;
  }

 private:
  static constexpr std::size_t batch = 1024;
  std::unique_ptr<DIR, Close> stream_;
  int failed_ = 0;
  std::string names_;
  std::vector<DirEntry> entries_;
};

}  // namespace

std::unique_ptr<DirectoryBatches> directory_batches() { return std::make_unique<Batches>(); }

}  // namespace core::posix
