#include <fcntl.h>

#include <cerrno>

#include "applets/registry.hpp"
#include "core/cli/applet.hpp"
#include "core/out/nearest.hpp"
#include "core/out/quote.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/program.hpp"
#include "core/sys/signal.hpp"
#include "core/sys/spot.hpp"
#include "core/sys/stat.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  bool hard = false;
  bool remove = false;
  std::string_view prefix;
  std::string directory;
  std::vector<std::string> applets;
};

// Under another prefix osbox would not know what the link means.
constexpr Word<std::string_view> prefixes[] = {{"os-", "os-"}, {"osbox-", "osbox-"}};

constexpr Option options[] = {
    flag<&Args::hard>("hard", "Hard links instead of symbolic ones"),
    choice<&Args::prefix, prefixes>(0, "prefix", "PFX", "Put PFX in front of each name"),
    flag<&Args::remove>("remove", "Remove such links, of either form, instead of making them"),
    operand<&Args::directory>("DIR", "Directory the links go to; it must exist",
                              Completes::directory),
    operands<&Args::applets>("APPLET", "Applet or alias to link; none: all of them", Least::none,
                             Completes::applet),
};

struct Row {
  std::string path;
  std::string_view applet;
  std::string_view target;
  std::string_view action;
};

constexpr Field fields[] = {
    name<&Row::path>("path", "The link"),
    text<&Row::applet>("applet", "What it runs"),
    name<&Row::target>("target", "The file of osbox that it leads to"),
    text<&Row::action>("action",
                       "made; kept, where it was there; replaced, where it was of the "
                       "other form; removed"),
};

constexpr Table tables[] = {{.fields = fields, .line = "{action} {path} -> {target}"}};

constexpr Example examples[] = {
    {"--install --prefix os- ~/bin", "Make os-stat, os-walk and all the others in ~/bin"},
    {"--install /usr/local/bin strerror", "Make one of them, under its plain name"},
    {"--install --remove --prefix os- ~/bin",
     "Remove what the first has made, while osbox is still there"},
};

/// The program all links lead to.
struct Program {
  std::string path;
  core::Stat file;
  core::Stat directory;
};

core::Result<Program> find_program() {
  Program program;
  program.path = TRY(core::program_path());
  program.file = TRY(core::stat(program.path));
  program.directory = TRY(core::stat(program.path.substr(0, program.path.rfind('/') + 1)));
  return program;
}

/// Makes links in one directory.
class Linker {
 public:
  Linker(const Program& program, bool hard, std::string directory, core::FdRef there,
         const core::Stat& identity)
      : program_(program),
        hard_(hard),
        directory_(std::move(directory)),
        there_(there),
        holds_program_(same_file(identity, program.directory)) {
    if (!directory_.ends_with('/')) directory_ += '/';
  }

  /// The link called `name`, and what was done for it.
  core::Result<Row> link(const std::string& name, std::string_view applet) {
    Row row{directory_ + name, applet, program_.path, "made"};
    const auto made = make(name);
    if (made) return row;
    if (made.error().number != EEXIST) return core::failure(made.error().number, call(), row.path);
    const auto old = core::lstat(name, core::want::basic, there_);
    if (!old) return core::failure(old.error().number, call(), row.path);
    const auto found = look(name, *old);
    if (!found) return core::failure(found.error().number, found.error().call, row.path);
    switch (*found) {
      case Found::itself:
      case Found::same:
        row.action = "kept";
        return row;
      case Found::other_form:
        row.action = "replaced";
        if (auto replaced = replace({there_, name, row.path}, *old); !replaced) {
          replaced.error().path = row.path;
          return std::unexpected(std::move(replaced).error());
        }
        return row;
      case Found::foreign:
        break;
    }
    return core::failure(EEXIST, call(), row.path);
  }

  /// Removes the link called `name`, and says so. Fails with EEXIST where it is something else.
  core::Result<Row> remove(const std::string& name, std::string_view applet) const {
    Row row{directory_ + name, applet, program_.path, "removed"};
    const auto self = core::lstat(name, core::want::basic, there_);
    if (!self) return core::failure(self.error().number, "unlink", row.path);
    const auto seen = look(name, *self);
    if (!seen) return core::failure(seen.error().number, seen.error().call, row.path);
    const Found found = *seen;
    if (found == Found::same || found == Found::other_form) {
      // Whatever has the name by now, what was looked at is removed, or nothing.
      auto removed = core::discard({there_, name, row.path}, *self);
      if (!removed) {
        removed.error().path = row.path;
        return std::unexpected(std::move(removed).error());
      }
      if (*removed) return row;
    }
    return std::unexpected(
        core::Error{.number = EEXIST,
                    .call = "unlink",
                    .path = row.path,
                    .note = found == Found::itself ? "osbox itself" : "no link to osbox"});
  }

