#include <cerrno>

#include "tests/harness.hpp"

namespace {

/// All that execve(2) lets into an environment, and where commands are.
const Words wild = {"A=1",      "PATH=/usr/bin:/bin", "A=2",          "NOEQ", "=x",
                    "bad=\xff", "LINES=a\nb\n\n",     "bad\xfe=name", "",     "E=",
                    "A=3"};

std::string nul_ended(const Words& entries) {
  std::string all;
  for (const std::string& entry : entries) all += entry + '\0';
  return all;
}

/// The environment, NULs behind its entries, that a command has which osbox becomes; and what
/// osbox says.
Ran environment_after(Words words) {
  words.insert(words.begin(), tests::binary());
  words.insert(words.end(), {"cat", "/proc/self/environ"});
  return tests::run({.words = words, .entries = wild});
}

Ran ran(Words words) {
  words.insert(words.begin(), tests::binary());
  return tests::run({.words = words});
}

}  // namespace

TEST_CASE("putenv sets what it is told, and leaves all else as it stands") {
  CHECK(environment_after({"putenv", "A=4"}).out ==
        nul_ended({"A=4", "PATH=/usr/bin:/bin", "NOEQ", "=x", "bad=\xff", "LINES=a\nb\n\n",
                   "bad\xfe=name", "", "E="}));
  Words more = wild;
  more.insert(more.end(), {"NEW=", "N2=a=b", "NOEQ=1", "\xff=\xfe\n"});
  CHECK(environment_after({"putenv", "NEW=", "N2=a=b", "NOEQ=1", "\xff=\xfe\n"}).out ==
        nul_ended(more));
  CHECK(environment_after({"putenv", "NEW=1", "NEW=2"}).out.ends_with(nul_ended({"A=3", "NEW=2"})));
}

TEST_CASE("unsetenv takes all entries of a name away, and no others") {
  CHECK(environment_after({"unsetenv", "A"}).out ==
        nul_ended({"PATH=/usr/bin:/bin", "NOEQ", "=x", "bad=\xff", "LINES=a\nb\n\n", "bad\xfe=name",
                   "", "E="}));
  for (const std::string name : {"NOEQ", "x", "a", "AA", "nosuch"}) {
    CAPTURE(name);
    CHECK(environment_after({"unsetenv", name}).out == nul_ended(wild));
  }
  CHECK(environment_after({"unsetenv", "bad\xfe"}).out.find("name") == std::string::npos);
  CHECK(environment_after({"unsetenv", "A", tests::binary(), "putenv", "A=9"})
            .out.ends_with(nul_ended({"E=", "A=9"})));
}

TEST_CASE("Python sees what it would see of its own os.environ") {
  const std::string show = "import os; print(sorted(os.environb.items()))";
  const auto compare = [&](const Words& words, const std::string& change) {
    Words all = {tests::binary()};
    all.insert(all.end(), words.begin(), words.end());
    all.insert(all.end(), {"python3", "-c", show});
    const Words plain = {"PATH=/usr/bin:/bin", "THIS=that", "OTHER=1"};
    const Ran ours = tests::run({.words = all, .entries = plain});
    CHECK(ours.err == "");
    CHECK(ours.out == tests::run({.words = {"/usr/bin/python3", "-c",
                                            "import os, subprocess, sys\n" + change +
                                                "\nsubprocess.run(['python3', '-c', sys.argv[1]])",
                                            show},
                                  .entries = plain})
                          .out);
  };
  compare({"putenv", "THIS=other", "NEW=\xff"},
          "os.environ['THIS'] = 'other'; os.environb[b'NEW'] = b'\\xff'");
  compare({"unsetenv", "THIS"}, "del os.environ['THIS']");
  compare({"unsetenv", "NOSUCH"}, "os.unsetenv('NOSUCH')");
}

TEST_CASE("names and values are bytes") {
  for (const std::string& bytes : tests::hostile_names()) {
    if (bytes.find('=') != bytes.npos) continue;
    CAPTURE(bytes);
    CHECK(ran({"putenv", "VALUE=" + bytes, "printenv", "VALUE"}).out == bytes + "\n");
    const Ran named = ran({"putenv", "--", bytes + "=1", tests::binary(), "environ", "-0",
                           "--format", "{name}\\n{value}"});
    CHECK(named.out.ends_with(bytes + "\n1" + '\0'));
    CHECK(ran({"putenv", "--", bytes + "=1", tests::binary(), "unsetenv", "--", bytes,
               tests::binary(), "getenv", "--", bytes})
              .status == 1);
  }
}

