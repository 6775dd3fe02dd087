// What every test uses: run an applet in process, or osbox itself, and a scratch directory.
#pragma once

#include <doctest/doctest.h>
#include <sys/syscall.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/out/io.hpp"
#include "core/sys/result.hpp"

namespace tests {

using Words = std::vector<std::string>;

/// How a run ended.
struct Ran {
  int status = 0;
  std::string out;
  std::string err;
};

/// Runs an applet in this process: `osbox({"stat", "-L", path})`.
Ran osbox(const std::vector<std::string>& words, out::Screen screen = {});

/// A system call that the kernel shall not offer, and the errno that it answers instead: ENOSYS as
/// of an old kernel, EPERM as of a seccomp profile.
struct Denied {
  long call;  ///< SYS_statx; of SYS_fstatfs and its like, the call of 32-bit machines as well
  int error;
};

/// Of fchmodat2(2), which is younger than the headers of Debian 12; the same on all machines.
inline constexpr long fchmodat2 = 452;
/// fstatat(2), which 32-bit machines have under another name.
#ifdef SYS_newfstatat
inline constexpr long fstatat_call = SYS_newfstatat;
#else
inline constexpr long fstatat_call = SYS_fstatat64;
#endif

/// stat(2) of the C library makes no other call than statx(2) for times of 64 bits, and does not
/// give way.
inline constexpr bool needs_statx = sizeof(long) < sizeof(time_t);

/// Has the kernel fail these calls of this process and of all that come from it, from now on.
bool deny(const std::vector<Denied>& denied);

/// A program and what surrounds it, run as a process of its own.
struct Command {
  std::vector<std::string> words;             ///< words[0] is the program, looked for in PATH
  std::string input = {};                     ///< standard input
  std::vector<std::string> environment = {};  ///< NAME=VALUE, added to this process's own
  std::vector<std::string> entries = {};      ///< all of its environment, any text; empty: as above
  std::string directory = {};                 ///< where it runs; empty: here
  bool as_nobody = false;                     ///< with the ids of nobody, where this is root
  std::vector<int> closed = {};               ///< descriptors that are closed before it starts
  std::string output_file = {};               ///< standard output goes there instead: /dev/full
  std::string error_file = {};                ///< standard error likewise
  unsigned descriptors = 0;                   ///< RLIMIT_NOFILE, if not 0
  std::vector<Denied> denied = {};            ///< calls that fail, in all it starts as well
  bool ignores_sigpipe = false;               ///< SIGPIPE is ignored from the start
  /// A socket for the descriptor on which its calls are asked for: see watch().
  int supervisor = -1;
};

/// Runs it to its end. A signal's status is 128 and its number.
Ran run(const Command& command);

/// Runs `script` in `sh -c`, with $1, $2, ... and the directory of osbox first in PATH.
Ran shell(const std::string& script, const std::vector<std::string>& arguments = {},
          const std::string& sh = "sh");

/// What `work` returns, called in a child of this process where `denied` fail and, with
/// `as_nobody`, root is nobody. Checks belong outside: the child's own are not heard of.
std::string in_child(const std::function<std::string()>& work,
                     const std::vector<Denied>& denied = {}, bool as_nobody = false);

/// The path of the real osbox.
std::string binary();

/// Where it was built, with man and completions beside it.
std::string build_directory();

/// What Python prints for `script`; sys.argv[1:] are `arguments`.
std::string python(const std::string& script, const std::vector<std::string>& arguments = {});

/// The lines of `text`, without their newlines.
std::vector<std::string> lines(std::string_view text);

/// What is in a file; "" where it cannot be read, as of a process that has ended.
std::string content(const std::string& path);

/// "yes", or the name of the error.
template <class T>
std::string word(const core::Result<T>& result) {
  return result ? "yes" : std::string(core::error_name(result.error().number));
}

/// The words as one line, for a message.
std::string line(const Words& words);

/// The words, and more behind them.
Words joined(Words words, const Words& more);

/// The names in a directory, in byte order.
std::vector<std::string> names_in(const std::string& directory);

/// Lets two names change what they stand for, as an attacker would: at once, or in three steps
/// where the kernel has no renameat2(2). Whether it worked.
bool exchange(const std::string& one, const std::string& other);

/// A directory of its own, gone with this object, whatever is in it and whatever its mode.
class Scratch {
 public:
  /// In $TMPDIR, or in /tmp.
  Scratch();
  /// In `base`, where the file system matters.
  explicit Scratch(const std::string& base);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& path() const { return path_; }
  /// "/tmp/osbox-test-XXXXXX/name"
  friend std::string operator/(const Scratch& scratch, std::string_view name) {
    return scratch.path_ + "/" + std::string(name);
  }

  // Each makes something below the directory and returns its path; what cannot be made ends the
  // test.
  std::string file(std::string_view name, std::string_view content = {},
                   unsigned mode = 0644) const;
  std::string directory(std::string_view name, unsigned mode = 0755) const;
  std::string link(std::string_view target, std::string_view name) const;
  std::string fifo(std::string_view name) const;

 private:
  std::string path_;
};

/// What is at `path` and below: a line for each name, in byte order, with its type, mode, owner,
/// number of names, and content or target; a modification time where it was set to the past, so
/// that what was made twice looks the same. With `closely` also the inode, the times and all that
/// shows that somebody was there.
std::string picture(const std::string& path, bool closely = false);

/// Names that break programs: bytes that are not UTF-8, control characters, blanks, quotes, a
/// leading dash, dots, 255 bytes.
const std::vector<std::string>& hostile_names();

/// Byte strings that try a decoder of UTF-8: every byte, every pair around the limits of a lead and
/// of what follows it, overlong forms, surrogates, cut sequences, and random ones, the same each
/// time. None is empty or has a NUL.
const std::vector<std::string>& byte_strings();

/// True in the long form of the tests, which TESTS=long in the environment asks for.
bool is_long();

/// How often a test is to do what goes wrong by chance, if it does: `many` times in the long form,
/// and else a tenth of that.
int rounds(int many);

/// How many directories make a path that is many times too long for the kernel.
unsigned deep();

/// True where this process may do everything.
bool is_root();

/// True where osbox was built with the calls of core/sys/linux and the kernel offers them: statx,
/// openat2 and faccessat2. Asked of the kernel and not of osbox, which might be wrong.
bool newer_calls();

}  // namespace tests

using tests::joined;
using tests::names_in;
using tests::osbox;
using tests::Ran;
using tests::Scratch;
using tests::Words;
