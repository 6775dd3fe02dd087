#include "core/sys/wait.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "core/sys/job.hpp"
#include "core/sys/process.hpp"
#include "tests/harness.hpp"
#include "tests/stranger.hpp"

using core::Deadline;
using core::Ended;
using core::Job;
using core::JobDirectory;
using core::ProcessId;
using core::Source;
using core::Wait;
using tests::Stranger;

using namespace std::chrono_literals;

namespace {

/// The numbers of calls that the C library here may have no names for.
constexpr long pidfd_open = 434;
/// Long enough for any machine.
const auto soon = [] { return Deadline::in(60s); };

/// Links that cannot be read. Newer architectures have one call for that.
std::vector<tests::Denied> denied_links() {
  std::vector<tests::Denied> denied = {{SYS_readlinkat, EACCES}};
#ifdef SYS_readlink
  denied.push_back({SYS_readlink, EACCES});
#endif
  return denied;
}

void exit_42() { ::_exit(42); }

pid_t child(const std::function<void()>& work) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    work();
    ::_exit(0);
  }
  return pid;
}

void die_by(int signal) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

std::string word_of(Source source) {
  switch (source) {
    case Source::child:
      return "child";
    case Source::record:
      return "record";
    case Source::pidfd:
      return "pidfd";
    case Source::proc:
      break;
  }
  return "proc";
}

/// "10752 child", "none", or the name and note of an error.
std::string shown(const core::Result<std::optional<Ended>>& ended) {
  if (!ended) return std::string(core::error_name(ended.error().number));
  if (!*ended) return "none";
  return std::to_string((*ended)->status.word()) + " " + word_of((*ended)->source);
}

/// The same of the only one of its kind, as a Wait tells it.
std::string waited(ProcessId id, const Deadline& deadline = soon(), bool keep = false) {
  Wait wait(keep);
  if (const auto added = wait.add(id); !added) {
    return std::string(core::error_name(added.error().number));
  }
  const auto told = wait.next(deadline);
  if (told && *told) wait.consume((*told)->id);
  return shown(told);
}
std::string waited(pid_t pid) { return waited(ProcessId{.pid = pid}); }

/// The status of the stranger that is a zombie, for as long as nobody waits for it.
bool is_proc_or_pidfd(const std::string& shown, int word) {
  return shown == std::to_string(word) + " proc" || shown == std::to_string(word) + " pidfd";
}

/// A directory for jobs of this test alone.
struct Jobs {
  Scratch scratch;
  tests::RuntimeDirectory runtime{scratch.path()};
  JobDirectory directory = [] {
    auto made = JobDirectory::make();
    REQUIRE(made);
    return *std::move(made);
  }();
};

ProcessId id_of(pid_t pid) { return core::Process::open({.pid = pid})->id(); }

Job ended(ProcessId id, int word) {
  Job job{.id = id, .owner = {1, 1}};
  job.end = Job::End{.status = core::WaitStatus(word), .usage = {.user = 5ms}, .wall = 7s};
  return job;
}

}  // namespace

TEST_CASE("wait: an own child, however it ends, as wait4(2) has it") {
  struct Case {
    std::function<void()> work;
    int word;
  };
  const Case cases[] = {{[] {}, 0},
                        {exit_42, 42 << 8},
                        {[] { ::_exit(255); }, 255 << 8},
                        {[] { die_by(SIGKILL); }, SIGKILL},
                        {[] { die_by(SIGSEGV); }, SIGSEGV},
                        {[] { die_by(SIGRTMIN + 2); }, SIGRTMIN + 2}};
  for (const auto& [work, word] : cases) {
    CAPTURE(word);
    Wait wait;
    const pid_t pid = child(work);
    REQUIRE(wait.add({.pid = pid}));
    REQUIRE(wait.add({.pid = pid}));
    CHECK(wait.size() == 1);
    const auto told = wait.next(soon());
    CHECK(shown(told) == std::to_string(word) + " child");
    REQUIRE((told && *told));
    CHECK((*told)->id.pid == pid);
    REQUIRE((*told)->usage);
    CHECK((*told)->usage->max_rss > 0);
    CHECK(wait.size() == 0);
    CHECK(shown(wait.next(soon())) == "ECHILD");
    CHECK((::waitpid(pid, nullptr, WNOHANG) < 0 && errno == ECHILD));
  }
}

