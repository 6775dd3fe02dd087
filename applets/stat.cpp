#include <sys/sysmacros.h>

#include "core/cli/applet.hpp"
#include "core/out/clock.hpp"
#include "core/out/number.hpp"
#include "core/out/percent.hpp"
#include "core/out/quote.hpp"
#include "core/out/stat_fields.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/mount.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;
namespace want = core::want;

struct Args {
  Operands paths;
  core::Links links = core::Links::follow;
  std::optional<std::string> format;
};

constexpr Option options[] = {
    sets<&Args::links, core::Links::no_follow>(
        'P', "no-follow", "A symbolic link itself, not what it leads to; lstat does this"),
    sets<&Args::links, core::Links::follow>('L', "follow", "Follow links, as stat does anyway"),
    value<&Args::format>('c', "", "FORMAT", "Records as this says, in the manner of GNU's stat"),
    paths<&Args::paths>("PATH", "What to look at", Least::one),
};

struct Row : StatRow {
  core::Path path = "";
  core::At at = {};
  // What was looked up for this record, and why it was not found.
  mutable std::string text = {};
  mutable std::optional<core::Error> failure = {};

  std::string_view path_bytes() const { return path; }
  std::string_view type() const { return core::type_word(stat.type); }

  /// The text of a link, which is read only now that it is needed.
  std::optional<std::string_view> target() const {
    if (stat.type != core::Type::link) return std::nullopt;
    return keep(core::readlink(path, at));
  }

  /// The mount point.
  std::optional<std::string_view> mount_point() const {
    if (!stat.mount_id) return keep(core::failure(ENODATA, "statx", path));
    auto mount = core::find_mount(*stat.mount_id);
    if (!mount) return keep(std::unexpected(std::move(mount).error()));
    if (!*mount) return keep(core::failure(ENODATA, "mountinfo", path));
    return keep(std::move((*mount)->point));
  }

 private:
  std::optional<std::string_view> keep(core::Result<std::string> found) const {
    if (!found) {
      failure = std::move(found).error();
      return std::nullopt;
    }
    text = *std::move(found);
    return text;
  }
};

constexpr std::array path_fields = {
    name<&Row::path_bytes>("path", "The operand"),
    text<&Row::type>("type", "file, dir, link, fifo, socket, char or block", want::type),
};
constexpr std::array target_fields = {
    name<&Row::target>("target", "The text of a link, null for anything else", want::type),
};
constexpr auto all_fields = fields(path_fields, stat_fields<Row>, target_fields);

void print_block(const Row& row, Io& io) {
  const core::Stat& stat = row.stat;
  std::string block;
  const auto label = [&block](std::string_view text) {
    block.append("\n  ").append(text).append(1, ':').append(13 - text.size(), ' ');
  };
  const auto number = [&](std::string_view text, std::uint64_t value) {
    label(text);
    append_number(block, value);
  };
  const auto owner = [&](std::string_view text, std::uint64_t id, const std::string& name) {
    number(text, id);
    block += ' ';
    append_quoted(block, name);
  };
  const auto device = [&](std::string_view text, std::uint64_t value) {
    number(text, major(value));
    block += ',';
    append_number(block, minor(value));
  };
  const auto time = [&](std::string_view text, std::optional<core::Time> value) {
    label(text);
    if (value) {
      append_clock(block, *value);
    } else {
      block += '-';
    }
  };

  io.print_name(row.path);
  block += ':';
  if (const auto target = row.target()) {
    label("Target");
    if (io.names() == Names::quoted) {
      append_quoted(block, *target);
    } else {
      block += *target;
    }
  }
  number("Size", stat.size);
  label("Type");
  block += row.type();
  label("Permissions");
  append_percent(block, {.before = {}, .width = 4, .precision = 4}, stat.mode & 07777, 8);
  block += ' ';
  block += core::mode_text(stat.mode);
  owner("Owner", stat.uid, row.accounts->user(stat.uid));
  owner("Group", stat.gid, row.accounts->group(stat.gid));
  device("Device", stat.dev);
  if (stat.type == core::Type::character || stat.type == core::Type::block) {
    device("Stands for", stat.rdev);
  }
  number("Inode", stat.ino);
  number("Links", stat.nlink);
  number("Blocks", stat.blocks);
  attribute_words(stat, row.words);
  if (!row.words.empty()) {
    label("Attributes");
    for (const std::string_view& word : row.words) {
      if (&word != row.words.data()) block += ' ';
      block += word;
    }
  }
  time("Created", stat.birthtime);
  time("Modified", stat.mtime);
  time("Changed", stat.ctime);
  time("Accessed", stat.atime);
  io.print(block);
  io.end_record();
}

constexpr Table tables[] = {{.fields = all_fields,
                             .print = prints<print_block, Row>,
                             .print_want = want::basic | want::birthtime}};

// ---- -c

/// What a letter of -c stands for, and how it is written.
struct Directive {
  enum class Form : std::uint8_t { text, name, decimal, octal, hex, size, seconds, clock };
  char letter;
  Form form;
  core::Want want;
  Value (*get)(const Row& row, char modifier);
};

