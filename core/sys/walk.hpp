// Walk: the order of a tree. It says what comes next and prints nothing.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/sys/directory.hpp"
#include "core/sys/listing.hpp"
#include "core/sys/stat.hpp"

namespace core {

/// Goes through a tree, depth first, one step at a call. Directories are opened by a bare name in
/// the directory that holds them, so that a path of any length will do and nothing outside the tree
/// is ever reached; a few stay open, however deep it goes. Nothing recurses.
class Walk {
 public:
  struct How {
    /// Names in byte order; else as the file system has them, directories behind the rest.
    bool sorted = true;
    /// Links are what they lead to.
    bool follow = false;
    /// A root that is a link is nothing but that, and ELOOP with a slash behind it. The root is
    /// resolved once, and a directory is opened only after its entry was given.
    bool physical = false;
    /// Directories on another mount are not entered.
    bool one_file_system = false;
    /// `listing` is complete from when a directory is entered until it is left.
    bool whole = false;
    /// With `whole`: a listing says of links what they lead to.
    bool targets = false;
    /// Nothing deeper is visited.
    std::size_t max_depth = std::numeric_limits<std::size_t>::max();
    /// So many directories stay open at most, fewer where descriptors are scarce.
    std::size_t most_open = 32;
  };

  /// What happened. A directory is first an entry, then it is entered, then come its entries, then
  /// it is left. One that is not entered, for `max_depth` or a failure, is left all the same.
  enum class Step : std::uint8_t {
    entry,    ///< a file of any kind, the root too
    enter,    ///< a directory was opened and read
    leave,    ///< a directory and all in it is done
    failure,  ///< see `error`; the walk goes on
    end,      ///< nothing of the tree is open any more
  };

  explicit Walk(How how);

  /// Turns to the tree at `root`, which may be a link to a directory or no directory at all; the
  /// error is that of a root that is not there. open(2)
  Result<void> start(Path root, At at = {});

  /// The next step. What the functions below return holds until the next call.
  Step next();

  /// After the entry of a directory: passes over it, as if it had none. It is not left either.
  void skip() { state_ = frames_.empty() ? State::end : State::inside; }

  /// 0 for the root.
  std::size_t depth() const { return depth_; }
  /// The type, of what it leads to where a link is followed. A link that leads nowhere is a link.
  Type type() const { return type_; }
  /// The same of an entry of `listing`.
  Type type(const Listing::Entry& entry) const {
    return how_.follow && entry.target != Type::unknown ? entry.target : entry.type;
  }
  /// True where the entry itself is a symbolic link, followed or not.
  bool is_link() const { return link_; }
  /// The last component of the path; "/" for that root.
  std::string_view name() const;
  /// The root as it was given.
  std::string_view root() const { return root_path_; }
  /// The path, which begins with it.
  std::string_view path();
  /// What stands before the name in the path, its slash included; empty for the root.
  std::string_view prefix() const { return {path_.data(), prefix_}; }
  /// The path of the directory that holds the entry; empty for the root.
  std::string_view directory() const {
    return {path_.data(), frames_.empty() ? 0 : frames_.back().path};
  }

  /// After `enter` and, in a `whole` walk, after `leave`: the names in the directory.
  const Listing& listing() const {
    return depth_ < frames_.size() ? frames_.back().listing : left_;
  }
  /// After `enter` in a `whole` walk: the same, to be put in another order or made shorter. What is
  /// left is visited, in that order.
  Listing& listing_to_visit() { return frames_.back().listing; }
  /// After `entry` in a `whole` walk: its place in that listing.
  std::size_t position() const { return frames_.empty() ? 0 : frames_.back().visited; }
  /// After `leave`: whether the directory was entered.
  bool entered() const { return entered_; }
  /// After `enter`: keeps a word of the caller's with the directory, for when it is left.
  void mark(bool value) { frames_.back().mark = value; }
  /// After `leave`: that word; false where the directory was not entered.
  bool marked() const { return entered_ && mark_; }

  // A tree can be walked in parts, one by each of several threads.

  /// After `enter`: the lowest level from `from` on, of those above the directory, where other
  /// directories are still to come. It is the root, or one that is open.
  std::optional<std::size_t> level_with_more(std::size_t from);
  /// After `enter`: parts with what follows the directory that the walk is in at `level` + 1. This
  /// walk ends when that one is left. `rest`, made in the same way, goes on with what comes behind
  /// it, in all directories down to `level`, and leaves these.
  void give(std::size_t level, Walk& rest);

  /// What to do where a directory that was closed in between is not found again. What is still to
  /// come of it then has names and nothing else.
  enum class Loss : bool {
    told,     ///< the walk tells it as a failure, once for each directory
    ignored,  ///< nothing depends on it
  };

