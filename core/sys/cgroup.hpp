// Cgroup: a group of processes that can be killed as one, whatever they do meanwhile.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/sys/fd.hpp"

namespace core {

/// A cgroup of version 2 below the one that this process is in; gone with this object.
class Cgroup {
 public:
  /// None where there may be none: without version 2, or without the right to make one.
  static std::optional<Cgroup> make();

  Cgroup(Cgroup&&) noexcept = default;
  Cgroup& operator=(Cgroup&&) = delete;
  /// Gives what is still in it back to the cgroup above, and removes it; groups that were made in
  /// it meanwhile keep it there.
  ~Cgroup();

  /// cgroup.procs, to be joined by writing "0".
  FdRef processes() const { return processes_; }
  /// Adds the descriptors that this has, for who closes all others.
  void append_descriptors(std::vector<int>& to) const;
  /// SIGKILL for all in it. False where the kernel cannot (before Linux 5.14). cgroup.kill
  bool kill() const;

 private:
  Cgroup(Fd above, std::string name, Fd self, Fd processes);
  Fd above_;
  std::string name_;
  Fd self_;
  Fd processes_;
};

}  // namespace core
