#include <cstdlib>

#include "tests/harness.hpp"

namespace {

/// Runs the real osbox in an environment of exactly these entries.
Ran printed(const std::vector<std::string>& words,
            const std::vector<std::string>& entries = {"A=1", "A=2", "NOEQ", "=x",
                                                       "EMPTY=", "bad=\xff", "bad\xfe=name",
                                                       "LINES=a\nb\n\n"}) {
  tests::Command command{.words = {tests::binary(), "getenv"}, .entries = entries};
  command.words.insert(command.words.end(), words.begin(), words.end());
  return tests::run(command);
}

}  // namespace

TEST_CASE("getenv prints values byte for byte, of several entries the first") {
  CHECK(printed({"A"}).out == "1\n");
  CHECK(printed({"A"}).status == 0);
  CHECK(printed({"EMPTY", "LINES", "bad", "bad\xfe"}).out == "\na\nb\n\n\n\xff\nname\n");
  CHECK(printed({"-0", "EMPTY", "LINES"}).out == std::string("\0a\nb\n\n\0", 7));
}

TEST_CASE("getenv agrees with Python's os.getenvb") {
  tests::Command command{
      .words = {"/usr/bin/env", "python3", "-c",
                "import os, subprocess, sys\n"
                "names = list(os.environb)\n"
                "out = subprocess.run([sys.argv[1], 'getenv', '-0', *names], "
                "stdout=subprocess.PIPE).stdout\n"
                "print(out == b''.join(os.getenvb(n) + b'\\0' for n in names), len(names) > 3)\n",
                tests::binary()},
      .environment = {"OSBOX_A=bad\xff", "OSBOX_B=new\nline\n\n", "OSBOX_C="}};
  CHECK(tests::run(command).out == "True True\n");
}

TEST_CASE("getenv says by its status that a name is not set, and goes on") {
  const Ran ran = printed({"A", "NOSUCH", "EMPTY"});
  CHECK(ran.status == 1);
  CHECK(ran.out == "1\n\n");
  CHECK(ran.err.empty());
  CHECK(printed({"NOEQ"}).status == 1);
  CHECK(printed({"--exit-errno", "NOSUCH"}).status == 1);
}

TEST_CASE("getenv --default stands in for what is not set, not for what is empty") {
  const Ran ran = printed({"--default", "V", "NOSUCH", "A", "EMPTY"});
  CHECK(ran.status == 0);
  CHECK(ran.out == "V\n1\n\n");
  CHECK(printed({"--default", "", "NOSUCH"}).out == "\n");
  CHECK(printed({"--default=a b\xff", "NOSUCH"}).out == "a b\xff\n");
  CHECK(printed({"--default", "V", "--json", "NOSUCH"}).out ==
        "{\"name\":\"NOSUCH\",\"value\":\"V\"}\n");
}

TEST_CASE("getenv tells programs of every name") {
  const Ran ran = printed({"--json", "A", "NOSUCH", "bad"});
  CHECK(ran.status == 1);
  CHECK(ran.out ==
        "{\"name\":\"A\",\"value\":\"1\"}\n"
        "{\"name\":\"NOSUCH\",\"value\":null}\n"
        "{\"name\":\"bad\",\"value\":\"\\udcff\",\"value_b64\":\"/w==\"}\n");
  CHECK(printed({"--format", "{name:>6}={value}", "A", "NOSUCH"}).out == "     A=1\nNOSUCH=\n");
  CHECK(printed({"--shell", "A"}).out == "getenv_name=A getenv_value=1\n");
  const Ran shell =
      tests::shell("eval \"$1\"; printf %s \"$getenv_value\"", {printed({"--shell", "LINES"}).out});
  CHECK(shell.out == "a\nb\n\n");
}

TEST_CASE("getenv holds what cannot be a name for trouble") {
  const Ran ran = printed({"", "A=1", "NOSUCH", "A"});
  CHECK(ran.status == 2);
  CHECK(ran.out == "1\n");
  CHECK(ran.err ==
        "getenv: '': EINVAL: Invalid argument\n"
        "getenv: A=1: EINVAL: Invalid argument\n");
  CHECK(printed({"--exit-errno", "A=1"}).status == EINVAL);
  CHECK(printed({"--json", "A=1"}).err ==
        "{\"applet\":\"getenv\",\"call\":\"getenv\",\"path\":\"A=1\",\"errno\":22,"
        "\"error\":\"EINVAL\",\"message\":\"Invalid argument\"}\n");
  CHECK(printed({}).status == 2);
}

TEST_CASE("getenv takes any name") {
  for (const std::string& name : tests::hostile_names()) {
    if (name.find('=') != std::string::npos) continue;
    CAPTURE(name);
    CHECK(printed({"--", name}, {name + "=" + name}).out == name + "\n");
  }
}

TEST_CASE("getenv shows values safely on a terminal") {
  ::setenv("OSBOX_TEST_SHOWN", "\x1b[31m", 1);
  const out::Screen terminal{.output_is_terminal = true};
  CHECK(osbox({"getenv", "OSBOX_TEST_SHOWN"}, terminal).out == "$'\\033[31m'\n");
  CHECK(osbox({"getenv", "-0", "OSBOX_TEST_SHOWN"}, terminal).out == std::string("\x1b[31m\0", 6));
  ::unsetenv("OSBOX_TEST_SHOWN");
}
