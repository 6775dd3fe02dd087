#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>

#include "core/sys/mode.hpp"
#include "core/sys/stat.hpp"
#include "tests/harness.hpp"
#include "tests/injection.hpp"
#include "tests/sanitizer.hpp"

namespace {

/// The permissions of `path` itself, as a number of base 8 reads.
std::string mode_of(const std::string& path) {
  const auto stat = core::lstat(path);
  REQUIRE_MESSAGE(stat, path);
  char text[8];
  std::snprintf(text, sizeof text, "%04o", stat->mode & 07777);
  return text;
}

/// Runs `script` in `directory`, with osbox in PATH; root is nobody there.
Ran as_nobody(const std::string& directory, const std::string& script) {
  const std::string bin = tests::binary().substr(0, tests::binary().rfind('/'));
  return tests::run({.words = {"sh", "-c", script},
                     .environment = {"PATH=" + bin + ":" + std::getenv("PATH")},
                     .directory = directory,
                     .as_nobody = true});
}

/// A scratch directory that everybody may write to.
struct Open : Scratch {
  Open() { ::chmod(path().c_str(), 0777); }
  explicit Open(const std::string& base) : Scratch(base) { ::chmod(path().c_str(), 0777); }
};

constexpr const char* make_chain = R"(python3 -c '
import os, sys
name, levels = sys.argv[1], int(sys.argv[2])
os.mkdir("t")
os.chdir("t")
for _ in range(levels):
    os.mkdir(name)
    os.chdir(name)
open("f", "w").close()
' )";

}  // namespace

TEST_CASE("chmod sets a mode, and says nothing") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "", 0600);
  const std::string dir = scratch.directory("dir", 0700);
  const Ran ran = osbox({"chmod", "751", file, dir});
  CHECK(ran.status == 0);
  CHECK(ran.out == "");
  CHECK(ran.err == "");
  CHECK(mode_of(file) == "0751");
  CHECK(mode_of(dir) == "0751");
  CHECK(osbox({"chmod", "u=rw,go=", file}).status == 0);
  CHECK(mode_of(file) == "0600");
  CHECK(osbox({"chmod", "-R", "0", dir}).status == 0);
  CHECK(mode_of(dir) == "0000");
}

TEST_CASE("chmod does what os.chmod does, to the last bit") {
  const Scratch scratch;
  Words theirs;
  std::string ours;
  int count = 0;
  for (const std::string mode :
       {"0", "644", "755", "0755", "2755", "6711", "1777", "7777", "4", "2070", "00000600"}) {
    for (const bool directory : {false, true}) {
      // Set-ids that were there before show whether they are dropped.
      const std::string name = "n" + std::to_string(count++);
      for (const std::string side : {"a", "b"}) {
        directory ? scratch.directory(side + name) : scratch.file(side + name);
        REQUIRE(::chmod((scratch / (side + name)).c_str(), 06770) == 0);
      }
      theirs.insert(theirs.end(), {mode, scratch / ("a" + name)});
      CHECK(osbox({"chmod", mode, scratch / ("b" + name)}).status == 0);
      ours += mode_of(scratch / ("b" + name)) + "\n";
    }
  }
  CHECK(tests::python(R"(
import os, sys
for mode, path in zip(sys.argv[1::2], sys.argv[2::2]):
    os.chmod(path, int(mode, 8))
    print('%04o' % (os.stat(path).st_mode & 0o7777))
)",
                      theirs) == ours);
}

TEST_CASE("chmod of a directory drops the set-ids that an octal mode does not have") {
  const Scratch scratch;
  const std::string dir = scratch.directory("dir", 02775);
  CHECK(osbox({"chmod", "a=rx", dir}).status == 0);
  CHECK(mode_of(dir) == "2555");
  CHECK(osbox({"chmod", "755", dir}).status == 0);
  CHECK(mode_of(dir) == "0755");
  ::chmod(dir.c_str(), 02775);
  CHECK(osbox({"chmod", "-Rv", "755", dir}).status == 0);
  CHECK(mode_of(dir) == "0755");
}

