#include "core/cli/applet.hpp"
#include "core/sys/fs.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  Operands paths;
};

constexpr Option options[] = {
    paths<&Args::paths>("PATH", "Name to remove", Least::one),
};

struct Row {
  core::Path path;
  std::string_view path_bytes() const { return path; }
};

constexpr Field fields[] = {
    name<&Row::path_bytes>("path", "The name that is gone"),
};

constexpr Table tables[] = {{.fields = fields, .line = "removed {path}"}};

Outcome run(Args& args, Io& io) {
  auto records = TRY(io.records<Row>(tables[0]));
  return args.paths.each(io, [&](core::Path path) -> core::Result<void> {
    TRY(core::unlink(path, args.paths.at()));
    records.put({path});
    return {};
  });
}

constexpr Alias aliases[] = {{"remove", "", "remove names of files, as unlink"}};

constexpr Example examples[] = {
    {"unlink old.log", "One name; a directory is EISDIR"},
    {"unlink --beneath cache -v cache.db tmp/a", "Names in cache, and nowhere else"},
};

}  // namespace

extern constexpr Applet unlink = {
    .name = "unlink",
    .group = Group::directories,
    .summary = "remove names of files",
    .description =
        "Removes the name PATH, as unlink(2) does and nothing more. The file itself goes with its "
        "last name, once nobody has it open. Of a symbolic link it is the link that goes. A "
        "directory is EISDIR; rmdir is for those.",
    .options = options,
    .tables = tables,
    .changes = true,
    .aliases = aliases,
    .examples = examples,
    .see_also = "osbox-removedirs(1), osbox-rmdir(1), unlink(2), rm(1)",
    .main = runs<run>,
};

}  // namespace applets
