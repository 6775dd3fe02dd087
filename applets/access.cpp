#include <unistd.h>

#include "core/cli/applet.hpp"
#include "core/out/quote.hpp"
#include "core/out/stat_fields.hpp"
#include "core/sys/mount.hpp"
#include "core/sys/resolve.hpp"

namespace applets {
namespace {

using namespace cli;
using namespace out;

struct Args {
  Operands paths;
  bool exists = false;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool explain = false;
  bool effective = false;
  core::Links links = core::Links::follow;

  /// What is asked for, F_OK included; none: everything.
  std::optional<int> mode() const {
    if (!exists && !readable && !writable && !executable) return std::nullopt;
    return F_OK | (readable ? R_OK : 0) | (writable ? W_OK : 0) | (executable ? X_OK : 0);
  }
};

constexpr Option options[] = {
    flag<&Args::exists>('f', "exists", "May it be seen: does PATH lead to something?"),
    flag<&Args::readable>('r', "readable", "May it be read?"),
    flag<&Args::writable>('w', "writable", "May it be written?"),
    flag<&Args::executable>('x', "executable", "May it be executed; a directory: searched?"),
    flag<&Args::effective>("effective", "Ask for the effective ids, not the real ones"),
    sets<&Args::links, core::Links::no_follow>(0, "no-follow",
                                               "Ask about a link itself, not what it leads to"),
    flag<&Args::explain>("explain", "Say which component of PATH stands in the way, and why"),
    paths<&Args::paths>("PATH", "What to ask about", Least::one),
};

/// "f", or which of r, w and x `mode` asks for.
std::string_view mode_word(int mode) {
  constexpr std::string_view words[] = {"f", "x", "w", "wx", "r", "rx", "rw", "rwx"};
  static_assert(X_OK == 1 && W_OK == 2 && R_OK == 4);
  return words[mode];
}

/// True for an errno that is the answer "no", and not a failure to get one.
bool is_no(int number) {
  switch (number) {
    case EACCES:
    case EROFS:
    case ENOENT:
    case ENOTDIR:
    case ETXTBSY:
    case EPERM:
    case ELOOP:
    case ENAMETOOLONG:
      return true;
    default:
      return false;
  }
}

// ---- the records

struct Report {
  std::string_view path;
  bool exists = false;
  bool readable = false;
  bool writable = false;
  bool executable = false;
};

constexpr Field report_fields[] = {
    name<&Report::path>("path", "The operand"),
    boolean<&Report::exists>("exists", "Whether it leads to something that may be seen"),
    boolean<&Report::readable>("readable", "Whether it may be read"),
    boolean<&Report::writable>("writable", "Whether it may be written"),
    boolean<&Report::executable>("executable", "Whether it may be executed or searched"),
};

void print_report(const Report& report, Io& io) {
  const auto line = [&io](std::string_view label, bool value) {
    io.print(label);
    io.print(value ? "True" : "False");
  };
  io.print("Testing: ");
  io.print_name(report.path);
  line("\nExists: ", report.exists);
  line("\nReadable: ", report.readable);
  line("\nWritable: ", report.writable);
  line("\nExecutable: ", report.executable);
  io.end_record();
}

struct Answer {
  std::string_view path;
  int mode = F_OK;
  int number = 0;
  std::optional<std::string> component = {};
  std::optional<std::string> reason = {};

  std::string_view word() const { return mode_word(mode); }
  bool allowed() const { return number == 0; }
  std::optional<int> error_number() const {
    return number != 0 ? std::optional(number) : std::nullopt;
  }
  std::optional<std::string_view> error() const {
    return number != 0 ? std::optional(core::error_name(number)) : std::nullopt;
  }
};

constexpr std::array answer_fields = {
    name<&Answer::path>("path", "The operand"),
    text<&Answer::word>("mode", "What was asked for: f, or some of r, w and x"),
    boolean<&Answer::allowed>("allowed", "The answer"),
    integer<&Answer::error_number>("errno", "Why not; null where it is allowed"),
    text<&Answer::error>("error", "The symbol of errno"),
};
constexpr std::array reason_fields = {
    name<&Answer::component>("component", "The part of the path that stands in the way"),
    text<&Answer::reason>("reason", "The same in words"),
};
constexpr auto explained_fields = fields(answer_fields, reason_fields);

/// Nothing: the exit status is the answer.
void print_answer(const Answer&, Io&) {}

void print_reason(const Answer& answer, Io& io) {
  io.print_name(answer.path);
  io.print(": ");
  io.print(answer.word());
  io.print(": ");
  if (answer.allowed()) {
    io.print("allowed");
  } else {
    io.print(*answer.error());
    io.print(": ");
    io.print(*answer.reason);
  }
  io.end_record();
}

constexpr Table tables[] = {
    {.fields = report_fields, .print = prints<print_report, Report>},
    {.fields = answer_fields,
     .print = prints<print_answer, Answer>,
     .when = "with -f, -r, -w or -x"},
    {.fields = explained_fields, .print = prints<print_reason, Answer>, .when = "with --explain"},
};

// ---- --explain

/// Puts reasons into words. The answers are the kernel's; modes and owners only illustrate them.
class Explainer {
 public:
  Explainer(core::AccessHow how, core::At at) : how_(how), at_(at) {}

