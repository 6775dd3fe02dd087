#include <algorithm>

#include "core/cli/command.hpp"
#include "core/sys/pidfd.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  std::vector<std::string> words;
};

constexpr Option options[] = {
    command<&Args::words>("What the child becomes; behind a word ';' what osbox becomes",
                          Least::one, "CHILD"),
};

struct Row {
  core::ProcessId id;
  pid_t pid() const { return id.pid; }
  std::optional<std::uint64_t> inode() const { return id.inode; }
};

constexpr Field fields[] = {
    integer<&Row::pid>("pid", "The child"),
    natural<&Row::inode>("inode", "What tells it from others that had this id; null: unknown"),
};

constexpr Table tables[] = {{.fields = fields, .line = "{pid}"}};

Outcome run(Args& args, Io& io) {
  auto records = TRY(io.records<Row>(tables[0]));
  const auto end = std::ranges::find(args.words, ";");
  std::vector<std::string> child(args.words.begin(), end);
  if (child.empty()) return misuse("missing operand CHILD");
  std::vector<std::string> parent;
  if (end != args.words.end()) {
    parent.assign(end + 1, args.words.end());
    if (parent.empty()) return misuse("missing PARENT behind ';'");
  }
  core::Program program = TRY(core::Program::prepare(std::move(child), {}));
  const auto pid = core::spawn(program);
  if (!pid) return io.fail_with(core::unstarted_status(pid.error()), pid.error());
  const core::ProcessId id = core::id_of_child(*pid);
  records.put({id});
  if (!told_of_child(id, io) || parent.empty()) return 0;
  return become(std::move(parent), {}, io);
}

constexpr Status statuses[] = {
    {"0", "without PARENT: the child was started, and its process id printed"},
    chain_statuses[0],
    chain_statuses[1],
    {"125", "osbox failed, and standard error says at what; PARENT did not run"},
    chain_statuses[3],
    chain_statuses[4],
};

constexpr Example examples[] = {
    {"fork true \\; echo 'still its parent'", "A child, and what comes after it"},
    {"fork sleep .2 \\; osbox fork sleep .1 \\; osbox wait --count 2",
     "Two children, and their parent waits for both"},
};

}  // namespace

extern constexpr Applet fork = {
    .name = "fork",
    .group = Group::processes,
    .summary = "run a child, and go on as its parent",
    .description =
        "Forks. The child becomes CHILD; osbox prints its process id and becomes PARENT, the words "
        "behind the first one that is ';'. PARENT is still the parent of the child, so that osbox "
        "wait, or a shell's own wait, has its status to wait for. Without PARENT osbox ends, and "
        "the child goes on as an orphan. A shell as PARENT waits for any child whenever it waits "
        "for a command, and so may take the status of this one for itself.\n\n"
        "A ';' has to be quoted from the shell. PARENT may be osbox fork again, with a ';' of its "
        "own: the first one is that of the first fork. A CHILD that cannot be executed is a "
        "failure at once, and PARENT does not run; nor does it where the process id cannot be "
        "printed, and then CHILD is killed.",
    .call = "fork",
    .options = options,
    .tables = tables,
    .examples = examples,
    .statuses = statuses,
    .see_also = "osbox-spawn(1), osbox-wait(1), osbox-waitpid(1), fork(2)",
    .failure = 125,
    .main = runs<run>,
};

}  // namespace applets
