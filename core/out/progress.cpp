#include "core/out/progress.hpp"

#include <algorithm>

#include "core/out/number.hpp"

namespace out {
namespace {

constexpr std::int64_t second = 1'000'000'000;

std::int64_t now() {
  timespec time;
  (void)::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * second + time.tv_nsec;
}

}  // namespace

Progress::Progress() : began_(now()), shown_(began_) {}

void Progress::show(Sink& terminal) {
  const std::int64_t time = now();
  if (time - shown_ < second / 5) return;
  shown_ = time;
  visible_ = true;
  std::string& to = terminal.buffer();
  to += '\r';
  append_number(to, count_);
  to += " done, ";
  append_number(to, static_cast<std::uint64_t>(static_cast<double>(count_) /
                                               (static_cast<double>(time - began_) / 1e9)));
  to += "/s\033[K";
  terminal.flush();
}

void Progress::clear(Sink& terminal) {
  if (!visible_) return;
  visible_ = false;
  terminal.buffer() += "\r\033[K";
}

}  // namespace out
