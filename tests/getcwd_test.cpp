#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/harness.hpp"

namespace {

/// This process, in `directory` for as long as the object lives.
class In {
 public:
  explicit In(const std::string& directory) : back_(::open(".", O_PATH | O_CLOEXEC)) {
    REQUIRE(::chdir(directory.c_str()) == 0);
  }
  ~In() {
    if (::fchdir(back_) != 0) std::abort();
    ::close(back_);
  }
  In(const In&) = delete;
  In& operator=(const In&) = delete;

 private:
  int back_;
};

/// The path of `scratch` without symbolic links.
std::string real(const Scratch& scratch) {
  char* const path = ::realpath(scratch.path().c_str(), nullptr);
  REQUIRE(path != nullptr);
  std::string copy = path;
  std::free(path);
  return copy;
}

}  // namespace

TEST_CASE("getcwd prints where the process is, whatever the name and $PWD") {
  const Scratch scratch;
  const std::string base = real(scratch);
  for (const std::string& name : tests::hostile_names()) {
    CAPTURE(name);
    const std::string path = scratch.directory(name);
    const Ran ran = tests::run(
        {.words = {tests::binary(), "getcwd"}, .environment = {"PWD=/"}, .directory = path});
    CHECK(ran.status == 0);
    CHECK(ran.out == base + "/" + name + "\n");
    CHECK(tests::run({.words = {tests::binary(), "getcwd", "-0"}, .directory = path}).out ==
          base + "/" + name + '\0');
  }
}

TEST_CASE("getcwd resolves the links that led there") {
  const Scratch scratch;
  scratch.directory("d");
  const In inside(scratch.link("d", "l"));
  CHECK(osbox({"getcwd"}).out == real(scratch) + "/d\n");
}

TEST_CASE("getcwd gives every byte to programs, and none of them to a terminal") {
  const Scratch scratch;
  std::string expected;
  std::vector<std::string> json;
  for (const std::string& name : tests::hostile_names()) {
    CAPTURE(name);
    const In inside(scratch.directory(name));
    const std::string path = real(scratch) + "/" + name;
    json.push_back(osbox({"getcwd", "--json"}).out);
    expected += path + '\0';
    const std::string shown = osbox({"getcwd"}, {.output_is_terminal = true}).out;
    CHECK(shown.find_first_of("\x1b\t\xff\xfe") == std::string::npos);
    CHECK(
        tests::shell("eval \"$1\"; printf %s \"$getcwd_path\"", {osbox({"getcwd", "--shell"}).out})
            .out == path);
    CHECK(osbox({"getcwd", "--format", "<{path}>"}).out == "<" + path + ">\n");
  }
  CHECK(tests::python("import json, os, sys\n"
                      "for text in sys.argv[1:]:\n"
                      "  sys.stdout.buffer.write(os.fsencode(json.loads(text)['path']) + b'\\0')\n",
                      json) == expected);
}

TEST_CASE("getcwd says that the directory was deleted") {
  const Scratch scratch;
  const Ran ran =
      tests::shell("mkdir \"$1\"; cd \"$1\"; rmdir \"$1\"; osbox getcwd", {scratch / "gone"});
  CHECK(ran.status == 1);
  CHECK(ran.out.empty());
  CHECK(ran.err == "getcwd: ENOENT: No such file or directory\n");
  const Ran json =
      tests::shell("mkdir \"$1\"; cd \"$1\"; rmdir \"$1\"; osbox getcwd --json --exit-errno",
                   {scratch / "gone"});
  CHECK(json.status == ENOENT);
  CHECK(json.err ==
        "{\"applet\":\"getcwd\",\"call\":\"getcwd\",\"path\":null,\"errno\":2,"
        "\"error\":\"ENOENT\",\"message\":\"No such file or directory\"}\n");
}

TEST_CASE("getcwd prints a path longer than any one call takes") {
  const Scratch scratch;
  for (const bool nobody : {false, true}) {
    CAPTURE(nobody);
    const tests::Command command{
        .words = {"python3", "-c",
                  "import os, subprocess, sys\n"
                  "path = os.getcwd()\n"
                  "name = 'n' * 200\n"
                  "for i in range(40):\n"
                  "  if not os.path.exists(name): os.mkdir(name)\n"
                  "  os.chdir(name)\n"
                  "  path += '/' + name\n"
                  "ran = subprocess.run([sys.argv[1], 'getcwd'], stdout=subprocess.PIPE)\n"
                  "print(len(path) > 8000, ran.returncode,\n"
                  "      ran.stdout == os.fsencode(path) + b'\\n', path == os.getcwd())\n",
                  tests::binary()},
        .directory = scratch.path(),
        .as_nobody = nobody};
    CHECK(tests::run(command).out == "True 0 True True\n");
  }
}

TEST_CASE("getcwd says that the directory cannot be reached") {
  // The file system is detached while the shell stands in it.
  const Scratch scratch;
  std::vector<std::string> words = {"unshare", tests::is_root() ? "-m" : "-Urm", "true"};
  if (tests::run({.words = words}).status != 0) {
    MESSAGE("not tested: no mount namespace to be had here");
    return;
  }
  words.back() = "sh";
  for (const std::string& word :
       {std::string("-c"),
        std::string("mount -t tmpfs none \"$1\" && mkdir \"$1/sub\" && cd \"$1/sub\" && "
                    "umount -l \"$1\" && exec \"$2\" getcwd"),
        std::string("sh"), scratch.directory("d"), tests::binary()}) {
    words.push_back(word);
  }
  const Ran ran = tests::run({.words = words});
  CHECK(ran.status == 0);
  CHECK(ran.out == "(unreachable)/sub\n");
  CHECK(ran.err.empty());
}

TEST_CASE("getcwd takes no operand") { CHECK(osbox({"getcwd", "x"}).status == 2); }
