// Applet: what an applet is, as constant data, and how it is called.
#pragma once

#include <span>
#include <string_view>

#include "core/cli/option.hpp"
#include "core/out/io.hpp"

namespace cli {

struct Applet;

/// The groups of `osbox --help`.
enum class Group : std::uint8_t { directories, metadata, links, processes };

/// Another name for an applet, with options of its own in front of what the user gives.
struct Alias {
  std::string_view name;
  std::string_view options;  ///< words with one blank between them: "-A -1"
  std::string_view summary;
};

/// A command line that works as it stands, without the word osbox, and what it does.
struct Example {
  std::string_view command;
  std::string_view purpose;
};

/// A line of the exit status section.
struct Status {
  std::string_view status;
  std::string_view meaning;
};

/// One run of an applet, from the words behind its name.
class Call {
 public:
  Call(const Applet& applet, std::string_view name, std::span<const std::string_view> words)
      : applet_(&applet), name_(name), words_(words) {}

  /// Fills `args` and starts `io`. A status means that nothing is left to do, as after --help.
  std::expected<std::optional<int>, out::Stop> parse(void* args, out::Io& io) const;

 private:
  const Applet* applet_;
  std::string_view name_;
  std::span<const std::string_view> words_;
};

struct Applet {
  std::string_view name;
  Group group;
  std::string_view summary;      ///< one line, a verb first: "make a symbolic link"
  std::string_view description;  ///< the manual's text: paragraphs with an empty line between them
  /// The call that this applet stands for, where it does not bear its name: it is left out of
  /// messages.
  std::string_view call = {};
  std::span<const Option> options;
  std::span<const out::Table> tables = {};  ///< no table, no --json
  /// It changes something and says nothing of it: people read its records with -v only.
  bool changes = false;
  /// Its first operand is the field `target`, its second `path`, in failures as in its records.
  bool target_first = false;
  std::span<const Alias> aliases = {};
  std::span<const Example> examples = {};
  std::span<const Status> statuses = {};  ///< where they are not 0, 1 and 2 as everywhere
  std::string_view see_also = {};         ///< "stat(2)" and the like, with commas
  int failure = 1;                        ///< the status when something failed
  out::Outcome (*main)(const Call& call, out::Io& io);
};

namespace detail {
template <class>
struct ArgsOf;
template <class Args>
struct ArgsOf<out::Outcome (*)(Args&, out::Io&)> {
  using Type = Args;
};
}  // namespace detail

/// `Run`, a function of an applet's arguments and Io, as the main of its Applet.
template <auto Run>
out::Outcome runs(const Call& call, out::Io& io) {
  typename detail::ArgsOf<decltype(Run)>::Type args;
  if (const auto status = TRY(call.parse(&args, io))) return *status;
  return Run(args, io);
}

}  // namespace cli
