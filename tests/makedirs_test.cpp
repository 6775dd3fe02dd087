#include <sys/stat.h>
#include <unistd.h>

#include "tests/changing_names.hpp"
#include "tests/python_os.hpp"

TEST_CASE("makedirs does what every applet owes that changes names") {
  tests::check_changing({"makedirs"});
}

TEST_CASE("makedirs is os.makedirs") {
  const std::string paths[] = {"'x'",
                               "'x/'",
                               "'x/y/z'",
                               "'x//y///z//'",
                               "'./x/./y'",
                               "'x/y/.'",
                               "'x/./.'",
                               "'x/./'",
                               "'d/x/y'",
                               "'ld/x/y'",
                               "'d/out/x/y'",
                               "'sg/x/y/z'",
                               "'d'",
                               "'d/'",
                               "'d/.'",
                               "'d/..'",
                               "'d/../x'",
                               "'x/../y'",
                               "'x/../ld/y/z'",
                               "'x/y/../../ld/z'",
                               "'x/..'",
                               "'x/../..'",
                               "'nosuch/../f/x'",
                               "'f'",
                               "'f/'",
                               "'f/.'",
                               "'f/x'",
                               "'f/x/y'",
                               "'fifo'",
                               "'lf'",
                               "'lf/x/y'",
                               "'ld'",
                               "'ld/'",
                               "'dangling'",
                               "'dangling/'",
                               "'dangling/x'",
                               "'dangling/x/y'",
                               "'loop'",
                               "'loop/x'",
                               "'loop/x/y'",
                               "''",
                               "'.'",
                               "'..'",
                               "'/'",
                               "'//'",
                               "'ro'",
                               "'ro/e'",
                               "'ro/x/y'",
                               "'closed/x'",
                               "'closed/x/y'",
                               "'x' * 255 + '/y'",
                               "'x' * 256",
                               "'x' * 256 + '/y'",
                               "'y/' + 'x' * 256",
                               "'y/' + 'x' * 256 + '/y'",
                               "getcwd() + '/x/y'",
                               "'x/' * 20",
                               "'d/../' * 500 + 'x/y'"};
  std::vector<tests::Twin> twins;
  for (const std::string& path : paths) {
    twins.push_back({"makedirs(" + path + ")", "['makedirs', " + path + "]"});
    twins.push_back(
        {"makedirs(" + path + ", exist_ok=True)", "['makedirs', '--exist-ok', " + path + "]"});
  }
  twins.push_back({"makedirs('x/y', exist_ok=True)", "['mkdir', '-p', 'x/y']"});
  twins.push_back({"makedirs('d/sub', exist_ok=True)", "['mkdir', '-p', 'd/sub']"});
  CHECK(tests::differences(twins) == "");
  CHECK(tests::differences(twins, "0o022", true) == "");
}

TEST_CASE("makedirs is os.makedirs with every mode and umask, those that lock its maker out too") {
  std::vector<tests::Twin> twins;
  for (const std::string mode : {"777", "700", "0", "1777", "7777"}) {
    for (const std::string path : {"x", "x/y/z", "sg/x/y"}) {
      twins.push_back({"makedirs('" + path + "', 0o" + mode + ")",
                       "['makedirs', '-m', '" + mode + "', '" + path + "']"});
    }
  }
  for (const std::string mask : {"0", "0o022", "0o077", "0o377", "0o777"}) {
    CAPTURE(mask);
    CHECK(tests::differences(twins, mask, true) == "");
    if (tests::is_long()) CHECK(tests::differences(twins, mask) == "");
  }
  CHECK(tests::differences(twins, "0o077") == "");
}

