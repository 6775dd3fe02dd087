#include <unistd.h>

#include "tests/changing_names.hpp"
#include "tests/python_os.hpp"

TEST_CASE("unlink takes a name away, and says nothing") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const Ran ran = osbox({"unlink", file});
  CHECK(ran.status == 0);
  CHECK(ran.out == "");
  CHECK(ran.err == "");
  CHECK(!core::lstat(file));
}

TEST_CASE("unlink and remove do what every applet owes that changes names") {
  for (const std::string applet : {"unlink", "remove"}) {
    tests::check_changing({applet, [](const std::string& path) {
                             REQUIRE(::symlink("nowhere", path.c_str()) == 0);
                           }});
  }
}

TEST_CASE("unlink is os.unlink, and remove os.remove") {
  std::vector<tests::Twin> twins;
  for (const std::string path : {"'f'",
                                 "'f/'",
                                 "'lf'",
                                 "'lf/'",
                                 "'ld'",
                                 "'ld/'",
                                 "'ld/f'",
                                 "'d'",
                                 "'d/'",
                                 "'empty'",
                                 "'dangling'",
                                 "'dangling/'",
                                 "'loop'",
                                 "'loop/x'",
                                 "'fifo'",
                                 "'nosuch'",
                                 "'nosuch/x'",
                                 "''",
                                 "'.'",
                                 "'..'",
                                 "'/'",
                                 "'d/..'",
                                 "'d/.'",
                                 "'f/x'",
                                 "'ro/x'",
                                 "'closed/x'",
                                 "'d//f'",
                                 "'x' * 256",
                                 "'d/' * 2100 + 'f'"}) {
    twins.push_back({"unlink(" + path + ")", "['unlink', " + path + "]"});
    twins.push_back({"remove(" + path + ")", "['remove', " + path + "]"});
  }
  CHECK(tests::differences(twins) == "");
  CHECK(tests::differences(twins, "0o022", true) == "");
}

TEST_CASE("unlink takes one of two names, and tells which in a record") {
  const Scratch scratch;
  const std::string file = scratch.file("a", "content");
  REQUIRE(::link(file.c_str(), (scratch / "b").c_str()) == 0);
  CHECK(osbox({"unlink", "--json", file}).out == "{\"path\":\"" + file + "\"}\n");
  CHECK(core::lstat(scratch / "b")->nlink == 1);
}

TEST_CASE("unlink of a sticky directory's file is EPERM, and not EACCES, for who does not own it") {
  if (!tests::is_root()) return;
  const Scratch scratch;
  scratch.directory("sticky", 01777);
  const std::string file = scratch.file("sticky/file");
  const Ran ran = tests::run({.words = {tests::binary(), "unlink", file}, .as_nobody = true});
  CHECK(ran.status == 1);
  CHECK(ran.err == "unlink: " + file + ": EPERM: Operation not permitted\n");
}
