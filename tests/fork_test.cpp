#include "tests/harness.hpp"

using tests::binary;
using tests::run;

TEST_CASE("fork prints the child's pid, and becomes its parent") {
  // The child says something once its parent has the other command.
  const Ran ran = tests::shell(
      "echo $$; exec osbox fork sh -c 'until [ \"$(tr \"\\0\" \" \" </proc/$PPID/cmdline)\" = "
      "\"osbox wait \" ]; "
      "do sleep .01; done; echo child $$ $PPID' \\; osbox wait");
  CHECK(ran.status == 0);
  const auto lines = tests::lines(ran.out);
  REQUIRE(lines.size() == 4);
  const std::string& parent = lines[0];
  const std::string& child = lines[1];
  CHECK(lines[2] == "child " + child + " " + parent);
  CHECK(lines[3] == child + " 0 exited 0");
}

TEST_CASE("fork and fork and wait: the exit words of two workers") {
  const Ran ran = tests::shell(
      "osbox fork sh -c 'exit 0' \\; osbox fork sh -c 'sleep .3; exit 1' \\; osbox wait --count 2");
  CHECK(ran.status == 0);
  const auto lines = tests::lines(ran.out);
  REQUIRE(lines.size() == 4);
  CHECK(lines[2] == lines[0] + " 0 exited 0");
  CHECK(lines[3] == lines[1] + " 256 exited 1");
}

TEST_CASE("fork without a parent leaves the child to itself") {
  const Scratch scratch;
  const std::string fifo = scratch.fifo("fifo");
  const Ran ran = tests::shell(
      "osbox fork sh -c 'exec >\"$1\"; echo on its own' sh \"$1\"; cat \"$1\"", {fifo});
  const auto lines = tests::lines(ran.out);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find_first_not_of("0123456789") == std::string::npos);
  CHECK(lines[1] == "on its own");
  const Ran json = run({.words = {binary(), "fork", "--json", "true"}});
  CHECK(json.out.starts_with("{\"pid\":"));
  CHECK(json.out.find("\"inode\":") != std::string::npos);
}

TEST_CASE("fork does not become the parent of a child that could not be") {
  const Ran missing = run({.words = {binary(), "fork", "/no/such", ";", "echo", "ran"}});
  CHECK(missing.status == 127);
  CHECK(missing.out == "");
  CHECK(missing.err == "fork: /no/such: exec: ENOENT: No such file or directory\n");
  // The parent cannot be executed; the child runs already, and its pid was told.
  const Ran parent = run({.words = {binary(), "fork", "true", ";", "/no/such"}});
  CHECK(parent.status == 127);
  CHECK(parent.out != "");
  CHECK(run({.words = {binary(), "fork", ";", "true"}}).status == 2);
  CHECK(run({.words = {binary(), "fork", "true", ";"}}).status == 2);
  CHECK(run({.words = {binary(), "fork"}}).status == 2);
}

TEST_CASE("where the child's pid cannot be told it is killed, and the parent does not run") {
  const Scratch scratch;
  const std::string said = scratch.fifo("said");
  const std::string go = scratch.fifo("go");
  for (const std::string parent : {"", "\\; echo ran"}) {
    CAPTURE(parent);
    const Ran full = tests::shell(
        "exec 5<>\"$2\"; cat \"$1\" &\n"
        "{ osbox fork sh -c 'read -r line <&5; echo alive >&4' " +
            parent + " >/dev/full; echo $?; echo go >&5; } 4>\"$1\"; wait",
        {said, go});
    CHECK(full.out == "125\n");
    CHECK(full.err == "fork: stdout: write: ENOSPC: No space left on device\n");
  }
}
