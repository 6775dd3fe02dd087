#include <sys/stat.h>

#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"
#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"

namespace {

bool same_file(const std::string& a, const std::string& b) {
  const auto one = core::lstat(a);
  const auto two = core::lstat(b);
  return one && two && one->ino == two->ino && one->dev == two->dev;
}

}  // namespace

TEST_CASE("link makes another name of one file, and says nothing") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "content");
  const Ran ran = osbox({"link", file, scratch / "name"});
  CHECK(ran.status == 0);
  CHECK(ran.out == "");
  CHECK(ran.err == "");
  CHECK(same_file(file, scratch / "name"));
  CHECK(core::stat(file)->nlink == 2);
}

TEST_CASE("link overwrites nothing, and makes nothing in a directory") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  for (const std::string& there :
       {scratch.file("other", "kept"), scratch.directory("dir"),
        scratch.link("nowhere", "dangling"), scratch.link("dir", "dirlink"), file}) {
    const Ran ran = osbox({"link", file, there});
    CHECK(ran.status == 1);
    std::string note;
    if (there.ends_with("/dir")) {
      note = " (a directory is not gone into; the new name would be " + scratch / "dir/file)";
    }
    CHECK(ran.err == "link: " + file + " -> " + there + ": EEXIST: File exists" + note + "\n");
  }
  // There would be no link to a directory in it either.
  CHECK(osbox({"link", scratch / "dir", scratch / "dir"}).err.ends_with(": File exists\n"));
  CHECK(core::stat(file)->nlink == 1);
  CHECK(core::read_file(scratch / "other").value() == "kept");
  CHECK(!core::lstat(scratch / "dir/file"));
  CHECK(!core::lstat(scratch / "nowhere"));
  CHECK(osbox({"link", file, scratch / "nosuch/"}).err ==
        "link: " + file + " -> " + scratch / "nosuch/" + ": ENOENT: No such file or directory\n");
  CHECK(!core::lstat(scratch / "nosuch"));
  CHECK(osbox({"link", scratch / "dir", scratch / "x"}).err ==
        "link: " + scratch / "dir" + " -> " + scratch / "x" + ": EPERM: Operation not permitted\n");
}

TEST_CASE("link names no new name that is there, and says which operand comes first") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.file("d/f");
  scratch.file("f");
  scratch.file("g");
  scratch.link("nowhere", "dangling");
  const auto note = [&](const std::string& words) {
    const Ran ran = tests::shell("cd \"$1\"; osbox link " + words, {scratch.path()});
    CHECK(ran.status == 1);
    const std::size_t at = ran.err.find(" (");
    return at == ran.err.npos ? "" : ran.err.substr(at, ran.err.size() - at - 1);
  };
  const std::string into = " (a directory is not gone into";
  CHECK(note("d/f d") == into + ")");
  CHECK(note("f d") == into + ")");
  CHECK(note("f ./") == into + ")");
  CHECK(note("dangling .") == into + ")");
  CHECK(note("g d") == into + "; the new name would be d/g)");
  CHECK(note("d/f d/f") == "");
  const std::string swapped = " (SOURCE comes first: it does not exist, and NAME does)";
  CHECK(note("new f") == swapped);
  CHECK(note("nosuch/new dangling") == swapped);
  // A directory, a name that is not there, and a link that is there are no SOURCE to swap with.
  CHECK(note("new d") == "");
  CHECK(note("new other") == "");
  CHECK(note("--follow dangling f") == "");
}

TEST_CASE("link from one file system to another is EXDEV") {
  const Scratch scratch("/tmp");
  const Scratch other("/dev/shm");
  REQUIRE(core::stat(scratch.path())->dev != core::stat(other.path())->dev);
  const std::string file = scratch.file("file");
  CHECK(osbox({"link", file, other / "x"}).err ==
        "link: " + file + " -> " + other / "x" + ": EXDEV: Invalid cross-device link\n");
}

TEST_CASE("link names a symbolic link itself, or with --follow what it leads to") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const std::string link = scratch.link("file", "link");
  const std::string dangling = scratch.link("nowhere", "dangling");
  CHECK(osbox({"link", link, scratch / "itself"}).status == 0);
  CHECK(same_file(link, scratch / "itself"));
  CHECK(osbox({"link", "--follow", link, scratch / "followed"}).status == 0);
  CHECK(same_file(file, scratch / "followed"));
  CHECK(osbox({"link", dangling, scratch / "dangling2"}).status == 0);
  CHECK(core::readlink(scratch / "dangling2").value() == "nowhere");
  CHECK(osbox({"link", "--follow", dangling, scratch / "x"}).err ==
        "link: " + dangling + " -> " + scratch / "x" + ": ENOENT: No such file or directory\n");
}

