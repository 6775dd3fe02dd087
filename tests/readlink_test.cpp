#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"

TEST_CASE("readlink prints the text of a link, any bytes of it") {
  const Scratch scratch;
  std::string expected;
  std::vector<std::string> words = {"readlink", "-0"};
  for (const std::string& name : tests::hostile_names()) {
    words.push_back(scratch.link(name, "to " + name.substr(0, 200)));
    expected += name + '\0';
  }
  const Ran ran = osbox(words);
  CHECK(ran.status == 0);
  CHECK(ran.out == expected);
  CHECK(osbox({"readlink", scratch.link("a b", "link")}).out == "a b\n");
  const Ran assigned =
      tests::shell(R"sh(eval "$(osbox readlink --shell "$1")"; printf %s. "$readlink_target")sh",
                   {scratch.link("ends\n\n", "newlines")});
  CHECK(assigned.out == "ends\n\n.");
}

TEST_CASE("readlink copes with the longest text there is, and with links that tell no length") {
  const Scratch scratch;
  const std::string longest(4095, 'x');
  CHECK(osbox({"readlink", scratch.link(longest, "link")}).out == longest + "\n");
  // The size of these is 0.
  CHECK(tests::shell("exec osbox readlink /proc/self/exe").out ==
        tests::shell("readlink -f \"$(command -v osbox)\"").out);
}

TEST_CASE("readlink goes on after a failure") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const std::string link = scratch.link("file", "link");
  const Ran ran = osbox({"readlink", file, scratch / "nosuch", "", link});
  CHECK(ran.status == 1);
  CHECK(ran.out == "file\n");
  CHECK(ran.err == "readlink: " + file +
                       ": EINVAL: Invalid argument (not a symbolic link)\n"
                       "readlink: " +
                       (scratch / "nosuch") +
                       ": ENOENT: No such file or directory\n"
                       "readlink: '': ENOENT: No such file or directory\n");
  CHECK(osbox({"readlink", "--json", link}).out ==
        "{\"path\":\"" + link + "\",\"target\":\"file\"}\n");
}

TEST_CASE("readlink -f, -e and -m are GNU's") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.directory("d/e");
  scratch.file("d/f");
  for (const auto& [target, name] : {
           std::pair{"d", "ld"},
           {"d/f", "lf"},
           {"nosuch", "dangling"},
           {"nosuch/x", "dangling2"},
           {"loop2", "loop"},
           {"loop", "loop2"},
           {"..", "up"},
           {"/etc/../etc/passwd", "absolute"},
           {"../d", "d/u"},
           {"d/", "slash"},
           {"d/f/", "file-slash"},
           {"d/../ld/./e//", "dots"},
           {"/", "root"},
       }) {
    scratch.link(target, name);
  }
  const char* const paths[] = {
      "d/f",
      "d/./f",
      "d//e///",
      "d/e/../f",
      "ld/u/e",
      "ld/e/..",
      "lf",
      "lf/",
      "lf/..",
      "lf/x",
      "d/f/",
      "d/f/.",
      "d/f/..",
      "d/f/../g",
      "dangling",
      "dangling/",
      "dangling/.",
      "dangling2",
      "dangling/..",
      "nosuch",
      "nosuch/",
      "nosuch//",
      "nosuch/.",
      "nosuch/..",
      "nosuch/x",
      "nosuch/../d/f",
      "nosuch/../ld/u",
      "nosuch/a/../../lf",
      "loop",
      "loop/",
      "loop/x",
      "loop2",
      "up",
      "up/..",
      "absolute",
      "slash",
      "slash/e",
      "file-slash",
      "dots",
      "dots/../f",
      "root",
      "root/..",
      "/",
      "//",
      "/..",
      "/../etc",
      "///etc",
      ".",
      "..",
      "./",
      "",
      "d/nosuch/",
  };
  for (const std::string how : {"-f", "-e", "-m"}) {
    // One start of each, telling failures apart by their order.
    std::vector<std::string> gnu = {"env",
                                    "LC_ALL=C",
                                    "sh",
                                    "-c",
                                    "how=$1; shift; for path; do readlink $how -v -- \"$path\" "
                                    "2>&1 | sed 's/.*: //'; done",
                                    "sh",
                                    how};
    gnu.insert(gnu.end(), std::begin(paths), std::end(paths));
    const std::string ours = tests::in_child([&] {
      if (::chdir(scratch.path().c_str()) != 0) return std::string("chdir");
      std::string all;
      for (const std::string path : paths) {
        const Ran ran = osbox({"readlink", how, "--", path});
        if (ran.status != (ran.err.empty() ? 0 : 1)) all += "status";
        all += ran.out;
        if (!ran.err.empty()) all += ran.err.substr(ran.err.rfind(": ") + 2);
      }
      return all;
    });
    const std::string theirs = tests::run({.words = gnu, .directory = scratch.path()}).out;
    CAPTURE(how);
    const auto our_lines = tests::lines(ours);
    const auto their_lines = tests::lines(theirs);
    REQUIRE(our_lines.size() == std::size(paths));
    REQUIRE(their_lines.size() == std::size(paths));
    for (std::size_t i = 0; i < std::size(paths); ++i) {
      CAPTURE(paths[i]);
      CHECK(our_lines[i] == their_lines[i]);
    }
  }
}

TEST_CASE("readlink -f gives up on a link that grows, where GNU's never ends") {
  const Scratch scratch;
  const std::string link = scratch.link("grows/x", "grows");
  for (const std::string how : {"-f", "-e", "--canonical"}) {
    CHECK(osbox({"readlink", how, link}).err ==
          "readlink: " + link + ": realpath: ELOOP: Too many levels of symbolic links\n");
  }
  CHECK(osbox({"readlink", "-m", link}).status == 0);
}

