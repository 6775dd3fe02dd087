#include "core/sys/fs.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "core/sys/directory.hpp"
#include "core/sys/stat.hpp"
#include "tests/flagged.hpp"
#include "tests/harness.hpp"

using tests::word;

namespace {

/// What access answers for all questions on `path`.
std::string answers(const std::string& path, core::AccessHow how) {
  std::string to;
  for (const int mode : {F_OK, R_OK, W_OK, X_OK, R_OK | X_OK}) {
    to += word(core::access(path, mode, how)) + " ";
  }
  return to;
}

}  // namespace

TEST_CASE("open tells the kernel's error, and closes on exec") {
  const Scratch scratch;
  const auto file = core::open(scratch.file("a"), O_RDONLY);
  REQUIRE(file);
  CHECK((::fcntl(core::FdRef(*file).number(), F_GETFD) & FD_CLOEXEC) != 0);
  const auto none = core::open(scratch / "b", O_RDONLY);
  REQUIRE_FALSE(none);
  CHECK(none.error().number == ENOENT);
  CHECK(std::string(none.error().call) == "open");
  CHECK(none.error().path == scratch / "b");
  const auto made = core::open(scratch / "c", O_WRONLY | O_CREAT | O_EXCL, {}, 0640);
  CHECK(made);
  CHECK((core::stat(scratch / "c")->mode & 07777) == 0640);
  CHECK(word(core::open(scratch / "c", O_WRONLY | O_CREAT | O_EXCL)) == "EEXIST");
}

TEST_CASE("open makes a file in a restricted place") {
  const Scratch scratch;
  const core::Fd base = *core::open(scratch.path(), O_PATH | O_DIRECTORY);
  const core::At beneath{base, {.beneath = true}};
  const auto made = core::open("new", O_WRONLY | O_CREAT | O_EXCL, beneath, 0600);
  CHECK(word(made) == (tests::newer_calls() ? "yes" : "ENOSYS"));
  CHECK(word(core::open("../new", O_WRONLY | O_CREAT, beneath, 0600)) ==
        (tests::newer_calls() ? "EXDEV" : "ENOSYS"));
  CHECK(core::stat(scratch / "new").has_value() == tests::newer_calls());
}

TEST_CASE("a path falls into its directory and its last name") {
  const Scratch scratch;
  scratch.directory("d");
  struct Case {
    const char* path;
    const char* directory;
    const char* name;
    bool slash;
  };
  const core::Fd base = *core::open(scratch.path(), O_PATH | O_DIRECTORY);
  for (const Case& one :
       {Case{"d/x", "d", "x", false}, Case{"x", ".", "x", false}, Case{"x//", ".", "x", true},
        Case{"d//x/", "d", "x", true}, Case{"/", "/", ".", false}, Case{"///", "/", ".", true},
        Case{"/x", "/", "x", false}, Case{"d/..", "d", "..", false},
        Case{"d/.", "d", ".", false}}) {
    CAPTURE(std::string(one.path));
    const auto parent = core::open_parent(one.path, base);
    REQUIRE(parent);
    CHECK(parent->name == one.name);
    CHECK(parent->slash == one.slash);
    CHECK(core::fstat(parent->directory)->ino ==
          core::stat(one.directory, core::want::basic, base)->ino);
  }
  CHECK(word(core::open_parent("", base)) == "ENOENT");
  CHECK(word(core::open_parent("no/x", base)) == "ENOENT");
  scratch.file("f");
  CHECK(word(core::open_parent("f/x", base)) == "ENOTDIR");
}

