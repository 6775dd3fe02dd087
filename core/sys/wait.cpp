#include "core/sys/wait.hpp"

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <deque>
#include <set>

#include "core/sys/backend.hpp"
#include "core/sys/job.hpp"
#include "core/sys/process.hpp"
#include "core/sys/signal.hpp"

namespace core {
namespace {

using namespace std::chrono_literals;

/// What can only be asked for again and again is asked for that often.
constexpr Duration tick = 10ms;
/// How long the keeper of a job has, once that has ended, to write it down.
constexpr Duration keepers_time = 5s;

/// Holds SIGCHLD back, so that it can be waited for.
class HeldChildSignal {
 public:
  HeldChildSignal() {
    ::sigemptyset(&child_);
    ::sigaddset(&child_, SIGCHLD);
    ::pthread_sigmask(SIG_BLOCK, &child_, &before_);
  }
  ~HeldChildSignal() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HeldChildSignal(const HeldChildSignal&) = delete;
  HeldChildSignal& operator=(const HeldChildSignal&) = delete;

  /// Comes back when there is news of a child, or the time is over, or for no reason.
  void wait(const timespec& span) const { ::sigtimedwait(&child_, nullptr, &span); }

 private:
  sigset_t child_;
  sigset_t before_;
};

/// Waits for the child `id`, whose descriptor `process` is where there is one, without blocking:
/// none where it has not ended yet, ECHILD where it is no child.
Result<std::optional<Ended>> wait_for(ProcessId id, const Process* process, bool keep) {
  const int options = WEXITED | WNOHANG | (keep ? WNOWAIT : 0);
  siginfo_t info = {};
  KernelUsage usage = {};
  if (process != nullptr) {
    if (backend::pidfd_wait(process->descriptor(), info, options, usage) == 0) {
      if (info.si_pid == 0) return std::nullopt;
      return Ended{.id = id, .status = WaitStatus::of(info), .usage = ResourceUsage::of(usage)};
    }
    if (errno == ECHILD) return failure("waitpid", id.text());
  }
  // By its number: one of a child is its own until it is waited for. What keeps the zombie does
  // not tell what it used.
  if (keep) {
    if (::waitid(P_PID, static_cast<id_t>(id.pid), &info, options) != 0) {
      return failure("waitpid", id.text());
    }
    if (info.si_pid == 0) return std::nullopt;
    return Ended{.id = id, .status = WaitStatus::of(info)};
  }
  int word = 0;
  rusage used = {};
  const pid_t pid = ::wait4(id.pid, &word, WNOHANG, &used);
  if (pid < 0) return failure("waitpid", id.text());
  if (pid == 0) return std::nullopt;
  return Ended{.id = id, .status = WaitStatus(word), .usage = ResourceUsage::of(used)};
}

std::unexpected<Error> gone(ProcessId asked) {
  return std::unexpected(Error{.number = ENODATA,
                               .call = "waitpid",
                               .path = asked.text(),
                               .note = "it has ended, and its status is gone"});
}

Ended from_record(const Job& job) {
  return {.id = job.id,
          .status = job.end->status,
          .source = Source::record,
          .usage = job.end->usage,
          .wall = job.end->wall,
          .timed_out = job.end->timed_out};
}

}  // namespace

struct Wait::State {
  /// One that is waited for.
  struct Entry {
    ProcessId asked;                      ///< as it was given to `add`
    ProcessId id;                         ///< with its inode, where that is to be had
    std::optional<Process> process = {};  ///< none: a child, without a descriptor
    bool stranger = false;                ///< it is no child
    bool ended = false;                   ///< it is a zombie, or not even that
    bool reaped = false;                  ///< somebody has waited for it
    bool ticks = false;                   ///< no event will tell when there is more to know
    Deadline keeper = {};  ///< until when its record is waited for, once it has ended
    std::optional<Result<Ended>> told = {};
  };
  using Entries = std::vector<std::unique_ptr<Entry>>;
  using Key = std::pair<pid_t, std::uint64_t>;

  bool keep = false;
  Entries running;
  std::deque<std::unique_ptr<Entry>> ended;
  std::set<Key> known;
  std::optional<std::vector<JobDirectory>> jobs;
  ChildrenHeard heard;
  ProcessOpener opener;

  static Key key(const ProcessId& id) { return {id.pid, id.inode.value_or(0)}; }

