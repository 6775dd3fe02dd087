#include "core/cli/dispatch.hpp"

#include <algorithm>
#include <exception>

#include "core/cli/complete.hpp"
#include "core/cli/nearest.hpp"
#include "core/cli/pages.hpp"
#include "core/out/quote.hpp"

namespace cli {
namespace {

using Words = std::span<const std::string_view>;

constexpr int status_unknown_applet = 127;

std::string usage(Registry registry) {
  constexpr std::pair<Group, std::string_view> groups[] = {
      {Group::directories, "Directories and what is in them"},
      {Group::metadata, "Metadata"},
      {Group::links, "Links and names"},
      {Group::processes, "Processes, their environment and their errors"},
  };
  std::string to =
      "osbox: Python's os module for the shell\n\n"
      "Usage: osbox APPLET [OPTION...] [OPERAND...]\n"
      "       osbox help APPLET        what the applet does, its options and fields\n"
      "       osbox --list             the names of all applets\n"
      "       osbox --install DIR      links to osbox in DIR, one for each applet\n"
      "       osbox --version\n";
  for (const auto& [group, title] : groups) {
    to.append("\n").append(title).append(":\n");
    for (const Found& found : all(registry)) {
      if (found.applet->group != group) continue;
      to.append("  ").append(found.name());
      to.append(13 - std::min<std::size_t>(12, found.name().size()), ' ');
      to.append(found.summary()).append("\n");
    }
  }
  return to;
}

int unknown_applet(Registry registry, std::string_view name, out::Io& io) {
  std::vector<std::string_view> known;
  for (const Found& found : all(registry)) known.push_back(found.name());
  io.remark("osbox: no applet " + out::quoted(name) + did_you_mean(name, known));
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

/// A word that belongs to osbox itself, printed and done.
int print(std::string_view text, out::Io& io) {
  io.start({.name = "osbox"}, {});
  io.print(text);
  return io.finish(0);
}

int run_osbox(Registry registry, const Applet& install, Words words, out::Io& io) {
  if (words.empty()) return print(usage(registry), io);
  const std::string_view first = words.front();
  const Words rest = words.subspan(1);
  if (first == "help" && !rest.empty()) {
    constexpr std::string_view help[] = {"--help"};
    const Found found = find(registry, rest.front());
    return found.applet != nullptr ? run(found, help, io)
                                   : unknown_applet(registry, rest.front(), io);
  }
  if (first == "--help" || first == "help") return print(usage(registry), io);
  if (first == "--version") return print("osbox " OSBOX_VERSION "\n", io);
  if (first == "--list") {
    std::string list;
    for (const Found& found : all(registry)) list.append(found.name()).append("\n");
    return print(list, io);
  }
  if (first == "--install") return run({&install}, rest, io);
  if (first == "--complete") return print(completions(registry, install, rest), io);
  if (first == "--man" && !rest.empty()) {
    const Found found = find(registry, rest.front());
    if (found.applet == nullptr) return unknown_applet(registry, rest.front(), io);
    return print(manual_page(*found.applet), io);
  }
  const Found found = find(registry, first);
  if (found.applet == nullptr) return unknown_applet(registry, first, io);
  return run(found, rest, io);
}

}  // namespace

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

int dispatch(Registry registry, const Applet& install, Words words, out::Io& io) {
  if (words.empty()) return run_osbox(registry, install, words, io);
  std::string_view name = words.front();
  name.remove_prefix(name.rfind('/') + 1);
  for (const std::string_view prefix :
       {std::string_view("osbox-"), std::string_view("os-"), std::string_view()}) {
    if (!name.starts_with(prefix)) continue;
    const Found found = find(registry, name.substr(prefix.size()));
    if (found.applet != nullptr) return run(found, words.subspan(1), io);
  }
  if (name.starts_with("osbox")) return run_osbox(registry, install, words.subspan(1), io);
  return unknown_applet(registry, name, io);
}

}  // namespace cli
