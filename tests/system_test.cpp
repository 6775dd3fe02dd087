#include "tests/harness.hpp"

using tests::binary;
using tests::run;

namespace {

Ran system_of(const std::string& script, tests::Command command = {}) {
  command.words = {binary(), "system", script};
  return run(command);
}

}  // namespace

TEST_CASE("system runs a line of shell, and has its status") {
  CHECK(system_of("echo $((6 * 7))").out == "42\n");
  CHECK(system_of("exit 3").status == 3);
  CHECK(system_of("kill -KILL $$").status == 137);
  CHECK(system_of("no_such_command_here 2>/dev/null").status == 127);
  CHECK(system_of("").status == 0);
  CHECK(run({.words = {binary(), "system", "--", "-c"}}).status == 127);
  CHECK(system_of("echo \"$A\"", {.environment = {"A=a\xff b"}}).out == "a\xff b\n");
  CHECK(osbox({"system", "exit 5"}).status == 5);
  CHECK(run({.words = {binary(), "system"}}).status == 2);
  CHECK(run({.words = {binary(), "system", "true", "more"}}).status == 2);
}

TEST_CASE("system --status prints the word that os.system returns") {
  for (const std::string script :
       {"exit 0", "exit 3", "kill -KILL $$", "ulimit -c 0; kill -SEGV $$"}) {
    CAPTURE(script);
    const Ran ran = run({.words = {binary(), "system", "--status", script}});
    CHECK(ran.out == tests::python("import os, sys; print(os.system(sys.argv[1]))", {script}));
  }
  const Ran json = run({.words = {binary(), "system", "--json", "exit 3"}});
  CHECK(json.status == 3);
  CHECK(json.out.find("\"status\":768,\"exit_code\":3,") != std::string::npos);
}

TEST_CASE("system does not wait for what the shell leaves in the background") {
  const Ran pid = system_of("sleep 60 >/dev/null 2>&1 & echo $!");
  CHECK(tests::shell("kill " + pid.out).status == 0);
}
