#include "tests/fuzz/inside.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
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
int outer_root = -1;
int outer_directory = -1;
bool is_inside = false;

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

void leave() {
  if (!is_inside) return;
  if (::fchdir(outer_root) != 0 || ::chroot(".") != 0 || ::fchdir(outer_directory) != 0) ::abort();
  is_inside = false;
}

}  // namespace

/// While there is one thread: no other process may have the namespaces that this one makes.
extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (user != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) give_up("unshare");
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    write_file("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
  }
  inner_root = make_root();
  outer_root = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  outer_directory = ::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (::dup2(nothing, STDIN_FILENO) != 0) give_up("/dev/null");
  ::close(nothing);
  ::umask(022);
  for (const char* const name : {"OSBOX_EXIT_ERRNO", "LS_COLORS", "NO_COLOR"}) ::unsetenv(name);
  return 0;
}

// A sanitizer's report, and the input that led to it, belong outside. It ends the process: nothing
// may go on there.
extern "C" void __asan_on_error() { leave(); }
extern "C" void __ubsan_on_report() { leave(); }

namespace fuzz {

Inside::Inside() {
  if (::fchdir(inner_root) != 0 || ::chroot(".") != 0) give_up("chroot");
  is_inside = true;
}

Inside::~Inside() {
  empty(inner_root, ".");
  if (::fchmodat(inner_root, ".", 0755, 0) != 0) std::abort();
  leave();
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
