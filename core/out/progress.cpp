#include "core/out/progress.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

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

bool Progress::tick(std::uint64_t more) {
  count_ += more;
  return now() - shown_ >= second / 5;
}

void Progress::show(Sink& terminal) {
  shown_ = now();
  std::string& to = terminal.buffer();
  to += '\r';
  const std::size_t begin = to.size();
  append_number(to, count_);
  to += " done, ";
  append_number(to, static_cast<std::uint64_t>(static_cast<double>(count_) /
                                               (static_cast<double>(shown_ - began_) / 1e9)));
  to += "/s";
  const std::size_t width = to.size() - begin;
  // The rate may have lost a digit.
  if (width < width_) to.append(width_ - width, ' ');
  width_ = std::max(width, width_);
  terminal.flush();
}

void Progress::clear(Sink& terminal) {
  if (width_ == 0) return;
  std::string& to = terminal.buffer();
  to += '\r';
  to.append(std::exchange(width_, 0), ' ');
  to += '\r';
}

}  // namespace out
