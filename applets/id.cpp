// getuid, geteuid, getgid, getegid, getgroups, and id, which is all of them.
#include <array>
#include <utility>

#include "core/cli/applet.hpp"
#include "core/cli/process_value.hpp"
#include "core/sys/account.hpp"
#include "core/sys/process.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  std::vector<std::string> pids;
};

/// Of an applet that takes no operands.
struct None {};

constexpr Option options[] = {
    operands<&Args::pids>("PID", "Id of a process; none: osbox itself, and so whoever runs it",
                          Least::none, Completes::pid),
};

/// The credentials of one process. Names are looked up when a field asks for them.
struct Row {
  std::optional<pid_t> pid;
  core::Credentials of;
  std::vector<std::int64_t> groups = {of.groups.begin(), of.groups.end()};
  mutable core::Accounts accounts = {};
  mutable std::vector<std::string_view> names = {};

  uid_t uid() const { return of.uid; }
  uid_t euid() const { return of.euid; }
  uid_t suid() const { return of.suid; }
  gid_t gid() const { return of.gid; }
  gid_t egid() const { return of.egid; }
  gid_t sgid() const { return of.sgid; }
  const std::string& user() const { return accounts.user(of.uid); }
  const std::string& euser() const { return accounts.user(of.euid); }
  const std::string& suser() const { return accounts.user(of.suid); }
  const std::string& group() const { return accounts.group(of.gid); }
  const std::string& egroup() const { return accounts.group(of.egid); }
  const std::string& sgroup() const { return accounts.group(of.sgid); }
  std::span<const std::int64_t> group_list() const { return groups; }
  std::span<const std::string_view> group_names() const {
    names.clear();
    for (const gid_t gid : of.groups) names.push_back(accounts.group(gid));
    return names;
  }
};

constexpr std::array process = {
    integer<&Row::pid>("pid", "The process asked about; null for osbox itself"),
};
constexpr std::string_view its_name = "Its name, or the id where there is none";

constexpr std::array real_user = {
    natural<&Row::uid>("uid", "Real user id"),
    name<&Row::user>("user", its_name),
};
constexpr std::array effective_user = {
    natural<&Row::euid>("euid", "Effective user id"),
    name<&Row::euser>("euser", its_name),
};
constexpr std::array saved_user = {
    natural<&Row::suid>("suid", "Saved user id"),
    name<&Row::suser>("suser", its_name),
};
constexpr std::array real_group = {
    natural<&Row::gid>("gid", "Real group id"),
    name<&Row::group>("group", its_name),
};
constexpr std::array effective_group = {
    natural<&Row::egid>("egid", "Effective group id"),
    name<&Row::egroup>("egroup", its_name),
};
constexpr std::array saved_group = {
    natural<&Row::sgid>("sgid", "Saved group id"),
    name<&Row::sgroup>("sgroup", its_name),
};
constexpr std::array supplementary = {
    integers<&Row::group_list>("groups", "Supplementary group ids, in the kernel's order"),
    names<&Row::group_names>("group_names", "Their names, in the same order"),
};
constexpr auto id_fields = fields(process, real_user, effective_user, saved_user, real_group,
                                  effective_group, saved_group, supplementary);

/// "1000(alice)", or "1000" where the id has no name.
void print_account(std::uint32_t id, std::string_view name, Io& io) {
  const std::string number = std::to_string(id);
  io.print(number);
  if (name == number) return;
  io.print("(");
  io.print_name(name);
  io.print(")");
}

void print_id(const Row& row, Io& io) {
  if (row.pid) io.print("Process                      : " + std::to_string(*row.pid) + "\n");
  io.print("User (real/effective/saved)  : ");
  print_account(row.uid(), row.user(), io);
  io.print(" / ");
  print_account(row.euid(), row.euser(), io);
  io.print(" / ");
  print_account(row.suid(), row.suser(), io);
  io.print("\nGroup (real/effective/saved) : ");
  print_account(row.gid(), row.group(), io);
  io.print(" / ");
  print_account(row.egid(), row.egroup(), io);
  io.print(" / ");
  print_account(row.sgid(), row.sgroup(), io);
  io.print("\nGroups                       :");
  std::string_view before = " ";
  for (const gid_t gid : row.of.groups) {
    io.print(std::exchange(before, ", "));
    print_account(gid, row.accounts.group(gid), io);
  }
  io.end_record();
}

constexpr Table getuid_tables[] = {{.fields = real_user, .line = "{uid}"}};
constexpr Table geteuid_tables[] = {{.fields = effective_user, .line = "{euid}"}};
constexpr Table getgid_tables[] = {{.fields = real_group, .line = "{gid}"}};
constexpr Table getegid_tables[] = {{.fields = effective_group, .line = "{egid}"}};
constexpr Table id_tables[] = {{.fields = id_fields, .print = prints<print_id, Row>}};

template <auto& tables>
Outcome run_own(None& /*args*/, Io& io) {
  auto records = TRY(io.records<Row>(tables[0]));
  records.put({.pid = {}, .of = TRY(core::credentials())});
  return 0;
}

/// One group that a process is in.
struct Membership {
  gid_t gid;
  core::Accounts* accounts;
  const std::string& group() const { return accounts->group(gid); }
};

constexpr Field getgroups_fields[] = {
    natural<&Membership::gid>("gid", "Group id"),
    name<&Membership::group>("group", its_name),
};