TEST_CASE("chmod refuses a wrong mode, and changes nothing") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "", 0612);
  for (const std::string mode : {"8", "7-x", "", "010000", "u+q", "u+x,", "a", "+755", "0x1"}) {
    for (const bool recursive : {false, true}) {
      CAPTURE(mode);
      Words words = {"chmod", mode, file};
      if (recursive) words.insert(words.begin() + 1, "-R");
      const Ran ran = osbox(words);
      CHECK(ran.status == 2);
      CHECK(ran.out == "");
      CHECK(ran.err.starts_with("chmod: MODE "));
      CHECK(mode_of(file) == "0612");
    }
  }
  for (const Words& words : std::vector<Words>{{"chmod", "-1", file},
                                               {"chmod", "--", "-1", file},
                                               {"chmod", "-x", file},
                                               {"chmod", "644"},
                                               {"chmod"},
                                               {"chmod", "--type", "l", "644", file},
                                               {"chmod", "--reference", file}}) {
    CAPTURE(words.back());
    CHECK(osbox(words).status == 2);
    CHECK(mode_of(file) == "0612");
  }
  CHECK(osbox({"chmod", "u+q", file}).err ==
        "chmod: MODE u+q: neither octal nor like u+x,go-w; see 'osbox chmod --help'\n");
  // A mode with a dash in front is one behind "--".
  CHECK(osbox({"chmod", "--", "-w", file}).status == 0);
}

TEST_CASE("chmod keeps to the umask where nobody is named") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.file("d/f", "", 0600);
  const Ran ran =
      tests::shell("cd \"$1\" && umask 027 && osbox chmod -R +rwx d && umask", {scratch / "."});
  CHECK(ran.status == 0);
  CHECK(tests::lines(ran.out).back().ends_with("027"));
  CHECK(mode_of(scratch / "d/f") == "0750");
  CHECK(mode_of(scratch / "d") == "0755");
}

TEST_CASE("chmod tells of each file with -v, and with -c of what changed") {
  const Scratch scratch;
  scratch.file("a", "", 0644);
  scratch.file("b", "", 0755);
  const auto run = [&](const Words& words) {
    Words all = {tests::binary(), "chmod"};
    all.insert(all.end(), words.begin(), words.end());
    return tests::run({.words = all, .directory = scratch.path()});
  };
  CHECK(run({"-v", "u+x", "a", "b"}).out == "mode of a: 0644 -> 0744\nmode of b: 0755 -> 0755\n");
  CHECK(run({"-c", "755", "a", "b"}).out == "mode of a: 0744 -> 0755\n");
  CHECK(run({"-c", "755", "a", "b"}).out == "");
  CHECK(run({"-cv", "700", "a"}).out == "mode of a: 0755 -> 0700\n");
  CHECK(run({"--json", "0", "a", "nosuch", "b"}).out ==
        "{\"path\":\"a\",\"old\":448,\"new\":0}\n{\"path\":\"b\",\"old\":493,\"new\":0}\n");
  CHECK(run({"--json", "-c", "0", "a", "b"}).out == "");
  CHECK(run({"--shell", "4644", "b"}).out == "chmod_path=b chmod_old=0 chmod_new=2468\n");
  CHECK(run({"--format", "{new:o} {path}", "-R", "600", "a"}).out == "600 a\n");
  CHECK(run({"700", "a"}).out == "");
}

TEST_CASE("a record of chmod says what the kernel made of the mode") {
  if (!tests::is_root()) {
    CHECK(osbox({"chmod", "2755", "/etc/passwd"}).status == 1);
    return;
  }
  // The set-id of a group that nobody is not in is dropped in silence.
  const Open scratch;
  const std::string file = scratch.file("file", "", 0644);
  REQUIRE(::chown(file.c_str(), 65534, 0) == 0);
  const Ran ran = as_nobody(scratch.path(), "osbox chmod -v 2755 file; osbox chmod -c 2755 file");
  CHECK(ran.status == 0);
  CHECK(ran.out == "mode of file: 0644 -> 0755\n");
  CHECK(mode_of(file) == "0755");
}

