#include "core/sys/stat.hpp"
#include "tests/harness.hpp"

TEST_CASE("unlink takes a name away, and says nothing") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const Ran ran = osbox({"unlink", file});
  CHECK(ran.status == 0);
  CHECK(ran.out == "");
  CHECK(ran.err == "");
  CHECK(!core::lstat(file));
}
