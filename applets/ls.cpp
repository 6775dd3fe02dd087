#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/cli/applet.hpp"
#include "core/out/colour.hpp"
#include "core/out/columns.hpp"
#include "core/out/long_lines.hpp"
#include "core/out/number.hpp"
#include "core/out/quote.hpp"
#include "core/out/stat_fields.hpp"
#include "core/out/tree.hpp"
#include "core/out/utf8.hpp"
#include "core/sys/directory.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/listing.hpp"
#include "core/sys/parallel.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;
namespace want = core::want;

enum class Hidden { left_out, almost_all, all };
enum class Layout { automatic, one, columns, lines };
enum class Sort { name, size, time, extension, version, none };

struct Args {
  Hidden hidden = Hidden::left_out;
  Layout layout = Layout::automatic;
  std::optional<Sort> sort;
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

constexpr Word<Sort> sorts[] = {
    {"name", Sort::name},           {"size", Sort::size},       {"time", Sort::time},
    {"extension", Sort::extension}, {"version", Sort::version}, {"none", Sort::none},
};

constexpr Word<FileTime> times[] = {
    {"mtime", FileTime::mtime},        {"atime", FileTime::atime},
    {"ctime", FileTime::ctime},        {"birthtime", FileTime::birthtime},
    {"modification", FileTime::mtime}, {"access", FileTime::atime},
    {"use", FileTime::atime},          {"status", FileTime::ctime},
    {"birth", FileTime::birthtime},    {"creation", FileTime::birthtime},
};

constexpr Word<ColourWhen> colours[] = {
    {"auto", ColourWhen::automatic},
    {"always", ColourWhen::always},
    {"never", ColourWhen::never},
};

/// One name a line, unless there are lines of metadata already.
Stored set_one(void* args, std::string_view) {
  auto& layout = static_cast<Args*>(args)->layout;
  if (layout != Layout::lines) layout = Layout::one;
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
    sets<&Args::sort, Sort::size>('S', "", "Sort by size, the largest first"),
    sets<&Args::sort, Sort::time>('t', "", "Sort by time, the newest first"),
    sets<&Args::sort, Sort::none>('U', "", "Do not sort, in constant memory: directory order"),
    choice<&Args::sort, sorts>(0, "sort", "WORD", "Sort by"),
    flag<&Args::reverse>('r', "reverse", "Sort the other way round"),
    sets<&Args::time, FileTime::atime>('u', "", "The time of the last access, to show and sort by"),
    sets<&Args::time, FileTime::ctime>('c', "", "The time of the last change of the metadata"),
    choice<&Args::time, times>(0, "time", "WORD", "The time to show and sort by"),
    choice<&Args::colour, colours>(0, "color", "WHEN", "Colour names; 'always' when left out",
                                   "always"),
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
    std::string_view rest = name;
    while (rest.size() > 1 && rest.back() == '/') rest.remove_suffix(1);
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

/// What is known of one entry beyond its name.
struct Facts {
  LineFacts file = {};
  int error = 0;
  bool known = false;  ///< `file` holds what was asked for
};

/// Where the names stand that are shown together.
struct Place {
  core::At at;
  std::string directory = {};
  std::string prefix = {};  ///< in front of each name in a path; empty for operands

  /// The operands themselves.
  explicit Place(core::At where) : at(where) {}
  /// The names in the directory `path`, which is open.
  Place(std::string_view path, core::FdRef opened) : at(opened), directory(path), prefix(path) {
    if (!prefix.ends_with('/')) prefix += '/';
  }

  bool of_operands() const { return prefix.empty(); }
  std::string path(std::string_view name) const { return prefix + std::string(name); }
  /// `error`, of the directory itself.
  core::Error about(core::Error error) const {
    error.path = directory;
    return error;
  }
};

core::Type type_of(const core::DirEntry& entry, const Facts& facts) {
  return facts.known && facts.file.type != core::Type::unknown ? facts.file.type : entry.type;
}

/// The mark of -F; 0 where there is none.
char mark_of(core::Type type, mode_t mode) {
  switch (type) {
    case core::Type::dir:
      return '/';
    case core::Type::link:
      return '@';
    case core::Type::fifo:
      return '|';
    case core::Type::socket:
      return '=';
    case core::Type::file:
      return (mode & 0111) != 0 ? '*' : '\0';
    default:
      return '\0';
  }
}

std::string_view extension_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == name.npos ? std::string_view() : name.substr(dot);
}

/// True where `a` comes before `b`, both with a NUL behind them. Sizes and times come later, and
/// let names decide where they are the same.
bool before(Sort sort, std::string_view a, std::string_view b) {
  if (sort == Sort::extension) {
    const int order = extension_of(a).compare(extension_of(b));
    if (order != 0) return order < 0;
  } else if (sort == Sort::version) {
    const int order = ::strverscmp(a.data(), b.data());
    if (order != 0) return order < 0;
  }
  return a < b;
}

/// Those of the lines or of the names, for an Io that a format was found right for.
Records<Row> records_of(const Args& args, Io& io) { return *io.records<Row>(table_of(args, io)); }

class Lister {
 public:
  Lister(const Args& args, Io& io, Records<Row> records);