TEST_CASE("chmod --if-changed leaves alone what is right, and its ctime") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "", 0640);
  const auto before = core::lstat(file)->ctime;
  for (const Words& words : std::vector<Words>{{"chmod", "--if-changed", "640", file},
                                               {"chmod", "--if-changed", "u+r", file},
                                               {"chmod", "-R", "--if-changed", "o-x", file},
                                               {"chmod", "-R", "--if-changed", "640", file}}) {
    CHECK(osbox(words).status == 0);
    CHECK(core::lstat(file)->ctime == before);
  }
  CHECK(osbox({"chmod", "--if-changed", "-v", "640", file}).out == "");
  CHECK(osbox({"chmod", "-R", "--if-changed", "-v", "640", file}).out == "");
  CHECK(osbox({"chmod", "--if-changed", "600", file}).status == 0);
  CHECK(mode_of(file) == "0600");
  CHECK(core::lstat(file)->ctime > before);
  const auto after = core::lstat(file)->ctime;
  CHECK(osbox({"chmod", "600", file}).status == 0);
  CHECK(core::lstat(file)->ctime > after);
}

TEST_CASE("chmod --reference takes the mode of a file in the place of MODE") {
  const Scratch scratch;
  const std::string model = scratch.file("model", "", 06751);
  const std::string link = scratch.link("model", "link");
  const std::string file = scratch.file("file", "", 0600);
  const std::string dir = scratch.directory("dir", 02700);
  CHECK(osbox({"chmod", "--reference", model, file, dir}).status == 0);
  CHECK(mode_of(file) == "6751");
  CHECK(mode_of(dir) == "6751");
  ::chmod(model.c_str(), 0640);
  CHECK(osbox({"chmod", file, "--reference=" + link}).status == 0);
  CHECK(mode_of(file) == "0640");
  const std::string list = scratch.file("list", dir + '\0');
  CHECK(osbox({"chmod", "--reference", model, "--files0-from", list}).status == 0);
  CHECK(mode_of(dir) == "0640");

  // A mode is not expected any more.
  const Ran two = osbox({"chmod", "--reference", model, "755", file});
  CHECK(two.err == "chmod: 755: ENOENT: No such file or directory\n");
  const Ran gone = osbox({"chmod", "--reference", scratch / "gone", file});
  CHECK(gone.status == 1);
  CHECK(gone.err == "chmod: " + (scratch / "gone") + ": stat: ENOENT: No such file or directory\n");
  CHECK(mode_of(file) == "0640");
  CHECK(tests::shell("osbox chmod --help").out.find("[MODE] PATH...") != std::string::npos);
}

TEST_CASE("chmod reads paths from a file behind a mode") {
  const Scratch scratch;
  std::string list;
  for (const std::string& name : tests::hostile_names()) list += scratch.file(name) + '\0';
  const Ran ran = tests::run(
      {.words = {tests::binary(), "chmod", "-0", "--format", "{path}", "601", "--files0-from", "-"},
       .input = list});
  CHECK(ran.status == 0);
  CHECK(ran.out == list);
  for (const std::string& name : tests::hostile_names()) CHECK(mode_of(scratch / name) == "0601");
}

TEST_CASE("chmod follows a link, lchmod does not, and never by a slash") {
  for (const Words& how : std::vector<Words>{{}, {"-v"}, {"--if-changed"}}) {
    const Scratch scratch;
    scratch.directory("dir", 0700);
    scratch.file("dir/file", "", 0600);
    scratch.link("dir", "link");
    scratch.link("nosuch", "dangling");
    const auto run = [&](Words words) {
      words.insert(words.begin(), tests::binary());
      words.insert(words.end(), how.begin(), how.end());
      return tests::run({.words = words, .directory = scratch.path()});
    };
    CHECK(run({"chmod", "710", "link"}).status == 0);
    CHECK(mode_of(scratch / "dir") == "0710");
    const std::string refused =
        ": EOPNOTSUPP: Operation not supported (a symbolic link has no mode)\n";
    // Who writes the slash means the directory.
    const std::string loop =
        ": ELOOP: Too many levels of symbolic links (a link, and none is followed)\n";
    for (const std::string name : {"link", "link/", "link//", "dangling", "dangling/"}) {
      for (const std::string mode : {"777", "u+x"}) {
        CAPTURE(name);
        const Ran ran = run({"lchmod", mode, name});
        CHECK(ran.status == 1);
        CHECK(ran.out == "");
        CHECK(ran.err == "lchmod: " + name + refused);
        CHECK(run({"chmod", "--no-follow", mode, name}).err == "chmod: " + name + refused);
        CHECK(run({"chmod", "-R", mode, name}).err ==
              "chmod: " + name + (name.ends_with('/') ? loop : refused));
      }
    }
    CHECK(mode_of(scratch / "dir") == "0710");
    CHECK(mode_of(scratch / "dir/file") == "0600");
    CHECK(run({"chmod", "711", "dangling"}).err ==
          "chmod: dangling: ENOENT: No such file or directory\n");
    CHECK(run({"lchmod", "711", "dir/"}).status == 0);
    CHECK(mode_of(scratch / "dir") == "0711");
    CHECK(run({"chmod", "-R", "700", "dir/file/", "dir/"}).err ==
          "chmod: dir/file/: ENOTDIR: Not a directory\n");
    CHECK(mode_of(scratch / "dir") == "0700");
    CHECK(run({"lchmod", "711", "dir/file/"}).err ==
          "lchmod: dir/file/: ENOTDIR: Not a directory\n");
  }
}

