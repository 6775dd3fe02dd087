#include "core/sys/job.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <ctime>

#include "core/sys/directory.hpp"
#include "core/sys/fs.hpp"

namespace core {
namespace {

constexpr std::string_view heading = "osbox job 1\n";
constexpr const char* marker = ".swept";
constexpr std::size_t longest_record = 1024;
constexpr std::time_t hour = 3600;
constexpr std::time_t day = 24 * hour;

/// One place where a directory for jobs may be.
struct Place {
  std::string parent;
  std::string name;
  bool own_parent;  ///< the directory around it must be this user's own, too
};

std::vector<Place> places() {
  const std::string user = std::to_string(::geteuid());
  std::vector<Place> all;
  // After su(1) it may still be that of the user before.
  if (const char* const runtime = std::getenv("XDG_RUNTIME_DIR"); runtime && *runtime == '/') {
    all.push_back({runtime, "osbox", true});
  }
  all.push_back({"/run/user/" + user, "osbox", true});
  all.push_back({"/dev/shm", "osbox-" + user, false});
  all.push_back({"/tmp", "osbox-" + user, false});
  return all;
}

/// As mkdir(2), whatever the umask: no bit of 0700 is missing.
Result<void> make_private(const std::string& name, FdRef parent) {
  const mode_t before = ::umask(0077);
  auto made = mkdir(name, 0700, parent);
  ::umask(before);
  return made;
}

/// What `place` has, if it is what it should be. Looked at is what was opened.
Result<Fd> open_private(const Place& place, bool make) {
  const std::string path = place.parent + "/" + place.name;
  const auto refuse = [&path](const char* why) {
    return std::unexpected(Error{.number = EPERM, .call = "open", .path = path, .note = why});
  };
  struct ::stat found;
  const Fd parent = TRY(open(place.parent, O_PATH | O_DIRECTORY));
  if (place.own_parent) {
    if (::fstat(FdRef(parent).number(), &found) != 0) return failure("stat", place.parent);
    if (found.st_uid != ::geteuid()) return refuse("the directory above is somebody else's");
  }
  const auto open_there = [&] {
    return told_as("open", path,
                   open(place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK, parent));
  };
  auto directory = open_there();
  if (!directory && directory.error().number == ENOENT && make) {
    const auto made = told_as("mkdir", path, make_private(place.name, parent));
    // Another one may have been faster.
    if (!made && made.error().number != EEXIST) return std::unexpected(made.error());
    directory = open_there();
  }
  if (!directory) return directory;
  if (::fstat(FdRef(*directory).number(), &found) != 0) return failure("stat", path);
  if (found.st_uid != ::geteuid()) return refuse("somebody else's directory");
  if ((found.st_mode & 077) != 0) return refuse("others may read or write that directory");
  if (make) TRY(told_as("access", path, access(".", W_OK | X_OK, {.effective = true}, *directory)));
  return directory;
}

template <std::integral T>
void append(std::string& to, T number) {
  char digits[24];
  to.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

/// Adds the numbers with a blank before each.
template <class... T>
void append_all(std::string& to, T... numbers) {
  (append(to += ' ', numbers), ...);
}

/// A reader of a record: each of its functions takes what it names off the front, or fails.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool take(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  /// Decimal digits, with a blank before them, that stand for no less than 0.
  template <std::integral T>
  bool take(T& number) {
    T read = 0;
    if (!take(" ") || rest_.starts_with('-')) return false;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), read);
    if (error != std::errc()) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    number = read;
    return true;
  }
  bool take(Duration& span) {
    Duration::rep count = 0;
    if (!take(count)) return false;
    span = Duration(count);
    return true;
  }
  /// What is no blank, with one before it.
  bool take(std::string& word) {
    if (!take(" ")) return false;
    word = rest_.substr(0, rest_.find_first_of(" \n"));
    rest_.remove_prefix(word.size());
    return !word.empty();
  }
  /// A pid and its inode, 0 for one that is not known.
  bool take(ProcessId& id) {
    std::uint64_t inode = 0;
    if (!take(id.pid) || !take(inode) || id.pid == 0) return false;
    if (inode != 0) id.inode = inode;
    return true;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// The name of the file of `id`, which has an inode.
Result<std::string> file_name(ProcessId id, const char* call) {
  if (id.inode) return id.text();
  return std::unexpected(Error{.number = EINVAL,
                               .call = call,
                               .path = id.text(),
                               .note = "its inode number is not to be had"});
}

/// True for the error of a file that is not there, or that nobody could have written as a record.
bool no_file(int number) { return number == ENOENT || number == ELOOP || number == EISDIR; }

/// How many seconds ago `file` was written; a time to come is long ago: the clock was changed.
std::time_t age(const struct ::stat& file) {
  const std::time_t span = std::time(nullptr) - file.st_mtim.tv_sec;
  return span < -hour ? day : span;
}

}  // namespace

Result<JobDirectory> JobDirectory::make() {
  Error last;
  for (const Place& place : places()) {
    auto directory = open_private(place, true);
    if (directory) return JobDirectory(*std::move(directory), scope_of_this());
    last = std::move(directory).error();
  }
  return std::unexpected(std::move(last));
}

Result<std::vector<JobDirectory>> JobDirectory::all() {
  std::vector<JobDirectory> all;
  std::optional<Scope> scope;
  for (const Place& place : places()) {
    auto directory = open_private(place, false);
    if (!directory) {
      const int number = directory.error().number;
      if (number != EMFILE && number != ENFILE && number != ENOMEM) continue;
      return std::unexpected(std::move(directory).error());
    }
    if (!scope) scope = scope_of_this();
    all.push_back(JobDirectory(*std::move(directory), *scope));
  }
  return all;
}

JobDirectory::Scope JobDirectory::scope_of_this() {
  Scope scope;
  if (const auto file = open("/proc/sys/kernel/random/boot_id", O_RDONLY)) {
    // 36 characters and a newline.
    char text[64];
    const std::string_view id(text, core::read(*file, text, sizeof text).value_or(0));
    scope.boot = id.substr(0, id.find('\n'));
  }
  struct ::stat pids;
  if (::stat("/proc/self/ns/pid", &pids) == 0) scope.pids = pids.st_ino;
  return scope;
}

void JobDirectory::append_text(std::string& text, const Job& job, const Scope& scope) {
  text += heading;
  const std::string_view boot = scope.boot.empty() ? "-" : std::string_view(scope.boot);
  append(text.append("boot ").append(boot) += ' ', scope.pids);
  append_all(text += "\nprocess", job.id.pid, job.id.inode.value_or(0));
  append_all(text += "\nowner", job.owner.pid, job.owner.inode.value_or(0));
  if (!job.end) {
    text += "\nrunning\n";
    return;
  }
  const auto& [status, usage, wall, timed_out] = *job.end;
  append_all(text += "\nended", status.word(), int{timed_out}, wall.count(), usage.user.count(),
             usage.system.count(), usage.max_rss, usage.minor_faults, usage.major_faults,
             usage.blocks_in, usage.blocks_out, usage.voluntary_switches,
             usage.involuntary_switches);
  text += '\n';
}

std::optional<JobDirectory::Record> JobDirectory::parse(std::string_view text) {
  Reader reader(text);
  Record record;
  auto& [job, scope] = record;
  if (!reader.take(heading) || !reader.take("boot") || !reader.take(scope.boot) ||
      !reader.take(scope.pids) || !reader.take("\nprocess") || !reader.take(job.id) ||
      !job.id.inode || !reader.take("\nowner") || !reader.take(job.owner)) {
    return std::nullopt;
  }
  if (scope.boot == "-") scope.boot.clear();
  if (reader.take("\nended")) {
    auto& [status, usage, wall, timed_out] = job.end.emplace();
    int word = 0;
    int over = 0;
    if (!reader.take(word) || word > 0xffff || !reader.take(over) || over > 1 ||
        !reader.take(wall) || !reader.take(usage.user) || !reader.take(usage.system) ||
        !reader.take(usage.max_rss) || !reader.take(usage.minor_faults) ||
        !reader.take(usage.major_faults) || !reader.take(usage.blocks_in) ||
        !reader.take(usage.blocks_out) || !reader.take(usage.voluntary_switches) ||
        !reader.take(usage.involuntary_switches)) {
      return std::nullopt;
    }
    status = WaitStatus(word);
    timed_out = over == 1;
  } else if (!reader.take("\nrunning")) {
    return std::nullopt;
  }
  if (!reader.take("\n") || !reader.at_end()) return std::nullopt;
  return record;
}

Result<void> JobDirectory::write_file(const std::string& name, std::string_view text) const {
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK;
  const Fd file = TRY(open(name, flags, fd_, 0600));
  // The umask may have taken even the owner's bits.
  if (::fchmod(FdRef(file).number(), 0600) != 0) return failure("chmod");
  return core::write(file, text);
}

Result<void> JobDirectory::put(const Job& job) const {
  if (job.end) return TRY(Ending::of(*this, job)).put(*job.end);
  const std::string name = TRY(file_name(job.id, "write"));
  std::string text;
  append_text(text, job, scope_);
  // What nobody has seen yet need not be whole at once.
  auto done = write_file(name, text);
  if (done) return {};
  (void)unlink(name, fd_);
  done.error().path = name;
  return done;
}

JobDirectory::Ending::Ending(const JobDirectory& directory, const Job& job, std::string name,
                             std::string fresh)
    : directory_(&directory), job_(job), name_(std::move(name)), fresh_(std::move(fresh)) {
  text_.reserve(longest_record);
}

Result<JobDirectory::Ending> JobDirectory::Ending::of(const JobDirectory& directory,
                                                      const Job& job) {
  std::string name = TRY(file_name(job.id, "write"));
  return Ending(directory, job, std::move(name), TRY(temporary_name()));
}

Result<void> JobDirectory::Ending::put(const Job::End& end) {
  job_.end = end;
  text_.clear();
  append_text(text_, job_, directory_->scope_);
  // It takes the place of a whole record.
  auto done = directory_->write_file(fresh_, text_);
  if (done) done = rename(fresh_, name_, directory_->fd_);
  if (done) return {};
  (void)unlink(fresh_, directory_->fd_);
  done.error().path = name_;
  done.error().target.reset();
  return done;
}

Result<std::optional<JobDirectory::Record>> JobDirectory::read(const std::string& name) const {
  const auto file = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, fd_);
  if (!file) {
    if (no_file(file.error().number)) return std::nullopt;
    return std::unexpected(file.error());
  }
  char text[longest_record];
  const auto size = core::read(*file, text, sizeof text);
  if (!size) {
    if (no_file(size.error().number)) return std::nullopt;
    return std::unexpected(size.error());
  }
  auto record = parse({text, *size});
  if (record && record->job.id.text() != name) return std::nullopt;
  return record;
}

