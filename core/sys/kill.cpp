#include "core/sys/kill.hpp"

#include <unistd.h>

#include <string>

namespace core {
namespace {

Result<void> send(const char* call, pid_t whom, int signal) {
  if (::kill(whom, signal) == 0) return {};
  return failure(call);
}

}  // namespace

bool is_thread(pid_t pid) {
  // Where the two numbers are not of one process it is ESRCH, whatever there is.
  return ::tgkill(pid, pid, 0) != 0 && errno == ESRCH && ::getpgid(pid) >= 0;
}

Result<void> kill(pid_t pid, int signal) {
  std::string text = std::to_string(pid);
  if (pid <= 0) return failure(EINVAL, "kill", text);
  if (is_thread(pid)) {
    return std::unexpected(Error{.number = EINVAL,
                                 .call = "kill",
                                 .path = std::move(text),
                                 .note = "a thread, not a process"});
  }
  return told_as("kill", text, send("kill", pid, signal));
}

Result<void> killpg(pid_t group, int signal) {
  const std::string text = std::to_string(group);
  if (group <= 1) return failure(EINVAL, "killpg", text);
  return told_as("killpg", text, send("killpg", -group, signal));
}

Result<void> kill_own_group(int signal) { return send("kill", 0, signal); }

Result<void> kill_everyone(int signal) { return send("kill", -1, signal); }

Spared::Spared(int signal) : signal_(signal) {
  struct ::sigaction ignored = {};
  ignored.sa_handler = SIG_IGN;
  changed_ = signal > 0 && ::sigaction(signal, &ignored, &before_) == 0;
}

Spared::~Spared() {
  if (changed_) ::sigaction(signal_, &before_, nullptr);
}

}  // namespace core
