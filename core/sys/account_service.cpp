// Accounts of the C library's name service.
#include <fcntl.h>

#include <utility>

#include "core/sys/account_entry.hpp"

namespace core {
namespace {

using namespace detail;

/// A failure where there is no descriptor to be had. The name service has several sources, and the
/// last one's "no such name" is its answer where the first one could not even be opened.
Result<void> could_look(const char* call) {
  const Fd any(::open("/", O_PATH | O_CLOEXEC));
  if (!any) return failure(call);
  return {};
}

/// What `take` says of the entry that `ask` finds for `key`.
template <class Entry, class Key, class Take>
auto look_up(const char* call, int (*ask)(Key, Entry*, char*, std::size_t, Entry**), Key key,
             Take take) -> Found<decltype(take(std::declval<const Entry&>()))> {
  std::vector<char> buffer;
  Entry entry;
  Entry* found = nullptr;
  const int number = with_buffer(
      buffer, entry, found,
      [&](Entry* e, char* b, std::size_t n, Entry** f) { return ask(key, e, b, n, f); });
  if (found != nullptr) return take(entry);
  if (is_failure(number)) return failure(number, call);
  TRY(could_look(call));
  return std::nullopt;
}

}  // namespace

std::optional<std::string> user_name(uid_t uid) {
  return look_up("getpwuid", ::getpwuid_r, uid, name).value_or(std::nullopt);
}

std::optional<std::string> group_name(gid_t gid) {
  return look_up("getgrgid", ::getgrgid_r, gid, name).value_or(std::nullopt);
}

Result<std::optional<uid_t>> user_id(Path wanted) {
  return look_up("getpwnam", ::getpwnam_r, wanted.c_str(), id);
}

Result<std::optional<gid_t>> group_id(Path wanted) {
  return look_up("getgrnam", ::getgrnam_r, wanted.c_str(), id);
}

Result<std::optional<Account>> user_account(Path wanted) {
  return look_up("getpwnam", ::getpwnam_r, wanted.c_str(), account);
}

Result<std::optional<Account>> user_account(uid_t uid) {
  return look_up("getpwuid", ::getpwuid_r, uid, account);
}

Result<std::vector<gid_t>> user_groups(Path wanted, gid_t base) {
  // It has no word for a lookup that could not be made: the groups would just be fewer.
  TRY(could_look("getgrouplist"));
  for (std::vector<gid_t> groups(64);;) {
    int count = static_cast<int>(groups.size());
    const bool fits = ::getgrouplist(wanted.c_str(), base, groups.data(), &count) >= 0;
    groups.resize(static_cast<std::size_t>(count));
    if (fits) return groups;
  }
}

}  // namespace core