std::string_view file_type(const core::Stat& stat) {
  switch (stat.type) {
    case core::Type::file:
      return stat.size == 0 ? "regular empty file" : "regular file";
    case core::Type::dir:
      return "directory";
    case core::Type::link:
      return "symbolic link";
    case core::Type::character:
      return "character special file";
    case core::Type::block:
      return "block special file";
    default:
      return core::type_word(stat.type);
  }
}

/// A device, or with a modifier the part of it that H or L stands for.
Value device(std::uint64_t number, char modifier) {
  if (modifier == 'H') return Value::natural(major(number));
  if (modifier == 'L') return Value::natural(minor(number));
  return Value::natural(number);
}

/// A name in quotes, whether it needs them or not.
void append_in_quotes(std::string& to, std::string_view name) {
  const std::string quoted = out::quoted(name);
  const bool bare = quoted == name;
  to.append(bare ? "'" : "").append(quoted).append(bare ? "'" : "");
}

using F = Directive::Form;
constexpr Directive directives[] = {
    {'a', F::octal, want::mode,
     [](const Row& r, char) { return Value::natural(r.stat.mode & 07777); }},
    {'A', F::text, want::mode | want::type,
     [](const Row& r, char) { return Value::text(r.permissions = core::mode_text(r.stat.mode)); }},
    {'b', F::decimal, want::blocks,
     [](const Row& r, char) { return Value::natural(r.stat.blocks); }},
    {'B', F::decimal, want::nothing, [](const Row&, char) { return Value::natural(512); }},
    {'d', F::decimal, want::always, [](const Row& r, char m) { return device(r.stat.dev, m); }},
    {'D', F::hex, want::always, [](const Row& r, char) { return Value::natural(r.stat.dev); }},
    {'f', F::hex, want::mode | want::type,
     [](const Row& r, char) { return Value::natural(r.stat.mode); }},
    {'F', F::text, want::type | want::size,
     [](const Row& r, char) { return Value::text(file_type(r.stat)); }},
    {'g', F::decimal, want::gid, [](const Row& r, char) { return Value::natural(r.stat.gid); }},
    {'G', F::name, want::gid,
     [](const Row& r, char) { return Value::name(r.accounts->group(r.stat.gid)); }},
    {'h', F::decimal, want::nlink, [](const Row& r, char) { return Value::natural(r.stat.nlink); }},
    {'i', F::decimal, want::ino, [](const Row& r, char) { return Value::natural(r.stat.ino); }},
    {'m', F::name, want::mount_id,
     [](const Row& r, char) { return Value::name(r.mount_point().value_or("?")); }},
    {'n', F::name, want::nothing, [](const Row& r, char) { return Value::name(r.path); }},
    // What has a target comes out in two parts; see put_name.
    {'N', F::name, want::type, nullptr},
    {'o', F::decimal, want::always,
     [](const Row& r, char) { return Value::natural(r.stat.blksize); }},
    {'r', F::decimal, want::always, [](const Row& r, char m) { return device(r.stat.rdev, m); }},
    {'R', F::hex, want::always, [](const Row& r, char) { return Value::natural(r.stat.rdev); }},
    {'s', F::size, want::size, [](const Row& r, char) { return Value::natural(r.stat.size); }},
    {'t', F::hex, want::always, [](const Row& r, char) { return device(r.stat.rdev, 'H'); }},
    {'T', F::hex, want::always, [](const Row& r, char) { return device(r.stat.rdev, 'L'); }},
    {'u', F::decimal, want::uid, [](const Row& r, char) { return Value::natural(r.stat.uid); }},
    {'U', F::name, want::uid,
     [](const Row& r, char) { return Value::name(r.accounts->user(r.stat.uid)); }},
    {'w', F::clock, want::birthtime,
     [](const Row& r, char) { return value_of<Kind::time>(r.stat.birthtime); }},
    {'W', F::seconds, want::birthtime,
     [](const Row& r, char) { return Value::time(r.stat.birthtime.value_or(core::Time{})); }},
    {'x', F::clock, want::atime, [](const Row& r, char) { return Value::time(r.stat.atime); }},
    {'X', F::seconds, want::atime, [](const Row& r, char) { return Value::time(r.stat.atime); }},
    {'y', F::clock, want::mtime, [](const Row& r, char) { return Value::time(r.stat.mtime); }},
    {'Y', F::seconds, want::mtime, [](const Row& r, char) { return Value::time(r.stat.mtime); }},
    {'z', F::clock, want::ctime, [](const Row& r, char) { return Value::time(r.stat.ctime); }},
    {'Z', F::seconds, want::ctime, [](const Row& r, char) { return Value::time(r.stat.ctime); }},
};

