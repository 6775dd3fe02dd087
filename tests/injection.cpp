#include "tests/injection.hpp"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <thread>

#include "core/sys/fd.hpp"

namespace tests {
namespace {

using Clock = std::chrono::steady_clock;

/// A run takes milliseconds; a busy machine some more.
constexpr std::chrono::seconds patience(30);

/// The descriptor that comes through `socket`; -1 where its other end is closed instead.
int received(int socket) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room;
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0) return -1;
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  int number = -1;
  if (header != nullptr)
    std::copy_n(CMSG_DATA(header), sizeof number, reinterpret_cast<unsigned char*>(&number));
  return number;
}

/// Answers for the kernel until no process is left that asks.
class Supervisor {
 public:
  Supervisor(const std::vector<Injection>& injections, Watched& watched)
      : injections_(injections),
        watched_(watched),
        osbox_(std::filesystem::canonical(binary()).string()) {}

  void run(int socket) {
    const int listener = received(socket);
    if (listener < 0) return;
    const auto end = Clock::now() + patience;
    while (true) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
      pollfd ready{listener, POLLIN, 0};
      const int count =
          ::poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
      if (count < 0) continue;
      if (count == 0) {
        watched_.hung = true;
        for (const auto& [pid, handle] : seen_) {
          ::syscall(SYS_pidfd_send_signal, core::FdRef(handle).number(), SIGKILL, nullptr, 0);
        }
        break;
      }
      if ((ready.revents & POLLIN) == 0) break;
      seccomp_notif asked = {};
      // ENOENT: it was killed while it waited.
      if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) continue;
      seccomp_notif_resp answer = {};
      answer.id = asked.id;
      answer.error = -decide(asked);
      if (answer.error == 0) answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
      ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
    ::close(listener);
  }

 private:
  bool is_osbox(pid_t pid) const {
    std::array<char, 4096> path;
    const std::string link = "/proc/" + std::to_string(pid) + "/exe";
    const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
    return size > 0 && osbox_ == std::string_view(path.data(), static_cast<std::size_t>(size));
  }

  /// 0, or the errno that the call gets.
  int decide(const seccomp_notif& asked) {
    const auto pid = static_cast<pid_t>(asked.pid);
    // It waits for the answer, and so the number is still its own; that of a thread has no handle.
    if (auto& handle = seen_[pid]; !handle) {
      handle = core::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    }
    if (!is_osbox(pid)) return 0;
    const long call = asked.data.nr;
    const int occurrence = ++count_[call];
    watched_.calls.push_back(call);
    for (const Injection& injection : injections_) {
      if (injection.call != call) continue;
      if (injection.occurrence != 0 && injection.occurrence != occurrence) continue;
      ++watched_.injected;
      return injection.error;
    }
    return 0;
  }

  const std::vector<Injection>& injections_;
  Watched& watched_;
  const std::string osbox_;
  std::map<long, int> count_;
  std::map<pid_t, core::Fd> seen_;
};

}  // namespace

Watched watch(const Command& command, const std::vector<Injection>& injections) {
  std::array<int, 2> sockets;
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) == 0);
  Watched watched;
  Supervisor supervisor(injections, watched);
  std::thread thread([&] { supervisor.run(sockets[0]); });
  Command asking = command;
  asking.supervisor = sockets[1];
  watched.ran = run(asking);
  ::close(sockets[1]);
  thread.join();
  ::close(sockets[0]);
  return watched;
}

Injection last_of(const Watched& watched, const std::vector<long>& calls, int error) {
  const auto last = std::ranges::find_if(
      watched.calls.rbegin(), watched.calls.rend(),
      [&](long call) { return std::ranges::find(calls, call) != calls.end(); });
  REQUIRE(last != watched.calls.rend());
  return {.call = *last,
          .occurrence = static_cast<int>(std::ranges::count(watched.calls, *last)),
          .error = error};
}

std::string call_name(long call) {
  static const std::map<long, const char*> names = {
#define NAME(name) {SYS_##name, #name}
      NAME(chdir),
      NAME(clone),
      NAME(clone3),
      NAME(close_range),
      NAME(copy_file_range),
      NAME(dup3),
      NAME(execve),
      NAME(execveat),
      NAME(faccessat),
      NAME(faccessat2),
      NAME(fchdir),
      NAME(fchmod),
      NAME(fchmodat),
      NAME(fchown),
      NAME(fchownat),
      NAME(fcntl),
      NAME(fdatasync),
      NAME(fgetxattr),
      NAME(flistxattr),
      NAME(fsetxattr),
      NAME(fstat),
      NAME(fstatfs),
      NAME(fsync),
      NAME(ftruncate),
      NAME(getcwd),
      NAME(getdents64),
      NAME(getegid),
      NAME(geteuid),
      NAME(getgid),
      NAME(getgroups),
      NAME(getpgid),
      NAME(getpid),
      NAME(getppid),
      NAME(getpriority),
      NAME(getrandom),
      NAME(getresgid),
      NAME(getresuid),
      NAME(getrusage),
      NAME(getsid),
      NAME(getuid),
      NAME(ioctl),
      NAME(kill),
      NAME(linkat),
      NAME(lseek),
      NAME(mkdirat),
      NAME(mknodat),
      NAME(openat),
      NAME(openat2),
      NAME(pidfd_open),
      NAME(pidfd_send_signal),
      NAME(pipe2),
      NAME(ppoll),
      NAME(prctl),
      NAME(pread64),
      NAME(prlimit64),
      NAME(pwrite64),
      NAME(read),
      NAME(readlinkat),
      NAME(renameat2),
      NAME(rt_sigtimedwait),
      NAME(sched_getaffinity),
      NAME(sched_setaffinity),
      NAME(sendfile),
      NAME(setgroups),
      NAME(setpgid),
      NAME(setpriority),
      NAME(setresgid),
      NAME(setresuid),
      NAME(setsid),
      NAME(signalfd4),
      NAME(statfs),
      NAME(statx),
      NAME(symlinkat),
      NAME(truncate),
      NAME(umask),
      NAME(unlinkat),
      NAME(utimensat),
      NAME(wait4),
      NAME(waitid),
      NAME(write),
      {fchmodat2, "fchmodat2"},
      {fstatat_call, "fstatat"},
#ifdef SYS_arch_prctl
      NAME(arch_prctl),
#endif
#ifdef SYS_open
      NAME(access),
      NAME(chmod),
      NAME(dup2),
      NAME(fork),
      NAME(lstat),
      NAME(poll),
      NAME(readlink),
      NAME(renameat),
      NAME(stat),
      NAME(vfork),
#endif
#ifdef SYS_fstatat64
      NAME(_llseek),
      NAME(fchown32),
      NAME(fcntl64),
      NAME(fstat64),
      NAME(fstatfs64),
      NAME(ftruncate64),
      NAME(getgroups32),
      NAME(lstat64),
      NAME(ppoll_time64),
      NAME(rt_sigtimedwait_time64),
      NAME(sendfile64),
      NAME(setgroups32),
      NAME(setresgid32),
      NAME(setresuid32),
      NAME(stat64),
      NAME(statfs64),
      NAME(truncate64),
      NAME(utimensat_time64),
#endif
#undef NAME
  };
  const auto found = names.find(call);
  return found != names.end() ? found->second : "call " + std::to_string(call);
}

}  // namespace tests
