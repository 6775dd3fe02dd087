#include "core/sys/execute.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "core/sys/fs.hpp"

namespace core {
namespace {

// Linux 5.11; the header of the C library may be older.
constexpr unsigned close_range_cloexec = 1U << 2;

std::vector<char*> pointers(std::span<const std::string> texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  // execve(2) changes nothing of what it is given.
  for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

/// The value of the first PATH in `entries`, or the one that execvp(3) has where there is none.
std::string_view path_of(std::span<char* const> entries) {
  for (const char* const entry : entries) {
    if (entry == nullptr) break;
    const Variable variable = Variable::of(entry);
    if (variable.name == "PATH" && variable.value) return *variable.value;
  }
  return "/bin:/usr/bin";
}

std::vector<std::string> candidates_of(const std::string& command, bool search,
                                       std::span<char* const> entries) {
  if (!search || command.find('/') != command.npos || command.empty()) return {command};
  std::vector<std::string> all;
  std::string_view path = path_of(entries);
  for (;;) {
    const std::size_t end = std::min(path.find(':'), path.size());
    std::string candidate(path.substr(0, end));
    // An empty one is the current directory.
    if (!candidate.empty() && candidate.back() != '/') candidate += '/';
    candidate += command;
    if (std::ranges::find(all, candidate) == all.end()) all.push_back(std::move(candidate));
    if (end == path.size()) return all;
    path.remove_prefix(end + 1);
  }
}

/// Of so many candidates the errors are told by a child.
constexpr std::size_t most_errors = 500;

/// Where `execvp` looks on after this error of one candidate.
bool looks_on(int number) {
  return number == ENOENT || number == ENOTDIR || number == EACCES || number == ESTALE ||
         number == ENODEV || number == ETIMEDOUT;
}

}  // namespace

struct Program::Ready {
  std::vector<std::string> words;
  ProcessAttributes attributes;
  std::vector<std::string> entries;  ///< of the environment, where it was changed
  std::vector<char*> argv;
  std::vector<char*> envp;
  std::vector<std::string> candidates;
  std::vector<int> errors;   ///< errno of each candidate that was tried
  std::string group_digits;  ///< of the process group, for a message
  std::string increment;     ///< of the nice value, likewise
  std::string cpus;          ///< likewise
  std::array<Fd, 3> files;
  std::array<std::optional<FdRef>, 3> streams;  ///< what takes the place of each