  /// Takes an operand: to be shown with the others, or at once where they are in no order and come
  /// in any number.
  core::Result<void> take(core::Path path);

  /// Shows what was taken: files first, then directories.
  void finish();

 private:
  class OfTree;
  struct Directory {
    std::string path;
    core::Fd opened;  ///< of the first few; the others are opened again
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

  /// True where every operand that is no directory is asked for what it is when it is shown.
  bool asks_operands() const { return (want_all_ | want_for(core::Type::unknown)) != 0; }
  bool needs_all() const;
  bool hides(std::string_view name) const {
    return args_.hidden == Hidden::left_out && name[0] == '.';
  }
  core::Want want_for(core::Type type) const { return wants_[static_cast<std::size_t>(type)]; }
  core::Want find_want_for(core::Type type) const;
  void show(const Place& place);
  void gather(const Place& place);
  void order_by_stat(std::size_t size);
  void show_records(const Place& place);
  void show_names(const Place& place);
  void show_columns(const Place& place);
  void show_lines(const Place& place);

  std::size_t nth(std::size_t i) const { return order_.empty() ? i : order_[i]; }
  const Facts& facts(std::size_t i) const {
    static constexpr Facts none = {};
    return facts_.empty() ? none : facts_[i];
  }

  std::size_t inode_width() const;
  void append_inode(const Facts& facts, std::size_t width);
  std::size_t append_shown(std::string_view text, std::string_view code);
  std::size_t append_name(const Place& place, const core::DirEntry& entry, const Facts& facts);
  /// A line that is nothing but a name: its NUL becomes the end.
  void append_plain(const core::DirEntry& entry) {
    text_.append(entry.name, entry.length + std::size_t{1});
    text_.back() = line_end();
  }
  char line_end() const { return io_.style().null ? '\0' : '\n'; }
  void end_line();
  void print_lines();

  const Args& args_;
  Io& io_;
  Records<Row> records_;
  Layout layout_;
  Sort sort_;
  FileTime time_;
  LongLines lines_;
  Colours colours_;
  core::Want want_all_ = want::nothing;   ///< of every entry, whatever its type
  std::array<core::Want, 8> wants_ = {};  ///< of the entries of each type
  bool plain_ = false;                    ///< a line is a name as it stands, and nothing else
  bool headers_ = false;
  bool printed_ = false;
  bool in_tree_ = false;  ///< one of several that list the directories of a tree
  core::Accounts accounts_;

  std::size_t operands_ = 0;
  std::vector<std::string> files_;
  std::vector<Directory> directories_;

  // What is shown now: the names, what is known of them, and their order where it is another one.
  std::vector<core::DirEntry> entries_;
  std::vector<Facts> facts_;
  std::vector<core::Stat> stats_;  ///< for records: all of what is known
  std::vector<std::uint32_t> order_;

