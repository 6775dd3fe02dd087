// setuid, setgid, seteuid, setegid, setgroups: a command with other ids.
#include "core/cli/account_option.hpp"
#include "core/cli/applet.hpp"
#include "core/cli/command.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  core::Ids ids;
  std::vector<std::string> command;
};

Stored take_uid(core::Ids& ids, std::string_view text) {
  ids.user_text = text;
  return take_user(ids.uid.emplace(), text);
}

Stored take_euid(core::Ids& ids, std::string_view text) {
  ids.user_text = text;
  return take_user(ids.euid.emplace(), text);
}

Stored take_gid(core::Ids& ids, std::string_view text) {
  ids.group_text = text;
  return take_group(ids.gid.emplace(), text);
}

Stored take_egid(core::Ids& ids, std::string_view text) {
  ids.group_text = text;
  return take_group(ids.egid.emplace(), text);
}

Stored take_members(core::Ids& ids, std::string_view text) {
  ids.groups_text = text;
  std::vector<gid_t> groups;
  TRY(take_groups(groups, text));
  ids.groups = std::move(groups);
  return {};
}

/// One operand that `Parse` makes an id of, and the command.
template <auto Parse, class A = Args>
constexpr std::array<Option, 2> options_of(std::string_view value, std::string_view help,
                                           Completes completes) {
  return {parsed_operand<&A::ids, Parse>(value, help, completes),
          command<&A::command>(becomes_then)};
}

constexpr std::string_view user_help = "User, by name or number";
constexpr std::string_view group_help = "Group, by name or number";
constexpr auto setuid_options = options_of<take_uid>("USER", user_help, Completes::user);
constexpr auto seteuid_options = options_of<take_euid>("USER", user_help, Completes::user);
constexpr auto setgid_options = options_of<take_gid>("GROUP", group_help, Completes::group);
constexpr auto setegid_options = options_of<take_egid>("GROUP", group_help, Completes::group);
constexpr auto setgroups_options = options_of<take_members>(
    "GROUPS", "Names or numbers with commas between them; '' is none", Completes::group);

/// Of one more group, which is taken for the command.
const char* missing_comma(const std::string& name) {
  const auto group = find_group(name);
  return group && *group ? "GROUPS have commas between them" : "";
}

Outcome run(Args& args, Io& io) {
  const bool some_groups = !args.ids.groups_text.value_or("").empty();
  return become(std::move(args.command), {.ids = std::move(args.ids)}, io,
                some_groups ? missing_comma : nullptr);
}

constexpr Example setuid_examples[] = {
    {"setuid \"$(osbox getuid)\" id", "As oneself, for good, which needs no privileges"},
    {"setuid nobody id", "As nobody, with the groups that there were"},
};

constexpr Example seteuid_examples[] = {
    {"seteuid \"$(osbox getuid)\" osbox id", "With the rights of the real user"},
    {"seteuid 502 osbox id", "With those of user 502, root being the real one"},
};

constexpr Example setgid_examples[] = {
    {"setgid \"$(osbox getgid)\" osbox id", "In one's own group, for good"},
    {"setgid daemon osbox setuid daemon osbox id", "Group first: a user may not choose"},
};

constexpr Example setegid_examples[] = {
    {"setegid \"$(osbox getgid)\" osbox id", "With the rights of the real group"},
    {"setegid 502 osbox seteuid 502 osbox id", "The effective ids, root being the real one"},
};

constexpr Example setgroups_examples[] = {
    {"setgroups adm,video,100 osbox id", "In these groups and in no others"},
    {"setgroups '' osbox setgid daemon osbox setuid daemon id",
     "With none of root's rights left: groups first, the user last"},
};

}  // namespace

extern constexpr Applet setuid = {
    .name = "setuid",
    .group = Group::processes,
    .summary = "run a command as another user, for good",
    .description =
        "Sets the real, the effective and the saved user id to USER, and becomes COMMAND. That is "
        "what setuid(2) does for root; for others it sets all three as well, by setresuid(2), so "
        "that nothing is left to go back to. A name that exists is taken for that, whatever it "
        "looks like. What is neither a name nor a number is wrong usage, as are the numbers -1 and "
        "4294967295; then nothing was changed.\n\n"
        "The ids are read back, and for a USER other than 0 setuid(0) is tried: where one of them "
        "is not as it should be, or root could be had again, COMMAND does not run. It cannot be "
        "undone. Without privileges only the ids that there are can be taken; others are EPERM.\n\n"
        "The groups stay as they are, root's among them: see setgid and setgroups, which have to "
        "come first.",
    .options = setuid_options,
    .examples = setuid_examples,
    .statuses = chain_statuses,
    .see_also =
        "osbox-seteuid(1), osbox-setgid(1), osbox-setgroups(1), osbox-id(1), setuid(2), "
        "setresuid(2), credentials(7)",
    .failure = 125,
    .main = runs<run>,
};

