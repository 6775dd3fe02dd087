// An attacker exchanges names beside a running applet, as fast as the kernel does it: a file, the
// operand or a directory in the middle with a symbolic link to a victim outside. The victim never
// changes; under a naive loop it does, which shows that the attacker bites.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <new>

#include "core/sys/fd.hpp"
#include "core/sys/fs.hpp"
#include "tests/harness.hpp"

namespace {

/// Exchanges a name with others, in turn, in a process of its own, from its making to its end.
class Attacker {
 public:
  Attacker(const std::string& one, const std::string& other) : Attacker(one, Words{other}) {}
  Attacker(const std::string& one, const Words& others)
      : swaps_(new(::mmap(nullptr, sizeof *swaps_, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0)) std::atomic<long>(0)),
        child_(::fork()) {
    REQUIRE(child_ >= 0);
    if (child_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
      for (const std::string& other : others) {
        if (tests::exchange(one, other)) ++*swaps_;
      }
    }
  }
  ~Attacker() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    ::munmap(swaps_, sizeof *swaps_);
  }
  Attacker(const Attacker&) = delete;
  Attacker& operator=(const Attacker&) = delete;

  long swaps() const { return *swaps_; }

 private:
  std::atomic<long>* swaps_;
  pid_t child_;
};

constexpr unsigned before = 04711;  // chmod changes it, and chown takes the set-user-ID away

/// A tree, and beside it a victim with the same names in it. "aside" is a link that an attacker
/// puts into the place of something in the tree.
///   tree/dir/{empty,file,link -> file,x/y}  tree/file  victim/...  aside -> victim
class Scene {
 public:
  /// `target` is what "aside" leads to, below the victim.
  explicit Scene(const std::string& target = "")
      : root(std::filesystem::canonical(scratch_.path())),
        tree(root + "/tree"),
        dir(tree + "/dir"),
        victim(root + "/victim"),
        aside(root + "/aside") {
    scratch_.directory("tree");
    for (const std::string name : {"tree/dir", "victim"}) {
      scratch_.directory(name);
      scratch_.directory(name + "/x");
      scratch_.link("file", name + "/link");
    }
    scratch_.file("victim/file", "victim");
    scratch_.directory("victim/empty");
    inside_ = core::Fd(::open(dir.c_str(), O_PATH | O_CLOEXEC));
    top_ = core::Fd(::open(tree.c_str(), O_PATH | O_CLOEXEC));
    scratch_.link(victim + target, "aside");
    restore();
    was_ = tests::picture(victim, true);
  }

  bool victim_is_as_it_was() const { return tests::picture(victim, true) == was_; }

  /// Makes the tree anew where a run has changed it, wherever the attacker has put it.
  void restore() const {
    for (const int at : {core::FdRef(inside_).number(), core::FdRef(top_).number()}) {
      ::unlinkat(at, "new/1/2", AT_REMOVEDIR);
      ::unlinkat(at, "new/1", AT_REMOVEDIR);
      if (::unlinkat(at, "new", 0) != 0) ::unlinkat(at, "new", AT_REMOVEDIR);
      make_file(at);
    }
    const int at = core::FdRef(inside_).number();
    ::mkdirat(at, "empty", 0755);
    ::mkdirat(at, "x", 0755);
    ::mkdirat(at, "x/y", 0755);
    ::symlinkat("file", at, "link");
  }

  /// The same where it is "tree/file" that is exchanged.
  void restore_file() const {
    ::unlink(aside.c_str());
    ::unlinkat(core::FdRef(top_).number(), "file", 0);
    make_file(core::FdRef(top_).number());
    ::symlink((victim + "/file").c_str(), aside.c_str());
    restore();
  }

