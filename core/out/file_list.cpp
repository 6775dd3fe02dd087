#include "core/out/file_list.hpp"

#include <algorithm>
#include <utility>

#include "core/out/columns.hpp"
#include "core/out/number.hpp"
#include "core/out/quote.hpp"
#include "core/out/utf8.hpp"

namespace out {

namespace want = core::want;

FileList::FileList(Io& io, How how, Colours colours)
    : io_(io),
      how_(how),
      colours_(std::move(colours)),
      lines_(how.line),
      line_end_(io.style().null ? '\0' : '\n'),
      plain_(how.layout == Layout::names && !how.marks && !how.inode && !colours_.on() &&
             io.names() == Names::raw) {}

core::Want FileList::want() const {
  return (how_.inode ? want::ino : want::nothing) |
         (how_.layout == Layout::lines ? lines_.want() : want::nothing);
}

core::Want FileList::want(core::Type type) const {
  core::Want wanted = colours_.want(type);
  if (how_.marks && type == core::Type::file) wanted |= want::mode;
  if (how_.marks && type == core::Type::unknown) wanted |= want::type | want::mode;
  return wanted;
}

void FileList::write_header(std::string_view path) {
  if (begun_) text_ += line_end_;
  append_shown(path, {});
  text_ += ':';
  text_ += line_end_;
  write();
}

void FileList::clear() {
  lines_.clear();
  inode_width_ = 0;
}

void FileList::measure_columns(const LineFacts* facts) {
  if (how_.inode) {
    inode_width_ = std::max<std::size_t>(inode_width_, facts != nullptr ? digits(facts->ino) : 1);
  }
  if (how_.layout == Layout::lines && facts != nullptr) lines_.measure(*facts);
}

void FileList::add_total() {
  text_ += "total ";
  lines_.append_total(text_);
  end_line();
}

void FileList::add(const File& file) {
  const std::size_t begin = text_.size();
  if (how_.inode) append_inode(file.facts);
  if (how_.layout == Layout::lines) {
    if (file.facts != nullptr) {
      lines_.append(text_, *file.facts);
    } else {
      lines_.append_unknown(text_, file.type);
    }
  }
  const std::size_t unseen = append_shown(file.name, colours_.of(file));
  if (file.type == core::Type::link && wants_texts()) {
    if (file.text) append_target(file);
  } else if (how_.marks) {
    append_mark(file.type, file.mode);
  }
  if (how_.layout != Layout::columns) return end_line();
  const std::string_view cell = std::string_view(text_).substr(begin);
  widths_.push_back(static_cast<std::uint32_t>(display_width(cell) - unseen));
  ends_.push_back(text_.size());
}

void FileList::end() {
  if (how_.layout == Layout::columns) append_columns();
  write();
}

void FileList::append_inode(const LineFacts* facts) {
  if (facts != nullptr) {
    append_right(text_, facts->ino, inode_width_);
  } else {
    append_right(text_, "?", inode_width_);
  }
  text_ += ' ';
}

/// Adds `text` as the screen may see it; the answer is what Colours::append says.
std::size_t FileList::append_shown(std::string_view text, std::string_view code) {
  if (io_.names() == Names::quoted) {
    quoted_.clear();
    append_quoted(quoted_, text);
    text = quoted_;
  }
  return Colours::append(text_, code, text);
}

/// Adds what a link holds, with the colour and the mark of what it leads to.
void FileList::append_target(const File& file) {
  text_ += " -> ";
  Colours::File target = file.target != nullptr ? *file.target : Colours::File();
  target.name = *file.text;
  append_shown(target.name, file.dangling ? colours_.of_missing() : colours_.of(target));
  if (how_.marks) append_mark(target.type, target.mode);
}

void FileList::append_mark(core::Type type, mode_t mode) {
  switch (type) {
    case core::Type::dir:
      text_ += '/';
      break;
    case core::Type::link:
      text_ += '@';
      break;
    case core::Type::fifo:
      text_ += '|';
      break;
    case core::Type::socket:
      text_ += '=';
      break;
    case core::Type::file:
      if ((mode & 0111) != 0) text_ += '*';
      break;
    default:
      break;
  }
}

/// Lays the cells out.
void FileList::append_columns() {
  const std::string cells = std::exchange(text_, {});
  const Columns columns = arrange(widths_, io_.screen().columns);
  const auto append_cell = [&](std::size_t i) {
    const std::size_t begin = i > 0 ? ends_[i - 1] : 0;
    text_.append(cells, begin, ends_[i] - begin);
  };
  for (std::size_t row = 0; row < columns.rows; ++row) {
    for (std::size_t at = row; at < widths_.size(); at += columns.rows) {
      append_cell(at);
      if (at + columns.rows >= widths_.size()) break;
      text_.append(columns.widths[at / columns.rows] - widths_[at], ' ');
    }
    end_line();
  }
  widths_.clear();
  ends_.clear();
}

void FileList::write() {
  begun_ = begun_ || !text_.empty();
  io_.print(text_);
  text_.clear();
}

}  // namespace out