  // Memory kept from one directory to the next.
  core::DirectoryReader reader_;
  core::Listing listing_;
  std::string text_;
  std::string shown_;
};

Lister::Lister(const Args& args, Io& io, Records<Row> records)
    : args_(args),
      io_(io),
      records_(std::move(records)),
      layout_(args.layout),
      time_(args.time.value_or(FileTime::mtime)),
      lines_({.human = args.human, .numeric = args.numeric, .time = time_}) {
  if (layout_ == Layout::automatic) {
    layout_ = io.screen().output_is_terminal ? Layout::columns : Layout::one;
  }
  if (layout_ == Layout::columns && io.style().null) layout_ = Layout::one;
  sort_ = args.sort.value_or(args.time && layout_ != Layout::lines ? Sort::time : Sort::name);
  headers_ = args.recursive || args.paths.from_file();
  if (sort_ == Sort::size) want_all_ |= want::size;
  if (sort_ == Sort::time) want_all_ |= want_of(time_);
  const auto find_wants = [this] {
    for (std::size_t type = 0; type < wants_.size(); ++type) {
      wants_[type] = find_want_for(static_cast<core::Type>(type));
    }
  };
  if (records_.formatted()) {
    want_all_ |= records_.want();
    find_wants();
    return;
  }
  colours_ = Colours(args.colour, ColourSettings::of_environment(), io.screen());
  if (args.inode) want_all_ |= want::ino;
  if (layout_ == Layout::lines) want_all_ |= lines_.want();
  find_wants();
  plain_ = layout_ == Layout::one && !args.classify && !args.inode && !colours_.on() &&
           io.names() == Names::raw;
}

// ---- operands

core::Result<core::Fd> Lister::open(core::Path path) const {
  const bool links = layout_ == Layout::lines || args_.classify;
  return core::open_directory(path, args_.paths.at(),
                              links ? core::Links::no_follow : core::Links::follow);
}

/// True for what is there but could not be opened as a directory, since it is none.
bool Lister::is_file(const core::Error& why, core::Path path) const {
  if (why.number == ENOTDIR && asks_operands()) return true;  // and if not, that will be told
  // A link that leads nowhere, or to itself, is there.
  const bool dangling =
      why.number == ENOENT || (why.number == ELOOP && !args_.paths.at().resolve.no_symlinks);
  if (why.number != ENOTDIR && !dangling) return false;
  return core::lstat(path, want::nothing, args_.paths.at()).has_value();
}

core::Result<void> Lister::take(core::Path path) {
  constexpr std::size_t most_open = 8;
  const bool at_once = sort_ == Sort::none && args_.paths.from_file();
  ++operands_;
  core::Fd opened;
  if (args_.directory) {
    if (!asks_operands()) TRY(core::lstat(path, want::nothing, args_.paths.at()));
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
  if (sort_ == Sort::none || directories_.size() < 2) return;
  std::ranges::sort(directories_, [this](const Directory& a, const Directory& b) {
    return before(sort_, a.path, b.path);
  });
  if (args_.reverse) std::ranges::reverse(directories_);
  if (sort_ != Sort::size && sort_ != Sort::time) return;
  facts_.assign(directories_.size(), {});
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    const Directory& directory = directories_[i];
    const auto found = directory.opened ? core::fstat(directory.opened, want_all_)
                                        : core::stat(directory.path, want_all_, args_.paths.at());
    if (found) facts_[i].file = LineFacts(*found, time_);
  }
  order_by_stat(directories_.size());
  std::vector<Directory> ordered;
  for (const std::uint32_t i : order_) ordered.push_back(std::move(directories_[i]));
  directories_ = std::move(ordered);
}

void Lister::show_files(std::vector<std::string> paths) {
  if (sort_ != Sort::none) {
    std::ranges::sort(
        paths, [this](const std::string& a, const std::string& b) { return before(sort_, a, b); });
    if (args_.reverse) std::ranges::reverse(paths);
  }
  entries_.clear();
  for (const std::string& path : paths) {
    entries_.push_back(
        {path.c_str(), static_cast<std::uint32_t>(path.size()), core::Type::unknown, 0});
  }
  show(Place(args_.paths.at()));
}

// ---- directories

/// True where a line depends on all others: nothing can be shown before everything is known.
bool Lister::needs_all() const {
  if (sort_ == Sort::size || sort_ == Sort::time) return true;
  return !records_.formatted() && (layout_ != Layout::one || args_.inode);
}

void Lister::list(const Directory& directory) {
  if (args_.recursive) return list_tree(directory.path);
  show_header(directory.path);
  const Place place(directory.path, directory.opened);
  if (sort_ == Sort::none && !needs_all()) return stream(place, directory.opened);
  if (const auto read = listing_.read(reader_, directory.opened); !read) {
    io_.fail(place.about(read.error()));
  }
  list_names(place, listing_);
}

/// Lists the directories of a tree, for one of several threads.
class Lister::OfTree final : public Visitor {
 public:
  OfTree(Lister& whole, Io& io)
      : whole_(whole), own_(whole.args_, io, records_of(whole.args_, io)) {
    own_.headers_ = own_.printed_ = own_.in_tree_ = true;
  }