Result<std::optional<Job>> JobDirectory::read_job(const std::string& name) const {
  const auto record = TRY(read(name));
  if (!record) return std::nullopt;
  if (!record->scope.same_boot(scope_) || !record->scope.same_pids(scope_)) return std::nullopt;
  return record->job;
}

Result<std::vector<ProcessId>> JobDirectory::ids() const {
  const Fd directory = TRY(open_directory(".", fd_));
  DirectoryReader reader;
  reader.begin(directory);
  std::vector<ProcessId> ids;
  for (;;) {
    const auto batch = TRY(reader.read());
    if (batch.empty()) return ids;
    for (const DirEntry& entry : batch) {
      const auto id = read_process_id(entry.text(), "readdir");
      if (id && id->inode && id->text() == entry.text()) ids.push_back(*id);
    }
  }
}

Result<std::optional<Job>> JobDirectory::find(ProcessId id) const {
  if (id.inode) return read_job(id.text());
  std::vector<ProcessId> all = TRY(ids());
  std::erase_if(all, [&id](const ProcessId& other) { return other.pid != id.pid; });
  // Both kinds of them, inode numbers and clock ticks, count up until the next boot.
  std::ranges::sort(all, std::ranges::greater(), &ProcessId::inode);
  for (const ProcessId& other : all) {
    if (auto job = TRY(read_job(other.text()))) return job;
  }
  return std::nullopt;
}

