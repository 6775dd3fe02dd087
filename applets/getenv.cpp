#include "core/cli/applet.hpp"
#include "core/sys/environment.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  std::vector<std::string> names;
  std::optional<std::string> otherwise;
};

constexpr Option options[] = {
    value<&Args::otherwise>(0, "default", "VALUE", "What is printed for a NAME that is not set"),
    operands<&Args::names>("NAME", "Name of a variable", Least::one, Completes::variable),
};

constexpr Field fields[] = {
    name<&core::Variable::name>("name", "The name asked for"),
    name<&core::Variable::value>("value", "Its value, or that of --default; null: it is not set"),
};

constexpr Table tables[] = {{.fields = fields, .line = "{value}"}};

constexpr Example examples[] = {
    {"getenv PATH", "The value, byte for byte"},
    {"getenv --default vi VISUAL", "The value, or vi where there is none"},
    {"getenv --json HOME PATH", "Names and values for a program"},
};

constexpr Status statuses[] = {
    {"0", "every NAME is set, or --default was given"},
    {"1", "a NAME is not set"},
    {"2", "wrong usage, or something failed"},
};

Outcome run(Args& args, Io& io) {
  auto records = TRY(io.records<core::Variable>(tables[0]));
  bool all_set = true;
  for (const std::string& name : args.names) {
    const auto found = core::getenv(name);
    if (!found) {
      io.fail(found.error());
      continue;
    }
    const auto value = *found || !args.otherwise ? *found : *args.otherwise;
    all_set = all_set && value;
    if (value || records.formatted()) records.put({name, value});
  }
  return all_set ? 0 : 1;
}

}  // namespace

extern constexpr Applet getenv = {
    .name = "getenv",
    .group = Group::processes,
    .summary = "print values of environment variables",
    .description =
        "Prints the value of every NAME on a line of its own, byte for byte. Nothing is printed "
        "for a NAME that is not set, and the status is 1; with --default the given VALUE takes its "
        "place. A variable that is set to nothing is set, and an empty line is printed.\n\n"
        "A name may be in the environment several times. The first entry is printed, as getenv(3) "
        "and Python's os.getenv have it; osbox environ NAME shows all of them. An empty NAME, or "
        "one with a '=' in it, is a failure with EINVAL.",
    .options = options,
    .tables = tables,
    .examples = examples,
    .statuses = statuses,
    .see_also = "osbox-environ(1), getenv(3), environ(7)",
    .failure = 2,
    .main = runs<run>,
};

}  // namespace applets
