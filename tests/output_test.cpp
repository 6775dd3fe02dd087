// Output, errors and exit status of the real program.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/harness.hpp"

using tests::binary;
using tests::run;

TEST_CASE("a full disk is an error that names ENOSPC") {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"strerror"}, {"strerror", "--json"}, {"--list"}, {"--help"}, {"strerror", "--help"}}) {
    tests::Command command{.words = {binary()}, .output_file = "/dev/full"};
    command.words.insert(command.words.end(), words.begin(), words.end());
    const Ran ran = run(command);
    CAPTURE(words.front());
    CHECK(ran.status == 1);
    CHECK(ran.err.find("ENOSPC") != std::string::npos);
    CHECK(tests::lines(ran.err).size() == 1);
  }
  CHECK(run({.words = {binary(), "strerror", "2"}, .output_file = "/dev/full"}).err ==
        "strerror: stdout: write: ENOSPC: No space left on device\n");
  CHECK(run({.words = {binary(), "strerror", "--json", "2"}, .output_file = "/dev/full"}).err ==
        R"({"applet":"strerror","call":"write","path":"stdout","errno":28,"error":"ENOSPC",)"
        R"("message":"No space left on device"})"
        "\n");
  CHECK(run({.words = {binary(), "strerror", "--exit-errno", "2"}, .output_file = "/dev/full"})
            .status == 28);
}

TEST_CASE("standard output that is closed is EBADF, and standard input and error do no harm") {
  const Ran ran = run({.words = {binary(), "strerror", "2"}, .closed = {1}});
  CHECK(ran.status == 1);
  CHECK(ran.err == "strerror: stdout: write: EBADF: Bad file descriptor\n");
  CHECK(run({.words = {binary(), "strerror", "2"}, .closed = {0, 2}}).status == 0);
  CHECK(run({.words = {binary(), "strerror", "0"}, .closed = {0, 1, 2}}).status == 1);
}

TEST_CASE("standard error that cannot be written changes no exit status") {
  CHECK(run({.words = {binary(), "strerror", "2"}, .error_file = "/dev/full"}).status == 0);
  CHECK(run({.words = {binary(), "strerror", "0"}, .error_file = "/dev/full"}).status == 1);
  CHECK(run({.words = {binary(), "strerror", "--nosuch"}, .error_file = "/dev/full"}).status == 2);
  CHECK(run({.words = {binary(), "nosuch"}, .error_file = "/dev/full"}).status == 127);
}

TEST_CASE("a reader that goes away ends the program quietly; with SIGPIPE ignored it is an error") {
  // A pipe without a reader is made by someone who keeps it out of the way first.
  const std::string out = tests::python(R"(
import os, signal, subprocess, sys
for ignored in False, True:
    reader, writer = os.pipe()
    os.close(reader)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN if ignored else signal.SIG_DFL)
    ran = subprocess.run([sys.argv[1], 'strerror'], stdout=writer, stderr=subprocess.PIPE,
                         restore_signals=False)
    os.close(writer)
    print(ran.returncode, ran.stderr.decode().strip())
)",
                                        {binary()});
  CHECK(out == "-13 \n1 strerror: stdout: write: EPIPE: Broken pipe\n");
}

TEST_CASE("after a failure the other operands are done; the status is 1 or the first errno") {
  const std::string lines =
      "[ 2] ENOENT: No such file or directory\n[ 4] EINTR : Interrupted system call\n";
  const Ran ran = run({.words = {binary(), "strerror", "2", "0", "new\nline", "4"}});
  CHECK(ran.status == 1);
  CHECK(ran.out == lines);
  CHECK(ran.err ==
        "strerror: 0: EINVAL: Invalid argument (no such error)\n"
        "strerror: $'new\\nline': EINVAL: Invalid argument (no such error)\n");
  CHECK(run({.words = {binary(), "strerror", "--exit-errno", "2", "0"}}).status == 22);
  CHECK(run({.words = {binary(), "strerror", "0"}, .environment = {"OSBOX_EXIT_ERRNO=1"}}).status ==
        22);
  CHECK(run({.words = {binary(), "strerror", "2"}, .environment = {"OSBOX_EXIT_ERRNO=1"}}).status ==
        0);
  CHECK(run({.words = {binary(), "strerror", "0"}, .environment = {"OSBOX_EXIT_ERRNO=0"}}).status ==
        1);
  const Ran json = run({.words = {binary(), "strerror", "--json", "bad\xff"}});
  CHECK(json.err ==
        R"({"applet":"strerror","call":"strerror","path":"bad\udcff","path_b64":"YmFk/w==",)"
        R"("errno":22,"error":"EINVAL","message":"Invalid argument","note":"no such error"})"
        "\n");
}

TEST_CASE("hostile names stay names in a message") {
  for (const std::string& name : tests::hostile_names()) {
    const Ran ran = run({.words = {binary(), "strerror", "--", name}});
    CAPTURE(ran.err);
    CHECK(ran.status == 1);
    CHECK(tests::lines(ran.err).size() == 1);
    CHECK(ran.err.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("--format is checked before anything is printed") {
  const Ran ran = run({.words = {binary(), "strerror", "--format", "{errno} {nosuch}"}});
  CHECK(ran.status == 2);
  CHECK(ran.out == "");
  CHECK(ran.err.find("no field nosuch; there are errno, name, message, alias") !=
        std::string::npos);
}
