#include <sys/stat.h>

#include "tests/changing_names.hpp"
#include "tests/python_os.hpp"

namespace {

void make(const std::string& path) { REQUIRE(::mkdir(path.c_str(), 0755) == 0); }

}  // namespace

TEST_CASE("rmdir does what every applet owes that changes names") {
  tests::check_changing({"rmdir", make});
}

TEST_CASE("rmdir is os.rmdir") {
  std::vector<tests::Twin> twins;
  for (const std::string path : {"'empty'",     "'empty/'",
                                 "'empty//'",   "'empty/.'",
                                 "'empty/..'",  "'e'",
                                 "'e/e/e'",     "'le/e/e'",
                                 "'full'",      "'f'",
                                 "'f/'",        "'lf'",
                                 "'ld'",        "'ld/'",
                                 "'lempty'",    "'lempty/'",
                                 "'lempty/.'",  "'dangling'",
                                 "'dangling/'", "'loop'",
                                 "'loop/'",     "'fifo'",
                                 "'nosuch'",    "'nosuch/'",
                                 "'nosuch/x'",  "''",
                                 "'.'",         "'./'",
                                 "'..'",        "'../'",
                                 "'/'",         "'ro/e'",
                                 "'ro'",        "'closed'",
                                 "'closed/x'",  "'f/x'",
                                 "'x' * 256",   "'d/../' * 900 + 'empty'"}) {
    twins.push_back({"rmdir(" + path + ")", "['rmdir', " + path + "]"});
  }
  CHECK(tests::differences(twins) == "");
  CHECK(tests::differences(twins, "0o022", true) == "");
}

TEST_CASE("rmdir removes no link to a directory, and not the directory either") {
  const Scratch scratch;
  scratch.directory("d");
  const std::string link = scratch.link("d", "link");
  for (const std::string& path : {link, link + "/"}) {
    CHECK(osbox({"rmdir", path}).err == "rmdir: " + path + ": ENOTDIR: Not a directory\n");
  }
  if (tests::newer_calls()) {
    CHECK(osbox({"rmdir", "--beneath", scratch.path(), "link/"}).err ==
          "rmdir: link/: ENOTDIR: Not a directory\n");
    CHECK(osbox({"rmdir", "--beneath", scratch.path(), "d/."}).err ==
          "rmdir: d/.: EINVAL: Invalid argument\n");
  }
  CHECK(core::lstat(link)->type == core::Type::link);
  CHECK(core::stat(scratch / "d")->type == core::Type::dir);
}

TEST_CASE("rmdir -p is removedirs, and tells what is gone") {
  const Scratch scratch;
  for (const std::string name : {"a", "a/b", "a/b/c", "a/b/c/d", "a/x"}) scratch.directory(name);
  const std::string a = scratch / "a";
  CHECK(osbox({"rmdir", "-p", "--json", a + "/b/c/d/"}).out ==
        "{\"path\":\"" + a + "/b/c/d/\",\"removed\":[\"" + a + "/b/c/d\",\"" + a + "/b/c\",\"" + a +
            "/b\"]}\n");
  CHECK(osbox({"rmdir", "--json", a + "/x"}).out ==
        "{\"path\":\"" + a + "/x\",\"removed\":[\"" + a + "/x\"]}\n");
  CHECK(core::stat(a)->type == core::Type::dir);
}