  Result<void> open_streams();
  StepFailure set_signals(const Placement& placement) const;
  StepFailure set_group(const Placement& placement) const;
  StepFailure set_rest(const Placement& placement, pid_t parent) const;
  void truncate_streams() const;
  StepFailure execute();
  StepFailure run(const Placement& placement, pid_t parent, int* stop = nullptr);
  Error explain(const StepFailure& failure) const;
  Error explain_exec(int number) const;
};

Result<void> Program::Ready::open_streams() {
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& stream = attributes.streams[i];
    if (!stream || streams[i]) continue;
    const int how = i == 0 ? O_RDONLY : O_WRONLY | O_CREAT | (stream->append ? O_APPEND : 0);
    // A terminal does not become the controlling one by being opened.
    files[i] = TRY(core::open(stream->path, how | O_NOCTTY, {}, 0666));
    streams[i] = files[i];
    // Two streams into one file share where they write, or they would overwrite each other.
    const auto& error = attributes.streams[2];
    if (i == 1 && error && error->path == stream->path) streams[2] = files[i];
  }
  return {};
}

// What follows runs between vfork and exec: no memory is taken, and no lock.

namespace {

StepFailure failed(const char* call, const char* path = nullptr, const char* note = nullptr) {
  return {call, errno, path, note};
}

bool set_action(int signal, void (*action)(int)) {
  struct ::sigaction how = {};
  how.sa_handler = action;
  return ::sigaction(signal, &how, nullptr) == 0;
}

/// A signal that has come and would stop this process, taken away from it; else 0.
int take_stop() {
  sigset_t stops;
  ::sigemptyset(&stops);
  for (const int signal : {SIGTSTP, SIGTTIN, SIGTTOU}) ::sigaddset(&stops, signal);
  constexpr timespec at_once{};
  return std::max(::sigtimedwait(&stops, nullptr, &at_once), 0);
}

/// Has all descriptors from `first` on closed by execve(2).
void close_on_exec(unsigned first) {
  if (::close_range(first, ~0U, static_cast<int>(close_range_cloexec)) == 0) return;
  // A descriptor may be above a limit that was lowered since; above this none can be.
  constexpr int most = 1 << 20;
  for (int fd = static_cast<int>(first); fd < most; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

}  // namespace

StepFailure Program::Ready::set_signals(const Placement& placement) const {
  // Whoever runs a program from Python or the like has SIGPIPE ignored, and no program expects it.
  set_action(SIGPIPE, SIG_DFL);
  if (placement.ignored_signal != 0) set_action(placement.ignored_signal, SIG_IGN);
  if (placement.default_signal != 0) set_action(placement.default_signal, SIG_DFL);
  for (const int signal : attributes.default_signals) {
    if (!set_action(signal, SIG_DFL)) return failed("sigaction");
  }
  for (const int signal : attributes.ignored_signals) {
    if (!set_action(signal, SIG_IGN)) return failed("sigaction");
  }
  return {};
}

StepFailure Program::Ready::set_group(const Placement& placement) const {
  // Who may not join it is found without it.
  if (placement.cgroup) (void)!::write(placement.cgroup->number(), "0", 1);
  if (attributes.session && ::setsid() < 0) {
    return failed("setsid", nullptr, "it leads its process group; 'spawn --session' can");
  }
  // Who leads a session leads its group as well.
  const bool leads = attributes.session && attributes.process_group == 0;
  if (attributes.process_group && !leads && ::setpgid(0, *attributes.process_group) != 0) {
    return failed("setpgid", group_digits.c_str());
  }
  if (placement.terminal) ::tcsetpgrp(placement.terminal->number(), ::getpgrp());
  return {};
}

StepFailure Program::Ready::set_rest(const Placement& placement, pid_t parent) const {
  for (int i = 0; i < 3; ++i) {
    const auto& stream = streams[static_cast<std::size_t>(i)];
    if (stream && ::dup2(stream->number(), i) < 0) return failed("dup2");
  }
  for (const LimitChange& change : attributes.limits) {
    if (const int number = setrlimit(change)) {
      return {"setrlimit", number, change.resource->name.data(), setrlimit_note(number)};
    }
  }
  if (attributes.nice) {
    errno = 0;
    // More than that is the same; and the C library adds before the kernel clamps.
    if (::nice(std::clamp(*attributes.nice, -40, 40)) == -1 && errno != 0) {
      return failed("nice", increment.c_str());
    }
  }
  if (attributes.affinity) {
    const int number = sched_setaffinity(*attributes.affinity);
    if (number != 0) return {"sched_setaffinity", number, cpus.c_str(), nullptr};
  }
  if (attributes.umask) ::umask(*attributes.umask);
  if (const StepFailure failure = set_ids(attributes.ids)) return failure;
  if (attributes.no_new_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return failed("prctl");
  }
  const int on_death =
      attributes.death_signal != 0 ? attributes.death_signal : placement.death_signal;
  if (on_death != 0) {
    if (::prctl(PR_SET_PDEATHSIG, on_death) != 0) return failed("prctl");
    // Was it dead before it was asked for? Then nobody sends it any more.
    if (::getppid() != parent) ::kill(::getpid(), on_death);
  }
  if (attributes.directory && ::chdir(attributes.directory->c_str()) != 0) {
    return failed("chdir", attributes.directory->c_str());
  }
  if (attributes.close_from) close_on_exec(*attributes.close_from);
  return {};
}

/// What there was in the files of the streams goes as late as can be, and not for a command that is
/// not there.
void Program::Ready::truncate_streams() const {
  const auto executable = [](const std::string& path) {
    return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
  };
  bool found = false;
  for (int i = 1; i < 3; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (!streams[at] || !attributes.streams[at] || attributes.streams[at]->append) continue;
    found = found || std::ranges::any_of(candidates, executable);
    // Only a file can be; all else has nothing to lose.
    if (found) (void)!::ftruncate(i, 0);
  }
}

StepFailure Program::Ready::execute() {
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  truncate_streams();
  int kept = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    ::execve(candidates[i].c_str(), argv.data(), envp.data());
    errors[i] = errno;
    if (kept != EACCES) kept = errno;
    if (!looks_on(errno)) break;
  }
  return {.call = "exec", .number = kept, .path = words.front().c_str()};
}

/// `stop`: where a signal is left that would stop this process before it executes anything.
StepFailure Program::Ready::run(const Placement& placement, pid_t parent, int* stop) {
  if (const StepFailure failure = set_signals(placement)) return failure;
  if (const StepFailure failure = set_group(placement)) return failure;
  if (const StepFailure failure = set_rest(placement, parent)) return failure;
  if (stop != nullptr) *stop = take_stop();
  return execute();
}

// From here on all is allowed again.

namespace {

/// What the first line of a script, or the header of a program, says has to run it; empty where
/// nothing does, or nobody may read it.
std::string interpreter_of(const std::string& path, bool& script) {
  const auto file = core::open(path, O_RDONLY | O_NONBLOCK);
  if (!file) return {};
  std::string head(4096, '\0');
  const auto size = core::read(*file, head.data(), head.size());
  if (!size) return {};
  head.resize(*size);
  script = head.starts_with("#!");
  if (script) {
    const std::size_t begin = head.find_first_not_of(" \t", 2);
    if (begin == head.npos) return {};
    return head.substr(begin, head.find_first_of(" \t\n", begin) - begin);
  }
  const auto take = [&](auto header, auto segment) {
    if (head.size() < sizeof header) return std::string();
    std::memcpy(&header, head.data(), sizeof header);
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      const std::uint64_t at = header.e_phoff + std::uint64_t{i} * sizeof segment;
      if (at > head.size() || head.size() - at < sizeof segment) break;
      std::memcpy(&segment, head.data() + at, sizeof segment);
      if (segment.p_type != PT_INTERP || segment.p_offset >= head.size()) continue;
      return std::string(head.c_str() + segment.p_offset);
    }
    return std::string();
  };
  if (!head.starts_with(ELFMAG) || head.size() <= EI_CLASS) return {};
  return head[EI_CLASS] == ELFCLASS64 ? take(Elf64_Ehdr(), Elf64_Phdr())
                                      : take(Elf32_Ehdr(), Elf32_Phdr());
}

/// Why the file `path`, which is there, could not be executed; empty where errno says it all.
std::string reason(const std::string& path, int number) {
  if (number == ENOEXEC) return "neither a program of this machine nor a script with #!";
  if (number != ENOENT && number != EACCES) return {};
  struct ::stat file = {};
  if (::stat(path.c_str(), &file) != 0) return {};
  if (S_ISDIR(file.st_mode)) return "a directory";
  if (!S_ISREG(file.st_mode)) return "not a regular file";
  bool script = false;
  const std::string interpreter = interpreter_of(path, script);
  if (number == EACCES) {
    if ((file.st_mode & 0111) == 0) return "no permission to execute it";
    const bool runs =
        interpreter.empty() || (::stat(interpreter.c_str(), &file) == 0 && S_ISREG(file.st_mode) &&
                                ::access(interpreter.c_str(), X_OK) == 0);
    return runs ? std::string() : "its interpreter " + interpreter + " may not be executed";
  }
  if (interpreter.empty()) return {};
  return (script ? "its interpreter " : "its loader ") + interpreter + " is missing";
}

}  // namespace

Error Program::Ready::explain_exec(int number) const {
  Error error{.number = number, .call = "exec", .path = words.front()};
  // The one that counts is the first that is there and whose error is the one that is told.
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (errors[i] != number) continue;
    error.note = reason(candidates[i], number);
    if (error.note.empty()) continue;
    if (candidates.size() > 1) error.note = candidates[i] + ": " + error.note;
    return error;
  }
  if (candidates.front() == words.front()) return error;
  // What a shell would have taken apart.
  if (number == ENOENT && words.front().find('=') != std::string::npos) {
    error.note = "a command is no place to set a variable";
    return error;
  }
  if (number == ENOENT && words.front().find(' ') != std::string::npos) {
    error.note = "a command and its arguments are words of their own";
    return error;
  }
  // Most directories of PATH have other commands; one that could not be searched is worth a word.
  const char* between = "in PATH: ";
  for (std::size_t i = 0; i < candidates.size() && errors[i] != 0; ++i) {
    if (errors[i] == ENOENT) continue;
    const std::string& path = candidates[i];
    const std::size_t slash = path.size() - words.front().size();
    error.note.append(std::exchange(between, ", "))
        .append(slash == 0 ? "." : path.substr(0, std::max<std::size_t>(slash - 1, 1)))
        .append(" ")
        .append(error_name(errors[i]));
  }
  return error;
}