  void visit(core::Walk& walk, core::Walk::Step step) override {
    if (step != core::Walk::Step::enter) return;
    if (walk.depth() == 0) own_.printed_ = std::exchange(whole_.printed_, true);
    own_.list_entered(walk);
  }

 private:
  Lister& whole_;
  Lister own_;
};

/// Lists a directory and all below, in the order in which they are shown.
void Lister::list_tree(const std::string& root) {
  Tree tree(io_, {.walk = {.sorted = false, .whole = true}},
            [this](Io& io) { return std::make_unique<OfTree>(*this, io); });
  if (const auto done = tree.visit(root, args_.paths.at()); !done) io_.fail(done.error());
}

/// Lists the directory that was entered, and leaves to the walk those in it that were shown.
void Lister::list_entered(core::Walk& walk) {
  const auto at = walk.at();
  if (!at) return io_.fail(at.error());
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
  if (!headers_ || records_.formatted() || io_.style().null) return;
  if (printed_) io_.end_record();
  io_.print_name(path);
  io_.print(":");
  io_.end_record();
  printed_ = true;
}

constexpr core::DirEntry dots[] = {{".", 1, core::Type::dir, 0}, {"..", 2, core::Type::dir, 0}};

/// Shows the names as they come, however many there are.
void Lister::stream(const Place& place, core::FdRef directory) {
  entries_.clear();
  if (args_.hidden == Hidden::all) {
    entries_.assign(std::begin(dots), std::end(dots));
    show(place);
  }
  reader_.begin(directory);
  while (io_.writable()) {
    const auto batch = reader_.read();
    if (!batch) io_.fail(place.about(batch.error()));
    if (!batch || batch->empty()) return;
    if (plain_ && want_all_ == 0) {
      for (const core::DirEntry& entry : *batch) {
        if (!hides(entry.text())) append_plain(entry);
      }
      print_lines();
      printed_ = true;
      continue;
    }
    entries_.clear();
    for (const core::DirEntry& entry : *batch) {
      if (!hides(entry.text())) entries_.push_back(entry);
    }
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
  if (sort_ == Sort::extension || sort_ == Sort::version) {
    std::ranges::sort(all, [&](const auto& a, const auto& b) {
      return before(sort_, names.name(a), names.name(b));
    });
  } else if (sort_ != Sort::none) {
    names.sort();
  }
  if (args_.reverse && sort_ != Sort::none) std::ranges::reverse(all);
  const std::size_t block = needs_all() ? all.size() : 4096;
  std::size_t next = 0;
  do {
    entries_.clear();
    for (; next < all.size() && entries_.size() < block; ++next) {
      const auto& entry = all[next];
      entries_.push_back({names.path(entry).c_str(), entry.length, entry.type, entry.ino});
    }
    show(place);
  } while (next < all.size() && io_.writable());
  if (!args_.recursive || order_.empty()) return;
  std::vector<core::Listing::Entry> shown;
  for (const auto& entry : all) {
    const bool kept =
        shown.size() < entries_.size() && entries_[shown.size()].name == names.path(entry).c_str();
    if (kept) shown.push_back(entry);
  }
  all.clear();
  for (const std::uint32_t i : order_) all.push_back(shown[i]);
}

// ---- what is known of the names

/// What has to be asked of an entry because of its type.
core::Want Lister::find_want_for(core::Type type) const {
  if (records_.formatted()) return type == core::Type::unknown ? want::type : want::nothing;
  core::Want wanted = colours_.want(type);
  if (args_.classify && type == core::Type::file) wanted |= want::mode;
  if (args_.classify && type == core::Type::unknown) wanted |= want::type | want::mode;
  return wanted;
}

/// Asks for what the output needs, once for each entry. One that is gone meanwhile is dropped.
void Lister::gather(const Place& place) {
  facts_.clear();
  if (want_all_ == 0 && std::ranges::none_of(entries_, [this](const core::DirEntry& entry) {
        return want_for(entry.type) != 0;
      })) {
    return;
  }
  facts_.resize(entries_.size());
  if (records_.formatted()) stats_.resize(entries_.size());
  const auto ask = [&](std::size_t i) {
    const core::Want wanted = want_all_ | want_for(entries_[i].type);
    if (wanted == 0) return;
    auto found = core::lstat(entries_[i].name, wanted & ~want_target, place.at);
    facts_[i].known = found.has_value();
    if (found) {
      facts_[i].file = LineFacts(*found, time_);
      if (records_.formatted()) stats_[i] = *found;
    } else {
      facts_[i].error = found.error().number;
    }
  };
  if (in_tree_) {
    // There are threads enough.
    for (std::size_t i = 0; i < entries_.size(); ++i) ask(i);
  } else {
    core::for_each_index(entries_.size(), ask);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const int error = facts_[i].error;
    if (error == ENOENT && !place.of_operands()) continue;
    if (error != 0) {
      io_.fail({.number = error, .call = "lstat", .path = place.path(entries_[i].text())});
      if (place.of_operands()) continue;
    }
    if (kept != i) {
      entries_[kept] = entries_[i];
      facts_[kept] = facts_[i];
      if (records_.formatted()) stats_[kept] = stats_[i];
    }
    ++kept;
  }
  entries_.resize(kept);
  facts_.resize(kept);
}

/// Puts the largest or newest first; where two are the same the order of their names stays.
void Lister::order_by_stat(std::size_t size) {
  struct Key {
    core::Time time;
    std::uint32_t index;
  };
  std::vector<Key> keys;
  keys.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    const LineFacts& file = facts_[i].file;
    keys.push_back({sort_ == Sort::time
                        ? file.time
                        : core::Time{.seconds = static_cast<std::int64_t>(file.size)},
                    static_cast<std::uint32_t>(i)});
  }
  std::ranges::sort(keys, [this](const Key& a, const Key& b) {
    if (a.time != b.time) return args_.reverse ? a.time < b.time : b.time < a.time;
    return a.index < b.index;
  });
  order_.clear();
  for (const Key& key : keys) order_.push_back(key.index);
}

// ---- output

/// Shows `entries_`.
void Lister::show(const Place& place) {
  order_.clear();
  gather(place);
  if ((sort_ == Sort::size || sort_ == Sort::time) && !facts_.empty()) {
    order_by_stat(entries_.size());
  }
  if (records_.formatted()) return show_records(place);
  switch (layout_) {
    case Layout::lines:
      show_lines(place);
      break;
    case Layout::columns:
      show_columns(place);
      break;
    default:
      show_names(place);
  }
  print_lines();
  printed_ = printed_ || !entries_.empty();
}

void Lister::show_records(const Place& place) {
  Row row;
  row.accounts = &accounts_;
  row.directory = place.prefix;
  for (std::size_t i = 0; i < entries_.size() && io_.writable(); ++i) {
    const core::DirEntry& entry = entries_[nth(i)];
    const Facts& known = facts(nth(i));
    row.name = entry.text();
    row.listed = entry.type;
    if (known.known) row.stat = stats_[nth(i)];
    row.known = known.known;
    row.target.reset();
    if ((want_all_ & want_target) != 0 && type_of(entry, known) == core::Type::link) {
      if (auto target = core::readlink(entry.name, place.at)) {
        row.target = *std::move(target);
      } else {
        io_.fail({target.error().number, "readlink", place.path(entry.text())});
      }
    }
    records_.put(row);
  }
}

void Lister::show_names(const Place& place) {
  if (plain_) {
    for (std::size_t i = 0; i < entries_.size(); ++i) append_plain(entries_[nth(i)]);
    return;
  }
  const std::size_t width = inode_width();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    append_inode(facts(nth(i)), width);
    append_name(place, entries_[nth(i)], facts(nth(i)));
    end_line();
  }
}

void Lister::show_columns(const Place& place) {
  const std::size_t inode = inode_width();
  std::vector<std::size_t> ends = {0};
  std::vector<std::uint32_t> widths;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    append_inode(facts(nth(i)), inode);
    const std::size_t unseen = append_name(place, entries_[nth(i)], facts(nth(i)));
    const std::string_view cell = std::string_view(text_).substr(ends.back());
    widths.push_back(static_cast<std::uint32_t>(display_width(cell) - unseen));
    ends.push_back(text_.size());
  }
  const std::string cells = std::exchange(text_, {});
  const Columns columns = arrange(widths, io_.screen().columns);
  for (std::size_t row = 0; row < columns.rows; ++row) {
    for (std::size_t at = row; at < widths.size(); at += columns.rows) {
      text_.append(cells, ends[at], ends[at + 1] - ends[at]);
      if (at + columns.rows >= widths.size()) break;
      text_.append(columns.widths[at / columns.rows] - widths[at], ' ');
    }
    end_line();
  }
}

