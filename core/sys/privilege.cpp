#include "core/sys/privilege.hpp"

#include <grp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace core {
namespace {

/// The number that stands for none: to setresuid(2) it is no change, and so no error.
constexpr auto none = static_cast<uid_t>(-1);

const char* text_or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

StepFailure failed(const char* call, const std::string& text) {
  return {.call = call, .number = errno, .path = text_or_null(text)};
}

StepFailure refused(const char* call, const std::string& text, const char* note) {
  return {.call = call, .number = EPERM, .path = text_or_null(text), .note = note};
}

constexpr const char* untrue = "other ids are in force now";

/// Sets real, effective and saved id, or the effective one alone, and reads them back.
template <class Id>
struct Setting {
  const char* call;            ///< for all three
  const char* effective_call;  ///< for one
  const char* get_call;
  int (*set)(Id, Id, Id);
  int (*set_effective)(Id);
  int (*get)(Id*, Id*, Id*);

  StepFailure apply(std::optional<Id> all, std::optional<Id> effective,
                    const std::string& text) const {
    if (all) {
      errno = EINVAL;
      if (*all == none || set(*all, *all, *all) != 0) return failed(call, text);
      if (const StepFailure failure = check(call, *all, all, *all, text)) return failure;
    }
    if (effective) {
      errno = EINVAL;
      if (*effective == none || set_effective(*effective) != 0) return failed(effective_call, text);
      return check(effective_call, *effective, all, all.value_or(none), text);
    }
    return {};
  }

  /// A failure of `set_call` where other ids are in force than these.
  StepFailure check(const char* set_call, Id effective, std::optional<Id> real, Id saved,
                    const std::string& text) const {
    Id ids[3];
    if (get(&ids[0], &ids[1], &ids[2]) != 0) return failed(get_call, text);
    const bool holds = ids[1] == effective && (!real || (ids[0] == *real && ids[2] == saved));
    return holds ? StepFailure() : refused(set_call, text, untrue);
  }
};

constexpr Setting<gid_t> group = {"setgid",    "setegid", "getresgid",
                                  ::setresgid, ::setegid, ::getresgid};
constexpr Setting<uid_t> user = {"setuid",    "seteuid", "getresuid",
                                 ::setresuid, ::seteuid, ::getresuid};

}  // namespace

GroupSet::GroupSet(std::vector<gid_t> ids)
    : ids_(std::move(ids)), sorted_(ids_), read_back_(ids_.size()) {
  std::ranges::sort(sorted_);
}

std::expected<bool, int> GroupSet::in_force() const {
  // Asked for none, getgroups(2) tells how many there are and writes nothing.
  const int count = ::getgroups(static_cast<int>(read_back_.size()), read_back_.data());
  if (count < 0 && errno == EINVAL) return false;  // there are more
  if (count < 0) return std::unexpected(errno);
  if (read_back_.empty()) return count == 0;
  const std::span<gid_t> found = std::span(read_back_).first(static_cast<std::size_t>(count));
  std::ranges::sort(found);
  const auto within = [](std::span<const gid_t> some, std::span<const gid_t> all) {
    return std::ranges::all_of(some, [&](gid_t id) { return std::ranges::binary_search(all, id); });
  };
  return within(found, sorted_) && within(sorted_, found);
}

StepFailure set_ids(const Ids& ids) {
  if (ids.groups) {
    const std::span<const gid_t> groups = ids.groups->ids();
    const char* const text = ids.groups_text ? ids.groups_text->c_str() : nullptr;
    if (::setgroups(groups.size(), groups.data()) != 0) {
      return {.call = "setgroups", .number = errno, .path = text};
    }
    const auto in_force = ids.groups->in_force();
    if (!in_force) return {.call = "getgroups", .number = in_force.error(), .path = text};
    if (!*in_force) return {.call = "setgroups", .number = EPERM, .path = text, .note = untrue};
  }
  if (const StepFailure failure = group.apply(ids.gid, ids.egid, ids.group_text)) return failure;
  if (const StepFailure failure = user.apply(ids.uid, std::nullopt, ids.user_text)) return failure;
  if (ids.uid.value_or(0) != 0) {
    if (::setuid(0) == 0) {
      return refused("setuid", ids.user_text, "root's rights could be had again");
    }
    // Who cannot be root may have CAP_SETGID still, and with it every group.
    if (ids.gid.value_or(0) != 0 && ::setegid(0) == 0) {
      return refused("setgid", ids.group_text, "root's group could be had again");
    }
  }
  return user.apply(std::nullopt, ids.euid, ids.user_text);
}

}  // namespace core
