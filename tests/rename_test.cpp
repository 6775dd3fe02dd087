#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"
#include "tests/harness.hpp"

namespace {

std::string content(const std::string& path) { return core::read_file(path).value_or("?"); }

}  // namespace

TEST_CASE("rename gives a file another name, and says nothing") {
  const Scratch scratch;
  const std::string old = scratch.file("old", "content");
  const Ran ran = osbox({"rename", old, scratch / "new"});
  CHECK(ran.status == 0);
  CHECK(ran.out == "");
  CHECK(ran.err == "");
  CHECK(!core::lstat(old));
  CHECK(content(scratch / "new") == "content");
  std::string from = scratch / "new";
  for (const std::string& name : tests::hostile_names()) {
    CHECK(osbox({"rename", from, scratch / name}).status == 0);
    from = scratch / name;
    CHECK(content(from) == "content");
  }
}

TEST_CASE("rename never overwrites") {
  const Scratch scratch;
  const std::string old = scratch.file("old", "content");
  const std::string directory = scratch.directory("old-dir");
  for (const std::string& there : {scratch.file("file", "kept"), scratch.directory("empty"),
                                   scratch.link("nowhere", "dangling"),
                                   scratch.link("empty", "dirlink"), scratch.fifo("fifo")}) {
    for (const std::string& from : {old, directory}) {
      const Ran ran = osbox({"rename", from, there});
      CHECK(ran.status == 1);
      CHECK(ran.err == "rename: " + from + " -> " + there + ": EEXIST: File exists" +
                           (there.ends_with("/empty")
                                ? " (a directory is not gone into; the new name would be " + there +
                                      from.substr(from.rfind('/')) + ")\n"
                                : "\n"));
    }
  }
  CHECK(content(old) == "content");
  CHECK(content(scratch / "file") == "kept");
  CHECK(core::readlink(scratch / "dangling").value() == "nowhere");
  CHECK(!core::lstat(scratch / "empty/old"));
}

TEST_CASE("rename names no new name that is there already") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.file("d/f");
  scratch.file("f");
  scratch.file("g");
  const auto note = [&](const std::string& words) {
    const Ran ran = tests::shell("cd \"$1\"; osbox rename " + words, {scratch.path()});
    CHECK(ran.status == 1);
    return ran.err.substr(std::min(ran.err.find(" ("), ran.err.size() - 1));
  };
  const std::string into = " (a directory is not gone into";
  CHECK(note("d/f d") == into + ")\n");
  CHECK(note("f d") == into + ")\n");
  CHECK(note("f ./") == into + ")\n");
  CHECK(note("g d") == into + "; the new name would be d/g)\n");
}

TEST_CASE("rename says where both names are one file") {
  const Scratch scratch;
  const std::string a = scratch.file("a");
  const std::string b = scratch / "b";
  REQUIRE(::link(a.c_str(), b.c_str()) == 0);
  const std::string said = ": EEXIST: File exists (both are names of one file)\n";
  CHECK(osbox({"rename", a, b}).err == "rename: " + a + " -> " + b + said);
  CHECK(osbox({"rename", a, a}).err == "rename: " + a + " -> " + a + said);
  CHECK(core::stat(a)->nlink == 2);
}

TEST_CASE("rename does not follow, with a slash behind it either") {
  const Scratch scratch;
  scratch.directory("dir");
  scratch.file("dir/file");
  const std::string link = scratch.link("dir", "link");
  CHECK(osbox({"rename", link + "/", scratch / "x"}).err ==
        "rename: " + link + "/ -> " + scratch / "x" + ": ENOTDIR: Not a directory\n");
  CHECK(core::lstat(scratch / "dir/file"));
  CHECK(osbox({"rename", link, scratch / "x"}).status == 0);
  CHECK(core::readlink(scratch / "x").value() == "dir");
  CHECK(osbox({"rename", scratch / "nosuch", scratch / "y"})
            .err.ends_with(": ENOENT: No such file or directory\n"));
  CHECK(osbox({"rename", scratch / "x", scratch / "nosuch/y"}).status == 1);
  CHECK(core::lstat(scratch / "x"));
}

TEST_CASE("rename moves directories where the kernel has renameat2, and refuses else") {
  const Scratch scratch;
  const std::string directory = scratch.directory("dir");
  scratch.file("dir/file");
  const Ran ran = osbox({"rename", directory, scratch / "new"});
  if (tests::newer_calls()) {
    CHECK(ran.status == 0);
    CHECK(core::lstat(scratch / "new/file"));
    for (const std::string inside : {"new/x", "new/x/"}) {
      CHECK(osbox({"rename", scratch / "new", scratch / inside}).err.find("EINVAL") !=
            std::string::npos);
    }
  } else {
    CHECK(ran.err ==
          "rename: " + directory + " -> " + scratch / "new" +
              ": EOPNOTSUPP: Operation not supported (a directory cannot move into itself, "
              "or RENAME_NOREPLACE is missing here)\n");
    CHECK(core::lstat(scratch / "dir/file"));
  }
}

