#include "core/sys/stat.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "core/out/number.hpp"
#include "core/out/stat_fields.hpp"
#include "core/sys/backend.hpp"
#include "core/sys/fs.hpp"
#include "tests/harness.hpp"

namespace {

using core::Stat;

/// What POSIX knows of a file, in one line.
std::string posix_fields(const core::Result<Stat>& stat) {
  if (!stat) return std::string(core::error_name(stat.error().number)) + "\n";
  std::string to;
  const auto add = [&to](auto number) {
    out::append_number(to, number);
    to += ' ';
  };
  add(stat->mode);
  add(stat->ino);
  add(stat->dev);
  add(stat->nlink);
  add(stat->uid);
  add(stat->gid);
  add(stat->size);
  add(stat->blocks);
  add(stat->blksize);
  add(stat->rdev);
  for (const core::Time time : {stat->atime, stat->mtime, stat->ctime}) {
    out::append_nanoseconds(to, time);
    to += ' ';
  }
  to += core::type_word(stat->type);
  return to + "\n";
}

/// A directory with a file of every type that this user can make.
struct Zoo {
  Scratch scratch;
  std::vector<std::string> paths = {
      scratch.file("file", "content", 06751),
      scratch.directory("dir", 01777),
      scratch.link("file", "link"),
      scratch.link("nowhere", "dangling"),
      scratch.link("self", "self"),
      scratch.fifo("fifo"),
      scratch / "socket",
      scratch / "missing",
      scratch / "file/below",
      scratch / "link/",
      scratch / "dir/",
      scratch / "dir/../link",
      scratch / std::string(256, 'n'),
      "",
      "/dev/null",
  };

