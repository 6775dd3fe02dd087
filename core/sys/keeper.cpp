// start_job: the small process that keeps the status of a child.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <vector>

#include "core/sys/child_watch.hpp"
#include "core/sys/directory.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/handover.hpp"
#include "core/sys/job.hpp"
#include "core/sys/listing.hpp"
#include "core/sys/process.hpp"

namespace core {
namespace {

constexpr int above_streams = 3;

/// As close_range(2) on all but the streams and `kept`; false where that is not offered.
bool close_all_but(std::vector<int> kept) {
  std::ranges::sort(kept);
  kept.push_back(INT_MAX);
  auto first = static_cast<unsigned>(above_streams);
  for (const int fd : kept) {
    const auto end = static_cast<unsigned>(fd);
    if (first < end && ::close_range(first, end - 1, 0) != 0) return false;
    first = std::max(first, end + 1);
  }
  return true;
}

/// Closes every descriptor that came from whoever ran osbox, and not `kept`, those of our own.
void close_inherited(std::vector<int> kept) {
  if (close_all_but(std::move(kept))) return;
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

/// The life of the keeper; it has told whether the command runs when `report` is closed.
void keep(Program& program, const Watch& watch, const JobDirectory& directory, ProcessId owner,
          Fd report) {
  ::prctl(PR_SET_NAME, "osbox-keeper");
  WaitedSignals signals;
  const auto cgroup = watch.timeout ? Cgroup::make() : std::nullopt;
  TreeWatch tree(program, watch, signals, cgroup, 0);
  const auto started = tree.start(program);
  if (!started) return send_error(report, started.error());
  Job job{.id = id_of_child(*started), .owner = owner};
  auto written =
      job.id.inode ? directory.put(job) : failure(ENOSYS, "pidfd_open", std::to_string(*started));
  if (!written) {
    // A status that cannot be kept is no promise to make.
    ::kill(*started, SIGKILL);
    written.error().note = "how it ended could not be kept";
    return send_error(report, written.error());
  }
  send_value(report, job.id);
  report.close();
  // Nobody's business but its child's from here on.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  std::vector<int> kept = {directory.descriptor().number()};
  if (cgroup) cgroup->append_descriptors(kept);
  detach(std::move(kept));
  tree.wait([&](const ChildEnd& end) {
    job.end = Job::End{
        .status = end.status, .usage = end.usage, .wall = end.wall, .timed_out = end.timed_out};
    // As long as there is no room for it, the process stays there to be asked.
    const Deadline day = Deadline::in(std::chrono::days(1));
    const timespec moment{.tv_sec = 1, .tv_nsec = 0};
    while (!directory.put(job) && !day.passed()) ::nanosleep(&moment, nullptr);
  });
  directory.sweep();
}

}  // namespace

Result<ProcessId> start_job(Program& program, const Watch& watch) {
  const JobDirectory directory = TRY(JobDirectory::make());
  ProcessId owner;
  if (const auto shell = caller()) {
    owner.pid = *shell;
    if (const auto process = Process::open(owner)) owner = process->id();
  }
  TRY(program.open_streams());
  auto pipe = TRY(make_pipe());
  const pid_t keeper = ::fork();
  if (keeper < 0) return failure("fork");
  if (keeper == 0) {
    pipe.read.close();
    keep(program, watch, directory, owner, std::move(pipe.write));
    ::_exit(0);
  }
  pipe.write.close();
  return receive_value<ProcessId>(pipe.read);
}

}  // namespace core