/// The format of -c, understood.
class Printer {
 public:
  static std::expected<Printer, Usage> of(std::string_view format) {
    Printer printer;
    auto parsed = parse_percent(format);
    if (!parsed) return misuse("-c: " + parsed.error());
    for (Percent& percent : *parsed) {
      const Directive* directive = nullptr;
      for (const Directive& candidate : directives) {
        if (candidate.letter == percent.letter) directive = &candidate;
      }
      const std::string shown = percent.modifier != 0
                                    ? std::string{'%', percent.modifier, percent.letter}
                                    : std::string{'%', percent.letter};
      if (percent.letter != 0 && directive == nullptr) {
        return misuse("-c: unknown directive " + quoted(shown));
      }
      if (percent.modifier != 0 && percent.letter != 'd' && percent.letter != 'r') {
        return misuse("-c: unknown directive " + quoted(shown));
      }
      if (directive != nullptr) printer.want_ |= directive->want;
      printer.parts_.push_back({std::move(percent), directive});
    }
    return printer;
  }

  core::Want want() const { return want_; }

  void print(const Row& row, Io& io) const {
    std::string line;
    for (const auto& [percent, directive] : parts_) {
      line += percent.before;
      if (directive == nullptr) continue;
      if (directive->letter == 'N') {
        put_name(line, percent, row);
        continue;
      }
      put(line, percent, directive->form, directive->get(row, percent.modifier), io);
    }
    io.print(line);
    io.end_record();
  }

 private:
  struct Part {
    Percent percent;
    const Directive* directive;
  };

  static void put_name(std::string& to, const Percent& how, const Row& row) {
    std::string name;
    append_in_quotes(name, row.path);
    append_percent(to, how, name);
    const auto target = row.target();
    if (!target) return;
    name.clear();
    append_in_quotes(name, *target);
    to += " -> ";
    append_percent(to, how, name);
  }

  static void put(std::string& to, const Percent& how, F form, const Value& value, Io& io) {
    switch (form) {
      case F::text:
        return append_percent(to, how, value.bytes());
      case F::name:
        if (io.names() == Names::raw) return append_percent(to, how, value.bytes());
        return append_percent(to, how, quoted(value.bytes()));
      case F::decimal:
        return append_percent(to, how, value.natural(), 10);
      case F::octal:
        return append_percent(to, how, value.natural(), 8);
      case F::hex:
        return append_percent(to, how, value.natural(), 16);
      case F::size:
        return append_percent(to, how, value.integer());
      case F::seconds:
        return append_percent(to, how, value.time());
      case F::clock: {
        std::string text;
        if (value.kind() == Kind::null) {
          text = "-";
        } else {
          append_clock(text, value.time());
        }
        return append_percent(to, how, text);
      }
    }
  }

  std::vector<Part> parts_;
  core::Want want_ = want::nothing;
};

Outcome run(Args& args, Io& io) {
  std::optional<Printer> printer;
  if (args.format) {
    if (io.style().format != Style::Format::human) {
      return misuse("-c does not go together with --json, --format or --shell");
    }
    printer = TRY(Printer::of(*args.format));
  }
  auto records = TRY(io.records<Row>(tables[0]));
  const core::Want want = printer ? printer->want() : records.want();
  core::Accounts accounts;
  Row row;
  row.accounts = &accounts;
  row.at = args.paths.at();
  return args.paths.each(io, [&](core::Path path) -> core::Result<void> {
    row.stat = TRY(core::stat(path, args.links, want, row.at));
    row.path = path;
    if (printer) {
      printer->print(row, io);
    } else {
      records.put(row);
    }
    if (!row.failure) return {};
    return std::unexpected(*std::exchange(row.failure, std::nullopt));
  });
}

constexpr Alias aliases[] = {
    {"lstat", "--no-follow", "show what is known of files, without following links"}};

constexpr Example examples[] = {
    {"stat /etc/passwd", "All that is known of a file"},
    {"stat --format '{size:>8} {path}' /etc/passwd /etc/group", "Only what is asked for"},
    {"stat --json /dev/null", "A device, for a program"},
    {"stat -c '%A %U %n' /etc/passwd", "As a script for GNU's stat has it"},
};

}  // namespace

extern constexpr Applet stat = {
    .name = "stat",
    .group = Group::metadata,
    .summary = "show what is known of files",
    .description =
        "Shows what stat(2) knows of every PATH. A symbolic link is followed, as os.stat does and "
        "GNU's stat does not; lstat, or --no-follow, shows the link itself. No automount is "
        "triggered, and no FIFO or device is opened.\n\n"
        "The kernel is asked only for what the output needs. A birth time is null (or a dash) "
        "where the file system keeps none. Times are in the local time zone for people, and in "
        "nanoseconds since the epoch, of any size and sign, for programs.\n\n"
        "With -c the directives of GNU's stat for files are taken, with their flags, widths and "
        "precisions: %a %A %b %B %d %D %f %F %g %G %h %i %m %n %N %o %r %R %s %t %T %u %U %w %W "
        "%x %X %y %Y %z %Z, %Hd %Ld %Hr %Lr and %%. An unknown one is wrong usage. Other than "
        "there, %U and %G are the number where there is no name, and %N quotes always, as a "
        "shell has it. %C is not offered.",
    .options = options,
    .tables = tables,
    .aliases = aliases,
    .examples = examples,
    .see_also = "osbox-access(1), osbox-ls(1), osbox-scandir(1), stat(2), statx(2), stat(1)",
    .main = runs<run>,
};

}  // namespace applets