Error Program::Ready::explain(const StepFailure& failure) const {
  if (std::string_view(failure.call) == "exec") return explain_exec(failure.number);
  Error error{.number = failure.number, .call = failure.call};
  if (failure.path != nullptr) error.path = failure.path;
  if (failure.note != nullptr) error.note = failure.note;
  return error;
}

Program::Program(std::unique_ptr<Ready> ready) : ready_(std::move(ready)) {}
Program::Program(Program&&) noexcept = default;
Program::~Program() = default;

Result<Program> Program::prepare(std::vector<std::string> words, ProcessAttributes attributes) {
  auto ready = std::make_unique<Ready>();
  ready->words = std::move(words);
  ready->attributes = std::move(attributes);
  const ProcessAttributes& given = ready->attributes;
  if (given.environment.empty()) {
    const auto own = core::environment();
    for (const char* const entry : own) ready->envp.push_back(const_cast<char*>(entry));
    ready->envp.push_back(nullptr);
  } else {
    ready->entries = TRY(changed_environment(given.environment));
    ready->envp = pointers(ready->entries);
  }
  ready->argv = pointers(ready->words);
  if (given.process_group) ready->group_digits = std::to_string(*given.process_group);
  if (given.nice) ready->increment = std::to_string(*given.nice);
  if (given.affinity) ready->cpus = given.affinity->list();
  if (given.argv0) ready->argv.front() = const_cast<char*>(given.argv0->c_str());
  ready->candidates = candidates_of(ready->words.front(), given.search, ready->envp);
  ready->errors.resize(ready->candidates.size());
  return Program(std::move(ready));
}

