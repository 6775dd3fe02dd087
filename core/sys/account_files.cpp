// Accounts of /etc/passwd and /etc/group, for a build that cannot load a name service.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "core/sys/account_entry.hpp"

namespace core {
namespace {

using namespace detail;

struct Close {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};

/// What `take` says of the first entry in `path` that `matches`.
template <class Entry, class Next, class Matches, class Take>
auto scan(const char* path, const char* call, Next next, Matches matches, Take take)
    -> Found<decltype(take(std::declval<const Entry&>()))> {
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path, "re"));
  if (!file && is_failure(errno)) return failure(call);
  std::vector<char> buffer;
  Entry entry;
  Entry* found = nullptr;
  while (file) {
    // A line that did not fit must be read again, from where it began.
    const long line = std::ftell(file.get());
    bool again = false;
    const int number =
        with_buffer(buffer, entry, found, [&](Entry* e, char* b, std::size_t n, Entry** f) {
          if (std::exchange(again, true) && std::fseek(file.get(), line, SEEK_SET) != 0)
            return errno;
          return next(file.get(), e, b, n, f);
        });
    if (is_failure(number)) return failure(number, call);
    if (number != 0 || found == nullptr) break;
    // "+" and "-" are words to the name service, and nobody's names.
    const std::string called = name_of(entry);
    if (called[0] != '+' && called[0] != '-' && matches(entry)) return take(entry);
  }
  return std::nullopt;
}

template <class Matches, class Take>
auto scan_users(const char* call, Matches matches, Take take) {
  return scan<passwd>("/etc/passwd", call, ::fgetpwent_r, matches, take);
}
template <class Matches, class Take>
auto scan_groups(const char* call, Matches matches, Take take) {
  return scan<group>("/etc/group", call, ::fgetgrent_r, matches, take);
}

}  // namespace

std::optional<std::string> user_name(uid_t uid) {
  const auto is = [uid](const passwd& entry) { return entry.pw_uid == uid; };
  return scan_users("getpwuid", is, name).value_or(std::nullopt);
}

std::optional<std::string> group_name(gid_t gid) {
  const auto is = [gid](const group& entry) { return entry.gr_gid == gid; };
  return scan_groups("getgrgid", is, name).value_or(std::nullopt);
}

Result<std::optional<uid_t>> user_id(Path wanted) {
  const auto is = [&](const passwd& entry) { return name_of(entry) == std::string_view(wanted); };
  return scan_users("getpwnam", is, id);
}

Result<std::optional<gid_t>> group_id(Path wanted) {
  const auto is = [&](const group& entry) { return name_of(entry) == std::string_view(wanted); };
  return scan_groups("getgrnam", is, id);
}

Result<std::optional<Account>> user_account(Path wanted) {
  const auto is = [&](const passwd& entry) { return name_of(entry) == std::string_view(wanted); };
  return scan_users("getpwnam", is, account);
}

Result<std::optional<Account>> user_account(uid_t uid) {
  const auto is = [uid](const passwd& entry) { return entry.pw_uid == uid; };
  return scan_users("getpwuid", is, account);
}

Result<std::vector<gid_t>> user_groups(Path wanted, gid_t base) {
  std::vector<gid_t> groups = {base};
  const auto passed_over = [&](const group& entry) {
    for (char** member = entry.gr_mem; *member != nullptr; ++member) {
      if (*member != std::string_view(wanted)) continue;
      if (std::ranges::find(groups, entry.gr_gid) == groups.end()) groups.push_back(entry.gr_gid);
      break;
    }
    return false;
  };
  TRY(scan_groups("getgrouplist", passed_over, id));
  return groups;
}

}  // namespace core