TEST_CASE("wait: a child that is to be kept is there still, for the next and for waitpid(2)") {
  const pid_t pid = child(exit_42);
  CHECK(waited({.pid = pid}, soon(), true) == "10752 child");
  CHECK(waited({.pid = pid}, soon(), true) == "10752 child");
  CHECK(waited(pid) == "10752 child");
  CHECK(waited(pid) == "ESRCH");
}

TEST_CASE("wait: the time is over at once, later, or never") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const pid_t pid = child([&ends] {
    char end;
    ::close(ends[1]);
    (void)!::read(ends[0], &end, 1);
  });
  Wait wait;
  REQUIRE(wait.add({.pid = pid}));
  CHECK(!wait.ready());
  CHECK(shown(wait.next(Deadline::in(0s))) == "none");
  const core::Duration before = core::monotonic_time();
  CHECK(shown(wait.next(Deadline::in(50ms))) == "none");
  CHECK(core::monotonic_time() - before >= 50ms);
  CHECK(wait.left() == std::vector<ProcessId>{{.pid = pid}});
  ::close(ends[1]);
  CHECK(shown(wait.next(Deadline())) == "0 child");
  CHECK(wait.ready());
  ::close(ends[0]);
}

TEST_CASE("wait: what is no process to be waited for") {
  CHECK(waited(::getpid()) == (tests::kernel_keeps_status() ? "EDEADLK" : "ENOSYS"));
  if (!tests::needs_kept_status()) return;
  CHECK(waited(4194305) == "ESRCH");
  // A thread of another process.
  const std::string threads = tests::python(
      "import subprocess, sys, threading\n"
      "stop = threading.Event()\n"
      "thread = threading.Thread(target=stop.wait)\n"
      "thread.start()\n"
      "ran = subprocess.run([sys.argv[1], 'waitpid', str(thread.native_id)], stderr=-1)\n"
      "stop.set()\n"
      "print(ran.stderr.decode().replace(str(thread.native_id), 'ID'), end='')\n",
      {tests::binary()});
  CHECK(threads == "waitpid: ID: EINVAL: Invalid argument (a thread, not a process)\n");
  // Another process than the one that is meant.
  const Stranger stranger(exit_42);
  ProcessId other = id_of(stranger.pid());
  ++*other.inode;
  CHECK(waited(other) == "ESRCH");
}

TEST_CASE("wait: the child of somebody else who waits for it at once, later or never") {
  if (!tests::needs_kept_status()) return;
  for (int i = 0; i < 20; ++i) {
    Stranger stranger(exit_42);
    Wait wait;
    REQUIRE(wait.add({.pid = stranger.pid()}));
    stranger.end();
    CHECK(is_proc_or_pidfd(shown(wait.next(soon())), 42 << 8));
  }
  {
    Stranger stranger([] { die_by(SIGKILL); }, Stranger::Reaped::when_told);
    stranger.end_and_stay();
    CHECK(waited(stranger.pid()) == "9 proc");
    CHECK(waited({.pid = stranger.pid()}, Deadline::in(0s)) == "9 proc");
    Wait wait;
    REQUIRE(wait.add({.pid = stranger.pid()}));
    const ProcessId id = id_of(stranger.pid());
    stranger.reap();
    const auto opened = core::Process::open({.pid = stranger.pid()});
    while (opened && opened->send(0)) ::usleep(1000);
    CHECK(shown(wait.next(soon())) == "9 pidfd");
    CHECK(waited(id) == "ESRCH");
  }
}

TEST_CASE("wait: a zombie that may not be looked into tells when it is waited for") {
  if (!tests::needs_kept_status()) return;
  if (!tests::is_root()) {
    MESSAGE("not tested: only root can have a process that another user may not look into");
    return;
  }
  Stranger stranger(exit_42, Stranger::Reaped::when_told);
  stranger.end_and_stay();
  const auto first = [&stranger] { return waited({.pid = stranger.pid()}, Deadline::in(20ms)); };
  CHECK(tests::in_child(first, {}, true) == "none");
  // Where the kernel would not tell then either, that is said at once.
  CHECK(tests::in_child([&stranger] { return waited(stranger.pid()); }, {{SYS_ioctl, ENOTTY}},
                        true) == "ENODATA");
  CHECK(tests::in_child(
            [&stranger] {
              Wait wait;
              if (!wait.add({.pid = stranger.pid()})) return std::string("not added");
              if (wait.ready()) return std::string("ready");
              stranger.reap();
              return shown(wait.next(soon()));
            },
            {}, true) == "10752 pidfd");
}