TEST_CASE("without fchmodat2 chmod does the same, and never follows") {
  for (const int error : {ENOSYS, EPERM}) {
    const Scratch scratch;
    scratch.directory("t");
    scratch.directory("t/d");
    scratch.file("t/d/f", "", 0600);
    scratch.file("secret", "", 0600);
    scratch.link("../secret", "t/link");
    const auto run = [&](Words words) {
      words.insert(words.begin(), {tests::binary(), "chmod"});
      return tests::run(
          {.words = words, .directory = scratch.path(), .denied = {{tests::fchmodat2, error}}});
    };
    CHECK(run({"--no-follow", "640", "t/d/f"}).status == 0);
    CHECK(mode_of(scratch / "t/d/f") == "0640");
    CHECK(run({"--no-follow", "640", "t/link"}).err ==
          "chmod: t/link: EOPNOTSUPP: Operation not supported (a symbolic link has no mode)\n");
    CHECK(run({"--no-follow", "-v", "u+x", "t/link"}).status == 1);
    const Ran octal = run({"-R", "755", "t"});
    CHECK(octal.status == 0);
    CHECK(octal.err == "");
    CHECK(mode_of(scratch / "t/d/f") == "0755");
    const Ran symbolic = run({"-R", "-v", "go=", "t"});
    CHECK(symbolic.status == 0);
    CHECK(tests::lines(symbolic.out).size() == 3);
    CHECK(mode_of(scratch / "t/d/f") == "0700");
    CHECK(mode_of(scratch / "secret") == "0600");
  }
}

TEST_CASE("chmod -R changes all below, passes over links, and takes any name") {
  for (const Words& how : std::vector<Words>{{}, {"-v"}, {"--if-changed"}}) {
    const Scratch scratch;
    scratch.directory("t");
    scratch.directory("outside", 0750);
    scratch.file("outside/secret", "", 0640);
    scratch.link("../outside", "t/link");
    scratch.link("../outside/secret", "t/file-link");
    scratch.link("nosuch", "t/dangling");
    Words paths = {scratch / "t"};
    for (const std::string& name : tests::hostile_names()) {
      paths.push_back(scratch.directory("t/" + name));
      // A path of files that are as odd, near the limit of a name.
      paths.push_back(scratch.file("t/" + name + "/" + name, "", 0600));
    }
    paths.push_back(scratch.fifo("t/fifo"));
    const auto run = [&](const std::string& mode) {
      Words words = {"timeout", "60", tests::binary(), "chmod", "-R", mode, scratch / "t"};
      words.insert(words.end(), how.begin(), how.end());
      const Ran ran = tests::run({.words = words});
      CHECK(ran.status == 0);
      CHECK(ran.err == "");
    };
    run("701");
    for (const std::string& path : paths) CHECK(mode_of(path) == "0701");
    run("u=rwX,g=u-x,o=");
    for (const std::string& path : paths) CHECK(mode_of(path) == "0760");
    CHECK(mode_of(scratch / "outside") == "0750");
    CHECK(mode_of(scratch / "outside/secret") == "0640");
  }
}

