#include <sys/stat.h>

#include "tests/harness.hpp"

namespace {

Ran ran(Words words) {
  words.insert(words.begin(), {tests::binary(), "umask"});
  return tests::run({.words = words});
}

/// The umask after `osbox umask MODE` where it was `before`, as the kernel has it.
std::string after(const std::string& before, const std::string& mode) {
  return tests::shell(
             "umask \"$1\"; osbox umask -- \"$2\" sed -n 's/^Umask:[^0-9]*//p' "
             "/proc/self/status",
             {before, mode})
      .out;
}

}  // namespace

TEST_CASE("umask prints that of whoever runs it") {
  for (const std::string mask : {"0022", "0000", "0777", "0077", "0027", "0135"}) {
    CAPTURE(mask);
    const auto print = [&](const std::string& options) {
      return tests::shell("umask " + mask + "; osbox umask " + options).out;
    };
    CHECK(print("") == mask + "\n");
    CHECK(print("--format '{symbolic}'") == tests::shell("umask " + mask + "; umask -S").out);
    CHECK(print("--json") ==
          tests::python("import json, os, subprocess, sys\n"
                        "mask = int(sys.argv[1], 8)\n"
                        "os.umask(mask)\n"
                        "text = subprocess.run(['sh', '-c', 'umask -S'], text=True,\n"
                        "                      stdout=subprocess.PIPE).stdout.strip()\n"
                        "print(json.dumps({'umask': os.umask(0), 'symbolic': text},\n"
                        "                 separators=(',', ':')))\n",
                        {mask}));
  }
  CHECK(tests::shell("umask 027; eval \"$(osbox umask --shell)\"; echo $umask_umask").out ==
        "23\n");
}

TEST_CASE("to print the umask does not change it") {
  const ::mode_t before = ::umask(0137);
  CHECK(osbox({"umask"}).out == "0137\n");
  const ::mode_t now = ::umask(before);
  CHECK(now == 0137);
}

TEST_CASE("an octal mode is what new files do not get") {
  for (const std::string mode : {"0", "22", "022", "0022", "777", "00000027"}) {
    CAPTURE(mode);
    CHECK(after("0002", mode) == tests::python("import os, sys\nos.umask(int(sys.argv[1], 8))\n"
                                               "print('%04o' % os.umask(0))\n",
                                               {mode}));
  }
  const Scratch scratch;
  ran({"027", "touch", scratch / "file"});
  struct ::stat made{};
  REQUIRE(::stat((scratch / "file").c_str(), &made) == 0);
  CHECK((made.st_mode & 0777) == 0640);
}

TEST_CASE("a symbolic mode is what they may get, as in dash") {
  for (const std::string before : {"0022", "0000", "0777", "0137"}) {
    for (const std::string mode : {"u=rwx,g=rx,o=", "g-w", "g+w", "o=", "a=rx", "u-x,o+r", "g=u",
                                   "ug+w", "a=", "go-rwx", "u=r,u+w", "o=g", "u+rwx-x"}) {
      CAPTURE(before);
      CAPTURE(mode);
      const std::string theirs =
          tests::shell("umask \"$1\"; umask -- \"$2\" && umask", {before, mode}, "dash").out;
      CHECK(theirs != "");
      CHECK(after(before, mode) == theirs);
    }
  }
  // Where nobody is named, all are meant: the umask is no umask to itself.
  CHECK(after("0022", "+w") == "0000\n");
  CHECK(after("0022", "-r") == "0466\n");
  CHECK(after("0022", "=rx") == "0222\n");
}

TEST_CASE("what is no umask is wrong usage, and nothing runs") {
  for (const std::string mode : {"8", "", "7-x", "-1", "1000", "7777", "010000", "u+q", "0x1f", "x",
                                 "u+s", "g=s", "+t", "o+t", "a=rwxst", "022 "}) {
    CAPTURE(mode);
    const Ran wrong = osbox({"umask", "--", mode, "echo", "ran"});
    CHECK(wrong.status == 2);
    CHECK(wrong.out == "");
    CHECK(wrong.err.starts_with("umask: MODE "));
  }
  CHECK(osbox({"umask", "1777", "true"}).err ==
        "umask: MODE 1777: greater than 777; see 'osbox umask --help'\n");
  CHECK(
      osbox({"umask", "022"}).err ==
      "umask: missing operand COMMAND (the change is for that alone); see 'osbox umask --help'\n");
  CHECK(osbox({"umask", "--format", "{nosuch}"}).status == 2);
}

TEST_CASE("a lost umask is told, and no status of a command") {
  const Ran full = tests::run({.words = {tests::binary(), "umask"}, .output_file = "/dev/full"});
  CHECK(full.status == 1);
  CHECK(full.err == "umask: stdout: write: ENOSPC: No space left on device\n");
  CHECK(ran({"022", "/nosuch/command"}).status == 127);
}
