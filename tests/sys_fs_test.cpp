#include "core/sys/fs.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "core/sys/stat.hpp"
#include "tests/harness.hpp"

namespace {

template <class T>
std::string word(const core::Result<T>& result) {
  return result ? "yes" : std::string(core::error_name(result.error().number));
}

/// What access answers for all questions on `path`.
std::string answers(const std::string& path, core::AccessHow how) {
  std::string to;
  for (const int mode : {F_OK, R_OK, W_OK, X_OK, R_OK | X_OK}) {
    to += word(core::access(path, mode, how)) + " ";
  }
  return to;
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

int number(const core::Result<void>& done) { return done ? 0 : done.error().number; }

/// What a call does to many pairs of names, as Python saw it done and as core does it, in trees
/// that are made anew after each that was done.
class Pairs {
 public:
  /// `theirs` is Python's: a statement about a and b.
  explicit Pairs(const std::string& theirs) {
    std::string names;
    for (const std::string& name : names_) names += name + '|';
    numbers_ = tests::lines(
        tests::python("import ctypes, os, sys\n"
                      "libc = ctypes.CDLL(None, use_errno=True)\n"
                      "def renameat2(a, b, flags):\n"
                      "  if libc.renameat2(-100, os.fsencode(a), -100, os.fsencode(b), flags):\n"
                      "    raise OSError(ctypes.get_errno(), '')\n"
                      "def linkat(a, b, flags):\n"
                      "  if libc.linkat(-100, os.fsencode(a), -100, os.fsencode(b), flags):\n"
                      "    raise OSError(ctypes.get_errno(), '')\n"
                      "base = os.path.realpath(sys.argv[1])\n"
                      "def tree(path):\n"
                      "  os.makedirs(path); os.chdir(path)\n"
                      "  for d in ['empty', 'full']: os.mkdir(d)\n"
                      "  for f in ['file', 'other', 'full/file']: open(f, 'w').write(f)\n"
                      "  os.link('file', 'same'); os.mkfifo('fifo')\n"
                      "  for t, l in [('file', 'link'), ('full', 'dirlink'), ('no', 'dangling'), "
                      "('loop', 'loop')]: os.symlink(t, l)\n"
                      "names = sys.argv[2].split('|')[:-1]\n"
                      "n = 0\n"
                      "def trees():\n"
                      "  tree(f'{base}/ours/{n}'); tree(f'{base}/theirs/{n}')\n"
                      "trees()\n"
                      "for a in names:\n"
                      "  for b in names:\n"
                      "    try:\n"
                      "      " +
                          theirs +
                          "\n"
                          "      print(0); n += 1; trees()\n"
                          "    except OSError as e: print(e.errno)\n",
                      {scratch_.path(), names}));
    REQUIRE(numbers_.size() == names_.size() * names_.size());
  }

  /// Does the same by `ours`, called with both names and the At they start from, and gives the
  /// number that came of each, with `denied` calls.
  template <class Ours>
  std::vector<std::string> numbers(Ours ours, const std::vector<tests::Denied>& denied = {}) const {
    return tests::lines(tests::in_child(
        [&] {
          std::string all;
          std::size_t tree = 0;
          for (std::size_t i = 0; i < numbers_.size(); ++i) {
            const auto at =
                core::open(scratch_ / "ours/" + std::to_string(tree), O_PATH | O_DIRECTORY);
            if (!at) return std::string("no tree");
            all += std::to_string(number(ours(from(i), to(i), core::At(*at)))) + '\n';
            tree += numbers_[i] == "0" ? 1 : 0;
          }
          return all;
        },
        denied));
  }

  /// Theirs.
  const std::vector<std::string>& numbers() const { return numbers_; }
  const std::string& from(std::size_t i) const { return names_[i / names_.size()]; }
  const std::string& to(std::size_t i) const { return names_[i % names_.size()]; }

  /// Where the trees are not the same afterwards.
  std::string different() const {
    return tests::python(
        "import os, sys\n"
        "def look(top):\n"
        "  all = {}\n"
        "  for d, ds, fs in os.walk(top):\n"
        "    for f in ds + fs:\n"
        "      p = os.path.join(d, f); s = os.lstat(p); t = s.st_mode >> 12\n"
        "      all[p[len(top):]] = (t, s.st_nlink, os.readlink(p) if t == 10 else "
        "open(p).read() if t == 8 else '')\n"
        "  return all\n"
        "n = 0\n"
        "for i in os.listdir(sys.argv[1] + '/ours'):\n"
        "  a, b = look(f'{sys.argv[1]}/ours/{i}'), look(f'{sys.argv[1]}/theirs/{i}')\n"
        "  n += len(a) > 5\n"
        "  if a != b: print(i, a, b)\n"
        "assert n > 5\n",
        {scratch_.path()});
  }

 private:
  Scratch scratch_;
  std::vector<std::string> numbers_;
  std::vector<std::string> names_ = {"file",
                                     "same",
                                     "fifo",
                                     "empty",
                                     "full",
                                     "link",
                                     "dirlink",
                                     "loop",
                                     "new",
                                     "dangling",
                                     "file/",
                                     "new/",
                                     "",
                                     "empty/",
                                     "dirlink/",
                                     "no/x",
                                     "file/x",
                                     ".",
                                     "..",
                                     "full/file",
                                     "full/new",
                                     "/",
                                     std::string(256, 'n')};
};

void check_same(const Pairs& pairs, const std::vector<std::string>& ours) {
  REQUIRE(ours.size() == pairs.numbers().size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    CAPTURE(i);
    CAPTURE(pairs.from(i));
    CAPTURE(pairs.to(i));
    CHECK(ours[i] == pairs.numbers()[i]);
  }
  CHECK(pairs.different() == "");
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

TEST_CASE("symlink, link, rename and unlink keep to a restricted At") {
  const Scratch scratch;
  scratch.directory("in");
  scratch.file("out", "outside");
  scratch.file("in/file", "inside");
  scratch.link("..", "in/up");
  const core::Fd directory = core::open(scratch / "in", O_PATH | O_DIRECTORY).value();
  const core::At beneath(directory, {.beneath = true});
  if (!tests::newer_calls()) {
    CHECK(number(core::symlink("t", "new", beneath)) == ENOSYS);
    CHECK(number(core::link("file", "new", beneath)) == ENOSYS);
    CHECK(number(core::rename("file", "new", beneath)) == ENOSYS);
    CHECK(number(core::unlink("file", beneath)) == ENOSYS);
    CHECK(names_in(scratch / "in") == std::vector<std::string>{"file", "up"});
    return;
  }
  CHECK(number(core::symlink("t", "../new", beneath)) == EXDEV);
  CHECK(number(core::symlink("t", "up/new", beneath)) == EXDEV);
  CHECK(number(core::symlink("t", scratch / "new", beneath)) == EXDEV);
  CHECK(number(core::link("up/out", "new", beneath)) == EXDEV);
  CHECK(number(core::link("file", "up/new", beneath)) == EXDEV);
  CHECK(number(core::rename("file", "../new", beneath)) == EXDEV);
  CHECK(number(core::rename("up/out", "new", beneath)) == EXDEV);
  CHECK(number(core::unlink("up/out", beneath)) == EXDEV);
  CHECK(number(core::unlink("up/", beneath)) == ENOTDIR);
  CHECK(number(core::rename("up/", "x", beneath)) == ENOTDIR);
  CHECK(names_in(scratch.path()) == std::vector<std::string>{"in", "out"});
  CHECK(names_in(scratch / "in") == std::vector<std::string>{"file", "up"});

  CHECK(number(core::symlink("t", "link", beneath)) == 0);
  CHECK(number(core::link("up", "hard", beneath)) == 0);
  CHECK(core::readlink(scratch / "in/hard").value() == "..");
  CHECK(number(core::rename("link", "moved", beneath)) == 0);
  CHECK(number(core::unlink("hard", beneath)) == 0);
  CHECK(names_in(scratch / "in") == std::vector<std::string>{"file", "moved", "up"});
}

TEST_CASE("symlink, link, rename and unlink say what the kernel says, about both paths") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const std::string directory = scratch.directory("dir");
  const auto made = core::symlink("t", directory);
  CHECK(made.error().number == EEXIST);
  CHECK(made.error().path == "t");
  CHECK(made.error().target == directory);
  CHECK(core::link(scratch / "no", scratch / "x").error().number == ENOENT);
  CHECK(core::rename(file, directory).error().number == EISDIR);
  CHECK(core::unlink(directory).error().number == EISDIR);
  CHECK(core::unlink("").error().number == ENOENT);
  CHECK(core::symlink("t", scratch / "nosuch/").error().number == ENOENT);
  CHECK(names_in(scratch.path()) == std::vector<std::string>{"dir", "file"});
}

TEST_CASE("rename, link and symlink do to any two names what Python sees the kernel do") {
  {
    const Pairs pairs("os.replace(a, b)");
    check_same(pairs, pairs.numbers([](const std::string& a, const std::string& b, core::At at) {
      return core::rename(a, b, at);
    }));
  }
  {
    const Pairs pairs("os.link(a, b, follow_symlinks=False)");
    check_same(pairs, pairs.numbers([](const std::string& a, const std::string& b, core::At at) {
      return core::link(a, b, at);
    }));
  }
  {
    const Pairs pairs("linkat(a, b, 0x400)");
    check_same(pairs, pairs.numbers([](const std::string& a, const std::string& b, core::At at) {
      return core::link(a, b, at, core::Links::follow);
    }));
  }
  {
    const Pairs pairs("os.symlink(a, b)");
    check_same(pairs, pairs.numbers([](const std::string& a, const std::string& b, core::At at) {
      return core::symlink(a, b, at);
    }));
  }
}

namespace {

/// True where a path leads to a directory in the trees above.
bool is_directory(const std::string& path) {
  return path.starts_with("empty") || path == "full" || path == "full//" || path == "dirlink/" ||
         path == "full/." || path == "." || path == ".." || path == "/";
}

}  // namespace

TEST_CASE("rename overwrites nothing, where the kernel has renameat2 and where it has not") {
  const auto ours = [](const std::string& a, const std::string& b, core::At at) {
    return core::rename(a, b, at, core::Rename::no_replace);
  };
  if (tests::newer_calls()) {
    const Pairs pairs("renameat2(a, b, 1)");
    check_same(pairs, pairs.numbers(ours));
  }
  for (const int error : {ENOSYS, EPERM, EINVAL}) {
    const Pairs pairs("renameat2(a, b, 1)");
    const auto numbers = pairs.numbers(ours, {{SYS_renameat2, error}});
    REQUIRE(numbers.size() == pairs.numbers().size());
    // A seccomp profile that says EINVAL looks like a file system that does not know the flag.
    const int refused = error == EINVAL && tests::newer_calls() ? EINVAL : ENOTSUP;
    int moved = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      CAPTURE(pairs.from(i));
      CAPTURE(pairs.to(i));
      const std::string& theirs = pairs.numbers()[i];
      // What happens is the same but for directories. Why something does not, may differ.
      if (theirs == "0" && is_directory(pairs.from(i))) {
        const bool slash = pairs.to(i) == "new/" && refused != EINVAL;
        CHECK(numbers[i] == std::to_string(slash ? ENOENT : refused));
      } else if (theirs == "0") {
        CHECK(numbers[i] == "0");
        ++moved;
      } else {
        CHECK(numbers[i] != "0");
      }
      if (pairs.from(i) == "dirlink/" && pairs.to(i) == "new") {
        CHECK(numbers[i] == std::to_string(ENOTDIR));
      }
      if (pairs.from(i) == "file" && theirs == std::to_string(EEXIST)) CHECK(numbers[i] == theirs);
    }
    CHECK(moved > 10);
    // Trees where a directory was not moved, and no others.
    for (const std::string& line : tests::lines(pairs.different())) {
      const std::size_t done = std::stoul(line);
      std::size_t i = 0;
      for (std::size_t left = done + 1; left > 0; ++i) left -= pairs.numbers()[i] == "0" ? 1 : 0;
      CHECK(is_directory(pairs.from(i - 1)));
    }
  }
}

TEST_CASE("rename exchanges any two names, and only where the kernel can") {
  const auto ours = [](const std::string& a, const std::string& b, core::At at) {
    return core::rename(a, b, at, core::Rename::exchange);
  };
  if (tests::newer_calls()) {
    const Pairs pairs("renameat2(a, b, 2)");
    check_same(pairs, pairs.numbers(ours));
  }
  const Scratch scratch;
  scratch.file("a", "a");
  scratch.file("b", "b");
  for (const int error : {ENOSYS, EPERM}) {
    const std::string told = tests::in_child(
        [&] { return word(ours(scratch / "a", scratch / "b", {})); }, {{SYS_renameat2, error}});
    CHECK(told == "EOPNOTSUPP");
  }
  CHECK(core::read_file(scratch / "a").value() == "a");
}

TEST_CASE("the EPERM of a sticky directory is told, and not taken for a call that is missing") {
  const Scratch scratch;
  const std::string sticky = scratch.directory("sticky", 01777);
  const std::string theirs = scratch.file("sticky/theirs", "content");
  if (tests::is_root()) REQUIRE(::chown(theirs.c_str(), 1, 1) == 0);
  if (tests::is_root()) REQUIRE(::chown(sticky.c_str(), 1, 1) == 0);
  const std::string told = tests::in_child(
      [&] {
        std::string all = word(core::rename(theirs, sticky + "/new", {}, core::Rename::no_replace));
        all += " " + word(core::rename(theirs, sticky + "/new"));
        return all + " " + word(core::unlink(theirs));
      },
      {}, true);
  if (tests::is_root()) {
    CHECK(told == (tests::newer_calls() ? "EPERM EPERM EPERM" : "EOPNOTSUPP EPERM EPERM"));
    CHECK(names_in(sticky) == std::vector<std::string>{"theirs"});
  } else {
    CHECK(told == "yes ENOENT ENOENT");
  }
}

TEST_CASE("replace_symlink takes the place of a link alone, and tells what it held") {
  const Scratch scratch;
  const std::string link = scratch.link("old\xff\n", "link");
  const std::string directory = scratch.directory("dir");
  const std::string file = scratch.file("file", "content");
  CHECK(core::replace_symlink("first", scratch / "new").value() == std::nullopt);
  CHECK(core::readlink(scratch / "new").value() == "first");
  const auto replaced = core::replace_symlink("text", link);
  if (tests::newer_calls()) {
    CHECK(replaced.value() == "old\xff\n");
    CHECK(core::readlink(link).value() == "text");
  } else {
    CHECK(word(replaced) == "EOPNOTSUPP");
    CHECK(core::readlink(link).value() == "old\xff\n");
  }
  const auto before = core::lstat(directory)->ctime;
  for (const std::string& path : {directory, file, scratch.fifo("fifo")}) {
    const auto refused = core::replace_symlink("text", path);
    CHECK(word(refused) == "EEXIST");
    CHECK(refused.error().path == "text");
    CHECK(refused.error().target == path);
  }
  // Not even for a moment was it somewhere else.
  CHECK((core::lstat(directory)->ctime == before));
  CHECK(word(core::replace_symlink("text", scratch / "dir/")) == "EEXIST");
  CHECK(word(core::replace_symlink("text", scratch / "no/x")) == "ENOENT");
  CHECK(word(core::replace_symlink("text", scratch / "no/")) == "ENOENT");
  CHECK(word(core::replace_symlink("", link)) == "ENOENT");
  CHECK(word(core::replace_symlink("text", "")) == "ENOENT");
  for (const int error : {ENOSYS, EPERM, EINVAL}) {
    const std::string told = tests::in_child([&] { return word(core::replace_symlink("x", link)); },
                                             {{SYS_renameat2, error}});
    CHECK(told == "EOPNOTSUPP");
  }
  CHECK(names_in(scratch.path()) == std::vector<std::string>{"dir", "fifo", "file", "link", "new"});
}

TEST_CASE("replace_symlink keeps to a restricted At") {
  if (!tests::newer_calls()) return;
  const Scratch scratch;
  scratch.directory("in");
  scratch.link("old", "out");
  scratch.link("old", "in/link");
  scratch.link("..", "in/up");
  const core::Fd directory = core::open(scratch / "in", O_PATH | O_DIRECTORY).value();
  const core::At beneath(directory, {.beneath = true});
  CHECK(word(core::replace_symlink("new", "up/out", beneath)) == "EXDEV");
  CHECK(word(core::replace_symlink("new", "../out", beneath)) == "EXDEV");
  CHECK(core::readlink(scratch / "out").value() == "old");
  CHECK(core::replace_symlink("new", "link", beneath).value() == "old");
  CHECK(core::readlink(scratch / "in/link").value() == "new");
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
  CHECK(number(core::write(file, large)) == 0);
  CHECK((core::read_file(scratch / "f").value() == large));
  CHECK(number(core::write(core::open("/dev/full", O_WRONLY).value(), "x")) == ENOSPC);
  CHECK(number(core::write(core::open(scratch / "f", O_RDONLY).value(), "x")) == EBADF);
}
