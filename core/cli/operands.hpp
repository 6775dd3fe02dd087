// Operands: the paths an applet is given, on the command line or from a file.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/out/io.hpp"
#include "core/sys/fd.hpp"
#include "core/sys/result.hpp"

namespace cli {

/// Path operands, in the order they came. Those of --files0-from are read as they arrive, so that
/// their number does not matter.
class Operands {
 public:
  /// Where every operand starts and how far it may lead (--beneath, --no-symlinks).
  core::At at() const {
    return {base_ ? core::FdRef(base_) : core::FdRef::current_directory(), resolve_};
  }

  bool empty() const { return words_.empty() && !files0_; }
  /// True where they come with --files0-from, in any number.
  bool from_file() const { return files0_.has_value(); }

  /// Calls `action` with each, in order; `action` takes a core::Path and returns a Result<void>. A
  /// failure is reported and the next one follows. The outcome is an error only where the operands
  /// themselves cannot be read.
  template <class Action>
  out::Outcome each(out::Io& io, Action action) {
    return all(io, [&](core::Path path) {
      core::Result<void> done = action(path);
      io.tick();
      return done;
    });
  }

  /// Calls `action` with each two of them, in order; `action` takes two core::Path. A last one that
  /// has no partner is a failure with EINVAL.
  template <class Action>
  out::Outcome each_pair(out::Io& io, Action action) {
    std::optional<std::string> first;
    (void)TRY(all(io, [&](core::Path path) -> core::Result<void> {
      if (!first) {
        first = path;
        return {};
      }
      const std::string from = *std::exchange(first, std::nullopt);
      core::Result<void> done = action(core::Path(from), path);
      io.tick();
      return done;
    }));
    if (!first) return 0;
    return std::unexpected(core::Error{.number = EINVAL,
                                       .call = io.running().call.data(),
                                       .path = std::move(first),
                                       .note = "no second operand to it"});
  }

  /// Those of the command line.
  std::span<const std::string> words() const { return words_; }

  // -- for the parser
  void add(std::string_view word) { words_.emplace_back(word); }
  /// "-" is standard input.
  void read_from(std::string file) { files0_ = std::move(file); }
  void start_at(core::Fd base, core::Resolve resolve) {
    base_ = std::move(base);
    resolve_ = resolve;
  }

 private:
  /// Calls `action` with each, as `each` does, and counts none of them.
  template <class Action>
  out::Outcome all(out::Io& io, Action action) {
    for (const std::string& word : words_) {
      if (!one(io, word, action)) return 0;
    }
    if (!files0_) return 0;
    TRY(open_files0());
    for (;;) {
      const auto path = TRY(next(io));
      if (!path || !one(io, *path, action)) return 0;
    }
  }
  template <class Action>
  static bool one(out::Io& io, core::Path path, Action& action) {
    core::Result<void> done = action(path);
    if (!done) io.fail(done.error());
    // What nobody can read any more is not worth printing, but worth doing.
    return io.writable() || io.running().changes;
  }
  core::Result<void> open_files0();
  /// True where names seem to end in newlines: what would be taken for one name is none.
  bool is_of_lines() const;
  std::unexpected<core::Error> no_list(int number) const;
  /// The next operand of the file, or none at its end; flushes `io` before it waits for more.
  core::Result<std::optional<core::Path>> next(out::Io& io);

  std::vector<std::string> words_;
  std::optional<std::string> files0_;
  core::Fd file_;
  std::string buffer_;
  std::size_t used_ = 0;
  bool listed_ = false;  ///< a NUL has come
  bool ended_ = false;
  core::Fd base_;
  core::Resolve resolve_;
};

/// What else to say of `error`, an EEXIST of what was to get the name `there`: where that is a
/// directory, that it is not gone into; and what the name would be, that of `what` in it, unless
/// that is there already. True where it is one.
bool not_gone_into(core::Error& error, core::Path what, core::Path there, core::At at);

}  // namespace cli
