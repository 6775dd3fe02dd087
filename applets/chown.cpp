#include "core/cli/account_option.hpp"
#include "core/cli/applet.hpp"
#include "core/out/number.hpp"
#include "core/out/tree.hpp"
#include "core/sys/account.hpp"
#include "core/sys/metadata.hpp"
#include "core/sys/stat.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;
using core::Type;
using core::Walk;
namespace want = core::want;

/// A user, a group or both; what is not named is any, or stays as it is.
struct Owner {
  uid_t user = core::same_user;
  gid_t group = core::same_group;

  bool is(const core::Stat& stat) const {
    return (user == core::same_user || user == stat.uid) &&
           (group == core::same_group || group == stat.gid);
  }
};

struct Args {
  Owner owner;
  std::optional<Owner> from;
  std::optional<std::string> reference;
  bool recursive = false;
  core::Links links = core::Links::follow;
  bool if_changed = false;
  bool changes = false;
  Operands paths;
};

Stored take_owner(Owner& owner, std::string_view text) {
  owner = {};
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view user = text.substr(0, colon);
  const std::string_view group = text.substr(std::min(colon + 1, text.size()));
  if (text.empty()) return std::unexpected("neither a user nor a group");
  if (colon < text.size() && group.empty()) {
    return std::unexpected("no group behind its colon; USER alone leaves the group");
  }
  if (!user.empty()) {
    const Stored taken = take_user(owner.user, user);
    if (!taken && std::holds_alternative<std::string>(taken.error()) &&
        user.size() == text.size() && user.find('.') != user.npos && user.find('/') == user.npos) {
      return std::unexpected("no such user; a colon stands in front of a group, not a dot");
    }
    TRY(taken);
  }
  if (!group.empty()) TRY(take_group(owner.group, group));
  return {};
}

Stored take_from(std::optional<Owner>& owner, std::string_view text) {
  return take_owner(owner.emplace(), text);
}

constexpr Option options[] = {
    flag<&Args::recursive>('R', "recursive", "All that is below a directory too, links themselves"),
    sets<&Args::links, core::Links::no_follow>(
        0, "no-follow", "A symbolic link itself, not what it leads to; lchown does this"),
    parsed<&Args::from, take_from>(0, "from", "OWNER", "Pass over what belongs to somebody else"),
    value<&Args::reference>(0, "reference", "FILE", "User and group of FILE, instead of OWNER",
                            Completes::file),
    flag<&Args::if_changed>("if-changed", "Leave alone, and untold, what is OWNER's already"),
    flag<&Args::changes>('c', "changes", "Tell of what got another owner, and of nothing else"),
    unless("reference",
           parsed_operand<&Args::owner, take_owner>(
               "OWNER", "USER, USER:GROUP or :GROUP, names or numbers", Completes::user)),
    paths<&Args::paths>("PATH", "What gets the owner", Least::one),
};

struct Row {
  std::string_view path;
  uid_t old_uid;
  gid_t old_gid;
  uid_t uid;
  gid_t gid;
  core::Accounts* accounts;

  std::string_view old_user() const { return accounts->user(old_uid); }
  std::string_view old_group() const { return accounts->group(old_gid); }
  std::string_view user() const { return accounts->user(uid); }
  std::string_view group() const { return accounts->group(gid); }
};

constexpr Field fields[] = {
    name<&Row::path>("path", "The operand, or with -R the path below it"),
    natural<&Row::old_uid>("old_uid", "Number of the user there was"),
    name<&Row::old_user>("old_user", "Name of that user, or the number"),
    natural<&Row::old_gid>("old_gid", "Number of the group there was"),
    name<&Row::old_group>("old_group", "Name of that group, or the number"),
    natural<&Row::uid>("uid", "Number of the user there is"),
    name<&Row::user>("user", "Name of that user, or the number"),
    natural<&Row::gid>("gid", "Number of the group there is"),
    name<&Row::group>("group", "Name of that group, or the number"),
};

constexpr Table tables[] = {
    {.fields = fields, .line = "owner of {path}: {old_user}:{old_group} -> {user}:{group}"}};

/// Changes operands, and what -R finds.
class Change final : public Visitor {
 public:
  Change(const Args& args, Io& io, Records<Row> records)
      : args_(args),
        io_(io),
        records_(std::move(records)),
        blind_(!args.if_changed && !args.from && !records_.wanted()) {}

  core::Result<void> operand(core::Path path) {
    const core::At at = args_.paths.at();
    if (blind_) return core::chown(path, args_.owner.user, args_.owner.group, args_.links, at);
    const core::Fd file = TRY(core::told_as("chown", path, core::open_path(path, args_.links, at)));
    TRY(core::told_as("chown", path, change(file, path)));
    return {};
  }

  void visit(Walk& walk, Walk::Step step) override {
    switch (step) {
      case Walk::Step::entry:
        // A root is counted as an operand.
        if (walk.depth() > 0) io_.tick();
        // A directory that is somebody else's might not let us in any more.
        if (walk.type() != Type::dir) entry(walk);
        break;
      case Walk::Step::enter:
        walk.mark(true);
        break;
      case Walk::Step::leave:
        entry(walk);
        break;
      case Walk::Step::failure:
      case Walk::Step::end:
        break;
    }
  }

