// putenv and unsetenv: a command with another environment.
#include "core/cli/applet.hpp"
#include "core/cli/command.hpp"
#include "core/out/quote.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;
using Change = core::EnvironmentChange;

struct PutArgs {
  std::vector<std::string> words;
};

struct UnsetArgs {
  std::string name;
  std::vector<std::string> command;
};

constexpr Option putenv_options[] = {
    command<&PutArgs::words>("What is set, one at least, then what osbox becomes; the first word "
                             "without a '=' is the command, or the one behind --",
                             Least::one, "NAME=VALUE... COMMAND"),
};

constexpr Option unsetenv_options[] = {
    operand<&UnsetArgs::name>("NAME", "Variable that goes, all entries of that name",
                              Completes::variable),
    command<&UnsetArgs::command>(becomes_then),
};

Outcome run_putenv(PutArgs& args, Io& io) {
  std::vector<Change> changes;
  auto word = args.words.begin();
  for (; word != args.words.end(); ++word) {
    const std::size_t equals = word->find('=');
    if (equals == word->npos) break;
    changes.push_back({Change::How::set, word->substr(0, equals), word->substr(equals + 1)});
  }
  if (changes.empty()) {
    return misuse("missing operand NAME=VALUE; " + quoted(*word) + " has no '='");
  }
  if (word != args.words.end() && *word == "--") ++word;
  if (word == args.words.end()) return misuse(missing_command);
  args.words.erase(args.words.begin(), word);
  return become(std::move(args.words), {.environment = std::move(changes)}, io);
}

/// Of one more variable, which is taken for the command.
const char* second_variable(const std::string& name) {
  const auto value = core::getenv(name);
  return value && *value ? "behind one NAME stands the command" : "";
}

Outcome run_unsetenv(UnsetArgs& args, Io& io) {
  std::vector<Change> changes = {{Change::How::unset, std::move(args.name)}};
  return become(std::move(args.command), {.environment = std::move(changes)}, io, second_variable);
}

constexpr Example putenv_examples[] = {
    {"putenv THIS=that osbox getenv THIS", "One variable, and who sees it"},
    {"putenv LC_ALL=C TZ=UTC date", "Two of them"},
    {"putenv A=1 -- sh -c 'echo $A'", "The same with the command marked"},
};

constexpr Example unsetenv_examples[] = {
    {"unsetenv HOME osbox getenv --default none HOME", "One variable less"},
    {"unsetenv LC_ALL osbox unsetenv LANG date", "Two of them less"},
};

}  // namespace

extern constexpr Applet putenv = {
    .name = "putenv",
    .group = Group::processes,
    .summary = "run a command with variables set in its environment",
    .description =
        "Sets every NAME to its VALUE, byte for byte, and becomes COMMAND. A NAME that is there "
        "already keeps its place in the environment, and where it is there several times all of "
        "its entries become one; a new one is added at the end. All other entries stay as they "
        "are, those without a '=' too. An empty NAME is EINVAL, and COMMAND does not run.\n\n"
        "The words in front that have a '=' are the settings, and the first one without is the "
        "command. A command whose name has a '=' stands behind --, which ends the settings. A "
        "setting whose NAME begins with a dash needs another setting or a -- in front of it.\n\n"
        "The command is looked for in the PATH that it gets.",
    .call = "setenv",
    .options = putenv_options,
    .examples = putenv_examples,
    .statuses = chain_statuses,
    .see_also = "osbox-getenv(1), osbox-environ(1), osbox-unsetenv(1), putenv(3), setenv(3)",
    .failure = 125,
    .main = runs<run_putenv>,
};

extern constexpr Applet unsetenv = {
    .name = "unsetenv",
    .group = Group::processes,
    .summary = "run a command without a variable in its environment",
    .description =
        "Takes NAME out of the environment, all entries of that name, and becomes COMMAND. All "
        "other entries stay as they are and in their order, one that is NAME without a '=' too. A "
        "NAME that is not there is no error. An empty one, or one with a '=', is EINVAL, and "
        "COMMAND does not run.",
    .options = unsetenv_options,
    .examples = unsetenv_examples,
    .statuses = chain_statuses,
    .see_also = "osbox-getenv(1), osbox-environ(1), osbox-putenv(1), unsetenv(3)",
    .failure = 125,
    .main = runs<run_unsetenv>,
};

}  // namespace applets
