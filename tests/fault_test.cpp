// Every system call fails in turn, by strace: nobody is told that the work is done when it is not,
// what was there is old or new, and nothing is left over.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "core/sys/error.hpp"
#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"

namespace {

using Words = std::vector<std::string>;

/// Calls whose failure cannot matter, or that end every program alike.
const std::set<std::string>& spared() {
  static const std::set<std::string> calls = {
      // On Linux the descriptor is closed all the same; what was written is safe since fsync.
      "close",
      // Memory: none is ENOMEM, and nothing else; sys_error_test and dispatch_test look at it.
      "brk",
      "madvise",
      "mmap",
      "mprotect",
      "mremap",
      "munmap",
      // For the C library no random bytes are the end, except where the kernel has no such call.
      "getrandom",
      // They do not fail, or their failure ends the program from outside.
      "exit",
      "exit_group",
      "futex",
      "rt_sigaction",
      "rt_sigpending",
      "rt_sigprocmask",
      "rt_sigreturn",
      "umask",
      "set_robust_list",
      "rseq",
      "sched_yield",
  };
  return calls;
}

/// Two directories that a run has for itself: "work", and one on another file system.
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

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

/// What may be there after a failure.
enum class Between {
  nothing,  ///< all is old, or all is new
  lines,    ///< every file is old or new
};

struct Operation {
  std::string name;
  Words words;  ///< "OTHER/" is the directory on the other file system
  std::function<void(const Place&)> prepare;
  std::string input = {};
  Between between = Between::nothing;
  std::string keeps = {};   ///< a content that is there whatever happens
  std::string always = {};  ///< an injection that every run has: CALL:error=...
  bool exchanges = false;   ///< two names, which only newer calls do
  std::vector<tests::Denied> denied = {};
};

Words command_of(const Operation& operation, const Place& place, const Words& strace) {
  Words words = {"timeout", "20", "strace", "-f", "-qq", "-o", place.directory() + "/trace"};
  words.insert(words.end(), strace.begin(), strace.end());
  if (!operation.always.empty()) words.insert(words.end(), {"-e", "inject=" + operation.always});
  words.push_back(tests::binary());
  for (const std::string& word : operation.words) {
    words.push_back(word.starts_with("OTHER/") ? place.other_directory() + word.substr(5) : word);
  }
  return words;
}

Ran run(const Operation& operation, const Place& place, const Words& strace) {
  return tests::run({.words = command_of(operation, place, strace),
                     .input = operation.input,
                     .directory = place.directory(),
                     .denied = operation.denied});
}

/// A call by its name, and the how many-th of that name it is.
struct Fault {
  std::string call;
  int occurrence;
  int error = 0;
};

/// The calls in a trace from the first on that is about an operand.
std::vector<Fault> calls_of(const std::string& trace, const Place& place) {
  const auto is_about = [&](std::string_view line) {
    return line.find("\"work") != line.npos || line.find(place.other_directory()) != line.npos;
  };
  std::map<std::string, int> count;
  std::vector<Fault> calls;
  for (std::string_view line : tests::lines(trace)) {
    line.remove_prefix(std::min(line.find_first_not_of("0123456789 "), line.size()));
    const std::string name(line.substr(0, line.find('(')));
    // A call that is younger than strace, fchmodat2, cannot be injected into: see the next test.
    if (name.starts_with("syscall_")) continue;
    if (name.empty() || name.find_first_of(" <+-") != name.npos) continue;
    const int occurrence = ++count[name];
    if (calls.empty() && (name == "execve" || !is_about(line))) continue;
    if (!spared().contains(name)) calls.push_back({name, occurrence});
  }
  return calls;
}

std::set<std::string> lines_of(const std::string& picture) {
  const auto lines = tests::lines(picture);
  return {lines.begin(), lines.end()};
}

/// What is wrong with what a run said and left behind; empty where nothing is.
std::string complaint(const Operation& operation, const Ran& ran, const Fault& fault,
                      const std::string& before, const std::string& after, const std::string& now) {
  if (ran.status != 0 && ran.status != 1) return "status " + std::to_string(ran.status);
  if (!ran.out.empty()) return "it printed " + ran.out;
  if (ran.status == 0) {
    if (!ran.err.empty()) return "status 0 with a message";
    return now == after ? "" : "status 0, and it is not done";
  }
  const auto messages = tests::lines(ran.err);
  if (messages.size() != 1) return std::to_string(messages.size()) + " messages";
  const std::string errno_name = ": " + std::string(core::error_name(fault.error)) + ": ";
  const auto says = [&](std::string_view part) {
    return messages[0].find(part) != std::string::npos;
  };
  if (!messages[0].starts_with(operation.words[0] + ": ") ||
      !(says(" work/") || says(": stdin: "))) {
    return "a message without the operand";
  }
  // Where a file cannot have two names, it is the better way that was refused.
  const bool refused = fault.call == "linkat" && fault.error == EPERM &&
                       (says(": EINVAL: ") || says(": EOPNOTSUPP: "));
  if (!says(errno_name) && !refused) return "a message without" + errno_name;
  if (now.find(operation.keeps) == now.npos) return "the content is lost";
  if (now == before || now == after) return "";
  if (operation.between == Between::nothing) return "neither old nor new";
  std::set<std::string> known = lines_of(before);
  known.merge(lines_of(after));
  for (const std::string& line : lines_of(now)) {
    if (!known.contains(line)) return "neither old nor new: " + line;
  }
  return "";
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
    other.directory(name);
    operation.prepare(made);
    return made;
  };
  const Place clean = place("clean");
  const std::string before = clean.picture();
  const Ran well = run(operation, clean, {});
  if (operation.exchanges && !tests::newer_calls()) {
    CHECK(well.status == 1);
    CHECK(well.err.find(": EOPNOTSUPP: ") != std::string::npos);
    CHECK(clean.picture() == before);
    return;
  }
  REQUIRE_MESSAGE(well.status == 0, well.err);
  const std::string after = clean.picture();
  REQUIRE(after != before);
  const std::string trace = tests::content(clean.directory() + "/trace");

