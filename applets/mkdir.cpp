#include <sys/stat.h>

#include "core/cli/applet.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/makedirs.hpp"
#include "core/sys/mode.hpp"

// mkdir and makedirs: the one is the other with -p.
namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  std::optional<core::Mode> mode;
  bool parents = false;
  bool exist_ok = false;
  Operands paths;
};

constexpr Option mode_option = value<&Args::mode>(
    'm', "mode", "MODE", "Permissions less the umask, octal or a change of a=rwx");

constexpr Option mkdir_options[] = {
    mode_option,
    flag<&Args::parents>('p', "parents", "As makedirs --exist-ok: with all missing parents"),
    paths<&Args::paths>("DIR", "Directory to make", Least::one),
};
constexpr Option makedirs_options[] = {
    flag<&Args::exist_ok>("exist-ok", "A DIR that is a directory already is no failure"),
    mode_option,
    paths<&Args::paths>("DIR", "Directory to make, with all missing parents", Least::one),
};

struct Row {
  core::Path path;
  std::span<const std::string_view> made;
  std::string_view path_bytes() const { return path; }
};

constexpr Field fields[] = {
    name<&Row::path_bytes>("path", "The operand"),
    names<&Row::made>("made", "The directories that were made, the outermost first"),
};

void print(const Row& row, Io& io) {
  for (const std::string_view path : row.made) {
    io.print("made ");
    io.print_name(path);
    io.end_record();
  }
}

constexpr Table tables[] = {{.fields = fields, .print = prints<print, Row>}};

Outcome run(Args& args, Io& io) {
  constexpr mode_t all = 0777;
  auto records = TRY(io.records<Row>(tables[0]));
  const mode_t mode =
      args.mode ? args.mode->apply(all, true, args.mode->needs_umask() ? core::get_umask() : 0)
                : all;
  std::vector<std::string_view> made;
  return args.paths.each(io, [&](core::Path path) -> core::Result<void> {
    made.clear();
    if (!args.parents) {
      TRY(core::mkdir(path, mode, args.paths.at()));
      made = {path};
      records.put({path, made});
      return {};
    }
    const auto done = core::makedirs(path, mode, args.exist_ok, args.paths.at(),
                                     records.wanted() ? &made : nullptr);
    if (done || !made.empty()) records.put({path, made});
    return done;
  });
}

Outcome run_mkdir(Args& args, Io& io) {
  args.exist_ok = args.parents;
  return run(args, io);
}

Outcome run_makedirs(Args& args, Io& io) {
  args.parents = true;
  return run(args, io);
}

constexpr Example mkdir_examples[] = {
    {"mkdir -m 700 private", "A directory that nobody else ever gets into"},
    {"mkdir lock", "Of many that try at the same time one succeeds"},
};
constexpr Example makedirs_examples[] = {
    {"makedirs --exist-ok -v var/cache/app", "Tells what was missing"},
    {"makedirs -m u=rwx,go= --beneath upload user/new", "Private, and never outside upload"},
};

}  // namespace

extern constexpr Applet mkdir = {
    .name = "mkdir",
    .group = Group::directories,
    .summary = "make directories",
    .description =
        "Makes each DIR, as mkdir(2) does. Where DIR exists, be it a dangling link, the answer is "
        "EEXIST; of many that make one DIR at the same time exactly one succeeds.\n\n"
        "The directory gets the permissions MODE less the umask in the one call that makes it: "
        "chmod is never called afterwards, and at no time is it more open. Unlike in GNU's "
        "mkdir the umask thus counts with -m too, and set-ids in MODE are the kernel's to drop, as "
        "in os.mkdir. A symbolic MODE changes a=rwx.\n\n"
        "With -p each DIR is made as makedirs --exist-ok does.",
    .options = mkdir_options,
    .tables = tables,
    .changes = true,
    .examples = mkdir_examples,
    .see_also = "osbox-makedirs(1), osbox-rmdir(1), mkdir(2)",
    .main = runs<run_mkdir>,
};

extern constexpr Applet makedirs = {
    .name = "makedirs",
    .group = Group::directories,
    .summary = "make directories with their missing parents",
    .description =
        "Makes each DIR, and first the parents that it lacks, as os.makedirs does. DIR gets the "
        "permissions MODE less the umask, the parents 0777 less the umask, each in the call that "
        "makes it. Where the umask takes the owner's write or search permission, as 0377 does, "
        "what is to come below a new parent fails with EACCES, unless for root: no permission is "
        "added to what the umask says, as mkdir -p of POSIX would.\n\n"
        "Others may make the same parents at the same time: all succeed. DIR itself is made by one "
        "of them; for the others it is EEXIST, or with --exist-ok a success, as is any DIR that is "
        "a directory or a link to one. A failure half way leaves the parents that were made; "
        "records and -v tell them.\n\n"
        "Symbolic links on the way are followed; one that leads nowhere is ENOENT. What was made "
        "here is entered only as the directory that it is: where somebody swaps it for a link, the "
        "answer is ELOOP. DIR may be longer than PATH_MAX. A DIR that ends in \"/.\" is the one "
        "before it.",
    .call = "mkdir",
    .options = makedirs_options,
    .tables = tables,
    .changes = true,
    .examples = makedirs_examples,
    .see_also = "osbox-mkdir(1), osbox-removedirs(1), mkdir(2)",
    .main = runs<run_makedirs>,
};

}  // namespace applets
