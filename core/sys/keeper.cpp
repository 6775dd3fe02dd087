// start_job: the small process that keeps the status of a child.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <span>
#include <vector>

#include "core/sys/backend.hpp"
#include "core/sys/child_watch.hpp"
#include "core/sys/directory.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/handover.hpp"
#include "core/sys/job.hpp"
#include "core/sys/listing.hpp"
#include "core/sys/process.hpp"
#include "core/sys/stat.hpp"

namespace core {
namespace {

constexpr int above_streams = 3;

/// As close_range(2) on all but the streams and `kept`, which are in order; false where that is not
/// offered.
bool close_all_but(std::span<const int> kept) {
  auto first = static_cast<unsigned>(above_streams);
  const auto close_up_to = [&first](unsigned end) {
    const bool closed = first >= end || ::close_range(first, end - 1, 0) == 0;
    first = std::max(first, end + 1);
    return closed;
  };
  return std::ranges::all_of(kept,
                             [&](int fd) { return close_up_to(static_cast<unsigned>(fd)); }) &&
         close_up_to(~0U);
}

/// Closes every descriptor that came from whoever ran osbox, and not `kept`, those of our own.
void close_inherited(std::vector<int> kept) {
  std::ranges::sort(kept);
  if (close_all_but(kept)) return;
  // Those of our own are closed on exec.
  const auto close = [](int fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) ::close(fd);
  };
  const auto directory = open_directory("/proc/self/fd");
  DirectoryReader reader;
  Listing listing;
  if (directory && listing.read(reader, *directory)) {
    for (const Listing::Entry& entry : listing.entries()) {
      const int fd = std::atoi(listing.path(entry).c_str());
      if (fd >= above_streams) close(fd);
    }
    return;
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto last = static_cast<int>(std::min<rlim_t>(limit.rlim_max, 1 << 20));
  for (int fd = above_streams; fd < last; ++fd) close(fd);
}

/// Leaves everything that belongs to whoever ran osbox: session and terminal, directory, and
/// descriptors but for `kept`.
void detach(std::vector<int> kept) {
  ::setsid();
  (void)!::chdir("/");
  {
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (int stream = 0; stream < above_streams; ++stream) ::dup2(FdRef(null).number(), stream);
  }
  close_inherited(std::move(kept));
}

/// What the keeper begins with. Descriptors are numbers: each of the two processes has its own.
struct Beginning {
  Program* program;
  const Watch* watch;
  JobDirectory* directory;
  ProcessId owner;
  std::array<int, 2> report;   ///< a pipe that the keeper writes to once, and then no more
  std::array<int, 2> starter;  ///< one that is at its end when the process that started it is gone
  bool shares_memory;          ///< with that process, as long as it is there
};

/// True for a directory that nobody finds any more, as of somebody who has logged out.
bool is_removed(FdRef directory) {
  const auto stat = fstat(directory, want::nlink);
  return stat && stat->nlink == 0;
}

/// The life of the keeper.
[[noreturn]] void keep(const Beginning& beginning) {
  ::close(beginning.report[0]);
  ::close(beginning.starter[1]);
  const FdRef report = FdRef::borrowed(beginning.report[1]);
  const FdRef starter = FdRef::borrowed(beginning.starter[0]);
  // What is needed when the others are gone.
  const JobDirectory directory = std::move(*beginning.directory);
  const Watch watch = *beginning.watch;
  const bool shares_memory = beginning.shares_memory;

  ::prctl(PR_SET_NAME, "osbox-keeper");
  WaitedSignals signals;
  auto cgroup = watch.timeout ? Cgroup::make() : std::nullopt;
  // Whoever shares the memory goes on with the message: nothing but system calls comes after it.
  const auto fail = [&](const Error& error) {
    const std::string message = error_bytes(error);
    cgroup.reset();
    (void)core::write(report, message);
    ::_exit(0);
  };
  TreeWatch tree(*beginning.program, watch, signals, cgroup, 0);
  const auto started = tree.start(*beginning.program);
  if (!started) fail(started.error());
  const Job job{.id = id_of_child(*started), .owner = beginning.owner};
  auto written =
      job.id.inode ? directory.put(job) : failure(ENOSYS, "pidfd_open", std::to_string(*started));
  auto ending = written ? JobDirectory::Ending::of(directory, job)
                        : Result<JobDirectory::Ending>(std::unexpected(written.error()));
  const auto end_all = [&] {
    ::kill(*started, SIGKILL);
    if (cgroup) (void)cgroup->kill();
    (void)directory.remove(job.id);
  };
  if (!ending) {
    // A status that cannot be kept is no promise to make.
    end_all();
    ending.error().note = "how it ended could not be kept";
    fail(ending.error());
  }
  // Nobody's business but its child's from here on.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  std::vector<int> kept = {directory.descriptor().number(), report.number(), starter.number()};
  if (cgroup) cgroup->append_descriptors(kept);
  detach(std::move(kept));

  const std::string message = value_bytes(job.id);
  if (!core::write(report, message)) {
    // Nobody would ever know of it.
    end_all();
    cgroup.reset();
    ::_exit(0);
  }
  if (shares_memory) {
    char none;
    while (::read(starter.number(), &none, 1) < 0 && errno == EINTR) {
    }
  }
  for (const FdRef fd : {report, starter}) ::close(fd.number());
  // It may have been killed while it took memory: until the end is written nobody takes any.
  tree.wait([&](const ChildEnd& end) {
    const Job::End told{
        .status = end.status, .usage = end.usage, .wall = end.wall, .timed_out = end.timed_out};
    // As long as there is no room for it, the process stays there to be asked; not where no record
    // will ever be found.
    const Deadline day = Deadline::in(std::chrono::days(1));
    const timespec moment{.tv_sec = 1, .tv_nsec = 0};
    while (!ending->put(told) && !is_removed(directory.descriptor()) && !day.passed()) {
      ::nanosleep(&moment, nullptr);
    }
  });
  directory.sweep();
  cgroup.reset();
  ::_exit(0);
}

int keep_beside(void* beginning) { keep(*static_cast<const Beginning*>(beginning)); }

}  // namespace

Result<ProcessId> start_job(Program& program, const Watch& watch) {
  JobDirectory directory = TRY(JobDirectory::make());
  ProcessId owner;
  if (const auto shell = caller()) {
    owner.pid = *shell;
    if (const auto process = Process::open(owner)) owner = process->id();
  }
  TRY(program.open_streams());
  Beginning beginning{.program = &program,
                      .watch = &watch,
                      .directory = &directory,
                      .owner = owner,
                      .report = {},
                      .starter = {},
                      // A timeout does not wait for anybody.
                      .shares_memory = !watch.timeout};
  if (::pipe2(beginning.report.data(), O_CLOEXEC) != 0) return failure("pipe");
  const Fd report(beginning.report[0]);
  if (::pipe2(beginning.starter.data(), O_CLOEXEC) != 0) {
    ::close(beginning.report[1]);
    return failure("pipe");
  }
  pid_t keeper = -1;
  if (beginning.shares_memory) keeper = backend::fork_sharing_memory(keep_beside, &beginning);
  if (keeper < 0) {
    beginning.shares_memory = false;
    keeper = ::fork();
    if (keeper == 0) keep(beginning);
  }
  const int number = errno;  // without a keeper; else it may be the keeper's
  // Nothing that takes memory before the keeper has told. The other end of `starter` is closed by
  // the end of this process, and by nothing before.
  ::close(beginning.report[1]);
  ::close(beginning.starter[0]);
  if (keeper < 0) return failure(number, "fork");
  return receive_value<ProcessId>(report);
}

}  // namespace core
