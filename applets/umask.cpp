#include <sys/stat.h>

#include "core/cli/applet.hpp"
#include "core/cli/command.hpp"
#include "core/cli/process_value.hpp"
#include "core/sys/mode.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

constexpr mode_t all = S_IRWXU | S_IRWXG | S_IRWXO;

struct Args {
  std::optional<mode_t> mask;
  std::vector<std::string> command;
};

constexpr Option options[] = {
    parsed_operand<&Args::mask, take_umask>(
        "MODE", "What new files do not get, octal; or what they may get, as u=rwx,g-w"),
    command<&Args::command>(becomes_then, Least::none),
};

struct Row {
  mode_t mask;
  mutable std::string text = {};

  /// What the mask lets through: "u=rwx,g=rx,o=rx".
  std::string_view symbolic() const {
    text.clear();
    const mode_t allowed = all & ~mask;
    for (const auto& [who, shift] :
         {std::pair("u=", 6), std::pair(",g=", 3), std::pair(",o=", 0)}) {
      text += who;
      for (const auto& [letter, bit] :
           {std::pair('r', 4U), std::pair('w', 2U), std::pair('x', 1U)}) {
        if ((allowed >> shift & bit) != 0) text += letter;
      }
    }
    return text;
  }
};

constexpr Field fields[] = {
    natural<&Row::mask>("umask", "The permissions that new files do not get"),
    text<&Row::symbolic>("symbolic", "Those that they may get, as umask(1) has them with -S"),
};

constexpr Table tables[] = {{.fields = fields, .line = "{umask:04o}"}};

constexpr Example examples[] = {
    {"umask", "That of this shell"},
    {"umask --format '{symbolic}'", "The same as what it lets through"},
    {"umask 077 osbox umask", "A command whose new files are its user's own"},
    {"umask g=rx,o= osbox umask", "Symbolic, the rest as it is"},
};

constexpr Status statuses[] = {
    {"0", "without MODE: the umask was printed"},
    {"1", "without MODE: it could not be printed"},
    chain_statuses[0],
    chain_statuses[1],
    chain_statuses[2],
    chain_statuses[3],
    chain_statuses[4],
};

Outcome run(Args& args, Io& io) {
  if (!args.mask) {
    io.set_failure(1);
    auto records = TRY(io.records<Row>(tables[0]));
    records.put({core::get_umask()});
    return 0;
  }
  if (args.command.empty()) return misuse(missing_command);
  if (io.style().needs_records()) return misuse(no_records);
  return become(std::move(args.command), {.umask = args.mask}, io);
}

}  // namespace

extern constexpr Applet umask = {
    .name = "umask",
    .group = Group::processes,
    .summary = "print the umask, or run a command with another one",
    .description =
        "Without operands, prints the umask of osbox, which is that of the process that runs it. "
        "With MODE it sets that and becomes COMMAND.\n\n"
        "An octal MODE, of at most 777 and with or without 0o before it, is what new files do "
        "not get. A symbolic one is the opposite, as in umask(1): what they may get, to begin with "
        "what the umask lets through now, so that g-w takes away from the group and o= leaves the "
        "others nothing. Where nobody is named, as in +w, all are meant. Set-ids and the sticky "
        "bit are wrong usage: umask(2) would drop them. A directory with a default ACL does not "
        "ask the umask.",
    .options = options,
    .tables = tables,
    .examples = examples,
    .statuses = statuses,
    .see_also = "osbox-chmod(1), sh(1), umask(2)",
    .failure = 125,
    .main = runs<run>,
};

}  // namespace applets
