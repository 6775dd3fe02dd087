#include "core/sys/cgroup.hpp"

#include <fcntl.h>

#include <algorithm>
#include <ctime>

#include "core/sys/directory.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/listing.hpp"
#include "core/sys/mount.hpp"
#include "core/sys/stat.hpp"

namespace core {
namespace {

/// The directory of the version 2 cgroup that this process is in.
std::optional<std::string> own_directory() {
  const auto groups = read_file("/proc/self/cgroup");
  if (!groups) return std::nullopt;
  // "0::/path" is the line of version 2.
  const std::string lines = "\n" + *groups;
  constexpr std::string_view key = "\n0::";
  const std::size_t at = lines.find(key);
  if (at == lines.npos) return std::nullopt;
  std::string path = lines.substr(at + key.size());
  path.resize(std::min(path.find('\n'), path.size()));
  const auto mount = find_mount_of("cgroup2");
  if (!mount || !*mount || (*mount)->read_only) return std::nullopt;
  const std::string root = (*mount)->root == "/" ? "" : (*mount)->root;
  if (!path.starts_with(root)) return std::nullopt;
  return (*mount)->point + path.substr(root.size());
}

/// Removes groups of this kind that are empty and older than a minute: who had them was killed.
void sweep(FdRef above) {
  const auto directory = open_directory(".", above);
  DirectoryReader reader;
  Listing listing;
  if (!directory || !listing.read(reader, *directory)) return;
  const auto minute_ago = std::time(nullptr) - 60;
  for (const Listing::Entry& entry : listing.entries()) {
    if (entry.type != Type::dir || !listing.name(entry).starts_with(temporary_prefix)) continue;
    const auto group = stat(listing.path(entry), Links::no_follow, want::mtime, *directory);
    if (group && group->mtime.seconds < minute_ago) {
      (void)core::rmdir(listing.path(entry), *directory);
    }
  }
}

}  // namespace

Cgroup::Cgroup(Fd above, std::string name, Fd self, Fd processes)
    : above_(std::move(above)),
      name_(std::move(name)),
      self_(std::move(self)),
      processes_(std::move(processes)) {}

std::optional<Cgroup> Cgroup::make() {
  const auto directory = own_directory();
  if (!directory) return std::nullopt;
  auto above = core::open(*directory, O_PATH | O_DIRECTORY);
  if (!above) return std::nullopt;
  sweep(*above);
  auto named = temporary_name();
  if (!named) return std::nullopt;
  std::string name = *std::move(named);
  constexpr mode_t mode = 0755;
  if (!core::mkdir(name, mode, *above)) return std::nullopt;
  auto self = core::open(name, O_PATH | O_DIRECTORY | O_NOFOLLOW, *above);
  auto processes = self ? core::open("cgroup.procs", O_WRONLY, *self)
                        : Result<Fd>(std::unexpected(self.error()));
  if (!processes) {
    (void)core::rmdir(name, *above);
    return std::nullopt;
  }
  return Cgroup(*std::move(above), std::move(name), *std::move(self), *std::move(processes));
}

void Cgroup::append_descriptors(std::vector<int>& to) const {
  for (const Fd* fd : {&above_, &self_, &processes_}) to.push_back(FdRef(*fd).number());
}

bool Cgroup::kill() const {
  const auto file = core::open("cgroup.kill", O_WRONLY, self_);
  return file && core::write(*file, "1").has_value();
}

Cgroup::~Cgroup() {
  if (!above_) return;
  // What was killed is in it until it has ended.
  constexpr int patience = 200;
  constexpr timespec pause{.tv_sec = 0, .tv_nsec = 5'000'000};
  for (int i = 0; i < patience; ++i) {
    const auto removed = core::rmdir(name_, above_);
    if (removed || removed.error().number != EBUSY) return;
    const auto left = read_file("cgroup.procs", self_);
    const auto to = core::open("cgroup.procs", O_WRONLY, above_);
    std::string_view rest;
    if (left && to) rest = *left;
    while (!rest.empty()) {
      const std::string_view pid = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(pid.size() + 1, rest.size()));
      (void)core::write(*to, pid);
    }
    ::nanosleep(&pause, nullptr);
  }
}

}  // namespace core
