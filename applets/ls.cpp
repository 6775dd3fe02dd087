#include <algorithm>
#include <array>
#include <memory>

#include "core/cli/applet.hpp"
#include "core/cli/colour_option.hpp"
#include "core/out/entries.hpp"
#include "core/out/file_list.hpp"
#include "core/out/file_order.hpp"
#include "core/out/stat_fields.hpp"
#include "core/out/tree.hpp"
#include "core/sys/directory.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/listing.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;
namespace want = core::want;

using Layout = FileList::Layout;
enum class Hidden { left_out, almost_all, all };

struct Args {
  Hidden hidden = Hidden::left_out;
  std::optional<Layout> layout;
  std::optional<FileOrder> order;
  std::optional<FileTime> time;
  ColourWhen colour = ColourWhen::automatic;
  bool reverse = false;
  bool directory = false;
  bool classify = false;
  bool human = false;
  bool inode = false;
  bool numeric = false;
  bool recursive = false;
  Operands paths;
};

constexpr Word<FileOrder> orders[] = {
    {"name", FileOrder::name},           {"size", FileOrder::size},       {"time", FileOrder::time},
    {"extension", FileOrder::extension}, {"version", FileOrder::version}, {"none", FileOrder::none},
};

constexpr Word<FileTime> times[] = {
    {"mtime", FileTime::mtime},        {"atime", FileTime::atime},
    {"ctime", FileTime::ctime},        {"birthtime", FileTime::birthtime},
    {"modification", FileTime::mtime}, {"access", FileTime::atime},
    {"use", FileTime::atime},          {"status", FileTime::ctime},
    {"birth", FileTime::birthtime},    {"creation", FileTime::birthtime},
};

/// One name a line, unless there are lines of metadata already.
Stored set_one(void* args, std::string_view) {
  auto& layout = static_cast<Args*>(args)->layout;
  if (layout != Layout::lines) layout = Layout::names;
  return {};
}

Stored set_numeric(void* args, std::string_view) {
  static_cast<Args*>(args)->layout = Layout::lines;
  static_cast<Args*>(args)->numeric = true;
  return {};
}

constexpr Option options[] = {
    sets<&Args::hidden, Hidden::all>('a', "all", "Names that begin with a dot too, . and .. too"),
    sets<&Args::hidden, Hidden::almost_all>('A', "almost-all",
                                            "Names that begin with a dot too, but not . and .."),
    {.letter = '1', .help = "One name a line", .store = set_one},
    sets<&Args::layout, Layout::columns>('C', "", "In columns, as on a terminal"),
    sets<&Args::layout, Layout::lines>('l', "", "A line of metadata for each; all fields"),
    {.name = "numeric",
     .letter = 'n',
     .help = "As -l, with the numbers of users and groups",
     .store = set_numeric},
    flag<&Args::human>('h', "human-readable", "With -l sizes as 1.1K and 12M, rounded up"),
    flag<&Args::inode>('i', "inode", "The inode number in front of each name"),
    flag<&Args::classify>('F', "classify",
                          "A mark behind each name: / dir, @ link, | fifo, = socket, * program"),
    flag<&Args::directory>('d', "directory", "Directories themselves, not what is in them"),
    flag<&Args::recursive>('R', "recursive", "Directories below too, each with its names"),
    sets<&Args::order, FileOrder::size>('S', "", "Sort by size, the largest first"),
    sets<&Args::order, FileOrder::time>('t', "", "Sort by time, the newest first"),
    sets<&Args::order, FileOrder::none>('U', "",
                                        "Do not sort, in constant memory: directory order"),
    choice<&Args::order, orders>(0, "sort", "WORD", "Sort by"),
    flag<&Args::reverse>('r', "reverse", "Sort the other way round"),
    sets<&Args::time, FileTime::atime>('u', "", "The time of the last access, to show and sort by"),
    sets<&Args::time, FileTime::ctime>('c', "", "The time of the last change of the metadata"),
    choice<&Args::time, times>(0, "time", "WORD", "The time to show and sort by"),
    colour<&Args::colour>(),
    paths<&Args::paths>("PATH", "Directory to list, or file to show; none: .", Least::none),
};

/// Asks for the text of a link: a bit that statx(2) does not have.
constexpr core::Want want_target = 0x1000'0000;

struct Row : StatRow {
  std::string_view directory = {};  ///< ends with a slash; empty: the name is an operand
  std::string_view name = {};
  core::Type listed = core::Type::unknown;  ///< what the directory says
  std::optional<std::string> target = {};
  mutable std::string joined = {};

