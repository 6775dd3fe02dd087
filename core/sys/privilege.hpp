// Privileges: the users and groups that a process is to act for.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "core/sys/step.hpp"

namespace core {

/// The ids that a process is to have. What is not said stays as it is.
struct Ids {
  std::optional<std::vector<gid_t>> groups = {};  ///< the supplementary ones. setgroups(2)
  std::optional<gid_t> gid = {};   ///< the real, effective and saved one: for good. setgid(2)
  std::optional<gid_t> egid = {};  ///< the effective one alone: it can be undone. setegid(2)
  std::optional<uid_t> uid = {};   ///< likewise setuid(2)
  std::optional<uid_t> euid = {};  ///< likewise seteuid(2)

  bool empty() const { return !groups && !gid && !egid && !uid && !euid; }
};

/// Gives this process `ids`, in the order groups, gid, egid, uid, euid, and reads them back. Where
/// `uid` is not 0, setuid(0) must fail afterwards: else the failure is EPERM of setuid. Allocates
/// nothing, so that it can be called between fork and exec. setgroups(2), setresgid(2),
/// setresuid(2), setegid(2), seteuid(2)
StepFailure set_ids(const Ids& ids);

}  // namespace core
