#include <sys/stat.h>

#include "tests/changing_names.hpp"
#include "tests/python_os.hpp"

namespace {

/// Makes a/b/c/d, and `more`.
void make_levels(const Scratch& scratch, const std::vector<std::string>& more = {}) {
  for (const std::string name : {"a", "a/b", "a/b/c", "a/b/c/d"}) scratch.directory(name);
  for (const std::string& name : more) scratch.directory(name);
}

/// osbox in the scratch directory.
Ran in(const Scratch& scratch, std::vector<std::string> words) {
  words.insert(words.begin(), tests::binary());
  return tests::run({.words = words, .directory = scratch.path()});
}

}  // namespace

TEST_CASE("removedirs does what every applet owes that changes names") {
  tests::check_changing({"removedirs", [](const std::string& path) {
                           REQUIRE(::mkdir(path.c_str(), 0755) == 0);
                           // Or the directory that holds them would go as well.
                           const std::string keep = path.substr(0, path.rfind('/')) + "/keep";
                           ::mkdir(keep.c_str(), 0755);
                         }});
}

TEST_CASE("removedirs is os.removedirs") {
  std::vector<tests::Twin> twins;
  for (const std::string path : {"'e/e/e'",
                                 "'e/e/e/'",
                                 "'e//e///e//'",
                                 "'e/./e/e'",
                                 "'e/e/./e'",
                                 "'./e/e/e'",
                                 "'e/e/e/.'",
                                 "'e/e/../e/e'",
                                 "'e/e/e/..'",
                                 "'le/e/e'",
                                 "'d/../e/e/e'",
                                 "'full/x'",
                                 "'full'",
                                 "'e/e'",
                                 "'f'",
                                 "'f/'",
                                 "'lempty'",
                                 "'lempty/'",
                                 "'ld/sub'",
                                 "'d/out/sub'",
                                 "'dangling'",
                                 "'loop/x'",
                                 "'nosuch'",
                                 "'nosuch/x'",
                                 "'e/nosuch'",
                                 "''",
                                 "'.'",
                                 "'..'",
                                 "'/'",
                                 "'//'",
                                 "'ro/e'",
                                 "'closed'",
                                 "'closed/x'",
                                 "'f/x'",
                                 "getcwd() + '/e/e/e'",
                                 "getcwd() + '/empty'",
                                 "'x' * 256",
                                 "'e/' + 'x' * 256"}) {
    twins.push_back({"removedirs(" + path + ")", "['removedirs', " + path + "]"});
    twins.push_back({"removedirs(" + path + ")", "['rmdir', '-p', " + path + "]"});
  }
  CHECK(tests::differences(twins) == "");
  CHECK(tests::differences(twins, "0o022", true) == "");
}

TEST_CASE("removedirs removes parents until one is not empty, and tells them") {
  const Scratch scratch;
  make_levels(scratch, {"a/x"});
  const Ran ran = in(scratch, {"removedirs", "-v", "a/b/c/d"});
  CHECK(ran.out == "removed a/b/c/d\nremoved a/b/c\nremoved a/b\n");
  CHECK(ran.err == "");
  CHECK(ran.status == 0);
  CHECK(core::stat(scratch / "a"));
  CHECK(in(scratch, {"removedirs", "--json", "a/b/", "a/x"}).out ==
        "{\"path\":\"a/x\",\"removed\":[\"a/x\",\"a\"]}\n");
}

TEST_CASE("removedirs --stop-at keeps a directory, by whatever name") {
  const Scratch scratch;
  scratch.link("a/b", "link");
  for (const std::string stop : {"a/b", "link", "./a/b/c/..", "a/../a/b/"}) {
    make_levels(scratch);
    CAPTURE(stop);
    CHECK(in(scratch, {"removedirs", "-v", "--stop-at", stop, "a/b/c/d"}).out ==
          "removed a/b/c/d\nremoved a/b/c\n");
    CHECK(core::stat(scratch / "a/b"));
    CHECK(in(scratch, {"removedirs", "a/b"}).status == 0);
  }
  make_levels(scratch);
  // What the path does not name is above all the same.
  for (const std::string stop : {"..", ".", "/"}) {
    CAPTURE(stop);
    CHECK(in(scratch, {"removedirs", "-v", "--stop-at", stop, "a/b/c/d"}).out ==
          "removed a/b/c/d\nremoved a/b/c\nremoved a/b\nremoved a\n");
    make_levels(scratch);
  }
  CHECK(in(scratch, {"removedirs", "--stop-at", "a/b/c", "-v", "a/b/c/d"}).out ==
        "removed a/b/c/d\n");
  if (!tests::newer_calls()) return;
  CHECK(in(scratch, {"removedirs", "--beneath", "a", "--stop-at", "b", "-v", "b/c"}).out ==
        "removed b/c\n");
}

TEST_CASE("removedirs --stop-at what is not above removes nothing") {
  const Scratch scratch;
  make_levels(scratch, {"other", "a/b/c/d2"});
  for (const std::string stop : {"other", "a/b/c/d", "a/b/c/d2"}) {
    const Ran ran = in(scratch, {"removedirs", "-v", "--stop-at", stop, "a/b/c/d"});
    CHECK(ran.status == 1);
    CHECK(ran.out == "");
    CHECK(ran.err ==
          "removedirs: a/b/c/d: EINVAL: Invalid argument (not below the directory to stop at)\n");
  }
  CHECK(in(scratch, {"removedirs", "--stop-at", "nosuch", "a/b/c/d"}).err ==
        "removedirs: nosuch: open: ENOENT: No such file or directory\n");
  scratch.file("f");
  CHECK(in(scratch, {"removedirs", "--stop-at", "f", "a/b/c/d"}).err ==
        "removedirs: f: open: ENOTDIR: Not a directory\n");
  CHECK(core::stat(scratch / "a/b/c/d"));
}

TEST_CASE("removedirs --beneath removes within the directory, through links of it too") {
  if (!tests::newer_calls()) return;
  const Scratch scratch;
  make_levels(scratch, {"a/x", "a/x/y"});
  scratch.link("../b/c", "a/x/link");
  const Ran ran = in(scratch, {"removedirs", "-v", "--beneath", "a", "x/link/d", "b/c", "x/y"});
  CHECK(ran.out == "removed x/link/d\nremoved b/c\nremoved b\nremoved x/y\n");
  CHECK(ran.err == "");
}
