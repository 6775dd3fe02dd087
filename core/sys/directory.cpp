#include "core/sys/directory.hpp"

#include <fcntl.h>

#include "core/sys/backend.hpp"

namespace core {

Result<Fd> open_directory(Path path, At at, Links links) {
  const int no_follow = links == Links::no_follow ? O_NOFOLLOW : 0;
  return open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | no_follow, at);
}

DirectoryReader::DirectoryReader() : batches_(backend::directory_batches()) {}
DirectoryReader::~DirectoryReader() = default;
DirectoryReader::DirectoryReader(DirectoryReader&&) noexcept = default;

void DirectoryReader::begin(FdRef directory) { batches_->begin(directory); }

Result<std::span<const DirEntry>> DirectoryReader::read() { return batches_->read(); }

}  // namespace core
