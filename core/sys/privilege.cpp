#include "core/sys/privilege.hpp"

#include <grp.h>
#include <unistd.h>

#include <cerrno>

namespace core {

StepFailure set_ids(const Ids& ids) {
  const auto failed = [](const char* call) { return StepFailure{.call = call, .number = errno}; };
  if (ids.groups && ::setgroups(ids.groups->size(), ids.groups->data()) != 0) {
    return failed("setgroups");
  }
  if (ids.gid && ::setresgid(*ids.gid, *ids.gid, *ids.gid) != 0) return failed("setgid");
  if (ids.egid && ::setegid(*ids.egid) != 0) return failed("setegid");
  if (ids.uid && ::setresuid(*ids.uid, *ids.uid, *ids.uid) != 0) return failed("setuid");
  if (ids.euid && ::seteuid(*ids.euid) != 0) return failed("seteuid");
  return {};
}

}  // namespace core