  /// Says why `answer`, which is a no, is one.
  void operator()(core::Path path, Answer& answer) {
    core::Obstacle obstacle = core::find_obstacle(path, how_, at_);
    std::string reason;
    if (obstacle.kind == core::Obstacle::Kind::none) {
      obstacle.component = path.c_str();
      reason = refusal(path, answer);
    } else if (obstacle.number == answer.number) {
      reason = words(obstacle);
    }
    if (reason.empty()) {
      // Something changed between the two questions, or there is nothing to add.
      answer.reason = core::error_message(answer.number);
      return;
    }
    for (const auto& link : obstacle.links) {
      reason.append(&link == obstacle.links.data() ? "; by way of " : ", ");
      append_quoted(reason, link.path);
      reason += " -> ";
      append_quoted(reason, link.target);
    }
    answer.component = std::move(obstacle.component);
    answer.reason = std::move(reason);
  }

 private:
  std::string words(const core::Obstacle& obstacle) {
    using Kind = core::Obstacle::Kind;
    const std::string name = quoted(obstacle.component);
    switch (obstacle.kind) {
      case Kind::missing:
        return obstacle.component.empty() ? "the path is empty" : name + " does not exist";
      case Kind::no_search:
        return "search denied by " + name + details(obstacle.component, core::Links::follow);
      case Kind::not_directory: {
        const auto found =
            core::stat(obstacle.component, core::Links::follow, core::want::type, at_);
        std::string text = name + " is not a directory";
        if (found) text.append(" (").append(core::type_word(found->type)).append(")");
        return text;
      }
      case Kind::loop:
        return "the link " + name + " leads back to itself";
      case Kind::many_links:
        return "more than " + std::to_string(core::most_links) + " links, the last one " + name;
      case Kind::forbidden:
        return name + " is a symbolic link";
      case Kind::other:
        return std::string(core::error_message(obstacle.number)) + " at " + name;
      case Kind::none:
        break;
    }
    return {};
  }

  /// What is refused on a path that leads somewhere.
  std::string refusal(core::Path path, const Answer& answer) {
    if (answer.number == ENOENT || answer.number == ENOTDIR || answer.number == ELOOP) return {};
    constexpr core::Want everything = core::want::type | core::want::mode | core::want::uid |
                                      core::want::gid | core::want::mount_id | core::want::always;
    const auto found = core::stat(path, how_.links, everything, at_);
    const bool directory = found && found->type == core::Type::dir;
    std::string denied;
    for (const int mode : {R_OK, W_OK, X_OK}) {
      if ((answer.mode & mode) == 0 || core::access(path, mode, how_, at_)) continue;
      denied.append(denied.empty() ? "" : " and ");
      denied += mode == R_OK ? "read" : mode == W_OK ? "write" : directory ? "search" : "execute";
    }
    if (denied.empty()) return {};
    denied += " denied by ";
    if (answer.number == EROFS) return denied + read_only(found);
    denied += quoted(path) + details(path, how_.links);
    if (!found) return denied;
    std::vector<std::string_view> attributes;
    if (answer.number == EPERM) {
      attribute_words(*found, attributes);
      for (const std::string_view word : attributes) {
        if (word == "immutable" || word == "append") denied.append(", ").append(word);
      }
    }
    const auto mount = mount_of(found);
    if ((answer.mode & X_OK) != 0 && found->type == core::Type::file && mount && mount->no_exec) {
      denied += "; " + quoted(mount->point) + " is mounted noexec";
    }
    return denied;
  }

  std::string read_only(const core::Result<core::Stat>& found) const {
    const auto mount = mount_of(found);
    if (!mount) return "a read-only file system";
    return quoted(mount->point) + ", which is mounted read-only (" + mount->type + ")";
  }

  static std::optional<core::Mount> mount_of(const core::Result<core::Stat>& found) {
    if (!found || !found->mount_id) return std::nullopt;
    return core::find_mount(*found->mount_id).value_or(std::nullopt);
  }

  /// " (drwx------ root root)"; nothing where it cannot be had.
  std::string details(core::Path path, core::Links links) {
    const auto found =
        core::stat(path, links, core::want::mode | core::want::uid | core::want::gid, at_);
    if (!found) return {};
    std::string text = " (";
    text.append(core::mode_text(found->mode)).append(" ");
    append_quoted(text, accounts_.user(found->uid));
    text += ' ';
    append_quoted(text, accounts_.group(found->gid));
    return text + ")";
  }