TEST_CASE("rename without renameat2 overwrites as little") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "content");
  const std::string link = scratch.link("gone", "link");
  const std::string directory = scratch.directory("dir");
  const auto rename = [](int error, const std::string& a, const std::string& b) {
    return tests::run(
        {.words = {tests::binary(), "rename", a, b}, .denied = {{SYS_renameat2, error}}});
  };
  for (const int error : {ENOSYS, EPERM}) {
    CHECK(rename(error, file, link).err ==
          "rename: " + file + " -> " + link + ": EEXIST: File exists\n");
    CHECK(rename(error, link, scratch / "moved").err == "");
    CHECK(core::readlink(scratch / "moved").value() == "gone");
    CHECK(rename(error, scratch / "moved", link).err == "");
    CHECK(rename(error, file, scratch / "new").err == "");
    CHECK(core::stat(scratch / "new")->nlink == 1);
    CHECK(rename(error, scratch / "new", file).err == "");
    CHECK(rename(error, directory, scratch / "x").err.find(": EOPNOTSUPP: ") != std::string::npos);
    // As for a file of somebody else with fs.protected_hardlinks, and where there are no hard
    // links.
    for (const int refused : {EPERM, EOPNOTSUPP}) {
      CHECK(tests::run({.words = {tests::binary(), "rename", file, scratch / "x"},
                        .denied = {{SYS_renameat2, error}, {SYS_linkat, refused}}})
                .err.ends_with(": EOPNOTSUPP: Operation not supported (RENAME_NOREPLACE is missing "
                               "here, and link(2) is refused)\n"));
    }
    CHECK(tests::run({.words = {tests::binary(), "rename", "--exchange", file, link},
                      .denied = {{SYS_renameat2, error}}})
              .err ==
          "rename: " + file + " -> " + link + ": EOPNOTSUPP: Operation not supported\n");
  }
  CHECK(content(file) == "content");
}

TEST_CASE("rename --exchange gives each the other's name") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "content");
  const std::string directory = scratch.directory("dir");
  const Ran ran = osbox({"rename", "--exchange", "-v", file, directory});
  if (!tests::newer_calls()) {
    CHECK(ran.status == 1);
    return;
  }
  CHECK(ran.out == "exchanged " + file + " and " + directory + "\n");
  CHECK(content(directory) == "content");
  CHECK(core::lstat(file)->type == core::Type::dir);
  CHECK(osbox({"rename", "--exchange", file, scratch / "nosuch"}).err ==
        "rename: " + file + " -> " + scratch / "nosuch" + ": ENOENT: No such file or directory\n");
  CHECK(core::lstat(file));
}

TEST_CASE("rename to another file system is EXDEV, and names what leads there") {
  const Scratch scratch("/tmp");
  const Scratch other("/dev/shm");
  REQUIRE(core::stat(scratch.path())->dev != core::stat(other.path())->dev);
  const std::string file = scratch.file("file", "content");
  CHECK(osbox({"rename", file, other / "x"}).err ==
        "rename: " + file + " -> " + other / "x" +
            ": EXDEV: Invalid cross-device link ('replace --copy' leads to another file "
            "system)\n");
  CHECK(content(file) == "content");
  CHECK(!core::lstat(other / "x"));
  if (!tests::newer_calls()) return;
  // Another EXDEV.
  CHECK(osbox({"rename", "--beneath", scratch.path(), "file", "../x"}).err ==
        "rename: file -> ../x: EXDEV: Invalid cross-device link\n");
}

TEST_CASE("of many who rename to one name one wins") {
  const Scratch scratch;
  for (const bool denied : {false, true}) {
    const Ran ran = tests::run(
        {.words = {"python3", "-c",
                   "import os, subprocess, sys\n"
                   "for i in range(10):\n"
                   "  for n in range(8): open(f'f{n}', 'w').write(str(n))\n"
                   "  ps = [subprocess.Popen([sys.argv[1], 'rename', f'f{n}', 'new'],\n"
                   "                         stderr=subprocess.PIPE) for n in range(8)]\n"
                   "  won = [n for n in range(8) if b'' == ps[n].communicate()[1]]\n"
                   "  assert won == [int(open('new').read())], won\n"
                   "  assert [p.returncode for p in ps].count(0) == 1\n"
                   "  assert not os.path.exists(f'f{won[0]}')\n"
                   "  assert len(os.listdir()) == 8\n"
                   "  os.unlink('new')\n",
                   tests::binary()},
         .directory = scratch.path(),
         .denied = denied ? std::vector<tests::Denied>{{SYS_renameat2, ENOSYS}}
                          : std::vector<tests::Denied>{}});
    CHECK(ran.err == "");
  }
}

TEST_CASE("rename tells what it did, and goes on after a failure") {
  const Scratch scratch;
  const std::string a = scratch.file("a");
  const std::string c = scratch.file("c");
  const std::string list =
      scratch.file("list", a + '\0' + c + '\0' + a + '\0' + (scratch / "b") + '\0');
  const Ran ran = osbox({"rename", "--files0-from", list, "--json"});
  CHECK(ran.status == 1);
  CHECK(ran.out ==
        "{\"path\":\"" + a + "\",\"target\":\"" + scratch / "b" + "\",\"exchanged\":false}\n");
  CHECK(ran.err.find("\"error\":\"EEXIST\"") != std::string::npos);
  CHECK(osbox({"rename", "-v", scratch / "b", a}).out ==
        "renamed " + scratch / "b" + " to " + a + "\n");
}
