// Handover: results from a child of fork(2) to its parent, through a pipe.
#pragma once

#include <string>
#include <type_traits>

#include "core/sys/fd.hpp"
#include "core/sys/result.hpp"

namespace core {

struct Pipe {
  Fd read;
  Fd write;
};

/// Both ends, closed on exec. pipe2(2)
Result<Pipe> make_pipe();

/// What `send_error` sends.
std::string error_bytes(const Error& error);

/// Sends an error, which ends what `receive` takes. Its call must be a literal: it has the same
/// address on both sides.
void send_error(FdRef to, const Error& error);

namespace detail {
std::string message(const void* value, std::size_t size);
void send(FdRef to, const std::string& message);
Result<void> receive(FdRef from, void* value, std::size_t size);
}  // namespace detail

/// What `send_value` sends.
template <class T>
std::string value_bytes(const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return detail::message(&value, sizeof value);
}

/// Sends a value that is bytes and nothing else.
template <class T>
void send_value(FdRef to, const T& value) {
  detail::send(to, value_bytes(value));
}

/// The next value; or the error that was sent in its place, or ECHILD where the sender is gone
/// without a word.
template <class T>
Result<T> receive_value(FdRef from) {
  T value;
  TRY(detail::receive(from, &value, sizeof value));
  return value;
}

}  // namespace core
