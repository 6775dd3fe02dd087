#include "core/sys/read_ahead.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <new>

namespace core {
namespace {

/// More threads would only wait for each other, and for the one that takes.
constexpr unsigned most_threads = 64;
/// How many directories of one are announced at a time.
constexpr std::size_t most_announced = 512;
/// Of a directory with more names than this nothing is found out, and in the order of the file
/// system they are not held in memory at all.
constexpr std::size_t many_names = 4096;

/// True for what may go well where the walk, which can close others, does it alone.
bool is_for_the_walk(const Error& error) {
  return error.number == EMFILE || error.number == ENFILE || error.number == ENOMEM;
}

/// Puts directories behind the rest; the order is otherwise as it was.
void put_directories_last(std::vector<Listing::Entry>& entries) {
  std::vector<Listing::Entry> directories;
  std::erase_if(entries, [&](const Listing::Entry& entry) {
    if (entry.type == Type::dir) directories.push_back(entry);
    return entry.type == Type::dir;
  });
  entries.insert(entries.end(), directories.begin(), directories.end());
}

}  // namespace

class ReadAhead::Directory {
 public:
  Directory(std::shared_ptr<const Fd> in, std::string_view called, std::size_t index,
            std::size_t level)
      : parent(std::move(in)), name(called), position(index), depth(level) {}

  /// Waits for somebody; is being read; was read; belongs to who took it, or to nobody any more.
  enum class State : int { waiting, running, done, taken };
  std::atomic<State> state = State::waiting;

  std::shared_ptr<const Fd> parent;
  const std::string name;
  const std::size_t position;
  const std::size_t depth;
  /// From `done` on. None: it has to be read again.
  std::optional<Result<Found>> found;

  bool claim(State from, State to) { return state.compare_exchange_strong(from, to); }
  std::size_t names() const { return found && *found ? (*found)->listing.size() : 0; }
};

ReadAhead::ReadAhead(How how, unsigned threads)
    // What is known of a name takes four times the memory of the name.
    : how_(how), most_names_(how.want == want::nothing ? 65536 : 16384) {
  try {
    threads_.reserve(std::min(threads, most_threads));
    while (threads_.size() < threads_.capacity()) threads_.emplace_back([this] { run(); });
  } catch (const std::exception&) {
    // No more threads or memory to be had: those that there are have to do.
  }
}

ReadAhead::~ReadAhead() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
  }
  news_.notify_all();
  threads_.clear();
}

std::vector<ReadAhead::Handle> ReadAhead::announce(const std::shared_ptr<const Fd>& parent,
                                                   const Listing& listing, std::size_t& from,
                                                   std::size_t depth) {
  std::vector<Handle> handles;
  if (depth >= how_.max_depth || threads_.empty()) from = listing.size();
  for (; from < listing.size() && handles.size() < most_announced; ++from) {
    const Listing::Entry& entry = listing.entries()[from];
    if (entry.type != Type::dir) continue;
    handles.push_back(std::make_shared<Directory>(parent, listing.name(entry), from, depth + 1));
  }
  if (handles.empty()) return handles;
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    waiting_.insert(waiting_.end(), handles.rbegin(), handles.rend());
    wake = asleep_ > 0 && may_go_on();
  }
  if (wake) news_.notify_all();
  return handles;
}

std::optional<Result<ReadAhead::Found>> ReadAhead::take(const Handle& directory,
                                                        std::vector<Listing>& spare) {
  using enum Directory::State;
  for (;;) {
    const auto state = directory->state.load();
    if (state == waiting && directory->claim(waiting, taken)) {
      directory->parent.reset();
      return std::nullopt;
    }
    if (state != running) break;
    // Something else to read is better than to sleep.
    if (!help()) directory->state.wait(running);
  }
  if (!directory->claim(done, taken)) return std::nullopt;
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    --directories_;
    names_ -= directory->names();
    // Not with the first room that there is, or each would cost a switch of threads.
    wake = asleep_ > 0 && !waiting_.empty() && directories_ <= how_.descriptors / 2 &&
           names_ <= most_names_ / 2;
    for (Listing& listing : spare) {
      if (spare_.size() < how_.descriptors) spare_.push_back(std::move(listing));
    }
  }
  spare.clear();
  if (wake) news_.notify_all();
  return std::exchange(directory->found, std::nullopt);
}

