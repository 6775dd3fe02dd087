#include <fnmatch.h>

#include <algorithm>
#include <optional>

#include "core/cli/applet.hpp"
#include "core/cli/colour_option.hpp"
#include "core/out/clock.hpp"
#include "core/out/colour.hpp"
#include "core/out/stat_fields.hpp"
#include "core/out/tree.hpp"
#include "core/sys/fs.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;
using core::Type;
using core::Walk;

enum class Shape { automatic, group, paths, tree };

struct Args {
  Shape shape = Shape::automatic;
  bool bottom_up = false;
  unsigned types = 0;  ///< a bit for each Type; 0: all of them
  std::vector<std::string> names;
  std::vector<std::string> excluded;
  std::size_t min_depth = 0;
  std::size_t max_depth = Walk::How().max_depth;
  bool follow = false;
  bool one_file_system = false;
  bool stat = false;
  bool unordered = false;
  unsigned threads = 0;  ///< 0: one for each CPU that may be used
  ColourWhen colour = ColourWhen::automatic;
  Operands roots;
};

constexpr unsigned bit_of(Type type) { return 1U << static_cast<unsigned>(type); }

constexpr Word<Type> type_names[] = {
    {"f", Type::file},         {"d", Type::dir},       {"l", Type::link},
    {"p", Type::fifo},         {"s", Type::socket},    {"c", Type::character},
    {"b", Type::block},        {"file", Type::file},   {"dir", Type::dir},
    {"link", Type::link},      {"fifo", Type::fifo},   {"socket", Type::socket},
    {"char", Type::character}, {"block", Type::block},
};

/// Adds the types of a list with commas.
Stored take_types(unsigned& types, std::string_view list) {
  for (bool more = true; more;) {
    const std::size_t end = std::min(list.find(','), list.size());
    const auto* const found = std::ranges::find(type_names, list.substr(0, end), &Word<Type>::word);
    if (found == std::end(type_names)) {
      return std::unexpected(
          "not a list of f, d, l, p, s, c, b or file, dir, link, fifo, socket, char, block");
    }
    types |= bit_of(found->value);
    more = end < list.size();
    list.remove_prefix(end + (more ? 1 : 0));
  }
  return {};
}

/// Adds a pattern of names; one that asks for a slash would match none of them.
Stored take_name(std::vector<std::string>& to, std::string_view glob) {
  if (glob.empty()) return std::unexpected("no name is empty");
  for (std::size_t at = 0; at < glob.size(); ++at) {
    if (glob[at] == '/') {
      return std::unexpected("a name has no slash; --exclude takes a pattern of paths");
    }
    // Where it says what not to match, [!/], a slash is meant.
    if (glob[at] == '[') at = std::min(glob.find(']', at + 2), glob.size() - 1);
  }
  to.emplace_back(glob);
  return {};
}

/// Adds a pattern of names or paths, none of which has a slash at its end.
Stored take_excluded(std::vector<std::string>& to, std::string_view glob) {
  if (glob.empty()) return std::unexpected("no name is empty");
  if (glob.ends_with('/')) return std::unexpected("it goes without the slash at the end");
  to.emplace_back(glob);
  return {};
}

