#include "core/sys/mode.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace core {
namespace {

constexpr mode_t set_id_bits = S_ISUID | S_ISGID;

mode_t whose(char letter) {
  switch (letter) {
    case 'u':
      return S_ISUID | S_IRWXU;
    case 'g':
      return S_ISGID | S_IRWXG;
    case 'o':
      return S_ISVTX | S_IRWXO;
    case 'a':
      return permission_bits;
    default:
      return 0;
  }
}

mode_t what(char letter) {
  switch (letter) {
    case 'r':
      return S_IRUSR | S_IRGRP | S_IROTH;
    case 'w':
      return S_IWUSR | S_IWGRP | S_IWOTH;
    case 'x':
      return S_IXUSR | S_IXGRP | S_IXOTH;
    case 's':
      return set_id_bits;
    case 't':
      return S_ISVTX;
    default:
      return 0;
  }
}

/// The permissions that `mode` has for one of user, group and others, given to all three.
mode_t spread(mode_t mode, mode_t one) {
  mode_t bits = mode & one & (S_IRWXU | S_IRWXG | S_IRWXO);
  if ((one & S_IRWXU) != 0) bits >>= 6;
  if ((one & S_IRWXG) != 0) bits >>= 3;
  return bits << 6 | bits << 3 | bits;
}

}  // namespace

std::expected<Mode, std::string> Mode::parse(std::string_view text) {
  Mode mode;
  const std::string_view digits = text.substr(text.starts_with("0o") ? 2 : 0);
  if (!digits.empty() && digits.find_first_not_of("01234567") == digits.npos) {
    for (const char digit : digits) {
      mode.absolute_ = mode.absolute_ << 3 | static_cast<mode_t>(digit - '0');
      if (mode.absolute_ > permission_bits) return std::unexpected("greater than 7777");
    }
    return mode;
  }
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (!parse_clause(text.substr(begin, end - begin), mode.clauses_)) {
      return std::unexpected("neither octal nor like u+x,go-w");
    }
    begin = end + 1;
  }
  return mode;
}

Mode Mode::of(mode_t permissions) {
  Mode mode;
  mode.absolute_ = permissions & permission_bits;
  return mode;
}

/// One clause between commas: who, and one or more operations.
bool Mode::parse_clause(std::string_view text, std::vector<Clause>& to) {
  mode_t who = 0;
  while (!text.empty() && whose(text.front()) != 0) {
    who |= whose(text.front());
    text.remove_prefix(1);
  }
  if (text.empty()) return false;
  while (!text.empty()) {
    Clause clause{.who = who, .operation = text.front()};
    if (std::string_view("+-=").find(clause.operation) == std::string_view::npos) return false;
    text.remove_prefix(1);
    if (!text.empty() && text.front() != 'a' && whose(text.front()) != 0) {
      clause.copied = whose(text.front());
      text.remove_prefix(1);
    } else {
      for (; !text.empty() && (what(text.front()) != 0 || text.front() == 'X');
           text.remove_prefix(1)) {
        clause.bits |= what(text.front());
        clause.search = clause.search || text.front() == 'X';
      }
    }
    to.push_back(clause);
  }
  return true;
}

mode_t Mode::apply(mode_t old, bool is_directory, mode_t umask) const {
  if (is_absolute()) return absolute_;
  mode_t mode = old & permission_bits;
  for (const Clause& clause : clauses_) {
    mode_t bits = clause.bits | spread(mode, clause.copied);
    constexpr mode_t search = S_IXUSR | S_IXGRP | S_IXOTH;
    if (clause.search && (is_directory || (mode & search) != 0)) bits |= search;
    // What "=" leaves to a directory, unless it is named.
    const mode_t kept = is_directory ? set_id_bits & ~clause.bits : 0;
    bits &= (clause.who != 0 ? clause.who : ~umask) & ~kept;
    switch (clause.operation) {
      case '+':
        mode |= bits;
        break;
      case '-':
        mode &= ~bits;
        break;
      default:
        mode = (mode & ((clause.who != 0 ? ~clause.who : 0) | kept)) | bits;
    }
  }
  return mode & permission_bits;
}

bool Mode::needs_umask() const {
  return std::ranges::any_of(clauses_, [](const Clause& clause) { return clause.who == 0; });
}

mode_t get_umask() {
  const mode_t mask = ::umask(0777);
  ::umask(mask);
  return mask;
}

}  // namespace core