extern constexpr Applet seteuid = {
    .name = "seteuid",
    .group = Group::processes,
    .summary = "run a command with another effective user id",
    .description =
        "Sets the effective user id to USER, a name or a number as in osbox-setuid(1), and becomes "
        "COMMAND. The real user id stays as it is, and so this can be undone: whoever runs there "
        "may call seteuid(2) with the real one again. It does not keep COMMAND from having root's "
        "rights; setuid does. The saved user id is lost at once, since execve(2) makes it the "
        "effective one.\n\n"
        "The id is read back. Without privileges USER may be the real or the saved one; others are "
        "EPERM. A program that is not made for it may refuse to run with two ids, or give one of "
        "them up, as bash does.",
    .options = seteuid_options,
    .examples = seteuid_examples,
    .statuses = chain_statuses,
    .see_also = "osbox-setegid(1), osbox-setuid(1), osbox-id(1), seteuid(2), credentials(7)",
    .failure = 125,
    .main = runs<run>,
};

extern constexpr Applet setgid = {
    .name = "setgid",
    .group = Group::processes,
    .summary = "run a command in another group, for good",
    .description =
        "Sets the real, the effective and the saved group id to GROUP, a name or a number as in "
        "osbox-setuid(1), and becomes COMMAND. For root this is setgid(2); for others it sets all "
        "three as well, by setresgid(2).\n\n"
        "The ids are read back. Whoever is root can undo it still, and nobody else. Without "
        "privileges only the group ids that there are can be taken, and the supplementary groups "
        "do not count; others are EPERM.",
    .options = setgid_options,
    .examples = setgid_examples,
    .statuses = chain_statuses,
    .see_also =
        "osbox-setegid(1), osbox-setgroups(1), osbox-setuid(1), osbox-id(1), setgid(2), "
        "setresgid(2), credentials(7)",
    .failure = 125,
    .main = runs<run>,
};

extern constexpr Applet setegid = {
    .name = "setegid",
    .group = Group::processes,
    .summary = "run a command with another effective group id",
    .description =
        "Sets the effective group id to GROUP, a name or a number as in osbox-setuid(1), and "
        "becomes COMMAND. The real group id stays as it is, and so this can be undone: whoever "
        "runs there may call setegid(2) with the real one again. The saved group id is lost at "
        "once, since execve(2) makes it the effective one.\n\n"
        "The id is read back. Without privileges GROUP may be the real or the saved one, and the "
        "supplementary groups do not count; others are EPERM.",
    .options = setegid_options,
    .examples = setegid_examples,
    .statuses = chain_statuses,
    .see_also = "osbox-seteuid(1), osbox-setgid(1), osbox-id(1), setegid(2), credentials(7)",
    .failure = 125,
    .main = runs<run>,
};

extern constexpr Applet setgroups = {
    .name = "setgroups",
    .group = Group::processes,
    .summary = "run a command in other supplementary groups",
    .description =
        "Makes GROUPS the supplementary groups, all of them and no others, and becomes COMMAND. "
        "Each is a name or a number as in osbox-setuid(1); an empty GROUPS leaves none. One that "
        "is neither is wrong usage, and nothing was changed.\n\n"
        "The groups are read back; the kernel keeps them in the order of their numbers. It takes "
        "CAP_SETGID to set them, whichever they are: EPERM for all others, and in a user namespace "
        "that may not do it. Whoever is root can undo it.",
    .options = setgroups_options,
    .examples = setgroups_examples,
    .statuses = chain_statuses,
    .see_also = "osbox-getgroups(1), osbox-setgid(1), osbox-id(1), setgroups(2), credentials(7)",
    .failure = 125,
    .main = runs<run>,
};

}  // namespace applets
