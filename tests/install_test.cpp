#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "applets/registry.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"
#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"

namespace fs = std::filesystem;

namespace {

std::string real_binary() { return fs::canonical(tests::binary()); }

Ran install(std::vector<std::string> words) {
  words.insert(words.begin(), {tests::binary(), "--install"});
  return tests::run({.words = words});
}

/// A directory on the file system of the binary, so that hard links can be made: beside a copy of
/// it that is this test's own.
struct Copy {
  Scratch scratch;
  std::string program = scratch / "osbox";
  std::string links = scratch.directory("links");
  Copy() { fs::copy_file(tests::binary(), program); }
  Ran install(std::vector<std::string> words) const {
    words.insert(words.begin(), {program, "--install"});
    return tests::run({.words = words});
  }
};

bool same_file(const std::string& a, const std::string& b) {
  const auto one = core::lstat(a);
  const auto two = core::lstat(b);
  return one && two && one->ino == two->ino && one->dev == two->dev;
}

std::vector<std::string> all_names(const std::string& prefix = "") {
  std::vector<std::string> names;
  for (const cli::Found& found : cli::all(applets::registry)) {
    names.push_back(prefix + std::string(found.name()));
  }
  return names;
}

}  // namespace

TEST_CASE("install makes a symbolic link for every applet and alias, and they run") {
  const Scratch scratch;
  const Ran ran = install({scratch.path()});
  CHECK(ran.status == 0);
  CHECK(ran.err == "");
  CHECK(names_in(scratch.path()) == all_names());
  std::string expected;
  for (const std::string& name : all_names()) {
    CHECK(core::readlink(scratch / name).value() == real_binary());
    expected += "made " + scratch / name + " -> " + real_binary() + "\n";
  }
  CHECK(ran.out == expected);
  CHECK(tests::run({.words = {scratch / "strerror", "2"}}).out.starts_with("[ 2] ENOENT"));
}

TEST_CASE("install keeps its own links") {
  const Scratch scratch;
  REQUIRE(install({scratch.path(), "strerror"}).status == 0);
  const auto before = core::lstat(scratch / "strerror").value();
  const Ran again = install({scratch.path(), "strerror"});
  CHECK(again.status == 0);
  CHECK(again.out == "kept " + scratch / "strerror" + " -> " + real_binary() + "\n");
  const auto after = core::lstat(scratch / "strerror").value();
  CHECK(before.ino == after.ino);
  CHECK(before.ctime == after.ctime);
}

TEST_CASE("install --prefix puts os- or osbox- in front, and takes nothing that would not run") {
  const Scratch scratch;
  CHECK(install({"--prefix", "os-", scratch.path()}).status == 0);
  CHECK(names_in(scratch.path()) == all_names("os-"));
  CHECK(tests::run({.words = {scratch / "os-strerror", "2"}}).status == 0);
  const Ran ran = install({"--prefix=my-", scratch.path()});
  CHECK(ran.status == 2);
  CHECK(ran.err ==
        "--install: --prefix my-: not one of os-, osbox-; see 'osbox --install --help'\n");
}

TEST_CASE("install --hard makes hard links") {
  const Copy copy;
  const Ran ran = copy.install({"--hard", copy.links, "strerror"});
  CHECK(ran.status == 0);
  CHECK(ran.out == "made " + copy.links + "/strerror -> " + copy.program + "\n");
  CHECK(same_file(copy.links + "/strerror", copy.program));
  CHECK(copy.install({"--hard", copy.links, "strerror"}).out.starts_with("kept "));
  CHECK(tests::run({.words = {copy.links + "/strerror", "2"}}).status == 0);
}

TEST_CASE("install --hard on another file system is EXDEV") {
  // /dev/shm is a file system of its own wherever there is one.
  struct stat here = {};
  struct stat there = {};
  REQUIRE(::stat(tests::binary().c_str(), &here) == 0);
  REQUIRE(::stat("/dev/shm", &there) == 0);
  REQUIRE(here.st_dev != there.st_dev);
  std::string directory = "/dev/shm/osbox-test-XXXXXX";
  REQUIRE(::mkdtemp(directory.data()) != nullptr);
  const Ran ran = install({"--hard", directory, "strerror"});
  CHECK(ran.status == 1);
  CHECK(ran.out == "");
  CHECK(ran.err ==
        "--install: " + directory + "/strerror: link: EXDEV: Invalid cross-device link\n");
  CHECK(fs::is_empty(directory));
  fs::remove_all(directory);
}

