#include <cstdlib>

#include "tests/harness.hpp"

namespace {

/// All that execve(2) lets into an environment.
const std::vector<std::string> wild = {
    "A=1", "A=2", "NOEQ", "=x", "bad=\xff", "LINES=a\nb\n\n", "bad\xfe=name", "QUOTE=it's \"x\"",
    "",    "E="};

Ran printed(const std::vector<std::string>& words) {
  tests::Command command{.words = {tests::binary(), "environ"}, .entries = wild};
  command.words.insert(command.words.end(), words.begin(), words.end());
  return tests::run(command);
}

std::string joined(const std::vector<std::string>& entries, char end) {
  std::string all;
  for (const std::string& entry : entries) all.append(entry).append(1, end);
  return all;
}

}  // namespace

TEST_CASE("environ prints every entry as it stands") {
  CHECK(printed({}).status == 0);
  CHECK(printed({}).out == joined(wild, '\n'));
  CHECK(printed({"-0"}).out == joined(wild, '\0'));
  CHECK(printed({"-0"}).out == tests::run({.words = {"/usr/bin/env", "-0"}, .entries = wild}).out);
}

TEST_CASE("environ gives Python every byte in JSON") {
  const Ran ran = printed({"--json"});
  const std::string seen = tests::python(
      "import json, os, sys\n"
      "for line in sys.argv[1].splitlines():\n"
      "  entry = json.loads(line)\n"
      "  data = os.fsencode(entry['name'])\n"
      "  if entry['value'] is not None: data += b'=' + os.fsencode(entry['value'])\n"
      "  sys.stdout.buffer.write(data + b'\\0')\n",
      {ran.out});
  CHECK(seen == joined(wild, '\0'));
  CHECK(printed({"--json", "NOEQ"}).out == "{\"name\":\"NOEQ\",\"value\":null}\n");
  CHECK(printed({"--json", "bad"}).out ==
        "{\"name\":\"bad\",\"value\":\"\\udcff\",\"value_b64\":\"/w==\"}\n");
}

TEST_CASE("environ gives a shell every byte") {
  std::string last = printed({"--shell", "LINES"}).out;
  const Ran ran =
      tests::shell("eval \"$1\"; printf '%s|%s' \"$environ_name\" \"$environ_value\"", {last});
  CHECK(ran.out == "LINES|a\nb\n\n");
  last = printed({"--shell=v_", "bad"}).out;
  CHECK(tests::shell("eval \"$1\"; printf %s \"$v_value\"", {last}).out == "\xff");
}

TEST_CASE("environ takes the entries whose names match, in the order of the environment") {
  CHECK(printed({"QUOTE", "A"}).out == "A=1\nA=2\nQUOTE=it's \"x\"\n");
  CHECK(printed({"[A-M]"}).out == "A=1\nA=2\nE=\n");
  CHECK(printed({"bad*"}).out == "bad=\xff\nbad\xfe=name\n");
  CHECK(printed({"bad?"}).out == "bad\xfe=name\n");
  CHECK(printed({""}).out == "=x\n\n");
  CHECK(printed({"--format", "{name}", "N*", "E"}).out == "NOEQ\nE\n");
}

TEST_CASE("environ says by its status that a glob matched nothing") {
  const Ran some = printed({"A", "NOSUCH*"});
  CHECK(some.status == 1);
  CHECK(some.out == "A=1\nA=2\n");
  CHECK(some.err.empty());
  CHECK(printed({"a"}).status == 1);
  CHECK(printed({"--nosuch"}).status == 2);
  CHECK(printed({"--format", "{nosuch}"}).status == 2);
}

TEST_CASE("environ refuses a setting, which matches no name") {
  for (const std::string glob : {"A=1", "=x", "*=*"}) {
    const Ran ran = printed({glob, "ls"});
    CHECK(ran.status == 2);
    CHECK(ran.out == "");
    CHECK(ran.err.find(": a name has no '='; osbox putenv sets a variable for a command; see ") !=
          std::string::npos);
  }
  CHECK(printed({"A=1"}).err.starts_with("environ: GLOB A=1: a name "));
  CHECK(printed({"[=A]"}).out == "A=1\nA=2\n");
  CHECK(printed({"[[=A=]]"}).out == "A=1\nA=2\n");
}

TEST_CASE("environ prints nothing of an environment that is empty") {
  const Ran ran = tests::run({.words = {"/usr/bin/env", "-i", tests::binary(), "environ"}});
  CHECK(ran.status == 0);
  CHECK(ran.out.empty());
}

TEST_CASE("environ shows on a terminal what a shell takes back") {
  const auto shown = [](const std::string& value) {
    ::setenv("OSBOX_TEST_SHOWN", value.c_str(), 1);
    const std::string out =
        osbox({"environ", "OSBOX_TEST_SHOWN"}, {.output_is_terminal = true}).out;
    ::unsetenv("OSBOX_TEST_SHOWN");
    return out;
  };
  CHECK(shown("plain") == "OSBOX_TEST_SHOWN=plain\n");
  CHECK(shown("a b") == "OSBOX_TEST_SHOWN='a b'\n");
  CHECK(shown("") == "OSBOX_TEST_SHOWN=''\n");
  CHECK(shown("\x1b[31m") == "OSBOX_TEST_SHOWN=$'\\033[31m'\n");
  for (const std::string& value : tests::hostile_names()) {
    CAPTURE(value);
    const std::string line = shown(value);
    CHECK(tests::lines(line).size() == 1);
    CHECK(tests::shell("eval \"$1\"; printf %s \"$OSBOX_TEST_SHOWN\"", {line}, "bash").out ==
          value);
  }
}