TEST_CASE("wait: each newer call is hidden in turn, and the next one serves") {
  const auto own = [](bool keep = false) {
    return [keep] {
      const pid_t pid = child(exit_42);
      Wait wait(keep);
      if (!wait.add({.pid = pid})) return std::string("not added");
      const auto told = wait.next(soon());
      return shown(told) + (told && *told && (*told)->usage ? " usage" : "");
    };
  };
  // What a child used is known from the fifth argument of waitid(2), or from wait4(2).
  CHECK(tests::in_child(own(), {{SYS_waitid, ENOSYS}}) == "10752 child usage");
  CHECK(tests::in_child(own(), {{SYS_waitid, EINVAL}}) == "10752 child usage");
  CHECK(tests::in_child(own(), {{SYS_wait4, ENOSYS}, {pidfd_open, EPERM}}) == "ENOSYS");
  for (const int error : {ENOSYS, EPERM}) {
    CHECK(tests::in_child(own(), {{pidfd_open, error}}) == "10752 child usage");
    CHECK(tests::in_child(own(true), {{pidfd_open, error}}) == "10752 child");
  }
  if (!tests::needs_kept_status()) return;
  CHECK(tests::in_child(own(true)) == "10752 child usage");
  // A child whose parent cannot wait is a zombie like any other.
  CHECK(tests::in_child(own(), {{SYS_waitid, EPERM}, {SYS_wait4, EPERM}}) == "10752 proc");

  Stranger stranger(exit_42, Stranger::Reaped::when_told);
  const auto look = [&stranger] { return waited(stranger.pid()); };
  CHECK(tests::in_child(look, {{pidfd_open, ENOSYS}}) == "ENOSYS");
  stranger.end_and_stay();
  CHECK(tests::in_child(look, {{SYS_ioctl, ENOTTY}}) == "10752 proc");
  CHECK(tests::in_child(look, {{SYS_waitid, ENOSYS}}) == "10752 proc");
  // Links of /proc say who may look: without them nobody may, and it has to be waited for.
  const auto hidden = [&stranger] { return waited({.pid = stranger.pid()}, Deadline::in(20ms)); };
  const std::vector<tests::Denied> no_links = denied_links();
  CHECK(tests::in_child(hidden, no_links) == "none");
  std::vector<tests::Denied> nothing = no_links;
  nothing.push_back({SYS_ioctl, ENOTTY});
  CHECK(tests::in_child(look, nothing) == "ENODATA");
  CHECK(tests::in_child(
            [&stranger] {
              Wait wait;
              if (!wait.add({.pid = stranger.pid()})) return std::string("not added");
              if (wait.ready()) return std::string("ready");
              stranger.reap();
              return shown(wait.next(soon()));
            },
            no_links) == "10752 pidfd");
}

TEST_CASE("wait: a process that is gone is known from its record, which is taken away") {
  const Jobs jobs;
  const ProcessId gone{4194305, 77};
  REQUIRE(jobs.directory.put(ended(gone, 0x2a00)));
  CHECK(waited(gone, soon(), true) == "10752 record");
  Wait wait;
  REQUIRE(wait.add({.pid = gone.pid}));
  REQUIRE(wait.add(gone));
  CHECK(wait.size() == 1);
  const auto told = wait.next(Deadline::in(0s));
  REQUIRE((told && *told));
  CHECK((*told)->id == gone);
  CHECK((*told)->status.exit_code() == 42);
  CHECK(((*told)->usage->user == 5ms));
  CHECK((*(*told)->wall == 7s));
  // It is there until whoever was told has made use of it.
  CHECK(waited(gone, soon(), true) == "10752 record");
  wait.consume(gone);
  CHECK(waited(gone) == "ESRCH");
}

TEST_CASE("wait: a record counts for its own process and for no other of its number") {
  if (!tests::needs_kept_status()) return;
  const Jobs jobs;
  Stranger stranger(exit_42, Stranger::Reaped::when_told);
  ProcessId before = id_of(stranger.pid());
  --*before.inode;
  REQUIRE(jobs.directory.put(ended(before, 9)));
  stranger.end_and_stay();
  CHECK(waited(stranger.pid()) == "10752 proc");
  CHECK(waited(before) == "9 record");
  // Its own counts as soon as it is there, waited for or not.
  REQUIRE(jobs.directory.put(ended(id_of(stranger.pid()), 256)));
  CHECK(waited(stranger.pid()) == "256 record");
  CHECK(waited(stranger.pid()) == "10752 proc");
}