  const std::string& path() const { return joined.assign(directory).append(name); }
  std::string_view base() const {
    const std::string_view rest = core::without_slashes(name);
    return rest.size() > 1 ? rest.substr(rest.rfind('/') + 1) : rest;
  }
  std::string_view type() const {
    return core::type_word(known && stat.type != core::Type::unknown ? stat.type : listed);
  }
  std::optional<std::uint64_t> ino() const {
    if (!known) return std::nullopt;
    return stat.ino;
  }
};

constexpr std::array name_fields = {
    name<&Row::path>("path", "The operand, and the name behind it"),
    name<&Row::base>("name", "The name in its directory"),
    text<&Row::type>("type", "file, dir, link, fifo, socket, char, block or unknown"),
};
constexpr std::array inode_fields = {
    natural<&Row::ino>("ino", "Inode number", want::ino),
};
constexpr std::array target_fields = {
    name<&Row::target>("target", "Text of a link, null for anything else",
                       want::type | want_target),
};
constexpr auto short_fields = fields(name_fields, inode_fields);
constexpr auto all_fields = fields(name_fields, stat_fields<Row>, target_fields);

constexpr Table tables[] = {
    {.fields = short_fields, .line = "{name}"},
    {.fields = all_fields, .line = "{name}", .when = "with -l or --format"},
};

constexpr Alias aliases[] = {
    {"listdir", "-A -1", "list the names in a directory, but not . and .."},
};

constexpr Example examples[] = {
    {"ls -l /", "What is in the root directory"},
    {"ls -A --json .", "Names, types and inode numbers, for a program"},
    {"ls --format '{size:>12} {path}' --sort=size /etc", "Sizes and paths, the largest first"},
};

const Table& table_of(const Args& args, const Io& io) {
  const bool all = args.layout == Layout::lines || io.style().format == Style::Format::format;
  return tables[all ? 1 : 0];
}

/// What was asked for, or what suits the output.
Layout layout_of(const Args& args, const Io& io) {
  const bool terminal = io.screen().output_is_terminal;
  const Layout layout = args.layout.value_or(terminal ? Layout::columns : Layout::names);
  return layout == Layout::columns && io.style().null ? Layout::names : layout;
}

/// So many files are shown before it is asked again whether somebody reads them.
constexpr std::size_t block = 4096;

class Lister {
 public:
  Lister(const Args& args, Io& io, Records<Row> records);

  /// Takes an operand: to be shown with the others, or at once where they are in no order and come
  /// in any number.
  core::Result<void> take(core::Path path);

  /// Shows what was taken: files first, then directories.
  void finish();

  bool coloured() const { return list_.coloured(); }

 private:
  class OfTree;
  struct Directory {
    std::string path;
    core::Fd opened;      ///< of the first few; the others are opened again
    core::Time key = {};  ///< in an order by stat
  };

  core::Result<core::Fd> open(core::Path path) const;
  bool is_file(const core::Error& why, core::Path path) const;
  void sort_directories();
  void list(const Directory& directory);
  void stream(const Place& place, core::FdRef directory);
  void list_tree(const std::string& root);
  void list_entered(core::Walk& walk);
  void list_names(const Place& place, core::Listing& names);
  void show_header(std::string_view path);
  void show_files(std::vector<std::string> paths);

  bool needs_all() const;
  bool hides(std::string_view name) const {
    return args_.hidden == Hidden::left_out && name[0] == '.';
  }
  /// True where all that is shown of a file is its name as it stands.
  bool plain() const { return !records_.formatted() && list_.plain(); }
  Entries::How wanted() const;
  bool is_heard();
  void show(const Place& place);
  void show_records(const Place& place);
  void show_list(const Place& place);
  std::optional<std::string> text_of_link(const Place& place, const core::DirEntry& entry);

  const Args& args_;
  Io& io_;
  Records<Row> records_;
  Layout layout_;
  FileTime time_;
  FileOrder order_;
  FileList list_;
  Entries entries_;  ///< what is shown now
  bool headers_ = false;
  OfTree* of_tree_ = nullptr;  ///< what this is, where it is one of several in a tree
  core::Accounts accounts_;

  std::size_t operands_ = 0;
  std::vector<std::string> files_;
  std::vector<Directory> directories_;

  // Memory kept from one directory to the next.
  core::DirectoryReader reader_;
  core::Listing listing_;

  std::unique_ptr<Tree> tree_;  ///< with -R: for all operands
};

