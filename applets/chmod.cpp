#include <sys/stat.h>

#include "core/cli/applet.hpp"
#include "core/out/tree.hpp"
#include "core/sys/metadata.hpp"
#include "core/sys/mode.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;
using core::Type;
using core::Walk;

struct Args {
  core::Mode mode;
  std::optional<std::string> reference;
  bool recursive = false;
  core::Links links = core::Links::follow;
  std::optional<Type> type;
  bool if_changed = false;
  bool changes = false;
  Operands paths;
};

constexpr Word<Type> types[] = {{"f", Type::file}, {"d", Type::dir}};

constexpr Option options[] = {
    flag<&Args::recursive>('R', "recursive",
                           "All that is below a directory too; links are passed over"),
    sets<&Args::links, core::Links::no_follow>(
        0, "no-follow", "Follow no symbolic link: it has no mode (EOPNOTSUPP)"),
    value<&Args::reference>(0, "reference", "FILE", "The mode that FILE has, instead of MODE",
                            Completes::file),
    choice<&Args::type, types>(0, "type", "TYPE", "Change files (f) only, or directories (d) only"),
    flag<&Args::if_changed>("if-changed", "Leave alone, and untold, what has the mode already"),
    flag<&Args::changes>('c', "changes", "Tell of what got another mode, and of nothing else"),
    unless("reference", operand<&Args::mode>("MODE", "Octal, or symbolic as u+x,go-w")),
    paths<&Args::paths>("PATH", "What gets the mode", Least::one),
};

struct Row {
  std::string_view path;
  mode_t old;
  mode_t fresh;
};

constexpr Field fields[] = {
    name<&Row::path>("path", "The operand, or with -R the path below it"),
    natural<&Row::old>("old", "Permissions there were, a number: 420 is 0644"),
    natural<&Row::fresh>("new", "Permissions there are"),
};

constexpr Table tables[] = {{.fields = fields, .line = "mode of {path}: {old:04o} -> {new:04o}"}};

/// True where a directory of this mode lets its owner in.
bool is_open(mode_t mode) { return (mode & (S_IRUSR | S_IXUSR)) == (S_IRUSR | S_IXUSR); }

constexpr std::string_view mode_is_set = "the mode is set";
constexpr std::string_view no_mode = "a symbolic link has no mode";

/// `error` as a failure of chmod, unless it came only after that.
std::unexpected<core::Error> failed(core::Error error, std::string_view path) {
  const bool told = error.note == mode_is_set || error.note == no_mode;
  if (!told) error = core::Error{.number = error.number, .call = "chmod"};
  error.path = path;
  return std::unexpected(std::move(error));
}

/// Changes operands, and what -R finds.
class Change final : public Visitor {
 public:
  Change(const Args& args, Io& io, Records<Row> records, mode_t umask)
      : args_(args),
        io_(io),
        records_(std::move(records)),
        blind_(args.mode.is_absolute() && !args.if_changed && !args.type && !records_.wanted()),
        umask_(umask) {}

  core::Result<void> operand(core::Path path) {
    const core::At at = args_.paths.at();
    if (blind_) {
      auto done = core::chmod(path, args_.mode.absolute(), args_.links, at);
      // Of a descriptor it is known whether that is because of a link.
      if (done || done.error().number != ENOTSUP || args_.links == core::Links::follow) return done;
    }
    const core::Fd file = TRY(core::told_as("chmod", path, core::open_path(path, args_.links, at)));
    const auto done = change(file, path, When::now, 0);
    if (!done) return failed(done.error(), path);
    return {};
  }

  void visit(Walk& walk, Walk::Step step) override {
    switch (step) {
      case Walk::Step::entry:
        // A root is counted as an operand.
        if (walk.depth() > 0) io_.tick();
        late_ = !entry(walk, walk.type() == Type::dir ? When::unless_it_shuts_out : When::now);
        break;
      case Walk::Step::enter:
        walk.mark(late_);
        break;
      case Walk::Step::leave:
        if (walk.entered() ? walk.marked() : late_) entry(walk, When::now);
        break;
      case Walk::Step::failure:
      case Walk::Step::end:
        break;
    }
  }

 private:
  /// A directory that we could not read with its new mode gets it after all that is in it.
  enum class When : bool { now, unless_it_shuts_out };

  /// Changes what the walk is at. False where that is for later.
  bool entry(Walk& walk, When when) {
    // Links have no mode; what it is that has no type was told as a failure.
    if (walk.depth() > 0 && (walk.type() == Type::link || walk.type() == Type::unknown)) {
      return true;
    }
    const auto at = walk.at();
    if (!at) return true;
    auto done =
        blind_ && walk.depth() > 0 ? change_blindly(walk, *at, when) : change_opened(walk, when);
    if (done) return *done;
    // What went away meanwhile is no failure.
    if (walk.depth() == 0 || done.error().number != ENOENT) {
      io_.fail(failed(done.error(), walk.path()).error());
    }
    return true;
  }

  core::Result<bool> change_blindly(Walk& walk, core::At at, When when) {
    const mode_t mode = args_.mode.absolute();
    if (when == When::unless_it_shuts_out && !is_open(mode)) return false;
    const auto done = core::chmod(walk.bare(), mode, core::Links::no_follow, at);
    if (done) return true;
    // Perhaps a link took the place of what was there; a descriptor knows, and stays with it.
    if (done.error().number == ENOTSUP) return change_opened(walk, when);
    return std::unexpected(done.error());
  }

  core::Result<bool> change_opened(Walk& walk, When when) {
    // To leave a file alone a look at it is enough.
    if (args_.if_changed && TRY(is_right_already(walk))) return true;
    const core::Fd file = TRY(walk.open_path());
    return change(file, records_.wanted() ? walk.path() : std::string_view(), when, walk.depth());
  }

