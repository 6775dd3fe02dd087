#include <optional>

#include "core/cli/applet.hpp"
#include "core/cli/colour_option.hpp"
#include "core/out/colour.hpp"
#include "core/out/stat_fields.hpp"
#include "core/sys/directory.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  Operands directories;
  bool stat = false;
  core::Links links = core::Links::no_follow;
  ColourWhen colour = ColourWhen::automatic;
};

constexpr Option options[] = {
    flag<&Args::stat>("stat", "Look at every entry: add the fields of stat"),
    sets<&Args::links, core::Links::follow>(
        0, "follow", "Of a link, the type and the fields of what it leads to"),
    colour<&Args::colour>(),
    paths<&Args::directories>("DIR", "A directory to read; none: the current one", Least::none,
                              Completes::directory),
};

struct Row : StatRow {
  std::string_view name;
  std::string_view path;
  std::string_view dir;
  core::Type kind = core::Type::unknown;
  std::uint64_t entry_ino = 0;
  bool looked = false;  ///< `stat` was asked for

  std::string_view type() const { return core::type_word(kind); }
  std::uint64_t ino() const { return looked && known ? stat.ino : entry_ino; }
};

constexpr std::array entry_fields = {
    name<&Row::name>("name", "The entry's name"),
    name<&Row::path>("path", "DIR and the name"),
    text<&Row::type>("type", "file, dir, link, fifo, socket, char, block or unknown"),
    natural<&Row::ino>("ino", "Inode number: as the directory has it, or that of the other fields"),
    name<&Row::dir>("dir", "DIR"),
};

/// The fields of stat but for ino, which an entry has already.
constexpr auto more_fields = [] {
  std::array<Field, std::size(stat_fields<Row>) - 1> fields{};
  std::size_t at = 0;
  for (const Field& field : stat_fields<Row>) {
    if (field.name != "ino") fields[at++] = field;
  }
  return fields;
}();
constexpr auto all_fields = fields(entry_fields, more_fields);

constexpr Table tables[] = {
    {.fields = entry_fields, .line = "{name} {type}"},
    {.fields = all_fields,
     .line = "{name} {type} {permissions} {user} {group} {size}",
     .when = "with --stat, and for --format"},
};

/// What stands behind a name in colour.
constexpr Table behind_name(Table table) {
  table.line.remove_prefix(std::string_view("{name}").size());
  return table;
}
static_assert(behind_name(tables[0]).line == " {type}");
static_assert(behind_name(tables[1]).line.starts_with(" {type} {permissions}"));

/// Reads directories and writes their entries.
class Scan {
 public:
  /// With colours the records lack the name.
  Scan(const Args& args, Io& io, Records<Row> records, const Colours& colours)
      : io_(io),
        records_(std::move(records)),
        links_(args.links),
        at_(args.directories.at()),
        colours_(colours),
        coloured_(colours.on()) {
    row_.accounts = &accounts_;
    want_ = records_.want();
    row_.looked = want_ != core::want::nothing;
  }

  core::Result<void> operator()(core::Path dir) {
    const core::Fd directory = TRY(core::open_directory(dir, at_));
    row_.dir = dir;
    path_ = row_.dir;
    if (path_.back() != '/') path_ += '/';
    const std::size_t length = path_.size();
    reader_.begin(directory);
    for (;;) {
      const auto batch = reader_.read();
      if (!batch) return core::failure(batch.error().number, batch.error().call, dir);
      if (batch->empty()) return {};
      for (const core::DirEntry& entry : *batch) {
        path_.resize(length);
        path_ += entry.text();
        put(entry, directory);
      }
      if (!io_.writable()) return {};
    }
  }

 private:
  void put(const core::DirEntry& entry, const core::Fd& directory) {
    row_.name = entry.text();
    row_.path = path_;
    row_.kind = entry.type;
    row_.entry_ino = entry.ino;
    row_.known = true;
    if (needs_look(entry) && !look(entry, directory)) return;
    if (coloured_) [[unlikely]]
      print_name(entry, directory);
    records_.put(row_);
  }

  /// True for what may be a link that is to be resolved.
  bool goes_through(const core::DirEntry& entry) const {
    return links_ == core::Links::follow &&
           (entry.type == core::Type::unknown || entry.type == core::Type::link);
  }
  bool needs_look(const core::DirEntry& entry) const {
    return row_.looked || entry.type == core::Type::unknown || goes_through(entry);
  }

