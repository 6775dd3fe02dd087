// Privileges: the users and groups that a process is to act for.
#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/sys/step.hpp"

namespace core {

/// Supplementary groups, together with all the memory it takes to set them and read them back.
class GroupSet {
 public:
  GroupSet(std::vector<gid_t> ids);  // NOLINT(*-explicit-*)

  /// As they were given, in their order.
  std::span<const gid_t> ids() const { return ids_; }
  auto begin() const { return ids_.begin(); }
  auto end() const { return ids_.end(); }
  /// True where this process has these groups and no others, however often each is named.
  /// An errno means that nobody knows. Allocates nothing, and is for one thread at a time.
  /// getgroups(2)
  std::expected<bool, int> in_force() const;

 private:
  std::vector<gid_t> ids_;
  std::vector<gid_t> sorted_;
  mutable std::vector<gid_t> read_back_;
};

/// The ids that a process is to have. What is not said stays as it is.
struct Ids {
  std::optional<GroupSet> groups = {};  ///< the supplementary ones. setgroups(2)
  std::optional<gid_t> gid = {};   ///< the real, effective and saved one: for good. setresgid(2)
  std::optional<gid_t> egid = {};  ///< the effective one alone: it can be undone. setegid(2)
  std::optional<uid_t> uid = {};   ///< likewise setresuid(2)
  std::optional<uid_t> euid = {};  ///< likewise seteuid(2)

  // What a failure is told of: the words that these came from, where they came from words.
  std::optional<std::string> groups_text = {};  ///< "" is text too: no groups
  std::string group_text = {};
  std::string user_text = {};

  bool empty() const { return !groups && !gid && !egid && !uid && !euid; }
};

/// Gives this process `ids`, in the order groups, gid, egid, uid, euid, and reads them back. Where
/// `uid` is not 0, setuid(0) must fail afterwards, and setegid(0) where `gid` is not 0 either: else
/// the failure is EPERM of what did not. After a failure some of the ids may be set, and whoever
/// wanted them all had better end. Allocates nothing, so that it can be called between fork and
/// exec. setgroups(2), setresgid(2), setegid(2), setresuid(2), seteuid(2)
StepFailure set_ids(const Ids& ids);

}  // namespace core