Lister::Lister(const Args& args, Io& io, Records<Row> records)
    : args_(args),
      io_(io),
      records_(std::move(records)),
      layout_(layout_of(args, io)),
      time_(args.time.value_or(FileTime::mtime)),
      order_(args.order.value_or(args.time && layout_ != Layout::lines ? FileOrder::time
                                                                       : FileOrder::name)),
      list_(io,
            {.layout = layout_,
             .inode = args.inode,
             .marks = args.classify,
             .line = {.human = args.human, .numeric = args.numeric, .time = time_}},
            Colours::asked(args.colour, io)),
      entries_(wanted()),
      headers_(args.recursive || args.paths.from_file()) {}

/// What has to be asked of each entry, and what because of its type.
Entries::How Lister::wanted() const {
  Entries::How how{.want = want_of(order_, time_), .time = time_, .whole = records_.formatted()};
  if (records_.formatted()) {
    how.want |= records_.want() & ~want_target;
    how.want_of[static_cast<std::size_t>(core::Type::unknown)] = want::type;
    return how;
  }
  how.want |= list_.want();
  for (std::size_t type = 0; type < how.want_of.size(); ++type) {
    how.want_of[type] = list_.want(static_cast<core::Type>(type));
  }
  return how;
}

// ---- operands

core::Result<core::Fd> Lister::open(core::Path path) const {
  const bool links = layout_ == Layout::lines || args_.classify;
  return core::open_directory(path, args_.paths.at(),
                              links ? core::Links::no_follow : core::Links::follow);
}

/// True for what is there but could not be opened as a directory, since it is none.
bool Lister::is_file(const core::Error& why, core::Path path) const {
  // And if not, that will be told.
  if (why.number == ENOTDIR && entries_.asks_unknown()) return true;
  // A link that leads nowhere, or to itself, is there.
  const bool dangling =
      why.number == ENOENT || (why.number == ELOOP && !args_.paths.at().resolve.no_symlinks);
  if (why.number != ENOTDIR && !dangling) return false;
  return core::lstat(path, want::nothing, args_.paths.at()).has_value();
}

core::Result<void> Lister::take(core::Path path) {
  constexpr std::size_t most_open = 8;
  const bool at_once = order_ == FileOrder::none && args_.paths.from_file();
  ++operands_;
  core::Fd opened;
  if (args_.directory) {
    if (!entries_.asks_unknown()) TRY(core::lstat(path, want::nothing, args_.paths.at()));
  } else if (auto directory = open(path)) {
    opened = *std::move(directory);
  } else if (!is_file(directory.error(), path)) {
    return std::unexpected(std::move(directory).error());
  }
  if (at_once && opened) {
    list({path.c_str(), std::move(opened)});
  } else if (at_once) {
    show_files({path.c_str()});
  } else if (opened) {
    if (directories_.size() >= most_open) opened.close();
    directories_.emplace_back(path.c_str(), std::move(opened));
  } else {
    files_.emplace_back(path.c_str());
  }
  return {};
}

void Lister::finish() {
  headers_ = headers_ || operands_ > 1;
  if (!files_.empty()) show_files(std::move(files_));
  sort_directories();
  for (Directory& directory : directories_) {
    if (!io_.writable()) return;
    if (!directory.opened) {
      auto opened = open(directory.path);
      if (!opened) {
        io_.fail(opened.error());
        continue;
      }
      directory.opened = *std::move(opened);
    }
    list(directory);
    directory.opened.close();
  }
}

void Lister::sort_directories() {
  if (order_ == FileOrder::none || directories_.size() < 2) return;
  for (Directory& directory : directories_) {
    if (!is_by_stat(order_)) break;
    const core::Want wanted = entries_.want();
    const auto found = directory.opened ? core::fstat(directory.opened, wanted)
                                        : core::stat(directory.path, wanted, args_.paths.at());
    if (!found && found.error().number != ENOENT) {
      io_.fail({.number = found.error().number, .call = "stat", .path = directory.path});
    }
    directory.key = key_of(found ? LineFacts(*found, time_) : LineFacts(), order_);
  }
  std::ranges::sort(directories_, [this](const Directory& a, const Directory& b) {
    return a.key != b.key ? a.key > b.key : comes_before(a.path, b.path, order_);
  });
  if (args_.reverse) std::ranges::reverse(directories_);
}

void Lister::show_files(std::vector<std::string> paths) {
  if (order_ != FileOrder::none) {
    std::ranges::sort(paths, [this](const std::string& a, const std::string& b) {
      return comes_before(a, b, order_);
    });
    if (args_.reverse) std::ranges::reverse(paths);
  }
  entries_.clear();
  for (const std::string& path : paths) {
    entries_.add({path.c_str(), static_cast<std::uint32_t>(path.size()), core::Type::unknown, 0});
  }
  show(Place(args_.paths.at()));
}

