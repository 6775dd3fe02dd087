// Names of users and groups.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <unordered_map>

namespace core {

/// The name of user `uid`; empty where there is none. getpwuid_r(3); a wholly static build reads
/// /etc/passwd instead, since the C library's name service needs shared objects.
std::optional<std::string> user_name(uid_t uid);

/// The name of group `gid`, likewise. getgrgid_r(3)
std::optional<std::string> group_name(gid_t gid);

/// Names looked up once each; an id without a name stands for itself, in digits.
class Accounts {
 public:
  const std::string& user(uid_t uid);
  const std::string& group(gid_t gid);

 private:
  std::unordered_map<uid_t, std::string> users_;
  std::unordered_map<gid_t, std::string> groups_;
};

}  // namespace core
