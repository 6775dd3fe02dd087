// Parallel: the same work on many things, on all cores.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace core {

/// Calls `work` for every number below `size`, in any order and, where there is much to do, from
/// several threads at a time. What `work` throws is thrown again when all threads are done.
template <class Work>
void for_each_index(std::size_t size, Work work) {
  constexpr std::size_t share = 256;
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  std::exception_ptr thrown;
  const auto run = [&] {
    try {
      while (!failed) {
        const std::size_t begin = next.fetch_add(share);
        if (begin >= size) return;
        for (std::size_t i = begin; i < std::min(begin + share, size); ++i) work(i);
      }
    } catch (...) {
      if (!failed.exchange(true)) thrown = std::current_exception();
    }
  };
  std::vector<std::jthread> others;
  if (size >= 4 * share) {
    // A thread has two shares at least, or it is not worth its start.
    const std::size_t threads =
        std::min<std::size_t>(std::thread::hardware_concurrency(), size / (2 * share));
    try {
      while (others.size() + 1 < threads) others.emplace_back(run);
    } catch (const std::system_error&) {
      // No more threads to be had: those that there are do it all.
    }
  }
  run();
  others.clear();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace core