constexpr Option options[] = {
    sets<&Args::shape, Shape::group>(
        0, "group", "Each directory and the names in it (the default on a terminal)"),
    sets<&Args::shape, Shape::paths>(0, "paths", "A path a line (the default elsewhere)"),
    sets<&Args::shape, Shape::tree>(0, "tree", "A drawing of the tree"),
    flag<&Args::bottom_up>("bottom-up", "Directories after what is in them"),
    flag<&Args::unordered>("unordered", "Names as the file system has them: faster"),
    parsed<&Args::types, take_types>('t', "type", "TYPES",
                                     "Only these types, with commas: f,d,l,p,s,c,b or "
                                     "file,dir,link,fifo,socket,char,block"),
    parsed<&Args::names, take_name>(0, "name", "GLOB",
                                    "Only names that match GLOB, or another --name"),
    parsed<&Args::excluded, take_excluded>(
        0, "exclude", "GLOB",
        "Pass over names that match GLOB, and all below them; a GLOB with a slash is matched with "
        "the path, and with the path below ROOT"),
    value<&Args::min_depth>(0, "min-depth", "N", "Only what is N levels below the root or more"),
    value<&Args::max_depth>(0, "max-depth", "N", "Only what is N levels below the root or less"),
    flag<&Args::follow>("follow", "Take links for what they lead to; loops are failures"),
    flag<&Args::one_file_system>("one-file-system", "Do not enter directories on other mounts"),
    value<&Args::threads>(
        0, "threads", "N",
        "Go through a large tree with N threads at most; 0 stands for the number of CPUs that "
        "may be used, which is the default"),
    flag<&Args::stat>("stat", "With the stat fields of every entry"),
    colour<&Args::colour>(),
    paths<&Args::roots>("ROOT", "Where the tree begins; none: the current directory", Least::none,
                        Completes::directory),
};

/// A name in a directory, for people.
struct Shown {
  std::string_view name;
  bool directory = false;  ///< it has a mark
  std::string_view code = {};

  /// The byte order of names with their marks.
  bool operator<(const Shown& other) const {
    const std::size_t common = std::min(name.size(), other.name.size());
    const int order = name.compare(0, common, other.name, 0, common);
    return order != 0 ? order < 0 : at(common) < other.at(common);
  }

 private:
  int at(std::size_t i) const {
    if (i < name.size()) return static_cast<unsigned char>(name[i]);
    return directory ? '/' : -1;
  }
};

/// A directory, as a tuple of os.walk, or with what is `shown` of it.
struct Directory {
  std::string_view path;
  std::span<const std::string_view> dirs;
  std::span<const std::string_view> files;
  std::span<const Shown> shown;
};

/// An entry of the tree, as the walk has it: a field that nobody asks for costs nothing.
struct Entry : StatRow {
  Walk* walk = nullptr;
  ShortClock* clock = nullptr;
  const Colours* colours = nullptr;  ///< null: none
  std::string_view code = {};        ///< that of the entry

  std::string_view path() const { return walk->path(); }
  std::string_view name() const { return walk->name(); }
  std::optional<std::string_view> dir() const {
    if (walk->depth() == 0) return std::nullopt;
    return walk->directory();
  }
  std::string_view type() const { return core::type_word(walk->type()); }
  std::uint64_t depth() const { return walk->depth(); }
};

/// The path of a directory and the names in it, as the example of the os module has them.
void print_directory(const Directory& row, Io& io) {
  io.print_name(row.path);
  io.print("\n");
  for (const Shown& shown : row.shown) {
    io.print("  ");
    Colours::print_name(io, shown.code, shown.name);
    io.print(shown.directory ? "/\n" : "\n");  // the mark stays outside of quotes
  }
  io.print("\n");
}

[[gnu::noinline]] void print_coloured(const Entry& row, Io& io) {
  if (row.depth() > 0) {
    row.colours->print_path(io, row.code, row.path());
  } else {
    Colours::print_name(io, row.code, row.path());
  }
  io.end_record();
}

/// Permissions, size, time and path, in columns.
void print_entry(const Entry& row, Io& io) {
  std::string line;
  if (row.known) {
    line = core::mode_text(row.stat.mode);
    const std::string size = std::to_string(row.stat.size);
    line.append(13 - std::min<std::size_t>(12, size.size()), ' ').append(size).append(" ");
    row.clock->append(line, row.stat.mtime);
  } else {
    line = "??????????            ?            ?";
  }
  line += ' ';
  io.print(line);
  if (row.colours != nullptr) return print_coloured(row, io);
  io.print_name(row.path());
  io.end_record();
}

constexpr Field directory_fields[] = {
    name<&Directory::path>("dir", "Path of a directory"),
    names<&Directory::dirs>("dirs", "Names of the directories in it, and of links to directories"),
    names<&Directory::files>("files", "Names of all else in it"),
};