TEST_CASE("the last name of a restricted path leads nowhere else") {
  const Scratch scratch;
  scratch.directory("base");
  scratch.directory("base/d");
  scratch.link("..", "base/up");
  const core::Fd base = *core::open(scratch / "base", O_PATH | O_DIRECTORY);
  const core::At beneath{base, {.beneath = true}};
  if (!tests::newer_calls()) {
    CHECK(word(core::open_parent("d/x", beneath)) == "ENOSYS");
    CHECK(word(core::open_parent("..", beneath)) == "ENOSYS");
    return;
  }
  for (const char* const path : {"..", "../", "d/../..", "../x", "/x", "/", "up/x", "up/.."}) {
    CAPTURE(std::string(path));
    CHECK(word(core::open_parent(path, beneath)) == "EXDEV");
  }
  const auto parent = core::open_parent("d/..", beneath);
  REQUIRE(parent);
  CHECK(parent->name == ".");
  CHECK(core::fstat(parent->directory)->ino == core::stat(scratch / "base")->ino);
  CHECK(core::open_parent("up", beneath)->name == "up");
  CHECK(core::open_parent("d/x", beneath)->name == "x");
}

TEST_CASE("access asks the kernel, and means the same without faccessat2") {
  const Scratch scratch;
  std::vector<std::string> paths = {
      scratch.file("none", "", 0),
      scratch.file("all", "", 0777),
      scratch.file("read", "", 0444),
      scratch.directory("closed", 0),
      scratch.link("all", "link"),
      scratch.link("nowhere", "dangling"),
      scratch.fifo("fifo"),
      scratch / "missing",
      scratch / "all/x",
      "",
      "/proc/self/status",
  };
  for (const bool as_nobody : {false, true}) {
    const auto plain = [&] {
      std::string to;
      for (const std::string& path : paths) to += answers(path, {}) + "\n";
      return to;
    };
    const auto effective = [&] {
      std::string to;
      for (const std::string& path : paths) to += answers(path, {.effective = true}) + "\n";
      return to;
    };
    const std::string expected = tests::in_child(plain, {}, as_nobody);
    CHECK(tests::in_child(effective, {}, as_nobody) == expected);
    for (const int error : {ENOSYS, EPERM}) {
      CHECK(tests::in_child(plain, {{SYS_faccessat2, error}}, as_nobody) == expected);
      CHECK(tests::in_child(effective, {{SYS_faccessat2, error}}, as_nobody) == expected);
    }
  }
  CHECK(tests::in_child([&] { return answers(paths[0], {}); }, {}, true) ==
        "yes EACCES EACCES EACCES EACCES ");
}

TEST_CASE("access of a link itself needs faccessat2, and says so where there is none") {
  const Scratch scratch;
  const std::string dangling = scratch.link("nowhere", "dangling");
  const auto look = [&] {
    return word(core::access(dangling, F_OK, {.links = core::Links::no_follow}));
  };
  const std::string answer = look();
  // The plain twin has no such call.
  CHECK(answer == (tests::newer_calls() ? "yes" : "ENOSYS"));
  CHECK(word(core::access(dangling, F_OK)) == "ENOENT");
  for (const int error : {ENOSYS, EPERM}) {
    CHECK(tests::in_child(look, {{SYS_faccessat2, error}}) == "ENOSYS");
  }
}

TEST_CASE("access in a restricted place") {
  const Scratch scratch;
  scratch.directory("base");
  scratch.file("base/file", "", 0600);
  scratch.link("../base/file", "base/out");
  scratch.link("file", "base/in");
  const core::Fd base = *core::open(scratch / "base", O_PATH | O_DIRECTORY);
  const core::At beneath{base, {.beneath = true}};
  const auto expect = [](const char* answer) { return tests::newer_calls() ? answer : "ENOSYS"; };
  CHECK(word(core::access("file", R_OK | W_OK, {}, beneath)) == expect("yes"));
  CHECK(word(core::access("file", X_OK, {}, beneath)) == expect("EACCES"));
  CHECK(word(core::access("in", R_OK, {}, beneath)) == expect("yes"));
  CHECK(word(core::access("out", F_OK, {}, beneath)) == expect("EXDEV"));
  CHECK(word(core::access("../base/file", F_OK, {}, beneath)) == expect("EXDEV"));
  CHECK(word(core::access("in", F_OK, {}, {base, {.no_symlinks = true}})) == expect("ELOOP"));
  CHECK(word(core::access("out", F_OK, {.links = core::Links::no_follow}, beneath)) ==
        expect("yes"));
}

