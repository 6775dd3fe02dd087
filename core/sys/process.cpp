#include "core/sys/process.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/sys/directory.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/listing.hpp"

namespace core {
namespace {

std::string digits(pid_t pid) { return std::to_string(pid); }

/// Succeeds where the numbers in /proc are those that system calls of this process take. A mount of
/// another pid namespace shows other processes under the same numbers.
Result<void> check_proc() {
  const auto self = readlink("/proc/self");
  if (self && *self == digits(::getpid())) return {};
  return std::unexpected(Error{
      .number = self ? ENODATA : self.error().number,
      .call = "open",
      .path = "/proc",
      .note = self ? "it shows another pid namespace" : "what other processes are is read there"});
}

/// The file `name` that /proc has of `pid`; ESRCH of `call` where there is no such process.
Result<std::string> read_proc(pid_t pid, std::string_view name, const char* call) {
  TRY(check_proc());
  auto content = read_file(("/proc/" + digits(pid)).append("/").append(name));
  if (content) return content;
  // A process that is there may be hidden (hidepid).
  const int number = content.error().number;
  if (number == ESRCH || (number == ENOENT && ::getpgid(pid) < 0)) {
    return failure(ESRCH, call, digits(pid));
  }
  return content;
}

/// Takes a number, and the blanks before it, off the front of `text`.
template <class T>
std::optional<T> take_number(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  T number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// Takes as many numbers as there are places, in their order.
template <class... T>
bool take_numbers(std::string_view text, T&... to) {
  const auto take = [&text](auto& place) {
    const auto number = take_number<std::remove_reference_t<decltype(place)>>(text);
    if (number) place = *number;
    return number.has_value();
  };
  return (take(to) && ...);
}

/// The rest of the line of /proc/PID/status that `key` begins. A process's name cannot forge a
/// line: the kernel escapes newlines in it.
std::string_view status_line(std::string_view status, std::string_view key) {
  const std::size_t at = status.find("\n" + std::string(key) + ":");
  if (at == status.npos) return {};
  status.remove_prefix(at + key.size() + 2);
  return status.substr(0, status.find('\n'));
}

/// What stands behind the name in /proc/PID/stat, "PID (NAME) STATE PPID PGID SID ..."; NAME may
/// hold anything, ") R 1 2 (" included.
std::string_view behind_name(std::string_view stat) { return stat.substr(stat.rfind(')') + 1); }

/// What counts of /proc/PID/stat.
struct ProcStat {
  char state = 0;
  bool ended = false;  ///< a zombie, or less
  pid_t ppid = 0;
  std::uint64_t start = 0;
};
std::optional<ProcStat> read_stat(std::string_view stat) {
  std::string_view rest = behind_name(stat);
  if (rest.size() < 3) return std::nullopt;
  ProcStat fields{.state = rest[1]};
  rest.remove_prefix(3);
  const auto ppid = take_number<pid_t>(rest);
  for (int field = 5; field < 20; ++field) (void)take_number<std::int64_t>(rest);
  const auto threads = take_number<std::int64_t>(rest);
  (void)take_number<std::int64_t>(rest);
  const auto start = take_number<std::uint64_t>(rest);
  if (!ppid || !threads || !start) return std::nullopt;
  // Other threads may live on after the first.
  fields.ended = (fields.state == 'Z' || fields.state == 'X') && *threads <= 1;
  fields.ppid = *ppid;
  fields.start = *start;
  return fields;
}

}  // namespace

Result<pid_t> read_pid(std::string_view text, const char* call) {
  pid_t pid = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, pid);
  if (read.ec == std::errc() && read.ptr == end && pid > 0) return pid;
  return std::unexpected(
      Error{.number = EINVAL, .call = call, .path = std::string(text), .note = "not a process id"});
}

Result<pid_t> caller() {
  const pid_t pid = ::getppid();
  if (pid > 0) return pid;
  return std::unexpected(Error{
      .number = ESRCH, .call = "getppid", .note = "the caller is outside this pid namespace"});
}

Result<Kin> kin(pid_t pid) {
  const std::string stat = TRY(read_proc(pid, "stat", "getppid"));
  const std::string_view rest = behind_name(stat);
  Kin kin;
  if (rest.size() > 3 && take_numbers(rest.substr(3), kin.ppid, kin.pgid, kin.sid)) return kin;
  return failure(ENODATA, "getppid", digits(pid));
}

Result<std::uint64_t> start_time(pid_t pid) {
  const std::string stat = TRY(read_proc(pid, "stat", "getppid"));
  if (const auto fields = read_stat(stat)) return fields->start;
  return failure(ENODATA, "getppid", digits(pid));
}

Result<std::vector<Descendant>> descendants(pid_t ancestor) {
  TRY(check_proc());
  const Fd proc = TRY(open_directory("/proc"));
  DirectoryReader reader;
  Listing listing;
  TRY(listing.read(reader, proc));
  std::vector<Descendant> others;
  for (const Listing::Entry& entry : listing.entries()) {
    const std::string_view name = listing.name(entry);
    std::string_view rest = name;
    const auto pid = name[0] >= '1' && name[0] <= '9' ? take_number<pid_t>(rest) : std::nullopt;
    if (!pid || !rest.empty()) continue;
    auto stat = read_file(std::string(name) + "/stat", proc);
    // One that has ended, or that is hidden from this process. Any other error hides what is there.
    constexpr int passed[] = {ENOENT, ESRCH, EACCES, EPERM};
    if (!stat && std::ranges::find(passed, stat.error().number) == std::end(passed)) {
      return std::unexpected(std::move(stat).error());
    }
    const auto fields = stat ? read_stat(*stat) : std::nullopt;
    if (!fields || fields->ended) continue;
    others.push_back({*pid, fields->ppid, fields->start});
  }
  std::vector<Descendant> below;
  // Each round finds the children of those that the one before it found.
  std::vector<pid_t> parents = {ancestor};
  while (!parents.empty()) {
    std::vector<pid_t> next;
    std::erase_if(others, [&](const Descendant& process) {
      if (std::ranges::find(parents, process.ppid) == parents.end()) return false;
      below.push_back(process);
      next.push_back(process.pid);
      return true;
    });
    parents = std::move(next);
  }
  return below;
}

std::optional<int> zombie_status(pid_t pid) {
  // Who may not know reads a 0, which says nothing. This link can be read by those who may, and by
  // nobody else; of all in that directory it is the one that a zombie still has.
  if (!readlink("/proc/" + digits(pid) + "/ns/user")) return std::nullopt;
  const auto stat = read_proc(pid, "stat", "waitpid");
  if (!stat) return std::nullopt;
  std::string_view rest = behind_name(*stat);
  if (!rest.starts_with(" Z ") && !rest.starts_with(" X ")) return std::nullopt;
  // The last of 52 fields; the state is the third. Not all between them fit into 64 bits with sign.
  for (int field = 3; field < 52; ++field) {
    rest.remove_prefix(std::min(rest.find(' ', 1), rest.size()));
  }
  return take_number<int>(rest);
}

Result<pid_t> getpgid(pid_t pid) {
  const pid_t group = ::getpgid(pid);
  if (group < 0) return failure("getpgid", digits(pid));
  return group;
}

Result<pid_t> getsid(pid_t pid) {
  const pid_t session = ::getsid(pid);
  if (session < 0) return failure("getsid", digits(pid));
  return session;
}

Result<Credentials> credentials() {
  Credentials own;
  if (::getresuid(&own.uid, &own.euid, &own.suid) != 0) return failure("getresuid");
  if (::getresgid(&own.gid, &own.egid, &own.sgid) != 0) return failure("getresgid");
  const int count = ::getgroups(0, nullptr);
  if (count < 0) return failure("getgroups");
  own.groups.resize(static_cast<std::size_t>(count));
  if (count > 0 && ::getgroups(count, own.groups.data()) != count) return failure("getgroups");
  return own;
}

Result<Credentials> credentials(pid_t pid) {
  const std::string status = TRY(read_proc(pid, "status", "getresuid"));
  Credentials theirs;
  if (!take_numbers(status_line(status, "Uid"), theirs.uid, theirs.euid, theirs.suid) ||
      !take_numbers(status_line(status, "Gid"), theirs.gid, theirs.egid, theirs.sgid)) {
    return failure(ENODATA, "getresuid", digits(pid));
  }
  std::string_view groups = status_line(status, "Groups");
  while (const auto group = take_number<gid_t>(groups)) theirs.groups.push_back(*group);
  return theirs;
}

}  // namespace core
