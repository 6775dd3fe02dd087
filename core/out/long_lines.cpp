#include "core/out/long_lines.hpp"

#include <sys/sysmacros.h>

#include <algorithm>

#include "core/out/number.hpp"
#include "core/out/utf8.hpp"

namespace out {
namespace {

/// Of the time, as ShortClock writes it.
constexpr std::size_t time_width = 12;

void widen(std::size_t& width, std::size_t to) { width = std::max(width, to); }

bool is_device(const core::Stat& stat) {
  return stat.type == core::Type::character || stat.type == core::Type::block;
}

/// Numbers stand to the right, names to the left.
void append_account(std::string& to, const std::string& name, std::size_t width) {
  const std::size_t blanks = width - std::min<std::size_t>(width, display_width(name));
  const bool number = name[0] >= '0' && name[0] <= '9';
  if (number) to.append(blanks, ' ');
  to += name;
  if (!number) to.append(blanks, ' ');
}

}  // namespace

core::Want want_of(FileTime which) {
  namespace want = core::want;
  constexpr core::Want wants[] = {want::mtime, want::atime, want::ctime, want::birthtime};
  return wants[static_cast<std::size_t>(which)];
}

core::Time time_of(const core::Stat& stat, FileTime which) {
  switch (which) {
    case FileTime::atime:
      return stat.atime;
    case FileTime::ctime:
      return stat.ctime;
    case FileTime::birthtime:
      return stat.birthtime.value_or(core::Time{.seconds = INT64_MIN});
    case FileTime::mtime:
      break;
  }
  return stat.mtime;
}

void append_human(std::string& to, std::uint64_t size) {
  unsigned unit = 0;
  while (unit < 6 && size >> (10 * unit) >= 1024) ++unit;
  if (unit == 0) return append_number(to, size);
  const unsigned shift = 10 * unit;
  const auto divided_up = [shift](std::uint64_t number) {
    return (number >> shift) + ((number & ((std::uint64_t{1} << shift) - 1)) != 0 ? 1 : 0);
  };
  const std::uint64_t whole = size >> shift;
  const std::uint64_t tenths =
      whole * 10 + divided_up((size & ((std::uint64_t{1} << shift) - 1)) * 10);
  if (tenths < 100) {
    append_number(to, tenths / 10);
    to += '.';
    append_number(to, tenths % 10);
  } else if (divided_up(size) == 1024 && unit < 6) {
    to += "1.0";
    ++unit;
  } else {
    append_number(to, divided_up(size));
  }
  to += "KMGTPE"[unit - 1];
}

core::Want LongLines::want() const {
  namespace want = core::want;
  return want::type | want::mode | want::nlink | want::uid | want::gid | want::size | want::blocks |
         want::always | want_of(how_.time);
}

const std::string& LongLines::number(std::uint32_t id) {
  number_.clear();
  append_number(number_, id);
  return number_;
}

void LongLines::measure(const core::Stat& stat) {
  widths_.blocks += stat.blocks;
  widen(widths_.nlink, digits(stat.nlink));
  widen(widths_.user, display_width(user(stat.uid)));
  widen(widths_.group, display_width(group(stat.gid)));
  if (is_device(stat)) {
    widen(widths_.major, digits(::major(stat.rdev)));
    widen(widths_.minor, digits(::minor(stat.rdev)));
    widen(widths_.size, widths_.major + 2 + widths_.minor);
  } else if (how_.human) {
    number_.clear();
    append_human(number_, stat.size);
    widen(widths_.size, number_.size());
  } else {
    widen(widths_.size, digits(stat.size));
  }
}

void LongLines::append_total(std::string& to) const {
  if (how_.human) {
    append_human(to, widths_.blocks * 512);
  } else {
    append_number(to, (widths_.blocks + 1) / 2);
  }
}

void LongLines::append(std::string& to, const core::Stat& stat) {
  to.append(core::mode_text(stat.mode)).append(1, ' ');
  append_right(to, stat.nlink, widths_.nlink);
  to += ' ';
  append_account(to, user(stat.uid), widths_.user);
  to += ' ';
  append_account(to, group(stat.gid), widths_.group);
  to += ' ';
  append_size(to, stat);
  to += ' ';
  if (how_.time == FileTime::birthtime && !stat.birthtime) {
    append_right(to, "?", time_width);
  } else {
    clock_.append(to, time_of(stat, how_.time));
  }
  to += ' ';
}

void LongLines::append_size(std::string& to, const core::Stat& stat) {
  if (is_device(stat)) {
    append_right(to, ::major(stat.rdev), widths_.size - 2 - widths_.minor);
    to += ", ";
    append_right(to, ::minor(stat.rdev), widths_.minor);
  } else if (how_.human) {
    number_.clear();
    append_human(number_, stat.size);
    append_right(to, number_, widths_.size);
  } else {
    append_right(to, stat.size, widths_.size);
  }
}

void LongLines::append_unknown(std::string& to, core::Type type) const {
  to += "?-dlpscb"[static_cast<std::size_t>(type)];
  to += "????????? ";
  append_right(to, "?", widths_.nlink);
  to.append(" ?").append(widths_.user - std::min<std::size_t>(widths_.user, 1), ' ');
  to.append(" ?").append(widths_.group - std::min<std::size_t>(widths_.group, 1), ' ');
  to += ' ';
  append_right(to, "?", widths_.size);
  to += ' ';
  append_right(to, "?", time_width);
  to += ' ';
}

}  // namespace out
