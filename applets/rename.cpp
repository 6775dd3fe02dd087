#include "core/cli/applet.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  core::Rename how = core::Rename::no_replace;
  Operands paths;
};

constexpr Option options[] = {
    sets<&Args::how, core::Rename::exchange>(0, "exchange",
                                             "Both exist, and each gets the other's name"),
    path<&Args::paths>("OLD", "The name there is"),
    path<&Args::paths>("NEW", "The name to be"),
};

struct Row {
  core::Path path;
  core::Path target;
  bool exchanged;
  std::string_view path_bytes() const { return path; }
  std::string_view target_bytes() const { return target; }
};

constexpr Field fields[] = {
    name<&Row::path_bytes>("path", "OLD, the name there was"),
    name<&Row::target_bytes>("target", "NEW, the name there is"),
    boolean<&Row::exchanged>("exchanged", "Whether what had the new name has the old one now"),
};

void print(const Row& row, Io& io) {
  io.print(row.exchanged ? "exchanged " : "renamed ");
  io.print_name(row.path);
  io.print(row.exchanged ? " and " : " to ");
  io.print_name(row.target);
  io.end_record();
}

constexpr Table tables[] = {{.fields = fields, .print = prints<print, Row>}};

/// Adds what else helps, asked once it failed.
void explain(core::Error& error, core::Path from, core::Path to, core::Rename how, core::At at) {
  const auto old = core::lstat(from, core::want::type | core::want::ino, at);
  switch (error.number) {
    case EEXIST: {
      const auto there = core::lstat(to, core::want::type | core::want::ino, at);
      const bool same = old && there && old->ino == there->ino && old->dev == there->dev;
      if (same) {
        error.note = "both are names of one file";
      } else {
        not_gone_into(error, from, to, at);
      }
      return;
    }
    case EXDEV:
      // Of two reasons, the one that is not --beneath.
      if (!core::open_parent(from, at) || !core::open_parent(to, at)) return;
      error.note = "'replace --copy' leads to another file system";
      return;
    case EINVAL:
    case ENOTSUP:
      if (how == core::Rename::exchange || !old) return;
      error.note = old->type == core::Type::dir
                       ? "a directory cannot move into itself, or RENAME_NOREPLACE is missing here"
                       : "RENAME_NOREPLACE is missing here, and link(2) is refused";
      return;
    default:
      return;
  }
}

Outcome run(Args& args, Io& io) {
  auto records = TRY(io.records<Row>(tables[0]));
  return args.paths.each_pair(io, [&](core::Path from, core::Path to) -> core::Result<void> {
    const core::At at = args.paths.at();
    auto done = core::rename(from, to, at, args.how);
    if (!done) {
      explain(done.error(), from, to, args.how, at);
      return done;
    }
    records.put({from, to, args.how == core::Rename::exchange});
    return {};
  });
}

constexpr Example examples[] = {
    {"rename draft report", "A new name, unless there is a report"},
    {"rename --exchange blue green", "Each has the other's name, at no time is one missing"},
};

}  // namespace

extern constexpr Applet rename = {
    .name = "rename",
    .group = Group::links,
    .summary = "give a file another name, overwriting nothing",
    .description =
        "Gives the file, link or directory OLD the name NEW, in one step. Nothing is overwritten: "
        "where NEW exists, a symbolic link that leads nowhere too, the answer is EEXIST, and of "
        "several who rename to one name at once one wins. NEW is the name itself and never a "
        "directory to go into. From one file system to another it is EXDEV. Overwriting, as "
        "rename(2) and os.rename do, is what replace is for.\n\n"
        "This needs renameat2(2) with RENAME_NOREPLACE. Where the kernel or the file system lacks "
        "it, what is no directory gets its new name by link(2) and then loses the old one by "
        "unlink(2), which overwrites as little; a directory is EOPNOTSUPP, or EINVAL of the file "
        "system. With --exchange there is no other way.",
    .options = options,
    .tables = tables,
    .changes = true,
    .examples = examples,
    .see_also = "osbox-replace(1), rename(2), mv(1)",
    .main = runs<run>,
};

}  // namespace applets
