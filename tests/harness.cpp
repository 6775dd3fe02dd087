#include "tests/harness.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "applets/registry.hpp"

namespace tests {
namespace {

[[noreturn]] void give_up(const std::string& what) {
  FAIL(what << ": " << std::strerror(errno));
  std::abort();
}

void require(bool worked, const std::string& what) {
  if (!worked) give_up(what);
}

/// In the child, between fork and exec.
[[noreturn]] void become(const Command& command, const std::array<int, 3>& streams) {
  for (int i = 0; i < 3; ++i) ::dup2(streams[static_cast<std::size_t>(i)], i);
  if (!command.output_file.empty()) {
    ::dup2(::open(command.output_file.c_str(), O_WRONLY | O_CLOEXEC), 1);
  }
  if (!command.error_file.empty()) {
    ::dup2(::open(command.error_file.c_str(), O_WRONLY | O_CLOEXEC), 2);
  }
  if (!command.directory.empty() && ::chdir(command.directory.c_str()) != 0) ::_exit(125);
  if (command.descriptors != 0) {
    const rlimit limit{command.descriptors, command.descriptors};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  for (const std::string& setting : command.environment) {
    const std::size_t equals = setting.find('=');
    ::setenv(setting.substr(0, equals).c_str(), setting.substr(equals + 1).c_str(), 1);
  }
  if (command.as_nobody && is_root()) {
    const passwd* const nobody = ::getpwnam("nobody");
    if (nobody == nullptr || ::setgroups(0, nullptr) != 0 || ::setgid(nobody->pw_gid) != 0 ||
        ::setuid(nobody->pw_uid) != 0) {
      ::_exit(125);
    }
  }
  for (const int number : command.closed) ::close(number);
  std::vector<char*> words;
  for (const std::string& word : command.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  std::vector<char*> entries;
  for (const std::string& entry : command.entries) {
    entries.push_back(const_cast<char*>(entry.c_str()));
  }
  entries.push_back(nullptr);
  if (!command.entries.empty()) ::environ = entries.data();
  ::execvp(words[0], words.data());
  ::_exit(127);
}

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
  const pid_t child = ::fork();
  require(child >= 0, "fork");
  if (child == 0) {
    // Where the harness ignores SIGPIPE, the program shall not.
    ::signal(SIGPIPE, SIG_DFL);
    become(command, {pipes[0][0], pipes[1][1], pipes[2][1]});
  }
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

std::string binary() {
  const char* const path = std::getenv("OSBOX");
  if (path == nullptr) give_up("OSBOX does not name the binary");
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

Scratch::Scratch() {
  const char* const base = std::getenv("TMPDIR");
  path_ = std::string(base != nullptr ? base : "/tmp") + "/osbox-test-XXXXXX";
  require(::mkdtemp(path_.data()) != nullptr, "mkdtemp " + path_);
  ::chmod(path_.c_str(), 0755);
}

Scratch::~Scratch() {
  // rm copes with any depth; only a user who is not root needs the modes opened first.
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

bool is_root() { return ::geteuid() == 0; }

}  // namespace tests
