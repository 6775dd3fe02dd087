#include "core/sys/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>

#include "core/sys/fd.hpp"
#include "core/sys/result.hpp"
#include "tests/harness.hpp"

TEST_CASE("errors have names and texts, and what is no error has neither") {
  CHECK(core::error_name(ENOENT) == "ENOENT");
  CHECK(core::error_message(ENOENT) == "No such file or directory");
  for (const int number : {0, -1, 41, 58, 4095, 4096, INT_MIN, INT_MAX}) {
    CHECK(core::error_name(number) == "");
    CHECK(core::error_message(number) == "");
  }
  CHECK(tests::in_child([] {
          ::setenv("LC_ALL", "de_DE.UTF-8", 1);
          return std::string(core::error_message(ENOENT));
        }) == "No such file or directory");
}

TEST_CASE("numbers are found by either name, in upper case alone") {
  CHECK(core::error_number("EAGAIN") == EAGAIN);
  CHECK(core::error_number("EWOULDBLOCK") == EAGAIN);
  CHECK(core::error_number("ENOTSUP") == EOPNOTSUPP);
  CHECK(core::error_number("EDEADLOCK") == EDEADLK);
  CHECK(core::error_alias(EAGAIN) == "EWOULDBLOCK");
  CHECK(core::error_alias(ENOENT) == "");
  for (const char* const name : {"", "eagain", "EAGAIN ", "E", "2", "ENOSUCH"}) {
    CHECK_FALSE(core::error_number(name));
  }
}

TEST_CASE("TRY hands an error on, and a value out") {
  const auto half = [](int number) -> core::Result<int> {
    if (number % 2 != 0) return core::failure(EINVAL, "half", "odd");
    return number / 2;
  };
  const auto quarter = [&](int number) -> core::Result<int> { return half(TRY(half(number))); };
  CHECK(quarter(8) == 2);
  CHECK(quarter(6).error().path == "odd");
  CHECK(quarter(7).error().number == EINVAL);
}

TEST_CASE("a descriptor is closed once, by its last owner") {
  const auto is_open = [](int number) { return ::fcntl(number, F_GETFD) >= 0; };
  core::Fd first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = core::FdRef(first).number();
  core::Fd second = std::move(first);
  CHECK_FALSE(first);
  CHECK(is_open(number));
  second = std::move(*&second);
  CHECK(is_open(number));
  second = core::Fd();
  CHECK_FALSE(is_open(number));
  second.close();
}
