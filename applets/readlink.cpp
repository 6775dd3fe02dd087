#include "core/cli/applet.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/resolve.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  Operands paths;
  std::optional<core::Exists> canonical;
};

constexpr Option options[] = {
    sets<&Args::canonical, core::Exists::all_but_last>(
        'f', "canonicalize", "The canonical path; all but the last component has to exist"),
    sets<&Args::canonical, core::Exists::all>('e', "canonicalize-existing",
                                              "The canonical path; all of it has to exist"),
    sets<&Args::canonical, core::Exists::nothing>('m', "canonicalize-missing",
                                                  "The canonical path; nothing has to exist"),
    sets<&Args::canonical, core::Exists::all_but_last>(0, "canonical", "The same as -f"),
    paths<&Args::paths>("PATH", "A symbolic link, or with -f, -e and -m any path", Least::one),
};

struct Row {
  std::string_view path;
  std::string_view answer;
};

constexpr Field link_fields[] = {
    name<&Row::path>("path", "The operand"),
    name<&Row::answer>("target", "The text that the link holds"),
};
constexpr Field canonical_fields[] = {
    name<&Row::path>("path", "The operand"),
    name<&Row::answer>("canonical", "The absolute path, without links, '.' and '..'"),
};

constexpr Table tables[] = {
    {.fields = link_fields, .line = "{target}"},
    {.fields = canonical_fields, .line = "{canonical}", .when = "with -f, -e or -m"},
};

Outcome run(Args& args, Io& io) {
  const core::At at = args.paths.at();
  if (args.canonical == core::Exists::nothing && at.resolve.restricted()) {
    return misuse("-m looks at nothing that --beneath or --no-symlinks could keep to");
  }
  auto records = TRY(io.records<Row>(tables[args.canonical ? 1 : 0]));
  return args.paths.each(io, [&](core::Path path) -> core::Result<void> {
    auto answer =
        args.canonical ? core::canonical(path, *args.canonical, at) : core::readlink(path, at);
    if (!answer && !args.canonical && answer.error().number == EINVAL) {
      answer.error().note = "not a symbolic link";
    }
    const std::string text = TRY(std::move(answer));
    records.put({.path = path, .answer = text});
    return {};
  });
}

constexpr Example examples[] = {
    {"readlink /proc/self/exe", "What a link holds"},
    {"readlink -f /bin/..", "A path without links and dots"},
    {"readlink --format '{path} -> {target}' /proc/self/cwd", "A link and its target"},
};

}  // namespace

extern constexpr Applet readlink = {
    .name = "readlink",
    .group = Group::links,
    .summary = "print what symbolic links hold",
    .description =
        "Prints the text that each PATH, a symbolic link, holds, whatever its length and its "
        "bytes; EINVAL where PATH is no link. A text that ends in newlines keeps them, with -0 for "
        "sure and in --shell too.\n\n"
        "With -f, -e or -m the absolute path is printed that PATH, link or not, stands for. With "
        "-m a component that cannot be looked at is taken as it is written; with -f this holds for "
        "the last one where it does not exist. Unlike in GNU's readlink a failure is always "
        "told, and as many as 40 links are followed, as by Linux; after that it is ELOOP. Paths "
        "and answers may be longer than PATH_MAX.\n\n"
        "With --beneath and --no-symlinks the kernel itself resolves PATH, and -m is wrong usage. "
        "The answer of --beneath is an absolute path all the same.",
    .options = options,
    .tables = tables,
    .examples = examples,
    .see_also = "osbox-symlink(1), readlink(2), realpath(3)",
    .main = runs<run>,
};

}  // namespace applets
