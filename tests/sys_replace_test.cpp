#include "core/sys/replace.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "core/sys/copy.hpp"
#include "core/sys/xattr.hpp"
#include "tests/harness.hpp"

namespace {

std::string content(const std::string& path) { return core::read_file(path).value_or("?"); }

std::size_t count_in(const std::string& directory) {
  const std::filesystem::directory_iterator entries(directory);
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

template <class T>
std::string word(const core::Result<T>& result) {
  return result ? "yes" : std::string(core::error_name(result.error().number));
}

}  // namespace

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