TEST_CASE("chmod -R gives every path of every byte back") {
  const Scratch scratch;
  scratch.directory("t");
  std::string expected = "t";
  expected += '\0';
  Words names = tests::hostile_names();
  for (const std::string& name : names) scratch.file("t/" + name);
  const Ran ran =
      tests::run({.words = {tests::binary(), "chmod", "-R", "-0", "--format", "{path}", "u+x", "t"},
                  .directory = scratch.path()});
  Words found;
  for (std::string_view rest = ran.out; !rest.empty();) {
    const std::size_t end = rest.find('\0');
    REQUIRE(end != rest.npos);
    found.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  CHECK(found.front() == "t");
  found.erase(found.begin());
  for (std::string& name : names) name.insert(0, "t/");
  std::ranges::sort(names);
  std::ranges::sort(found);
  CHECK(found == names);
}

TEST_CASE("chmod --type passes over what is of another type, operands too") {
  const Scratch scratch;
  scratch.directory("t", 0700);
  scratch.directory("t/d", 0700);
  scratch.file("t/d/f", "", 0600);
  scratch.fifo("t/p");
  scratch.link("d", "t/link");
  CHECK(osbox({"chmod", "-R", "--type", "d", "755", scratch / "t"}).status == 0);
  CHECK(mode_of(scratch / "t") == "0755");
  CHECK(mode_of(scratch / "t/d") == "0755");
  CHECK(mode_of(scratch / "t/d/f") == "0600");
  CHECK(mode_of(scratch / "t/p") == "0600");
  CHECK(osbox({"chmod", "-R", "--type", "f", "644", scratch / "t"}).status == 0);
  CHECK(mode_of(scratch / "t") == "0755");
  CHECK(mode_of(scratch / "t/d/f") == "0644");
  CHECK(mode_of(scratch / "t/p") == "0600");
  const Ran ran = osbox({"chmod", "--type", "f", "-v", "600", scratch / "t", scratch / "t/d/f",
                         scratch / "t/p", scratch / "t/link"});
  CHECK(ran.status == 0);
  CHECK(ran.out == "mode of " + (scratch / "t/d/f") + ": 0644 -> 0600\n");
}

TEST_CASE("chmod waits for no FIFO") {
  const Scratch scratch;
  const std::string fifo = scratch.fifo("fifo");
  for (const Words& words : std::vector<Words>{{"640"},
                                               {"-v", "g+x"},
                                               {"--if-changed", "0"},
                                               {"-R", "610"},
                                               {"-R", "a+r"},
                                               {"--no-follow", "444"}}) {
    Words all = {"timeout", "20", tests::binary(), "chmod"};
    all.insert(all.end(), words.begin(), words.end());
    all.push_back(fifo);
    CHECK(tests::run({.words = all}).status == 0);
  }
  CHECK(mode_of(fifo) == "0444");
}

TEST_CASE("chmod goes on after a failure, and names the operand") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "", 0600);
  for (const Words& how : std::vector<Words>{{}, {"-v"}, {"-R"}, {"--no-follow"}}) {
    for (const std::string mode : {"641", "ug+r,o=x,u=rw"}) {
      ::chmod(file.c_str(), 0600);
      Words words = {"chmod", mode, scratch / "nosuch", "", file + "/x", file};
      words.insert(words.end(), how.begin(), how.end());
      const Ran ran = osbox(words);
      CHECK(ran.status == 1);
      CHECK(ran.err == "chmod: " + (scratch / "nosuch") +
                           ": ENOENT: No such file or directory\n"
                           "chmod: '': ENOENT: No such file or directory\n"
                           "chmod: " +
                           file + "/x: ENOTDIR: Not a directory\n");
      CHECK(mode_of(file) == "0641");
    }
  }
  CHECK(osbox({"lchmod", "--json", "600", scratch / "nosuch"}).err ==
        R"({"applet":"lchmod","call":"chmod","path":")" + (scratch / "nosuch") +
            R"(","errno":2,"error":"ENOENT","message":"No such file or directory"})" + "\n");
  CHECK(osbox({"chmod", "--exit-errno", "600", scratch / "nosuch", file}).status == ENOENT);
}

TEST_CASE("chmod of what is somebody else's is EPERM, and the rest is done") {
  const Open scratch;
  const Ran ran = as_nobody(scratch.path(),
                            "touch own; osbox chmod 600 /etc/passwd own;"
                            "osbox chmod -v u+x /etc/passwd own; osbox chmod -R a+r /etc/passwd");
  CHECK(ran.out == "mode of own: 0600 -> 0700\n");
  const std::string refused = "chmod: /etc/passwd: EPERM: Operation not permitted\n";
  CHECK(ran.err == refused + refused + refused);
  CHECK(ran.status == 1);
}

