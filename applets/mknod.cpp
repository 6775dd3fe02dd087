#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "core/cli/applet.hpp"
#include "core/out/number.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/mode.hpp"

// mknod and mkfifo: the one is the other with --type fifo.
namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  mode_t type = S_IFREG;
  std::optional<dev_t> device;
  std::optional<core::Mode> mode;
  Operands paths;
};

/// "MAJOR:MINOR", as far as the kernel's 12 and 20 bits for them go.
Stored take_device(std::optional<dev_t>& to, std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return std::unexpected("not MAJOR:MINOR");
  unsigned major = 0;
  unsigned minor = 0;
  if (const auto taken = cli::detail::take(major, text.substr(0, colon)); !taken) return taken;
  if (const auto taken = cli::detail::take(minor, text.substr(colon + 1)); !taken) return taken;
  if (major >= 1U << 12 || minor >= 1U << 20) return std::unexpected("greater than 4095:1048575");
  to = makedev(major, minor);
  return {};
}

constexpr Word<mode_t> types[] = {{"fifo", S_IFIFO},
                                  {"block", S_IFBLK},
                                  {"char", S_IFCHR},
                                  {"socket", S_IFSOCK},
                                  {"file", S_IFREG}};

constexpr Option mkfifo_options[] = {
    value<&Args::mode>('m', "mode", "MODE",
                       "Permissions less the umask, octal or a change of a=rw"),
    paths<&Args::paths>("PATH", "FIFO to make", Least::one),
};
constexpr Option mknod_options[] = {
    choice<&Args::type, types>(0, "type", "TYPE", "What to make, a file if not told"),
    parsed<&Args::device, take_device>(0, "device", "MAJOR:MINOR",
                                       "The device that a block or char file stands for"),
    value<&Args::mode>('m', "mode", "MODE",
                       "Permissions less the umask, octal or a change of u=rw"),
    paths<&Args::paths>("PATH", "Name of the new file", Least::one),
};

struct Row {
  core::Path path;
  core::Type type;
  mode_t mode;
  std::optional<dev_t> device;
  std::string_view path_bytes() const { return path; }
  std::string_view type_word() const { return core::type_word(type); }
};

constexpr Field mkfifo_fields[] = {
    name<&Row::path_bytes>("path", "The new name"),
    natural<&Row::mode>("mode", "The permissions that were asked for, before the umask"),
};
constexpr Field mknod_fields[] = {
    name<&Row::path_bytes>("path", "The new name"),
    text<&Row::type_word>("type", "fifo, block, char, socket or file"),
    natural<&Row::mode>("mode", "The permissions that were asked for, before the umask"),
    natural<&Row::device>("rdev", "The device; null for what is none"),
};

constexpr Table mkfifo_tables[] = {{.fields = mkfifo_fields, .line = "made {path}"}};
constexpr Table mknod_tables[] = {{.fields = mknod_fields, .line = "made {path}"}};

Outcome make(const Args& args, mode_t otherwise, const Table& table, Operands& paths, Io& io) {
  auto records = TRY(io.records<Row>(table));
  const mode_t mode = args.mode ? args.mode->apply(otherwise, false,
                                                   args.mode->needs_umask() ? core::get_umask() : 0)
                                : otherwise;
  return paths.each(io, [&](core::Path path) -> core::Result<void> {
    TRY(core::mknod(path, args.type | mode, args.device.value_or(0), paths.at()));
    records.put({path, core::type_of_mode(args.type), mode, args.device});
    return {};
  });
}

Outcome run_mkfifo(Args& args, Io& io) {
  args.type = S_IFIFO;
  return make(args, 0666, mkfifo_tables[0], args.paths, io);
}

/// What `words` ask mknod(1) for, NAME TYPE [MAJOR MINOR], in words of ours; empty where they ask
/// for nothing of the kind.
std::string as_options(std::span<const std::string> words) {
  if (words.size() < 2 || !std::ranges::all_of(words.subspan(2), is_decimal)) return {};
  if (words[1] == "p") return "--type fifo";
  const bool block = words[1] == "b";
  if (!block && words[1] != "c" && words[1] != "u") return {};
  const std::string device = words.size() == 4 ? words[2] + ":" + words[3] : "MAJOR:MINOR";
  return std::string("--type ") + (block ? "block" : "char") + " --device " + device;
}

Outcome run_mknod(Args& args, Io& io) {
  const bool stands_for_device = args.type == S_IFBLK || args.type == S_IFCHR;
  if (stands_for_device && !args.device) return misuse("--type block and char need --device");
  if (!stands_for_device && args.device) return misuse("--device needs --type block or char");
  const auto words = args.paths.words();
  if (const std::string meant = as_options(words); args.type == S_IFREG && !meant.empty()) {
    return misuse(words[1] + " is no type here: use " + meant + ", or ./" + words[1] +
                  " for a file of that name");
  }
  return make(args, 0600, mknod_tables[0], args.paths, io);
}

constexpr Example mkfifo_examples[] = {
    {"mkfifo -m 600 requests", "A FIFO for its owner alone"},
};
constexpr Example mknod_examples[] = {
    {"mknod new.txt", "An empty file, that was not there before"},
    {"mknod --type char --device 1:3 -m a=rw null", "A name of /dev/null's device"},
};

}  // namespace

extern constexpr Applet mkfifo = {
    .name = "mkfifo",
    .group = Group::directories,
    .summary = "make FIFOs",
    .description =
        "Makes each PATH a FIFO, a named pipe, as mkfifo(3) does. Where PATH exists, be it a "
        "dangling link, the answer is EEXIST. The FIFO gets the permissions MODE less the umask, "
        "as in os.mkfifo and unlike GNU's mkfifo, in the one call that makes it.",
    .call = "mknod",
    .options = mkfifo_options,
    .tables = mkfifo_tables,
    .changes = true,
    .examples = mkfifo_examples,
    .see_also = "osbox-mknod(1), mkfifo(3), fifo(7)",
    .main = runs<run_mkfifo>,
};

extern constexpr Applet mknod = {
    .name = "mknod",
    .group = Group::directories,
    .summary = "make empty files, FIFOs, sockets and device files",
    .description =
        "Makes each PATH a file of type TYPE, as mknod(2) does; as for os.mknod a plain empty file "
        "with the permissions 0600 where nothing else is said. Where PATH exists, be it a dangling "
        "link, the answer is EEXIST. The file gets the permissions MODE less the umask in the one "
        "call that makes it.\n\n"
        "A block or char file stands for the device MAJOR:MINOR, and needs CAP_MKNOD; without it "
        "the answer is EPERM, in many containers for root too.",
    .options = mknod_options,
    .tables = mknod_tables,
    .changes = true,
    .examples = mknod_examples,
    .see_also = "osbox-mkfifo(1), mknod(2)",
    .main = runs<run_mknod>,
};

}  // namespace applets
