#include "core/sys/affinity.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <optional>

namespace core {
namespace {

/// More than any kernel can be built for; who asks for more has made a mistake.
constexpr unsigned most_cpus = 1U << 16;

constexpr std::size_t word_bits = sizeof(unsigned long) * CHAR_BIT;

/// Takes a number off the front of `text`.
std::optional<unsigned> take_number(std::string_view& text) {
  unsigned number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc::invalid_argument) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return read.ec == std::errc() ? number : most_cpus;
}

}  // namespace

void CpuSet::add(unsigned cpu) {
  words_.resize(std::max(words_.size(), cpu / word_bits + 1));
  words_[cpu / word_bits] |= Word{1} << cpu % word_bits;
}

bool CpuSet::has(std::size_t cpu) const {
  return cpu < capacity() && (words_[cpu / word_bits] >> cpu % word_bits & 1) != 0;
}

std::size_t CpuSet::capacity() const { return words_.size() * word_bits; }

std::expected<CpuSet, std::string> CpuSet::parse(std::string_view text) {
  CpuSet set;
  for (bool more = true; more;) {
    const auto first = take_number(text);
    auto last = first;
    if (first && text.starts_with('-')) {
      text.remove_prefix(1);
      last = take_number(text);
    }
    more = text.starts_with(',');
    if (!first || !last || (!more && !text.empty())) {
      return std::unexpected("not a list of CPUs as 0-3,8");
    }
    text.remove_prefix(more ? 1 : 0);
    if (std::max(*first, *last) >= most_cpus) return std::unexpected("number too large");
    if (*first > *last) return std::unexpected("a range begins above its end");
    for (unsigned cpu = *first; cpu <= *last; ++cpu) set.add(cpu);
  }
  return set;
}

std::string CpuSet::list() const {
  std::string list;
  for (std::size_t cpu = 0; cpu < capacity(); ++cpu) {
    if (!has(cpu)) continue;
    const std::size_t first = cpu;
    while (has(cpu + 1)) ++cpu;
    if (!list.empty()) list += ',';
    list += std::to_string(first);
    if (cpu > first) list.append("-").append(std::to_string(cpu));
  }
  return list;
}

std::vector<std::int64_t> CpuSet::cpus() const {
  std::vector<std::int64_t> cpus;
  for (std::size_t cpu = 0; cpu < capacity(); ++cpu) {
    if (has(cpu)) cpus.push_back(static_cast<std::int64_t>(cpu));
  }
  return cpus;
}

bool CpuSet::operator==(const CpuSet& other) const { return cpus() == other.cpus(); }

Result<CpuSet> sched_getaffinity(pid_t pid) {
  CpuSet set;
  set.words_.resize(sizeof(cpu_set_t) / sizeof(CpuSet::Word));
  for (;;) {
    auto* const words = reinterpret_cast<cpu_set_t*>(set.words_.data());
    if (::sched_getaffinity(pid, set.words_.size() * sizeof(CpuSet::Word), words) == 0) return set;
    // EINVAL says that the kernel has more CPUs than that.
    if (errno != EINVAL || set.capacity() >= most_cpus) break;
    set.words_.resize(set.words_.size() * 2);
  }
  return pid == 0 ? failure("sched_getaffinity")
                  : failure("sched_getaffinity", std::to_string(pid));
}

int sched_setaffinity(const CpuSet& cpus, pid_t pid) {
  const auto* const words = reinterpret_cast<const cpu_set_t*>(cpus.words_.data());
  const std::size_t size = cpus.words_.size() * sizeof(CpuSet::Word);
  return ::sched_setaffinity(pid, size, words) == 0 ? 0 : errno;
}

}  // namespace core