TEST_CASE("chmod -R opens a locked tree and locks an open one, for its owner") {
  const Open scratch;
  const std::string count = "osbox walk --format '{type} {permissions}' t | sort | uniq -c; ";
  const Ran ran = as_nobody(
      scratch.path(),
      "umask 022; mkdir -p t/a/b t/c; touch t/a/f t/a/b/f;"
      "osbox chmod -R 000 t && ls t 2>/dev/null; osbox stat --format '{mode:o}' t;"
      "osbox chmod -R u+rwx t && " +
          count + "osbox chmod -Rv a= t | wc -l; osbox chmod -R -c 750 t | wc -l;" + count +
          "osbox chmod -R a-rwx t; osbox chmod -R --type d u=rwx t; osbox chmod -R u=rwX,go= t;" +
          count);
  CHECK(ran.err == "");
  CHECK(ran.status == 0);
  CHECK(ran.out ==
        "40000\n"
        "      4 dir drwx------\n      2 file -rwx------\n"
        "6\n6\n"
        "      4 dir drwxr-x---\n      2 file -rwxr-x---\n"
        "      4 dir drwx------\n      2 file -rw-------\n");
}

TEST_CASE("chmod -R tells of a directory that cannot be read, and does the rest") {
  const Open scratch;
  for (const std::string mode : {"g+w", "g=w,u-s"}) {
    const Ran ran = as_nobody(scratch.path(),
                              "rm -rf t; umask 022; mkdir -p t/a t/locked t/z t/noread;"
                              "touch t/a/f t/z/f t/locked/f; chmod 0 t/locked;"
                              "chmod 0400 t/noread; osbox chmod -R " +
                                  mode +
                                  " t; echo $?; osbox stat --format '{mode:o}' t/locked;"
                                  "osbox stat --format '{mode:o}' t/z/f; chmod 700 t/*");
    CHECK(ran.status == 0);
    const auto errors = tests::lines(ran.err);
    REQUIRE(errors.size() >= 1);
    CHECK(std::ranges::count(errors, "chmod: t/locked: open: EACCES: Permission denied") == 1);
    CHECK(tests::lines(ran.out).front() == "1");
    CHECK(tests::lines(ran.out)[1] == "40020");
    CHECK(tests::lines(ran.out)[2] == (mode == "g+w" ? "100664" : "100624"));
  }
}

TEST_CASE("chmod -R tells of each entry of a directory that may be read and not searched") {
  const Open scratch;
  const Ran ran = as_nobody(scratch.path(),
                            "mkdir -p t/d; touch t/d/a t/d/b; mkdir t/d/c; ln -s a t/d/link;"
                            "chmod 0444 t/d; osbox chmod -R g+w t 2>&1 | sort;"
                            "chmod 0444 t/d; osbox chmod -R 644 t 2>&1 | sort; chmod -R u+rwx t");
  const std::string denied = ": EACCES: Permission denied\n";
  CHECK(ran.err == "");
  CHECK(ran.out.starts_with("chmod: t/d/a" + denied + "chmod: t/d/b" + denied + "chmod: t/d/c" +
                            denied));
}

TEST_CASE("chmod -R goes to any depth with few descriptors, and locks and opens what is there") {
  struct Tree {
    std::string name;
    unsigned levels;
  };
  for (const auto& [name, levels] : {Tree{std::string(40, 'n'), 300}, Tree{"a", tests::deep()}}) {
    // Tens of thousands of directories keep a disk busy.
    const Open scratch("/dev/shm");
    const std::string all = std::to_string(levels + 2);
    const Ran ran = as_nobody(scratch.path(),
                              make_chain + name + " " + std::to_string(levels) +
                                  "\nulimit -n 16\n"
                                  "osbox chmod -R 000 t || exit 3\n"
                                  "osbox chmod -R --if-changed --format '{old} {new}' u+rwx t > o "
                                  "|| exit 4; sort o | uniq -c\n"
                                  "osbox chmod -R --format '{old} {new}' a= t > o || exit 5\n"
                                  "sort o | uniq -c; osbox chmod -R 700 t || exit 6\n"
                                  "osbox chmod -R -c u+rwx t");
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
    const auto told = tests::lines(ran.out);
    REQUIRE(told.size() == 2);
    CHECK(told[0].ends_with(" " + all + " 0 448"));
    CHECK(told[1].ends_with(" " + all + " 448 0"));
  }
}

