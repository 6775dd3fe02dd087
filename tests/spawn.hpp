// What the tests of spawn share.
#pragma once

#include <dirent.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/harness.hpp"

namespace tests {

/// `osbox spawn` of the real binary.
inline Ran spawn(std::vector<std::string> words, Command command = {}) {
  words.insert(words.begin(), {binary(), "spawn"});
  command.words = std::move(words);
  return run(command);
}

/// The processes that have `mark` among their arguments, itself left out.
inline std::vector<pid_t> marked(const std::string& mark) {
  std::vector<pid_t> found;
  DIR* const proc = ::opendir("/proc");
  REQUIRE(proc != nullptr);
  while (const dirent* const entry = ::readdir(proc)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid == 0 || pid == ::getpid()) continue;
    const std::string words = content("/proc/" + std::string(entry->d_name) + "/cmdline");
    if (words.find(mark) != words.npos) found.push_back(pid);
  }
  ::closedir(proc);
  return found;
}

/// A span for sleep(1) that no other process has: it tells whose sleep it is.
inline std::string unlike_others() {
  static int count = 0;
  return "97." + std::to_string(::getpid()) + std::to_string(++count) + "7";
}

/// Waits until `is`, for as long as a slow machine may take.
template <class Is>
bool soon(Is is) {
  for (int i = 0; i < 2000; ++i) {
    if (is()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

inline void put_away(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) ::kill(pid, SIGKILL);
}

inline std::string field(const std::string& json, const std::string& name) {
  const std::string key = "\"" + name + "\":";
  const std::size_t at = json.find(key);
  if (at == json.npos) return "missing";
  const std::size_t begin = at + key.size();
  return json.substr(begin, json.find_first_of(",}", begin) - begin);
}

/// Records of jobs go to a directory of the test's own.
struct Runtime : Scratch {
  Command with(Command command = {}) const {
    command.environment.push_back("XDG_RUNTIME_DIR=" + path());
    return command;
  }
  /// The names of the records that are there.
  std::vector<std::string> records() const {
    return lines(run({.words = {"ls", path() + "/osbox"}}).out);
  }
  /// What `script` prints, with osbox in its PATH.
  Ran shell(const std::string& script) const {
    return tests::shell("XDG_RUNTIME_DIR=" + path() + "; export XDG_RUNTIME_DIR\n" + script);
  }
};

/// The cgroup that is the last word of the first line of `output`, where spawn made one; "" where
/// it could make none. A command prints it by `tells_cgroup`.
inline const std::string tells_cgroup =
    "echo $(grep ^0:: /proc/self/cgroup | grep -o '/[.]osbox-.*'); ";
inline std::string cgroup_in(const std::string& output) {
  return output.substr(0, output.find('\n'));
}

/// False, and told, where osbox can wait for nothing but its own children.
inline bool waits_for_strangers() {
  if (!newer_calls()) MESSAGE("not tested: there are no descriptors of processes");
  return newer_calls();
}

/// True where the cgroup of that name is gone, or there never was one.
inline bool is_removed(const std::string& cgroup) {
  if (cgroup.empty()) return true;
  return shell("find /sys/fs/cgroup -path \"*$1\" 2>/dev/null", {cgroup}).out.empty();
}

}  // namespace tests
