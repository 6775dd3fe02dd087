#include "core/cli/applet.hpp"
#include "core/out/number.hpp"
#include "core/sys/metadata.hpp"
#include "core/sys/stat.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  off_t size = 0;
  Operands paths;
};

/// Decimal digits, and perhaps a letter for a power of 1024.
Stored parse_size(off_t& to, std::string_view text) {
  constexpr std::string_view letters = "KMGTPE";
  const std::size_t power = text.empty() ? letters.npos : letters.find(text.back());
  std::uint64_t unit = 1;
  if (power != letters.npos) {
    unit <<= 10 * (power + 1);
    text.remove_suffix(1);
  }
  if (!is_decimal(text)) {
    return std::unexpected("not a number of bytes, or one with K, M, G, T, P or E behind it");
  }
  std::uint64_t count = 0;
  if (!cli::detail::take(count, text) || __builtin_mul_overflow(count, unit, &to)) {
    return std::unexpected("number too large");
  }
  return {};
}

constexpr Option options[] = {
    parsed_operand<&Args::size, parse_size>(
        "SIZE", "Bytes; with K, M, G, T, P or E behind it, powers of 1024"),
    paths<&Args::paths>("PATH", "File to cut or to lengthen", Least::one),
};

struct Row {
  core::Path path;
  std::uint64_t old_size;
  off_t size;
  std::string_view path_bytes() const { return path; }
};

constexpr Field fields[] = {
    name<&Row::path_bytes>("path", "The operand"),
    natural<&Row::old_size>("old_size", "Bytes it had"),
    integer<&Row::size>("size", "Bytes it has"),
};

constexpr Table tables[] = {{.fields = fields, .line = "{path}: {old_size} -> {size} bytes"}};

/// Sets the size by descriptor, so that the old one is that of the same file.
core::Result<Row> resize(core::Path path, off_t size, core::At at) {
  const core::Fd file = TRY(core::open_path(path, core::Links::follow, at));
  const core::Stat old = TRY(core::fstat(file, core::want::size));
  TRY(core::ftruncate(file, size));
  return Row{path, old.size, size};
}

Outcome run(Args& args, Io& io) {
  auto records = TRY(io.records<Row>(tables[0]));
  return args.paths.each(io, [&](core::Path path) -> core::Result<void> {
    const core::At at = args.paths.at();
    if (!records.wanted()) return core::truncate(path, args.size, at);
    records.put(TRY(core::told_as("truncate", path, resize(path, args.size, at))));
    return {};
  });
}

constexpr Example examples[] = {
    {"truncate 0 app.log", "Empty a log that stays open"},
    {"truncate 10G -v disk.img", "Lengthen a file that is there to 10 GiB, by a hole"},
};

}  // namespace

extern constexpr Applet truncate = {
    .name = "truncate",
    .group = Group::metadata,
    .summary = "set the size of files",
    .description =
        "Makes every file PATH SIZE bytes long, as truncate(2) does. What is beyond SIZE is lost; "
        "what is new reads as zeros and takes no room on disk until it is written. A symbolic "
        "link is followed. Unlike GNU's truncate it makes no file: a missing one is ENOENT. A "
        "directory is EISDIR, and a FIFO or a device EINVAL; none is opened. A size that the file "
        "system cannot hold is EFBIG, a program that runs ETXTBSY.\n\n"
        "SIZE is a decimal number of bytes. With a letter behind it, it counts K (1024 bytes), M, "
        "G, T, P or E, each 1024 times the one before. There is no sign: os.truncate knows no "
        "relative size.\n\nWhere the old size is told (-v, records), and with --beneath and "
        "--no-symlinks, the file is held by descriptor, so that all is of one file, and /proc must "
        "be mounted.",
    .options = options,
    .tables = tables,
    .changes = true,
    .examples = examples,
    .see_also = "truncate(2), truncate(1)",
    .main = runs<run>,
};

}  // namespace applets
