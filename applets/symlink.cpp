#include <algorithm>

#include "core/cli/applet.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/resolve.hpp"
#include "core/sys/stat.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  bool replace = false;
  bool relative = false;
  Operands paths;
};

constexpr Option options[] = {
    flag<&Args::replace>("replace", "Take the place of a symbolic link LINK, in one step"),
    flag<&Args::relative>("relative", "Write TARGET as it is reached from the directory of LINK"),
    path<&Args::paths>("TARGET", "The text that the link holds; it need not lead anywhere"),
    path<&Args::paths>("LINK", "Name of the new link"),
};

struct Row {
  core::Path path;
  std::string_view target;
  std::optional<std::string> replaced;
  std::string_view path_bytes() const { return path; }
};

constexpr Field fields[] = {
    name<&Row::path_bytes>("path", "The new link"),
    name<&Row::target>("target", "The text that it holds"),
    name<&Row::replaced>("replaced", "With --replace, the text of the link that was there"),
};

void print(const Row& row, Io& io) {
  io.print("made ");
  io.print_name(row.path);
  io.print(" -> ");
  io.print_name(row.target);
  if (row.replaced) {
    io.print(", which was -> ");
    io.print_name(*row.replaced);
  }
  io.end_record();
}

constexpr Table tables[] = {{.fields = fields, .print = prints<print, Row>}};

/// The way from one absolute path without links and dots to another.
std::string way(std::string_view from, std::string_view to) {
  // "/" has no name in it, and all others begin with a slash.
  if (from == "/") from = {};
  if (to == "/") to = {};
  std::size_t common = 0;
  for (std::size_t i = 0;; ++i) {
    const bool from_ends = i == from.size() || from[i] == '/';
    const bool to_ends = i == to.size() || to[i] == '/';
    if (from_ends && to_ends) common = i;
    if (i == from.size() || i == to.size() || from[i] != to[i]) break;
  }
  std::string way;
  for (auto i = std::ranges::count(from.substr(common), '/'); i > 0; --i) way += "../";
  way += to.substr(std::min(common + 1, to.size()));
  if (way.empty()) return ".";
  if (way.back() == '/') way.pop_back();
  return way;
}

/// `target` as it is reached from the directory of `link`.
core::Result<std::string> relative(core::Path target, core::Path link, core::At at) {
  std::string directory(core::without_slashes(link));
  directory.resize(directory.rfind('/') + 1);
  if (directory.empty()) directory = ".";
  // With --beneath the kernel resolves, and more than the last component has to be there.
  const auto exists = at.resolve.restricted() ? core::Exists::all_but_last : core::Exists::nothing;
  const auto both = [&]() -> core::Result<std::string> {
    const std::string to = TRY(core::canonical(target, exists, at));
    return way(TRY(core::canonical(directory, core::Exists::all, at)), to);
  };
  auto made = both();
  if (!made) {
    made.error().path = target.c_str();
    made.error().target = link.c_str();
  }
  return made;
}

/// True where nothing is at `path`.
bool is_missing(core::Path path, core::At at) {
  const auto found = core::lstat(path, core::want::nothing, at);
  return !found && (found.error().number == ENOENT || found.error().number == ENOTDIR);
}

/// Adds to an EEXIST where a directory, or the operand in front, may have been meant.
void explain(core::Error& error, core::Path target, core::Path link, core::At at) {
  if (not_gone_into(error, target, link, at)) return;
  const auto there = core::lstat(link, core::want::type, at);
  if (!there || there->type == core::Type::link) return;
  const std::string_view way = target;
  std::string from_link(core::without_slashes(link));
  from_link.resize(way.starts_with('/') ? 0 : from_link.rfind('/') + 1);
  if (!is_missing(target, at) || !is_missing(from_link.append(way), at)) return;
  error.note = "TARGET comes first: it does not exist, and LINK does";
}

Outcome run(Args& args, Io& io) {
  auto records = TRY(io.records<Row>(tables[0]));
  return args.paths.each_pair(io, [&](core::Path target, core::Path path) -> core::Result<void> {
    const core::At at = args.paths.at();
    const std::string text = args.relative ? TRY(relative(target, path, at)) : target.c_str();
    std::optional<std::string> replaced;
    auto done = [&]() -> core::Result<void> {
      if (!args.replace) return core::symlink(text, path, at);
      replaced = TRY(core::replace_symlink(text, path, at));
      return {};
    }();
    if (!done) {
      core::Error& error = done.error();
      if (error.number == EEXIST && error.note.empty()) explain(error, target, path, at);
      if (error.number == ENOTSUP && args.replace && error.note.empty()) {
        error.note = "make it under another name, and use 'replace'";
      }
      return done;
    }
    records.put({path, text, std::move(replaced)});
    return {};
  });
}

constexpr Example examples[] = {
    {"symlink /usr/share/zoneinfo/UTC localtime", "Point localtime at UTC"},
    {"symlink --replace releases/42 current", "Switch to another release at once"},
    {"symlink --relative lib/tool bin/tool", "The link bin/tool holds ../lib/tool"},
};

}  // namespace

extern constexpr Applet symlink = {
    .name = "symlink",
    .group = Group::links,
    .summary = "make a symbolic link",
    .description =
        "Makes LINK a symbolic link that holds the text TARGET, as symlink(2) does. Nothing is "
        "looked for at TARGET and nothing is overwritten: where LINK exists, the answer is EEXIST. "
        "Unlike with ln -s, this holds for a directory too; nothing is ever made in it.\n\n"
        "With --replace a LINK that is a symbolic link gets its new text in one step: at any time "
        "it is the old link or the new one. What is no symbolic link is left alone, EEXIST, and "
        "where the file system or the kernel cannot exchange two names the answer is "
        "EOPNOTSUPP.\n\n"
        "With --relative both TARGET and the directory of LINK are resolved, as by readlink -m and "
        "-e, and the link holds the way from the one to the other, as with ln -sr. A relative "
        "TARGET is then one of the current directory.",
    .options = options,
    .tables = tables,
    .changes = true,
    .target_first = true,
    .examples = examples,
    .see_also = "osbox-link(1), osbox-readlink(1), symlink(2), ln(1), readlink(1)",
    .main = runs<run>,
};

}  // namespace applets
