#include "tests/harness.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <sstream>

#include "applets/registry.hpp"
#include "core/out/quote.hpp"

namespace tests {
namespace {

[[noreturn]] void give_up(const std::string& what) {
  FAIL(what << ": " << std::string(std::strerror(errno)));
  std::abort();
}

void require(bool worked, const std::string& what) {
  if (!worked) give_up(what);
}

/// The ids of nobody. The C library would have to be asked for others, which a wholly static
/// program cannot.
constexpr uid_t nobody = 65534;

bool become_nobody() {
  // Not by the C library, which would change the ids of this process's threads.
  return ::syscall(SYS_setgroups, 0, nullptr) == 0 && ::syscall(SYS_setgid, nobody) == 0 &&
         ::syscall(SYS_setuid, nobody) == 0;
}

/// Calls that a 32-bit machine has twice, since their numbers were too small once, and the one that
/// the C library makes.
constexpr std::pair<long, long> wider[] = {
#ifdef SYS_getuid32
    {SYS_getgroups, SYS_getgroups32},
    {SYS_setgroups, SYS_setgroups32},
    {SYS_getresgid, SYS_getresgid32},
    {SYS_setresgid, SYS_setresgid32},
    {SYS_getresuid, SYS_getresuid32},
    {SYS_setresuid, SYS_setresuid32},
#endif
#ifdef SYS_fstatfs64
    {SYS_fstatfs, SYS_fstatfs64},
#endif
    {-1, -1}};

/// The program for the kernel that denies these calls.
std::vector<sock_filter> filter_of(const std::vector<Denied>& denied) {
  std::vector<sock_filter> filter = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  const auto add = [&filter](long call, int error) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)));
  };
  for (const auto& [call, error] : denied) {
    add(call, error);
    for (const auto& [narrow, wide] : wider) {
      if (call == narrow) add(wide, error);
    }
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return filter;
}

