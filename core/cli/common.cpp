#include "core/cli/common.hpp"

namespace cli {
namespace {

using Format = out::Style::Format;

template <Format F>
Stored set_format(void* args, std::string_view text) {
  auto& style = static_cast<Common*>(args)->style;
  style.format = F;
  style.text = text;
  return {};
}

/// A prefix that a shell takes for the start of a variable's name; "*" is the default one.
Stored set_shell(void* args, std::string_view prefix) {
  if (prefix == "*") return set_format<Format::shell>(args, prefix);
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    const char c = prefix[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && !(i > 0 && c >= '0' && c <= '9')) {
      return std::unexpected("not the start of a variable's name");
    }
  }
  return set_format<Format::shell>(args, prefix);
}

template <bool out::Style::* Member>
Stored set_style(void* args, std::string_view) {
  static_cast<Common*>(args)->style.*Member = true;
  return {};
}

constexpr Option record_options[] = {
    {.name = "json", .help = "One JSON object a record", .store = set_format<Format::json>},
    {.name = "format",
     .shape = Option::Shape::value,
     .value = "TEMPLATE",
     .help = "Records as this says: '{field}' or '{field:>10}', with \\n \\t \\0 \\\\",
     .store = set_format<Format::format>},
    {.name = "shell",
     .shape = Option::Shape::optional_value,
     .value = "PREFIX",
     .help = "Assignments for eval, each name behind PREFIX (the applet's name and '_')",
     .otherwise = "*",
     .store = set_shell},
    {.name = "null",
     .letter = '0',
     .help = "End records with NUL, names raw",
     .store = set_style<&out::Style::null>},
};

/// The same where a dash and a digit are a word of the applet's own: "-0" is signal 0.
constexpr auto record_options_without_letter = [] {
  auto options = std::to_array(record_options);
  for (Option& option : options) option.letter = 0;
  return options;
}();

constexpr Option path_options[] = {
    value<&Common::files0_from>(
        0, "files0-from", "FILE",
        "Operands from FILE ('-': standard input), each with a NUL behind it", Completes::file),
    value<&Common::beneath>(0, "beneath", "DIR",
                            "Operands start in DIR and may not leave it (EXDEV)",
                            Completes::directory),
    flag<&Common::no_symlinks>("no-symlinks", "No symbolic link may be followed (ELOOP)"),
};

constexpr Option change_options[] = {
    {.name = "verbose",
     .letter = 'v',
     .help = "Tell what was done",
     .store = set_style<&out::Style::verbose>},
};

constexpr Option progress_options[] = {
    {.name = "progress",
     .help = "Count and rate on standard error, where that is a terminal",
     .store = set_style<&out::Style::progress>},
};

constexpr Option other_options[] = {
    {.name = "exit-errno",
     .help = "Exit with the errno of the first failure instead of 1",
     .store = set_style<&out::Style::exit_errno>},
    flag<&Common::help>("help", "Show this help"),
};

bool takes_paths(const Applet& applet) {
  for (const Option& option : applet.options) {
    if (option.operands != nullptr) return true;
  }
  return false;
}

bool takes_digits_for_words(const Applet& applet) {
  for (const Option& option : applet.options) {
    if (option.shape == Option::Shape::dashed && option.takes("0")) return true;
  }
  return false;
}

}  // namespace

std::vector<Section> sections(const Applet& applet) {
  std::vector<Section> all;
  all.reserve(6);
  if (!applet.options.empty()) all.push_back({"Options", applet.options, false});
  const bool paths = takes_paths(applet);
  if (paths) all.push_back({"Operands", path_options, true});
  if (applet.changes) all.push_back({"Report", change_options, true});
  if (!applet.tables.empty()) {
    const bool bare = takes_digits_for_words(applet);
    const std::span<const Option> options =
        bare ? std::span<const Option>(record_options_without_letter) : record_options;
    all.push_back({"Records", options, true});
  }
  if (paths) all.push_back({"Progress", progress_options, true});
  all.push_back({"Other", other_options, true});
  return all;
}

}  // namespace cli
