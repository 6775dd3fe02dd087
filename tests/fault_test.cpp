// Every system call of every applet fails in turn: nobody is told that the work is done when it is
// not, what was there is old or new, and nothing is left over.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "applets/registry.hpp"
#include "core/sys/error.hpp"
#include "tests/colours.hpp"
#include "tests/harness.hpp"
#include "tests/injection.hpp"
#include "tests/sanitizer.hpp"

namespace {

using tests::call_name;
using tests::Injection;
using tests::Watched;

/// Two directories that a run has for itself: one with "work" in it, which is its current one, and
/// one on another file system.
struct Place {
  const Scratch& scratch;
  const Scratch& other;
  std::string name;

  std::string directory() const { return scratch / name; }
  std::string other_directory() const { return other / name; }
  std::string picture() const {
    return tests::picture(directory() + "/work") + tests::picture(other_directory());
  }
};

/// What may be there after a failure.
enum class Between {
  nothing,  ///< all is old, or all is new
  lines,    ///< every file is old or new
};

struct Operation {
  std::string name;
  /// "OTHER/" is the directory on the other file system. Behind "sh" is a script, with osbox as $0.
  Words words;
  std::function<void(const Place&)> prepare = [](const Place&) {};
  std::string input = {};
  Between between = Between::nothing;
  std::string keeps = {};              ///< a content that is there whatever happens
  std::vector<Injection> always = {};  ///< what every run meets
  /// The errno where a call is missing that alone can do it; 0: there is another way.
  int refusal = 0;
  std::set<int> failures = {1};  ///< the statuses of a failure
  /// Calls by which something is asked, and what their errno then says: the answer is another one,
  /// and that is no failure.
  std::map<long, std::set<int>> answers = {};
  /// Calls of a process that has nobody to tell their errno to, and the one that is told instead.
  std::map<long, int> told_as = {};
  /// It says of an entry what it knows, and '?' for what it does not.
  bool says_in_part = false;
  /// A colour that cannot be found out is missed by nobody.
  bool colours = false;
  /// What a directory of somebody else says, which keeps it where it is and is no failure.
  std::set<int> excuses = {};
  bool needs_root = false;
  /// Where an account cannot be looked up its number stands alone, as for one that there is not.
  bool names_accounts = false;
};

/// The applet that an operation is about.
std::string applet_of(const Operation& operation) {
  if (operation.words[0] != "sh") return operation.words[0];
  const std::string& script = operation.words[1];
  const std::size_t start = script.find("\"$0\" ") + 5;
  return script.substr(start, script.find(' ', start) - start);
}

Watched run(const Operation& operation, const Place& place, const std::vector<Injection>& more) {
  Words words = {tests::binary()};
  for (const std::string& word : operation.words) {
    words.push_back(word.starts_with("OTHER/") ? place.other_directory() + word.substr(5) : word);
  }
  if (operation.words[0] == "sh") words = {"sh", "-c", operation.words[1], tests::binary()};
  std::vector<Injection> injections = operation.always;
  injections.insert(injections.end(), more.begin(), more.end());
  Words environment = {"XDG_RUNTIME_DIR=" + place.directory() + "/run",
                       "LS_COLORS=or=31:mi=05",  // links are looked at too
                       "TZ=UTC0",                // no file is read to tell the time
                       "PATH=/usr/bin:/bin"};
  Watched watched;
  // On a busy machine what is to be waited for may have ended before that was tried, and nothing
  // was done then.
  for (const char* const lifetime : {"LIFETIME=.3", "LIFETIME=5"}) {
    environment.emplace_back(lifetime);
    watched = tests::watch({.words = words,
                            .input = operation.input,
                            .environment = environment,
                            .directory = place.directory()},
                           injections);
    environment.pop_back();
    const bool lives = operation.words.back().find("$LIFETIME") != std::string::npos;
    if (!lives || watched.ran.err.find(": ESRCH: ") == std::string::npos) break;
  }
  // A job whose record could not be where it should is written of in a place for all.
  const Words started = tests::lines(tests::content(place.directory() + "/pid"));
  if (!started.empty()) {
    (void)tests::run({.words = {tests::binary(), "waitpid", "--timeout", "5", started[0]},
                      .environment = environment});
  }
  return watched;
}

/// Where osbox itself is, which --install has to know.
std::string program_directory() {
  const std::string path = tests::binary();
  return path.substr(0, path.rfind('/') + 1);
}

/// How many calls every osbox makes before it looks at its words: those of the dynamic linker and
/// the C library.
std::size_t calls_of_start() {
  static const std::size_t count = [] {
    const auto calls = tests::watch({.words = {tests::binary(), "--version"}}).calls;
    REQUIRE(!calls.empty());
    REQUIRE(calls.back() == SYS_write);
    return calls.size() - 1;
  }();
  return count;
}

/// Calls for which there is another way, where a kernel does not have them.
const std::set<long>& newer_calls() {
  static const std::set<long> calls = {
      SYS_statx,     SYS_openat2,         SYS_faccessat2, tests::fchmodat2,      SYS_renameat2,
      SYS_clone3,    SYS_close_range,     SYS_pidfd_open, SYS_pidfd_send_signal, SYS_signalfd4,
      SYS_getrandom, SYS_copy_file_range, SYS_execveat,
  };
  return calls;
}

/// All that may go wrong in a run that makes these calls.
std::vector<Injection> faults_of(const Operation& operation, const std::vector<long>& calls) {
  std::map<long, int> count;
  std::vector<Injection> faults;
  std::set<long> seen;
  std::size_t place = 0;
  for (const long call : calls) {
    const int occurrence = ++count[call];
    if (place++ < calls_of_start()) continue;
    // What is done again and again, as for each process there is, fails now and then.
    if (occurrence > 8 && occurrence % 16 != 0 && !tests::is_long()) continue;
    if (std::ranges::any_of(operation.always, [&](const Injection& a) { return a.call == call; })) {
      continue;
    }
    // Each meets some of them, and in the long form all.
    static constexpr int errors[] = {EIO, ENOSPC, EINTR, EPERM, ENOMEM, EMFILE, EACCES};
    for (std::size_t i = 0; i < (tests::is_long() ? std::size(errors) : 1); ++i) {
      const int error = errors[(faults.size() + i) % std::size(errors)];
      faults.push_back({call, occurrence, operation.excuses.contains(error) ? EIO : error});
    }
    if (newer_calls().contains(call) && seen.insert(call).second) {
      faults.push_back({call, 0, ENOSYS});
    }
  }
  return faults;
}

std::set<std::string> lines_of(const std::string& text) {
  const auto lines = tests::lines(text);
  return {lines.begin(), lines.end()};
}

/// A line that is in neither of the two; empty where there is none.
std::string strange_line(const std::string& text, const std::string& before,
                         const std::string& after) {
  std::set<std::string> known = lines_of(before);
  known.merge(lines_of(after));
  for (const std::string& line : lines_of(text)) {
    if (!known.contains(line)) return line;
  }
  return {};
}

/// A run in which all went well.
struct Well {
  Ran ran;
  std::string before;
  std::string after;
  bool changes() const { return before != after; }
};

/// What is wrong with what a run said and left behind; empty where nothing is.
std::string complaint(const Operation& operation, const Well& well, const Watched& watched,
                      const Injection& fault, const std::string& now) {
  const Ran& ran = watched.ran;
  if (watched.hung) return "it hangs";
  // Two processes may not come to it in the same order, and processes of others come and go.
  if (watched.injected == 0) {
    const bool alone = operation.words[0] != "sh" && operation.told_as.empty();
    return !alone || fault.occurrence > 8 ? "" : "the call was not made";
  }
  const auto answer = operation.answers.find(fault.call);
  const bool answers = answer != operation.answers.end() && answer->second.contains(fault.error);
  const auto shown = [&](const Ran& one) {
    return operation.colours ? tests::without_colours(one.out) : one.out;
  };
  if (ran.status == well.ran.status) {
    if (ran.err != well.ran.err) return "status 0 with a message";
    // The ids of processes are never the same.
    if (!well.changes() && shown(ran) != shown(well.ran) && !operation.names_accounts && !answers) {
      return "status 0, and it printed " + ran.out;
    }
    return now == well.after ? "" : "status 0, and it is not done";
  }
  // A question to which the answer is no.
  if (answers && ran.status == 1 && ran.err.empty()) return "";
  const bool executes = fault.call == SYS_execve || fault.call == SYS_execveat;
  if (!operation.failures.contains(ran.status) || (ran.status >= 126 && !executes)) {
    return "status " + std::to_string(ran.status);
  }
  if (fault.error == ENOSYS && operation.refusal == 0) return "no other way without the call";
  if (!well.changes() && !operation.says_in_part) {
    const std::string line = strange_line(shown(ran), "", shown(well.ran));
    if (!line.empty()) return "it printed " + line;
  }
  const auto messages = tests::lines(ran.err);
  if (messages.empty()) return "no message";
  const bool script = operation.words[0] == "sh";
  if (!script && messages.size() != 1) return std::to_string(messages.size()) + " messages";
  const auto says = [&](std::string_view part) {
    return messages[0].find(part) != std::string::npos;
  };
  const bool json = messages[0].starts_with('{');
  const std::string name(core::error_name(fault.error));
  const std::string errno_name = json ? "\"error\":\"" + name + "\"" : ": " + name + ": ";
  const std::string head =
      json ? "{\"applet\":\"" + applet_of(operation) + "\"," : applet_of(operation) + ": ";
  if (!messages[0].starts_with(head)) return "a message of nobody";
  const bool has_path = std::ranges::any_of(
      operation.words, [](const std::string& word) { return word.starts_with("work"); });
  const bool runs = operation.failures.contains(126);
  if (has_path && !runs && !json && !says(" work") && !says(": stdin: ") && !says(": stdout: ") &&
      !says(": .: ") && !says(": " + program_directory()) && !says(": getpwnam: ") &&
      !says(": getgrnam: ")) {
    return "a message without the operand";
  }
  // Where a file cannot have two names, it is the better way that was refused; where a profile of
  // seccomp(2) refuses a call, it is missing.
  const bool missing =
      fault.error == ENOSYS || (fault.error == EPERM && newer_calls().contains(fault.call));
  const bool refused =
      (missing && says(": " + std::string(core::error_name(operation.refusal)) + ": ")) ||
      (fault.call == SYS_linkat && fault.error == EPERM &&
       (says(": EINVAL: ") || says(": EOPNOTSUPP: "))) ||
      (!tests::newer_calls() && says(": ENOSYS: "));
  const auto told = operation.told_as.find(fault.call);
  const bool told_otherwise = told != operation.told_as.end() &&
                              says(": " + std::string(core::error_name(told->second)) + ": ");
  if (!says(errno_name) && !refused && !told_otherwise) return "a message without" + errno_name;
  if (now.find(operation.keeps) == now.npos) return "the content is lost";
  if (now == well.before || now == well.after) return "";
  if (operation.between == Between::nothing) return "neither old nor new";
  const std::string line = strange_line(now, well.before, well.after);
  return line.empty() ? "" : "neither old nor new: " + line;
}

/// Lets every call of the operation fail with every errno.
void fail_each_call(const Operation& operation) {
  const Scratch scratch;
  struct ::stat here, there;
  REQUIRE(::stat(scratch.path().c_str(), &here) == 0);
  REQUIRE(::stat("/dev/shm", &there) == 0);
  const Scratch other(here.st_dev == there.st_dev ? "/tmp" : "/dev/shm");
  const auto place = [&](const std::string& name) {
    const Place made{scratch, other, name};
    scratch.directory(name);
    scratch.directory(name + "/work");
    scratch.directory(name + "/run", 0700);
    other.directory(name);
    operation.prepare(made);
    return made;
  };
  const Place clean = place("clean");
  Well well;
  well.before = clean.picture();
  const Watched first = run(operation, clean, {});
  well.ran = first.ran;
  well.after = clean.picture();
  const std::string refusal = ": " + std::string(core::error_name(operation.refusal)) + ": ";
  if (operation.refusal != 0 && !tests::newer_calls() && well.ran.status != 0) {
    CHECK(well.ran.status == 1);
    CHECK(well.ran.err.find(refusal) != std::string::npos);
    CHECK(!well.changes());
    return;
  }
  REQUIRE_MESSAGE(well.ran.status == 0, well.ran.err);
  REQUIRE(well.ran.err == "");
  const std::vector<Injection> faults = faults_of(operation, first.calls);
  // What makes no call but write(2) to say it has that one.
  REQUIRE(!faults.empty());

  std::mutex mutex;
  std::vector<std::string> complaints;
  std::atomic<std::size_t> next = 0;
  std::size_t harmless = 0;
  const auto work = [&] {
    for (std::size_t i = 0; (i = next++) < faults.size();) {
      const Injection& fault = faults[i];
      // What is only looked at can be so by all.
      const Place mine = well.changes() ? place(std::to_string(i)) : clean;
      const Watched watched = run(operation, mine, {fault});
      const std::string now = mine.picture();
      const std::string wrong = complaint(operation, well, watched, fault, now);
      const std::lock_guard lock(mutex);
      if (watched.ran.status == 0) ++harmless;
      if (wrong.empty()) continue;
      complaints.push_back(call_name(fault.call) + " " + std::to_string(fault.occurrence) + " " +
                           std::string(core::error_name(fault.error)) + ": " + wrong + "\n" +
                           watched.ran.err + (now == well.after ? "" : now));
    }
  };
  // A thread that writes to a process which ended would end this one.
  const auto old = std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  std::signal(SIGPIPE, old);
  INFO(faults.size(), " faults, ", harmless, " of them harmless");
  for (const std::string& each : complaints) FAIL_CHECK(operation.name << ": " << each);
}

/// A file of an earlier day, with a mode of its own.
void old_file(const Scratch& scratch, const std::string& name, const std::string& content) {
  scratch.file(name, content, 0640);
}

void make_tree(const Place& at) {
  for (const char* const name : {"/work/top", "/work/top/a", "/work/top/a/b"}) {
    at.scratch.directory(at.name + name);
  }
  old_file(at.scratch, at.name + "/work/top/file", "");
  old_file(at.scratch, at.name + "/work/top/a/b/file", "");
  at.scratch.link("file", at.name + "/work/top/a/link");
}

/// An operation that changes nothing.
Operation reading(const Words& words, const std::set<int>& failures = {1},
                  const std::map<long, std::set<int>>& answers = {}) {
  return {.name = tests::line(words),
          .words = words,
          .prepare = make_tree,
          .failures = failures,
          .answers = answers};
}

/// One that goes on where something fails.
Operation reading_in_part(const Words& words) {
  Operation operation = reading(words);
  operation.says_in_part = true;
  return operation;
}

/// One that shows names in colour.
Operation in_colour(Operation operation) {
  operation.colours = true;
  return operation;
}

/// One that looks names of users up.
Operation naming_accounts(const Words& words) {
  Operation operation = reading_in_part(words);
  operation.names_accounts = true;
  return operation;
}

/// An operation on "work/file".
Operation on_file(const Words& words) {
  return {.name = tests::line(words), .words = words, .prepare = [](const Place& at) {
            old_file(at.scratch, at.name + "/work/file", "content");
          }};
}

/// A command behind these words: that it ran shows, as does the state it ran in.
Operation command(Words words, const std::string& state = "echo") {
  const std::string name = tests::line(words);
  for (const char* const word : {"sh", "-c"}) words.emplace_back(word);
  words.push_back(state + " > work/done");
  return {.name = name, .words = words, .failures = {125, 126, 127}};
}

/// The id of somebody else. Who is not root may only take his own, and nothing shows whether he
/// did.
std::string other_user() { return std::to_string(tests::is_root() ? 1 : ::getuid()); }
std::string other_group() { return std::to_string(tests::is_root() ? 1 : ::getgid()); }

/// A command that prints the ids it has, and gives none of them up, as a shell might.
Operation with_ids(Words words) {
  const std::string name = tests::line(words);
  for (const char* const word : {"grep", "-E", "^(Uid|Gid|Groups):", "/proc/self/status"}) {
    words.emplace_back(word);
  }
  return {.name = name, .words = words, .failures = {125, 126, 127}};
}

/// A state: whether the shell's own id stands at this place of its stat, counted as in proc(5).
std::string leads(int place) {
  return "[ $(cut -d ' ' -f " + std::to_string(place) + " /proc/$$/stat) = $$ ] && echo leads";
}

/// What tells another process of its own by a pipe: where nothing comes through, that one is gone
/// for all that is known.
const std::map<long, int> by_pipe = {{SYS_write, ECHILD}};

/// nice(3) makes EPERM of EACCES.
const std::map<long, int> by_nice = {{SYS_setpriority, EPERM}};

Operation telling(const std::map<long, int>& told_as, Operation operation) {
  operation.told_as = told_as;
  return operation;
}

/// A script in which osbox does its part.
Operation script(const std::string& text, const std::set<int>& failures,
                 const std::map<long, int>& told_as = {}, int refusal = 0) {
  return {.name = text,
          .words = {"sh", text},
          .between = Between::lines,
          .refusal = refusal,
          .failures = failures,
          .told_as = told_as};
}

std::vector<Operation> operations() {
  // What may not be done is an answer.
  const std::map<long, std::set<int>> may_not = {{SYS_faccessat2, {EACCES, EPERM}},
                                                 {SYS_faccessat, {EACCES, EPERM}}};
  std::vector<Operation> all = {
      {.name = "--install", .words = {"--install", "work/top", "strerror"}, .prepare = make_tree},
      {.name = "--install, where a link of another form is",
       .words = {"--install", "work/top", "strerror"},
       .prepare =
           [](const Place& at) {
             make_tree(at);
             at.scratch.link("/." + tests::binary(), at.name + "/work/top/strerror");
           },
       // A link that one may not follow is somebody else's.
       .told_as = {{SYS_statx, EEXIST}, {tests::fstatat_call, EEXIST}}},
      {.name = "--install --remove",
       .words = {"--install", "--remove", "work/top", "strerror"},
       .prepare =
           [](const Place& at) {
             make_tree(at);
             at.scratch.link(tests::binary(), at.name + "/work/top/strerror");
           }},
      {.name = "replace --stdin",
       .words = {"replace", "--stdin", "work/dest"},
       .prepare = [](const Place& at) { old_file(at.scratch, at.name + "/work/dest", "old"); },
       .input = "new"},
      {.name = "replace --stdin, where nothing was",
       .words = {"replace", "--stdin", "work/dest"},
       .prepare = [](const Place&) {},
       .input = "new"},
      {.name = "replace --stdin --backup",
       .words = {"replace", "--stdin", "--backup", "work/kept", "work/dest"},
       .prepare = [](const Place& at) { old_file(at.scratch, at.name + "/work/dest", "old"); },
       .input = "new",
       .between = Between::lines,
       .keeps = "old"},
      {.name = "replace --copy",
       .words = {"replace", "--copy", "OTHER/source", "work/dest"},
       .prepare =
           [](const Place& at) {
             old_file(at.scratch, at.name + "/work/dest", "old");
             at.other.file(at.name + "/source", "new", 0604);
           },
       .between = Between::lines,
       .keeps = "new"},
      {.name = "replace --copy of a link",
       .words = {"replace", "--copy", "OTHER/source", "work/dest"},
       .prepare =
           [](const Place& at) {
             old_file(at.scratch, at.name + "/work/dest", "old");
             at.other.link("new", at.name + "/source");
           },
       .between = Between::lines,
       .keeps = "new"},
      {.name = "replace --copy where a rename does it",
       .words = {"replace", "--copy", "--backup", "work/kept", "work/source", "work/dest"},
       .prepare =
           [](const Place& at) {
             old_file(at.scratch, at.name + "/work/dest", "old");
             old_file(at.scratch, at.name + "/work/source", "new");
           },
       .between = Between::lines,
       .keeps = "old"},
      {.name = "replace",
       .words = {"replace", "work/source", "work/dest"},
       .prepare =
           [](const Place& at) {
             old_file(at.scratch, at.name + "/work/dest", "old");
             old_file(at.scratch, at.name + "/work/source", "new");
           },
       .keeps = "new"},
      {.name = "replace --backup",
       .words = {"replace", "--backup", "work/kept", "work/source", "work/dest"},
       .prepare =
           [](const Place& at) {
             old_file(at.scratch, at.name + "/work/dest", "old");
             old_file(at.scratch, at.name + "/work/source", "new");
           },
       .between = Between::lines,
       .keeps = "old"},
      {.name = "rename",
       .words = {"rename", "work/old", "work/new"},
       .prepare = [](const Place& at) { old_file(at.scratch, at.name + "/work/old", "content"); },
       .keeps = "content"},
      {.name = "rename by link and unlink",
       .words = {"rename", "work/old", "work/new"},
       .prepare = [](const Place& at) { old_file(at.scratch, at.name + "/work/old", "content"); },
       .keeps = "content",
       .always = {{SYS_renameat2, 0, EINVAL}}},
      {.name = "rename --exchange",
       .words = {"rename", "--exchange", "work/old", "work/new"},
       .prepare =
           [](const Place& at) {
             old_file(at.scratch, at.name + "/work/old", "one");
             old_file(at.scratch, at.name + "/work/new", "two");
           },
       .refusal = EOPNOTSUPP},
      {.name = "symlink --replace",
       .words = {"symlink", "--replace", "target", "work/link"},
       .prepare = [](const Place& at) { at.scratch.link("old", at.name + "/work/link"); },
       .refusal = EOPNOTSUPP},
      {.name = "unlink",
       .words = {"unlink", "work/file"},
       .prepare = [](const Place& at) { old_file(at.scratch, at.name + "/work/file", ""); }},
      {.name = "makedirs",
       .words = {"makedirs", "work/a/b/c/d"},
       .prepare = [](const Place&) {},
       .between = Between::lines},
      {.name = "makedirs --exist-ok",
       .words = {"makedirs", "--exist-ok", "work/a/b/c/d"},
       .prepare = [](const Place& at) { at.scratch.directory(at.name + "/work/a"); },
       .between = Between::lines},
      {.name = "chmod -R",
       .words = {"chmod", "-R", "u=rwX,go=", "work/top"},
       .prepare = make_tree,
       .between = Between::lines},
      {.name = "chmod -R without fchmodat2",
       .words = {"chmod", "-R", "u=rwX,go=", "work/top"},
       .prepare = make_tree,
       .between = Between::lines,
       .always = {{tests::fchmodat2, 0, ENOSYS}}},
      reading_in_part({"ls", "-n", "work/top"}),
      reading({"ls", "-R", "work/top"}),
      reading({"ls", "-t", "work/top/a", "work/top/a/b"}),
      reading({"ls", "-U", "work/top"}),
      reading({"scandir", "work/top"}),
      reading_in_part({"scandir", "--stat", "--format", "{name} {size}", "work/top"}),
      reading({"walk", "work/top"}),
      reading({"walk", "--follow", "work/top"}),
      reading_in_part({"walk", "--unordered", "--stat", "work/top"}),
      reading_in_part({"walk", "--bottom-up", "--json", "work/top"}),
      in_colour(reading({"walk", "--color", "--paths", "work/top"})),
      in_colour(reading({"walk", "--color", "--group", "--bottom-up", "work/top"})),
      in_colour(reading_in_part({"walk", "--color", "--tree", "work/top"})),
      in_colour(reading({"scandir", "--color", "work/top/a"})),
      in_colour(reading({"ls", "--color", "work/top/a"})),
      reading({"stat", "--format", "{size} {mode}", "work/top/file"}),
      {.name = "stat --beneath",
       .words = {"stat", "--beneath", ".", "--format", "{ino}", "work/top/file"},
       .prepare = make_tree,
       .refusal = ENOSYS},
      reading({"lstat", "--format", "{target}", "work/top/a/link"}),
      reading({"access", "work/top/file"}, {2}, may_not),
      reading({"access", "--json", "work/top/file"}, {2}, may_not),
      reading({"readlink", "work/top/a/link"}),
      reading({"readlink", "-f", "work/top/a/link"}),
      reading({"statvfs", "--format", "{namemax}", "work/top"}),
      reading({"getcwd"}),
      reading({"getenv", "PATH"}, {2}),
      reading({"environ", "PATH"}, {2}),
      reading({"getegid"}),
      reading({"geteuid"}),
      reading({"getgid"}),
      reading({"getgroups", "--json"}),
      reading({"getuid"}),
      naming_accounts({"id"}),
      reading({"getpid"}),
      reading({"getppid"}),
      reading({"getpgid"}),
      reading({"getsid"}),
      // Not everybody may know of every process.
      reading({"pids"}, {1}, {{SYS_getpgid, {EACCES, EPERM}}}),
      reading({"getpriority"}),
      reading({"getrlimit"}),
      reading({"sched_getaffinity"}),
      reading({"nice"}),
      reading({"umask"}),
      reading({"strerror", "2"}),
      reading({"kill", "-l", "TERM"}),
      on_file({"chmod", "a+x", "work/file"}),
      on_file({"chmod", "--no-follow", "a+x", "work/file"}),
      on_file({"truncate", "3", "work/file"}),
      on_file({"utime", "--mtime", "1970-01-02T03:04:05Z", "work/file"}),
      on_file({"link", "work/file", "work/other"}),
      {.name = "mkdir", .words = {"mkdir", "-m", "750", "work/new"}},
      {.name = "mkdir -p", .words = {"mkdir", "-p", "work/a/b/c"}, .between = Between::lines},
      {.name = "mkfifo", .words = {"mkfifo", "work/new"}},
      {.name = "mknod", .words = {"mknod", "--type", "socket", "work/new"}},
      {.name = "symlink", .words = {"symlink", "target", "work/new"}},
      {.name = "symlink --relative",
       .words = {"symlink", "--relative", "work/top/file", "work/top/a/b/new"},
       .prepare = make_tree},
      {.name = "rmdir",
       .words = {"rmdir", "work/dir"},
       .prepare = [](const Place& at) { at.scratch.directory(at.name + "/work/dir"); }},
      {.name = "removedirs",
       .words = {"removedirs", "--stop-at", "work", "work/dir/a"},
       .prepare =
           [](const Place& at) {
             at.scratch.directory(at.name + "/work/dir");
             at.scratch.directory(at.name + "/work/dir/a");
           },
       .between = Between::lines,
       .excuses = {EPERM, EACCES}},
      {.name = "chdir",
       .words = {"chdir", "work", "sh", "-c", "echo > done"},
       .failures = {125, 126, 127}},
      command({"exec"}),
      telling(by_nice, command({"exec", "--umask", "027", "--nice", "3", "--limit", "nofile=64",
                                "--chdir", "."},
                               "{ umask; nice; ulimit -n; }")),
      telling(by_nice, command({"nice", "3"}, "nice")),
      command({"putenv", "A=1"}, "printenv A"),
      command({"unsetenv", "PATH"}, "echo ${PATH-unset}"),
      command({"sched_setaffinity", "0"}, "grep Cpus_allowed_list /proc/self/status"),
      command({"setpgid", "0"}, leads(5)),
      command({"setsid"}, leads(6)),
      command({"setrlimit", "nofile=64"}, "ulimit -n"),
      command({"umask", "027"}, "umask"),
      with_ids({"setegid", other_group()}),
      with_ids({"seteuid", other_user()}),
      with_ids({"setgid", other_group()}),
      with_ids({"setuid", other_user()}),
      command({"spawn"}),
      telling(by_pipe, command({"spawn", "--timeout", "20"})),
      telling(by_pipe, command({"spawn", "--timeout", "20", "--session"})),
      script("\"$0\" system 'echo > work/done'", {125, 126, 127}),
      script("\"$0\" fork sh -c 'echo > work/done' \\; sh -c 'i=0; until [ -e work/done ] || "
             "[ $((i += 1)) -gt 200 ]; do sleep .01; done; [ -e work/done ]'",
             {1, 125, 126, 127}),
      // Where its id can't be told nobody waits for it: it does its work at once.
      script("p=$(\"$0\" spawn --nowait mkdir work/done) || exit; echo $p > pid; i=0; "
             "until [ -e work/done ] || [ $((i += 1)) -gt 200 ]; do sleep .01; done; "
             "[ -e work/done ] || exit 3",
             {125, 126, 127}, by_pipe),
      // Where the kernel does not say how a process ended, that it has is known.
      script("sleep $LIFETIME & \"$0\" waitpid $! > /dev/null && echo > work/done", {1},
             {{SYS_ioctl, ENODATA}}, ENOSYS),
      script("sleep $LIFETIME & \"$0\" wait $! > /dev/null && echo > work/done", {1},
             {{SYS_ioctl, ENODATA}}, ENOSYS),
      script("sleep 30 & p=$!; \"$0\" kill $p; status=$?; [ $status = 0 ] || kill $p; "
             "{ wait $p; } 2> /dev/null; [ $status != 0 ] || echo > work/done; exit $status",
             {1}, {}, ENOSYS),
      script("sleep 30 & p=$!; \"$0\" kill --plan TERM:9s,KILL:9s $p; status=$?; "
             "if kill -9 $p 2>/dev/null; then [ $status != 0 ] || status=3; fi; "
             "[ $status != 0 ] || echo > work/done; exit $status",
             {1}, {}, ENOSYS),
      script(
          "\"$0\" setpriority 5 $$; status=$?; [ $status != 0 ] || nice > work/done; exit $status",
          {1}),
  };
  // What is written down of a job that has ended. A directory that cannot be opened has no records.
  all.push_back({.name = "waitpid --peek",
                 .words = {"sh", "\"$0\" waitpid --peek $(cat job)"},
                 .prepare =
                     [](const Place& at) {
                       const Words environment = {"XDG_RUNTIME_DIR=" + at.directory() + "/run"};
                       const Ran job =
                           tests::run({.words = {tests::binary(), "spawn", "--nowait", "true"},
                                       .environment = environment});
                       REQUIRE(job.status == 0);
                       at.scratch.file(at.name + "/job", job.out);
                       REQUIRE(tests::run({.words = {tests::binary(), "waitpid", "--peek",
                                                     job.out.substr(0, job.out.size() - 1)},
                                           .environment = environment})
                                   .status == 0);
                     },
                 .failures = {1},
                 .told_as = {{SYS_openat, ESRCH}, {tests::fstatat_call, ESRCH}}});
  // What only root may do.
  const std::vector<Operation> privileged = {
      {.name = "chown",
       .words = {"chown", "0:0", "work/file"},
       .prepare =
           [](const Place& at) {
             const std::string file = at.scratch.file(at.name + "/work/file", "", 04755);
             REQUIRE(::chown(file.c_str(), 1, 1) == 0);
             REQUIRE(::chmod(file.c_str(), 0755) == 0);
           }},
      {.name = "chown -R",
       .words = {"chown", "-R", "1:1", "work/top"},
       .prepare = make_tree,
       .between = Between::lines},
      with_ids({"setgroups", "1,2"}),
  };
  for (Operation operation : privileged) {
    operation.needs_root = true;
    all.push_back(std::move(operation));
  }
  return all;
}

}  // namespace

TEST_CASE("each call fails in turn, and nobody is told what is not so") {
  // Its own calls would fail as well.
  if (tests::disturbed_by_sanitizer()) return;
  for (const Operation& operation : operations()) {
    if (operation.needs_root && !tests::is_root()) continue;
    SUBCASE(operation.name.c_str()) { fail_each_call(operation); }
  }
}

TEST_CASE("there is an operation for every applet") {
  std::set<std::string> seen;
  for (const Operation& operation : operations()) seen.insert(applet_of(operation));
  for (const cli::Found& found : cli::all(applets::registry)) {
    if (found.alias == nullptr)
      CHECK_MESSAGE(seen.contains(std::string(found.name())), found.name());
  }
  CHECK(seen.contains("--install"));
}
