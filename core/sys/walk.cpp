#include "core/sys/walk.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/sys/fs.hpp"
#include "core/sys/metadata.hpp"

namespace core {
namespace {

/// How many directories stay open, `most` if that leaves enough to others.
std::size_t open_directories(std::size_t most) {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 2;
  return static_cast<std::size_t>(std::clamp<rlim_t>(limit.rlim_cur / 4, 2, most));
}

/// True for an entry that is not there any more, or is something else by now.
bool vanished(int number) { return number == ENOENT || number == ENOTDIR || number == ELOOP; }

bool out_of_descriptors(int number) { return number == EMFILE || number == ENFILE; }

/// A number for the mount that `directory` is on: statx knows it, else /proc does, else the device
/// has to do. Which of them answers is the same for all of a system.
Result<std::uint64_t> mount_of(FdRef directory) {
  const Stat stat = TRY(fstat(directory, want::mount_id | want::always));
  if (stat.mount_id) return *stat.mount_id;
  const auto info = read_file("/proc/self/fdinfo/" + std::to_string(directory.number()));
  if (!info && out_of_descriptors(info.error().number)) return std::unexpected(info.error());
  constexpr std::string_view key = "mnt_id:\t";
  if (const auto at = info ? info->find(key) : std::string::npos; at != std::string::npos) {
    std::uint64_t id = 0;
    const char* const digits = info->data() + at + key.size();
    if (std::from_chars(digits, info->data() + info->size(), id).ec == std::errc()) return id;
  }
  return stat.dev;
}

/// More memory than a directory of usual size takes.
bool is_large(const Listing& listing) { return listing.entries().capacity() > 4096; }

}  // namespace

Walk::Walk(How how) : how_(how), most_open_(open_directories(how.most_open)) {}

/// Puts memory by for the next listing.
void Walk::keep(Listing&& listing) {
  if (listing.entries().capacity() == 0) return;
  constexpr std::size_t most_spare = 64;
  if (is_large(listing) || spare_.size() >= most_spare) {
    listing.release();
  } else {
    spare_.push_back(std::move(listing));
  }
}

Result<void> Walk::start(Path root, At at) {
  at_ = at;
  root_path_ = root;
  frames_.clear();
  base_ = 0;
  hand_.close();
  ancestors_.clear();
  failures_.clear();
  told_ = 0;
  reading_ = false;
  lowest_open_ = 1;

  state_ = State::end;
  path_ = root_path_;
  path_length_ = path_.size();
  prefix_ = 0;
  name_ = root_path_;
  depth_ = 0;
  followed_ = false;
  link_ = false;
  type_ = Type::dir;
  root_.reset();
  root_path_only_.close();
  if (how_.physical) return start_physical();
  auto opened = open_directory(root, at);
  if (opened) {
    root_ = std::make_shared<const Fd>(*std::move(opened));
    if (how_.one_file_system) {
      const auto mount = mount_of(*root_);
      if (!mount) return failure(mount.error().number, mount.error().call, root_path_);
      mount_ = *mount;
    }
  } else {
    auto found = core::stat(root, want::type, at);
    // What leads nowhere is there all the same.
    if (!found && leads_nowhere(found.error().number)) found = core::lstat(root, want::type, at);
    if (!found) return std::unexpected(std::move(opened).error());
    type_ = found->type;
    link_ = type_ == Type::link;
    if (type_ == Type::dir) {
      fail(std::move(opened).error());
    } else {
      error_ = std::move(opened).error();
    }
  }
  state_ = State::root;
  return {};
}

/// The start of a `physical` walk: the root is looked at by descriptor, and not read yet.
Result<void> Walk::start_physical() {
  root_path_only_ = TRY(core::open_path(root_path_, Links::no_follow, at_));
  type_ = TRY(fstat(root_path_only_, want::type)).type;
  link_ = type_ == Type::link;
  // Who writes the slash means the directory.
  if (link_ && root_path_.ends_with('/')) {
    return std::unexpected(Error{.number = ELOOP,
                                 .call = "open",
                                 .path = root_path_,
                                 .note = "a link, and none is followed"});
  }
  state_ = State::root;
  return {};
}

/// Opens the root of a `physical` walk to be read.
Result<void> Walk::open_root() {
  root_ = std::make_shared<const Fd>(TRY(open_directory(".", root_path_only_)));
  if (how_.one_file_system) mount_ = TRY(mount_of(*root_));
  return {};
}

Walk::Step Walk::next() {
  for (;;) {
    if (state_ == State::root) {
      state_ = type_ == Type::dir ? State::directory : State::end;
      return Step::entry;
    }
    if (told_ < failures_.size()) {
      error_ = std::move(failures_[told_++]);
      return Step::failure;
    }
    failures_.clear();
    told_ = 0;
    switch (state_) {
      case State::directory:
        state_ = State::unentered;
        if (depth_ < how_.max_depth && (depth_ > 0 || root_ || how_.physical)) {
          if (const Step step = enter(); step != Step::failure) return step;
        }
        break;
      case State::unentered:
        state_ = frames_.empty() ? State::end : State::inside;
        entered_ = false;
        return Step::leave;
      case State::inside: {
        if (reading_) {
          if (next_of_batch()) return Step::entry;
          break;
        }
        Frame& frame = frames_.back();
        if (frame.next == frame.listing.size()) return leave();
        frame.visited = frame.next++;
        Listing::Entry& entry = frame.listing.entries()[frame.visited];
        const char* const name = frame.listing.path(entry).c_str();
        // A whole listing is resolved when the directory is entered, a part of one as it is read.
        if (frame.fresh && !resolve(name, entry.type, entry.target)) break;
        visit({name, entry.length}, entry.type, entry.target);
        return Step::entry;
      }
      case State::root:
      case State::end:
        close_all();
        return Step::end;
    }
  }
}

std::string_view Walk::name() const {
  if (depth_ > 0) return name_;
  const std::string_view name = without_slashes(root_path_);
  return name.size() > 1 ? name.substr(name.rfind('/') + 1) : name;
}

std::string_view Walk::path() {
  if (path_length_ == 0) {
    path_.resize(prefix_);
    path_ += name_;
    path_length_ = path_.size();
  }
  return {path_.data(), path_length_};
}

/// Makes an entry of the top directory the one that is looked at.
void Walk::visit(std::string_view name, Type type, Type target) {
  prefix_ = frames_.back().prefix;
  path_length_ = 0;
  name_ = name;
  depth_ = frames_.size();
  link_ = type == Type::link;
  followed_ = link_ && how_.follow && target != Type::unknown;
  type_ = followed_ ? target : type;
  state_ = type_ == Type::dir ? State::directory : State::inside;
}

Result<At> Walk::at(Loss loss) {
  if (frames_.empty()) return at_;
  return At(TRY(top(loss)));
}

Result<Stat> Walk::stat(Want wanted, Loss loss) {
  const At at = TRY(this->at(loss));
  auto found = followed_    ? target(name_.data(), wanted, at)
               : depth_ > 0 ? core::lstat(name_.data(), wanted, at)
               : root_      ? fstat(*root_, wanted)
               : root_path_only_
                   ? fstat(root_path_only_, wanted)
                   : core::stat(root_path_, link_ ? Links::no_follow : Links::follow, wanted, at);
  if (!found) found.error().path = path();
  return found;
}

Result<Stat> Walk::target(Want wanted, Loss loss) {
  const At at = TRY(this->at(loss));
  auto found = depth_ > 0 ? target(name_.data(), wanted, at) : core::stat(root_path_, wanted, at);
  if (!found) found.error().path = path();
  return found;
}

Result<Fd> Walk::open_path() {
  if (depth_ == 0) return duplicate(root_path_only_);
  const At at = TRY(this->at());
  for (;;) {
    auto opened = core::open(name_.data(), O_PATH | O_NOFOLLOW, at);
    if (opened || !out_of_descriptors(opened.error().number) || !close_one()) {
      if (!opened) opened.error().path = path();
      return opened;
    }
  }
}

/// What the link `name` in the top directory, which is `at`, leads to.
Result<Stat> Walk::target(const char* name, Want want, At at) {
  if (!at_.resolve.restricted()) return core::stat(name, want, at);
  // How far a link may lead is counted from where the operand starts.
  return core::stat(path_of(name), want, at_);
}

/// The path of `name` in the top directory.
std::string Walk::path_of(std::string_view name) const {
  return path_.substr(0, frames_.back().prefix).append(name);
}

/// Finds out what the file system did not tell of `name` in the top directory, and what a link
/// leads to where that matters. False where it is gone, and where nothing is known of it but a
/// name.
bool Walk::resolve(const char* name, Type& type, Type& target) {
  const bool follow = how_.follow || how_.targets;
  if (type != Type::unknown && !(type == Type::link && follow)) [[likely]]
    return true;
  const auto at = this->at();
  if (!at) return type != Type::unknown;
  const auto report = [&](Error error) {
    error.path = path_of(name);
    fail(std::move(error));
  };
  if (type == Type::unknown) {
    auto itself = core::lstat(name, want::type, *at);
    if (itself) {
      type = itself->type;
    } else if (itself.error().number == ENOENT) {
      return false;
    } else {
      report(std::move(itself).error());
    }
  }
  if (type != Type::link || !follow) return true;
  auto followed = this->target(name, want::type, *at);
  if (followed) {
    target = followed->type;
  } else if (how_.follow && !leads_nowhere(followed.error().number)) {
    report(std::move(followed).error());
  }
  return true;
}

/// True for the answer to a link that leads nowhere. Where links are forbidden, ELOOP is another.
bool Walk::leads_nowhere(int number) const {
  return number == ENOENT || number == ENOTDIR || (number == ELOOP && !at_.resolve.no_symlinks);
}

void Walk::resolve_listing(Frame& frame) {
  std::erase_if(frame.listing.entries(), [&](Listing::Entry& entry) {
    return !resolve(frame.listing.path(entry).c_str(), entry.type, entry.target);
  });
}

/// Visits a name as it is read. Directories are put by until all names are read, since the next
/// directory needs the buffer. False at the end of the names.
bool Walk::next_of_batch() {
  Frame& frame = frames_.back();
  for (;;) {
    while (!batch_.empty()) {
      DirEntry entry = batch_.front();
      batch_ = batch_.subspan(1);
      Type target = Type::unknown;
      if (!resolve(entry.name, entry.type, target)) continue;
      const bool directory = entry.type == Type::dir || (how_.follow && target == Type::dir);
      if (directory) {
        frame.listing.add(entry, target);
        continue;
      }
      visit(entry.text(), entry.type, target);
      return true;
    }
    const auto batch = reader_.read();
    if (batch && !batch->empty()) {
      batch_ = *batch;
      continue;
    }
    if (!batch && out_of_descriptors(batch.error().number) && close_one()) {
      reader_.begin(frames_.size() == 1 ? FdRef(*root_) : frame.fd);
      continue;
    }
    // A directory that was removed has no names.
    if (!batch && batch.error().number != ENOENT) {
      fail(
          {.number = batch.error().number, .call = "readdir", .path = path_.substr(0, frame.path)});
    }
    reading_ = false;
    return false;
  }
}

/// Opens a directory in `parent`, or what a `link` there leads to; `path` leads there from the
/// operand's start.
Result<Fd> Walk::open_child(const char* name, At parent, bool link, const std::string& path) const {
  if (!link) return open_directory(name, parent, Links::no_follow);
  return at_.resolve.restricted() ? open_directory(path, at_) : open_directory(name, parent);
}

/// Opens the directory that is looked at.
Result<Fd> Walk::open_entry(At parent) {
  for (;;) {
    auto opened = open_child(name_.data(), parent, followed_, path_);
    if (opened || !out_of_descriptors(opened.error().number) || !close_one()) return opened;
  }
}

/// False where the directory that is looked at is not to be entered, which is no failure. Finds out
/// its `id` where that is needed.
Result<bool> Walk::may_enter(const Fd& directory, FileId& id) {
  if (how_.one_file_system && depth_ > 0 && TRY(mount_of(directory)) != mount_) return false;
  if (!how_.follow) return true;
  id = TRY(fstat(directory, want::ino)).id();
  const auto [ancestor, first] = ancestors_.try_emplace(id, frames_.size());
  if (first) return true;
  Error loop{.number = ELOOP, .call = "open", .note = "leads back to"};
  loop.note_path = path_.substr(0, frames_[ancestor->second].path);
  return std::unexpected(std::move(loop));
}

/// Enters the directory that is looked at. `failure` where that was not done, whether it is one or
/// not.
Walk::Step Walk::enter() {
  path();
  Fd directory;
  if (depth_ > 0) {
    const auto parent = at();
    if (!parent) return Step::failure;
    auto opened = open_entry(*parent);
    if (!opened) {
      if (vanished(opened.error().number)) return Step::failure;
      opened.error().path = path_;
      fail(std::move(opened).error());
      return Step::failure;
    }
    directory = *std::move(opened);
  } else if (how_.physical) {
    if (auto opened = open_root(); !opened) {
      opened.error().path = path_;
      fail(std::move(opened).error());
      return Step::failure;
    }
  }
  FileId id;
  auto allowed = may_enter(depth_ > 0 ? directory : *root_, id);
  if (!allowed) {
    allowed.error().path = path();
    fail(std::move(allowed).error());
    return Step::failure;
  }
  if (!*allowed) return Step::failure;

  if (depth_ > 0) {
    while (frames_.size() - lowest_open_ >= most_open_ && close_one()) {
    }
    Frame& parent = frames_.back();
    if (!how_.whole && parent.next == parent.listing.size()) {
      keep(std::exchange(parent.listing, {}));
      parent.next = 0;
    }
  }
  Frame& frame = frames_.emplace_back(
      Frame{.fd = std::move(directory), .link = link_, .id = id, .path = path_length_});
  if (path_.back() != '/') path_ += '/';
  frame.prefix = path_.size();
  name_ = {path_.data() + prefix_, path_length_ - prefix_};
  state_ = State::inside;
  frame.fresh = !how_.whole;
  if (!spare_.empty()) {
    frame.listing = std::move(spare_.back());
    spare_.pop_back();
    frame.listing.clear();
  }
  const FdRef from = depth_ > 0 ? FdRef(frame.fd) : *root_;
  if (!how_.sorted && !how_.whole) {
    reader_.begin(from);
    batch_ = {};
    reading_ = true;
    frame.fresh = false;
    return Step::enter;
  }
  auto read = frame.listing.read(reader_, from);
  // What was read already is not read again.
  while (!read && out_of_descriptors(read.error().number) && frame.listing.entries().empty() &&
         close_one()) {
    read = frame.listing.read(reader_, from);
  }
  if (!read && read.error().number != ENOENT) {
    fail({.number = read.error().number, .call = "readdir", .path = std::string(path())});
  }
  if (how_.sorted) frame.listing.sort();
  if (how_.whole) resolve_listing(frame);
  return Step::enter;
}

Walk::Step Walk::leave() {
  Frame& frame = frames_.back();
  const std::size_t index = frames_.size() - 1;
  path_.resize(frame.path);
  path_length_ = frame.path;
  link_ = frame.link;
  followed_ = link_;
  type_ = Type::dir;
  depth_ = index;
  entered_ = true;
  if (how_.follow) ancestors_.erase(frame.id);
  keep(std::exchange(left_, std::move(frame.listing)));
  mark_ = frame.mark;
  // Where the directory above was closed, this one leads back to it.
  if (index > std::max<std::size_t>(base_, 1) && !frames_[index - 1].fd) {
    if (frame.fd) {
      hand_ = std::move(frame.fd);
      hand_depth_ = index;
    }
  } else {
    hand_.close();
  }
  frames_.pop_back();
  lowest_open_ = std::clamp<std::size_t>(frames_.size(), 1, lowest_open_);
  prefix_ = index > 0 ? frames_.back().prefix : 0;
  name_ = std::string_view(path_).substr(prefix_);
  state_ = index > base_ ? State::inside : State::end;
  return Step::leave;
}

std::optional<std::size_t> Walk::level_with_more(std::size_t from) {
  for (std::size_t level = std::max(from, base_); level + 1 < frames_.size(); ++level) {
    // The way back to a directory that was closed may be long.
    if (level > 0 && level < lowest_open_) {
      level = lowest_open_ - 1;
      continue;
    }
    Frame& frame = frames_[level];
    const auto& entries = frame.listing.entries();
    // What was seen to be no directory is not looked at again.
    for (frame.seen = std::max(frame.seen, frame.next); frame.seen < entries.size(); ++frame.seen) {
      const Listing::Entry& entry = entries[frame.seen];
      if (type(entry) == Type::dir || entry.type == Type::unknown) return level;
    }
  }
  return std::nullopt;
}

void Walk::give(std::size_t level, Walk& rest) {
  rest.at_ = at_;
  rest.root_path_ = root_path_;
  rest.root_ = root_;
  rest.root_path_only_ = std::move(root_path_only_);
  rest.mount_ = mount_;
  rest.frames_.clear();
  for (std::size_t i = 0; i <= level; ++i) {
    Frame& frame = frames_[i];
    // The way back to a directory that was closed begins at the root.
    Frame left{.link = frame.link,
               .id = frame.id,
               .path = frame.path,
               .prefix = frame.prefix,
               .lost = frame.lost,
               .told = frame.told,
               .why = frame.why};
    rest.frames_.push_back(std::exchange(frame, std::move(left)));
  }
  rest.base_ = std::exchange(base_, level + 1);
  rest.lowest_open_ = std::clamp<std::size_t>(level + 1, 1, lowest_open_);
  // What is left here last is a name in the directory at `level`.
  lowest_open_ = std::max(lowest_open_, level + 1);
  if (const Fd& shared = rest.frames_[level].fd) {
    if (auto own = duplicate(shared)) {
      frames_[level].fd = *std::move(own);
      lowest_open_ = level;
    } else if (const auto stat = fstat(shared, want::ino)) {
      frames_[level].id = stat->id();
    }
  }
  rest.hand_.close();
  rest.ancestors_.clear();
  for (const auto& [id, index] : ancestors_) {
    if (index <= level) rest.ancestors_.emplace(id, index);
  }
  rest.batch_ = {};
  rest.reading_ = false;
  rest.failures_.clear();
  rest.told_ = 0;
  rest.path_.assign(path_, 0, frames_[level].prefix);
  rest.state_ = State::inside;
}

/// Closes the open directory that will be needed last. The top one is needed now.
bool Walk::close_one() {
  if (lowest_open_ + 1 >= frames_.size()) return false;
  Frame& frame = frames_[lowest_open_++];
  if (const auto stat = fstat(frame.fd, want::ino)) frame.id = stat->id();
  frame.fd.close();
  return true;
}

/// Lets go of all of the tree, those parts of it that others leave too.
void Walk::close_all() {
  frames_.clear();
  root_.reset();
  root_path_only_.close();
  hand_.close();
}

/// The top directory, opened again where it was closed. Where that failed it is not tried again.
Result<FdRef> Walk::top(Loss loss) {
  Frame& frame = frames_.back();
  if (frames_.size() == 1) return *root_;
  if (!frame.fd && !frame.lost) {
    auto found = find_again();
    if (found) {
      frame.fd = *std::move(found);
      lowest_open_ = frames_.size() - 1;
    } else {
      frame.lost = true;
      frame.why = found.error().number;
    }
  }
  if (!frame.lost) return frame.fd;
  if (loss == Loss::told && !std::exchange(frame.told, true)) {
    fail({.number = frame.why,
          .call = "open",
          .path = path_.substr(0, frame.path),
          .note = vanished(frame.why) ? "no longer where it was" : ""});
  }
  return failure(ENOENT, "open");
}

/// Opens the top directory once more: up from one below it, else down from the root. It must be the
/// very one that it was.
Result<Fd> Walk::find_again() {
  const FileId wanted = frames_.back().id;
  const auto same = [&](const Result<Fd>& directory) {
    if (!directory) return false;
    const auto stat = fstat(*directory, want::ino);
    return stat && stat->id() == wanted;
  };
  if (hand_) {
    if (auto climbed = climb(); same(climbed)) return climbed;
  }
  Fd below;
  for (std::size_t i = 1; i < frames_.size(); ++i) {
    const std::size_t prefix = frames_[i - 1].prefix;
    const At from = below ? below : *root_;
    const std::string path = path_.substr(0, frames_[i].path);
    below = TRY(open_child(path.c_str() + prefix, from, frames_[i].link, path));
  }
  auto descended = Result<Fd>(std::move(below));
  if (!same(descended)) return failure(ENOENT, "open");
  return descended;
}

/// Goes up from `hand_` to where the top directory should be, and lets go of it.
Result<Fd> Walk::climb() {
  const Fd hand = std::move(hand_);
  Fd from;
  constexpr std::size_t most = 1000;
  std::size_t levels = hand_depth_ - (frames_.size() - 1);
  while (levels > 0) {
    std::string up;
    for (std::size_t i = std::min(levels, most); i > 0; --i) up += "../";
    from = TRY(open_directory(up, from ? from : hand));
    levels -= std::min(levels, most);
  }
  return from;
}

}  // namespace core
