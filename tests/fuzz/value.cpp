// Values of options and operands: durations, ids of processes, signals, errors, limits, CPUs, and
// the plans of kill. The input is read as each of them.
#include <climits>
#include <csignal>
#include <optional>
#include <string>

#include "core/sys/affinity.hpp"
#include "core/sys/duration.hpp"
#include "core/sys/error.hpp"
#include "core/sys/limit.hpp"
#include "core/sys/pidfd.hpp"
#include "core/sys/signal_name.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/inside.hpp"

namespace {

using fuzz::check;

__extension__ using Wide = unsigned __int128;

constexpr std::string_view digits = "0123456789";

/// The number that `text`, nothing but digits, stands for, or `most` and one for all above.
std::optional<Wide> number(std::string_view text, Wide most) {
  if (text.empty() || text.find_first_not_of(digits) != text.npos) return std::nullopt;
  Wide value = 0;
  for (const char digit : text)
    value = std::min(value * 10 + static_cast<Wide>(digit - '0'), most + 1);
  return value;
}

/// The nanoseconds that `text` stands for. Nothing is told of more digits than are counted here.
struct Span {
  bool is_one = false;
  bool is_exact = false;
  Wide nanoseconds = 0;
};
Span span_of(std::string_view text) {
  constexpr std::size_t most_digits = 20;
  constexpr Wide longest = Wide{200} * 366 * 86'400 * 1'000'000'000;
  const std::size_t size = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view unit = text.substr(size);
  std::string_view fraction = text.substr(0, size);
  const std::string_view whole = fuzz::take_until(fraction, '.');
  Wide scale = 0;
  if (unit.empty() || unit == "s") scale = 1'000'000'000;
  if (unit == "ns") scale = 1;
  if (unit == "us") scale = 1'000;
  if (unit == "ms") scale = 1'000'000;
  if (unit == "m") scale = Wide{60} * 1'000'000'000;
  if (unit == "h") scale = Wide{3'600} * 1'000'000'000;
  if (unit == "d") scale = Wide{86'400} * 1'000'000'000;
  if (scale == 0 || fraction.contains('.') || whole.size() + fraction.size() == 0) return {};
  const Wide count = number(whole, longest).value_or(0);
  if (count * scale > longest) return {};
  Wide power = 1;
  for (std::size_t i = 0; i < std::min(fraction.size(), most_digits); ++i) power *= 10;
  const Wide part = number(fraction.substr(0, most_digits), power).value_or(0) * scale;
  return {true, fraction.size() <= most_digits, count * scale + (part + power - 1) / power};
}

void read_duration(std::string_view text) {
  const auto read = core::read_duration(text);
  const Span span = span_of(text);
  check(read.has_value() == span.is_one, "what a duration is");
  if (!read) return;
  check(read->count() >= 0, "no time is less than none");
  const auto count = static_cast<Wide>(read->count());
  check(span.is_exact ? count == span.nanoseconds : count - span.nanoseconds <= 1, "how long it is",
        std::to_string(read->count()));
}

void read_process_id(std::string_view text) {
  const auto id = core::read_process_id(text, "open");
  std::string_view inode = text;
  const auto pid = number(fuzz::take_until(inode, ':'), INT_MAX);
  const auto told = number(inode, UINT64_MAX);
  const bool has_inode = text.contains(':');
  const bool good = pid && *pid > 0 && *pid <= INT_MAX &&
                    (!has_inode || (told && *told > 0 && *told <= UINT64_MAX));
  check(id.has_value() == good, "what the id of a process is");
  if (!id) {
    check(id.error().number == EINVAL && id.error().path == text, "a wrong id is EINVAL");
    return;
  }
  check(static_cast<Wide>(id->pid) == *pid && id->inode.has_value() == has_inode &&
            (!has_inode || *id->inode == *told),
        "the process that is named");
  check(core::read_process_id(id->text(), "open") == *id, "an id is read as it is written");
}

char upper(char letter) {
  return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
}

void read_signal(std::string_view text) {
  const auto signal = core::signal_number(text);
  std::string name;
  for (const char letter : text) name += upper(letter);
  check(core::signal_number(name) == signal, "upper or lower case");
  if (const auto count = number(text, INT_MAX)) {
    const bool is_one = *count == 0 || (*count <= static_cast<Wide>(SIGRTMAX) &&
                                        !core::signal_name(static_cast<int>(*count)).empty());
    check(signal.has_value() == is_one && (!signal || static_cast<Wide>(*signal) == *count),
          "a signal by its number");
    return;
  }
  if (name.starts_with("SIG")) name.erase(0, 3);
  bool known = name == "IOT" || name == "IO" || name == "CLD" || name.starts_with("RTM");
  for (const std::string_view each : core::signal_names()) known = known || each == name;
  check(known || !signal, "no other names than those that there are");
  if (!signal) return;
  check(*signal > 0 && *signal <= SIGRTMAX, "a signal");
  check(core::signal_number(core::signal_name(*signal)) == signal, "its own name is read");
}

void read_error(std::string_view text) {
  const auto error = core::error_number(text);
  check(!error || core::error_name(*error) == text || core::error_alias(*error) == text ||
            text == "ENOTSUP",
        "the name of an error");
}

void read_limit(std::string_view text) {
  const auto shown = [](rlim_t value) {
    return value == RLIM_INFINITY ? std::string("unlimited") : std::to_string(value);
  };
  const auto change = core::LimitChange::parse(text);
  if (!change) {
    check(fuzz::visible_lines(change.error()), "a sentence", change.error());
    return;
  }
  check(change->soft || change->hard, "something is changed");
  check(!change->soft || !change->hard || *change->soft <= *change->hard, "no more than the most");
  std::string again = std::string(change->resource->name) + "=";
  if (change->soft) again += shown(*change->soft);
  if (change->hard) again += ":" + shown(*change->hard);
  const auto same = core::LimitChange::parse(again);
  check(same && same->resource == change->resource && same->soft == change->soft &&
            same->hard == change->hard,
        "a limit is read as it is written", again);
}

void read_cpus(std::string_view text) {
  const auto cpus = core::CpuSet::parse(text);
  if (!cpus) return;
  const auto again = core::CpuSet::parse(cpus->list());
  check(again && *again == *cpus && again->list() == cpus->list(),
        "CPUs are read as they are written", cpus->list());
}

/// kill itself does nothing here but read its options.
void read_plan(std::string_view text) {
  const std::string option = "--plan=" + std::string(text);
  const std::string_view words[] = {"kill", "--help", option};
  const fuzz::Inside inside;
  bool good = true;
  for (bool more = true; more;) {
    more = text.contains(',');
    std::string_view wait = fuzz::take_until(text, ',');
    const bool waits = wait.contains(':');
    const std::string_view signal = fuzz::take_until(wait, ':');
    good = good && core::signal_number(signal) && (!waits || span_of(wait).is_one);
  }
  check(fuzz::osbox(words).status == (good ? 0 : 2), "what a plan is");
}

}  // namespace

void fuzz::run(std::string_view input) {
  constexpr std::size_t longest = 256;
  if (input.size() > longest) return;
  read_duration(input);
  read_process_id(input);
  read_signal(input);
  read_error(input);
  read_limit(input);
  read_cpus(input);
  read_plan(input);
}