  Result<std::optional<Job>> record(const ProcessId& id);
  void consume(const ProcessId& id);
  Result<void> add(const ProcessId& id);
  Result<void> add_child(const ProcessId& id);
  Result<void> add_record(const ProcessId& id, Error otherwise);
  void add(std::unique_ptr<Entry> entry);
  std::optional<Result<Ended>> look(Entry& entry, bool last);
  Result<void> round(const Deadline& deadline, bool last);
};

/// What is written of `id`, in any of the directories; what has an end counts most.
Result<std::optional<Job>> Wait::State::record(const ProcessId& id) {
  // Opened once: whoever has a pid has it from a keeper that had written it down.
  if (!jobs) jobs = TRY(told_as("waitpid", id.text(), JobDirectory::all()));
  std::optional<Job> found;
  for (const JobDirectory& directory : *jobs) {
    auto job = TRY(told_as("waitpid", id.text(), directory.find(id)));
    if (!job) continue;
    const bool younger = !found || job->id.inode > found->id.inode;
    if (younger || (job->id == found->id && job->end)) found = job;
  }
  return found;
}

/// Takes away what is written of `id`: it was told.
void Wait::State::consume(const ProcessId& id) {
  if (keep || !jobs || !id.inode) return;
  for (const JobDirectory& directory : *jobs) (void)directory.remove(id);
}

void Wait::State::add(std::unique_ptr<Entry> entry) {
  if (!known.insert(key(entry->id)).second) return;
  if (entry->told) {
    ended.push_back(std::move(entry));
  } else {
    running.push_back(std::move(entry));
  }
}

Result<void> Wait::State::add(const ProcessId& id) {
  // Before anything else, so that descriptors for it are there.
  if (!jobs) jobs = TRY(told_as("waitpid", id.text(), JobDirectory::all()));
  auto process = opener.open(id);
  if (!process) {
    Error error = std::move(process).error();
    error.call = "waitpid";
    if (error.number == ENOSYS && add_child(id)) return {};
    // One that is gone may still be written of, and so may one whose number a thread has now.
    const bool other = error.number == ESRCH || error.number == EINVAL || error.number == ENOSYS;
    if (other) return add_record(id, std::move(error));
    return std::unexpected(std::move(error));
  }
  if (id.pid == ::getpid()) return failure(EDEADLK, "waitpid", id.text());
  auto entry = std::make_unique<Entry>(Entry{.asked = id, .id = process->id()});
  entry->process = *std::move(process);
  // Of a number alone it would not be known which process is written of.
  if (entry->id.inode) {
    const auto job = TRY(record(entry->id));
    if (job && job->end) entry->told = from_record(*job);
  }
  add(std::move(entry));
  return {};
}

/// Adds a child where the kernel has no descriptors for processes. ECHILD where it is none.
Result<void> Wait::State::add_child(const ProcessId& id) {
  siginfo_t info = {};
  if (::waitid(P_PID, static_cast<id_t>(id.pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
    const auto family = errno == ECHILD ? Result<Kin>() : kin(id.pid);
    if (!family || family->ppid != ::getpid()) return failure(ECHILD, "waitpid", id.text());
  }
  // Without such descriptors it is the time of its start that tells it from others.
  const auto start = start_time(id.pid);
  if (id.inode && (!start || *start != *id.inode)) return failure(ECHILD, "waitpid", id.text());
  ProcessId full = id;
  if (start) full.inode = *start;
  add(std::make_unique<Entry>(Entry{.asked = id, .id = full, .ticks = true}));
  return {};
}

/// Adds a process that is there no more, or cannot be looked at, from what is written of it; the
/// error is `otherwise` where that is nothing.
Result<void> Wait::State::add_record(const ProcessId& id, Error otherwise) {
  // This first: its end is written before it goes.
  const bool is_gone = ::kill(id.pid, 0) != 0 && errno == ESRCH;
  const auto job = TRY(record(id));
  if (!job) {
    if (otherwise.number == ENOSYS && is_gone) {
      otherwise = {.number = ESRCH, .call = "waitpid", .path = id.text()};
    }
    // Most who have an inode have it from a job, whose record is read once.
    if (otherwise.number == ESRCH && otherwise.note.empty()) {
      otherwise.note =
          id.inode ? "nor a record of it: it was read before, or XDG_RUNTIME_DIR was another"
                   : "nor a record of it; what spawn --nowait did not start is waited for before "
                     "it ends";
    }
    return std::unexpected(std::move(otherwise));
  }
  if (job->end) {
    add(std::make_unique<Entry>(Entry{.asked = id, .id = job->id, .told = from_record(*job)}));
    return {};
  }
  // Its keeper was killed, or it is not gone.
  if (otherwise.number == ENOSYS && !is_gone) return std::unexpected(std::move(otherwise));
  consume(job->id);
  return gone(id);
}

/// How `entry` ended, as far as that can be said now; none where it is to be waited for. `last`:
/// there will be no other look.
std::optional<Result<Ended>> Wait::State::look(Entry& entry, bool last) {
  if (!entry.stranger) {
    auto child = wait_for(entry.id, entry.process ? &*entry.process : nullptr, keep);
    if (child && *child) return **std::move(child);
    // It ended and cannot be waited for: a debugger has it, and lets go of it without a word.
    entry.ticks = true;
    if (child) return std::nullopt;
    if (!entry.process) {
      if (child.error().number == ECHILD) return gone(entry.asked);
      return std::unexpected(std::move(child).error());
    }
    entry.ticks = false;
    entry.stranger = true;
  }

  const auto is_reaped = [&entry] {
    const auto sent = entry.process->send(0);
    return !sent && sent.error().number == ESRCH;
  };
  // This first: what the kernel keeps and what its keeper writes is there before it is reaped.
  const bool was_reaped = entry.reaped || is_reaped();
  const auto kept = backend::pidfd_exit_status(entry.process->descriptor());
  const bool is_kept = kept || errno == EAGAIN || errno == ESRCH;
  const bool reaped = kept || was_reaped;
  std::optional<Job> job;
  if (entry.id.inode) {
    auto found = record(entry.id);
    if (!found) return std::unexpected(std::move(found).error());
    job = *std::move(found);
  }
  if (job && job->end) return from_record(*job);
  if (kept) return Ended{.id = entry.id, .status = WaitStatus(*kept), .source = Source::pidfd};
  if (reaped) {
    if (job) consume(entry.id);
    return gone(entry.asked);
  }

  // A zombie. Its keeper is about to write, unless it was killed or stopped.
  if (job && !entry.keeper.is_set()) entry.keeper = Deadline::in(keepers_time);
  entry.ticks = job && !last && !entry.keeper.passed();
  if (entry.ticks) return std::nullopt;
  if (const auto word = zombie_status(entry.id.pid)) {
    // Was it a zombie still when that was read?
    if (is_reaped()) return look(entry, last);
    return Ended{.id = entry.id, .status = WaitStatus(*word), .source = Source::proc};
  }
  // Once somebody waits for it the kernel will tell, where it keeps that.
  if (is_kept) return std::nullopt;
  return gone(entry.asked);
}

/// Waits for news of those that run, no longer than until `deadline`, and looks at those that have
/// some.
Result<void> Wait::State::round(const Deadline& deadline, bool last) {
  std::vector<pollfd> ends;
  Deadline until = deadline;
  for (const auto& entry : running) {
    // Of a zombie it is the end of that which is news, POLLHUP (Linux 6.9).
    const short events = entry->ended ? 0 : POLLIN;
    ends.push_back({entry->process ? entry->process->descriptor().number() : -1, events, 0});
    if (entry->ticks) until = Deadline::earlier(until, Deadline::in(tick));
  }
  const auto left = until.left();
  if (::ppoll(ends.data(), ends.size(), left ? &*left : nullptr, nullptr) < 0) {
    if (errno == EINTR) return {};
    return failure("poll");
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < running.size(); ++i) {
    Entry& entry = *running[i];
    entry.ended = entry.ended || ends[i].revents != 0;
    entry.reaped = entry.reaped || (ends[i].revents & POLLHUP) != 0;
    if (ends[i].revents != 0 || entry.ticks) entry.told = look(entry, last);
    (entry.told ? ended.emplace_back() : running[kept++]) = std::move(running[i]);
  }
  running.resize(kept);
  return {};
}

Wait::Wait(bool keep) : state_(std::make_unique<State>()) { state_->keep = keep; }
Wait::~Wait() = default;

Result<void> Wait::add(ProcessId id) { return state_->add(id); }

std::size_t Wait::size() const { return state_->ended.size() + state_->running.size(); }

std::vector<ProcessId> Wait::left() const {
  std::vector<ProcessId> left;
  for (const auto& entry : state_->ended) left.push_back(entry->asked);
  for (const auto& entry : state_->running) left.push_back(entry->asked);
  return left;
}

bool Wait::ready() {
  State& state = *state_;
  if (!state.ended.empty() || state.running.empty()) return true;
  // What does not work now is for `next` to tell.
  return !state.round(Deadline::in({}), false) || !state.ended.empty();
}

Result<std::optional<Ended>> Wait::next(const Deadline& deadline) {
  State& state = *state_;
  while (state.ended.empty()) {
    if (state.running.empty()) return failure(ECHILD, "waitpid");
    const bool last = deadline.passed();
    TRY(state.round(deadline, last));
    if (last && state.ended.empty()) return std::nullopt;
  }
  const auto entry = std::move(state.ended.front());
  state.ended.pop_front();
  state.known.erase(State::key(entry->id));
  Result<Ended> told = *std::move(entry->told);
  if (!told) return std::unexpected(std::move(told).error());
  return *std::move(told);
}

void Wait::consume(const ProcessId& id) { state_->consume(id); }

bool has_children() {
  siginfo_t info = {};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

Result<std::optional<Ended>> wait_for_child(const Deadline& deadline) {
  const ChildrenHeard heard;
  const HeldChildSignal held;
  for (;;) {
    // Looked at first, so that its descriptor can be had, and then waited for.
    const bool passed = deadline.passed();
    const int options = WEXITED | WNOWAIT | (deadline.is_set() ? WNOHANG : 0);
    siginfo_t info = {};
    if (::waitid(P_ALL, 0, &info, options) != 0) {
      if (errno == EINTR) continue;
      return failure("wait");
    }
    if (info.si_pid != 0) {
      ProcessId id{.pid = info.si_pid};
      const auto process = Process::open(id);
      if (process) id = process->id();
      auto ended = TRY(wait_for(id, process ? &*process : nullptr, false));
      if (ended) return ended;
      // A debugger has it. waitid(2) does not show such a child, so it was let go of meanwhile.
      continue;
    }
    if (passed) return std::nullopt;
    const auto left = deadline.left();
    held.wait(*left);
  }
}

}  // namespace core
