#include <sys/stat.h>

#include <algorithm>

#include "core/cli/applet.hpp"
#include "core/out/clock.hpp"
#include "core/out/number.hpp"
#include "core/sys/metadata.hpp"
#include "core/sys/stat.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;
namespace want = core::want;

struct Args {
  std::optional<timespec> access;
  std::optional<timespec> modification;
  std::optional<std::string> reference;
  core::Links links = core::Links::follow;
  Operands paths;
};

timespec timespec_of(core::Time time) {
  return {time.seconds, static_cast<long>(time.nanoseconds)};
}

std::string_view without_sign(std::string_view text) {
  return text.substr(text.starts_with('-') || text.starts_with('+') ? 1 : 0);
}

/// parse_clock, and "1795446456250000000ns", which are seconds with the point nine digits before
/// the end.
std::expected<core::Time, std::string> read_time(std::string_view text) {
  std::string_view digits = without_sign(text);
  const std::string_view sign = text.substr(0, text.size() - digits.size());
  if (!digits.ends_with("ns")) return parse_clock(text);
  digits.remove_suffix(2);
  if (!is_decimal(digits)) return parse_clock(text);
  std::string seconds(digits);
  if (seconds.size() < 10) seconds.insert(0, 10 - seconds.size(), '0');
  seconds.insert(seconds.size() - 9, 1, '.');
  return parse_clock(std::string(sign) + seconds);
}

/// True for digits alone that are no seconds of any time which is likely: 10^12 are 31,688 years.
bool are_nanoseconds(std::string_view text) {
  std::string_view digits = without_sign(text);
  if (!is_decimal(digits)) return false;
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits.size() > 12;
}

Stored parse_time(std::optional<timespec>& to, std::string_view text) {
  if (text == "now") {
    to = {0, UTIME_NOW};
  } else if (text == "omit") {
    to = {0, UTIME_OMIT};
  } else if (are_nanoseconds(text)) {
    return std::unexpected(
        "10^12 seconds or more; nanoseconds are written Nns, and seconds that are meant N.0");
  } else {
    to = timespec_of(TRY(read_time(text)));
  }
  return {};
}

constexpr Option options[] = {
    parsed<&Args::access, parse_time>(0, "atime", "TIME",
                                      "Last access: now, omit, a date or seconds since 1970"),
    parsed<&Args::modification, parse_time>(0, "mtime", "TIME",
                                            "Last change of the content, likewise"),
    value<&Args::reference>(0, "reference", "FILE", "Take the times of FILE that are not given",
                            Completes::file),
    sets<&Args::links, core::Links::no_follow>(
        0, "no-follow", "Times of a symbolic link itself, also where FILE is one"),
    paths<&Args::paths>("PATH", "File to set the times of", Least::one),
};

struct Row {
  core::Path path;
  core::Stat old;
  core::Stat now;
  const core::FileTimes* set;
  std::string_view path_bytes() const { return path; }
  core::Time old_access() const { return old.atime; }
  core::Time old_modification() const { return old.mtime; }
  core::Time access() const { return now.atime; }
  core::Time modification() const { return now.mtime; }
};

constexpr Field fields[] = {
    name<&Row::path_bytes>("path", "The operand"),
    time<&Row::old_access>("old_atime_ns", "Last access, as it was"),
    time<&Row::old_modification>("old_mtime_ns", "Last change of the content, as it was"),
    time<&Row::access>("atime_ns", "Last access, as the file system has it now"),
    time<&Row::modification>("mtime_ns", "Last change of the content, likewise"),
};

void print_line(const Row& row, Io& io) {
  std::string line = ":";
  const auto add = [&line](const char* name, const timespec& set, core::Time old, core::Time now) {
    if (set.tv_nsec == UTIME_OMIT) return;
    append_clock(line.append(line.size() > 1 ? ", " : " ").append(name), old);
    append_clock(line += " -> ", now);
  };
  add("atime ", row.set->access, row.old.atime, row.now.atime);
  add("mtime ", row.set->modification, row.old.mtime, row.now.mtime);
  io.print_name(row.path);
  io.print(line);
  io.end_record();
}

constexpr Table tables[] = {{.fields = fields, .print = prints<print_line, Row>}};