TEST_CASE("wait: a job whose keeper was killed has no status, and its record goes") {
  if (!tests::needs_kept_status()) return;
  const Jobs jobs;
  const ProcessId gone{4194305, 77};
  const Job running{.id = gone, .owner = {1, 1}};
  REQUIRE(jobs.directory.put(running));
  CHECK(waited(gone, soon(), true) == "ENODATA");
  CHECK(waited(gone.pid) == "ENODATA");
  CHECK(waited(gone) == "ESRCH");
}

TEST_CASE("wait: the keeper has a moment to write before /proc is asked, and no more") {
  if (!tests::needs_kept_status()) return;
  const Jobs jobs;
  Stranger stranger(exit_42, Stranger::Reaped::when_told);
  const ProcessId id = id_of(stranger.pid());
  REQUIRE(jobs.directory.put({.id = id, .owner = {1, 1}}));
  stranger.end_and_stay();
  // A last look does not wait for anybody.
  CHECK(waited(id, Deadline::in(0s), true) == "10752 proc");
  Wait wait;
  REQUIRE(wait.add(id));
  CHECK(!wait.ready());
  REQUIRE(jobs.directory.put(ended(id, 0x2a00)));
  CHECK(shown(wait.next(soon())) == "10752 record");
  // A keeper that is stopped never writes.
  REQUIRE(jobs.directory.put({.id = id, .owner = {1, 1}}));
  CHECK(waited(id) == "10752 proc");
}

TEST_CASE("wait: no status is lost between a keeper that writes and reaps, and those who ask") {
  const Jobs jobs;
  if (!tests::needs_kept_status()) return;
  for (const bool hidden : {false, true}) {
    CAPTURE(hidden);
    // Neither /proc nor the kernel is of help then.
    std::vector<tests::Denied> denied;
    if (hidden) denied = denied_links();
    if (hidden) denied.push_back({SYS_ioctl, ENOTTY});
    std::string told;
    for (int i = 0; i < 60; ++i) {
      int ends[2];
      REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
      const pid_t keeper = child([&] {
        const pid_t pid = child([i] {
          ::usleep(static_cast<useconds_t>(i * 37 % 1000));
          ::_exit(i);
        });
        const ProcessId id = id_of(pid);
        if (!jobs.directory.put({.id = id, .owner = {1, 1}})) ::abort();
        (void)!::write(ends[1], &id, sizeof id);
        siginfo_t info;
        ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
        if (!jobs.directory.put(ended(id, i << 8))) ::abort();
        ::waitpid(pid, nullptr, 0);
      });
      ProcessId id;
      REQUIRE(::read(ends[0], &id, sizeof id) == sizeof id);
      ::usleep(static_cast<useconds_t>(i * 53 % 1500));
      const std::string answer = tests::in_child([id] { return waited(id); }, denied);
      if (answer != std::to_string(i << 8) + " record") told += answer + "; ";
      ::waitpid(keeper, nullptr, 0);
      ::close(ends[0]);
      ::close(ends[1]);
    }
    CHECK(told == "");
  }
  CHECK(tests::run({.words = {"ls", "-A", jobs.scratch / "osbox"}}).out == "");
}

TEST_CASE("wait: more processes than the soft limit has descriptors, and than the hard one") {
  if (!tests::needs_kept_status()) return;
  const auto many = [](rlim_t soft, rlim_t hard, int count) {
    return tests::in_child([=] {
      rlimit limit{soft, hard};
      ::setrlimit(RLIMIT_NOFILE, &limit);
      std::vector<pid_t> pids;
      int ends[2];
      if (::pipe(ends) != 0) return std::string("no pipe");
      for (int i = 0; i < count; ++i) {
        pids.push_back(child([&ends, i] {
          char end;
          ::close(ends[1]);
          (void)!::read(ends[0], &end, 1);
          ::_exit(i % 256);
        }));
      }
      int refused = 0;
      int right = 0;
      {
        Wait wait;
        for (const pid_t pid : pids) {
          const auto added = wait.add({.pid = pid});
          if (!added && added.error().number == EMFILE) ++refused;
        }
        ::close(ends[1]);
        while (wait.size() > 0) {
          const auto told = wait.next(soon());
          if (!told || !*told) return std::string("lost one: ") + shown(told);
          const auto at = std::find(pids.begin(), pids.end(), (*told)->id.pid) - pids.begin();
          if ((*told)->status.word() == (at % 256) << 8) ++right;
        }
      }
      while (::wait(nullptr) > 0) {
      }
      ::getrlimit(RLIMIT_NOFILE, &limit);
      return std::to_string(right) + " right, " +
             (right + refused == count ? "the others refused" : "others lost") + ", " +
             std::to_string(limit.rlim_cur);
    });
  };
  CHECK(many(40, 1000, 300) == "300 right, the others refused, 40");
  const std::string few = many(32, 32, 60);
  CAPTURE(few);
  CHECK(few.ends_with(" right, the others refused, 32"));
  CHECK(!few.starts_with("0 "));
}

