#include "core/cli/applet.hpp"
#include "core/sys/fs.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {};

struct Row {
  std::string path;
};

constexpr Field fields[] = {
    name<&Row::path>("path", "The current directory, without symbolic links"),
};

constexpr Table tables[] = {{.fields = fields, .line = "{path}"}};

constexpr Example examples[] = {
    {"getcwd", "Where this shell really is, whatever $PWD says"},
    {"getcwd --json", "The same for a program, any byte included"},
};

Outcome run(Args& /*args*/, Io& io) {
  auto records = TRY(io.records<Row>(tables[0]));
  records.put({TRY(core::getcwd())});
  return 0;
}

}  // namespace

extern constexpr Applet getcwd = {
    .name = "getcwd",
    .group = Group::processes,
    .summary = "print the current directory",
    .description =
        "Prints the path of the current directory as the kernel knows it, whatever its length. No "
        "component of it is a symbolic link, and $PWD is not asked.\n\n"
        "A current directory that was deleted is a failure with ENOENT. One that cannot be reached "
        "from the root directory, as after chroot or when its file system was detached, is printed "
        "with \"(unreachable)\" in front, and is no path.",
    .tables = tables,
    .examples = examples,
    .see_also = "osbox-chdir(1), getcwd(2), getcwd(3)",
    .main = runs<run>,
};

}  // namespace applets