TEST_CASE("chmod tells where there are no descriptors left") {
  const Scratch scratch;
  scratch.directory("t");
  scratch.file("t/f", "", 0600);
  scratch.file("f", "", 0600);
  const Ran ran = tests::shell(
      "cd \"$1\"; exec 3<&0 4<&0; ulimit -n 6; osbox chmod -R 750 t f; osbox chmod 640 f;"
      "osbox chmod -v u+x f",
      {scratch.path()});
  CHECK(ran.err.find("EMFILE: Too many open files\n") != std::string::npos);
  CHECK(ran.out == "mode of f: 0640 -> 0740\n");
  CHECK(mode_of(scratch / "t/f") == "0600");
}

TEST_CASE("chmod --beneath and --no-symlinks keep to the directory") {
  const Scratch scratch;
  scratch.directory("base");
  scratch.directory("base/t");
  scratch.file("base/t/f", "", 0600);
  scratch.file("secret", "", 0600);
  scratch.link("../secret", "base/outside");
  scratch.link("t", "base/inside");
  const std::string base = scratch / "base";
  const auto run = [&](Words words) {
    words.insert(words.begin(), {"chmod", "--beneath", base});
    return osbox(words);
  };
  if (!tests::newer_calls()) {
    CHECK(run({"600", "t/f"}).err == "chmod: t/f: ENOSYS: Function not implemented\n");
    return;
  }
  for (const Words& how : std::vector<Words>{{"640"}, {"-v", "640"}, {"-R", "g+r"}}) {
    for (const std::string path : {"../secret", "/etc/passwd", "t/../../secret"}) {
      Words words = how;
      words.push_back(path);
      CHECK(run(words).err == "chmod: " + path + ": EXDEV: Invalid cross-device link\n");
    }
  }
  CHECK(run({"640", "outside"}).err == "chmod: outside: EXDEV: Invalid cross-device link\n");
  CHECK(run({"641", "inside/f"}).status == 0);
  CHECK(mode_of(base + "/t/f") == "0641");
  CHECK(run({"-R", "750", "t"}).status == 0);
  CHECK(mode_of(base + "/t/f") == "0750");
  CHECK(run({"--no-symlinks", "640", "inside/f"}).err ==
        "chmod: inside/f: ELOOP: Too many levels of symbolic links\n");
  CHECK(mode_of(scratch / "secret") == "0600");
  for (const int error : {ENOSYS, EPERM}) {
    for (const Words& how : std::vector<Words>{{"600"}, {"-v", "u+x"}, {"-R", "600"}}) {
      Words words = {tests::binary(), "chmod", "--beneath", base, "t/f"};
      words.insert(words.begin() + 2, how.begin(), how.end());
      CHECK(tests::run({.words = words, .denied = {{SYS_openat2, error}}}).err ==
            "chmod: t/f: ENOSYS: Function not implemented\n");
    }
  }
  CHECK(mode_of(base + "/t/f") == "0750");
}

TEST_CASE("chmod makes one call where that is enough, and none that changes for --if-changed") {
  const Scratch scratch;
  scratch.directory("t");
  scratch.file("t/f", "", 0600);
  scratch.file("t/g", "", 0600);
  scratch.link("f", "t/link");
  /// How many calls change a mode, and how many there are with one of our names.
  const auto calls = [&](Words words) {
    words.insert(words.begin(), {"strace", "-f", "-qq", tests::binary(), "chmod"});
    const Ran ran = tests::run({.words = words, .directory = scratch.path()});
    REQUIRE(ran.status == 0);
    int changing = 0;
    int naming = 0;
    for (const std::string& line : tests::lines(ran.err)) {
      if (line.starts_with("execve")) continue;
      // An older strace knows no name for fchmodat2.
      for (const std::string call : {"chmod(", "fchmodat(", "fchmodat2(", "syscall_0x1c4("}) {
        changing += line.starts_with(call) ? 1 : 0;
      }
      for (const std::string name : {"\"f\"", "\"g\"", "\"t\"", "\"t/f\""}) {
        naming += line.find(name) != line.npos ? 1 : 0;
      }
    }
    return std::pair(changing, naming);
  };
  CHECK(calls({"644", "t/f"}) == std::pair(1, 1));
  CHECK(calls({"-v", "644", "t/f"}) == std::pair(1, 1));
  CHECK(calls({"u+x", "t/f"}) == std::pair(1, 1));
  CHECK(calls({"--if-changed", "744", "t/f"}) == std::pair(0, 1));
  CHECK(calls({"--if-changed", "-R", "u+rwX,a+r", "t"}).first == 1);
  CHECK(calls({"--if-changed", "-R", "u+rwX,a+r", "t"}).first == 0);
  CHECK(calls({"-R", "-c", "u+rwX,a+r", "t"}).first == 3);
  CHECK(calls({"-R", "755", "t"}).first == 3);
  // What is loaded to see the C library's calls sees these.
  for (const std::string path : {"t/f", "t"}) {
    Words words = {"strace",        "-f",    "-qq", "-E",        "LD_PRELOAD=libc.so.6",
                   tests::binary(), "chmod", "-R",  "u=rwx,go=", path};
    const Ran ran = tests::run({.words = words, .directory = scratch.path()});
    CHECK(ran.status == 0);
    CHECK(ran.err.find("syscall_0x1c4(") == std::string::npos);
    CHECK(ran.err.find("fchmodat2(") == std::string::npos);
    CHECK(mode_of(scratch / "t/f") == "0700");
  }
}