TEST_CASE("link tells what it made with -v and in every format, whatever the names") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  CHECK(osbox({"link", "-v", file, scratch / "a"}).out ==
        "made " + scratch / "a" + ", a name of " + file + "\n");
  CHECK(osbox({"link", "--json", file, scratch / "b"}).out ==
        "{\"path\":\"" + file + "\",\"target\":\"" + scratch / "b" + "\"}\n");
  std::string pairs;
  for (const std::string& name : tests::hostile_names()) {
    pairs += file + '\0' + (scratch / name) + '\0';
  }
  const Ran ran = tests::run(
      {.words = {tests::binary(), "link", "--files0-from", "-", "-0", "--format", "{target}"},
       .input = pairs});
  CHECK(ran.status == 0);
  std::string expected;
  for (const std::string& name : tests::hostile_names()) {
    expected += (scratch / name) + '\0';
    CHECK(same_file(file, scratch / name));
  }
  CHECK(ran.out == expected);
}

TEST_CASE("link takes pairs, goes on after a failure, and tells of one that has no partner") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const std::string list =
      scratch.file("list", (scratch / "no") + '\0' + (scratch / "x") + '\0' + file + '\0' +
                               (scratch / "y") + '\0' + file + '\0');
  const Ran ran = osbox({"link", "--files0-from", list});
  CHECK(ran.status == 1);
  CHECK(ran.err == "link: " + scratch / "no" + " -> " + scratch / "x" +
                       ": ENOENT: No such file or directory\nlink: " + file +
                       ": EINVAL: Invalid argument (no second operand to it)\n");
  CHECK(same_file(file, scratch / "y"));
  CHECK(osbox({"link", file}).status == 2);
  CHECK(osbox({"link", file, "b", "c"}).status == 2);
  CHECK(osbox({"link", "--exit-errno", file, file}).status == EEXIST);
}

TEST_CASE("link --beneath keeps to the directory, with both names") {
  const Scratch scratch;
  scratch.directory("in");
  scratch.file("in/file");
  scratch.file("out");
  scratch.link("../out", "in/escape");
  scratch.link("file", "in/link");
  const auto beneath = [&](const std::string& how, const std::string& a, const std::string& b) {
    return osbox({"link", how, "--beneath", scratch / "in", a, b}).err;
  };
  if (!tests::newer_calls()) {
    CHECK(beneath("-v", "file", "new") == "link: file -> new: ENOSYS: Function not implemented\n");
    return;
  }
  CHECK(beneath("-v", "file", "new") == "");
  CHECK(same_file(scratch / "in/file", scratch / "in/new"));
  CHECK(beneath("--follow", "link", "new2") == "");
  CHECK(same_file(scratch / "in/file", scratch / "in/new2"));
  CHECK(beneath("--follow", "escape", "x") ==
        "link: escape -> x: EXDEV: Invalid cross-device link\n");
  // The kernel follows a link with a slash behind it, and would tell what there is outside.
  scratch.link("..", "in/up");
  scratch.link("../nowhere", "in/nowhere");
  scratch.directory("in/dir");
  for (const std::string link : {"escape/", "up/", "nowhere/"}) {
    CHECK(beneath("-v", link, "x") ==
          "link: " + link + " -> x: EXDEV: Invalid cross-device link\n");
  }
  CHECK(beneath("-v", "dir/", "x") == "link: dir/ -> x: EPERM: Operation not permitted\n");
  CHECK(beneath("-v", "dir/", "file") == "link: dir/ -> file: EEXIST: File exists\n");
  CHECK(beneath("-v", "link/", "x") == "link: link/ -> x: ENOTDIR: Not a directory\n");
  CHECK(beneath("-v", "../out", "x") == "link: ../out -> x: EXDEV: Invalid cross-device link\n");
  CHECK(beneath("-v", "file", "../x") == "link: file -> ../x: EXDEV: Invalid cross-device link\n");
  CHECK(!core::lstat(scratch / "in/x"));
  CHECK(!core::lstat(scratch / "x"));
}

TEST_CASE("link --follow --beneath without /proc does not say that the file is missing") {
  if (tests::disturbed_by_sanitizer() || !tests::newer_calls()) return;
  const Scratch scratch;
  scratch.file("file");
  const std::string options = tests::is_root() ? "-m" : "-Urm";
  if (tests::run({.words = {"unshare", options, "true"}}).status != 0) {
    MESSAGE("not tested: no mount namespace to be had here");
    return;
  }
  const Ran ran = tests::run(
      {.words = {"unshare", options, "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh",
                 tests::binary(), "link", "--follow", "--beneath", ".", "file", "name"},
       .directory = scratch.path()});
  CHECK(ran.err == "link: file -> name: ENOSYS: Function not implemented\n");
  CHECK(names_in(scratch.path()) == Words{"file"});
}
