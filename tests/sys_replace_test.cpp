#include "core/sys/replace.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>

#include "core/sys/copy.hpp"
#include "core/sys/xattr.hpp"
#include "tests/harness.hpp"

using tests::word;

namespace {

std::string content(const std::string& path) { return core::read_file(path).value_or("?"); }

std::size_t count_in(const std::string& directory) {
  const std::filesystem::directory_iterator entries(directory);
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

/// What others do between two calls, once each, by how the name begins that the call is about.
struct Meanwhile {
  std::string name;
  std::function<void()> act;
};
Meanwhile before_link;
Meanwhile after_link;
Meanwhile before_rename;
Meanwhile after_rename;
/// What a backup is a link to: the descriptor of the old file.
constexpr const char* linked = "/proc/self/fd/";

void act(Meanwhile& meanwhile, std::string_view name) {
  if (!meanwhile.act || !name.starts_with(meanwhile.name)) return;
  const auto now = std::exchange(meanwhile.act, nullptr);
  now();
}

/// Somebody puts a file of his own in the place of `path`.
void take(const std::string& path, const char* text = "theirs") {
  const std::string other = path + ".other";
  const core::Fd file = core::open(other, O_WRONLY | O_CREAT | O_EXCL, {}, 0604).value();
  REQUIRE(core::write(file, text));
  REQUIRE(::rename(other.c_str(), path.c_str()) == 0);
}

int done(long result, Meanwhile& after, const char* name) {
  const int number = errno;
  if (result == 0) act(after, name);
  errno = number;
  return static_cast<int>(result);
}

}  // namespace

// In the place of the C library's.
extern "C" int linkat(int from, const char* name, int to, const char* fresh, int flags) noexcept {
  act(before_link, name);
  return done(::syscall(SYS_linkat, from, name, to, fresh, flags), after_link, name);
}
extern "C" int renameat(int from, const char* name, int to, const char* fresh) noexcept {
  act(before_rename, name);
#ifdef SYS_renameat
  return done(::syscall(SYS_renameat, from, name, to, fresh), after_rename, name);
#else
  return done(::syscall(SYS_renameat2, from, name, to, fresh, 0), after_rename, name);
#endif
}
extern "C" int renameat2(int from, const char* name, int to, const char* fresh,
                         unsigned flags) noexcept {
  act(before_rename, name);
  return done(::syscall(SYS_renameat2, from, name, to, fresh, flags), after_rename, name);
}

TEST_CASE("what is replaced is in the directory that the backup was made in") {
  for (const bool copy : {false, true}) {
    const Scratch scratch;
    const std::string middle = scratch.directory("middle");
    scratch.file("middle/dest", "old");
    scratch.directory("other");
    scratch.file("other/dest", "precious");
    const std::string source = scratch.file("source", "new");
    after_link = {linked, [&] {
                    REQUIRE(::rename(middle.c_str(), (scratch / "moved").c_str()) == 0);
                    REQUIRE(::rename((scratch / "other").c_str(), middle.c_str()) == 0);
                  }};
    const core::ReplaceHow how{.backup = scratch / "kept"};
    const auto replaced = copy ? core::replace_by_copy(source, middle + "/dest", {}, how)
                               : core::replace(source, middle + "/dest", {}, how);
    REQUIRE(replaced);
    CHECK(!after_link.act);
    CHECK(content(middle + "/dest") == "precious");
    CHECK(content(scratch / "moved/dest") == "new");
    CHECK(content(scratch / "kept") == "old");
    CHECK(count_in(scratch.path()) == 3);
  }
}

TEST_CASE("another file that comes between the backup and the rename is not lost") {
  if (!tests::newer_calls()) return;
  for (const bool from_stdin : {false, true}) {
    const Scratch scratch;
    const std::string dest = scratch.file("dest", "old");
    const std::string source = scratch.file("source", "new");
    const std::string input = scratch.file("input", "new");
    after_link = {linked, [&] { take(dest); }};
    const core::ReplaceHow how{.backup = scratch / "kept"};
    const auto replaced =
        from_stdin ? core::replace_content(core::open(input, O_RDONLY).value(), dest, {}, how)
                   : core::replace(source, dest, {}, how);
    CHECK(word(replaced) == "EBUSY");
    CHECK(replaced.error().note == "another file took the place of the old one");
    CHECK(!replaced.error().note_path);
    CHECK(content(dest) == "theirs");
    CHECK(content(source) == "new");
    CHECK(count_in(scratch.path()) == 3);
  }
}

TEST_CASE("a file of another's that takes the backup's name is neither a backup nor removed") {
  for (const bool from_stdin : {false, true}) {
    const Scratch scratch;
    const std::string dest = scratch.file("dest", "old");
    const std::string source = scratch.file("source", "new");
    const std::string input = scratch.file("input", "new");
    const std::string kept = scratch / "kept";
    const auto replace = [&] {
      const core::ReplaceHow how{.backup = kept};
      return from_stdin ? core::replace_content(core::open(input, O_RDONLY).value(), dest, {}, how)
                        : core::replace(source, dest, {}, how);
    };
    after_link = {linked, [&] { take(kept); }};
    auto replaced = replace();
    CHECK(!after_link.act);
    CHECK(word(replaced) == "EBUSY");
    CHECK(replaced.error().target == kept);
    CHECK(content(kept) == "theirs");
    CHECK(content(dest) == "old");
    CHECK(content(source) == "new");
    CHECK(count_in(scratch.path()) == 4);

    // Nor is one that takes the old file's name before that is linked.
    REQUIRE(core::unlink(kept));
    before_link = {linked, [&] { take(dest); }};
    replaced = replace();
    CHECK(!before_link.act);
    CHECK(!replaced);
    // Else it is told that the two could not be exchanged.
    if (tests::newer_calls()) {
      CHECK(word(replaced) == "EBUSY");
      CHECK(replaced.error().note == "another file took the place of the old one");
    }
    CHECK(content(dest) == "theirs");
    CHECK(content(source) == "new");
    CHECK(count_in(scratch.path()) == 3);
  }
}

TEST_CASE("what cannot be put back for others is named") {
  if (!tests::newer_calls()) return;
  const Scratch scratch;
  const std::string dest = scratch.file("dest", "old");
  const std::string source = scratch.file("source", "new");
  after_link = {linked, [&] { take(dest, "first"); }};
  // By the exchange back what came last has the name that nobody knows.
  after_rename = {".osbox-", [&] { take(dest, "second"); }};
  const auto replaced = core::replace(source, dest, {}, {.backup = scratch / "kept"});
  CHECK(word(replaced) == "EBUSY");
  CHECK(replaced.error().note == "what was there is now");
  CHECK(content(dest) == "first");
  CHECK(content(replaced.error().note_path.value_or("")) == "second");
  CHECK(content(scratch / "kept") == "old");
}

TEST_CASE("a file that takes the name of the source meanwhile stays") {
  if (!tests::newer_calls()) return;
  const Scratch scratch;
  const std::string dest = scratch.file("dest", "old");
  const std::string source = scratch.file("source", "new");
  const core::ReplaceHow how{.backup = scratch / "kept"};
  after_rename = {"source", [&] { take(source); }};
  const auto replaced = core::replace(source, dest, {}, how);
  REQUIRE(replaced);
  CHECK(replaced->moved);
  CHECK(replaced->backed_up);
  CHECK(content(dest) == "new");
  CHECK(content(source) == "theirs");
  CHECK(content(scratch / "kept") == "old");
  // Where it fails, the source cannot get its name back.
  REQUIRE(core::unlink(scratch / "kept"));
  after_link = {linked, [&] { take(dest, "first"); }};
  after_rename = {"source", [&] { take(source, "last"); }};
  const auto failed = core::replace(source, dest, {}, how);
  CHECK(word(failed) == "EBUSY");
  CHECK(failed.error().note ==
        "another file took the place of the old one; what was to be renamed is now");
  CHECK(content(failed.error().note_path.value_or("")) == "theirs");
  CHECK(content(source) == "last");
  CHECK(content(dest) == "first");
}

TEST_CASE("a file that takes the name of a copied source stays") {
  if (!tests::newer_calls()) return;
  const Scratch here("/tmp");
  const Scratch there("/dev/shm");
  const std::string source = here.file("source", "new");
  const std::string dest = there.file("dest", "old");
  const auto copy = [&] { return core::replace_by_copy(source, dest, {}, {}); };
  // rename(2) says EXDEV, and then the source is moved aside.
  int calls = 0;
  std::function<void()> at_second = [&] {
    if (++calls == 1) {
      before_rename = {"source", at_second};
    } else {
      take(source);
    }
  };
  before_rename = {"source", at_second};
  auto replaced = copy();
  CHECK(word(replaced) == "EBUSY");
  CHECK(replaced.error().note == "the new file is in place");
  CHECK(content(dest) == "new");
  CHECK(content(source) == "theirs");
  CHECK(count_in(here.path()) == 1);
  // And the name is taken again before it can be put back.
  calls = 0;
  before_rename = {"source", at_second};
  after_rename = {"source", [&] { take(source, "last"); }};
  replaced = copy();
  CHECK(word(replaced) == "EBUSY");
  CHECK(replaced.error().note == "the new file is in place; what had the name is now");
  REQUIRE(replaced.error().note_path);
  CHECK(replaced.error().note_path->starts_with(here / ".osbox-"));
  CHECK(content(*replaced.error().note_path) == "theirs");
  CHECK(content(source) == "last");
  CHECK(content(dest) == "theirs");
  CHECK(count_in(here.path()) == 2);
}

TEST_CASE("a new file is like the one that it replaces, and not like one of hours ago") {
  const Scratch scratch;
  const std::string dest = scratch.file("dest", "old", 0644);
  const core::ReplaceHow how;
  {
    core::Replacement replacement(how);
    REQUIRE(replacement.begin(dest, {}));
    REQUIRE(replacement.file());
    take(dest);
    REQUIRE(::chmod(dest.c_str(), 0604) == 0);
    REQUIRE(replacement.keep());
    REQUIRE(replacement.commit());
    CHECK((core::stat(dest)->mode & 07777) == 0604);
  }
  core::Replacement replacement(how);
  REQUIRE(replacement.begin(dest, {}));
  REQUIRE(replacement.file());
  REQUIRE(core::unlink(dest));
  scratch.directory("dest");
  CHECK(word(replacement.keep()) == "EISDIR");
}

TEST_CASE("a replacement that is not committed was never there") {
  const Scratch scratch;
  const std::string dest = scratch.file("dest", "old");
  const core::ReplaceHow how;
  {
    core::Replacement replacement(how);
    REQUIRE(replacement.begin(dest, {}));
    CHECK(replacement.old()->size == 3);
    CHECK(count_in(scratch.path()) == 1);
    REQUIRE(replacement.file());
    CHECK(count_in(scratch.path()) == 2);
    CHECK((core::fstat(replacement.made())->mode & 07777) == 0600);
    REQUIRE(core::write(replacement.made(), "new"));
    REQUIRE(replacement.keep());
  }
  CHECK(count_in(scratch.path()) == 1);
  CHECK(content(dest) == "old");
  {
    core::Replacement replacement(how);
    REQUIRE(replacement.begin(dest, {}));
    REQUIRE(replacement.file());
    REQUIRE(core::write(replacement.made(), "new"));
    REQUIRE(replacement.keep());
    REQUIRE(replacement.commit());
    CHECK(content(dest) == "new");
    // Somebody else's file is not touched by its end.
    CHECK(count_in(scratch.path()) == 1);
  }
  CHECK(count_in(scratch.path()) == 1);
}

TEST_CASE("a directory that took the name meanwhile is not replaced") {
  const Scratch scratch;
  const core::ReplaceHow how;
  {
    core::Replacement replacement(how);
    REQUIRE(replacement.begin(scratch / "dest", {}));
    REQUIRE(replacement.file());
    scratch.directory("dest");
    const auto done = replacement.commit();
    CHECK(word(done) == "EISDIR");
    CHECK(done.error().path == scratch / "dest");
  }
  CHECK(count_in(scratch.path()) == 1);
}

TEST_CASE("signals are held back, looked at, and let through") {
  const std::string told = tests::in_child([] {
    ::signal(SIGTERM, [](int) { (void)!::write(2, "", 0); });
    ::signal(SIGHUP, SIG_IGN);
    std::string all;
    std::array<int, 2> ends;
    if (::pipe(ends.data()) != 0) return std::string("pipe");
    {
      core::HeldSignals held;
      all += word(held.check());
      ::raise(SIGHUP);
      all += " " + word(held.check());
      ::raise(SIGTERM);
      all += " " + word(held.check());
      // Nothing is there to be read, and it does not wait.
      all += " " + word(held.wait_to_read(core::FdRef::borrowed(ends[0])));
    }
    {
      core::HeldSignals held;
      all += " " + word(held.check());
      (void)!::write(ends[1], "x", 1);
      all += " " + word(held.wait_to_read(core::FdRef::borrowed(ends[0])));
      ::raise(SIGXFSZ);
      all += " " + word(held.check());
    }
    sigset_t now;
    ::sigprocmask(SIG_SETMASK, nullptr, &now);
    return all + (::sigismember(&now, SIGTERM) == 1 ? " held" : " free");
  });
  CHECK(told == "yes yes EINTR EINTR yes yes yes free");
}

TEST_CASE("a signal that was held back from outside stays so") {
  CHECK(tests::in_child([] {
          sigset_t term;
          ::sigemptyset(&term);
          ::sigaddset(&term, SIGTERM);
          ::sigprocmask(SIG_BLOCK, &term, nullptr);
          std::string all;
          {
            const core::HeldSignals held;
            ::raise(SIGTERM);
            all = word(held.check());
          }
          sigset_t pending;
          ::sigpending(&pending);
          return all + (::sigismember(&pending, SIGTERM) == 1 ? " pending" : " lost");
        }) == "yes pending");
}

TEST_CASE("content of any shape is copied, and of a file of /proc all") {
  const Scratch scratch;
  const core::HeldSignals held;
  const core::Fd status = core::open("/proc/self/status", O_RDONLY).value();
  const core::Fd to = core::open(scratch / "to", O_WRONLY | O_CREAT, {}, 0600).value();
  REQUIRE(core::copy_content(status, to, held));
  CHECK(content(scratch / "to").find("Pid:") != std::string::npos);
  // This one says that it is longer than it is.
  const core::Fd shorter = core::open("/sys/kernel/uevent_seqnum", O_RDONLY).value();
  const core::Fd second = core::open(scratch / "second", O_WRONLY | O_CREAT, {}, 0600).value();
  CHECK(core::fstat(shorter)->size > 100);
  REQUIRE(core::copy_content(shorter, second, held));
  CHECK(content(scratch / "second").size() < 100);
  CHECK(content(scratch / "second").ends_with("\n"));
  const core::Fd full = core::open("/dev/full", O_WRONLY).value();
  const core::Fd again = core::open(scratch / "to", O_RDONLY).value();
  CHECK(word(core::copy_content(again, full, held)) == "ENOSPC");
}

TEST_CASE("extended attributes are listed, read, set and removed, of an O_PATH descriptor too") {
  const Scratch scratch("/tmp");
  const std::string file = scratch.file("file");
  for (const int flags : {O_RDONLY, O_PATH}) {
    const core::Fd fd = core::open(file, flags).value();
    REQUIRE(core::setxattr(fd, "user.a", std::string("1\0\xff", 3)));
    REQUIRE(core::setxattr(fd, "user.b", ""));
    CHECK(core::listxattr(fd)->size() >= 2);
    CHECK(core::getxattr(fd, "user.a").value() == std::string("1\0\xff", 3));
    CHECK(core::getxattr(fd, "user.b").value() == "");
    CHECK(word(core::getxattr(fd, "user.c")) == "ENODATA");
    CHECK(word(core::removexattr(fd, "user.c")) == "ENODATA");
    REQUIRE(core::removexattr(fd, "user.a"));
    CHECK(word(core::getxattr(fd, "user.a")) == "ENODATA");
  }
  const core::Fd none = core::open("/proc/self/status", O_RDONLY).value();
  CHECK(core::listxattr(none)->empty());
  CHECK(word(core::getxattr(none, "user.a")) == "EOPNOTSUPP");
}
