// FileList: how ls shows files: a name a line, in columns, or behind a line of metadata.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/out/colour.hpp"
#include "core/out/io.hpp"
#include "core/out/long_lines.hpp"
#include "core/sys/directory.hpp"
#include "core/sys/stat.hpp"

namespace out {

/// Shows files that belong together: first all are measured, then each is added, then comes `end`.
/// What is added is written in large pieces, in columns not before the end.
class FileList {
 public:
  enum class Layout : std::uint8_t {
    names,    ///< a name a line
    columns,  ///< names side by side, as many as a line of the screen takes
    lines,    ///< a line of metadata, the name, and what a link holds
  };
  struct How {
    Layout layout = Layout::names;
    bool inode = false;  ///< the inode number in front of each name
    bool marks = false;  ///< a mark of the type behind it: / @ | = *
    LongLines::How line = {};
  };

  /// One file, as far as it is known. A mode and a target matter where `want` and `wants_targets`
  /// ask for them.
  struct File : Colours::File {
    const LineFacts* facts = nullptr;           ///< null where they could not be had
    std::optional<std::string_view> text = {};  ///< what a link holds, where `wants_texts`
  };

  FileList(Io& io, How how, Colours colours);

  /// What stat must be asked for of every file.
  core::Want want() const;
  /// And of those of `type`, beyond what their directory says.
  core::Want want(core::Type type) const;
  /// True where it matters what a link leads to.
  bool wants_targets() const {
    const bool lines = how_.layout == Layout::lines;
    return colours_.wants_targets(lines) || (lines && how_.marks);
  }
  /// True where it is shown what a link holds.
  bool wants_texts() const { return how_.layout == Layout::lines; }
  /// True where a file is a line that is its name as it stands, so that `add_plain` will do.
  bool plain() const { return plain_; }
  bool coloured() const { return colours_.on(); }

  /// Writes the line in front of what is in the directory `path`, and an empty one before it where
  /// something was shown already.
  void write_header(std::string_view path);
  /// True where something was shown.
  bool begun() const { return begun_; }
  /// Something was shown by others, or nothing.
  void set_begun(bool begun) { begun_ = begun; }

  /// Forgets what was measured.
  void clear();
  /// Makes what stands in front of the names wide enough for a file; null where nothing is known.
  void measure(const LineFacts* facts) {
    if (how_.inode || how_.layout == Layout::lines) measure_columns(facts);
  }
  /// Adds the line that says how much all that was measured takes.
  void add_total();
  /// Adds a file.
  void add(const File& file);
  /// The same for a name alone, whose NUL becomes the end of the line. Nothing is written before
  /// `end`.
  void add_plain(const core::DirEntry& entry) {
    text_.append(entry.name, entry.length + std::size_t{1});
    text_.back() = line_end_;
  }
  /// Writes what was added.
  void end();

 private:
  void measure_columns(const LineFacts* facts);
  void append_inode(const LineFacts* facts);
  std::size_t append_shown(std::string_view text, std::string_view code);
  void append_target(const File& file);
  void append_mark(core::Type type, mode_t mode);
  void append_columns();
  void end_line() {
    text_ += line_end_;
    if (text_.size() >= std::size_t{32} << 10) write();
  }
  void write();

  Io& io_;
  How how_;
  Colours colours_;
  LongLines lines_;
  char line_end_;
  bool plain_;
  std::size_t inode_width_ = 0;
  bool begun_ = false;
  std::string text_;    ///< what was added and not written yet
  std::string quoted_;  ///< memory for a name in quotes

  // The cells of columns, one behind the other in `text_`.
  std::vector<std::size_t> ends_;
  std::vector<std::uint32_t> widths_;
};

}  // namespace out