/// Sets the times by descriptor, so that the old and the new ones are those of one file.
core::Result<Row> set(core::Path path, const core::FileTimes& times, core::Links links,
                      core::At at) {
  const auto of_path = [path](auto result) {
    return core::told_as("utime", path, std::move(result));
  };
  const core::Fd file = TRY(of_path(core::open_path(path, links, at)));
  const core::Stat old = TRY(of_path(core::fstat(file, want::atime | want::mtime)));
  TRY(of_path(core::futimens(file, times)));
  // A file system may round a time, or keep it within its bounds.
  const auto now = core::told_as("stat", path, core::fstat(file, want::atime | want::mtime),
                                 "the times are set");
  return Row{path, old, TRY(now), &times};
}

Outcome run(Args& args, Io& io) {
  core::FileTimes times;
  if (args.reference) {
    const core::Stat stat =
        TRY(core::stat(*args.reference, args.links, want::atime | want::mtime, {}));
    times = {timespec_of(stat.atime), timespec_of(stat.mtime)};
  } else if (!args.access && !args.modification) {
    times = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  }
  if (args.access) times.access = *args.access;
  if (args.modification) times.modification = *args.modification;
  // The kernel would not even look whether there is such a file.
  if (times.access.tv_nsec == UTIME_OMIT && times.modification.tv_nsec == UTIME_OMIT) {
    return misuse("both times are omitted, and nothing is left to do");
  }
  auto records = TRY(io.records<Row>(tables[0]));
  const auto set_one = [&](core::Path path) -> core::Result<void> {
    const core::At at = args.paths.at();
    if (!records.wanted()) return core::utimens(path, times, args.links, at);
    records.put(TRY(set(path, times, args.links, at)));
    return {};
  };
  return args.paths.each(io, [&](core::Path path) {
    auto done = set_one(path);
    if (!done && done.error().number == ENOENT && !args.access && !args.modification &&
        read_time(path)) {
      done.error().note = "a time stands behind --mtime or --atime";
    }
    return done;
  });
}

constexpr Example examples[] = {
    {"utime stamp", "Both times are now; unlike touch, it makes no file"},
    {"utime --mtime 2026-11-23T15:07:36Z photo.jpg", "One time, the other stays"},
    {"utime --mtime -0.000000001 old", "One nanosecond before 1970"},
    {"utime --mtime 1795446456250000000ns copy",
     "As osbox stat --format '{mtime_ns}ns' tells it of another file"},
    {"utime --reference original copy", "Both times of another file"},
    {"utime --reference original --atime omit copy", "Only its mtime"},
};

}  // namespace

extern constexpr Applet utime = {
    .name = "utime",
    .group = Group::metadata,
    .summary = "set the access and modification times of files",
    .description =
        "Sets the times of the last access (atime) and of the last change of the content (mtime) "
        "of every PATH, which must exist. Without an option both become the present time, as in "
        "os.utime; that takes write permission, all else ownership. With --atime or --mtime alone "
        "the other time stays as it is. A symbolic link is followed, unless --no-follow is "
        "given.\n\n"
        "TIME is seconds since the epoch with up to nine digits behind the point and perhaps a "
        "sign (1795446456.25, -1); or nanoseconds, as records have them, with their unit "
        "(1795446456250000000ns); or a date, 2026-11-23, alone or with a time of day, "
        "2026-11-23T15:07 or 2026-11-23 15:07:36.123456789, and a zone, Z or +01:00; or now, by "
        "the clock of the kernel; or omit, which leaves the time of the file as it is. What stat "
        "shows is understood. A date has dashes: 20261123 is a second of 1970. A date alone is "
        "its midnight. Without a zone it is local time: a time that the clocks show twice is the "
        "first of them, and one that they skip is wrong usage. So are days that do not exist and "
        "a second 60.\n\n"
        "Every time that the kernel has is taken, exact to the nanosecond. Only digits alone that "
        "make 10^12 seconds or more, the year 33658, are wrong usage: they are nanoseconds as a "
        "rule, and where they are not, the seconds are written with a point, as stat shows them "
        "(1000000000000.0). What the file system "
        "cannot hold, the kernel rounds down or moves to the nearest time that it can; the records "
        "have what became of it. With --reference, FILE is looked at once; --beneath and "
        "--no-symlinks do not concern it.",
    .options = options,
    .tables = tables,
    .changes = true,
    .examples = examples,
    .see_also = "utimensat(2), touch(1)",
    .main = runs<run>,
};

}  // namespace applets
