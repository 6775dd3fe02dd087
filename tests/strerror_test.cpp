#include "tests/harness.hpp"

TEST_CASE("strerror prints the lines of the os module's example") {
  const Ran ran = osbox({"strerror", "2", "4", "16"});
  CHECK(ran.status == 0);
  CHECK(ran.out ==
        "[ 2] ENOENT: No such file or directory\n"
        "[ 4] EINTR : Interrupted system call\n"
        "[16] EBUSY : Device or resource busy\n");
  CHECK(osbox({"strerror", "--format", "[{errno:>2}] {name:<6}: {message}", "2", "4", "16"}).out ==
        ran.out);
}

TEST_CASE("strerror knows every error that Python knows, by number and by name") {
  const auto ask = [](const std::string& format, const std::string& list) {
    std::vector<std::string> words = {"strerror", "--format", format};
    for (const std::string& line : tests::lines(tests::python("import errno\n" + list))) {
      words.push_back(line);
    }
    return osbox(words).out;
  };
  const std::string import = "import errno, os\n";
  CHECK(ask("{errno} {message}", "for n in errno.errorcode: print(n)") ==
        tests::python(import + "for n in errno.errorcode: print(n, os.strerror(n))"));
  CHECK(
      ask("{errno} {name}", "for n in dir(errno):\n if n[0] == 'E': print(n)") ==
      tests::python(import + "for n in dir(errno):\n if n[0] == 'E': print(getattr(errno, n), n)"));
}

TEST_CASE("strerror holds what is no error for a failure") {
  for (const std::string error : {"0", "-1", "41", "4095", "x", "", "2x", " 2", "99999999999"}) {
    const Ran ran = osbox({"strerror", "2", error, "4"});
    CAPTURE(error);
    CHECK(ran.status == 1);
    CHECK(ran.out ==
          "[ 2] ENOENT: No such file or directory\n[ 4] EINTR : Interrupted system call\n");
    CHECK(ran.err.find("EINVAL: Invalid argument (no such error)\n") != std::string::npos);
  }
  CHECK(osbox({"strerror", "-1"}).err ==
        "strerror: -1: EINVAL: Invalid argument (no such error)\n");
}

TEST_CASE("strerror knows aliases both ways") {
  CHECK(osbox({"strerror", "--format", "{errno} {name} {alias}", "EWOULDBLOCK", "EAGAIN", "11"})
            .out == "11 EWOULDBLOCK EAGAIN\n11 EAGAIN EWOULDBLOCK\n11 EAGAIN EWOULDBLOCK\n");
}

TEST_CASE("strerror --search looks in names and messages, whatever their case") {
  const Ran ran = osbox({"strerror", "--search", "DIRECTORY"});
  CHECK(ran.status == 0);
  CHECK(ran.out.find("ENOTDIR") != std::string::npos);
  CHECK(ran.out.find("ENOENT") != std::string::npos);
  CHECK(ran.out.find("EINTR") == std::string::npos);
  CHECK(osbox({"strerror", "--search", "no such text"}).status == 1);
  CHECK(osbox({"strerror", "--search", "directory", "2", "EIO"}).out ==
        "[ 2] ENOENT: No such file or directory\n");
  CHECK(osbox({"strerror", "--search", "directory", "EIO"}).status == 1);
}

TEST_CASE("strerror without ERR has columns for all that there are") {
  const auto all = tests::lines(osbox({"strerror"}).out);
  CHECK(all.size() > 130);
  CHECK(all[1] == "[  2] ENOENT         : No such file or directory");
  for (const std::string& line : all) CHECK(line.find(": ") == all[0].find(": "));
}
