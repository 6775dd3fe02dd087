#include "core/cli/applet.hpp"
#include "core/cli/command.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  std::string directory;
  std::vector<std::string> command;
};

constexpr Option options[] = {
    operand<&Args::directory>("DIR", "Directory to change to", Completes::directory),
    command<&Args::command>("What osbox becomes there, with its arguments"),
};

constexpr Example examples[] = {
    {"chdir / osbox getcwd", "Where the command starts"},
    {"chdir .. pwd -P", "One directory up"},
    {"chdir /etc osbox stat --format '{size} {path}' passwd", "Operands are meant from there"},
};

Outcome run(Args& args, Io& io) {
  return become(std::move(args.command), {.directory = std::move(args.directory)}, io);
}

}  // namespace

extern constexpr Applet chdir = {
    .name = "chdir",
    .group = Group::processes,
    .summary = "run a command in another directory",
    .description =
        "Changes to DIR, as chdir(2) does, and becomes COMMAND. Symbolic links are followed. "
        "Whoever called osbox stays where it is; that is why there is a COMMAND.\n\n"
        "A COMMAND with a slash in its name, and a relative directory in PATH, are meant from DIR. "
        "$PWD and $OLDPWD are not changed, as they are not by os.chdir. An empty DIR is ENOENT: it "
        "is not the home directory.",
    .options = options,
    .examples = examples,
    .statuses = chain_statuses,
    .see_also = "osbox-getcwd(1), chdir(2)",
    .failure = 125,
    .main = runs<run>,
};

}  // namespace applets
