#include "core/sys/directory.hpp"

#include <fcntl.h>

#include "core/sys/backend.hpp"

namespace core {

Result<Fd> open_directory(Path path, At at, Links links) {
  const int no_follow = links == Links::no_follow ? O_NOFOLLOW : 0;
  return open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | no_follow, at);
}

struct DirectoryReader::State {
  std::unique_ptr<DirectoryBatches> batches = backend::directory_batches();
};

DirectoryReader::DirectoryReader() : state_(std::make_unique<State>()) {}
DirectoryReader::~DirectoryReader() = default;
DirectoryReader::DirectoryReader(DirectoryReader&&) noexcept = default;
DirectoryReader& DirectoryReader::operator=(DirectoryReader&&) noexcept = default;

void DirectoryReader::begin(FdRef directory) { state_->batches->begin(directory); }

Result<std::span<const DirEntry>> DirectoryReader::read() { return state_->batches->read(); }

}  // namespace core