TEST_CASE("effective ids and capabilities make another question of access") {
  if (!tests::is_root()) {
    MESSAGE("only root has ids and capabilities to part with");
    return;
  }
  const Scratch scratch;
  const std::string path = scratch.file("secret", "", 0600);
  const auto ask = [&] {
    return word(core::access(path, R_OK)) + " " +
           word(core::access(path, R_OK, {.effective = true}));
  };
  const auto as_set_user_id = [&]() -> std::string {
    if (::setresuid(65534, 0, 0) != 0) return "setresuid";
    return ask();
  };
  const auto with_capability = [&]() -> std::string {
    ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    if (::setresuid(65534, 65534, 65534) != 0) return "setresuid";
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    constexpr unsigned mask = 1U << CAP_DAC_OVERRIDE;
    const __user_cap_data_struct data[2] = {{mask, mask, 0}, {}};
    if (::syscall(SYS_capset, &header, data) != 0) return "capset";
    return ask();
  };
  const std::string known = tests::newer_calls() ? "EACCES yes" : "EACCES ENOSYS";
  CHECK(tests::in_child(as_set_user_id) == known);
  CHECK(tests::in_child(with_capability) == known);
  for (const int error : {ENOSYS, EPERM}) {
    CHECK(tests::in_child(as_set_user_id, {{SYS_faccessat2, error}}) == "EACCES ENOSYS");
    CHECK(tests::in_child(with_capability, {{SYS_faccessat2, error}}) == "EACCES ENOSYS");
  }
}

TEST_CASE("readlink gives the whole text, whatever its length") {
  const Scratch scratch;
  for (const std::size_t length : {std::size_t{1}, std::size_t{255}, std::size_t{256},
                                   std::size_t{257}, std::size_t{1024}, std::size_t{4095}}) {
    const std::string target(length, 't');
    const std::string link = scratch.link(target, "link" + std::to_string(length));
    CHECK(*core::readlink(link) == target);
  }
  for (const std::string& name : tests::hostile_names()) {
    scratch.link(name + "\n\n", "hostile");
    CHECK(*core::readlink(scratch / "hostile") == name + "\n\n");
    REQUIRE(::unlink((scratch / "hostile").c_str()) == 0);
  }
  CHECK(word(core::readlink(scratch.file("file"))) == "EINVAL");
  CHECK(word(core::readlink(scratch / "missing")) == "ENOENT");
  CHECK(word(core::readlink("")) == "ENOENT");
}

TEST_CASE("readlink in a restricted place reads the link itself, wherever it points") {
  const Scratch scratch;
  scratch.directory("base");
  scratch.link("../../out", "base/link");
  scratch.link(".", "base/here");
  scratch.file("base/file");
  const core::Fd base = *core::open(scratch / "base", O_PATH | O_DIRECTORY);
  const core::At beneath{base, {.beneath = true}};
  const core::At straight{base, {.no_symlinks = true}};
  if (!tests::newer_calls()) {
    CHECK(word(core::readlink("link", beneath)) == "ENOSYS");
    CHECK(word(core::readlink("link", straight)) == "ENOSYS");
    return;
  }
  CHECK(*core::readlink("link", beneath) == "../../out");
  CHECK(*core::readlink("link", straight) == "../../out");
  CHECK(*core::readlink("here/link", beneath) == "../../out");
  CHECK(word(core::readlink("here/link", straight)) == "ELOOP");
  CHECK(word(core::readlink("../x", beneath)) == "EXDEV");
  CHECK(word(core::readlink("file", beneath)) == "EINVAL");
  CHECK(word(core::readlink("", beneath)) == "ENOENT");
  CHECK(word(core::readlink("missing", beneath)) == "ENOENT");
}

