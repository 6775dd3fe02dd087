#include "core/sys/limit.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/sys/word.hpp"

namespace core {
namespace {

constexpr auto table = std::to_array<Resource>({
    {RLIMIT_AS, "as", "bytes", "address space"},
    {RLIMIT_CORE, "core", "bytes", "size of a core file"},
    {RLIMIT_CPU, "cpu", "seconds", "CPU time"},
    {RLIMIT_DATA, "data", "bytes", "data segment, heap and private mappings"},
    {RLIMIT_FSIZE, "fsize", "bytes", "size of a file that is written"},
    {RLIMIT_LOCKS, "locks", "locks", "file locks; not enforced since Linux 2.4.25"},
    {RLIMIT_MEMLOCK, "memlock", "bytes", "memory locked into RAM"},
    {RLIMIT_MSGQUEUE, "msgqueue", "bytes", "POSIX message queues of the user"},
    {RLIMIT_NICE, "nice", "", "20 minus the lowest nice value that may be set"},
    {RLIMIT_NOFILE, "nofile", "files", "open descriptors: one more than the highest"},
    {RLIMIT_NPROC, "nproc", "processes", "processes and threads of the user"},
    {RLIMIT_RSS, "rss", "bytes", "resident memory; not enforced since Linux 2.4.30"},
    {RLIMIT_RTPRIO, "rtprio", "", "highest real-time priority that may be set"},
    {RLIMIT_RTTIME, "rttime", "microseconds", "CPU time of a real-time process between two waits"},
    {RLIMIT_SIGPENDING, "sigpending", "signals", "queued signals of the user"},
    {RLIMIT_STACK, "stack", "bytes", "size of the stack"},
});
static_assert(std::ranges::is_sorted(table, {}, &Resource::name));

// What the C library makes of the numbers in C++: an enum, or plain int.
using Number = decltype(RLIMIT_AS);

constexpr std::string_view prefix = "RLIMIT_";

std::expected<rlim_t, std::string> read_number(std::string_view unit, std::string_view text) {
  if (text == "unlimited") return RLIM_INFINITY;
  rlim_t number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec == std::errc::invalid_argument || read.ptr != end) {
    const std::string of = unit.empty() ? "" : " of " + std::string(unit);
    return std::unexpected("not a number" + of + ", in digits alone, nor unlimited");
  }
  // The highest number is RLIM_INFINITY, which has a word.
  if (read.ec != std::errc() || number == RLIM_INFINITY) {
    return std::unexpected("number too large");
  }
  return number;
}

std::optional<std::uint64_t> known(rlim_t number) {
  if (number == RLIM_INFINITY) return std::nullopt;
  return number;
}

Limit limit_of(const rlimit& limit) { return {known(limit.rlim_cur), known(limit.rlim_max)}; }

}  // namespace

std::span<const Resource> resources() { return table; }

const Resource* find_resource(std::string_view name) {
  if (same_word(name.substr(0, prefix.size()), prefix)) name.remove_prefix(prefix.size());
  const auto at = std::ranges::find_if(
      table, [name](const Resource& each) { return same_word(each.name, name); });
  return at == table.end() ? nullptr : &*at;
}

std::expected<LimitChange, std::string> LimitChange::parse(const Resource& resource,
                                                           std::string_view text) {
  LimitChange change{.resource = &resource};
  const std::size_t colon = text.find(':');
  if (colon != 0) change.soft = TRY(read_number(resource.unit, text.substr(0, colon)));
  if (colon != text.npos) change.hard = TRY(read_number(resource.unit, text.substr(colon + 1)));
  if (change.soft && change.hard && *change.soft > *change.hard) {
    return std::unexpected("the soft limit is above the hard one");
  }
  return change;
}

std::expected<LimitChange, std::string> LimitChange::parse(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos) return std::unexpected("not NAME=SOFT[:HARD]");
  const Resource* const resource = find_resource(text.substr(0, equals));
  if (resource == nullptr) return std::unexpected(std::string(no_such_resource));
  return parse(*resource, text.substr(equals + 1));
}

Result<Limit> getrlimit(const Resource& resource, pid_t pid) {
  rlimit limit{};
  if (::prlimit(pid, static_cast<Number>(resource.number), nullptr, &limit) == 0) {
    return limit_of(limit);
  }
  return pid == 0 ? failure("getrlimit") : failure("getrlimit", std::to_string(pid));
}

int setrlimit(const LimitChange& change, pid_t pid, Limit* before) {
  const auto number = static_cast<Number>(change.resource->number);
  rlimit limit{};
  rlimit old{};
  // The half that is to stay has to be said again.
  if ((!change.soft || !change.hard) && ::prlimit(pid, number, nullptr, &limit) != 0) return errno;
  limit.rlim_cur = change.soft.value_or(limit.rlim_cur);
  limit.rlim_max = change.hard.value_or(limit.rlim_max);
  if (::prlimit(pid, number, &limit, &old) != 0) return errno;
  if (before != nullptr) *before = limit_of(old);
  return 0;
}

}  // namespace core
