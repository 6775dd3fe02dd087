// Entries of the databases of accounts, for the two ways there are to look one up.
#pragma once

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "core/sys/account.hpp"

namespace core::detail {

template <class T>
using Found = Result<std::optional<T>>;

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

/// True for what a lookup answers where it could not be made; anything else means that there is no
/// such account, and the C library knows many numbers for that.
inline bool is_failure(int number) {
  return number == EMFILE || number == ENFILE || number == ENOMEM || number == EIO ||
         number == EINTR;
}

/// What is wanted of an account.
inline std::string name_of(const passwd& entry) { return entry.pw_name; }
inline std::string name_of(const group& entry) { return entry.gr_name; }
inline uid_t id_of(const passwd& entry) { return entry.pw_uid; }
inline gid_t id_of(const group& entry) { return entry.gr_gid; }

inline constexpr auto name = [](const auto& entry) { return name_of(entry); };
inline constexpr auto id = [](const auto& entry) { return id_of(entry); };
inline constexpr auto account = [](const passwd& entry) {
  return Account{entry.pw_name, entry.pw_uid, entry.pw_gid};
};

}  // namespace core::detail