TEST_CASE("chmod -R changes nothing outside, whatever is swapped meanwhile") {
  const Scratch scratch;
  scratch.directory("outside", 0751);
  scratch.file("outside/f", "", 0641);
  scratch.directory("t");
  for (int i = 0; i < 20; ++i) scratch.file("t/stays" + std::to_string(i));
  scratch.directory("t/d");
  scratch.file("t/d/f");
  scratch.file("t/f");
  // What is swapped lies beside the tree: a link where a directory or a file was.
  scratch.link("../outside", "d");
  scratch.link("../outside/f", "f");
  std::atomic<bool> stop = false;
  std::atomic<unsigned> swaps = 0;
  std::thread other([&] {
    while (!stop) {
      for (const std::string name : {"d", "f"}) {
        if (tests::exchange(scratch / name, scratch / "t/" + name)) ++swaps;
      }
    }
  });
  std::string errors;
  for (int i = 0; i < 400; ++i) {
    constexpr const char* modes[] = {"700", "u+x,g+w", "777", "go=", "000", "u=rwX"};
    const Ran ran = osbox({"chmod", "-R", modes[i % 6], scratch / "t"});
    errors += ran.err;
  }
  stop = true;
  other.join();
  CHECK(swaps > 0);
  CHECK(mode_of(scratch / "outside") == "0751");
  CHECK(mode_of(scratch / "outside/f") == "0641");
  // Root reads all; the owner may be kept from a directory by the mode 000 of the round before.
  if (tests::is_root()) CHECK(errors == "");
}

TEST_CASE("chmod takes a path of any length that the kernel takes, and says ENAMETOOLONG else") {
  const Scratch scratch;
  scratch.file("f", "", 0600);
  std::string path = scratch.path();
  while (path.size() < 4000) path += "/.";
  CHECK(osbox({"chmod", "-v", "u+x", path + "/f"}).status == 0);
  CHECK(mode_of(scratch / "f") == "0700");
  for (const std::string how : {"-v", "-R", "--no-follow"}) {
    const Ran ran = osbox({"chmod", how, "600", path + std::string(1100, '/') + "f"});
    CHECK(ran.status == 1);
    CHECK(ran.err.ends_with(": ENAMETOOLONG: File name too long\n"));
  }
}

TEST_CASE("chmod: that the new mode cannot be read is no failure to set it") {
  if (tests::disturbed_by_sanitizer()) return;
  const Scratch scratch;
  const std::string file = scratch.file("file", "", 0600);
  for (const bool tree : {false, true}) {
    CAPTURE(tree);
    const tests::Command command{
        .words = {tests::binary(), "chmod", tree ? "-Rv" : "-v", tree ? "g+s,u+x" : "2700", file}};
    REQUIRE(::chmod(file.c_str(), 0600) == 0);
    const auto look = tests::last_of(tests::watch(command), {SYS_statx, tests::fstatat_call}, EIO);
    REQUIRE(::chmod(file.c_str(), 0600) == 0);
    const Ran ran = tests::watch(command, {look}).ran;
    CHECK(ran.status == 1);
    CHECK(ran.out == "");
    CHECK(ran.err == "chmod: " + file + ": stat: EIO: Input/output error (the mode is set)\n");
    CHECK(mode_of(file) == "2700");
  }
}
