#include "core/cli/applet.hpp"
#include "core/sys/fs.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  core::Links links = core::Links::no_follow;
  Operands paths;
};

constexpr Option options[] = {
    sets<&Args::links, core::Links::follow>(0, "follow",
                                            "Where SOURCE is a symbolic link, name its target"),
    path<&Args::paths>("SOURCE", "File to name once more"),
    path<&Args::paths>("NAME", "Its new name"),
};

struct Row {
  core::Path source;
  core::Path path;
  std::string_view source_bytes() const { return source; }
  std::string_view path_bytes() const { return path; }
};

constexpr Field fields[] = {
    name<&Row::path_bytes>("path", "The new name"),
    name<&Row::source_bytes>("source", "The name there was"),
};

constexpr Table tables[] = {{.fields = fields, .line = "made {path}, a name of {source}"}};

Outcome run(Args& args, Io& io) {
  auto records = TRY(io.records<Row>(tables[0]));
  return args.paths.each_pair(io, [&](core::Path source, core::Path path) -> core::Result<void> {
    TRY(core::link(source, path, args.paths.at(), args.links));
    records.put({source, path});
    return {};
  });
}

constexpr Example examples[] = {
    {"link data data.keep", "A second name for data; both are the file"},
};

}  // namespace

extern constexpr Applet link = {
    .name = "link",
    .group = Group::links,
    .summary = "give a file another name",
    .description =
        "Makes NAME another name of the file SOURCE, as link(2) does. Nothing is overwritten: "
        "where NAME exists, a directory too, the answer is EEXIST. Names on two file systems are "
        "EXDEV, and a directory is EPERM. A SOURCE that is a symbolic link is not followed: the "
        "link itself gets the name, unless --follow is given.",
    .options = options,
    .tables = tables,
    .changes = true,
    .examples = examples,
    .see_also = "link(2), ln(1)",
    .main = runs<run>,
};

}  // namespace applets