void Lister::show_lines(const Place& place) {
  lines_.clear();
  for (const Facts& facts : facts_) {
    if (facts.known) lines_.measure(facts.file);
  }
  if (!place.of_operands() && !io_.style().null) {
    text_ += "total ";
    lines_.append_total(text_);
    end_line();
    printed_ = true;
  }
  const std::size_t inode = inode_width();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const core::DirEntry& entry = entries_[nth(i)];
    const Facts& known = facts(nth(i));
    append_inode(known, inode);
    if (known.known) {
      lines_.append(text_, known.file);
    } else {
      lines_.append_unknown(text_, entry.type);
    }
    append_name(place, entry, known);
    end_line();
  }
}

std::size_t Lister::inode_width() const {
  std::size_t width = 0;
  if (!args_.inode) return width;
  for (const Facts& facts : facts_) {
    width = std::max(width, facts.known ? digits(facts.file.ino) : 1);
  }
  return width;
}

void Lister::append_inode(const Facts& facts, std::size_t width) {
  if (!args_.inode) return;
  if (facts.known) {
    append_right(text_, facts.file.ino, width);
  } else {
    append_right(text_, "?", width);
  }
  text_ += ' ';
}

/// Adds `text` as the screen may see it; the answer is what Colours::append says.
std::size_t Lister::append_shown(std::string_view text, std::string_view code) {
  if (io_.names() == Names::quoted) {
    shown_.clear();
    append_quoted(shown_, text);
    text = shown_;
  }
  return Colours::append(text_, code, text);
}