constexpr std::array entry_fields = {
    name<&Entry::path>("path", "Path, beginning with ROOT as it was given"),
    name<&Entry::name>("name", "Last component of the path"),
    name<&Entry::dir>("dir", "Path of the directory that holds it, null for ROOT"),
    text<&Entry::type>("type", "file, dir, link, fifo, socket, char, block or unknown"),
    natural<&Entry::depth>("depth", "Levels below ROOT, which is 0"),
};

constexpr auto stat_entry_fields = fields(entry_fields, stat_fields<Entry>);

constexpr Table tables[] = {
    {.fields = directory_fields,
     .print = prints<print_directory, Directory>,
     .when = "of a directory, with --group and with --json alone"},
    {.fields = stat_entry_fields,
     .print = prints<print_entry, Entry>,
     .print_want = core::want::type | core::want::mode | core::want::size | core::want::mtime,
     .when = "of an entry, with --paths; all with --stat or in a TEMPLATE"},
};
constexpr Table entry_table = {.fields = entry_fields, .line = "{path}"};
constexpr Table coloured_entry_table = {.fields = entry_fields,
                                        .print = prints<print_coloured, Entry>};

constexpr Example examples[] = {
    {"walk --group .", "The tree below the current directory, one directory after the other"},
    {"walk --tree --max-depth 2 /usr/share", "The two uppermost levels as a drawing"},
    {"walk --paths -0 -t f --name '*.conf' .", "Paths of files, for xargs -0"},
    {"walk --bottom-up -t d --paths .", "Directories, those that hold others last"},
    {"walk --exclude .git --format '{size:>10} {path}' .", "Sizes, without what is below .git"},
    {"walk --json .", "What Python's os.walk gives, one object a directory"},
};

/// What is shown, and what is passed over.
class Filter {
 public:
  explicit Filter(const Args& args) : args_(args) {
    for (const std::string& glob : args.excluded) {
      (glob.find('/') == glob.npos ? excluded_names_ : excluded_paths_).push_back(glob.c_str());
    }
  }

  /// True for what is not even walked; `prefix` begins with `root`. The name ends with a NUL.
  bool excludes(std::string_view root, std::string_view prefix, std::string_view name) {
    if (matches(excluded_names_, name.data())) return true;
    if (excluded_paths_.empty()) return false;
    path_.assign(prefix).append(name);
    const std::size_t below = root.size() + (root.ends_with('/') ? 0 : 1);
    return matches(excluded_paths_, path_.c_str()) ||
           matches(excluded_paths_, path_.c_str() + below);
  }

  /// True for a type and a name that are asked for.
  bool selects(Type type, std::string_view name) {
    if (args_.types != 0 && (args_.types & bit_of(type)) == 0) return false;
    if (args_.names.empty()) return true;
    path_ = name;
    return std::ranges::any_of(args_.names, [this](const std::string& glob) {
      return ::fnmatch(glob.c_str(), path_.c_str(), 0) == 0;
    });
  }

  bool selects_all() const { return args_.types == 0 && args_.names.empty(); }

 private:
  static bool matches(const std::vector<const char*>& globs, const char* text) {
    return std::ranges::any_of(globs,
                               [&](const char* glob) { return ::fnmatch(glob, text, 0) == 0; });
  }

  const Args& args_;
  std::vector<const char*> excluded_names_;
  std::vector<const char*> excluded_paths_;
  std::string path_;
};

/// What the colour of an entry depends on.
struct Look {
  /// With `text` it is of a link that is shown with what it holds. What stat has `found` of the
  /// entry is not asked again.
  Look(const Colours& colours, Walk& walk, bool text, const core::Stat* found = nullptr)
      : file({.name = walk.name(), .type = walk.type()}) {
    if (found != nullptr) {
      file.mode = found->mode;
    } else {
      colours.look(file, [&](core::Want want) { return walk.stat(want, Walk::Loss::ignored); });
    }
    if (!walk.is_link()) return;
    if (file.type != Type::link) {
      target = file;  // followed
    } else if (colours.wants_targets(text)) {
      file.leads_to(walk.target(core::want::type | core::want::mode, Walk::Loss::ignored), target);
    }
  }
  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;

  Colours::File file;
  Colours::File target;
};