TEST_CASE("wait: SIGCHLD that is ignored costs no status, and is ignored again afterwards") {
  const std::string answer = tests::in_child([] {
    ::signal(SIGCHLD, SIG_IGN);
    std::string told;
    {
      Wait wait;
      const pid_t pid = child([] {
        ::usleep(20000);
        ::_exit(42);
      });
      if (!wait.add({.pid = pid})) return std::string("not added");
      told = shown(wait.next(soon()));
    }
    child([] {
      ::usleep(50000);
      ::_exit(42);
    });
    told += ", " + shown(core::wait_for_child(Deadline()));
    child([] {
      ::usleep(50000);
      ::_exit(42);
    });
    told += ", " + shown(core::wait_for_child(soon()));
    struct ::sigaction action;
    ::sigaction(SIGCHLD, nullptr, &action);
    return told + (action.sa_handler == SIG_IGN ? "" : ", changed");
  });
  CHECK(answer == "10752 child, 10752 child, 10752 child");
}

TEST_CASE("wait_for_child has each child once, in the order they end, and then ECHILD") {
  const std::string answer = tests::in_child([] {
    if (core::has_children()) return std::string("children from before");
    sigset_t before;
    ::sigprocmask(SIG_SETMASK, nullptr, &before);
    std::string told = shown(core::wait_for_child(soon()));
    const pid_t late = child([] {
      ::usleep(300000);
      ::_exit(2);
    });
    const pid_t early = child([] { die_by(SIGKILL); });
    const auto first = core::wait_for_child(Deadline());
    if (!first || !*first || (*first)->id.pid != early) return std::string("not the first");
    if (!(*first)->usage) return std::string("no usage");
    told += " " + shown(first);
    told += " " + shown(core::wait_for_child(Deadline::in(0s)));
    told += " " + shown(core::wait_for_child(Deadline::in(5ms)));
    if (!core::has_children()) return std::string("no children");
    const auto second = core::wait_for_child(soon());
    if (!second || !*second || (*second)->id.pid != late) return std::string("not the second");
    told += " " + shown(second);
    told += " " + shown(core::wait_for_child(Deadline()));
    sigset_t after;
    ::sigprocmask(SIG_SETMASK, nullptr, &after);
    if (::sigismember(&after, SIGCHLD) != ::sigismember(&before, SIGCHLD)) told += " mask";
    return told;
  });
  CHECK(answer == "ECHILD 9 child none none 512 child ECHILD");
}

TEST_CASE("zombie_status is the word of one that ended, and of nothing else") {
  Stranger stranger([] { die_by(SIGKILL); }, Stranger::Reaped::when_told);
  CHECK(!core::zombie_status(stranger.pid()));
  stranger.end_and_stay();
  CHECK(core::zombie_status(stranger.pid()) == 9);
  CHECK(!core::zombie_status(4194305));
  if (!tests::is_root()) return;
  // Somebody else reads a 0 there, which is not the truth.
  CHECK(tests::in_child(
            [&stranger] {
              return core::zombie_status(stranger.pid()) ? std::string("told") : "not told";
            },
            {}, true) == "not told");
}

TEST_CASE("a process that left its memory behind was killed by the signal, and dumped core") {
  siginfo_t about = {};
  about.si_code = CLD_DUMPED;
  about.si_status = SIGSEGV;
  const auto status = core::WaitStatus::of(about);
  CHECK(WIFSIGNALED(status.word()));
  CHECK(WTERMSIG(status.word()) == SIGSEGV);
  CHECK(WCOREDUMP(status.word()));
}