/// Adds a name with its colour and mark, and in a line of -l what a link holds. The answer is what
/// Colours::append says.
std::size_t Lister::append_name(const Place& place, const core::DirEntry& entry,
                                const Facts& facts) {
  const bool line = layout_ == Layout::lines;
  Colours::File file{entry.text(), type_of(entry, facts), facts.file.mode};
  const bool link = file.type == core::Type::link;
  Colours::File target;
  if (link && (colours_.wants_targets(line) || (line && args_.classify))) {
    const auto found = core::stat(entry.name, want::type | want::mode,
                                  {place.at.directory, args_.paths.at().resolve});
    file.dangling = !found;
    if (found) {
      target = {entry.text(), found->type, found->mode};
      file.target = &target;
    }
  }
  const std::size_t unseen = append_shown(file.name, colours_.of(file));
  if (!link || !line) {
    const char mark = args_.classify ? mark_of(file.type, file.mode) : '\0';
    if (mark != '\0') text_ += mark;
    return unseen;
  }
  const auto text = core::readlink(entry.name, place.at);
  if (!text) {
    io_.fail({text.error().number, "readlink", place.path(entry.text())});
    return unseen;
  }
  text_ += " -> ";
  target.name = *text;
  append_shown(*text, file.dangling ? colours_.of_missing() : colours_.of(target));
  const char mark = args_.classify ? mark_of(target.type, target.mode) : '\0';
  if (mark != '\0') text_ += mark;
  return unseen;
}

void Lister::end_line() {
  text_ += line_end();
  if (text_.size() >= std::size_t{32} << 10) print_lines();
}

void Lister::print_lines() {
  io_.print(text_);
  text_.clear();
}

Outcome run(Args& args, Io& io) {
  Lister lister(args, io, TRY(io.records<Row>(table_of(args, io))));
  if (args.paths.empty()) {
    TRY(lister.take("."));
    lister.finish();
    return 0;
  }
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
        "are names or lines alone, without headers and totals; to tell directories apart use "
        "--format '{path}'.",
    .call = "open",
    .options = options,
    .tables = tables,
    .aliases = aliases,
    .examples = examples,
    .see_also = "getdents(2), statx(2), strverscmp(3)",
    .main = runs<run>,
};

}  // namespace applets