/// Makes the kernel deny them to this process and all that come from it.
bool deny(std::vector<sock_filter>& filter) {
  if (filter.size() == 2) return true;
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  // Root may, and set-id programs go on working then.
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ||
         (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
          ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/// A sixth argument that no call has, of those that are made after the filter and are not asked
/// for. It is as wide as a register.
constexpr auto unasked = static_cast<unsigned long>(0x6f73'626f'7821'2121);

/// The calls of which nobody is asked: they end this program or cannot fail, they are about memory,
/// signals or threads, or about descriptors that are closed even if they fail.
constexpr long spared[] = {
    SYS_brk,
    SYS_munmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_madvise,
    SYS_exit,
    SYS_exit_group,
    SYS_futex,
    SYS_sched_yield,
    SYS_set_robust_list,
    SYS_set_tid_address,
    SYS_rseq,
    SYS_close,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigpending,
    SYS_umask,
    SYS_getpid,
    SYS_getppid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getresuid,
    SYS_getresgid,
    SYS_rt_sigreturn,
#ifdef SYS_mmap
    SYS_mmap,
#else
    SYS_mmap2,
#endif
#ifdef SYS_futex_time64
    SYS_futex_time64,
#endif
#ifdef SYS_getuid32
    SYS_getuid32,
    SYS_geteuid32,
    SYS_getgid32,
    SYS_getegid32,
    SYS_getresuid32,
    SYS_getresgid32,
#endif
};

/// The program for the kernel that asks of all the others.
const std::vector<sock_filter>& asking_filter() {
  static const std::vector<sock_filter> filter = [] {
    const auto half = [](unsigned shift) {
      return static_cast<unsigned>(std::uint64_t{unasked} >> shift);
    };
    constexpr unsigned argument = offsetof(seccomp_data, args[5]);
    const bool little = std::endian::native == std::endian::little;
    std::vector<sock_filter> made = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument + (little ? 0 : 4)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, half(0), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument + (little ? 4 : 0)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, half(32), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
    for (const long call : spared) {
      made.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
      made.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    }
    made.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
    return made;
  }();
  return filter;
}

/// Has the kernel ask whoever is at the other end of `socket` of every call of this process, in
/// which nothing but `unasked` calls may follow, and of all that come from it.
bool be_supervised(int socket, const std::vector<sock_filter>& filter) {
  const sock_fprog program{static_cast<unsigned short>(filter.size()),
                           const_cast<sock_filter*>(filter.data())};
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  const auto listener = static_cast<int>(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
  if (listener < 0) return false;
  std::memcpy(CMSG_DATA(header), &listener, sizeof listener);
  return ::syscall(SYS_sendmsg, socket, &message, 0, 0, 0, unasked) == 1;
}

/// A command as execve(2) takes it. All that needs memory is done here, since the child has that of
/// this process: the tests start tens of thousands, and fork(2) would copy their pages each time.
class Start {
 public:
  explicit Start(const Command& command)
      : command_(command), entries_(command.entries), filter_(filter_of(command.denied)) {
    for (const std::string& word : command.words) words_.push_back(text(word));
    words_.push_back(nullptr);
    if (entries_.empty()) {
      for (char** entry = ::environ; *entry != nullptr; ++entry) entries_.emplace_back(*entry);
      for (const std::string& setting : command.environment) {
        const std::string name = setting.substr(0, setting.find('=') + 1);
        std::erase_if(entries_, [&](const std::string& entry) { return entry.starts_with(name); });
        entries_.push_back(setting);
      }
    }
    for (const std::string& entry : entries_) environment_.push_back(text(entry));
    environment_.push_back(nullptr);
    programs_ = candidates();
  }

  /// In the child.
  [[noreturn]] void become(const std::array<int, 3>& streams) {
    for (int i = 0; i < 3; ++i) ::dup2(streams[static_cast<std::size_t>(i)], i);
    if (!command_.output_file.empty()) {
      ::dup2(::open(command_.output_file.c_str(), O_WRONLY | O_CLOEXEC), 1);
    }
    if (!command_.error_file.empty()) {
      ::dup2(::open(command_.error_file.c_str(), O_WRONLY | O_CLOEXEC), 2);
    }
    if (!command_.directory.empty() && ::chdir(command_.directory.c_str()) != 0) ::_exit(125);
    if (command_.descriptors != 0) {
      const rlimit limit{command_.descriptors, command_.descriptors};
      ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (command_.as_nobody && is_root() && !become_nobody()) ::_exit(125);
    // Whoever started the tests may have had signals ignored, as nohup(1) does.
    for (int signal = 1; signal < SIGRTMIN; ++signal) ::signal(signal, SIG_DFL);
    if (command_.ignores_sigpipe) ::signal(SIGPIPE, SIG_IGN);
    for (const int number : command_.closed) ::close(number);
    if (!deny(filter_)) ::_exit(125);
    if (command_.supervisor >= 0 && !be_supervised(command_.supervisor, asking_)) ::_exit(125);
    for (const std::string& program : programs_) {
      ::syscall(SYS_execve, program.c_str(), words_.data(), environment_.data(), 0, 0, unasked);
    }
    ::_exit(127);
  }

 private:
  static char* text(const std::string& word) { return const_cast<char*>(word.c_str()); }

  /// Where the command may be: in the PATH that it will have.
  std::vector<std::string> candidates() const {
    const std::string& name = command_.words.front();
    if (name.find('/') != std::string::npos) return {name};
    std::vector<std::string> all;
    for (const std::string& entry : entries_) {
      if (!entry.starts_with("PATH=")) continue;
      for (std::size_t from = 5; from <= entry.size();) {
        const std::size_t end = std::min(entry.find(':', from), entry.size());
        all.push_back(entry.substr(from, end - from) + "/" + name);
        from = end + 1;
      }
    }
    return all;
  }

  const Command& command_;
  std::vector<std::string> entries_;
  std::vector<sock_filter> filter_;
  const std::vector<sock_filter>& asking_ = asking_filter();
  std::vector<char*> words_;
  std::vector<char*> environment_;
  std::vector<std::string> programs_;
};

/// Feeds `input` and gathers both outputs until all ends are closed.
void converse(int in, int out, int err, std::string_view input, Ran& ran) {
  std::array<pollfd, 3> ends{{{in, POLLOUT, 0}, {out, POLLIN, 0}, {err, POLLIN, 0}}};
  while (ends[0].fd >= 0 || ends[1].fd >= 0 || ends[2].fd >= 0) {
    if (input.empty() && ends[0].fd >= 0) {
      ::close(ends[0].fd);
      ends[0].fd = -1;
      continue;
    }
    if (::poll(ends.data(), ends.size(), -1) < 0) continue;
    if (ends[0].fd >= 0 && ends[0].revents != 0) {
      const ssize_t count = ::write(ends[0].fd, input.data(), input.size());
      if (count < 0) {
        input = {};
      } else {
        input.remove_prefix(static_cast<std::size_t>(count));
      }
    }
    for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      char block[65536];
      const ssize_t count = ::read(ends[i].fd, block, sizeof block);
      if (count <= 0) {
        ::close(ends[i].fd);
        ends[i].fd = -1;
      } else {
        (i == 1 ? ran.out : ran.err).append(block, static_cast<std::size_t>(count));
      }
    }
  }
}

}  // namespace

bool deny(const std::vector<Denied>& denied) {
  auto filter = filter_of(denied);
  return deny(filter);
}

Ran osbox(const std::vector<std::string>& words, out::Screen screen) {
  std::vector<std::string_view> views = {"osbox"};
  views.insert(views.end(), words.begin(), words.end());
  out::Io io(out::Sink(), out::Sink(), screen);
  Ran ran;
  ran.status = cli::dispatch(applets::registry, applets::install, views, io);
  ran.out = io.output().buffer();
  ran.err = io.error_output().buffer();
  return ran;
}

Ran run(const Command& command) {
  std::array<std::array<int, 2>, 3> pipes;
  for (auto& pipe : pipes) require(::pipe2(pipe.data(), O_CLOEXEC) == 0, "pipe2");
  Start start(command);
  const pid_t child = ::vfork();
  require(child >= 0, "vfork");
  if (child == 0) start.become({pipes[0][0], pipes[1][1], pipes[2][1]});
  ::close(pipes[0][0]);
  ::close(pipes[1][1]);
  ::close(pipes[2][1]);
  Ran ran;
  const auto old = ::signal(SIGPIPE, SIG_IGN);
  converse(pipes[0][1], pipes[1][0], pipes[2][0], command.input, ran);
  ::signal(SIGPIPE, old);
  int status = 0;
  require(::waitpid(child, &status, 0) == child, "waitpid");
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ran;
}

Ran shell(const std::string& script, const std::vector<std::string>& arguments,
          const std::string& sh) {
  const std::string here = binary().substr(0, binary().rfind('/'));
  Command command{.words = {sh, "-c", script, sh},
                  .environment = {"PATH=" + here + ":" + std::getenv("PATH")}};
  command.words.insert(command.words.end(), arguments.begin(), arguments.end());
  return run(command);
}

std::string in_child(const std::function<std::string()>& work, const std::vector<Denied>& denied,
                     bool as_nobody) {
  std::array<int, 2> pipe;
  require(::pipe2(pipe.data(), O_CLOEXEC) == 0, "pipe2");
  const pid_t child = ::fork();
  require(child >= 0, "fork");
  if (child == 0) {
    if ((as_nobody && is_root() && !become_nobody()) || !deny(denied)) ::_exit(125);
    const std::string answer = work();
    std::string_view rest = answer;
    while (!rest.empty()) {
      const ssize_t count = ::write(pipe[1], rest.data(), rest.size());
      if (count < 0) ::_exit(125);
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
    ::_exit(0);
  }
  ::close(pipe[1]);
  std::string answer;
  char block[4096];
  for (ssize_t count = 0; (count = ::read(pipe[0], block, sizeof block)) > 0;) {
    answer.append(block, static_cast<std::size_t>(count));
  }
  ::close(pipe[0]);
  int status = 0;
  require(::waitpid(child, &status, 0) == child, "waitpid");
  REQUIRE(status == 0);
  return answer;
}

std::string build_directory() {
  const char* const path = std::getenv("OSBOX");
  if (path == nullptr) give_up("OSBOX does not name the binary");
  return std::string(path).substr(0, std::string_view(path).rfind('/'));
}

std::string binary() {
  // What nobody can reach is copied once to where nobody can, as from a clone in /root.
  static std::optional<Scratch> open;
  static const std::string path = [] {
    const std::string built = build_directory() + "/osbox";
    if (!is_root()) return built;
    for (std::string above = built; !above.empty(); above.resize(above.rfind('/'))) {
      struct ::stat found;
      require(::stat(above.c_str(), &found) == 0, "stat " + above);
      if ((found.st_mode & S_IXOTH) != 0) continue;
      open.emplace();
      require(run({.words = {"cp", built, *open / "osbox"}}).status == 0, "cp " + built);
      return *open / "osbox";
    }
    return built;
  }();
  return path;
}

std::string python(const std::string& script, const std::vector<std::string>& arguments) {
  Command command{.words = {"python3", "-c", script}};
  command.words.insert(command.words.end(), arguments.begin(), arguments.end());
  const Ran ran = run(command);
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  return ran.out;
}

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> all;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    all.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all;
}

std::string content(const std::string& path) {
  // Unlike an iterator, this throws nothing where read(2) fails.
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string line(const Words& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

Words joined(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

bool exchange(const std::string& one, const std::string& other) {
  if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) == 0)
    return true;
  if (errno != ENOSYS && errno != EPERM) return false;
  const std::string aside = one + "~";
  return ::rename(one.c_str(), aside.c_str()) == 0 && ::rename(other.c_str(), one.c_str()) == 0 &&
         ::rename(aside.c_str(), other.c_str()) == 0;
}

Scratch::Scratch() : Scratch(std::getenv("TMPDIR") != nullptr ? std::getenv("TMPDIR") : "/tmp") {}

Scratch::Scratch(const std::string& base) : path_(base + "/osbox-test-XXXXXX") {
  require(::mkdtemp(path_.data()) != nullptr, "mkdtemp " + path_);
  ::chmod(path_.c_str(), 0755);
}

Scratch::~Scratch() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  if (!error) return;
  // rm copes with any depth; only a user who is not root may need the modes opened first.
  if (run({.words = {"rm", "-rf", path_}}).status == 0) return;
  run({.words = {"chmod", "-R", "u+rwx", path_}});
  run({.words = {"rm", "-rf", path_}});
}

std::string Scratch::file(std::string_view name, std::string_view content, unsigned mode) const {
  const std::string path = *this / name;
  const int number = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  require(number >= 0, "open " + path);
  require(::write(number, content.data(), content.size()) == static_cast<ssize_t>(content.size()),
          "write " + path);
  require(::fchmod(number, mode) == 0, "fchmod " + path);
  ::close(number);
  return path;
}

std::string Scratch::directory(std::string_view name, unsigned mode) const {
  const std::string path = *this / name;
  require(::mkdir(path.c_str(), 0700) == 0, "mkdir " + path);
  require(::chmod(path.c_str(), mode) == 0, "chmod " + path);
  return path;
}

std::string Scratch::link(std::string_view target, std::string_view name) const {
  const std::string path = *this / name;
  require(::symlink(std::string(target).c_str(), path.c_str()) == 0, "symlink " + path);
  return path;
}

std::string Scratch::fifo(std::string_view name) const {
  const std::string path = *this / name;
  require(::mkfifo(path.c_str(), 0600) == 0, "mkfifo " + path);
  return path;
}

std::string picture(const std::string& path, bool closely) {
  std::string lines;
  const std::function<void(const std::string&)> draw = [&](const std::string& name) {
    const std::string file = path + name;
    struct ::stat found;
    lines += out::quoted(name.empty() ? "." : name.substr(1));
    if (::lstat(file.c_str(), &found) != 0) {
      lines += std::string(" ") + std::strerror(errno) + "\n";
      return;
    }
    const auto add = [&](auto... numbers) { ((lines += ' ' + std::to_string(numbers)), ...); };
    char mode[16];
    std::snprintf(mode, sizeof mode, " %06o", found.st_mode);
    lines += mode;
    add(found.st_uid, found.st_gid);
    if (!S_ISDIR(found.st_mode)) add(found.st_nlink, found.st_size);
    constexpr time_t past = 1'000'000'000;
    if (found.st_mtim.tv_sec < past) add(found.st_mtim.tv_sec);
    if (closely) {
      add(found.st_ino, found.st_nlink, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec,
          found.st_ctim.tv_sec, found.st_ctim.tv_nsec);
    }
    if (S_ISLNK(found.st_mode)) {
      std::string target(static_cast<std::size_t>(found.st_size), '\0');
      require(::readlink(file.c_str(), target.data(), target.size()) >= 0, "readlink " + file);
      lines += " -> " + out::quoted(target);
    } else if (S_ISREG(found.st_mode)) {
      std::ifstream content(file);
      lines += content ? " " + out::quoted(std::string(std::istreambuf_iterator(content), {}))
                       : " unreadable";
    }
    lines += '\n';
    if (!S_ISDIR(found.st_mode)) return;
    std::vector<std::string> names;
    DIR* const directory = ::opendir(file.c_str());
    if (directory == nullptr) return;
    while (const dirent* const entry = ::readdir(directory)) {
      const std::string_view each = entry->d_name;
      if (each != "." && each != "..") names.emplace_back(each);
    }
    ::closedir(directory);
    std::ranges::sort(names);
    for (const std::string& each : names) draw(name + "/" + each);
  };
  draw("");
  return lines;
}

const std::vector<std::string>& hostile_names() {
  static const std::vector<std::string> names = {
      "bad\xff",
      "new\nline",
      "tab\there",
      "esc\x1b[31m",
      "-leading",
      "...",
      " blank",
      "it's",
      "\"double\"",
      "back\\slash",
      "$(id)",
      "ends\n\n",
      "\xc3\xa9t\xc3\xa9",
      "\xe6\x97\xa5\xe6\x9c\xac",
      "c1\xc2\x9bm",
      "*",
      "#a",
      "~",
      "a=b",
      "{x}",
      "%s",
      std::string(255, 'n'),
      std::string(254, 'm') + "\xfe",
  };
  return names;
}

const std::vector<std::string>& byte_strings() {
  static const std::vector<std::string> strings = [] {
    std::vector<std::string> all = {
        "\xc0\xaf",
        "\xc1\xbf",
        "\xe0\x80\xaf",
        "\xe0\x9f\xbf",
        "\xe0\xa0\x80",
        "\xf0\x80\x80\xaf",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xed\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xed\xb2\x80",
        "\xee\x80\x80",
        "\xed\xa0\xbd\xed\xb8\x80",
        "\xf4\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff\xff\xff\xff",
        "\xe2\x82",
        "\xf0\x9f\x98",
        "\xf0\x9f",
        "\xe2\x82z",
        "\xf0\x9f\x98z",
        "\xef\xbb\xbfmark",
        "\xef\xbf\xbe",
        "\xef\xbf\xbd",
        "\xc2\x85",
        "\xe2\x80\xa8",
        "\xe2\x80\xae.txt",
        "\xd8\x9c",
        "\xe2\x81\xa9",
        "\xe2\x80\x8f",
        "\xc2\xad",
        "\xe3\x80\x80",
        "\xf0\x9f\x98\x80",
        "\xf3\xa0\x80\xa0",
        "x\\udcff",
        "\\u0041",
        "\"\\\"",
        "x\n$(touch pwned)'; touch pwned #",
        "`touch pwned`",
        "$'x'",
        "=ls",
        "a==ls",
        "~root",
        "a=~",
        "%d%s%n\xff",
        "\\101\xff",
        "\xff'",
        "\xff.",
        "-n\n",
        "ends\n\n\n",
        "\n",
        ".",
    };
    for (int byte = 1; byte < 256; ++byte) all.push_back(std::string(1, static_cast<char>(byte)));
    constexpr unsigned char edges[] = {0x01, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1,
                                       0xc2, 0xdf, 0xe0, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3,
                                       0xf4, 0xf5, 0xfe, 0xff, ' ',  '\'', '\\', '7',  '.'};
    for (const unsigned char a : edges) {
      for (const unsigned char b : edges) {
        all.push_back({static_cast<char>(a), static_cast<char>(b)});
      }
    }
    std::mt19937 random(1);
    for (int i = 0; i < 4000; ++i) {
      std::string bytes;
      for (unsigned length = static_cast<unsigned>(1 + random() % 12); bytes.size() < length;) {
        // Some leads and what may follow them, or sequences would hardly ever be whole.
        switch (random() % 4) {
          case 0:
            bytes += static_cast<char>(1 + random() % 255);
            break;
          case 1:
            bytes += static_cast<char>(edges[random() % std::size(edges)]);
            break;
          default:
            bytes += static_cast<char>((bytes.size() % 3 == 0 ? 0xe0 : 0x80) + random() % 16);
        }
      }
      all.push_back(bytes);
    }
    for (const std::string& name : hostile_names()) all.push_back(name);
    return all;
  }();
  return strings;
}

bool newer_calls() {
  const char* const built = std::getenv("SYSCALLS");
  if (built != nullptr && std::string_view(built) == "posix") return false;
  // The youngest of them, with a flag that does not exist.
  return ::syscall(SYS_faccessat2, -1, "", 0, -1) != 0 && errno == EINVAL;
}

bool is_long() {
  const char* const form = std::getenv("TESTS");
  return form != nullptr && std::string_view(form) == "long";
}

unsigned deep() { return is_long() ? 32768 : 8192; }

int rounds(int many) { return is_long() ? many : std::max(many / 10, 1); }

bool is_root() { return ::geteuid() == 0; }

}  // namespace tests
