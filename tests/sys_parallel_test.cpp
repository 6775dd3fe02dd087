#include "core/sys/parallel.hpp"

#include <stdexcept>

#include "tests/harness.hpp"

TEST_CASE("every index is worked on once, however many there are") {
  for (const std::size_t size : {0U, 1U, 1023U, 1024U, 100'000U}) {
    std::vector<std::atomic<int>> done(size);
    core::for_each_index(size, [&](std::size_t i) { ++done[i]; });
    CHECK(std::ranges::all_of(done, [](const std::atomic<int>& times) { return times == 1; }));
  }
}

TEST_CASE("what is thrown in any thread comes out of for_each_index") {
  for (const std::size_t size : {100U, 100'000U}) {
    CHECK_THROWS_AS(core::for_each_index(size,
                                         [&](std::size_t i) {
                                           if (i == size / 2) throw std::runtime_error("half");
                                         }),
                    std::runtime_error);
  }
}