  /// What becomes of the file that is in the tree, or was.
  core::Fd file() const {
    return core::Fd(::openat(core::FdRef(inside_).number(), "file", O_RDONLY | O_CLOEXEC));
  }
  bool has(const char* name) const {
    return ::faccessat(core::FdRef(inside_).number(), name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  }

 private:
  static void make_file(int at) {
    const core::Fd file(::openat(at, "file", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return;
    ::ftruncate(core::FdRef(file).number(), 4);
    ::fchmod(core::FdRef(file).number(), before);
  }

  Scratch scratch_;
  core::Fd inside_;
  core::Fd top_;
  std::string was_;

 public:
  const std::string root, tree, dir, victim, aside;
};

bool was_reached(const core::Fd& file) {
  struct stat found;
  REQUIRE(::fstat(core::FdRef(file).number(), &found) == 0);
  return (found.st_mode & 07777) != before;
}

/// Calls `round` many times, and until it has said yes and no often, which shows that the attacker
/// came between. Returns how often it was called.
long again_and_again(const std::function<bool()>& round, int many = 1000) {
  const long least = tests::rounds(many);
  const long often = tests::rounds(200);
  long said[2] = {0, 0};
  while (said[0] + said[1] < least || said[0] < often || said[1] < often) {
    REQUIRE_MESSAGE(said[0] + said[1] < 200 * many, said[0] << " no, " << said[1] << " yes");
    ++said[round() ? 1 : 0];
  }
  return said[0] + said[1];
}

/// Calls `round` until the victim has changed.
void bites(const Scene& scene, const std::function<void()>& round) {
  long rounds = 0;
  while (scene.victim_is_as_it_was()) {
    REQUIRE(rounds < 1'000'000);
    for (int i = 0; i < 16; ++i, ++rounds) round();
  }
  MESSAGE("the naive loop was led astray within " << rounds << " rounds");
}

/// The ids that chown gives: those of somebody else where that is allowed.
std::string other_owner() {
  return tests::is_root() ? "1:1" : std::to_string(::getuid()) + ":" + std::to_string(::getgid());
}

const std::vector<Words>& recursions() {
  static const std::vector<Words> all = {{"chmod", "-R", "700"}, {"chown", "-R", other_owner()}};
  return all;
}

void naive_chmod(const std::string& path, mode_t mode) {
  struct stat found;
  if (::lstat(path.c_str(), &found) != 0 || S_ISLNK(found.st_mode)) return;
  ::chmod(path.c_str(), mode);
  if (!S_ISDIR(found.st_mode)) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return;
  while (const dirent* const entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") naive_chmod(path + "/" + name, mode);
  }
}

bool leads_below(const std::string& path, const std::string& top) {
  char resolved[PATH_MAX];
  return ::realpath(path.c_str(), resolved) != nullptr &&
         std::string(resolved).starts_with(top + "/");
}

}  // namespace

TEST_CASE("the attacker leads a chmod -R astray that looks before it changes") {
  const Scene scene;
  SUBCASE("a directory") {
    const Attacker attacker(scene.dir, scene.aside);
    bites(scene, [&] { naive_chmod(scene.tree, 0700); });
  }
  SUBCASE("a file") {
    scene.restore_file();
    const Attacker attacker(scene.tree + "/file", scene.aside);
    bites(scene, [&] { naive_chmod(scene.tree, 0700); });
  }
  SUBCASE("the operand") {
    const Attacker attacker(scene.tree, scene.aside);
    bites(scene, [&] { naive_chmod(scene.tree, 0700); });
  }
}

TEST_CASE("chmod -R and chown -R change nothing outside, whatever is swapped under them") {
  for (const Words& words : recursions()) {
    CAPTURE(words[0]);
    const auto attack = [&](const Scene& scene, const std::string& operand) {
      const core::Fd file = scene.file();
      again_and_again([&] {
        REQUIRE(::fchmod(core::FdRef(file).number(), before) == 0);
        osbox(joined(words, {operand}));
        return was_reached(file);
      });
      CHECK(scene.victim_is_as_it_was());
    };
    {
      const Scene scene;
      const Attacker attacker(scene.dir, scene.aside);
      attack(scene, scene.tree);
      CHECK(attacker.swaps() > 100);
    }
    {
      const Scene scene;
      const Attacker attacker(scene.tree, scene.aside);
      attack(scene, scene.tree);
      // A slash would lead through the link.
      attack(scene, scene.tree + "/");
      attack(scene, scene.tree + "//");
    }
    {
      const Scene scene("/file");
      scene.restore_file();
      const Attacker attacker(scene.tree + "/file", scene.aside);
      const std::string below = scene.root + "/file";
      const core::Fd file(::open((scene.tree + "/file").c_str(), O_RDONLY | O_CLOEXEC));
      const core::Fd other(::open(scene.aside.c_str(), O_RDONLY | O_CLOEXEC));
      struct stat found;
      REQUIRE(::fstat(core::FdRef(file).number(), &found) == 0);
      again_and_again([&] {
        // Whichever of the two is not the victim.
        const core::Fd& ours = found.st_size == 4 ? file : other;
        REQUIRE(::fchmod(core::FdRef(ours).number(), before) == 0);
        osbox(joined(words, {scene.tree}));
        return was_reached(ours);
      });
      CHECK(scene.victim_is_as_it_was());
    }
  }
}

TEST_CASE("chmod -R climbs out of a directory that was moved away into nothing else") {
  for (const Words& words : recursions()) {
    CAPTURE(words[0]);
    // Deeper than there are descriptors: the way back leads through "..".
    const Scratch scratch;
    scratch.directory("tree");
    scratch.directory("tree/a");
    scratch.file("tree/a/z");
    scratch.directory("other");
    scratch.directory("other/victim");
    scratch.directory("other/victim/b");
    scratch.directory("other/victim/z");
    scratch.file("other/victim/z/file", "victim");
    std::string path = "tree/a/b";
    for (int i = 0; i < 40; ++i, path += "/d") scratch.directory(path);
    const std::string was = tests::picture(scratch / "other/victim/z", true);
    const std::string answer = tests::in_child([&] {
      const rlimit few{16, 16};
      ::setrlimit(RLIMIT_NOFILE, &few);
      const Attacker attacker(scratch / "tree/a/b", scratch / "other/victim/b");
      for (int i = 0; i < tests::rounds(1000) || attacker.swaps() <= 100; ++i) {
        if (i > 100'000) return std::string("not swapped");
        osbox(joined(words, {scratch / "tree"}));
      }
      return std::string("swapped");
    });
    CHECK(answer == "swapped");
    CHECK(tests::picture(scratch / "other/victim/z", true) == was);
  }
}

TEST_CASE("unlink takes the link away that was put into the place of its operand") {
  const Scene scene("/file");
  scene.restore_file();
  const Attacker attacker(scene.tree + "/file", scene.aside);
  again_and_again([&] {
    CHECK(osbox({"unlink", scene.tree + "/file"}).status == 0);
    struct stat left;
    REQUIRE(::lstat(scene.aside.c_str(), &left) == 0);
    scene.restore_file();
    return S_ISLNK(left.st_mode);
  });
  CHECK(scene.victim_is_as_it_was());
}

namespace {

/// Takes "tree/new" away. It appears when it is made the next time, and then the attacker has a
/// link to put into its place.
void make_again(const Scene& scene) {
  const std::string made = scene.tree + "/new";
  // Once the link is gone nothing is exchanged any more.
  while (::unlink(made.c_str()) != 0 && ::unlink(scene.aside.c_str()) != 0) {
  }
  for (const std::string& top : {made, scene.aside}) {
    for (const char* const name : {"/1/2/3", "/1/2", "/1", ""}) ::rmdir((top + name).c_str());
  }
  REQUIRE(::symlink(scene.victim.c_str(), scene.aside.c_str()) == 0);
}

}  // namespace

TEST_CASE("makedirs goes on in the directory that it made, and in no other") {
  const Scene scene;
  const Attacker attacker(scene.tree + "/new", scene.aside);
  const std::string path = scene.tree + "/new/1/2/3";
  for (const bool exist_ok : {false, true}) {
    for (long swapped = 0, i = 0; i < tests::rounds(500) || swapped < tests::rounds(200); ++i) {
      REQUIRE(i < 200'000);
      make_again(scene);
      const long swaps = attacker.swaps();
      osbox(exist_ok ? Words{"makedirs", "--exist-ok", path} : Words{"makedirs", path});
      if (attacker.swaps() != swaps) ++swapped;
    }
    CHECK(scene.victim_is_as_it_was());
  }
  bites(scene, [&] {
    make_again(scene);
    for (std::size_t slash = scene.tree.size() + 1; slash != path.npos;) {
      slash = path.find('/', slash + 1);
      ::mkdir(path.substr(0, slash).c_str(), 0777);
    }
  });
}

TEST_CASE("removedirs removes the parents of what it removed, and no others") {
  const Scene scene;
  const Attacker attacker(scene.dir, scene.aside);
  again_and_again([&] {
    scene.restore();
    osbox({"removedirs", scene.dir + "/x/y"});
    return scene.has("x");
  });
  CHECK(scene.victim_is_as_it_was());
  bites(scene, [&] {
    scene.restore();
    if (::rmdir((scene.dir + "/x/y").c_str()) == 0) ::rmdir((scene.dir + "/x").c_str());
  });
}

TEST_CASE("symlink --replace never takes what is no link, whatever is swapped beside it") {
  const Scratch scratch;
  const std::string victim = scratch.directory("victim");
  const std::string name = scratch.link(victim, "name");
  const std::string was = tests::picture(victim, true);
  for (const Words& others : std::vector<Words>{{"a"}, {"a", "b"}}) {
    Words paths;
    std::vector<core::Fd> files;
    for (const std::string& other : others) {
      paths.push_back(scratch.file(other, "content"));
      files.emplace_back(::open(paths.back().c_str(), O_RDONLY | O_CLOEXEC));
    }
    {
      const Attacker attacker(name, paths);
      const auto replace = [&] {
        return osbox({"symlink", "--replace", "--exit-errno", victim, name}).status;
      };
      if (tests::newer_calls()) {
        again_and_again([&] { return replace() == 0; }, 3000);
      } else {
        again_and_again([&] { return replace() == ENOTSUP; }, 3000);
      }
    }
    for (const core::Fd& file : files) {
      struct stat found;
      REQUIRE(::fstat(core::FdRef(file).number(), &found) == 0);
      CHECK(found.st_nlink == 1);
    }
    // The next round starts with a link.
    for (const std::string& path : joined(paths, {name})) ::unlink(path.c_str());
    scratch.link(victim, "name");
  }
  CHECK(tests::picture(victim, true) == was);
}

namespace {

/// A command line, whose `paths` begin in the tree.
struct Change {
  Words words;
  Words paths;
  bool follows_link = false;  ///< which --no-symlinks would never let it
};

std::vector<Change> changes_in_a_directory() {
  return {
      {{"chmod", "700"}, {"dir/file"}},
      {{"chmod", "700"}, {"dir/x/../file"}},
      {{"chmod", "-R", "700"}, {"dir/x"}},
      {{"chown", other_owner()}, {"dir/file"}},
      {{"chown", "-R", other_owner()}, {"dir/x"}},
      {{"link"}, {"file", "dir/new"}},
      {{"link"}, {"dir/file", "new"}},
      {{"link", "--follow"}, {"dir/link", "new"}, true},
      {{"makedirs"}, {"dir/new/1/2"}},
      {{"mkdir"}, {"dir/new"}},
      {{"mkfifo"}, {"dir/new"}},
      {{"mknod", "--type", "file"}, {"dir/new"}},
      {{"removedirs"}, {"dir/empty"}},
      {{"rename"}, {"dir/file", "new"}},
      {{"rename"}, {"file", "dir/new"}},
      {{"rename", "--exchange"}, {"file", "dir/file"}},
      {{"replace"}, {"dir/file", "file"}},
      {{"replace"}, {"file", "dir/file"}},
      {{"replace", "--copy", "--no-sync"}, {"dir/file", "file"}},
      {{"replace", "--copy", "--no-sync"}, {"file", "dir/file"}},
      {{"replace", "--stdin", "--no-sync"}, {"dir/file"}},
      {{"rmdir"}, {"dir/empty"}},
      {{"symlink"}, {"target", "dir/new"}},
      {{"symlink", "--replace"}, {"target", "dir/link"}},
      {{"truncate", "1"}, {"dir/file"}},
      {{"unlink"}, {"dir/file"}},
      {{"utime", "--mtime", "1"}, {"dir/file"}},
  };
}

/// What follows a link, and must not follow it out.
std::vector<Change> changes_of_a_file() {
  return {
      {{"chmod", "700"}, {"file"}},
      {{"chown", other_owner()}, {"file"}},
      {{"link", "--follow"}, {"file", "new"}},
      {{"replace", "--stdin", "--no-sync"}, {"file"}},
      {{"truncate", "1"}, {"file"}},
      {{"utime", "--mtime", "1"}, {"file"}},
  };
}

/// Standard input is empty for the time that this lives.
class EmptyInput {
 public:
  EmptyInput() : saved_(::fcntl(0, F_DUPFD_CLOEXEC, 3)) {
    const core::Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ::dup2(core::FdRef(null).number(), 0);
  }
  ~EmptyInput() {
    if (saved_) {
      ::dup2(core::FdRef(saved_).number(), 0);
    } else {
      ::close(0);
    }
  }

 private:
  core::Fd saved_;
};

/// The command line with --beneath, or else with --no-symlinks.
Words bounded(const Scene& scene, const Change& change, bool beneath) {
  Words words =
      joined(change.words, beneath ? Words{"--beneath", scene.tree} : Words{"--no-symlinks"});
  for (const std::string& path : change.paths) {
    words.push_back(beneath ? path : scene.tree + "/" + path);
  }
  return words;
}

}  // namespace

TEST_CASE("--beneath and --no-symlinks keep every applet inside, whatever is swapped") {
  const EmptyInput input;
  for (const Change& change : changes_in_a_directory()) {
    for (const bool beneath : {true, false}) {
      if (change.follows_link && !beneath) continue;
      CAPTURE(tests::line(change.words));
      CAPTURE(tests::line(change.paths));
      CAPTURE(beneath);
      const Scene scene;
      const Attacker attacker(scene.dir, scene.aside);
      Ran ran;
      if (!tests::newer_calls()) {
        CHECK(osbox(bounded(scene, change, beneath))
                  .err.ends_with("ENOSYS: Function not implemented\n"));
        CHECK(scene.victim_is_as_it_was());
        continue;
      }
      again_and_again(
          [&] {
            ran = osbox(bounded(scene, change, beneath));
            scene.restore();
            return ran.status == 0;
          },
          300);
      CHECK_MESSAGE(scene.victim_is_as_it_was(), ran.err);
    }
  }
  for (const Change& change : changes_of_a_file()) {
    for (const bool beneath : {true, false}) {
      if (!tests::newer_calls()) continue;
      CAPTURE(tests::line(change.words));
      CAPTURE(beneath);
      const Scene scene("/file");
      scene.restore_file();
      const Attacker attacker(scene.tree + "/file", scene.aside);
      // replace takes the place of either; it follows neither.
      const bool replaces = change.words[0] == "replace";
      int tick = 0;
      again_and_again(
          [&] {
            const Ran ran = osbox(bounded(scene, change, beneath));
            scene.restore_file();
            return replaces ? ++tick % 2 == 0 : ran.status == 0;
          },
          300);
      CHECK(scene.victim_is_as_it_was());
    }
  }
}

TEST_CASE("the attacker leads astray who resolves a path and then goes there again") {
  const Scene scene;
  const Attacker attacker(scene.dir, scene.aside);
  const std::string file = scene.dir + "/file";
  SUBCASE("chmod") {
    bites(scene, [&] {
      if (leads_below(file, scene.tree)) ::chmod(file.c_str(), 0700);
    });
  }
  SUBCASE("truncate") {
    bites(scene, [&] {
      if (leads_below(file, scene.tree)) (void)!::truncate(file.c_str(), 1);
    });
  }
  SUBCASE("unlink") {
    bites(scene, [&] {
      scene.restore();
      if (leads_below(file, scene.tree)) ::unlink(file.c_str());
    });
  }
  SUBCASE("mkdir") {
    bites(scene, [&] {
      scene.restore();
      if (leads_below(scene.dir, scene.root + "/tree")) ::mkdir((scene.dir + "/new").c_str(), 0755);
    });
  }
}
