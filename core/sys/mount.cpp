#include "core/sys/mount.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "core/sys/fs.hpp"

namespace core {
namespace {

/// Takes the first word off `line`.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

/// A word with its octal escapes: blanks, newlines and backslashes are written so.
std::string unescaped(std::string_view word) {
  std::string to;
  for (std::size_t at = 0; at < word.size(); ++at) {
    unsigned byte = 0;
    if (word[at] == '\\' && at + 3 < word.size() &&
        std::from_chars(word.data() + at + 1, word.data() + at + 4, byte, 8).ptr ==
            word.data() + at + 4) {
      to += static_cast<char>(byte);
      at += 3;
    } else {
      to += word[at];
    }
  }
  return to;
}

bool has_option(std::string_view options, std::string_view option) {
  while (!options.empty()) {
    const std::size_t end = std::min(options.find(','), options.size());
    if (options.substr(0, end) == option) return true;
    options.remove_prefix(std::min(end + 1, options.size()));
  }
  return false;
}

/// The first mount of which `is`, a function of its number and itself, says so.
template <class Is>
Result<std::optional<Mount>> find(Is is) {
  const std::string table = TRY(read_file("/proc/self/mountinfo"));
  std::string_view rest = table;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::string_view id = take_word(line);
    for (int i = 0; i < 2; ++i) take_word(line);  // parent, device
    Mount mount;
    mount.root = unescaped(take_word(line));
    mount.point = unescaped(take_word(line));
    const std::string_view options = take_word(line);
    while (!line.empty() && take_word(line) != "-") continue;
    mount.type = unescaped(take_word(line));
    take_word(line);  // source
    mount.read_only = has_option(options, "ro") || has_option(line, "ro");
    mount.no_exec = has_option(options, "noexec");
    if (is(id, mount)) return mount;
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<Mount>> find_mount(std::uint64_t id) {
  const std::string wanted = std::to_string(id);
  return find([&](std::string_view number, const Mount&) { return number == wanted; });
}

Result<std::optional<Mount>> find_mount_of(std::string_view type) {
  return find([&](std::string_view, const Mount& mount) { return mount.type == type; });
}

}  // namespace core