// ---- directories

/// True where a line depends on all others: nothing can be shown before everything is known.
bool Lister::needs_all() const {
  return is_by_stat(order_) || (!records_.formatted() && (layout_ != Layout::names || args_.inode));
}

void Lister::list(const Directory& directory) {
  if (args_.recursive) return list_tree(directory.path);
  show_header(directory.path);
  const Place place(directory.path, directory.opened);
  if (order_ == FileOrder::none && !needs_all()) return stream(place, directory.opened);
  if (const auto read = listing_.read(reader_, directory.opened); !read) {
    io_.fail(place.about(read.error()));
  }
  list_names(place, listing_);
}

/// Lists the directories of a tree, for one of several threads.
class Lister::OfTree final : public Visitor {
 public:
  OfTree(Lister& whole, Io& io)
      : whole_(whole), own_(whole.args_, io, *io.records<Row>(table_of(whole.args_, io))) {
    own_.list_.set_begun(true);
    own_.of_tree_ = this;
  }
  using Visitor::is_heard;

  void visit(core::Walk& walk, core::Walk::Step step) override {
    if (step != core::Walk::Step::enter) return;
    if (walk.depth() == 0) {
      own_.list_.set_begun(whole_.list_.begun());
      whole_.list_.set_begun(true);
    }
    own_.list_entered(walk);
  }

 private:
  Lister& whole_;
  Lister own_;
};

/// Lists a directory and all below, in the order in which they are shown.
void Lister::list_tree(const std::string& root) {
  if (!tree_) {
    const auto make = [this](Io& io) { return std::make_unique<OfTree>(*this, io); };
    tree_ = std::make_unique<Tree>(io_, Tree::How{.walk = {.sorted = false, .whole = true}}, make);
  }
  if (const auto done = tree_->visit(root, args_.paths.at()); !done) io_.fail(done.error());
}

/// False where nobody reads what is shown, so that the rest need not be.
bool Lister::is_heard() { return of_tree_ != nullptr ? of_tree_->is_heard() : io_.writable(); }

/// Lists the directory that was entered, and leaves to the walk those in it that were shown.
void Lister::list_entered(core::Walk& walk) {
  const auto at = walk.at();
  if (!at) return;
  show_header(walk.path());
  core::Listing& names = walk.listing_to_visit();
  list_names({walk.path(), at->directory}, names);
  std::erase_if(names.entries(), [&names](const auto& entry) {
    const std::string_view name = names.name(entry);
    return entry.type != core::Type::dir || name == "." || name == "..";
  });
}

void Lister::show_header(std::string_view path) {
  // A program that reads names up to a NUL wants nothing else between them.
  if (headers_ && !records_.formatted() && !io_.style().null) list_.write_header(path);
}

constexpr core::DirEntry dots[] = {{".", 1, core::Type::dir, 0}, {"..", 2, core::Type::dir, 0}};

/// Shows the names as they come, however many there are.
void Lister::stream(const Place& place, core::FdRef directory) {
  if (args_.hidden == Hidden::all) {
    entries_.clear();
    entries_.add(dots);
    show(place);
  }
  reader_.begin(directory);
  while (io_.writable()) {
    const auto batch = reader_.read();
    if (!batch) io_.fail(place.about(batch.error()));
    if (!batch || batch->empty()) return;
    if (plain() && entries_.want() == want::nothing) {
      for (const core::DirEntry& entry : *batch) {
        if (!hides(entry.text())) list_.add_plain(entry);
      }
      list_.end();
      continue;
    }
    entries_.clear();
    entries_.add(*batch);
    entries_.erase_if([this](const core::DirEntry& entry) { return hides(entry.text()); });
    show(place);
  }
}

/// Puts `names` in order and shows them. Afterwards they are in the order in which they were shown,
/// without any that was gone.
void Lister::list_names(const Place& place, core::Listing& names) {
  if (args_.hidden == Hidden::all) {
    for (const core::DirEntry& entry : dots) names.add(entry);
  }
  auto& all = names.entries();
  std::erase_if(all, [&](const auto& entry) { return hides(names.name(entry)); });
  sort(names, order_, args_.reverse);
  const std::size_t most = needs_all() ? all.size() : block;
  std::size_t next = 0;
  do {
    const std::size_t count = std::min(most, all.size() - next);
    entries_.clear();
    entries_.add(names, next, count);
    next += count;
    show(place);
  } while (next < all.size() && is_heard());
  if (args_.recursive) entries_.reorder(names);
}