TEST_CASE("makedirs tells what it made, before a failure too") {
  const Scratch scratch;
  const std::string a = scratch / "a";
  CHECK(osbox({"makedirs", "--json", a + "/b//c/./d/"}).out ==
        "{\"path\":\"" + a + "/b//c/./d/\",\"made\":[\"" + a + "\",\"" + a + "/b\",\"" + a +
            "/b//c\",\"" + a + "/b//c/./d\"]}\n");
  CHECK(osbox({"makedirs", "-v", a + "/b/x/y"}).out ==
        "made " + a + "/b/x\nmade " + a + "/b/x/y\n");
  CHECK(osbox({"makedirs", "-v", "--exist-ok", a + "/b/x/y"}).out == "");
  const std::string wrong = a + "/new/" + std::string(256, 'n') + "/x";
  const Ran ran = osbox({"makedirs", "--json", wrong});
  CHECK(ran.status == 1);
  CHECK(ran.out == "{\"path\":\"" + wrong + "\",\"made\":[\"" + a + "/new\"]}\n");
  CHECK(ran.err.find(R"("call":"mkdir","path":")" + wrong + R"(","errno":36)") !=
        std::string::npos);
  CHECK(ran.err.find(R"("note":"at )" + wrong.substr(0, wrong.size() - 2)) != std::string::npos);
}

TEST_CASE("makedirs through a dangling link makes nothing, nor where the link leads") {
  const Scratch scratch;
  const std::string link = scratch.link("nowhere", "dangling");
  for (const std::string rest : {"/x", "/x/y", "/./x"}) {
    CHECK(osbox({"makedirs", "-v", "--exist-ok", link + rest}).err ==
          "makedirs: " + link + rest + ": ENOENT: No such file or directory (at " + link + ")\n");
  }
  CHECK(osbox({"makedirs", "--exist-ok", link}).err ==
        "makedirs: " + link + ": EEXIST: File exists\n");
  // os.makedirs takes this one for done.
  CHECK(osbox({"makedirs", "--exist-ok", link + "/."}).status == 1);
  CHECK(!core::lstat(scratch / "nowhere"));
}

TEST_CASE("makedirs gives the mode to the last directory, and 0777 less the umask to the others") {
  const Scratch scratch;
  const Ran ran = tests::shell(
      "umask 027; cd \"$1\" && osbox makedirs -m 700 a/b/c d/e/./ && "
      "stat -c '%a %n' a a/b a/b/c d d/e",
      {scratch.path()});
  CHECK(ran.out == "750 a\n750 a/b\n700 a/b/c\n750 d\n700 d/e\n");
}

TEST_CASE("makedirs --exist-ok is content below a parent that may not be written") {
  const Scratch scratch;
  scratch.directory("top");
  scratch.directory("top/d");
  const Ran ran = tests::run({.words = {tests::binary(), "makedirs", "--exist-ok",
                                        scratch / "top/d", "/", "/proc/self", "/sys/kernel/"},
                              .as_nobody = true});
  CHECK(ran.err == "");
  CHECK(ran.status == 0);
}

TEST_CASE("makedirs under umask 0377 fails half way, and says what there is") {
  const Scratch scratch;
  scratch.directory("t", 0777);
  const Ran ran = tests::run(
      {.words = {"sh", "-c", "umask 0377; exec \"$1\" makedirs -v a/b/c", "sh", tests::binary()},
       .directory = scratch / "t",
       .as_nobody = true});
  CHECK(ran.status == 1);
  CHECK(ran.out == "made a\n");
  CHECK(ran.err == "makedirs: a/b/c: EACCES: Permission denied (at a/b)\n");
}

TEST_CASE("makedirs below a setgid directory: every level inherits bit and group") {
  const Scratch scratch;
  const std::string top = scratch.directory("top", 02755);
  if (tests::is_root()) REQUIRE(::chown(top.c_str(), 0, 4321) == 0);
  REQUIRE(::chmod(top.c_str(), 02755) == 0);
  REQUIRE(osbox({"makedirs", "-m", "700", top + "/a/b/c"}).status == 0);
  const auto group = core::stat(top)->gid;
  if (tests::is_root()) CHECK(group == 4321);
  for (const std::string name : {"/a", "/a/b", "/a/b/c"}) {
    CAPTURE(name);
    const core::Stat made = *core::stat(top + name);
    CHECK((made.mode & 02000) == 02000);
    CHECK(made.gid == group);
  }
}

TEST_CASE("makedirs: 8 at the same time all succeed with --exist-ok, and one without") {
  const Scratch scratch;
  std::string path;
  for (int i = 0; i < 40; ++i) path += "/level" + std::to_string(i);
  for (const std::string round : {"1", "2", "3", "4", "5"}) {
    const Ran all = tests::shell(
        "for i in 1 2 3 4 5 6 7 8; do { osbox makedirs --exist-ok \"$1\" && echo done; } & done; "
        "wait",
        {scratch / ("ok" + round) + path});
    CHECK(all.err == "");
    CHECK(tests::lines(all.out).size() == 8);
    const Ran one = tests::shell(
        "for i in 1 2 3 4 5 6 7 8; do { osbox makedirs \"$1\" && echo done; } & done; wait",
        {scratch / ("one" + round) + path});
    CHECK(one.out == "done\n");
    CHECK(tests::lines(one.err).size() == 7);
    for (const std::string& line : tests::lines(one.err)) {
      CHECK(line.ends_with(": EEXIST: File exists"));
    }
  }
}

TEST_CASE("makedirs and removedirs go deeper than PATH_MAX with few descriptors") {
  // Tens of thousands of directories keep a disk busy.
  const Scratch scratch("/dev/shm");
  std::string wide;
  for (int i = 0; i < 300; ++i) wide += std::string(40, 'w') + "/";
  std::string deep;
  for (unsigned i = 0; i < tests::deep(); ++i) deep += "a/";
  for (const auto& [path, beneath] : {std::pair{wide, false}, {wide, true}, {deep, false}}) {
    if (beneath && !tests::newer_calls()) continue;
    CAPTURE(beneath);
    const std::string top = scratch.directory("top");
    const auto ran = [&, &restricted = beneath](std::vector<std::string> words,
                                                const std::string& operand) {
      words.insert(words.begin(), tests::binary());
      if (restricted) words.insert(words.end(), {"--beneath", top});
      words.push_back(operand);
      const Ran made =
          tests::run({.words = words, .directory = restricted ? "/" : top, .descriptors = 16});
      CHECK(made.err == "");
      return made.status;
    };
    // Half of it, so that the rest begins behind more than the kernel takes at once.
    CHECK(ran({"makedirs"}, path.substr(0, path.size() / 2)) == 0);
    CHECK(ran({"makedirs", "-m", "700"}, path + "last") == 0);
    CHECK(ran({"makedirs", "--exist-ok"}, path + "./last/./") == 0);
    CHECK(tests::shell("find \"$1\" -name last -perm 700 -printf x", {top}).out == "x");
    CHECK(ran({"removedirs", "--stop-at", "."}, path + "last/") == 0);
    CHECK(::rmdir(top.c_str()) == 0);
  }
}

TEST_CASE("makedirs works wherever the end of what the kernel takes at once falls") {
  const Scratch scratch;
  const std::string path = [] {
    std::string names;
    for (int i = 0; i < 60; ++i) names += std::string(99, 'n') + "/";
    return names;
  }();
  // With slashes in front of a name it may end anywhere around them.
  for (std::size_t slashes = 1; slashes < 8; ++slashes) {
    std::string shifted = path;
    shifted.insert(99, slashes, '/');
    shifted.insert(4000, slashes, '/');
    for (const std::size_t length : {4093U, 4094U, 4095U, 4096U, 4097U, 4098U, 5000U}) {
      CAPTURE(slashes);
      CAPTURE(length);
      const std::string part = shifted.substr(0, length);
      tests::Command command{.words = {tests::binary(), "makedirs", part},
                             .directory = scratch.path()};
      CHECK(tests::run(command).status == 0);
      command.words = {tests::binary(), "makedirs", part};
      CHECK(tests::run(command).err.ends_with(": EEXIST: File exists\n"));
      command.words = {tests::binary(), "removedirs", part};
      CHECK(tests::run(command).status == 0);
    }
  }
  CHECK(tests::shell("ls -A \"$1\"", {scratch.path()}).out == "");
}
