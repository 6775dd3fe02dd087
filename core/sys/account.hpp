// Names of users and groups.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/sys/fd.hpp"
#include "core/sys/result.hpp"

namespace core {

/// The name of user `uid`; empty where there is none. getpwuid_r(3); a wholly static build reads
/// /etc/passwd instead, since the C library's name service needs shared objects.
std::optional<std::string> user_name(uid_t uid);

/// The name of group `gid`, likewise. getgrgid_r(3)
std::optional<std::string> group_name(gid_t gid);

/// The id of the user called `name`; empty where there is none. An error means that nobody knows,
/// as without a descriptor to look it up with. getpwnam_r(3), likewise
Result<std::optional<uid_t>> user_id(Path name);

/// The id of the group called `name`, likewise. getgrnam_r(3)
Result<std::optional<gid_t>> group_id(Path name);

/// What a user is given at a login.
struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;  ///< the primary group
};

/// The account called `name`, or the first one of user `uid`, likewise. getpwnam_r(3),
/// getpwuid_r(3)
Result<std::optional<Account>> user_account(Path name);
Result<std::optional<Account>> user_account(uid_t uid);

/// The groups that the user called `name` is a member of, each once, with `base` in front, member
/// or not. A name that is no user's is a member of none. getgrouplist(3), likewise
Result<std::vector<gid_t>> user_groups(Path name, gid_t base);

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
