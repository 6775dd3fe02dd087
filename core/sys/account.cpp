#include "core/sys/account.hpp"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

namespace core {
namespace {

/// Looks one entry up with a buffer that grows until it fits. `Ask` is the whole of
/// getpwuid_r, getgrgid_r, fgetpwent_r or fgetgrent_r but for the buffer.
template <class Entry, class Ask>
int with_buffer(std::vector<char>& buffer, Entry& entry, Entry*& found, Ask ask) {
  if (buffer.empty()) buffer.resize(1024);
  int number = 0;
  while ((number = ask(&entry, buffer.data(), buffer.size(), &found)) == ERANGE) {
    buffer.resize(buffer.size() * 2);
  }
  return number;
}

/// What is wanted of an account.
std::string name_of(const passwd& entry) { return entry.pw_name; }
std::string name_of(const group& entry) { return entry.gr_name; }
uid_t id_of(const passwd& entry) { return entry.pw_uid; }
gid_t id_of(const group& entry) { return entry.gr_gid; }

template <class T>
using Found = Result<std::optional<T>>;

/// True for what a lookup answers where it could not be made; anything else means that there is no
/// such account, and the C library knows many numbers for that.
bool is_failure(int number) {
  return number == EMFILE || number == ENFILE || number == ENOMEM || number == EIO ||
         number == EINTR;
}

#ifdef OSBOX_STATIC

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
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
          if (std::exchange(again, true)) std::fseek(file.get(), line, SEEK_SET);
          return next(file.get(), e, b, n, f);
        });
    if (is_failure(number)) return failure(number, call);
    if (number != 0 || found == nullptr) break;
    // "+" and "-" are words to the name service, and nobody's names.
    const std::string name = name_of(entry);
    if (name[0] != '+' && name[0] != '-' && matches(entry)) return take(entry);
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

#else

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

#endif

constexpr auto name = [](const auto& entry) { return name_of(entry); };
constexpr auto id = [](const auto& entry) { return id_of(entry); };
constexpr auto account = [](const passwd& entry) {
  return Account{entry.pw_name, entry.pw_uid, entry.pw_gid};
};

}  // namespace

#ifdef OSBOX_STATIC

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

#else

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

#endif

const std::string& Accounts::user(uid_t uid) {
  const auto [at, added] = users_.try_emplace(uid);
  if (added) at->second = user_name(uid).value_or(std::to_string(uid));
  return at->second;
}

const std::string& Accounts::group(gid_t gid) {
  const auto [at, added] = groups_.try_emplace(gid);
  if (added) at->second = group_name(gid).value_or(std::to_string(gid));
  return at->second;
}

}  // namespace core