  /// Prints the name in its colour, and asks for the mode unless the row has it. It stays out of
  /// the way of what is done for each entry.
  [[gnu::noinline]] void print_name(const core::DirEntry& entry, const core::Fd& directory) {
    Colours::File file{.name = row_.name, .type = row_.kind};
    Colours::File target;
    if (needs_look(entry) && row_.known) {
      file.mode = row_.stat.mode;
    } else {
      colours_.look(file,
                    [&](core::Want want) { return core::lstat(entry.name, want, directory); });
    }
    if (file.type == core::Type::link) {
      if (goes_through(entry)) {
        file.dangling = true;
      } else if (colours_.wants_targets(false)) {
        file.leads_to(target_of(entry, directory, core::want::type | core::want::mode), target);
      }
    }
    Colours::print_name(io_, colours_.of(file), row_.name);
  }

  /// A link may lead anywhere below DIR's own base, and no further.
  core::Result<core::Stat> target_of(const core::DirEntry& entry, const core::Fd& directory,
                                     core::Want want) const {
    if (at_.resolve.restricted()) return core::stat(path_, core::Links::follow, want, at_);
    return core::stat(entry.name, core::Links::follow, want, directory);
  }

  /// Asks the kernel what the entry is; false where it has gone meanwhile. Any other failure is
  /// told, and what the directory says of the entry stands.
  bool look(const core::DirEntry& entry, const core::Fd& directory) {
    const bool unknown = entry.type == core::Type::unknown;
    const bool through = goes_through(entry);
    const core::Want want = want_ | core::want::type | core::want::ino |
                            (coloured_ ? core::want::mode : core::want::nothing);
    core::Result<core::Stat> found =
        through ? target_of(entry, directory, want) : core::lstat(entry.name, want, directory);
    if (found) {
      row_.stat = *found;
      if (unknown || through) row_.kind = found->type;
      return true;
    }
    row_.known = false;
    const int number = found.error().number;
    if (number == ENOENT && !through) return false;
    if (through && (number == ENOENT || number == ENOTDIR || number == ELOOP)) {
      auto link = core::lstat(entry.name, core::want::type, directory);
      if (link) {
        row_.kind = link->type;
        // A link that leads nowhere stays a link; only its other fields cannot be had.
        if (!row_.looked) return true;
      } else if (link.error().number == ENOENT) {
        return false;
      } else {
        found = std::move(link);
      }
    }
    io_.fail({.number = found.error().number, .call = found.error().call, .path = path_});
    return true;
  }

  Io& io_;
  Records<Row> records_;
  core::Links links_;
  core::At at_;
  core::Want want_;
  const Colours& colours_;
  bool coloured_;
  core::DirectoryReader reader_;
  core::Accounts accounts_;
  Row row_;
  std::string path_;
};

Outcome run(Args& args, Io& io) {
  const bool any_field = io.style().format == Style::Format::format;
  const Colours colours = Colours::asked(args.colour, io);
  const Table& table = tables[args.stat || any_field ? 1 : 0];
  auto records = TRY(io.records<Row>(colours.on() ? behind_name(table) : table));
  if (args.directories.empty()) args.directories.add(".");
  const ColourReset reset(colours.on(), io);
  return args.directories.each(io, Scan(args, io, std::move(records), colours));
}

constexpr Example examples[] = {
    {"scandir /dev", "Names and types, in the order of the directory"},
    {"scandir --stat --json /etc", "All there is to know, for a program"},
    {"scandir --follow --format '{type} {path}' /usr/bin", "What links lead to"},
};

}  // namespace

extern constexpr Applet scandir = {
    .name = "scandir",
    .group = Group::directories,
    .summary = "list names and types in directories",
    .description =
        "Prints the name and the type of every entry of each DIR, names with a leading dot "
        "included, \".\" and \"..\" not, in the order in which the file system has them and as "
        "they are read. The type comes from the directory itself; only where the file system "
        "keeps none, or for a colour, is the entry looked at.\n\n"
        "With --stat every entry is looked at, as by lstat. With --follow links are resolved, as "
        "by is_dir and is_file of Python's os.DirEntry: a link that leads nowhere stays a link. "
        "--format may use any field, and entries are looked at only where it does. An entry that "
        "vanishes meanwhile is left out. An entry that cannot be looked at is a failure, and is "
        "listed with what the directory says of it.\n\n"
        "On a terminal names have the colours that ls gives them, and with --color elsewhere too, "
        "but not in records for programs, --null among them. As in ls, every file and directory "
        "is looked at then for its mode, unless LS_COLORS takes the colours away that depend on "
        "it. What cannot be found out for a colour alone is no failure.\n\n"
        "The ino of a mount point is, as in os.DirEntry, that of the directory below the mount; "
        "with fields of stat it is that of the file that they tell of.",
    .call = "open",
    .options = options,
    .tables = tables,
    .examples = examples,
    .see_also = "osbox-ls(1), osbox-stat(1), osbox-walk(1), getdents(2), readdir(3), statx(2)",
    .main = runs<run>,
};

}  // namespace applets
