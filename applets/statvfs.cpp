#include <vector>

#include "core/cli/applet.hpp"
#include "core/out/long_lines.hpp"
#include "core/out/number.hpp"
#include "core/sys/metadata.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  Operands paths;
};

constexpr Option options[] = {
    paths<&Args::paths>("PATH", "Any file of the file system", Least::one),
};

struct FlagWord {
  unsigned long flag;
  std::string_view word;
};

// Those of statvfs(3), by the names that mount(8) has for them. The bits are the kernel's.
constexpr FlagWord flag_words[] = {
    {0x1, "ro"},          {0x2, "nosuid"},         {0x4, "nodev"},     {0x8, "noexec"},
    {0x10, "sync"},       {0x40, "mand"},          {0x400, "noatime"}, {0x800, "nodiratime"},
    {0x1000, "relatime"}, {0x2000, "nosymfollow"},
};

using Known = struct statvfs;

struct Row : Known {
  core::Path path;
  mutable std::vector<std::string_view> words = {};

  std::string_view path_bytes() const { return path; }

  /// A number of blocks in bytes, where 64 bits can tell it.
  std::optional<std::uint64_t> bytes(std::uint64_t blocks) const {
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(blocks, f_frsize, &product)) return std::nullopt;
    return product;
  }
  std::optional<std::uint64_t> total() const { return bytes(f_blocks); }
  std::optional<std::uint64_t> free() const { return bytes(f_bfree); }
  std::optional<std::uint64_t> available() const { return bytes(f_bavail); }

  std::span<const std::string_view> flags() const {
    words.clear();
    for (const auto& [flag, word] : flag_words) {
      if ((f_flag & flag) != 0) words.push_back(word);
    }
    return words;
  }
};

constexpr Field fields[] = {
    name<&Row::path_bytes>("path", "The operand"),
    natural<&Row::f_bsize, Row>("bsize", "Block size for input and output"),
    natural<&Row::f_frsize, Row>("frsize", "Bytes in a block of those below"),
    natural<&Row::f_blocks, Row>("blocks", "Blocks there are"),
    natural<&Row::f_bfree, Row>("bfree", "Blocks that are free"),
    natural<&Row::f_bavail, Row>("bavail",
                                 "Blocks that are free for everybody, not for root alone"),
    natural<&Row::f_files, Row>("files", "Inodes there are"),
    natural<&Row::f_ffree, Row>("ffree", "Inodes that are free"),
    natural<&Row::f_favail, Row>("favail", "Inodes that are free for everybody"),
    natural<&Row::f_fsid, Row>("fsid", "Id of the file system"),
    natural<&Row::f_flag, Row>("flag", "Flags of the mount, a number"),
    natural<&Row::f_namemax, Row>("namemax", "Bytes that a name may have"),
    natural<&Row::total>("total", "All blocks in bytes, null beyond 64 bits"),
    natural<&Row::free>("free", "Free blocks in bytes"),
    natural<&Row::available>("available", "Blocks free for everybody in bytes"),
    texts<&Row::flags>("flags", "Flags in words: ro, nosuid, nodev, noexec, ..."),
};

void print_block(const Row& row, Io& io) {
  std::string block;
  const auto label = [&block](std::string_view text) {
    block.append("\n  ").append(text).append(1, ':').append(13 - text.size(), ' ');
  };
  const auto number = [&](std::string_view text, std::uint64_t value) {
    label(text);
    append_number(block, value);
  };
  const auto size = [&](std::string_view text, std::uint64_t blocks) {
    label(text);
    const auto bytes = row.bytes(blocks);
    if (!bytes) {
      append_number(block, blocks);
      block += " blocks";
      return;
    }
    append_number(block, *bytes);
    append_human(block += " (", *bytes);
    block += ')';
  };
  io.print_name(row.path);
  block += ':';
  size("Size", row.f_blocks);
  size("Free", row.f_bfree);
  size("Available", row.f_bavail);
  number("Block size", row.f_frsize);
  number("Files", row.f_files);
  number("Free files", row.f_ffree);
  number("Name length", row.f_namemax);
  if (!row.flags().empty()) {
    label("Flags");
    for (const std::string_view& word : row.words) {
      if (&word != row.words.data()) block += ' ';
      block += word;
    }
  }
  io.print(block);
  io.end_record();
}

constexpr Table tables[] = {{.fields = fields, .print = prints<print_block, Row>}};

Outcome run(Args& args, Io& io) {
  auto records = TRY(io.records<Row>(tables[0]));
  return args.paths.each(io, [&](core::Path path) -> core::Result<void> {
    records.put({TRY(core::statvfs(path, args.paths.at())), path});
    return {};
  });
}

constexpr Example examples[] = {
    {"statvfs /", "What is known of the root file system"},
    {"statvfs --format '{available:>15} {path}' / /tmp", "Room in bytes"},
    {"statvfs --shell /tmp", "For eval: statvfs_available, statvfs_flags, ..."},
};

}  // namespace

extern constexpr Applet statvfs = {
    .name = "statvfs",
    .group = Group::metadata,
    .summary = "show what is known of file systems",
    .description =
        "Shows what statvfs(3) knows of the file system that every PATH is on; a symbolic link "
        "is followed. The fields from bsize to namemax are those of os.statvfs_result; blocks, "
        "bfree and bavail count blocks of frsize bytes. total, free and available are the same in "
        "bytes, exact, and null where they take more than 64 bits.\n\n"
        "Some file systems have no number of inodes, and say 0. What a quota or a control group "
        "leaves to a user is not known here.",
    .options = options,
    .tables = tables,
    .examples = examples,
    .see_also = "statvfs(3), df(1), stat(1)",
    .main = runs<run>,
};

}  // namespace applets
