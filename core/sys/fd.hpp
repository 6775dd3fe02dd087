// Descriptors: Fd owns one, FdRef borrows one, At says where a path starts and how far it may lead.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace core {

/// A path for the kernel: bytes up to a NUL, borrowed for the length of a call.
class Path {
 public:
  constexpr Path(const char* text) : text_(text) {}                 // NOLINT(*-explicit-*)
  constexpr Path(const std::string& text) : text_(text.c_str()) {}  // NOLINT(*-explicit-*)
  constexpr const char* c_str() const { return text_; }
  constexpr operator std::string_view() const { return text_; }  // NOLINT(*-explicit-*)

 private:
  const char* text_;
};

/// A descriptor that this object closes.
class Fd {
 public:
  constexpr Fd() = default;
  explicit constexpr Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { close(); }

  /// Closes now. An error of close(2) is not told: on Linux the descriptor is gone all the same.
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }
  constexpr explicit operator bool() const { return number_ >= 0; }

 private:
  friend class FdRef;
  int number_ = -1;
};

/// A descriptor that somebody else keeps open.
class FdRef {
 public:
  FdRef(const Fd& owner) : number_(owner.number_) {}  // NOLINT(*-explicit-*)
  static constexpr FdRef standard_input() { return FdRef(STDIN_FILENO); }
  static constexpr FdRef standard_output() { return FdRef(STDOUT_FILENO); }
  static constexpr FdRef standard_error() { return FdRef(STDERR_FILENO); }
  /// AT_FDCWD
  static constexpr FdRef current_directory() { return FdRef(AT_FDCWD); }
  /// A descriptor that another library owns, as that of a DIR.
  static constexpr FdRef borrowed(int number) { return FdRef(number); }
  /// The number, for the system call itself.
  constexpr int number() const { return number_; }

 private:
  explicit constexpr FdRef(int number) : number_(number) {}
  int number_;
};

/// How far the resolution of a path may lead; the words of openat2(2).
struct Resolve {
  bool beneath = false;      ///< RESOLVE_BENEATH: never out of the directory it starts in
  bool no_symlinks = false;  ///< RESOLVE_NO_SYMLINKS: no link is followed
  constexpr bool restricted() const { return beneath || no_symlinks; }
};

/// Where a path starts, and how far it may lead. Every call of core that takes an At keeps to its
/// Resolve, or fails with ENOSYS where the kernel has no openat2(2).
struct At {
  FdRef directory = FdRef::current_directory();
  Resolve resolve = {};

  At() = default;
  At(FdRef dir, Resolve how = {}) : directory(dir), resolve(how) {}      // NOLINT(*-explicit-*)
  At(const Fd& dir, Resolve how = {}) : directory(dir), resolve(how) {}  // NOLINT(*-explicit-*)
};

/// Whether the last component of a path is followed where it is a symbolic link.
enum class Links : bool { follow, no_follow };

}  // namespace core
