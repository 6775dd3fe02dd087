// Errors as values: what the kernel said, of which call, about which paths.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace core {

/// Why a system call failed. Nothing below an applet prints it; `Io` does.
struct Error {
  int number = 0;         ///< errno
  const char* call = "";  ///< POSIX's name of the call, without the "at": "open", "stat", "readdir"
  std::optional<std::string> path = {};       ///< the operand, where the call takes one
  std::optional<std::string> target = {};     ///< the second operand of rename, link, symlink
  std::string note = {};                      ///< what else helps, in words: "no such error"
  std::optional<std::string> note_path = {};  ///< a path to end the note: "leads back to" t
};

/// Two notes of an error as one; either may be empty.
std::string joined_notes(const std::string& note, const std::string& more);

/// The highest errno that Linux can return (MAX_ERRNO).
inline constexpr int max_error_number = 4095;

/// The symbol of errno `number`, as "ENOENT", the one of glibc where two symbols share a number.
/// Empty for a number that stands for no error, 0 included. strerrorname_np(3)
std::string_view error_name(int number);

/// The C library's text for errno `number`, never translated. Empty where `error_name` is.
/// strerrordesc_np(3)
std::string_view error_message(int number);

/// Every second symbol of `number`, as "EWOULDBLOCK" for EAGAIN; empty where it has but one.
std::string_view error_alias(int number);

/// The number of the symbol `name`, aliases included, in upper case as in errno.h.
std::optional<int> error_number(std::string_view name);

}  // namespace core