 private:
  /// Changes what the walk is at.
  void entry(Walk& walk) {
    // What it is that has no type was told as a failure.
    if (walk.type() == Type::unknown) return;
    const auto at = walk.at();
    if (!at) return;
    const auto done = blind_ && walk.depth() > 0
                          ? core::chown(walk.bare(), args_.owner.user, args_.owner.group,
                                        core::Links::no_follow, *at)
                          : change_opened(walk);
    // What went away meanwhile is no failure.
    if (done || (walk.depth() > 0 && done.error().number == ENOENT)) return;
    io_.fail({.number = done.error().number, .call = "chown", .path = std::string(walk.path())});
  }

  core::Result<void> change_opened(Walk& walk) {
    // To leave a file alone a look at it is enough.
    if (args_.if_changed && args_.owner.is(TRY(walk.stat(want::uid | want::gid)))) {
      return {};
    }
    const core::Fd file = TRY(walk.open_path());
    return change(file, records_.wanted() ? walk.path() : std::string_view());
  }

  /// Changes an open file, whatever has its name by now.
  core::Result<void> change(core::FdRef file, std::string_view path) {
    const auto& [user, group] = args_.owner;
    const core::Stat stat = TRY(core::fstat(file, want::uid | want::gid));
    if (args_.from && !args_.from->is(stat)) return {};
    const bool differs = !args_.owner.is(stat);
    if (!differs && args_.if_changed) return {};
    TRY(core::fchown(file, user, group));
    if (!differs && args_.changes) return {};
    records_.put({.path = path,
                  .old_uid = stat.uid,
                  .old_gid = stat.gid,
                  .uid = user != core::same_user ? user : stat.uid,
                  .gid = group != core::same_group ? group : stat.gid,
                  .accounts = &accounts_});
    return {};
  }

  const Args& args_;
  Io& io_;
  Records<Row> records_;
  bool blind_;  ///< nobody has to know whose a file is before it is given away
  core::Accounts accounts_;
};

Outcome run(Args& args, Io& io) {
  auto records = TRY(io.records<Row>(tables[0], args.changes));
  if (args.reference) {
    const core::Stat stat = TRY(core::stat(*args.reference, want::uid | want::gid));
    args.owner = {stat.uid, stat.gid};
  }
  if (!args.recursive) {
    Change change(args, io, std::move(records));
    return args.paths.each(io, [&](core::Path path) {
      auto done = change.operand(path);
      // "chown 0 0 FILE", as os.chown has it
      if (!done && done.error().number == ENOENT && !args.reference && is_decimal(path)) {
        done.error().note = "a group stands behind a colon: USER:GROUP";
      }
      return done;
    });
  }
  Tree tree(io,
            {.walk = {.sorted = false, .physical = true},
             .order = records.wanted() ? Tree::Order::as_one : Tree::Order::no_words},
            [&args](Io& own) {
              return std::make_unique<Change>(args, own,
                                              *own.records<Row>(tables[0], args.changes));
            });
  return args.paths.each(io, [&](core::Path path) {
    return core::told_as("chown", path, tree.visit(path, args.paths.at()));
  });
}

constexpr Alias aliases[] = {
    {"lchown", "--no-follow", "give files to a user and a group, following no link"}};

constexpr Example examples[] = {
    {"chown root:root notes", "User and group by name"},
    {"chown -v :100 notes", "The group alone, by number, told"},
    {"chown -R --from 1000 -c 1001 tree", "What user 1000 had in a tree, told"},
    {"lchown root link", "The link, and not what it leads to"},
};

}  // namespace

extern constexpr Applet chown = {
    .name = "chown",
    .group = Group::metadata,
    .summary = "give files to a user and a group",
    .description =
        "Gives each PATH to OWNER, as os.chown does. A user or a group is a name or a number, and "
        "a name that exists is taken for that, whatever it looks like. USER alone leaves the group "
        "as it is, :GROUP the user. 'USER:', which GNU's chown completes by the login group, is "
        "wrong usage here, as is a name that does not exist or a number that is none; then nothing "
        "was changed. The numbers -1 and 4294967295, which stand for no change in chown(2), are "
        "not taken.\n\n"
        "Where the old owner matters (--from, --if-changed, records) a file is opened with O_PATH, "
        "looked at and changed by that one descriptor, so that no other file is given away for "
        "it.\n\n"
        "With --reference, FILE is looked at once and followed; --beneath and --no-symlinks do not "
        "concern it.\n\n"
        "A PATH that is a symbolic link is followed, unless --no-follow or -R is given: then the "
        "link itself gets the owner, also as 'link/'; but with -R that is ELOOP, and 'link/.' is "
        "the directory. With -R a directory is given away after all "
        "that is in it, links in the tree get the owner, and nothing is followed. What cannot be "
        "read or changed is told, and the rest is done.\n\n"
        "The kernel takes the set-ids of a file away when its owner is set, and does so for an "
        "owner that it has already; with --if-changed no call is made for that one.",
    .options = options,
    .tables = tables,
    .changes = true,
    .aliases = aliases,
    .examples = examples,
    .see_also = "osbox-chmod(1), chown(2), fchownat(2), chown(1)",
    .main = runs<run>,
};

}  // namespace applets
