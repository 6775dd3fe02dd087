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

bool is_device(const LineFacts& file) {
  return file.type == core::Type::character || file.type == core::Type::block;
}

/// What `which` says of `stat`; `no_time` where it is not known.
core::Time time_of(const core::Stat& stat, FileTime which) {
  switch (which) {
    case FileTime::atime:
      return stat.atime;
    case FileTime::ctime:
      return stat.ctime;
    case FileTime::birthtime:
      return stat.birthtime.value_or(LineFacts::no_time);
    case FileTime::mtime:
      break;
  }
  return stat.mtime;
}

}  // namespace

core::Want want_of(FileTime which) {
  namespace want = core::want;
  constexpr core::Want wants[] = {want::mtime, want::atime, want::ctime, want::birthtime};
  return wants[static_cast<std::size_t>(which)];
}

LineFacts::LineFacts(const core::Stat& stat, FileTime which)
    : type(stat.type),
      mode(stat.mode),
      uid(stat.uid),
      gid(stat.gid),
      ino(stat.ino),
      nlink(stat.nlink),
      size(stat.size),
      blocks(stat.blocks),
      rdev(stat.rdev),
      time(time_of(stat, which)) {}

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

/// Names an account, by its number without `name`.
void LongLines::set(Account& account, std::uint32_t id, const std::string* name) {
  account.id = id;
  account.name.clear();
  if (name != nullptr) {
    account.name = *name;
  } else {
    append_number(account.name, id);
  }
  account.width = display_width(account.name);
}

/// Numbers stand to the right, names to the left.
void LongLines::append_account(std::string& to, const Account& account, std::size_t width) {
  const std::size_t blanks = width - std::min(width, account.width);
  const bool number = account.name[0] >= '0' && account.name[0] <= '9';
  if (number) to.append(blanks, ' ');
  to += account.name;
  if (!number) to.append(blanks, ' ');
}

void LongLines::measure(const LineFacts& file) {
  widths_.blocks += file.blocks;
  widen(widths_.nlink, digits(file.nlink));
  widen(widths_.user, user(file.uid).width);
  widen(widths_.group, group(file.gid).width);
  if (is_device(file)) {
    widen(widths_.major, digits(::major(file.rdev)));
    widen(widths_.minor, digits(::minor(file.rdev)));
    widen(widths_.size, widths_.major + 2 + widths_.minor);
  } else if (how_.human) {
    number_.clear();
    append_human(number_, file.size);
    widen(widths_.size, number_.size());
  } else {
    widen(widths_.size, digits(file.size));
  }
}

void LongLines::append_total(std::string& to) const {
  if (how_.human) {
    append_human(to, widths_.blocks * 512);
  } else {
    append_number(to, (widths_.blocks + 1) / 2);
  }
}

void LongLines::append(std::string& to, const LineFacts& file) {
  to.append(core::mode_text(file.mode)).append(1, ' ');
  append_right(to, file.nlink, widths_.nlink);
  to += ' ';
  append_account(to, user(file.uid), widths_.user);
  to += ' ';
  append_account(to, group(file.gid), widths_.group);
  to += ' ';
  append_size(to, file);
  to += ' ';
  if (file.time == LineFacts::no_time) {
    append_right(to, "?", time_width);
  } else {
    clock_.append(to, file.time);
  }
  to += ' ';
}

void LongLines::append_size(std::string& to, const LineFacts& file) {
  if (is_device(file)) {
    append_right(to, ::major(file.rdev), widths_.size - 2 - widths_.minor);
    to += ", ";
    append_right(to, ::minor(file.rdev), widths_.minor);
  } else if (how_.human) {
    number_.clear();
    append_human(number_, file.size);
    append_right(to, number_, widths_.size);
  } else {
    append_right(to, file.size, widths_.size);
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