Result<void> Program::open_streams() { return ready_->open_streams(); }

void Program::close_streams() {
  ready_->streams = {};
  ready_->files = {};
}

std::span<const std::string> Program::candidates() const { return ready_->candidates; }
std::span<char* const> Program::arguments() const { return ready_->argv; }
std::span<char* const> Program::environment() const { return ready_->envp; }
const ProcessAttributes& Program::attributes() const { return ready_->attributes; }

Error exec(Program& program) {
  Program::Ready& ready = *program.ready_;
  if (auto opened = program.open_streams(); !opened) return std::move(opened).error();
  // Whoever tells of a failure has the streams that there were.
  std::array<Fd, 3> before;
  constexpr int above_streams = 3;
  for (int i = 0; i < 3; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (ready.streams[at]) before[at] = Fd(::fcntl(i, F_DUPFD_CLOEXEC, above_streams));
  }
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  const StepFailure failure = ready.run({}, ::getppid());
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  for (int i = 0; i < 3; ++i) {
    const Fd& stream = before[static_cast<std::size_t>(i)];
    if (stream) ::dup2(FdRef(stream).number(), i);
  }
  return ready.explain(failure);
}

namespace {

/// Runs `child` with `context` in a child of vfork(2), which it must not come back from but by
/// _exit(2). A function of its own, so that nothing of the caller is in registers meanwhile.
[[gnu::noinline]] pid_t vfork_and(void (*child)(void*), void* context) {
  const pid_t pid = ::vfork();
  if (pid == 0) {
    child(context);
    ::_exit(127);
  }
  return pid;
}

}  // namespace

Result<pid_t> spawn(Program& program, const Placement& placement) {
  Program::Ready& ready = *program.ready_;
  TRY(program.open_streams());
  // Closed by execve(2), this pipe says nothing but that all went well. The memory of a child of
  // vfork(2) would say the rest, if everything that runs programs made it share that memory.
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failure("pipe");
  const Fd from_child(ends[0]);
  Fd to_parent(ends[1]);

  struct Context {
    Program::Ready& ready;
    const Placement& placement;
    pid_t parent;
    int report;
    int stop = 0;
    static void run(void* context) {
      auto& self = *static_cast<Context*>(context);
      StepFailure failure = self.ready.run(self.placement, self.parent, &self.stop);
      // The parent does not read yet: what does not fit into one page could block for ever.
      const std::size_t count = std::min(self.ready.errors.size(), most_errors);
      const iovec parts[] = {{&failure, sizeof failure},
                             {self.ready.errors.data(), count * sizeof(int)}};
      if (::writev(self.report, parts, 2) < 0) ::_exit(125);
    }
  } context{ready, placement, ::getpid(), ends[1]};

  sigset_t all;
  sigset_t mask;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &mask);
  const pid_t pid = vfork_and(Context::run, &context);
  const int number = errno;
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  if (pid < 0) return failure(number, "fork");
  // Had it stopped then, this process would have waited in vfork(2), where nobody sees it stop.
  if (context.stop != 0) ::kill(pid, context.stop);
  to_parent.close();
  // Who reads from a FIFO waits for all who have it open for writing.
  program.close_streams();

  StepFailure failure;
  const std::size_t told = std::min(ready.errors.size(), most_errors);
  std::string report(sizeof failure + told * sizeof(int), '\0');
  std::size_t size = 0;
  while (size < report.size()) {
    const std::size_t count =
        TRY(core::read(from_child, report.data() + size, report.size() - size));
    if (count == 0) break;
    size += count;
  }
  if (size == 0) return pid;
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  std::memcpy(&failure, report.data(), std::min(size, sizeof failure));
  if (size == report.size()) {
    std::memcpy(ready.errors.data(), report.data() + sizeof failure, size - sizeof failure);
  }
  return std::unexpected(ready.explain(failure));
}

int unstarted_status(const Error& error) {
  if (std::string_view(error.call) != "exec") return 125;
  return error.number == ENOENT || error.number == ENOTDIR ? 127 : 126;
}

}  // namespace core
