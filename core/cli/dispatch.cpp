#include "core/cli/dispatch.hpp"

#include <algorithm>
#include <exception>
#include <ranges>

#include "core/cli/complete.hpp"
#include "core/cli/habits.hpp"
#include "core/cli/pages.hpp"
#include "core/out/nearest.hpp"
#include "core/out/quote.hpp"

namespace cli {
namespace {

using Words = std::span<const std::string_view>;

constexpr int status_misuse = 2;
constexpr int status_unknown_applet = 127;

std::string usage(Registry registry, std::size_t columns) {
  constexpr std::pair<Group, std::string_view> groups[] = {
      {Group::directories, "Directories and what is in them"},
      {Group::metadata, "Metadata"},
      {Group::links, "Links and names"},
      {Group::processes, "Processes, environment and errors"},
  };
  constexpr std::pair<std::string_view, std::string_view> others[] = {
      {"help APPLET", "its options, its fields and examples"},
      {"help tour", "the os module by example"},
      {"--list", "the names of all applets"},
      {"--install DIR", "make links to osbox in DIR, one for each applet"},
      {"--version", "print the version"},
  };
  // Where each purpose fits into the line of its words, all of them stand there.
  constexpr std::size_t beside = 32;
  constexpr auto length = [](const auto& other) { return other.second.size(); };
  constexpr std::size_t wide = beside + std::ranges::max(std::views::transform(others, length));
  const std::size_t width = page_width(columns);
  std::string to =
      "osbox: Python's os module for the shell\n\n"
      "Usage: osbox ";
  append_wrapped(to, "APPLET [OPTION...] [OPERAND...]", 9, width);
  for (const auto& [words, purpose] : others) {
    append_entry(to, std::string("     osbox ").append(words), purpose, width < wide ? 9 : beside,
                 width);
  }
  const std::vector<Found> applets = all(registry);
  for (const auto& [group, title] : groups) {
    bool first = true;
    for (const Found& found : applets) {
      if (found.applet->group != group) continue;
      if (std::exchange(first, false)) to.append("\n").append(title).append(":\n");
      append_entry(to, found.name(), found.summary(), 15, width);
    }
  }
  return to;
}

/// " (did you mean listdir?)" for "os.listdir(path)".
std::string meant(Registry registry, std::string_view name) {
  std::string_view plain = name.substr(0, name.find('('));
  for (const std::string_view module : {"os.", "path.", "shutil."}) {
    if (plain.starts_with(module)) plain.remove_prefix(module.size());
  }
  std::string instead = use_instead("", plain);
  if (!instead.empty() && find(registry, plain).applet == nullptr) return instead;
  std::vector<std::string_view> known;
  for (const Found& found : all(registry)) known.push_back(found.name());
  // A name itself is nearer than all that are like it.
  if (std::ranges::find(known, plain) != known.end()) known = {plain};
  return out::did_you_mean(plain, known);
}

int unknown_applet(Registry registry, std::string_view name, out::Io& io) {
  io.remark("osbox: no applet " + out::quoted(name) + meant(registry, name));
  return status_unknown_applet;
}

int run(const Found& found, Words words, out::Io& io) {
  std::vector<std::string_view> all;
  if (found.alias != nullptr) {
    std::string_view options = found.alias->options;
    while (!options.empty()) {
      const std::size_t end = std::min(options.find(' '), options.size());
      all.push_back(options.substr(0, end));
      options.remove_prefix(std::min(end + 1, options.size()));
    }
  }
  all.insert(all.end(), words.begin(), words.end());
  const Call call(*found.applet, found.name(), all);
  try {
    return io.finish(found.applet->main(call, io));
  } catch (const std::exception&) {
    // The standard library throws where there is no memory; nothing else does.
    return io.finish(std::unexpected(core::Error{.number = ENOMEM, .call = "malloc"}));
  }
}

/// What belongs to osbox itself, printed and done.
int print(std::string_view text, out::Io& io) {
  io.print(text);
  return io.finish(0);
}

int print_list(Registry registry, out::Io& io) {
  std::string list;
  for (const Found& found : all(registry)) list.append(found.name()).append("\n");
  return print(list, io);
}

int misuse(const std::string& message, out::Io& io) {
  io.remark("osbox: " + message + "; see 'osbox --help'");
  return status_misuse;
}

int unknown_word(std::string_view word, out::Io& io) {
  std::vector<std::string_view> known;
  for (const OwnWord& own : own_words) known.push_back(own.word);
  std::string hint = use_instead("osbox", word);
  if (hint.empty()) hint = out::did_you_mean(word, known);
  return misuse("unknown option " + out::quoted(word) + hint, io);
}

int run_osbox(Registry registry, const Applet& install, Words words, out::Io& io) {
  io.start({.name = "osbox", .call = "osbox"}, {});
  if (words.empty()) return print(usage(registry, io.screen().columns), io);
  const std::string_view first = words.front();
  const Words rest = words.subspan(1);
  if (first == "--install") return run({&install}, rest, io);
  if (first == "--complete") return print(completions(registry, install, rest), io);

  const bool takes_applet = first == "help" || first == "--man";
  const bool own = takes_applet || first == "--help" || first == "--list" || first == "--version";
  if (own) {
    const std::size_t most = takes_applet ? 1 : 0;
    if (rest.size() > most) {
      return misuse("unexpected operand " + out::quoted(rest[most]) + use_instead("osbox", first),
                    io);
    }
    if (first == "--version") return print("osbox " OSBOX_VERSION "\n", io);
    if (first == "--list") return print_list(registry, io);
    const bool of_all = rest.empty() || rest[0] == "--help" ||
                        (first == "help" && (rest[0] == "help" || rest[0] == "osbox"));
    if (of_all) {
      if (first == "--man") return misuse("missing operand APPLET", io);
      return print(usage(registry, io.screen().columns), io);
    }
    if (first == "help" && rest[0] == "tour") return print(tour, io);
    // The page is called osbox-install(1).
    const bool of_install =
        rest[0] == install.name || (first == "help" && rest[0] == install.name.substr(2));
    const Found found = of_install ? Found{&install} : find(registry, rest[0]);
    if (found.applet == nullptr) return unknown_applet(registry, rest[0], io);
    if (first == "--man") return print(manual_page(*found.applet), io);
    constexpr std::string_view help[] = {"--help"};
    return run(found, help, io);
  }

  const Found found = find(registry, first);
  if (found.applet != nullptr) return run(found, rest, io);
  return first.starts_with('-') ? unknown_word(first, io) : unknown_applet(registry, first, io);
}

std::string_view base_name(std::string_view program) {
  return program.substr(program.rfind('/') + 1);
}

constexpr OwnWord words_of_osbox[] = {
    {"--help", "List the applets"},
    {"--install", "Make links to osbox, one for each applet"},
    {"--list", "Print the names of all applets"},
    {"--version", "Print the version"},
    {"help", "Show what an applet does"},
};

}  // namespace

constinit const std::span<const OwnWord> own_words = words_of_osbox;

Found find(Registry registry, std::string_view name) {
  const auto at = std::ranges::lower_bound(registry, name, {}, &Applet::name);
  if (at != registry.end() && (*at)->name == name) return {*at};
  for (const Applet* const applet : registry) {
    for (const Alias& alias : applet->aliases) {
      if (alias.name == name) return {applet, &alias};
    }
  }
  return {};
}

std::vector<Found> all(Registry registry) {
  std::vector<Found> found;
  for (const Applet* const applet : registry) {
    found.push_back({applet});
    for (const Alias& alias : applet->aliases) found.push_back({applet, &alias});
  }
  std::ranges::sort(found, {}, &Found::name);
  return found;
}

Found find_by_link(Registry registry, std::string_view program) {
  const std::string_view name = base_name(program);
  for (const std::string_view prefix : {"osbox-", "os-", ""}) {
    if (!name.starts_with(prefix)) continue;
    const Found found = find(registry, name.substr(prefix.size()));
    if (found.applet != nullptr) return found;
  }
  return {};
}

bool is_osbox(std::string_view program) {
  const std::string_view name = base_name(program);
  // "osbox.old" is osbox, "osbox-sta" a link that has lost its applet.
  return name.empty() || (name.starts_with("osbox") && !name.starts_with("osbox-"));
}

int dispatch(Registry registry, const Applet& install, Words words, out::Io& io) {
  // Whoever calls execve may leave argv empty.
  const std::string_view program = words.empty() ? std::string_view() : words.front();
  const Words rest = words.subspan(words.empty() ? 0 : 1);
  if (is_osbox(program)) return run_osbox(registry, install, rest, io);
  const Found found = find_by_link(registry, program);
  if (found.applet != nullptr) return run(found, rest, io);
  return unknown_applet(registry, base_name(program), io);
}

}  // namespace cli