Result<std::vector<Job>> JobDirectory::owned_by(ProcessId owner) const {
  std::vector<Job> jobs;
  for (const ProcessId& id : TRY(ids())) {
    const auto job = TRY(read_job(id.text()));
    if (!job || job->owner.pid != owner.pid) continue;
    if (job->owner.inode && owner.inode && job->owner.inode != owner.inode) continue;
    jobs.push_back(*job);
  }
  std::ranges::sort(jobs, {}, [](const Job& job) { return job.id.inode; });
  return jobs;
}

Result<void> JobDirectory::remove(ProcessId id) const {
  const std::string name = TRY(file_name(id, "unlink"));
  const auto removed = unlink(name, fd_);
  if (removed || removed.error().number == ENOENT) return {};
  return removed;
}

void JobDirectory::sweep() const {
  struct ::stat found;
  if (::fstatat(FdRef(fd_).number(), marker, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
      age(found) < hour) {
    return;
  }
  // First of all, so that nobody else begins too. What does not work here does not work below, or
  // there is no room, which this makes.
  if (const auto file = open(marker, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, fd_, 0600)) {
    (void)::futimens(FdRef(*file).number(), nullptr);
  }
  const auto directory = open_directory(".", fd_);
  if (!directory) return;
  DirectoryReader reader;
  reader.begin(*directory);
  for (;;) {
    const auto batch = reader.read();
    if (!batch || batch->empty()) return;
    for (const DirEntry& entry : *batch) {
      if (::fstatat(FdRef(fd_).number(), entry.name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
          S_ISREG(found.st_mode) && age(found) >= day) {
        sweep(std::string(entry.text()));
      }
    }
  }
}

void JobDirectory::sweep(const std::string& name) const {
  const auto id = read_process_id(name, "readdir");
  if (!name.starts_with(temporary_prefix) && !(id && id->inode)) return;
  const auto record = read(name);
  if (!record) return;
  if (*record && !(*record)->job.end && (*record)->scope.same_boot(scope_)) {
    // Whether it still runs can be said in its own pid namespace only.
    if (!(*record)->scope.same_pids(scope_)) return;
    const auto process = Process::open((*record)->job.id);
    if (process || process.error().number != ESRCH) return;
    // It was there a moment ago, perhaps, and its end is written now.
    const auto again = read(name);
    if (!again || (*again && (*again)->job.end)) return;
  }
  (void)unlink(name, fd_);
}

}  // namespace core
