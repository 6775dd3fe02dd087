#include "core/sys/replace.hpp"

#include "core/cli/applet.hpp"
#include "core/out/quote.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  bool from_stdin = false;
  bool copy = false;
  std::optional<std::string> backup;
  bool no_sync = false;
  bool no_owner = false;
  bool no_xattrs = false;
  Operands paths;
};

constexpr Option options[] = {
    flag<&Args::from_stdin>("stdin", "DEST gets all of standard input as its content"),
    flag<&Args::copy>("copy", "Move to another file system too, by a copy, durably"),
    value<&Args::backup>(0, "backup", "NAME", "The file that was DEST gets this name, a new one",
                         Completes::file),
    flag<&Args::no_sync>("no-sync", "With --stdin or --copy: be fast, and not durable"),
    flag<&Args::no_owner>("no-owner", "With --stdin or --copy: give up user and group"),
    flag<&Args::no_xattrs>("no-xattrs", "With --stdin or --copy: give up extended attributes"),
    path<&Args::paths>("SOURCE", "The file to move; none with --stdin", Least::none),
    path<&Args::paths>("DEST", "The name that it gets"),
};

struct Row {
  core::Path path;
  std::optional<std::string_view> target;
  core::Replaced done;
  const std::optional<std::string>* backup_name;
  std::string_view path_bytes() const { return path; }
  bool moved() const { return done.moved; }
  bool copied() const { return done.copied; }
  std::optional<std::string_view> backup() const {
    if (!done.backed_up) return std::nullopt;
    return **backup_name;
  }
};

constexpr Field fields[] = {
    name<&Row::path_bytes>("path", "SOURCE, the name there was; with --stdin DEST"),
    name<&Row::target>("target", "DEST, the name there is; null with --stdin"),
    boolean<&Row::moved>("moved", "False where both were names of one file, and nothing was done"),
    boolean<&Row::copied>("copied", "Whether it came from another file system"),
    name<&Row::backup>("backup", "The name of the old file now, if it was to keep one"),
};

void print(const Row& row, Io& io) {
  // Standard error says so.
  if (!row.done.moved) return;
  io.print(!row.target ? "wrote " : row.done.copied ? "moved " : "renamed ");
  io.print_name(row.path);
  if (row.target) {
    io.print(" to ");
    io.print_name(*row.target);
  }
  if (const auto backup = row.backup()) {
    io.print(", the old file is ");
    io.print_name(*backup);
  }
  io.end_record();
}

constexpr Table tables[] = {{.fields = fields, .print = prints<print, Row>}};

/// Says what goes wrong in what is no error of rename(2).
void remark(Io& io, core::Path source, core::Path dest) {
  // The record says it.
  if (io.style().format == Style::Format::json) return;
  std::string line(io.running().name);
  append_quoted(line += ": ", source);
  append_quoted(line += " -> ", dest);
  io.remark(line += ": nothing was moved: both are names of one file");
}

std::expected<void, Usage> check(const Args& args) {
  const bool pair = args.paths.from_file() || args.paths.words().size() == 2;
  if (args.from_stdin) {
    if (args.paths.from_file()) return misuse("--stdin and --files0-from do not go together");
    if (args.copy) return misuse("--stdin and --copy do not go together");
    if (pair) return misuse("--stdin takes the place of SOURCE");
    return {};
  }
  if (!pair) return misuse("missing operand DEST");
  if (args.backup && args.paths.from_file()) {
    return misuse("--backup is one name, and --files0-from brings several files");
  }
  if (!args.copy && (args.no_sync || args.no_owner || args.no_xattrs)) {
    return misuse("--no-sync, --no-owner and --no-xattrs go with --stdin or --copy");
  }
  return {};
}

/// Adds what else helps.
core::Error explained(core::Error error, const Args& args) {
  const std::string_view call = error.call;
  if (!error.note.empty()) return error;
  if (call == "rename" && error.number == EXDEV && error.path && error.target &&
      core::open_parent(*error.path, args.paths.at()) &&
      core::open_parent(*error.target, args.paths.at())) {
    error.note = "--copy leads to another file system";
  }
  if (error.number == EEXIST && args.backup && error.target == *args.backup) {
    error.note = "the name for the backup is taken";
  }
  if (call == "chown") error.note = "--no-owner gives it up";
  if (call.ends_with("xattr")) error.note = "--no-xattrs gives them up";
  return error;
}

