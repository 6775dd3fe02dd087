#include "core/cli/applet.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/makedirs.hpp"

// rmdir and removedirs: the one is the other with -p.
namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  bool parents = false;
  std::optional<std::string> stop_at;
  Operands paths;
};

constexpr Option rmdir_options[] = {
    flag<&Args::parents>('p', "parents", "As removedirs: then the parents that are empty too"),
    paths<&Args::paths>("DIR", "Empty directory to remove", Least::one, Completes::directory),
};
constexpr Option removedirs_options[] = {
    value<&Args::stop_at>(0, "stop-at", "ABOVE", "Keep the directory ABOVE and what is above it",
                          Completes::directory),
    paths<&Args::paths>("DIR", "Empty directory to remove with its parents", Least::one,
                        Completes::directory),
};

struct Row {
  core::Path path;
  std::span<const std::string_view> removed;
  std::string_view path_bytes() const { return path; }
};

constexpr Field fields[] = {
    name<&Row::path_bytes>("path", "The operand"),
    names<&Row::removed>("removed", "The directories that are gone, the innermost first"),
};

void print(const Row& row, Io& io) {
  for (const std::string_view path : row.removed) {
    io.print("removed ");
    io.print_name(path);
    io.end_record();
  }
}

constexpr Table tables[] = {{.fields = fields, .print = prints<print, Row>}};

Outcome run(Args& args, Io& io) {
  const core::At at = args.paths.at();
  auto records = TRY(io.records<Row>(tables[0]));
  core::Fd stop;
  if (args.stop_at) stop = TRY(core::open(*args.stop_at, O_PATH | O_DIRECTORY, at));
  std::vector<std::string_view> removed;
  return args.paths.each(io, [&](core::Path path) -> core::Result<void> {
    removed.clear();
    if (!args.parents) {
      TRY(core::rmdir(path, at));
      removed = {path};
      records.put({path, removed});
      return {};
    }
    auto done = core::removedirs(path, at, stop ? std::optional(core::FdRef(stop)) : std::nullopt,
                                 records.wanted() ? &removed : nullptr);
    if (done || !removed.empty()) records.put({path, removed});
    return done;
  });
}

Outcome run_removedirs(Args& args, Io& io) {
  args.parents = true;
  return run(args, io);
}

constexpr Example rmdir_examples[] = {
    {"rmdir lock", "ENOTEMPTY, and nothing removed, where something is in it"},
};
constexpr Example removedirs_examples[] = {
    {"removedirs -v cache/a/b/c", "c, then b, a and cache as far as they are empty"},
    {"removedirs --stop-at cache cache/a/b/c", "The same, but cache stays"},
};

}  // namespace

extern constexpr Applet rmdir = {
    .name = "rmdir",
    .group = Group::directories,
    .summary = "remove empty directories",
    .description =
        "Removes each DIR, as rmdir(2) does. A directory with something in it is ENOTEMPTY, and "
        "what is no directory, a link to one or \"link/\" too, is ENOTDIR; \".\" is EINVAL.\n\n"
        "With -p the parents that DIR names are removed as removedirs does. Unlike in GNU's "
        "rmdir a parent that is not empty is no failure then.",
    .options = rmdir_options,
    .tables = tables,
    .changes = true,
    .examples = rmdir_examples,
    .see_also = "osbox-removedirs(1), osbox-unlink(1), osbox-mkdir(1), rmdir(2)",
    .main = runs<run>,
};

extern constexpr Applet removedirs = {
    .name = "removedirs",
    .group = Group::directories,
    .summary = "remove empty directories, then their empty parents",
    .description =
        "Removes each DIR, which must be empty, and then the parents that DIR names, from the last "
        "to the first, until one is not empty, in use or not yours to remove. That it stays is no "
        "failure, as in os.removedirs; unlike there any other errno, as EIO, is one. A component "
        "of DIR that is a symbolic link, \".\" or \"..\" stays, and all before it.\n\n"
        "With --stop-at the directory ABOVE stays whatever is in it, and all above it. ABOVE "
        "starts where the operands do, and is known by its device and inode, whatever it is "
        "called. A DIR that is not below it is EINVAL, and nothing is removed.\n\n"
        "The parents are those that were there on the way to DIR: where one is moved away "
        "meanwhile, the removing ends. DIR may be longer than PATH_MAX.",
    .call = "rmdir",
    .options = removedirs_options,
    .tables = tables,
    .changes = true,
    .examples = removedirs_examples,
    .see_also = "osbox-rmdir(1), osbox-unlink(1), osbox-makedirs(1), rmdir(2)",
    .main = runs<run_removedirs>,
};

}  // namespace applets