TEST_CASE("readlink -f works on paths longer than PATH_MAX") {
  const Scratch scratch;
  // Relative steps, since no single path leads there.
  const std::string name(200, 'n');
  const Ran made = tests::shell(
      "cd -P \"$1\" && i=0; while [ $i -lt 30 ]; do mkdir $2 && cd -P $2 || exit 1; i=$((i+1)); "
      "done; "
      "ln -s . here",
      {scratch.path(), name}, "bash");
  REQUIRE(made.status == 0);
  std::string path = scratch.path();
  for (int i = 0; i < 30; ++i) path += "/" + name;
  CHECK(osbox({"readlink", "-e", path + "/here/.."}).out ==
        path.substr(0, path.size() - 201) + "\n");
  CHECK(osbox({"readlink", "-f", path + "/here/new"}).out == path + "/new\n");
}

TEST_CASE("readlink --beneath and --no-symlinks keep to the directory") {
  const Scratch scratch;
  const std::string base = scratch.directory("base");
  scratch.file("secret");
  scratch.directory("base/d");
  scratch.file("base/d/f");
  scratch.link("d/f", "base/inside");
  scratch.link("../secret", "base/outside");
  scratch.link("/etc/passwd", "base/absolute");
  scratch.link("d/new", "base/dangling");
  scratch.link("../new", "base/dangling-out");
  scratch.link("loop", "base/loop");
  const auto beneath = [&base](const std::string& how, const std::string& path) {
    return osbox({"readlink", how, "--beneath", base, path});
  };
  CHECK(beneath("-m", "inside").status == 2);
  CHECK(osbox({"readlink", "-m", "--no-symlinks", "."}).status == 2);
  if (!tests::newer_calls()) return;
  CHECK(osbox({"readlink", "--beneath", base, "outside"}).out == "../secret\n");
  CHECK(osbox({"readlink", "--beneath", base, "../secret"}).err ==
        "readlink: ../secret: EXDEV: Invalid cross-device link\n");
  CHECK(osbox({"readlink", "--beneath", base, "d/../../base/inside"}).status == 1);
  CHECK(osbox({"readlink", "--beneath", base, "d/f"}).err ==
        "readlink: d/f: EINVAL: Invalid argument (not a symbolic link)\n");
  for (const std::string how : {"-f", "-e"}) {
    CHECK(beneath(how, "inside").out == base + "/d/f\n");
    CHECK(beneath(how, "d/../inside").out == base + "/d/f\n");
    for (const std::string path : {"outside", "absolute", "../secret", "/etc", ".."}) {
      CAPTURE(path);
      const Ran ran = beneath(how, path);
      CHECK(ran.out.empty());
      CHECK(ran.err == "readlink: " + path + ": realpath: EXDEV: Invalid cross-device link\n");
    }
    CHECK(beneath(how, "loop").err.find("ELOOP") != std::string::npos);
    CHECK(osbox({"readlink", how, "--no-symlinks", base + "/inside"}).err.find("ELOOP") !=
          std::string::npos);
    CHECK(osbox({"readlink", how, "--no-symlinks", base + "/d/./f"}).out == base + "/d/f\n");
  }
  CHECK(beneath("-f", "dangling").out == base + "/d/new\n");
  CHECK(beneath("-f", "d/new").out == base + "/d/new\n");
  CHECK(beneath("-f", "dangling-out").err.find("EXDEV") != std::string::npos);
  CHECK(beneath("-f", "nosuch/x").err.find("ENOENT") != std::string::npos);
  CHECK(beneath("-e", "dangling").err.find("ENOENT") != std::string::npos);
  CHECK(osbox({"readlink", "-f", "--no-symlinks", base + "/dangling"}).err.find("ELOOP") !=
        std::string::npos);
}

TEST_CASE("readlink -f in a deleted directory fails, and does not make up a name") {
  const Scratch scratch;
  scratch.directory("gone");
  const Ran ran = tests::shell(
      "cd \"$1\" && rmdir \"$1\" && osbox readlink -f x; osbox readlink -m .", {scratch / "gone"});
  CHECK(ran.out.empty());
  CHECK(ran.err ==
        "readlink: x: realpath: ENOENT: No such file or directory\n"
        "readlink: .: realpath: ENOENT: No such file or directory\n");
}

TEST_CASE("readlink -f --beneath without /proc does not say that the file is missing") {
  if (tests::disturbed_by_sanitizer()) return;
  const Scratch scratch;
  scratch.file("f");
  const std::string options = tests::is_root() ? "-m" : "-Urm";
  if (tests::run({.words = {"unshare", options, "true"}}).status != 0) {
    MESSAGE("not tested: no mount namespace to be had here");
    return;
  }
  const std::string script =
      "mount -t tmpfs none /proc && cd \"$1\" && \"$2\" readlink -f --beneath . f nosuch/x";
  const Ran ran = tests::run(
      {.words = {"unshare", options, "sh", "-c", script, "sh", scratch.path(), tests::binary()}});
  CHECK(ran.out.empty());
  if (!tests::newer_calls()) {
    CHECK(ran.err ==
          "readlink: f: realpath: ENOSYS: Function not implemented\n"
          "readlink: nosuch/x: realpath: ENOSYS: Function not implemented\n");
    return;
  }
  CHECK(ran.err ==
        "readlink: f: realpath: ENOSYS: Function not implemented (the answer is read from /proc)\n"
        "readlink: nosuch/x: realpath: ENOENT: No such file or directory\n");
}