Outcome run(Args& args, Io& io) {
  TRY(check(args));
  auto records = TRY(io.records<Row>(tables[0]));
  const core::At at = args.paths.at();
  const core::ReplaceHow how{.sync = !args.no_sync,
                             .owner = !args.no_owner,
                             .xattrs = !args.no_xattrs,
                             .backup = args.backup};
  const auto done = [&](core::Result<core::Replaced> replaced, core::Path path,
                        std::optional<std::string_view> target) -> core::Result<void> {
    if (!replaced) return std::unexpected(explained(std::move(replaced).error(), args));
    records.put({path, target, *replaced, &args.backup});
    return {};
  };
  if (args.from_stdin) {
    return args.paths.each(io, [&](core::Path dest) {
      return done(core::replace_content(core::FdRef::standard_input(), dest, at, how), dest, {});
    });
  }
  return args.paths.each_pair(io, [&](core::Path source, core::Path dest) {
    auto replaced = args.copy ? core::replace_by_copy(source, dest, at, how)
                              : core::replace(source, dest, at, how);
    if (replaced && !replaced->moved) remark(io, source, dest);
    return done(std::move(replaced), source, dest);
  });
}

constexpr Example examples[] = {
    {"replace new.conf app.conf", "Overwrite a file by another one, in one step"},
    {"replace --stdin --backup hosts.old hosts", "New content, the old one kept"},
    {"replace --copy /tmp/image.iso image.iso", "From one file system to another"},
};

}  // namespace

extern constexpr Applet replace = {
    .name = "replace",
    .group = Group::links,
    .summary = "give a file a name that another one has, in one step",
    .description =
        "Gives SOURCE the name DEST, as rename(2) and os.replace do: what had that name is gone, "
        "at no time is there no DEST, and DEST is never a directory to go into. An empty "
        "directory is replaced by a directory only. Where both are names of one file, rename(2) "
        "does nothing; replace says so, and it is no failure.\n\n"
        "With --stdin DEST becomes all of standard input, and who opens it sees the old file or "
        "the whole new one. It is written to a file .osbox-* in the directory of DEST, which "
        "nobody else may open until it is complete. Then it gets the owner, the extended "
        "attributes, the access control lists and the mode of the file that is DEST by then, or "
        "those of any file that is made there; it is brought to the disk, takes the name, and the "
        "directory is brought to the disk. What cannot be kept is a failure, unless it is given "
        "up. With --no-owner the bits of set-user-id and set-group-id go where their owner is "
        "another one now, and another group may do no more than everybody may. Other names of the "
        "old file keep the old content, and a DEST that is a symbolic link is replaced "
        "itself. A device, a FIFO or a socket stays: EOPNOTSUPP.\n\n"
        "With --copy a SOURCE on another file system is copied in the same way, with its owner, "
        "mode, times and extended attributes, holes as holes, a symbolic link as a link; then it "
        "is removed. A SOURCE that changes meanwhile is EBUSY; so is another file that has its "
        "name in the end, which stays. A directory is not copied. "
        "Where rename(2) will do it is used, and file and name are brought to the disk too.\n\n"
        "With --backup the old file keeps NAME, another name on its file system; where NAME exists "
        "it is EEXIST, and where there is no old file there is no backup. What is kept is what was "
        "replaced: a file that takes the place of the old one in between is EBUSY, and stays. "
        "Where the file system cannot exchange two names it is lost.\n\n"
        "After any failure DEST and SOURCE are as they were and no other file is left, unless the "
        "message says that the new file is in place or what is left behind. After a signal that "
        "ends replace DEST is the old file or the new one, never a part, and no other file is "
        "left. SIGKILL and the signals of a crash, as SIGSEGV and SIGABRT, may leave the .osbox-* "
        "file, which with --backup or --copy may be SOURCE under another name.",
    .call = "rename",
    .options = options,
    .tables = tables,
    .changes = true,
    .examples = examples,
    .see_also = "rename(2), fsync(2), mv(1)",
    .main = runs<run>,
};

}  // namespace applets
