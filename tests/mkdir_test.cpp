#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/changing_names.hpp"
#include "tests/python_os.hpp"

TEST_CASE("mkdir does what every applet owes that changes names") {
  tests::check_changing({"mkdir"});
}

TEST_CASE("mkdir is os.mkdir") {
  const std::string paths[] = {"'x'",         "'x/'",
                               "'x//'",       "'x/.'",
                               "'./x'",       "'d/x'",
                               "'d//x'",      "'ld/x'",
                               "'d/out/x'",   "'sg/x'",
                               "'d'",         "'d/'",
                               "'d/.'",       "'d/..'",
                               "'d/../x'",    "'f'",
                               "'f/'",        "'fifo'",
                               "'lf'",        "'ld'",
                               "'ld/'",       "'dangling'",
                               "'dangling/'", "'dangling/x'",
                               "'loop'",      "'loop/x'",
                               "'nosuch/x'",  "''",
                               "'.'",         "'..'",
                               "'/'",         "'f/x'",
                               "'ro/x'",      "'closed/x'",
                               "'x' * 255",   "'x' * 256",
                               "'x' * 5000",  "'d/' * 2500 + 'x'"};
  std::vector<tests::Twin> twins;
  for (const std::string& path : paths) {
    twins.push_back({"mkdir(" + path + ")", "['mkdir', " + path + "]"});
  }
  CHECK(tests::differences(twins) == "");
  CHECK(tests::differences(twins, "0o022", true) == "");
}

TEST_CASE("mkdir -m is the mode of os.mkdir under every umask") {
  std::vector<tests::Twin> twins;
  for (const auto& [mode, word] : {std::pair{"0o700", "700"},
                                   {"0o700", "00000700"},
                                   {"0", "0"},
                                   {"0o1777", "1777"},
                                   {"0o7777", "7777"},
                                   {"0o700", "go="},
                                   {"0o750", "g-w,o="},
                                   {"0o1777", "+t"},
                                   {"0o500", "u=rX,g=,o-rwx"}}) {
    for (const std::string path : {"x", "sg/x"}) {
      twins.push_back({"mkdir('" + path + "', " + mode + ")",
                       "['mkdir', '-m', '" + std::string(word) + "', '" + path + "']"});
    }
  }
  for (const std::string mask : {"0", "0o022", "0o027", "0o777"}) {
    CHECK(tests::differences(twins, mask, true) == "");
    if (tests::is_long()) CHECK(tests::differences(twins, mask) == "");
  }
  CHECK(tests::differences(twins, "0o027") == "");
}

TEST_CASE("mkdir -m leaves to the umask what a mode for nobody does not name") {
  const Scratch scratch;
  CHECK(tests::shell("umask 027; cd \"$1\" && osbox mkdir -m -w a && osbox mkdir -m =r b && "
                     "osbox mkdir -m a-w c && stat -c %a a b c",
                     {scratch.path()})
            .out == "550\n440\n550\n");
}

TEST_CASE("mkdir -m is one call, and no chmod comes behind it") {
  const Scratch scratch;
  for (const std::string applet : {"mkdir", "makedirs", "mkfifo", "mknod"}) {
    CAPTURE(applet);
    const std::string path = scratch / applet;
    const Ran ran = tests::run(
        {.words = {"strace", "-f", "-e",
                   "trace=mkdir,mkdirat,mknod,mknodat,chmod,fchmod,fchmodat,umask,execve", "sh",
                   "-c", "umask 0; exec \"$@\"", "sh", tests::binary(), applet, "-m", "700",
                   path}});
    CHECK(ran.status == 0);
    CHECK(ran.err.find("chmod") == std::string::npos);
    const std::size_t made = ran.err.find("\"" + path + "\", ");
    REQUIRE(made != std::string::npos);
    CHECK(ran.err.find("0700", made) < ran.err.find('\n', made));
    CHECK(ran.err.find("\"" + path + "\"", made + 1) == std::string::npos);
    // Nobody asks for the umask: an octal mode does not look at it.
    CHECK(ran.err.find("umask", ran.err.rfind("execve(")) == std::string::npos);
    CHECK((core::lstat(path)->mode & 07777) == 0700);
  }
}

TEST_CASE("mkdir takes no wrong mode, and makes nothing then") {
  const Scratch scratch;
  for (const std::string applet : {"mkdir", "makedirs"}) {
    for (const std::string mode :
         {"8", "7-x", "", "-1", "010000", "u+q", "u", "0x1", "+1", "700 "}) {
      CAPTURE(mode);
      const Ran ran = osbox({applet, "--mode=" + mode, scratch / "x"});
      CHECK(ran.status == 2);
      CHECK(ran.out == "");
    }
  }
  CHECK(!core::lstat(scratch / "x"));
}

TEST_CASE("mkdir: of 20 at the same time one makes the lock") {
  const Scratch scratch;
  for (const std::string round : {"1", "2", "3", "4", "5"}) {
    const Ran ran = tests::shell(
        "cd \"$1\" && for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
        "{ osbox mkdir lock$2 2>>err$2 && echo won; } & done; wait; grep -c EEXIST err$2",
        {scratch.path(), round});
    CHECK(ran.out == "won\n19\n");
  }
}

TEST_CASE("mkdir -p is content with a directory, as POSIX has it, and makes what is missing") {
  const Scratch scratch;
  const std::string a = scratch / "a";
  const Ran ran = osbox({"mkdir", "-p", "--json", "-m", "700", a + "/b", a + "/b", a + "/c/"});
  CHECK(ran.status == 0);
  CHECK(ran.out == "{\"path\":\"" + a + "/b\",\"made\":[\"" + a + "\",\"" + a +
                       "/b\"]}\n{\"path\":\"" + a + "/b\",\"made\":[]}\n{\"path\":\"" + a +
                       "/c/\",\"made\":[\"" + a + "/c\"]}\n");
  CHECK((core::stat(a + "/b")->mode & 07777) == 0700);
  scratch.file("f");
  CHECK(osbox({"mkdir", "-p", scratch / "f"}).err ==
        "mkdir: " + (scratch / "f") + ": EEXIST: File exists\n");
}