  core::AccessHow how_;
  core::At at_;
  core::Accounts accounts_;
};

// ---- the runs

/// errno of a "no", 0 of a "yes"; anything else is an error.
core::Result<int> ask(core::Path path, int mode, core::AccessHow how, core::At at) {
  const auto answer = core::access(path, mode, how, at);
  if (answer) return 0;
  if (is_no(answer.error().number)) return answer.error().number;
  return std::unexpected(answer.error());
}

/// The number of every "no", for the exit status.
class Verdict {
 public:
  explicit Verdict(Io& io) : io_(io) {}
  void note(int number) {
    if (number == 0) return;
    all_ = false;
    io_.note(number);
  }
  Outcome after(const Outcome& done) const { return !done || all_ ? done : 1; }

 private:
  Io& io_;
  bool all_ = true;
};

Outcome report_all(Args& args, core::AccessHow how, Io& io) {
  auto records = TRY(io.records<Report>(tables[0]));
  const core::At at = args.paths.at();
  Verdict verdict(io);
  const auto report_one = [&](core::Path path) -> core::Result<void> {
    Report report{.path = path};
    const int number = TRY(ask(path, F_OK, how, at));
    verdict.note(number);
    report.exists = number == 0;
    if (report.exists) {
      report.readable = TRY(ask(path, R_OK, how, at)) == 0;
      report.writable = TRY(ask(path, W_OK, how, at)) == 0;
      report.executable = TRY(ask(path, X_OK, how, at)) == 0;
    }
    records.put(report);
    return {};
  };
  return verdict.after(args.paths.each(io, report_one));
}

Outcome answer_all(Args& args, core::AccessHow how, Io& io) {
  auto records = TRY(io.records<Answer>(tables[args.explain ? 2 : 1]));
  const core::At at = args.paths.at();
  const auto mode = args.mode();
  Explainer explain(how, at);
  Verdict verdict(io);
  const auto put = [&](core::Path path, int asked) -> core::Result<int> {
    Answer answer{.path = path, .mode = asked, .number = TRY(ask(path, asked, how, at))};
    if (args.explain && answer.number != 0) explain(path, answer);
    records.put(answer);
    return answer.number;
  };
  const auto answer_one = [&](core::Path path) -> core::Result<void> {
    // Without a mode: as without --explain, everything, or that it is not there.
    const bool everything = !mode && TRY(ask(path, F_OK, how, at)) == 0;
    if (!everything) {
      verdict.note(TRY(put(path, mode.value_or(F_OK))));
      return {};
    }
    for (const int asked : {R_OK, W_OK, X_OK}) std::ignore = TRY(put(path, asked));
    return {};
  };
  return verdict.after(args.paths.each(io, answer_one));
}

Outcome run(Args& args, Io& io) {
  const core::AccessHow how{.effective = args.effective, .links = args.links};
  return args.mode() || args.explain ? answer_all(args, how, io) : report_all(args, how, io);
}

constexpr Status statuses[] = {
    {"0", "yes, for every PATH; without -f, -r, -w and -x: all of them exist"},
    {"1", "no, for at least one"},
    {"2", "wrong usage, or no answer could be had, and standard error says why"},
};

constexpr Example examples[] = {
    {"access /etc/passwd", "What this user may do with a file"},
    {"access -rw /tmp", "Ask, and see the answer in the exit status"},
    {"access --explain -w /proc/version", "Why not?"},
};

}  // namespace

extern constexpr Applet access = {
    .name = "access",
    .group = Group::metadata,
    .summary = "ask whether files may be read, written or executed",
    .description =
        "Asks the kernel what this user may do with every PATH. Without -f, -r, -w and -x the "
        "answers to all four questions are printed. With some of them nothing is printed and the "
        "exit status is the answer; they are one question, asked at once: with -rw a PATH may be "
        "read and also written.\n\n"
        "It is the kernel that answers, so that access control lists, read-only mounts and the "
        "powers of root count. As by access(2) the real ids are asked about, not the effective "
        "ones. The answer holds for this moment only: a program that is about to open a file "
        "should open it. \"No\" is EACCES, EROFS, ENOENT, ENOTDIR, ETXTBSY, EPERM, ELOOP or "
        "ENAMETOOLONG; with --exit-errno that number is the status. Any other error is trouble.\n\n"
        "With --explain every answer is a line, and for a \"no\" it names the component of PATH "
        "that stands in the way. Without -f, -r, -w and -x it answers for each of r, w and x, or "
        "for f alone where PATH leads nowhere. What it says of modes and owners is there to "
        "explain; the kernel may have had more reasons, such as an access control list.",
    .options = options,
    .tables = tables,
    .examples = examples,
    .statuses = statuses,
    .see_also = "osbox-stat(1), access(2), faccessat2(2), path_resolution(7)",
    .failure = 2,
    .main = runs<run>,
};

}  // namespace applets
