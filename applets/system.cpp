#include "core/cli/applet.hpp"
#include "core/cli/command.hpp"
#include "core/out/process_fields.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  bool status = false;
  std::string script;
};

constexpr Option options[] = {
    flag<&Args::status>("status", "Print the 16-bit word that os.system returns, in the end"),
    operand<&Args::script>("STRING", "What the shell runs", Completes::command),
};

using Row = EndedRow;

constexpr auto fields = ended_fields<Row>;

constexpr Table tables[] = {{.fields = fields, .line = "{status}"}};

Outcome run(Args& args, Io& io) {
  auto records = TRY(io.records<Row>(tables[0]));
  core::Program shell =
      TRY(core::Program::prepare({"/bin/sh", "-c", "--", args.script}, {.argv0 = "sh"}));
  return run_child(shell, {}, io, [&](const core::Ended& ended) {
    if (args.status || records.formatted()) records.put({.ended = ended});
  });
}

constexpr Example examples[] = {
    {"system 'echo $HOME'", "A line of shell, with what the shell expands"},
    {"system --status 'exit 3' || true", "Prints 768, the word of exit status 3"},
    {"system 'date; (sleep .1; date) &'", "The second date comes when this is over"},
};

// It has no time to be over.
static_assert(child_statuses[2].status == "124");
constexpr std::array statuses = {child_statuses[0], child_statuses[1], child_statuses[3],
                                 child_statuses[4], child_statuses[5]};

}  // namespace

extern constexpr Applet system = {
    .name = "system",
    .group = Group::processes,
    .summary = "run a line of shell and wait for it",
    .description =
        "Runs STRING with /bin/sh -c, as system(3) and os.system do, and waits for its end. The "
        "status is that of the shell: its exit code, or 128 and the number of the signal that "
        "ended it. SIGINT and SIGQUIT of the terminal reach the shell and not osbox.\n\n"
        "osbox spawn runs a command without a shell, so that nothing in its arguments is "
        "expanded.",
    .call = "spawn",
    .options = options,
    .tables = tables,
    .examples = examples,
    .statuses = statuses,
    .see_also = "osbox-spawn(1), system(3), sh(1)",
    .failure = 125,
    .main = runs<run>,
};

}  // namespace applets
