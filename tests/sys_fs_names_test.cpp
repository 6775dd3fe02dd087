// The calls that make, move and remove names.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"
#include "tests/harness.hpp"

using tests::word;

namespace {

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