  /// Where a call on the entry starts: the directory that holds it; after `enter`, the directory
  /// itself. Only for calls that follow no link. ENOENT where it was lost, whatever the reason.
  Result<At> at(Loss loss = Loss::told);
  /// The path that a call on the entry takes beside `at`: a bare name; for the root, the operand,
  /// whose slash would have a link followed. Not after `enter`.
  Path bare() const { return depth_ == 0 ? root_path_.c_str() : name_.data(); }
  /// What the entry is; of a followed link, what it leads to. ENOENT where it has gone, or its
  /// directory was lost. Not after `enter`. stat(2), lstat(2)
  Result<Stat> stat(Want want, Loss loss = Loss::told);
  /// What the entry leads to, where it is a link. Likewise.
  Result<Stat> target(Want want, Loss loss = Loss::told);
  /// In a `physical` walk: the entry itself, opened with O_PATH. Not after `enter`. open(2)
  Result<Fd> open_path();

  /// After `failure`: with the full path. At a root that is no directory: why it could not be
  /// opened as one.
  const Error& error() const { return error_; }

 private:
  struct Hash {
    std::size_t operator()(const FileId& id) const {
      std::uint64_t hash = id.ino * 0x9e3779b97f4a7c15 ^ id.dev;
      // The lower half knows nothing of the upper one of the inode.
      if (sizeof(std::size_t) < sizeof hash) hash ^= hash >> 32;
      return static_cast<std::size_t>(hash);
    }
  };

  /// A directory that was entered and not left yet.
  struct Frame {
    Fd fd;                    ///< none where too many are open; that of the root is `root_`
    bool link;                ///< reached through a link
    FileId id = {};           ///< known once `fd` was closed, or with `follow`
    Listing listing;          ///< what is still to come; empty where nothing is
    std::size_t next = 0;     ///< the next one of it
    std::size_t visited = 0;  ///< the one that is visited
    bool fresh = false;       ///< what the file system did not tell was not found out yet
    std::size_t seen = 0;     ///< no directory from `next` up to here
    bool mark = false;        ///< see `mark`
    std::size_t path = 0;     ///< the length of its path
    std::size_t prefix = 0;   ///< the same with a slash behind it
    bool lost = false;        ///< it was closed, and could not be found again
    bool told = false;        ///< and that was told
    int why = 0;              ///< the errno of that
  };

  enum class State : std::uint8_t { root, directory, unentered, inside, end };

  void visit(std::string_view name, Type type, Type target);
  bool resolve(const char* name, Type& type, Type& target);
  void resolve_listing(Frame& frame);
  bool leads_nowhere(int number) const;
  Result<Stat> target(const char* name, Want want, At at);
  std::string path_of(std::string_view name) const;
  bool next_of_batch();
  Step enter();
  void keep(Listing&& listing);
  Result<Fd> open_child(const char* name, At parent, bool link, const std::string& path) const;
  Result<Fd> open_entry(At parent);
  Result<void> start_physical();
  Result<void> open_root();
  Result<bool> may_enter(const Fd& directory, FileId& id);
  Step leave();
  bool close_one();
  void close_all();
  Result<FdRef> top(Loss loss);
  Result<Fd> find_again();
  Result<Fd> climb();
  void fail(Error error) { failures_.push_back(std::move(error)); }

  How how_;
  std::size_t most_open_;
  DirectoryReader reader_;

  // the walk
  At at_;
  std::string root_path_;
  std::shared_ptr<const Fd> root_;  ///< shared with the other parts
  Fd root_path_only_;               ///< `physical`: the root opened with O_PATH, by who leaves it
  std::uint64_t mount_ = 0;         ///< with `one_file_system`: that of the root
  std::vector<Frame> frames_;
  std::size_t base_ = 0;         ///< those of `frames_` below are left by another part
  std::size_t lowest_open_ = 1;  ///< of `frames_`; from there to the top all are open
  Fd hand_;                      ///< a directory below the top, to climb up from
  std::size_t hand_depth_ = 0;
  std::unordered_map<FileId, std::size_t, Hash> ancestors_;  ///< with `follow`: of `frames_`
  std::span<const DirEntry> batch_;  ///< not `sorted`: names that were read and not visited yet
  bool reading_ = false;             ///< and there may be more
  std::vector<Listing> spare_;       ///< memory for the next listings
  Listing left_;
  std::vector<Error> failures_;  ///< still to be told
  std::size_t told_ = 0;
  Error error_;

  // the visit
  State state_ = State::end;
  std::string path_;             ///< begins with the path of the top directory
  std::size_t path_length_ = 0;  ///< how much of it is the path of the visit; 0: not yet made
  std::size_t prefix_ = 0;
  std::string_view name_;  ///< a NUL follows
  std::size_t depth_ = 0;
  Type type_ = Type::unknown;
  bool link_ = false;
  bool followed_ = false;
  bool entered_ = false;
  bool mark_ = false;
};

}  // namespace core