/// Hands what is walked to one of the forms below.
class Form : public Visitor {
 public:
  Form(const Args& args, Io& io, const Colours& colours)
      : args_(args), io_(io), colours_(colours), coloured_(colours.on()), filter_(args) {}

  void visit(Walk& walk, Walk::Step step) final {
    switch (step) {
      case Walk::Step::entry:
        // The root was asked for by name.
        if (walk.depth() > 0 && filter_.excludes(walk.root(), walk.prefix(), walk.name())) {
          if (walk.type() == Type::dir) walk.skip();
          break;
        }
        // A root is counted as an operand.
        if (walk.depth() > 0) io_.tick();
        entry(walk);
        break;
      case Walk::Step::enter:
        enter(walk);
        break;
      case Walk::Step::leave:
        leave(walk);
        break;
      case Walk::Step::failure:
      case Walk::Step::end:
        break;
    }
  }

 protected:
  virtual void entry(Walk& walk) = 0;
  virtual void enter(Walk&) {}
  virtual void leave(Walk&) {}

  // What is done for colours alone stays out of the way of what is done for each entry.

  /// The code of the entry, of which stat has `found` what there is to know.
  [[gnu::noinline]] std::string_view code_of(Walk& walk, const core::Stat* found = nullptr) {
    return colours_.of(Look(colours_, walk, false, found).file);
  }

  const Args& args_;
  Io& io_;
  const Colours& colours_;
  const bool coloured_;
  Filter filter_;
};

/// One record an entry.
class Paths final : public Form {
 public:
  Paths(const Args& args, Io& io, const Colours& colours, Records<Entry> records)
      : Form(args, io, colours),
        records_(std::move(records)),
        plain_(!records_.formatted() && !args.stat && !colours.on()) {
    row_.accounts = &accounts_;
    row_.clock = &clock_;
    if (colours.on()) row_.colours = &colours;
  }

 private:
  void entry(Walk& walk) override {
    if (!args_.bottom_up || walk.type() != Type::dir) put(walk);
  }
  void leave(Walk& walk) override {
    if (args_.bottom_up) put(walk);
  }

  void put(Walk& walk) {
    if (walk.depth() < args_.min_depth) return;
    if (!filter_.selects_all() && !filter_.selects(walk.type(), walk.name())) return;
    if (plain_) {
      // Joined in the output rather than before.
      if (io_.names() == Names::raw && walk.depth() > 0) {
        io_.print(walk.prefix());
        io_.print(walk.name());
      } else {
        io_.print_name(walk.path());
      }
      io_.end_record();
      return;
    }
    row_.walk = &walk;
    if (records_.want() != core::want::nothing) {
      const auto stat = walk.stat(records_.want());
      row_.known = stat.has_value();
      if (stat) {
        row_.stat = *stat;
      } else if (stat.error().number != ENOENT) {
        io_.fail(stat.error());
      } else if (walk.depth() > 0) {
        return;  // it has gone meanwhile
      }
    }
    if (coloured_) {
      row_.code = code_of(walk, args_.stat && row_.known ? &row_.stat : nullptr);
    }
    records_.put(row_);
  }

  Records<Entry> records_;
  bool plain_;
  Entry row_;
  core::Accounts accounts_;
  ShortClock clock_;
};

/// One record a directory.
class Directories final : public Form {
 public:
  Directories(const Args& args, Io& io, const Colours& colours, Records<Directory> records)
      : Form(args, io, colours), records_(std::move(records)) {}

 private:
  void entry(Walk& walk) override {
    if (walk.type() == Type::dir || walk.depth() > 0) return;
    if (records_.formatted()) {
      return io_.fail(walk.error());
    }
    if (args_.min_depth > 0 || !filter_.selects(walk.type(), walk.name())) return;
    Colours::print_name(io_, coloured_ ? code_of(walk) : "", walk.path());
    io_.end_record();
  }
  void enter(Walk& walk) override {
    if (!args_.bottom_up) put(walk);
  }
  void leave(Walk& walk) override {
    if (args_.bottom_up && walk.entered()) put(walk);
  }

