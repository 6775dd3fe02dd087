#include "core/sys/account.hpp"

namespace core {

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
