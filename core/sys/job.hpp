// Jobs: what is written down of processes that `spawn --nowait` started, so that their status is
// there when somebody asks, whoever waited for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/sys/fd.hpp"
#include "core/sys/pidfd.hpp"
#include "core/sys/wait_status.hpp"

namespace core {

/// How a job ended.
struct JobEnd {
  WaitStatus status;
  ResourceUsage usage;
  Duration wall{};  ///< from its start to its end
  bool timed_out = false;
};

/// One process that was started, and how it ended, once it has.
struct Job {
  using End = JobEnd;
  ProcessId id;     ///< with its inode
  ProcessId owner;  ///< who ran osbox: the shell
  std::optional<End> end = {};
};

/// A directory that jobs are written into, one file PID:INODE each: `osbox` in $XDG_RUNTIME_DIR,
/// `osbox` in /run/user/UID, /dev/shm/osbox-UID or /tmp/osbox-UID. It is this user's own, a
/// directory and no link, and nobody else's to read or write; what is not is left alone, as if it
/// were not there.
class JobDirectory {
 public:
  /// The first of those four that can be written to; made, with mode 0700, where it is not there.
  /// The error is that of the last.
  static Result<JobDirectory> make();
  /// Those of the four that are there, to read from. Fails where that cannot be known: EMFILE,
  /// ENFILE, ENOMEM.
  static Result<std::vector<JobDirectory>> all();

  /// Writes `job` down. With `end` unset it says who has the job; with it, that takes its place in
  /// one step. Who writes the end before the process is waited for lets nobody see neither.
  Result<void> put(const Job& job) const;
  /// The end of a job, ready to be written once it is there.
  class Ending;
  /// What is written of the process `id`; of several with a bare pid the youngest. A record that is
  /// damaged, of an earlier boot or of another pid namespace is none.
  Result<std::optional<Job>> find(ProcessId id) const;
  /// The jobs of `owner`, oldest first.
  Result<std::vector<Job>> owned_by(ProcessId owner) const;
  /// Takes away what is written of `id`, which must have its inode; no error where nothing is.
  Result<void> remove(ProcessId id) const;
  /// Takes away what nobody came for within a day: ends, jobs without an end whose process is gone,
  /// and what a keeper that was killed has left half written. Does nothing where that was done in
  /// the last hour.
  void sweep() const;

  FdRef descriptor() const { return fd_; }

 private:
  /// Where and when a pid means one process: the boot, by its id, and the pid namespace, by its
  /// inode. Empty and 0 where that cannot be known, as without /proc; it is then taken for the
  /// same.
  struct Scope {
    std::string boot;
    std::uint64_t pids = 0;

    bool same_boot(const Scope& other) const {
      return boot.empty() || other.boot.empty() || boot == other.boot;
    }
    bool same_pids(const Scope& other) const {
      return pids == 0 || other.pids == 0 || pids == other.pids;
    }
  };
  struct Record {
    Job job;
    Scope scope;
  };

  JobDirectory(Fd fd, Scope scope) : fd_(std::move(fd)), scope_(std::move(scope)) {}
  static Scope scope_of_this();
  static void append_text(std::string& to, const Job& job, const Scope& scope);
  Result<void> write_file(const std::string& name, std::string_view text) const;
  static std::optional<Record> parse(std::string_view text);
  /// The record in the file `name`; none where there is no such file, or no record in it.
  Result<std::optional<Record>> read(const std::string& name) const;
  /// The job in it, where that is of this boot and pid namespace.
  Result<std::optional<Job>> read_job(const std::string& name) const;
  /// Of whom there are files, with their inodes.
  Result<std::vector<ProcessId>> ids() const;
  void sweep(const std::string& name) const;

  Fd fd_;
  Scope scope_;
};

/// All the memory that this takes is taken when it is made, and `put` takes none unless it fails: a
/// process that has its memory from one that was killed could not rely on getting any.
class JobDirectory::Ending {
 public:
  /// EINVAL where the id of `job` lacks its inode. `directory` outlives this.
  static Result<Ending> of(const JobDirectory& directory, const Job& job);
  /// As `put` of the job with this end.
  Result<void> put(const Job::End& end);

 private:
  Ending(const JobDirectory& directory, const Job& job, std::string name, std::string fresh);
  const JobDirectory* directory_;
  Job job_;
  std::string name_;
  std::string fresh_;
  std::string text_;
};

}  // namespace core
