// Output, errors and exit status of the real program.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

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

TEST_CASE("where a newer call is not offered the results are the same, or an error says so") {
  const Scratch scratch;
  scratch.directory("dir");
  scratch.file("dir/file", "content", 0640);
  scratch.link("file", "dir/link");
  scratch.fifo("dir/fifo");
  const auto with = [&](std::vector<std::string> words, std::vector<tests::Denied> denied) {
    words.insert(words.begin(), binary());
    return run({.words = words, .directory = scratch.path(), .denied = std::move(denied)});
  };
  const std::vector<std::string> list = {"ls", "-l", "dir"};
  const std::vector<std::string> walk = {"walk", "--stat", "--json", "--paths", "dir"};
  REQUIRE(with(list, {}).status == 0);
  REQUIRE(with(walk, {}).status == 0);
  for (const int error : {ENOSYS, EPERM}) {
    CAPTURE(error);
    if (!tests::needs_statx) CHECK(with(list, {{SYS_statx, error}}).out == with(list, {}).out);
    CHECK(with(list, {{SYS_faccessat2, error}, {SYS_openat2, error}}).out == with(list, {}).out);
    CHECK(tests::lines(with(walk, {{SYS_statx, error}}).out).size() == 4);
    const std::string name = error == ENOSYS ? "ENOSYS" : "EPERM";
    for (const std::vector<std::string>& words : {list, {"walk", "dir"}}) {
      const Ran unread = with(words, {{SYS_getdents64, error}});
      CHECK(unread.status == 1);
      CHECK(unread.err.find(": " + name + ": ") != std::string::npos);
    }
    const Ran beneath = with({"ls", "--beneath", "dir", "."}, {{SYS_openat2, error}});
    CHECK(beneath.status == 1);
    CHECK(beneath.out == "");
    CHECK(beneath.err.find("ENOSYS: Function not implemented") != std::string::npos);
  }
}

TEST_CASE("--progress is a line on a real terminal, and gone at the end; elsewhere there is none") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  // A slow list of operands, and standard error first a terminal, then a pipe.
  const std::string out = tests::python(R"(
import os, subprocess, sys, time
for terminal in True, False:
    reader, writer = os.openpty() if terminal else os.pipe()
    child = subprocess.Popen([sys.argv[1], 'ls', '--progress', '--files0-from', '-'], stderr=writer,
                             stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    os.close(writer)
    for i in range(4):
        child.stdin.write(sys.argv[2].encode() + b'\0')
        child.stdin.flush()
        time.sleep(.15)
    child.stdin.close()
    said = b''
    try:
        while True:
            block = os.read(reader, 4096)
            if not block: break
            said += block
    except OSError: pass
    child.wait()
    os.close(reader)
    print(child.returncode, b' done, ' in said, said.endswith(b'   \r'), said == b'')
)",
                                        {binary(), file});
  CHECK(out == "0 True True False\n0 False False True\n");
}

TEST_CASE("on a terminal no line of --progress comes over one of the output") {
  const Scratch scratch;
  scratch.directory("t");
  for (int i = 0; i < 60; ++i) {
    const std::string directory = "t/" + std::to_string(i);
    scratch.directory(directory);
    for (int j = 0; j < 20; ++j) {
      scratch.file(directory + "/" + std::to_string(j) + std::string(200, 'x'));
    }
  }
  // Who reads slowly sees every line as it would be without, and progress at the begin of some.
  const std::string out = tests::python(R"(
import concurrent.futures, os, re, subprocess, sys, time, tty
os.chdir(sys.argv[2])
def said(words, wait):
    reader, writer = os.openpty()
    tty.setraw(writer)
    child = subprocess.Popen([sys.argv[1]] + words, stdin=subprocess.DEVNULL, stdout=writer, stderr=writer)
    os.close(writer)
    text = b''
    try:
        while block := os.read(reader, 4096):
            text += block
            time.sleep(wait)
    except OSError: pass
    os.close(reader)
    assert child.wait() == 0
    return text
progress = re.compile(rb'\r\d+ done, \d+/s *\r +\r')
def is_right(words):
    plain = said(words, 0)
    text = said(words + ['--progress'], .015)
    shown = list(progress.finditer(text))
    over = [one for one in shown if one.start() > 0 and text[one.start() - 1] != ord('\n')]
    return len(shown) > 0 and not over and progress.sub(b'', text) == plain
forms = [['walk', '--tree', 't'], ['walk', '--group', '--color', 't'], ['walk', '--paths', 't'],
         ['walk', '--paths', '--threads', '4', 't']]
with concurrent.futures.ThreadPoolExecutor(len(forms)) as pool: print(list(pool.map(is_right, forms)))
)",
                                        {binary(), scratch.path()});
  CHECK(out == "[True, True, True, True]\n");
}

TEST_CASE("on a terminal a failure stands where it was met, however many threads there are") {
  const Scratch scratch;
  scratch.directory("t");
  for (int i = 0; i < 200; ++i) {
    const std::string name = "t/" + std::to_string(i);
    scratch.directory(name);
    scratch.file(name + "/a");
    if (i % 10 == 0) scratch.link("..", name + "/back");
    scratch.file(name + "/c");
  }
  const std::string out = tests::python(R"(
import os, subprocess, sys
def said(threads):
    reader, writer = os.openpty()
    child = subprocess.Popen([sys.argv[1], 'walk', '--follow', '--format', '{path}', '--threads', threads, 't'],
                             stdin=subprocess.DEVNULL, stdout=writer, stderr=writer)
    os.close(writer)
    text = b''
    try:
        while block := os.read(reader, 4096): text += block
    except OSError: pass
    os.close(reader)
    return child.wait(), text.decode().splitlines()
os.chdir(sys.argv[2])
status, alone = said('1')
met = [i for i, line in enumerate(alone) if line.startswith('walk: t/')]
print(status, len(met), all(alone[i].split('/')[1] == alone[i + 1].split('/')[1] for i in met))
for threads in '2', '4', '8': print(said(threads) == (status, alone))
)",
                                        {binary(), scratch.path()});
  CHECK(out == "1 20 True\nTrue\nTrue\nTrue\n");
}