TEST_CASE("getcwd names a deep directory, and no deleted one") {
  const Scratch scratch;
  const std::string deep = tests::in_child([&] {
    if (::chdir(scratch.path().c_str()) != 0) return std::string("chdir");
    const std::string name(100, 'd');
    for (int i = 0; i < 60; ++i) {
      if (::mkdir(name.c_str(), 0700) != 0 || ::chdir(name.c_str()) != 0)
        return std::string("mkdir");
    }
    const auto path = core::getcwd();
    return path ? *path : std::string(core::error_name(path.error().number));
  });
  CHECK(deep.size() > 6000);
  CHECK(deep.ends_with("/" + std::string(100, 'd')));
  CHECK(tests::in_child([&] {
          const std::string gone = scratch / "gone";
          if (::mkdir(gone.c_str(), 0700) != 0 || ::chdir(gone.c_str()) != 0)
            return std::string("mkdir");
          ::rmdir(gone.c_str());
          return word(core::getcwd());
        }) == "ENOENT");
  if (tests::is_root()) {
    scratch.directory("root");
    CHECK(tests::in_child([&] {
            if (::chdir(scratch.path().c_str()) != 0 || ::chroot("root") != 0)
              return std::string("chroot");
            return core::getcwd().value_or("?");
          }).starts_with("(unreachable)/"));
  }
}

TEST_CASE("read_file reads all of a file, of /proc too") {
  const Scratch scratch;
  const std::string content(100'000, 'c');
  CHECK((*core::read_file(scratch.file("large", content)) == content));
  CHECK(*core::read_file(scratch.file("empty")) == "");
  CHECK(core::read_file("/proc/self/status")->find("Pid:") != std::string::npos);
  CHECK(word(core::read_file(scratch / "missing")) == "ENOENT");
  const auto directory = core::read_file(scratch.path());
  REQUIRE_FALSE(directory);
  CHECK(directory.error().number == EISDIR);
  CHECK(directory.error().path == scratch.path());
}

TEST_CASE("temporary names are recognised, and never the same") {
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) names.push_back(*core::temporary_name());
  for (const std::string& name : names) {
    CHECK(name.size() == 19);
    CHECK(name.starts_with(".osbox-"));
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567", 7) == name.npos);
  }
  std::ranges::sort(names);
  CHECK(std::ranges::adjacent_find(names) == names.end());
}

TEST_CASE("write writes all, or says why not") {
  const Scratch scratch;
  const core::Fd file = core::open(scratch / "f", O_WRONLY | O_CREAT, {}, 0600).value();
  const std::string large(3 << 20, 'x');
  CHECK(word(core::write(file, large)) == "yes");
  CHECK((core::read_file(scratch / "f").value() == large));
  CHECK(word(core::write(core::open("/dev/full", O_WRONLY).value(), "x")) == "ENOSPC");
  CHECK(word(core::write(core::open(scratch / "f", O_RDONLY).value(), "x")) == "EBADF");
}

TEST_CASE("EPERM of a call that is there is the answer, and that of a profile is not") {
  // Whose file it is may keep its time of access, and nobody else.
  for (const std::vector<tests::Denied>& denied :
       std::vector<std::vector<tests::Denied>>{{}, {{SYS_openat2, EPERM}}}) {
    const std::string expected = denied.empty() && tests::newer_calls() ? "EPERM" : "ENOSYS";
    CHECK(tests::in_child(
              [] {
                const auto root = core::open_directory("/");
                const core::At beneath(*root, {.beneath = true});
                return word(core::open("etc/passwd", O_RDONLY | O_NOATIME, beneath));
              },
              denied, true) == expected);
  }
  const Scratch scratch;
  const std::string file = scratch.file("file", "", 0666);
  const tests::Flagged flagged(file, FS_IMMUTABLE_FL);
  if (!flagged || !tests::newer_calls()) {
    MESSAGE("no immutable file to be had here: not tested");
    return;
  }
  CHECK(word(core::access(file, W_OK, {.effective = true})) == "EPERM");
  CHECK(word(core::access(file, R_OK, {.effective = true})) == "yes");
}