TEST_CASE("install replaces its own link of the other form, and leaves nothing behind") {
  const Copy copy;
  const std::string link = copy.links + "/strerror";
  REQUIRE(copy.install({copy.links, "strerror"}).status == 0);
  const Ran hard = copy.install({"--hard", copy.links, "strerror"});
  CHECK(hard.out == "replaced " + link + " -> " + copy.program + "\n");
  CHECK(same_file(link, copy.program));
  const Ran symbolic = copy.install({copy.links, "strerror"});
  CHECK(symbolic.out == "replaced " + link + " -> " + copy.program + "\n");
  CHECK(core::readlink(link).value() == copy.program);
  CHECK(names_in(copy.links) == std::vector<std::string>{"strerror"});
}

TEST_CASE("install replaces a link that leads to osbox another way") {
  const Copy copy;
  const std::string link = copy.links + "/strerror";
  REQUIRE(::symlink("../osbox", link.c_str()) == 0);
  CHECK(copy.install({copy.links, "strerror"}).out.starts_with("replaced "));
  CHECK(core::readlink(link).value() == copy.program);
}

TEST_CASE("install never turns osbox itself into a link to itself") {
  const Copy copy;
  const std::string program = copy.links + "/strerror";
  fs::copy_file(copy.program, program);
  for (const auto& how : std::vector<std::vector<std::string>>{{}, {"--hard"}}) {
    std::vector<std::string> words = {"bash", "-c",    "exec -a osbox \"$@\"",
                                      "bash", program, "--install"};
    words.insert(words.end(), how.begin(), how.end());
    words.insert(words.end(), {copy.links, "strerror"});
    const Ran ran = tests::run({.words = words});
    CHECK(ran.status == 0);
    CHECK(ran.out == "kept " + program + " -> " + program + "\n");
    CHECK(core::lstat(program).value().type == core::Type::file);
  }
}

TEST_CASE("install leaves what is not its own, tells it, and makes the others") {
  const auto names = all_names();
  for (const std::string kind : {"file", "dir", "dangling", "elsewhere"}) {
    const Scratch scratch;
    CAPTURE(kind);
    if (kind == "file") scratch.file("strerror", "mine");
    if (kind == "dir") scratch.directory("strerror");
    if (kind == "dangling") scratch.link("nowhere", "strerror");
    if (kind == "elsewhere") scratch.link("/bin/sh", "strerror");
    const auto before = core::lstat(scratch / "strerror").value();
    const Ran ran = install({scratch.path()});
    CHECK(ran.status == 1);
    CHECK(ran.err == "--install: " + scratch / "strerror" + ": symlink: EEXIST: File exists\n");
    CHECK(names_in(scratch.path()) == names);
    CHECK(tests::lines(ran.out).size() == names.size() - 1);
    const auto after = core::lstat(scratch / "strerror").value();
    CHECK(before.ino == after.ino);
    CHECK(before.ctime == after.ctime);
  }
}

TEST_CASE("install --remove takes its links of either form away, and nothing else") {
  const Copy copy;
  REQUIRE(copy.install({"--prefix", "os-", copy.links}).status == 0);
  REQUIRE(copy.install({"--hard", "--prefix=os-", copy.links, "walk"}).status == 0);
  REQUIRE(copy.install({copy.links, "walk"}).status == 0);
  fs::remove(copy.links + "/os-ls");
  fs::remove(copy.links + "/os-stat");
  fs::remove(copy.links + "/os-kill");
  fs::create_symlink("/bin/sh", copy.links + "/os-stat");
  fs::copy_file(copy.program, copy.links + "/os-kill");
  const Ran ran = copy.install({"--remove", "--prefix", "os-", copy.links});
  CHECK(ran.status == 0);
  CHECK(ran.err == "");
  CHECK(tests::lines(ran.out).size() == all_names().size() - 3);
  CHECK(ran.out.find("removed " + copy.links + "/os-walk -> " + copy.program + "\n") !=
        std::string::npos);
  CHECK(names_in(copy.links) == std::vector<std::string>{"os-kill", "os-stat", "walk"});
  CHECK(fs::exists(copy.program));
}

TEST_CASE("install --remove of a named link that is not there, or is no link to osbox, fails") {
  const Copy copy;
  REQUIRE(copy.install({copy.links, "walk"}).status == 0);
  fs::copy_file(copy.program, copy.links + "/stat");
  const Ran ran = copy.install({"--remove", copy.links, "ls", "stat", "walk"});
  CHECK(ran.status == 1);
  CHECK(ran.err == "--install: " + copy.links +
                       "/ls: unlink: ENOENT: No such file or directory\n"
                       "--install: " +
                       copy.links + "/stat: unlink: EEXIST: File exists (no link to osbox)\n");
  CHECK(ran.out == "removed " + copy.links + "/walk -> " + copy.program + "\n");
  CHECK(names_in(copy.links) == std::vector<std::string>{"stat"});
}

