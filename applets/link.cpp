#include "core/cli/applet.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"

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
  core::Path path;
  core::Path target;
  std::string_view path_bytes() const { return path; }
  std::string_view target_bytes() const { return target; }
};

constexpr Field fields[] = {
    name<&Row::path_bytes>("path", "SOURCE, the name there was"),
    name<&Row::target_bytes>("target", "NAME, the new name"),
};

constexpr Table tables[] = {{.fields = fields, .line = "made {target}, a name of {path}"}};

/// Adds to an EEXIST where a name in a directory may have been meant, of which a directory gets
/// none; and to an ENOENT where the other operand may have been meant to come first.
void explain(core::Error& error, core::Path source, core::Path name, core::At at) {
  const auto what = core::lstat(source, core::want::type, at);
  if (error.number == EEXIST && what && what->type != core::Type::dir) {
    not_gone_into(error, source, name, at);
  }
  if (error.number != ENOENT || what || what.error().number != ENOENT) return;
  const auto there = core::lstat(name, core::want::type, at);
  if (there && there->type != core::Type::dir) {
    error.note = "SOURCE comes first: it does not exist, and NAME does";
  }
}

Outcome run(Args& args, Io& io) {
  auto records = TRY(io.records<Row>(tables[0]));
  return args.paths.each_pair(io, [&](core::Path source, core::Path name) -> core::Result<void> {
    const core::At at = args.paths.at();
    auto done = core::link(source, name, at, args.links);
    if (!done) explain(done.error(), source, name, at);
    if (done) records.put({source, name});
    return done;
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
    .see_also = "osbox-symlink(1), link(2), ln(1)",
    .main = runs<run>,
};

}  // namespace applets
