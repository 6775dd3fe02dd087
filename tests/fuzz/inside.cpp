#include "tests/fuzz/inside.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "applets/registry.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

[[noreturn]] void give_up(const char* what) {
  constexpr int skipped = 77;
  std::perror(what);
  ::_exit(skipped);
}

void write_file(const char* path, const std::string& text) {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  const auto size = static_cast<ssize_t>(text.size());
  if (file < 0 || ::write(file, text.data(), text.size()) != size) give_up(path);
  ::close(file);
}

/// A file system in memory that is mounted nowhere, as the descriptor of its root; nothing in it
/// can be executed or is a device.
int make_root() {
  const int context = ::fsopen("tmpfs", FSOPEN_CLOEXEC);
  if (context < 0 || ::fsconfig(context, FSCONFIG_SET_STRING, "mode", "0755", 0) != 0 ||
      ::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    give_up("fsopen");
  }
  const int root =
      ::fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID);
  if (root < 0) give_up("fsmount");
  ::close(context);
  return root;
}

int inner_root = -1;
dev_t inner_device = 0;
int outer_root = -1;
int outer_directory = -1;

/// From here on this process can change nothing outside of its own root, wherever it goes by
/// mistake, but what is in `writable`.
void lock_outside(const char* writable) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) give_up("mount");
  if (writable != nullptr && ::mount(writable, writable, nullptr, MS_BIND, nullptr) != 0) {
    give_up(writable);
  }
  struct mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof attributes) != 0) {
    give_up("mount_setattr");
  }
  attributes = {};
  attributes.attr_clr = MOUNT_ATTR_RDONLY;
  if (writable != nullptr &&
      ::mount_setattr(AT_FDCWD, writable, 0, &attributes, sizeof attributes) != 0) {
    give_up(writable);
  }
}

/// True where "/" is the file system that is ours.
bool is_inside() {
  struct ::stat root{};
  return ::stat("/", &root) == 0 && root.st_dev == inner_device;
}

void draw(const std::string& path, std::string& to) {
  struct ::stat found{};
  fuzz::check(::lstat(path.c_str(), &found) == 0, "what is listed is there", path);
  const core::Type type = core::type_of_mode(found.st_mode);
  char target[PATH_MAX] = {};
  if (type == core::Type::link) (void)::readlink(path.c_str(), target, sizeof target - 1);
  to += fuzz::line_of(path, type, found.st_mode & 07777, found.st_nlink, found.st_size, target);
  if (type != core::Type::dir) return;
  std::vector<std::string> names;
  DIR* const directory = ::opendir(path.c_str());
  while (const dirent* const entry = directory != nullptr ? ::readdir(directory) : nullptr) {
    names.emplace_back(entry->d_name);
  }
  if (directory != nullptr) ::closedir(directory);
  std::ranges::sort(names);
  for (const std::string& name : names) {
    if (name != "." && name != "..") draw(path + "/" + name, to);
  }
}

/// Removes all that is in a directory of the file system in memory. By descriptors and names alone:
/// a path would be one of the machine's own where something had led out of there.
void empty(int above, const char* name) {
  const int directory = ::openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR* const stream = directory >= 0 ? ::fdopendir(directory) : nullptr;
  if (stream == nullptr) std::abort();
  while (const dirent* const entry = ::readdir(stream)) {
    const std::string_view each = entry->d_name;
    if (each == "." || each == ".." || ::unlinkat(directory, entry->d_name, 0) == 0) continue;
    empty(directory, entry->d_name);
    if (::unlinkat(directory, entry->d_name, AT_REMOVEDIR) != 0) std::abort();
  }
  ::closedir(stream);
}

/// What reaches other processes, or all of the machine, is refused, whatever an applet takes it
/// for.
void lock_processes() {
  std::vector<sock_filter> filter = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const long call : {SYS_kill, SYS_pidfd_send_signal, SYS_rt_sigqueueinfo, SYS_setpriority,
                          SYS_mount, SYS_umount2, SYS_reboot}) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    give_up("seccomp");
  }
}

}  // namespace

/// While there is one thread: a namespace of users is for a whole process. The first directory
/// among the arguments is where libFuzzer writes.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(user == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) give_up("unshare");
  if (user != 0) {
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    write_file("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
  }
  const char* writable = nullptr;
  for (int i = *argc - 1; i > 0; --i) {
    if ((*argv)[i][0] != '-') writable = (*argv)[i];
  }
  lock_outside(writable);
  inner_root = make_root();
  struct ::stat root{};
  if (::fstatat(inner_root, ".", &root, 0) != 0) give_up("stat");
  inner_device = root.st_dev;
  outer_root = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  outer_directory = ::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (is_inside()) give_up("inside of itself");
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (::dup2(nothing, STDIN_FILENO) != 0) give_up("/dev/null");
  ::close(nothing);
  ::umask(022);
  lock_processes();
  for (const char* const name : {"OSBOX_EXIT_ERRNO", "LS_COLORS", "NO_COLOR"}) ::unsetenv(name);
  return 0;
}

namespace fuzz {

Inside::Inside() {
  // What the last input did to the root itself is no part of this one.
  constexpr timespec epoch[2] = {};
  if (::fchownat(inner_root, ".", 0, 0, 0) != 0 || ::fchmodat(inner_root, ".", 0755, 0) != 0 ||
      ::utimensat(inner_root, ".", epoch, 0) != 0) {
    std::abort();
  }
  if (::fchdir(inner_root) != 0 || ::chroot(".") != 0 || !is_inside()) std::abort();
}

Inside::~Inside() {
  if (::fchdir(outer_root) != 0 || ::chroot(".") != 0 || ::fchdir(outer_directory) != 0) {
    std::abort();
  }
  empty(inner_root, ".");
}

std::string picture() {
  std::string to;
  draw(".", to);
  return to;
}

std::string line_of(std::string_view path, core::Type type, mode_t mode, std::size_t links,
                    off_t size, std::string_view target) {
  std::string text(path);
  text.append(" ").append(core::type_word(type)).append(" ").append(core::mode_text(mode));
  text.append(" ").append(std::to_string(links));
  if (type == core::Type::file) text.append(" ").append(std::to_string(size));
  if (type == core::Type::link) text.append(" -> ").append(target);
  return text.append("\n");
}

Ran osbox(std::span<const std::string_view> words, bool terminal) {
  const auto next_descriptor = [] {
    const int next = ::dup(STDIN_FILENO);
    ::close(next);
    return next;
  };
  // Nothing of osbox runs anywhere else.
  if (!is_inside()) std::abort();
  const int next = next_descriptor();
  std::vector<std::string_view> all = {"osbox"};
  all.insert(all.end(), words.begin(), words.end());
  out::Io io(out::Sink(), out::Sink(), {.output_is_terminal = terminal});
  Ran ran;
  ran.status = cli::dispatch(applets::registry, applets::install, all, io);
  ran.out = io.output().buffer();
  ran.err = io.error_output().buffer();
  check(next_descriptor() == next, "no descriptor is left open");
  check(::umask(022) == 022, "the umask stays");
  check(ran.status >= 0 && ran.status < 256, "an exit status", std::to_string(ran.status));
  check(visible_lines(ran.err), "messages are lines that are safe to show", ran.err);
  check(ran.err.empty() || ran.err.back() == '\n', "messages are whole lines", ran.err);
  return ran;
}

}  // namespace fuzz
