#include "core/sys/stat.hpp"
#include "tests/harness.hpp"

TEST_CASE("link makes another name of one file, and says nothing") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "content");
  const Ran ran = osbox({"link", file, scratch / "name"});
  CHECK(ran.status == 0);
  CHECK(ran.out == "");
  CHECK(ran.err == "");
  CHECK(core::stat(file)->ino == core::stat(scratch / "name")->ino);
}