constexpr Table getgroups_tables[] = {{.fields = getgroups_fields, .line = "{gid}"}};

Outcome run_getgroups(None& /*args*/, Io& io) {
  auto records = TRY(io.records<Membership>(getgroups_tables[0]));
  core::Accounts accounts;
  for (const gid_t gid : TRY(core::credentials()).groups) records.put({gid, &accounts});
  return 0;
}

/// True for the name of one, which id(1) takes.
bool is_account(const std::string& word) {
  const auto user = core::user_id(word);
  return user && *user;
}

Outcome run_id(Args& args, Io& io) {
  auto records = TRY(io.records<Row>(id_tables[0]));
  if (args.pids.empty()) records.put({.pid = {}, .of = TRY(core::credentials())});
  const auto put = [&](const std::string& word) -> core::Result<void> {
    auto pid = pid_or_none(word, "getresuid");
    if (!pid && is_account(word)) {
      pid.error().note =
          core::joined_notes(pid.error().note, "of an account the system's id tells");
    }
    const pid_t its = TRY(std::move(pid));
    records.put({.pid = its, .of = TRY(core::credentials(its))});
    return {};
  };
  return io.each(args.pids, put);
}

constexpr Example getuid_examples[] = {
    {"getuid", "The number of the user"},
    {"getuid --format '{user}'", "The user's name"},
};

constexpr Example geteuid_examples[] = {
    {"geteuid", "0 where this is root"},
    {"geteuid --shell", "The id and its name for eval"},
};

constexpr Example getgid_examples[] = {
    {"getgid", "The number of the group"},
    {"getgid --format '{group}'", "The group's name"},
};

constexpr Example getegid_examples[] = {
    {"getegid", "The number of the group that new files belong to"},
    {"getegid --json", "The id and its name for a program"},
};

constexpr Example getgroups_examples[] = {
    {"getgroups", "The numbers of all supplementary groups"},
    {"getgroups --format '{gid:>6} {group}'", "The same with their names"},
};

constexpr Example id_examples[] = {
    {"id", "As whom this shell runs"},
    {"id $$ 1", "As whom two processes run"},
    {"id --format '{user} {euid} {groups}'", "Some of it, on one line"},
};

}  // namespace

extern constexpr Applet getuid = {
    .name = "getuid",
    .group = Group::processes,
    .summary = "print the real user id",
    .description =
        "Prints the real user id of osbox, which is that of the process that runs it: the user who "
        "started it all, whatever set-user-id programs did since.",
    .tables = getuid_tables,
    .examples = getuid_examples,
    .see_also = "osbox-geteuid(1), osbox-id(1), getuid(2)",
    .main = runs<run_own<getuid_tables>>,
};

extern constexpr Applet geteuid = {
    .name = "geteuid",
    .group = Group::processes,
    .summary = "print the effective user id",
    .description =
        "Prints the effective user id of osbox, which is that of the process that runs it: the "
        "user whose rights count when a file is opened.",
    .tables = geteuid_tables,
    .examples = geteuid_examples,
    .see_also = "osbox-getuid(1), osbox-id(1), geteuid(2)",
    .main = runs<run_own<geteuid_tables>>,
};

extern constexpr Applet getgid = {
    .name = "getgid",
    .group = Group::processes,
    .summary = "print the real group id",
    .description = "Prints the real group id of osbox, which is that of the process that runs it.",
    .tables = getgid_tables,
    .examples = getgid_examples,
    .see_also = "osbox-getegid(1), osbox-id(1), getgid(2)",
    .main = runs<run_own<getgid_tables>>,
};

extern constexpr Applet getegid = {
    .name = "getegid",
    .group = Group::processes,
    .summary = "print the effective group id",
    .description =
        "Prints the effective group id of osbox, which is that of the process that runs it: the "
        "group whose rights count when a file is opened, beside those of getgroups.",
    .tables = getegid_tables,
    .examples = getegid_examples,
    .see_also = "osbox-getgid(1), osbox-getgroups(1), osbox-id(1), getegid(2)",
    .main = runs<run_own<getegid_tables>>,
};

extern constexpr Applet getgroups = {
    .name = "getgroups",
    .group = Group::processes,
    .summary = "print the supplementary group ids",
    .description =
        "Prints the supplementary group ids of osbox, which are those of the process that runs it, "
        "each on a line of its own and in the kernel's order; nothing where there are none. The "
        "effective group id need not be among them.",
    .tables = getgroups_tables,
    .examples = getgroups_examples,
    .see_also = "osbox-getegid(1), osbox-id(1), getgroups(2)",
    .main = runs<run_getgroups>,
};

extern constexpr Applet id = {
    .name = "id",
    .group = Group::processes,
    .summary = "print the users and groups that a process acts for, with names",
    .description =
        "Prints the real, the effective and the saved user and group ids and the supplementary "
        "groups of every PID, or of osbox, which are those of the process that runs it.\n\n"
        "A PID, a zombie included, is looked up in /proc. Where that is not mounted, or is that of "
        "another pid namespace, id fails and names /proc; without a PID it does not need it. An "
        "unknown PID is a failure with ESRCH, and what is no number above 0 one with EINVAL.",
    .call = "getresuid",
    .options = options,
    .tables = id_tables,
    .examples = id_examples,
    .see_also = "osbox-getuid(1), osbox-getgroups(1), getresuid(2), credentials(7), proc(5)",
    .main = runs<run_id>,
};

}  // namespace applets
