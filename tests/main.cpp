// doctest compiles here once. All that the tests start and leave behind is told in the end.
#define DOCTEST_CONFIG_IMPLEMENT
#include <dirent.h>
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <thread>

#include "tests/harness.hpp"

namespace {

/// The processes that have `mark` in their environment, this one left out, with their arguments.
std::string marked_processes(const std::string& mark) {
  std::string found;
  DIR* const proc = ::opendir("/proc");
  if (proc == nullptr) return found;
  while (const dirent* const entry = ::readdir(proc)) {
    const std::string pid = entry->d_name;
    if (std::atoi(pid.c_str()) <= 0 || pid == std::to_string(::getpid())) continue;
    if (tests::content("/proc/" + pid + "/environ").find(mark) == std::string::npos) continue;
    std::string words = tests::content("/proc/" + pid + "/cmdline");
    for (char& c : words) c = c == '\0' ? ' ' : c;
    found += "left running: " + pid + " " + words + "\n";
  }
  ::closedir(proc);
  return found;
}

/// The records of jobs that nobody has taken.
std::string records(const Scratch& runtime) {
  return tests::run({.words = {"find", runtime.path(), "-type", "f", "!", "-name", ".swept"}}).out;
}

/// The calls that no Linux before 3.15 has, and some none before 6.6: osbox does the same without.
bool deny_newer_calls() {
  return tests::deny({{SYS_statx, ENOSYS},
                      {SYS_openat2, ENOSYS},
                      {SYS_faccessat2, ENOSYS},
                      {tests::fchmodat2, ENOSYS},
                      {SYS_renameat2, ENOSYS},
                      {SYS_pidfd_open, ENOSYS}});
}

}  // namespace

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const Scratch runtime;
  ::chmod(runtime.path().c_str(), 0700);
  ::setenv("XDG_RUNTIME_DIR", runtime.path().c_str(), 1);
  const std::string mark = "TESTS_OF_OSBOX=" + runtime.path();
  ::setenv("TESTS_OF_OSBOX", runtime.path().c_str(), 1);
  // What a sanitizer does in the processes that the tests start: it neither looks for leaks, which
  // promises_test has it do once for each applet, nor changes a limit of theirs.
  ::setenv("ASAN_OPTIONS", "detect_leaks=0:disable_coredump=0", 1);
  // Lines are as wide as those of a terminal that says nothing.
  ::unsetenv("COLUMNS");
  const char* const kernel = std::getenv("KERNEL");
  if (kernel != nullptr && std::string_view(kernel) == "old" && !deny_newer_calls()) return 1;
  const int status = context.run();
  // What was ended is gone soon; what was not stays.
  std::string left;
  for (int i = 0; i < 100; ++i) {
    left = marked_processes(mark) + records(runtime);
    if (left.empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  std::cerr << left;
  return status != 0 ? status : left.empty() ? 0 : 1;
}