  Zoo() {
    const core::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    const std::string path = scratch / "socket";
    REQUIRE(path.size() < sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    REQUIRE(::bind(core::FdRef(socket).number(), reinterpret_cast<sockaddr*>(&address),
                   sizeof address) == 0);
    if (::mknod((scratch / "block").c_str(), S_IFBLK | 0600, makedev(7, 200)) == 0) {
      paths.push_back(scratch / "block");
    } else {
      MESSAGE("not allowed to make a block device");
    }
    // Or to follow a link would change it.
    const timespec times[] = {{4'000'000'000, 5}, {0, UTIME_OMIT}};
    for (const char* const link : {"link", "dangling", "self"}) {
      REQUIRE(::utimensat(AT_FDCWD, (scratch / link).c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
    }
  }
};

std::string all(const std::vector<std::string>& paths) {
  std::string to;
  for (const std::string& path : paths) {
    to += posix_fields(core::stat(path)) + posix_fields(core::lstat(path));
  }
  return to;
}

int number_of(const core::Result<Stat>& stat) { return stat ? 0 : stat.error().number; }

}  // namespace

TEST_CASE("stat and lstat say what Python's say, of every type of file") {
  const Zoo zoo;
  const std::string theirs = tests::python(R"(
import errno, os, stat, sys
types = {stat.S_IFREG: 'file', stat.S_IFDIR: 'dir', stat.S_IFLNK: 'link', stat.S_IFIFO: 'fifo',
         stat.S_IFSOCK: 'socket', stat.S_IFCHR: 'char', stat.S_IFBLK: 'block'}
for path in sys.argv[1:]:
    for call in os.stat, os.lstat:
        try: s = call(path)
        except OSError as error: print(errno.errorcode[error.errno]); continue
        print(s.st_mode, s.st_ino, s.st_dev, s.st_nlink, s.st_uid, s.st_gid, s.st_size, s.st_blocks,
              s.st_blksize, s.st_rdev, s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns,
              types[stat.S_IFMT(s.st_mode)])
)",
                                           zoo.paths);
  CHECK(all(zoo.paths) == theirs);
}

TEST_CASE("both twins of statx agree, by path and by descriptor") {
  const Zoo zoo;
  const auto here = core::FdRef::current_directory();
  for (const std::string& path : zoo.paths) {
    CAPTURE(path);
    if (path.empty()) continue;
    for (const int flags : {0, AT_SYMLINK_NOFOLLOW}) {
      CHECK(posix_fields(core::backend::statx(here, path, flags, core::want::basic)) ==
            posix_fields(core::posix::statx(here, path, flags, core::want::basic)));
    }
    const auto fd = core::open(path, O_PATH | O_NOFOLLOW);
    if (!fd) continue;
    CHECK(posix_fields(core::fstat(*fd)) == posix_fields(core::lstat(path)));
    CHECK(posix_fields(core::posix::statx(*fd, "", 0, core::want::basic)) ==
          posix_fields(core::lstat(path)));
  }
}

TEST_CASE("where statx is not offered stat says the same") {
  if (tests::needs_statx) return;
  const Zoo zoo;
  const std::string expected = tests::in_child([&] { return all(zoo.paths); });
  for (const int error : {ENOSYS, EPERM}) {
    CHECK(tests::in_child([&] { return all(zoo.paths); }, {{SYS_statx, error}}) == expected);
    CHECK(tests::in_child(
              [&] {
                const auto stat = core::stat(
                    "/", core::want::basic | core::want::birthtime | core::want::mount_id);
                return std::to_string(stat && !stat->birthtime && !stat->mount_id &&
                                      stat->attributes_mask == 0);
              },
              {{SYS_statx, error}}) == "1");
  }
}

TEST_CASE("times before 1970 and beyond 2262 keep sign and nanoseconds") {
  // tmpfs keeps any time.
  const Scratch scratch("/dev/shm");
  const std::string path = scratch.file("file");
  for (const auto& [seconds, nanoseconds] :
       std::vector<std::pair<time_t, long>>{{-1, 999'999'999},
                                            {-2, 1},
                                            {0, 1},
                                            {-20'000'000'000, 5},
                                            {20'000'000'000, 123'456'789}}) {
    const timespec times[] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
    const core::Time expected{seconds, static_cast<std::uint32_t>(nanoseconds)};
    CHECK(core::stat(path)->mtime == expected);
    CHECK(core::stat(path)->atime == expected);
    CHECK(core::posix::statx(core::FdRef::current_directory(), path, 0, 0)->mtime == expected);
    std::string digits;
    out::append_nanoseconds(digits, core::stat(path)->mtime);
    CHECK(digits + "\n" ==
          tests::python("import os, sys; print(os.stat(sys.argv[1]).st_mtime_ns)", {path}));
  }
}

TEST_CASE("a birth time of none, the mount and the attributes, where the kernel tells") {
  const Scratch scratch;
  const std::string path = scratch.file("file");
  const auto all = core::want::basic | core::want::birthtime | core::want::mount_id;
  CHECK_FALSE(core::stat("/proc/self/status", all)->birthtime);
  const auto stat = core::stat(path, all);
  REQUIRE(stat);
  if (stat->birthtime) CHECK(*stat->birthtime <= stat->ctime);
  if (stat->mount_id) {
    const core::Fd fd = *core::open(path, O_PATH);
    const auto info =
        core::read_file("/proc/self/fdinfo/" + std::to_string(core::FdRef(fd).number()));
    CHECK(info->find("mnt_id:\t" + std::to_string(*stat->mount_id) + "\n") != std::string::npos);
  }
  // The posix twins know neither.
  CHECK(stat->mount_id.has_value() == (stat->attributes_mask != 0));
  std::vector<std::string_view> words;
  out::attribute_words({.attributes = 0x10 | 0x2000}, words);
  CHECK(words == std::vector<std::string_view>{"immutable", "mount_root"});
}

TEST_CASE("a mode as ls writes it") {
  const std::string expected = tests::python(R"(
import stat
for kind in 0o010, 0o020, 0o040, 0o060, 0o100, 0o120, 0o140:
    for bits in range(0o10000): print(stat.filemode(kind << 12 | bits))
)");
  std::string ours;
  for (const mode_t kind : {010U, 020U, 040U, 060U, 0100U, 0120U, 0140U}) {
    for (mode_t bits = 0; bits < 010000; ++bits) {
      ours += std::string(core::mode_text(kind << 12 | bits)) + "\n";
    }
  }
  CHECK(ours.size() == expected.size());
  CHECK((ours == expected));
}

TEST_CASE("a restricted path stays beneath its directory, or nothing is said of it") {
  const Scratch scratch;
  scratch.directory("base");
  scratch.directory("base/sub");
  scratch.file("base/file", "12345");
  scratch.file("outside", "1");
  scratch.link("file", "base/in");
  scratch.link("../outside", "base/out");
  scratch.link("/", "base/absolute");
  scratch.link("sub", "base/door");
  const core::Fd base = *core::open(scratch / "base", O_PATH | O_DIRECTORY);
  const core::At beneath{base, {.beneath = true}};
  const core::At straight{base, {.no_symlinks = true}};
  const auto basic = core::want::basic;
  if (!tests::newer_calls()) {
    for (const char* const path : {"file", "in", "..", "/"}) {
      CHECK(number_of(core::stat(path, basic, beneath)) == ENOSYS);
      CHECK(number_of(core::lstat(path, basic, straight)) == ENOSYS);
    }
    return;
  }
  CHECK(core::stat("file", basic, beneath)->size == 5);
  CHECK(core::stat("in", basic, beneath)->size == 5);
  CHECK(core::stat("sub/../file", basic, beneath)->size == 5);
  CHECK(core::lstat("out", basic, beneath)->type == core::Type::link);
  CHECK(core::lstat("in", basic, straight)->type == core::Type::link);
  CHECK(core::stat("file", basic, straight)->size == 5);
  for (const char* const path : {"..", "../outside", "out", "/", "absolute", "absolute/etc",
                                 "sub/../..", "door/../../outside"}) {
    CAPTURE(std::string(path));
    CHECK(number_of(core::stat(path, basic, beneath)) == EXDEV);
  }
  for (const char* const path : {"in", "out", "door/", "door/x"}) {
    CAPTURE(std::string(path));
    CHECK(number_of(core::stat(path, basic, straight)) == ELOOP);
  }
  CHECK(number_of(core::stat("", basic, beneath)) == ENOENT);
  CHECK(number_of(core::lstat("door/", basic, beneath)) == 0);
  CHECK(number_of(core::stat("missing", basic, beneath)) == ENOENT);
}

TEST_CASE("without openat2 a restricted path is ENOSYS and never looked at in another way") {
  const Scratch scratch;
  scratch.file("file");
  const core::Fd base = *core::open(scratch.path(), O_PATH | O_DIRECTORY);
  for (const int error : {ENOSYS, EPERM}) {
    const auto answers = [&] {
      std::string to;
      for (const core::Resolve how :
           {core::Resolve{.beneath = true}, core::Resolve{.no_symlinks = true}}) {
        const core::At at{base, how};
        for (const int number : {number_of(core::stat("file", core::want::basic, at)),
                                 number_of(core::lstat("file", core::want::basic, at)),
                                 core::open("file", O_RDONLY, at).error().number,
                                 core::open_parent("file", at).error().number,
                                 core::readlink("file", at).error().number,
                                 core::access("file", F_OK, {}, at).error().number}) {
          to += std::string(core::error_name(number)) + " ";
        }
      }
      return to;
    };
    std::string expected;
    for (int i = 0; i < 12; ++i) expected += "ENOSYS ";
    CHECK(tests::in_child(answers, {{SYS_openat2, error}}) == expected);
  }
}