void ReadAhead::forget(std::vector<Handle>& directories) {
  for (const Handle& directory : directories) forget(directory);
  directories.clear();
}

void ReadAhead::forget(const Handle& handle) {
  Directory& directory = *handle;
  using enum Directory::State;
  if (directory.claim(waiting, taken)) {
    directory.parent.reset();
    return;
  }
  // What is being read now is thrown away by whoever reads it.
  if (directory.claim(running, taken) || !directory.claim(done, taken)) return;
  {
    const std::scoped_lock lock(mutex_);
    --directories_;
    names_ -= directory.names();
  }
  if (directory.found && *directory.found) forget((*directory.found)->below);
  directory.found.reset();
}

std::size_t ReadAhead::position(const Handle& directory) { return directory->position; }

/// The next one to be read. `mutex_` is held.
ReadAhead::Handle ReadAhead::pop() {
  using enum Directory::State;
  while (!waiting_.empty()) {
    Handle directory = std::move(waiting_.back());
    waiting_.pop_back();
    if (directory->claim(waiting, running)) return directory;
  }
  return nullptr;
}

/// Reads one directory in the thread that waits for another. False where there is none, or no room.
bool ReadAhead::help() {
  Handle directory;
  {
    const std::scoped_lock lock(mutex_);
    if (may_go_on()) directory = pop();
  }
  if (!directory) return false;
  read(*directory, reader_);
  finish(*directory);
  return true;
}

/// What a thread does.
void ReadAhead::run() {
  DirectoryReader reader;
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    Handle directory = may_go_on() ? pop() : nullptr;
    if (!directory) {
      ++asleep_;
      news_.wait(lock);
      --asleep_;
      continue;
    }
    lock.unlock();
    read(*directory, reader);
    finish(*directory);
    directory.reset();
    lock.lock();
  }
}

/// Fills in what is found in `directory`; nothing where its memory or descriptors are better left
/// to the walk.
void ReadAhead::read(Directory& directory, DirectoryReader& reader) {
  try {
    auto fd = open_directory(directory.name, *directory.parent, Links::no_follow);
    directory.parent.reset();
    if (!fd) {
      if (is_for_the_walk(fd.error())) return;
      directory.found = std::unexpected(std::move(fd).error());
      return;
    }
    Found found;
    {
      const std::scoped_lock lock(mutex_);
      if (!spare_.empty()) {
        found.listing = std::move(spare_.back());
        spare_.pop_back();
      }
    }
    found.listing.clear();
    found.fd = std::make_shared<const Fd>(*std::move(fd));
    reader.begin(*found.fd);
    for (;;) {
      auto batch = reader.read();
      if (!batch && is_for_the_walk(batch.error())) return;
      if (!batch) found.error = std::move(batch).error();
      if (!batch || batch->empty()) break;
      for (const DirEntry& entry : *batch) found.listing.add(entry);
      if (how_.order == Order::directories_last && found.listing.size() > many_names) return;
    }
    if (how_.order == Order::sorted) {
      found.listing.sort();
    } else if (how_.order == Order::directories_last) {
      put_directories_last(found.listing.entries());
    }
    if (how_.want != want::nothing && found.listing.size() <= many_names) {
      find_out(*found.fd, found);
    }
    found.below = announce(found.fd, found.listing, found.announced, directory.depth);
    directory.found = std::move(found);
  } catch (const std::bad_alloc&) {
    directory.found.reset();
  }
}

/// Asks for what is wanted of every name.
void ReadAhead::find_out(const Fd& fd, Found& found) const {
  found.known.reserve(found.listing.size());
  for (const Listing::Entry& entry : found.listing.entries()) {
    auto stat = lstat(found.listing.path(entry), how_.want, fd);
    found.known.push_back(stat ? Known{.stat = *stat} : Known{.error = stat.error().number});
  }
}

/// Hands over what was read.
void ReadAhead::finish(Directory& directory) {
  using enum Directory::State;
  {
    const std::scoped_lock lock(mutex_);
    ++directories_;
    names_ += directory.names();
  }
  if (directory.claim(running, done)) {
    directory.state.notify_all();
    return;
  }
  // Nobody wants it any more.
  {
    const std::scoped_lock lock(mutex_);
    --directories_;
    names_ -= directory.names();
  }
  if (directory.found && *directory.found) forget((*directory.found)->below);
  directory.found.reset();
}

}  // namespace core
