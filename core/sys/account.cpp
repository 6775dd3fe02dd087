#include "core/sys/account.hpp"

#include <grp.h>
#include <pwd.h>

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

#ifdef OSBOX_STATIC

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

template <class Entry, class Next, class Matches>
std::optional<std::string> scan(const char* path, Next next, Matches matches, char* Entry::* name) {
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path, "re"));
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
    if (number != 0 || found == nullptr) break;
    // "+" and "-" are words to the name service, and nobody's names.
    if (matches(entry) && (entry.*name)[0] != '+' && (entry.*name)[0] != '-') return entry.*name;
  }
  return std::nullopt;
}

#endif

}  // namespace

#ifdef OSBOX_STATIC

std::optional<std::string> user_name(uid_t uid) {
  return scan(
      "/etc/passwd", ::fgetpwent_r, [uid](const passwd& entry) { return entry.pw_uid == uid; },
      &passwd::pw_name);
}

std::optional<std::string> group_name(gid_t gid) {
  return scan(
      "/etc/group", ::fgetgrent_r, [gid](const group& entry) { return entry.gr_gid == gid; },
      &group::gr_name);
}

#else

std::optional<std::string> user_name(uid_t uid) {
  std::vector<char> buffer;
  passwd entry;
  passwd* found = nullptr;
  with_buffer(buffer, entry, found, [uid](passwd* e, char* b, std::size_t n, passwd** f) {
    return ::getpwuid_r(uid, e, b, n, f);
  });
  if (found == nullptr) return std::nullopt;
  return entry.pw_name;
}

std::optional<std::string> group_name(gid_t gid) {
  std::vector<char> buffer;
  group entry;
  group* found = nullptr;
  with_buffer(buffer, entry, found, [gid](group* e, char* b, std::size_t n, group** f) {
    return ::getgrgid_r(gid, e, b, n, f);
  });
  if (found == nullptr) return std::nullopt;
  return entry.gr_name;
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