// ---- output

/// Shows `entries_`.
void Lister::show(const Place& place) {
  // In a tree there are threads enough.
  entries_.ask(place, io_, of_tree_ != nullptr ? Entries::Threads::one : Entries::Threads::several);
  if (is_by_stat(order_)) entries_.sort_by_stat(order_, args_.reverse);
  if (records_.formatted()) return show_records(place);
  if (plain()) {
    for (std::size_t i = 0; i < entries_.size(); ++i) list_.add_plain(entries_.entry(i));
  } else {
    show_list(place);
  }
  list_.end();
}

void Lister::show_records(const Place& place) {
  const bool targets = (records_.want() & want_target) != 0;
  Row row;
  row.accounts = &accounts_;
  row.directory = place.prefix();
  for (std::size_t i = 0; i < entries_.size() && (i % block != 0 || is_heard()); ++i) {
    const core::DirEntry& entry = entries_.entry(i);
    row.name = entry.text();
    row.listed = entry.type;
    row.known = entries_.facts(i) != nullptr;
    if (row.known) row.stat = entries_.stat(i);
    row.target.reset();
    if (targets && type_of(entry, entries_.facts(i)) == core::Type::link)
      row.target = text_of_link(place, entry);
    records_.put(row);
  }
}

void Lister::show_list(const Place& place) {
  list_.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i) list_.measure(entries_.facts(i));
  if (layout_ == Layout::lines && !place.of_operands() && !io_.style().null) list_.add_total();
  for (std::size_t i = 0; i < entries_.size() && (i % block != 0 || is_heard()); ++i) {
    const core::DirEntry& entry = entries_.entry(i);
    const LineFacts* const facts = entries_.facts(i);
    FileList::File file{{.name = entry.text(), .type = type_of(entry, facts)}, facts};
    if (facts != nullptr) file.mode = facts->mode;
    if (file.type != core::Type::link) {
      list_.add(file);
      continue;
    }
    Colours::File target;
    if (list_.wants_targets()) {
      file.leads_to(core::stat(entry.name, want::type | want::mode,
                               {place.at().directory, args_.paths.at().resolve}),
                    target);
    }
    const auto text = list_.wants_texts() ? text_of_link(place, entry) : std::nullopt;
    file.text = text;
    list_.add(file);
  }
}

/// None where it cannot be read, which is told, or where the link has gone meanwhile.
std::optional<std::string> Lister::text_of_link(const Place& place, const core::DirEntry& entry) {
  auto text = core::readlink(entry.name, place.at());
  if (text) return *std::move(text);
  if (text.error().number == ENOENT) return std::nullopt;
  io_.fail({text.error().number, "readlink", place.path(entry.text())});
  return std::nullopt;
}

Outcome run(Args& args, Io& io) {
  if (args.paths.empty()) args.paths.add(".");
  Lister lister(args, io, TRY(io.records<Row>(table_of(args, io))));
  const ColourReset reset(lister.coloured(), io);
  const Outcome outcome = args.paths.each(io, [&](core::Path path) { return lister.take(path); });
  lister.finish();
  return outcome;
}

}  // namespace

extern constexpr Applet ls = {
    .name = "ls",
    .group = Group::directories,
    .summary = "list the names in directories",
    .description =
        "Lists the names in every PATH that is a directory, in byte order, and every PATH that is "
        "something else by itself: those first. Names that begin with a dot are left out unless "
        "asked for. On a terminal names stand in columns, elsewhere one on each line. The order of "
        "--sort=version is that of strverscmp(3).\n\n"
        "A PATH that is a symbolic link to a directory is followed, unless -d, -F or -l is given; "
        "a link that leads nowhere is shown itself. No link in a directory is followed.\n\n"
        "Plain names cost no system call each, lines of -l one and a second one for a link. An "
        "entry that is gone before it could be looked at is left out. One that may not be looked "
        "at is a failure; its name is shown, with question marks.\n\n"
        "With -R the directories below are listed too, in the order in which they are shown; no "
        "link is followed there.\n\n"
        "With -U names are written as the file system gives them, without holding them in memory, "
        "where each line stands for itself: not with -l or -i, nor in columns. With --null there "
        "are names or lines alone, without headers, totals and colours; to tell directories apart "
        "use --format '{path}'.",
    .call = "open",
    .options = options,
    .tables = tables,
    .aliases = aliases,
    .examples = examples,
    .see_also =
        "osbox-scandir(1), osbox-stat(1), osbox-walk(1), getdents(2), statx(2), strverscmp(3)",
    .main = runs<run>,
};

}  // namespace applets