  void put(Walk& walk) {
    if (walk.depth() + 1 < args_.min_depth) return;
    if (!records_.formatted()) return show(walk);
    dirs_.clear();
    files_.clear();
    each_selected(walk, [this](const core::Listing::Entry&, std::string_view name, bool directory) {
      (directory ? dirs_ : files_).push_back(name);
    });
    if (dirs_.empty() && files_.empty() && !filter_.selects_all()) return;
    records_.put({.path = walk.path(), .dirs = dirs_, .files = files_});
  }

  /// The same for people.
  void show(Walk& walk) {
    directory_.reset();
    shown_.clear();
    each_selected(walk, [&](const core::Listing::Entry& entry, std::string_view name, bool dir) {
      shown_.push_back({name, dir, coloured_ ? code_of(walk, entry) : ""});
    });
    again_.close();
    if (shown_.empty() && !filter_.selects_all()) return;
    std::ranges::sort(shown_, std::less());
    records_.put({.path = walk.path(), .shown = shown_});
  }

  /// Calls `take` with each entry of the directory that is shown, its name, and whether it is a
  /// directory or leads to one.
  template <class Take>
  void each_selected(Walk& walk, Take take) {
    const bool excludes = !args_.excluded.empty();
    if (excludes || coloured_) {
      prefix_ = walk.path();
      if (prefix_.back() != '/') prefix_ += '/';
    }
    const core::Listing& listing = walk.listing();
    for (const auto& entry : listing.entries()) {
      const std::string_view name = listing.name(entry);
      if (excludes && filter_.excludes(walk.root(), prefix_, name)) continue;
      if (!filter_.selects(walk.type(entry), name)) continue;
      take(entry, name, entry.type == Type::dir || entry.target == Type::dir);
    }
  }

  /// The directory whose names are looked at. One that was left is opened again.
  core::Result<core::At> directory(Walk& walk) {
    const auto at = walk.at(Walk::Loss::ignored);
    if (!args_.bottom_up || !at) return at;
    const core::At base = args_.roots.at();
    // How far a link may lead is counted from where the operand starts.
    const bool restricted = walk.is_link() && base.resolve.restricted();
    const bool follows = walk.is_link() || walk.depth() == 0;
    again_ = TRY(
        restricted ? core::open_directory(std::string(walk.path()), base)
                   : core::open_directory(walk.bare(), *at,
                                          follows ? core::Links::follow : core::Links::no_follow));
    return core::At(again_);
  }

  using Form::code_of;
  [[gnu::noinline]] std::string_view code_of(Walk& walk, const core::Listing::Entry& entry) {
    const core::Path name = walk.listing().path(entry);
    const auto ask = [&](core::Links links, core::Want want) -> core::Result<core::Stat> {
      if (!directory_) directory_ = directory(walk);
      const core::At at = TRY(*directory_);
      const core::At base = args_.roots.at();
      if (links == core::Links::follow && base.resolve.restricted()) {
        return core::stat(prefix_ + name.c_str(), links, want, base);
      }
      return core::stat(name, links, want, at);
    };
    Colours::File file{.name = name, .type = walk.type(entry)};
    const bool followed = file.type != entry.type;
    colours_.look(file, [&](core::Want want) {
      return ask(followed ? core::Links::follow : core::Links::no_follow, want);
    });
    // The walk has found out what a link leads to.
    Colours::File target{.name = name, .type = entry.target};
    file.dangling = target.type == Type::unknown;
    if (file.type == Type::link && colours_.links_as_targets() && !file.dangling) {
      colours_.look(target, [&](core::Want want) { return ask(core::Links::follow, want); });
      file.target = &target;
    }
    return colours_.of(file);
  }

  Records<Directory> records_;
  std::string prefix_;
  std::optional<core::Result<core::At>> directory_;  ///< none: it was not needed yet
  core::Fd again_;
  std::vector<std::string_view> dirs_;
  std::vector<std::string_view> files_;
  std::vector<Shown> shown_;
};

/// Names at the ends of branches.
class Drawing final : public Form {
 public:
  using Form::Form;