TEST_CASE("what cannot be a name is EINVAL, and nothing runs") {
  const std::string invalid = ": EINVAL: Invalid argument\n";
  for (const std::string name : {"", "A=B", "=", "=x"}) {
    CAPTURE(name);
    const Ran failed = ran({"unsetenv", name, "echo", "ran"});
    CHECK(failed.status == 125);
    CHECK(failed.out == "");
    const bool plain = name == "A=B";
    CHECK(failed.err == "unsetenv: " + (plain ? name : "'" + name + "'") + invalid);
  }
  const Ran failed = ran({"putenv", "A=1", "=x", "echo", "ran"});
  CHECK(failed.status == 125);
  CHECK(failed.out == "");
  CHECK(failed.err == "putenv: '=x'" + invalid);
  CHECK(ran({"unsetenv", "--exit-errno", "", "true"}).status == 125);
}

TEST_CASE("the first word without a '=' is the command, or the one behind --") {
  CHECK(ran({"putenv", "A=1", "echo", "B=2", "--", "-n"}).out == "B=2 -- -n\n");
  CHECK(ran({"putenv", "A=1", "--", "echo", "--", "x"}).out == "-- x\n");
  CHECK(ran({"putenv", "--", "A=1", "--", "echo", "x"}).out == "x\n");
  CHECK(ran({"putenv", "A=1", "-B=2", "printenv", "A", "-B"}).out == "1\n2\n");
  CHECK(ran({"putenv", "--", "-B=2", "printenv", "--", "-B"}).out == "2\n");
  const Scratch scratch;
  const std::string odd = scratch.file("a=b", "#!/bin/sh\necho odd $A\n", 0755);
  CHECK(ran({"putenv", "A=1", "--", odd}).out == "odd 1\n");
  CHECK(ran({"putenv", "A=1", "PATH=" + scratch.path(), "--", "a=b"}).out == "odd 1\n");
}

TEST_CASE("a setting and a command are needed") {
  for (const Words& words :
       {Words{"putenv"}, Words{"putenv", "echo", "x"}, Words{"putenv", "--", "echo", "A=1"},
        Words{"putenv", "A=1"}, Words{"putenv", "A=1", "--"}, Words{"putenv", "--"},
        Words{"unsetenv"}, Words{"unsetenv", "A"}, Words{"unsetenv", "A", "--"}}) {
    CAPTURE(tests::line(words));
    const Ran wrong = osbox(words);
    CHECK(wrong.status == 2);
    CHECK(wrong.out == "");
    CHECK(wrong.err.starts_with(words[0] + ": missing operand "));
  }
}

TEST_CASE("unsetenv takes one name, and says so where a second one is no command") {
  const auto said = [](std::vector<std::string> words) {
    words.insert(words.begin(), {tests::binary(), "unsetenv", "A"});
    const Ran ran = tests::run({.words = words, .environment = {"A=1", "A_SECOND=", "PATH=/bin"}});
    CHECK(ran.status == 127);
    return ran.err;
  };
  const std::string missing = ": exec: ENOENT: No such file or directory";
  CHECK(said({"A_SECOND", "true"}) ==
        "unsetenv: A_SECOND" + missing + " (behind one NAME stands the command)\n");
  CHECK(said({"A_SECOND"}) == "unsetenv: A_SECOND" + missing + "\n");
  // A command mistyped.
  CHECK(said({"NO_SUCH", "true"}) == "unsetenv: NO_SUCH" + missing + "\n");
  CHECK(said({"", "true"}) == "unsetenv: ''" + missing + "\n");
  CHECK(said({"/no/such", "true"}) == "unsetenv: /no/such" + missing + "\n");
  CHECK(said({"A=1", "true"}) ==
        "unsetenv: A=1" + missing + " (a command is no place to set a variable)\n");
}

TEST_CASE("the command is looked for in the PATH that it gets") {
  const Scratch scratch;
  scratch.directory("bin");
  scratch.file("bin/here", "#!/bin/sh\necho here\n", 0755);
  CHECK(ran({"putenv", "PATH=" + scratch / "bin", "here"}).out == "here\n");
  const Ran gone = ran({"putenv", "PATH=" + scratch / "bin", "true"});
  CHECK(gone.status == 127);
  CHECK(gone.err.starts_with("putenv: true: exec: ENOENT: No such file or directory"));
  CHECK(ran({"unsetenv", "PATH", "true"}).status == 0);
}
