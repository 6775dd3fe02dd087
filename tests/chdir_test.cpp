#include <cstdlib>

#include "tests/harness.hpp"

namespace {

Ran chdir_in(const std::string& directory, Words words) {
  words.insert(words.begin(), {tests::binary(), "chdir"});
  return tests::run({.words = words, .directory = directory});
}

std::string real(const Scratch& scratch) {
  return tests::python("import os, sys; print(os.path.realpath(sys.argv[1]), end='')",
                       {scratch.path()});
}

}  // namespace

TEST_CASE("the command runs where it is told, whatever the name") {
  const Scratch scratch;
  const std::string base = real(scratch);
  for (const std::string& name : tests::hostile_names()) {
    CAPTURE(name);
    scratch.directory(name);
    CHECK(chdir_in(scratch.path(), {"--", name, "pwd", "-P"}).out == base + "/" + name + "\n");
    CHECK(chdir_in("/", {scratch / name, tests::binary(), "getcwd", "-0"}).out ==
          base + "/" + name + '\0');
  }
}

TEST_CASE("one directory up, as os.pardir of the os module's example") {
  const Scratch scratch;
  scratch.directory("d");
  const Ran ran = chdir_in(scratch / "d", {"..", "pwd", "-P"});
  CHECK(ran.status == 0);
  CHECK(ran.out == real(scratch) + "\n");
  CHECK(ran.out == tests::python("import os, sys\nos.chdir(sys.argv[1])\nos.chdir(os.pardir)\n"
                                 "print(os.getcwd())",
                                 {scratch / "d"}));
}

TEST_CASE("links are followed, and $PWD is left alone") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.link("d", "l");
  CHECK(chdir_in(scratch.path(), {"l", "pwd", "-P"}).out == real(scratch) + "/d\n");
  CHECK(tests::run({.words = {tests::binary(), "chdir", "/", "printenv", "PWD", "OLDPWD"},
                    .environment = {"PWD=/x", "OLDPWD=/y"}})
            .out == "/x\n/y\n");
}

TEST_CASE("a command with a slash, and a relative PATH, are meant from there") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.file("d/here", "#!/bin/sh\necho here\n", 0755);
  CHECK(chdir_in(scratch.path(), {"d", "./here"}).out == "here\n");
  CHECK(chdir_in(scratch.path(), {"d", "d/here"}).status == 127);
  CHECK(tests::run({.words = {tests::binary(), "chdir", "d", "here"},
                    .environment = {"PATH=."},
                    .directory = scratch.path()})
            .out == "here\n");
}

TEST_CASE("a directory that cannot be entered is told, and nothing runs") {
  const Scratch scratch;
  scratch.file("file");
  scratch.link("loop", "loop");
  scratch.directory("locked", 0700);
  const auto failed = [&](const std::string& directory, const std::string& message) {
    CAPTURE(directory);
    const Ran ran = tests::run({.words = {tests::binary(), "chdir", directory, "echo", "ran"},
                                .directory = scratch.path(),
                                .as_nobody = true});
    CHECK(ran.status == 125);
    CHECK(ran.out == "");
    CHECK(ran.err == "chdir: " + (directory.empty() ? "''" : directory) + ": " + message + "\n");
  };
  failed("nosuch", "ENOENT: No such file or directory");
  failed("", "ENOENT: No such file or directory");
  failed("file", "ENOTDIR: Not a directory");
  failed("loop", "ELOOP: Too many levels of symbolic links");
  failed(std::string(256, 'n'), "ENAMETOOLONG: File name too long");
  if (tests::is_root()) failed("locked", "EACCES: Permission denied");
}

TEST_CASE("chdir composes with itself and with others") {
  const Scratch scratch;
  scratch.directory("a");
  scratch.directory("a/b");
  const std::string osbox = tests::binary();
  CHECK(chdir_in(scratch.path(), {"a", osbox, "chdir", "b", osbox, "umask", "027", osbox, "putenv",
                                  "A=1", "sh", "-c", "pwd -P; umask; echo $A"})
            .out == real(scratch) + "/a/b\n0027\n1\n");
}

TEST_CASE("a directory and a command are needed") {
  CHECK(osbox({"chdir"}).err == "chdir: missing operand DIR; see 'osbox chdir --help'\n");
  CHECK(
      osbox({"chdir", "/"}).err ==
      "chdir: missing operand COMMAND (the change is for that alone); see 'osbox chdir --help'\n");
  CHECK(osbox({"chdir", "/", "--"}).status == 2);
}

TEST_CASE("what osbox becomes has no signal blocked, and SIGPIPE as by default") {
  // Python ignores SIGPIPE, and this one blocks signals as well.
  const Ran ran = tests::run({.words = {"python3", "-c",
                                        "import os, signal, sys\n"
                                        "signal.pthread_sigmask(signal.SIG_BLOCK, [10, 13, 15])\n"
                                        "signal.signal(signal.SIGUSR2, signal.SIG_IGN)\n"
                                        "os.execv(sys.argv[1], ['osbox', 'chdir', '/', 'grep', "
                                        "'-E', 'Sig(Blk|Ign)', '/proc/self/status'])\n",
                                        tests::binary()}});
  // What was ignored, as by a shell's trap, stays so: SIGUSR2, and SIGXFSZ, which Python ignores.
  CHECK(ran.out == "SigBlk:\t0000000000000000\nSigIgn:\t0000000001000800\n");
}