 private:
  void entry(Walk& walk) override {
    if (!shows(walk.type(), walk.name())) return;
    if (walk.depth() == 0) {
      levels_.clear();
      branches_.clear();
    } else {
      last_ = walk.position() == levels_.back().last;
      io_.print(branches_);
      io_.print(last_ ? "└── " : "├── ");
    }
    if (coloured_) [[unlikely]]
      return print_coloured(walk);
    io_.print_name(shown_name(walk));
    end_line(walk);
  }
  void enter(Walk& walk) override {
    levels_.push_back({branches_.size(), 0});
    if (walk.depth() > 0) branches_ += last_ ? "    " : "│   ";
    std::string prefix(walk.path());
    if (prefix.back() != '/') prefix += '/';
    const core::Listing& listing = walk.listing();
    for (std::size_t i = 0; i < listing.size(); ++i) {
      const auto& entry = listing.entries()[i];
      const std::string_view name = listing.name(entry);
      if (shows(walk.type(entry), name) && !filter_.excludes(walk.root(), prefix, name)) {
        levels_.back().last = i;
      }
    }
  }
  void leave(Walk& walk) override {
    if (!walk.entered()) return;
    branches_.resize(levels_.back().branches);
    levels_.pop_back();
  }

  /// Directories stay, since others hang on them.
  bool shows(Type type, std::string_view name) {
    return type == Type::dir || filter_.selects(type, name);
  }

  static std::string_view shown_name(Walk& walk) {
    return walk.depth() == 0 ? walk.path() : walk.name();
  }

  [[gnu::noinline]] void print_coloured(Walk& walk) {
    Look look(colours_, walk, true);
    Colours::print_name(io_, colours_.of(look.file), shown_name(walk));
    end_line(walk, &look);
  }

  /// Ends the line of an entry, a link's with what it holds.
  void end_line(Walk& walk, Look* look = nullptr) {
    if (!walk.is_link()) return io_.end_record();
    const auto at = walk.at();
    auto target = at ? core::readlink(walk.bare(), *at) : std::unexpected(at.error());
    if (target) {
      io_.print(" -> ");
      std::string_view code;
      if (look != nullptr) {
        look->target.name = *target;
        code = look->file.dangling ? colours_.of_missing() : colours_.of(look->target);
      }
      Colours::print_name(io_, code, *target);
    }
    io_.end_record();
    if (!target && target.error().number != ENOENT) {
      target.error().path = walk.path();
      io_.fail(target.error());
    }
  }

  struct Level {
    std::size_t branches;  ///< the length of `branches_` above it
    std::size_t last;      ///< the position of the last entry that is shown
  };

  std::vector<Level> levels_;
  std::string branches_;
  bool last_ = false;
};

Outcome run(Args& args, Io& io) {
  const Style& style = io.style();
  const bool human = style.format == Style::Format::human;
  const bool json = style.format == Style::Format::json;
  Shape shape = args.shape;
  if (shape == Shape::automatic) {
    const bool directories = json || (human && io.screen().output_is_terminal && !style.null);
    shape = directories && !args.stat ? Shape::group : Shape::paths;
  }
  if (shape != Shape::paths && args.stat) return misuse("--stat goes with --paths");
  if (shape != Shape::paths && style.null && human) return misuse("--null goes with --paths");
  if (shape == Shape::tree) {
    if (!human) return misuse("--tree is for people and has no records");
    if (args.bottom_up) return misuse("--tree and --bottom-up do not go together");
    if (args.min_depth > 0) return misuse("--tree and --min-depth do not go together");
  }

  Tree::How how{.walk = {.sorted = !args.unordered,
                         .follow = args.follow,
                         .one_file_system = args.one_file_system,
                         .max_depth = args.max_depth},
                // What is in a directory comes before it.
                .order = args.unordered && !args.bottom_up ? Tree::Order::any : Tree::Order::as_one,
                .threads = args.threads};
  const Colours colours = Colours::asked(args.colour, io);
  Tree::Make make;
  switch (shape) {
    case Shape::group:
      how.walk.whole = how.walk.targets = true;
      (void)TRY(io.records<Directory>(tables[0]));
      make = [&args, &colours](Io& own) {
        return std::make_unique<Directories>(args, own, colours,
                                             *own.records<Directory>(tables[0]));
      };
      break;
    case Shape::tree:
      how.walk.whole = true;
      // A line begins with what is above it.
      how.threads = 1;
      make = [&args, &colours](Io& own) { return std::make_unique<Drawing>(args, own, colours); };
      break;
    case Shape::automatic:
    case Shape::paths:
      const Table& table = args.stat || style.format == Style::Format::format ? tables[1]
                           : colours.on()                                     ? coloured_entry_table
                                                                              : entry_table;
      (void)TRY(io.records<Entry>(table));
      make = [&args, &colours, &table](Io& own) {
        return std::make_unique<Paths>(args, own, colours, *own.records<Entry>(table));
      };
  }
  const ColourReset reset(colours.on(), io);
  Tree tree(io, how, std::move(make));
  if (args.roots.empty()) args.roots.add(".");
  return args.roots.each(io, [&](core::Path root) { return tree.visit(root, args.roots.at()); });
}

}  // namespace

