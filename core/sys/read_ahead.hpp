// ReadAhead: other threads read the directories that a walk will come to.
#pragma once

#include <atomic>
#include <condition_variable>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/sys/directory.hpp"
#include "core/sys/listing.hpp"
#include "core/sys/stat.hpp"

namespace core {

/// Reads directories that were announced, in about the order in which a walk goes through them, and
/// not far ahead of it: what waits to be taken is a few hundred directories and a few MiB. Whoever
/// takes one that no thread has come to yet reads it itself, so that nothing depends on the
/// threads.
///
/// Directories are opened by a bare name in the one that holds them, and never through a link.
class ReadAhead {
 public:
  /// Of the names in a directory.
  enum class Order : std::uint8_t { sorted, as_read, directories_last };

  struct How {
    Order order = Order::sorted;
    Want want = want::nothing;     ///< what to find out of every name, by lstat
    std::size_t descriptors = 64;  ///< so many directories are open at most
    std::size_t max_depth = std::numeric_limits<std::size_t>::max();  ///< nothing deeper is read
  };

  class Directory;
  using Handle = std::shared_ptr<Directory>;

  /// What lstat said of a name: `error` is 0, or an errno.
  struct Known {
    Stat stat;
    int error = 0;
  };

  /// What was found in a directory.
  struct Found {
    std::shared_ptr<const Fd> fd;
    Listing listing;
    std::vector<Known> known;    ///< of `listing`, by position; empty where nobody asked
    std::optional<Error> error;  ///< came after these names
    std::vector<Handle> below;   ///< the directories in it, in order
    std::size_t announced = 0;   ///< up to this position of `listing`
  };

  /// With as many threads; fewer where the system has no more to give, and 64 at most.
  ReadAhead(How how, unsigned threads);
  /// Waits for what is being read.
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// Has the directories among the names in `listing` from position `from` on read: those of the
  /// directory `parent`, which is at `depth`. Some hundred of them at most: `from` is then where to
  /// go on.
  std::vector<Handle> announce(const std::shared_ptr<const Fd>& parent, const Listing& listing,
                               std::size_t& from, std::size_t depth);

  /// What was found in a directory, or the error of open(2); nothing where the caller has to read
  /// it. Memory that is left over goes to the threads.
  std::optional<Result<Found>> take(const Handle& directory, std::vector<Listing>& spare);

  /// Gives up what nobody will take.
  void forget(std::vector<Handle>& directories);
  void forget(const Handle& directory);

  /// Its position in the listing that it was announced from.
  static std::size_t position(const Handle& directory);

 private:
  void read(Directory& directory, DirectoryReader& reader);
  void find_out(const Fd& fd, Found& found) const;
  bool help();
  void finish(Directory& directory);
  bool may_go_on() const { return directories_ < how_.descriptors && names_ < most_names_; }
  Handle pop();
  void run();

  const How how_;
  const std::size_t most_names_;
  DirectoryReader reader_;  ///< of the thread that takes

  std::mutex mutex_;
  std::condition_variable news_;
  bool stopped_ = false;
  std::vector<Handle> waiting_;  ///< the last one is read next
  std::size_t directories_ = 0;  ///< read and not taken
  std::size_t names_ = 0;        ///< in them
  std::size_t asleep_ = 0;       ///< threads
  std::vector<Listing> spare_;   ///< memory for the next listings
  std::vector<std::jthread> threads_;
};

}  // namespace core
