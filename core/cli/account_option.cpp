#include "core/cli/account_option.hpp"

#include <algorithm>

#include "core/out/quote.hpp"
#include "core/sys/account.hpp"

namespace cli {
namespace {

template <class Id>
using LookUp = core::Result<std::optional<Id>> (*)(core::Path name);

/// `found`, with its failure told of `text`.
template <class T>
core::Result<T> about(const std::string& text, core::Result<T> found) {
  if (!found) found.error().path = text;
  return found;
}

/// The id that `text` is the name of, or else the number that it is.
template <class Id>
core::Result<std::optional<Id>> find(const std::string& text, LookUp<Id> look_up) {
  const auto named = look_up(text);
  if (!named || *named) return about(text, named);
  Id id = 0;
  if (!detail::take(id, text) || id == static_cast<Id>(-1)) return std::nullopt;
  return id;
}

template <class Id>
Stored take_id(Id& id, const core::Result<std::optional<Id>>& found, const char* what) {
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::unexpected(std::string("no such ").append(what));
  id = **found;
  return {};
}

/// Calls `take` with each of the texts between commas.
template <class Take>
auto each_of_list(std::string_view list, Take take) -> decltype(take(std::string())) {
  for (std::size_t begin = 0; !list.empty() && begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    TRY(take(std::string(list.substr(begin, end - begin))));
    begin = end + 1;
  }
  return {};
}

std::unexpected<out::Usage> misuse(std::string_view option, std::string_view value,
                                   std::string_view why) {
  return out::misuse(
      std::string(option).append(" ").append(out::quoted(value)).append(": ").append(why));
}

}  // namespace

core::Result<std::optional<uid_t>> find_user(const std::string& text) {
  return find<uid_t>(text, core::user_id);
}

core::Result<std::optional<gid_t>> find_group(const std::string& text) {
  return find<gid_t>(text, core::group_id);
}

Stored take_user(uid_t& id, std::string_view text) {
  return take_id(id, find_user(std::string(text)), "user");
}

Stored take_group(gid_t& id, std::string_view text) {
  return take_id(id, find_group(std::string(text)), "group");
}

Stored take_groups(std::vector<gid_t>& ids, std::string_view text) {
  ids.clear();
  return each_of_list(text, [&](const std::string& group) -> Stored {
    auto taken = take_group(ids.emplace_back(), group);
    if (taken) return taken;
    if (auto* const why = std::get_if<std::string>(&taken.error())) {
      why->insert(0, out::quoted(group) + ": ");
    }
    return taken;
  });
}

std::expected<core::Ids, out::Stop> ids_of(const std::optional<std::string>& user,
                                           const std::optional<std::string>& group,
                                           const std::optional<std::string>& groups) {
  core::Ids ids;
  std::optional<core::Account> account;
  if (user) {
    ids.user_text = *user;
    account = TRY(about(*user, core::user_account(*user)));
    if (!account) {
      ids.uid = TRY(find_user(*user));
      if (!ids.uid) return misuse("--user", *user, "no such user");
      account = TRY(about(*user, core::user_account(*ids.uid)));
    } else {
      ids.uid = account->uid;
    }
  }
  if (group) {
    ids.group_text = *group;
    ids.gid = TRY(find_group(*group));
    if (!ids.gid) return misuse("--group", *group, "no such group");
  } else if (account) {
    ids.group_text = *user;
    ids.gid = account->gid;
  } else if (user) {
    return misuse("--user", *user, "no account has this number, so that --group is needed");
  }
  if (groups) {
    ids.groups_text = *groups;
    std::vector<gid_t> members;
    const auto take = [&](const std::string& each) -> std::expected<void, out::Stop> {
      const auto found = TRY(find_group(each));
      if (!found) return misuse("--groups", *groups, out::quoted(each) + ": no such group");
      members.push_back(*found);
      return {};
    };
    TRY(each_of_list(*groups, take));
    ids.groups = std::move(members);
  } else if (user) {
    ids.groups_text = *user;
    ids.groups = account ? TRY(about(*user, core::user_groups(account->name, *ids.gid)))
                         : std::vector<gid_t>{*ids.gid};
  }
  return ids;
}

}  // namespace cli