extern constexpr Applet walk = {
    .name = "walk",
    .group = Group::directories,
    .summary = "go through trees of directories",
    .description =
        "Goes through the tree at every ROOT, depth first and in the byte order of names, so that "
        "two runs give the same. With --unordered names come as the file system has them and, of a "
        "large tree, directories as they are read, each after the one that holds it; this is the "
        "fastest way.\n\n"
        "On a terminal every directory is shown with the names in it, subdirectories with a slash. "
        "Elsewhere every entry is a line with its path, ROOT itself being the first, as find(1) "
        "has it. --json gives one object for each directory, which is the tuple of os.walk, and "
        "with --paths one for each entry. --stat, --null, --format and --shell are for entries "
        "too, unless --group is given. --stat alone prints permissions, size, time of the last "
        "change and path.\n\n"
        "ROOT may be a link to a directory, as in os.walk. Other links are entries of type link, "
        "and among the dirs of --group and --json where they lead to a directory; they are "
        "entered with --follow only. Then every link is what it leads to, a link that leads "
        "nowhere is a link still, and one that leads back to a directory above it is a failure "
        "with ELOOP. A ROOT that is no directory is an entry, and with --group and --tree a line "
        "of its own. With --json alone, and in other records of --group, it is the failure that "
        "os.walk tells its onerror: ENOTDIR, or ENOENT of a link that leads nowhere.\n\n"
        "-t, --name, --min-depth and --max-depth choose what is shown; --exclude passes over what "
        "is below a directory too. In a GLOB the star stands for any bytes, a slash and a leading "
        "dot included. With --group and with --json alone the names are chosen, and a directory "
        "without any of them is left out; with --tree directories always stay. ROOT cannot be "
        "excluded.\n\n"
        "On a terminal names have the colours that ls gives them, and with --color elsewhere too. "
        "In a path, what stands before the name has the colour of directories; the headings of "
        "--group have none, nor have records for programs, --null among them. As in ls, every "
        "file and directory is looked at for its mode, unless LS_COLORS takes the colours away "
        "that depend on it. What cannot be found out for a colour alone is no failure.\n\n"
        "What is in a directory that cannot be read, and what cannot be found out about an entry, "
        "is a failure; the rest is done. An entry that vanishes meanwhile is none. A few "
        "directories are open at a time, however deep the tree is. Several threads go through a "
        "large tree, each through a part of it, which changes nothing of what is printed, but for "
        "the order of --unordered: the next ones run a few thousand names ahead of what is "
        "printed. --one-file-system goes by the id of the mount, so that a bind mount is another "
        "file system; where neither statx(2) nor /proc/self/fdinfo tells it, by the device.",
    .call = "open",
    .options = options,
    .tables = tables,
    .examples = examples,
    .see_also = "osbox-ls(1), osbox-scandir(1), find(1), tree(1), fnmatch(3), fts(3)",
    .main = runs<run>,
};

}  // namespace applets
