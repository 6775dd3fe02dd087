#include "core/sys/handover.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "core/sys/fs.hpp"

namespace core {
namespace {

/// In front of each message.
struct Head {
  const char* call = nullptr;  ///< null: a value follows
  int number = 0;
  bool has_path = false;
  std::size_t size = 0;  ///< of the value, or of the path
  std::size_t note = 0;
};

std::unexpected<Error> lost() {
  return std::unexpected(
      Error{.number = ECHILD, .call = "wait", .note = "who had the status was killed"});
}

Result<void> read_all(FdRef from, void* to, std::size_t size) {
  auto* at = static_cast<char*>(to);
  while (size > 0) {
    const std::size_t count = TRY(core::read(from, at, size));
    if (count == 0) return lost();
    at += count;
    size -= count;
  }
  return {};
}

std::string bytes_of(const Head& head) {
  return {reinterpret_cast<const char*>(&head), sizeof head};
}

}  // namespace

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failure("pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::string error_bytes(const Error& error) {
  const Head head{.call = error.call,
                  .number = error.number,
                  .has_path = error.path.has_value(),
                  .size = error.path.value_or("").size(),
                  .note = error.note.size()};
  return bytes_of(head) + error.path.value_or("") + error.note;
}

void send_error(FdRef to, const Error& error) { detail::send(to, error_bytes(error)); }

std::string detail::message(const void* value, std::size_t size) {
  return bytes_of({.size = size}) + std::string(static_cast<const char*>(value), size);
}

// Where nobody reads any more the sender has nobody to tell it to.
void detail::send(FdRef to, const std::string& message) { (void)core::write(to, message); }

Result<void> detail::receive(FdRef from, void* value, std::size_t size) {
  Head head;
  TRY(read_all(from, &head, sizeof head));
  // Another value than this one: what was to come before could not be sent.
  if (head.call == nullptr && head.size != size) return lost();
  if (head.call == nullptr) return read_all(from, value, size);
  Error error{.number = head.number, .call = head.call};
  std::string path(head.size, '\0');
  error.note.resize(head.note);
  TRY(read_all(from, path.data(), path.size()));
  TRY(read_all(from, error.note.data(), error.note.size()));
  if (head.has_path) error.path = std::move(path);
  return std::unexpected(std::move(error));
}

}  // namespace core
