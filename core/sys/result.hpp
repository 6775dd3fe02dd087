// Result<T>: a value, or the Error that came instead.
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "core/sys/error.hpp"

namespace core {

template <class T>
using Result = std::expected<T, Error>;

/// The failure that errno holds now, of `call`.
inline std::unexpected<Error> failure(const char* call) {
  return std::unexpected(Error{.number = errno, .call = call});
}

/// The same, of `call` on `path`.
inline std::unexpected<Error> failure(const char* call, std::string_view path) {
  return std::unexpected(Error{.number = errno, .call = call, .path = std::string(path)});
}

/// The same with a number of one's own.
inline std::unexpected<Error> failure(int number, const char* call) {
  return std::unexpected(Error{.number = number, .call = call});
}
inline std::unexpected<Error> failure(int number, const char* call, std::string_view path) {
  return std::unexpected(Error{.number = number, .call = call, .path = std::string(path)});
}

/// `result`, with its failure told as one of `call` on `path`, whatever it was a failure of, and
/// with `note`, where there is one: "the times are set".
template <class T>
Result<T> told_as(const char* call, std::string_view path, Result<T> result,
                  std::string_view note = {}) {
  if (!result) {
    result.error().call = call;
    result.error().path = path;
    if (!note.empty()) result.error().note = note;
  }
  return result;
}

/// True for what the kernel or a seccomp profile answers to a call that it does not offer.
inline bool not_offered(int number) { return number == ENOSYS || number == EPERM; }

}  // namespace core

/// The value of a Result, or a return from the calling function with its error. A GNU statement
/// expression, on purpose.
#define TRY(...)                                                              \
  __extension__({                                                             \
    auto try_result_ = (__VA_ARGS__);                                         \
    if (!try_result_) return std::unexpected(std::move(try_result_).error()); \
    *std::move(try_result_);                                                  \
  })