TEST_CASE("install --remove never removes osbox itself, and says what it may not remove") {
  const Copy copy;
  const std::string program = copy.links + "/strerror";
  fs::copy_file(copy.program, program);
  const std::vector<std::string> as_osbox = {
      "bash", "-c", "exec -a osbox \"$@\"", "bash", program, "--install", "--remove", copy.links};
  CHECK(tests::run({.words = as_osbox}).status == 0);
  CHECK(fs::exists(program));
  CHECK(copy.install({"--remove", "--hard", copy.links}).status == 2);

  const Scratch scratch;
  const std::string locked = scratch.directory("locked");
  REQUIRE(install({locked, "strerror"}).status == 0);
  fs::permissions(locked, fs::perms{0555});
  const Ran denied =
      tests::run({.words = {tests::binary(), "--install", "--remove", locked}, .as_nobody = true});
  CHECK(denied.status == 1);
  CHECK(denied.err == "--install: " + locked + "/strerror: unlink: EACCES: Permission denied\n");
  CHECK(fs::is_symlink(locked + "/strerror"));
  fs::permissions(locked, fs::perms{0755});
}

TEST_CASE("install of an unknown applet is wrong usage, and makes nothing") {
  const Scratch scratch;
  const Ran ran = install({scratch.path(), "strerror", "strerorr"});
  CHECK(ran.status == 2);
  CHECK(ran.err ==
        "--install: no applet strerorr (did you mean strerror?); see 'osbox --install --help'\n");
  CHECK(fs::is_empty(scratch.path()));
}

TEST_CASE("install needs a directory that is there and can be written") {
  const Scratch scratch;
  CHECK(install({}).err == "--install: missing operand DIR; see 'osbox --install --help'\n");
  CHECK(install({}).status == 2);
  const Ran missing = install({scratch / "no"});
  CHECK(missing.status == 1);
  CHECK(missing.err ==
        "--install: " + scratch / "no" + ": open: ENOENT: No such file or directory\n");
  CHECK(!fs::exists(scratch / "no"));
  const std::string file = scratch.file("file");
  CHECK(install({file}).err == "--install: " + file + ": open: ENOTDIR: Not a directory\n");
  const std::string locked = scratch.directory("locked", 0555);
  const Ran denied =
      tests::run({.words = {tests::binary(), "--install", locked, "strerror"}, .as_nobody = true});
  CHECK(denied.status == 1);
  CHECK(denied.err == "--install: " + locked + "/strerror: symlink: EACCES: Permission denied\n");
}

TEST_CASE("install reports records in every format, of names of any bytes") {
  const Scratch scratch;
  const std::string odd = scratch.directory("od\xff d'\n");
  CHECK(install({"--format", "{action} {applet} {target}", odd, "strerror"}).out ==
        "made strerror " + real_binary() + "\n");
  CHECK(install({"-0", odd, "strerror"}).out ==
        "kept " + odd + "/strerror -> " + real_binary() + '\0');
  const Ran json = install({"--json", odd, "strerror"});
  CHECK(tests::python("import json, os, sys\n"
                      "r = json.loads(sys.argv[1])\n"
                      "print(list(r), os.fsencode(r['path']) == os.fsencode(sys.argv[2]))",
                      {json.out, odd + "/strerror"}) ==
        "['path', 'path_b64', 'applet', 'target', 'action'] True\n");
  CHECK(install({"--shell", odd, "strerror"}).out.starts_with("install_path="));
}

TEST_CASE("install finds osbox through PATH and through a link, and writes its real path") {
  const Scratch scratch;
  const std::string links = scratch.directory("links");
  const Ran by_path = tests::shell("osbox --install \"$1\" strerror", {links});
  CHECK(by_path.status == 0);
  CHECK(core::readlink(links + "/strerror").value() == real_binary());
  const std::string link = scratch.link(tests::binary(), "osbox");
  CHECK(tests::run({.words = {link, "--install", links, "strerror"}}).out.starts_with("kept "));
}

TEST_CASE("install works without /proc") {
  if (tests::disturbed_by_sanitizer()) return;
  const Scratch scratch;
  const std::vector<std::string> hide = {
      "unshare", "-rm", "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh"};
  const auto without_proc = [&hide](const std::vector<std::string>& words) {
    tests::Command command{.words = hide};
    command.words.insert(command.words.end(), words.begin(), words.end());
    return tests::run(command);
  };
  if (without_proc({"true"}).status != 0) {
    MESSAGE("not tested: a user namespace of one's own is not to be had here");
    return;
  }
  const Ran ran = without_proc({tests::binary(), "--install", scratch.path(), "strerror"});
  CHECK(ran.err == "");
  CHECK(ran.status == 0);
  CHECK(core::readlink(scratch / "strerror").value() == real_binary());
}
