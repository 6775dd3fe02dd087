// Users and groups as a command line names them: by name or by number. A name that exists is taken
// for that, whatever it looks like. A number is decimal digits, and not the highest one, which is
// the kernel's word for none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cli/option.hpp"
#include "core/out/io.hpp"
#include "core/sys/privilege.hpp"

namespace cli {

/// The id of the user called `text`, or of that number; none where it is neither. An error means
/// that nobody knows.
core::Result<std::optional<uid_t>> find_user(const std::string& text);
/// The same of a group.
core::Result<std::optional<gid_t>> find_group(const std::string& text);

// For rows made by `parsed` and `parsed_operand`.
Stored take_user(uid_t& id, std::string_view text);
Stored take_group(gid_t& id, std::string_view text);
/// Groups with a comma between two of them; the empty text is none.
Stored take_groups(std::vector<gid_t>& ids, std::string_view text);

/// What the options --user, --group and --groups of an applet that runs a command make of its ids,
/// as far as they are given. All names are looked up here, before anything changes.
///
/// USER stands for all that a login gives: its user id, its primary group, and the groups that it
/// is a member of, the primary one among them. GROUP takes the place of the primary group, there
/// too, and GROUPS, which may be empty, of all supplementary ones. A number that no account has
/// knows no group: it is wrong usage without GROUP, and a member of nothing but that.
std::expected<core::Ids, out::Stop> ids_of(const std::optional<std::string>& user,
                                           const std::optional<std::string>& group,
                                           const std::optional<std::string>& groups);

}  // namespace cli
