#include "applets/registry.hpp"
#include "core/cli/applet.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  std::string directory;
};

constexpr Option options[] = {
    operand<&Args::directory>("DIR", "Where the links go", Completes::directory),
};

Outcome run(Args& /*args*/, Io& /*io*/) { return misuse("not yet"); }

}  // namespace

extern constexpr Applet install = {
    .name = "--install",
    .group = Group::links,
    .summary = "make links to osbox, one for each applet",
    .description = "",
    .options = options,
    .main = runs<run>,
};

}  // namespace applets