  /// True where there is nothing to be done.
  core::Result<bool> is_right_already(Walk& walk) const {
    const core::Stat stat = TRY(walk.stat(core::want::type | core::want::mode));
    const mode_t old = stat.mode & core::permission_bits;
    if (args_.type && stat.type != *args_.type) return true;
    return stat.type != Type::link && args_.mode.apply(old, stat.type == Type::dir, umask_) == old;
  }

  /// Changes an open file, whatever has its name by now.
  core::Result<bool> change(core::FdRef file, std::string_view path, When when, std::size_t depth) {
    const core::Stat stat = TRY(core::fstat(file, core::want::type | core::want::mode));
    if (args_.type && stat.type != *args_.type) return true;
    if (stat.type == Type::link) {
      if (depth > 0) return true;
      return std::unexpected(
          core::Error{.number = ENOTSUP, .call = "chmod", .note = std::string(no_mode)});
    }
    const bool directory = stat.type == Type::dir;
    const mode_t old = stat.mode & core::permission_bits;
    mode_t fresh = args_.mode.apply(old, directory, umask_);
    if (when == When::unless_it_shuts_out && directory && !is_open(fresh)) return false;
    if (fresh == old && args_.if_changed) return true;
    TRY(core::fchmod(file, fresh));
    if (!records_.wanted()) return true;
    // The kernel gives a group's set-id to its members alone, and says nothing.
    if ((fresh & S_ISGID) != 0) {
      const auto now =
          core::told_as("stat", path, core::fstat(file, core::want::mode), mode_is_set);
      fresh = TRY(now).mode & core::permission_bits;
    }
    if (fresh != old || !args_.changes) records_.put({path, old, fresh});
    return true;
  }

  const Args& args_;
  Io& io_;
  Records<Row> records_;
  bool blind_;  ///< nobody has to know what a file's mode is before it is set
  mode_t umask_;
  bool late_ = false;  ///< the directory that was last an entry has not got its mode yet
};

Outcome run(Args& args, Io& io) {
  auto records = TRY(io.records<Row>(tables[0], args.changes));
  if (args.reference) {
    args.mode = core::Mode::of(TRY(core::stat(*args.reference, core::want::mode)).mode);
  }
  // While there is one thread: to read it is to set it.
  const mode_t umask = args.mode.needs_umask() ? core::get_umask() : 0;
  if (!args.recursive) {
    Change change(args, io, std::move(records), umask);
    return args.paths.each(io, [&](core::Path path) { return change.operand(path); });
  }
  Tree tree(io,
            {.walk = {.sorted = false, .physical = true},
             .order = records.wanted() ? Tree::Order::as_one : Tree::Order::no_words},
            [&args, umask](Io& own) {
              return std::make_unique<Change>(args, own, *own.records<Row>(tables[0], args.changes),
                                              umask);
            });
  return args.paths.each(io, [&](core::Path path) {
    return core::told_as("chmod", path, tree.visit(path, args.paths.at()));
  });
}

constexpr Alias aliases[] = {
    {"lchmod", "--no-follow", "set permissions of files, following no link"}};

constexpr Example examples[] = {
    {"chmod 600 secret", "Read and written by the owner alone"},
    {"chmod -v u+x,go-w script", "Symbolic, telling the mode before and after"},
    {"chmod -R --type d a+x tree", "The directories of a tree, and nothing else in it"},
    {"chmod -R --if-changed -c u+rwX,go-w tree", "Only what is not so yet, told"},
    {"chmod --reference model copy", "The permissions that another file has"},
};

}  // namespace

extern constexpr Applet chmod = {
    .name = "chmod",
    .group = Group::metadata,
    .summary = "set permissions of files",
    .description =
        "Gives each PATH the permissions MODE. An octal MODE, of at most 7777 and with or "
        "without Python's 0o before it, is set as it stands, as os.chmod does: unlike in GNU's "
        "chmod, 755 takes the set-ids of a directory away too. A symbolic one is that of chmod(1): "
        "any of u, g, o and a, then +, - or =, then "
        "any of r, w, x, X, s and t or one of u, g and o, with commas between several. X is x for "
        "directories and for what somebody may execute already; where nobody is named the umask "
        "holds; a directory keeps set-ids that '=' does not name. A MODE that begins with a dash "
        "looks like an option: write '-- -x', or a-x, which no umask holds back.\n\n"
        "A wrong MODE changes nothing. Where the old mode matters a file is opened (O_PATH, which "
        "waits for no FIFO), looked at and changed by that one descriptor, so that no other file "
        "gets a mode meant for it.\n\n"
        "A PATH that is a symbolic link is followed, unless --no-follow or -R is given: then it "
        "is EOPNOTSUPP, also as 'link/', which with -R is ELOOP; 'link/.' is the directory. With "
        "-R links in the tree are passed over, and what is swapped for one meanwhile leads nowhere "
        "else. A directory gets its mode before what is "
        "in it, or after it where the new mode shuts its owner out; so u+rwx opens a locked tree "
        "and 000 locks one. What cannot be read or changed is told, and the rest is done.\n\n"
        "With --reference, FILE is looked at once and followed; --beneath and --no-symlinks do "
        "not concern it. --type counts for each PATH and for what -R finds. --if-changed makes no "
        "call where the mode is right, so that the time of the last change stays. 'new' in a "
        "record is what the kernel made of it: it gives the set-id of a group to members of the "
        "group alone.",
    .options = options,
    .tables = tables,
    .changes = true,
    .aliases = aliases,
    .examples = examples,
    .see_also = "osbox-chown(1), osbox-umask(1), chmod(2), fchmodat2(2), chmod(1)",
    .main = runs<run>,
};

}  // namespace applets