  std::vector<Fault> faults;
  for (const Fault& call : calls_of(trace, clean)) {
    if (operation.always.starts_with(call.call + ":")) continue;
    for (const int error : {EIO, ENOSPC, EINTR, EPERM}) {
      faults.push_back({call.call, call.occurrence, error});
    }
  }
  REQUIRE(!faults.empty());

  std::mutex mutex;
  std::vector<std::string> complaints;
  std::atomic<std::size_t> next = 0;
  std::size_t harmless = 0;
  const auto work = [&] {
    for (std::size_t i = 0; (i = next++) < faults.size();) {
      const Fault& fault = faults[i];
      const std::string error(core::error_name(fault.error));
      const Place mine = place(std::to_string(i));
      const std::string inject =
          fault.call + ":error=" + error + ":when=" + std::to_string(fault.occurrence);
      const Ran ran = run(operation, mine, {"-e", "inject=" + inject});
      std::string wrong = complaint(operation, ran, fault, before, after, mine.picture());
      if (tests::content(mine.directory() + "/trace").find("(INJECTED)") == std::string::npos) {
        wrong = "the call was not made";
      }
      const std::lock_guard lock(mutex);
      if (ran.status == 0) ++harmless;
      if (!wrong.empty()) {
        complaints.push_back(inject + ": " + wrong + "\n" + ran.err + mine.picture());
      }
    }
  };
  // A thread that writes to a process which ended would end this one.
  const auto old = std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  std::signal(SIGPIPE, old);
  for (const std::string& each : complaints) FAIL_CHECK(operation.name << ": " << each);
  MESSAGE(operation.name << ": " << faults.size() << " faults, " << harmless
                         << " of them harmless");
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

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = {
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
       .always = "renameat2:error=EINVAL"},
      {.name = "rename --exchange",
       .words = {"rename", "--exchange", "work/old", "work/new"},
       .prepare =
           [](const Place& at) {
             old_file(at.scratch, at.name + "/work/old", "one");
             old_file(at.scratch, at.name + "/work/new", "two");
           },
       .exchanges = true},
      {.name = "symlink --replace",
       .words = {"symlink", "--replace", "target", "work/link"},
       .prepare = [](const Place& at) { at.scratch.link("old", at.name + "/work/link"); },
       .exchanges = true},
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
       .denied = {{SYS_fchmodat2, ENOSYS}}},
  };
  return all;
}

}  // namespace

TEST_CASE("each call fails in turn, and nobody is told what is not so") {
  // Its own calls would fail as well.
  if (tests::disturbed_by_sanitizer()) return;
  for (const Operation& operation : operations()) {
    SUBCASE(operation.name.c_str()) { fail_each_call(operation); }
  }
}

// As of seccomp, for who has a strace that does not know the call.
TEST_CASE("chmod -R tells of every file whose mode it could not set") {
  for (const int error : {EIO, ENOSPC, EINTR}) {
    const Scratch scratch;
    const Place place{scratch, scratch, "place"};
    scratch.directory("place");
    scratch.directory("place/work");
    make_tree(place);
    const std::string before = tests::picture(scratch.path());
    const Ran ran = tests::run({.words = {tests::binary(), "chmod", "-R", "700", "place"},
                                .directory = scratch.path(),
                                .denied = {{SYS_fchmodat2, error},
#ifdef SYS_chmod
                                           {SYS_chmod, error},
#endif
                                           {SYS_fchmodat, error}}});
    CHECK(ran.status == 1);
    const auto messages = tests::lines(ran.err);
    CHECK(messages.size() == 7);
    for (const std::string& message : messages) {
      CHECK(message.starts_with("chmod: place"));
      CHECK(message.find(": " + std::string(core::error_name(error)) + ": ") != message.npos);
    }
    CHECK(tests::picture(scratch.path()) == before);
  }
}
