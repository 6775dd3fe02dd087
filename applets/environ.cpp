#include <fnmatch.h>

#include <algorithm>

#include "core/cli/applet.hpp"
#include "core/out/quote.hpp"
#include "core/sys/environment.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  std::vector<std::string> globs;
};

constexpr Option options[] = {
    operands<&Args::globs>("GLOB", "Only entries whose name matches, as LC_*; none: all of them",
                           Least::none, Completes::variable),
};

constexpr Field fields[] = {
    name<&core::Variable::name>("name",
                                "What stands before the first '=', or all where there is none"),
    name<&core::Variable::value>("value", "What stands behind it; null where there is none"),
};

/// Quotes name and value each on its own: on a terminal NAME='a b' can be typed as it is shown.
void print_entry(const core::Variable& entry, Io& io) {
  io.print_name(entry.name);
  if (entry.value) {
    io.print("=");
    io.print_name(*entry.value);
  }
  io.end_record();
}

constexpr Table tables[] = {{.fields = fields, .print = prints<print_entry, core::Variable>}};

constexpr Example examples[] = {
    {"environ", "All of the environment"},
    {"environ 'P*'", "The entries whose names begin with P"},
    {"environ -0", "All of it for xargs -0, whatever the values hold"},
    {"environ --format '{name}'", "Names alone"},
};

constexpr Status statuses[] = {
    {"0", "every GLOB matched an entry, or none was given"},
    {"1", "a GLOB matched no entry"},
    {"2", "wrong usage, or something failed"},
};

Outcome run(Args& args, Io& io) {
  for (const std::string& glob : args.globs) {
    // It would match no name; within brackets a '=' may be one byte of several.
    if (glob.find('=') == glob.npos || glob.find('[') != glob.npos) continue;
    return misuse("GLOB " + quoted(glob) +
                  ": a name has no '='; osbox putenv sets a variable for a command");
  }
  auto records = TRY(io.records<core::Variable>(tables[0]));
  std::vector<bool> matched(args.globs.size());
  for (const char* const text : core::environment()) {
    const auto entry = core::Variable::of(text);
    bool wanted = args.globs.empty();
    for (std::size_t i = 0; i < args.globs.size(); ++i) {
      if (::fnmatch(args.globs[i].c_str(), std::string(entry.name).c_str(), 0) != 0) continue;
      matched[i] = true;
      wanted = true;
    }
    if (wanted) records.put(entry);
  }
  return std::ranges::find(matched, false) == matched.end() ? 0 : 1;
}

}  // namespace

extern constexpr Applet environ = {
    .name = "environ",
    .group = Group::processes,
    .summary = "print the environment",
    .description =
        "Prints every entry of the environment in its order, or those whose names match a GLOB, "
        "byte for byte. What a program was started with is shown as it is: names that come twice, "
        "entries with an empty name, and entries without a '=', whose value is null.\n\n"
        "In a GLOB * stands for any text, ? for any byte, and [...] for one of several. One with "
        "a '=' outside of brackets would match no name, and is wrong usage. On a terminal values "
        "are quoted as a shell takes them; elsewhere they are not, and since a value may hold "
        "newlines only -0 keeps entries apart.",
    .options = options,
    .tables = tables,
    .examples = examples,
    .statuses = statuses,
    .see_also = "osbox-getenv(1), environ(7), fnmatch(3)",
    .failure = 2,
    .main = runs<run>,
};

}  // namespace applets