 private:
  enum class Found { itself, same, other_form, foreign };

  const char* call() const { return hard_ ? "link" : "symlink"; }

  core::Result<void> make(const std::string& name) const {
    if (!hard_) return core::symlink(program_.path, name, there_);
    // Both paths start at one place; an absolute one starts where it likes.
    return core::link(program_.path, name, there_);
  }

  /// What has the name already, which is `self`.
  core::Result<Found> look(const std::string& name, const core::Stat& self) const {
    if (same_file(self, program_.file)) {
      if (holds_program_ && program_.path.ends_with("/" + name)) return Found::itself;
      return hard_ ? Found::same : Found::other_form;
    }
    if (self.type != core::Type::link) return Found::foreign;
    if (TRY(core::readlink(name, there_)) == program_.path) {
      return hard_ ? Found::other_form : Found::same;
    }
    const auto led_to = core::stat(name, core::want::basic, there_);
    if (led_to) return same_file(*led_to, program_.file) ? Found::other_form : Found::foreign;
    const int number = led_to.error().number;
    // A link that leads nowhere, or where one may not go, does not lead to osbox.
    if (number == ENOENT || number == ENOTDIR || number == ELOOP || number == EACCES) {
      return Found::foreign;
    }
    return std::unexpected(led_to.error());
  }

  /// Puts a link of the wanted form in the place of `old`, without a moment between. EBUSY where
  /// another file has the name by then.
  core::Result<void> replace(const core::Spot& spot, const core::Stat& old) const {
    // Nothing that would end osbox may leave the name in between behind.
    const core::HeldSignals held;
    const std::string fresh = TRY(core::temporary_name());
    TRY(make(fresh));
    auto replaced = core::rename({there_, fresh, directory_ + fresh}, spot, old, true);
    if (replaced || replaced.error().note_path) return replaced;
    if (!core::unlink(fresh, there_)) {
      replaced.error().note = core::joined_notes(replaced.error().note, "left behind is");
      replaced.error().note_path = directory_ + fresh;
    }
    return replaced;
  }

  const Program& program_;
  bool hard_;
  std::string directory_;
  core::FdRef there_;
  bool holds_program_;
};

/// Where all links are removed, what is none of them is no failure.
bool stays(const core::Error& error) { return error.number == ENOENT || error.number == EEXIST; }

Outcome run(Args& args, Io& io) {
  if (args.hard && args.remove)
    return misuse("--remove takes links of either form, without --hard");
  std::vector<std::string_view> known;
  for (const cli::Found& found : all(registry)) known.push_back(found.name());
  std::vector<std::string_view> wanted(args.applets.begin(), args.applets.end());
  if (wanted.empty()) wanted = known;
  for (const std::string_view name : wanted) {
    if (find(registry, name).applet != nullptr) continue;
    return misuse("no applet " + quoted(name) + did_you_mean(name, known));
  }

  auto records = TRY(io.records<Row>(tables[0]));
  const core::Fd directory = TRY(core::open(args.directory, O_PATH | O_DIRECTORY));
  const auto identity = core::fstat(directory);
  if (!identity) return core::failure(identity.error().number, "stat", args.directory);
  const Program program = TRY(find_program());
  Linker linker(program, args.hard, args.directory, directory, *identity);
  for (const std::string_view name : wanted) {
    const std::string link = std::string(args.prefix).append(name);
    const auto row = args.remove ? linker.remove(link, name) : linker.link(link, name);
    if (row) {
      records.put(*row);
    } else if (!args.remove || !args.applets.empty() || !stays(row.error())) {
      io.fail(row.error());
    }
  }
  return 0;
}

}  // namespace

extern constexpr Applet install = {
    .name = "--install",
    .group = Group::links,
    .summary = "make links to osbox, one for each applet",
    .description =
        "Makes in DIR a link to the running osbox for every applet and alias, or for each APPLET. "
        "The links are symbolic and hold the absolute path of osbox, unless --hard asks for hard "
        "ones; these must be on the file system of osbox (EXDEV).\n\n"
        "A link to osbox that is there already is kept; one of the other form is replaced in one "
        "step. Anything else that has the name stays as it is and is a failure with EEXIST.\n\n"
        "With --remove such links are removed, of either form, and only those to the running "
        "osbox. Without APPLET whatever else has one of the names stays and is not told; a named "
        "one is a failure then, and so is one that is not there.\n\n"
        "Completion knows links with a prefix. "
        "Without --prefix some links have the names of other tools, as ls, kill, chmod and unlink. "
        "Where DIR is early in $PATH they run instead of these, in scripts too.",
    .options = options,
    .tables = tables,
    .examples = examples,
    .see_also = "link(2), symlink(2)",
    .main = runs<run>,
};

}  // namespace applets
