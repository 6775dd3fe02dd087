#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/flagged.hpp"
#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"

namespace {

Ran as_nobody(std::vector<std::string> words) {
  words.insert(words.begin(), tests::binary());
  return tests::run({.words = words, .as_nobody = true});
}

/// Files of many modes, and paths that end in many ways.
std::vector<std::string> many_paths(const Scratch& scratch) {
  scratch.directory("open");
  scratch.file("open/file");
  scratch.directory("locked");
  scratch.file("locked/file");
  scratch.directory("no-search");
  scratch.file("no-search/file");
  std::vector<std::string> paths = {"/etc/passwd",
                                    "/etc/shadow",
                                    "/root",
                                    "/tmp",
                                    "/proc/version",
                                    "/dev/null",
                                    "",
                                    scratch / "nosuch",
                                    scratch / "open/file",
                                    scratch / "open/file/",
                                    scratch / "open/file/x",
                                    scratch / "locked/file",
                                    scratch / "no-search/file",
                                    scratch / "no-search",
                                    scratch.fifo("fifo"),
                                    scratch.link("open/file", "link"),
                                    scratch.link("nosuch", "dangling"),
                                    scratch.link("self", "self"),
                                    scratch / std::string(300, 'n')};
  for (const unsigned mode : {0U, 0111U, 0222U, 0444U, 0555U, 0777U, 0700U, 0070U, 0007U}) {
    paths.push_back(scratch.file("mode" + std::to_string(mode), "", mode));
  }
  for (const std::string& name : tests::hostile_names()) paths.push_back(scratch.file(name));
  REQUIRE(::chmod((scratch / "locked").c_str(), 0) == 0);
  REQUIRE(::chmod((scratch / "no-search").c_str(), 0644) == 0);
  return paths;
}

}  // namespace

TEST_CASE("access prints the lines of the os module's example") {
  const Scratch scratch;
  const std::string file = scratch.file("os_access.py", "", 0644);
  REQUIRE(::chown(file.c_str(), ::getuid(), ::getgid()) == 0);
  const Ran ran = osbox({"access", file});
  CHECK(ran.status == 0);
  CHECK(ran.out ==
        "Testing: " + file + "\nExists: True\nReadable: True\nWritable: True\nExecutable: False\n");
  const Ran none = osbox({"access", scratch / "nosuch", file});
  CHECK(none.status == 1);
  CHECK(none.err.empty());
  CHECK(none.out == "Testing: " + (scratch / "nosuch") +
                        "\nExists: False\nReadable: False\nWritable: False\nExecutable: False\n" +
                        ran.out);
  CHECK(osbox({"access", "--json", scratch / "nosuch"}).out ==
        "{\"path\":\"" + (scratch / "nosuch") +
            "\",\"exists\":false,\"readable\":false,\"writable\":false,\"executable\":false}\n");
  CHECK(osbox({"access", "--exit-errno", scratch / "nosuch"}).status == ENOENT);
}

TEST_CASE("access answers as os.access does, for root and for nobody") {
  const Scratch scratch;
  const std::vector<std::string> paths = many_paths(scratch);
  const std::string script = R"(
import os, sys
for path in sys.argv[1:]:
    for mode in os.R_OK, os.W_OK, os.X_OK, os.R_OK | os.W_OK, 7, os.F_OK:
        print(path, os.access(path, mode), sep='\0', end='\0')
)";
  for (const bool nobody : {false, true}) {
    std::vector<std::string> words = {"python3", "-c", script};
    words.insert(words.end(), paths.begin(), paths.end());
    const Ran theirs = tests::run({.words = words, .as_nobody = nobody});
    REQUIRE(theirs.status == 0);
    std::vector<std::string> answers;
    const std::pair<const char*, std::size_t> modes[] = {{"-r", 0},  {"-w", 1},   {"-x", 2},
                                                         {"-rw", 3}, {"-rwx", 4}, {"-f", 5}};
    std::vector<std::string> table(paths.size() * 6);
    for (const auto& [flag, column] : modes) {
      std::vector<std::string> ask = {tests::binary(),     "access", flag, "-0", "--format",
                                      "{path}\\0{allowed}"};
      ask.insert(ask.end(), paths.begin(), paths.end());
      const Ran ours = tests::run({.words = ask, .as_nobody = nobody});
      CHECK(ours.err.empty());
      CHECK(ours.status == 1);
      std::size_t at = 0;
      for (std::size_t i = 0; i < paths.size(); ++i) {
        const std::size_t end = ours.out.find('\0', ours.out.find('\0', at) + 1) + 1;
        table[i * 6 + column] = ours.out.substr(at, end - at);
        at = end;
      }
    }
    std::string all;
    for (const std::string& cell : table) all += cell;
    std::string expected = theirs.out;
    for (const auto& [from, to] :
         {std::pair<std::string, std::string>{"True", "true"}, {"False", "false"}}) {
      for (std::size_t at = 0; (at = expected.find('\0' + from + '\0', at)) != expected.npos;
           ++at) {
        expected.replace(at + 1, from.size(), to);
      }
    }
    CAPTURE(nobody);
    CHECK(all == expected);
  }
}

TEST_CASE("access with flags says nothing, and the status is the answer") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "", 0666);
  CHECK(osbox({"access", "-f", file}).status == 0);
  CHECK(osbox({"access", "-rw", file, scratch.path()}).status == 0);
  const Ran no = osbox({"access", "-x", file});
  CHECK(no.status == 1);
  CHECK(no.out.empty());
  CHECK(no.err.empty());
  CHECK(osbox({"access", "-f", file, scratch / "nosuch"}).status == 1);
  CHECK(osbox({"access", "--exit-errno", "-x", file}).status == EACCES);
  CHECK(osbox({"access", "--exit-errno", "-f", file + "/x"}).status == ENOTDIR);
  CHECK(osbox({"access", "-q", file}).status == 2);
  CHECK(osbox({"access", "-f"}).status == 2);
  CHECK(osbox({"access", "-fx", "--json", file}).out ==
        "{\"path\":\"" + file +
            "\",\"mode\":\"x\",\"allowed\":false,\"errno\":13,\"error\":\"EACCES\"}\n");
  CHECK(osbox({"access", "-f", "--json", file}).out ==
        "{\"path\":\"" + file +
            "\",\"mode\":\"f\",\"allowed\":true,\"errno\":null,\"error\":null}\n");
}

TEST_CASE("access asks all of its flags at once") {
  const Ran ran = tests::run({.words = {"strace", "-e", "trace=access,faccessat,faccessat2",
                                        tests::binary(), "access", "-rx", "/bin"}});
  CHECK(ran.err.find("\"/bin\", R_OK|X_OK") != std::string::npos);
  CHECK(ran.err.find("\"/bin\"") == ran.err.rfind("\"/bin\""));
}

TEST_CASE("access --no-follow asks about the link") {
  const Scratch scratch;
  const std::string link = scratch.link("nosuch", "dangling");
  CHECK(osbox({"access", "-f", link}).status == 1);
  if (!tests::newer_calls()) return;
  CHECK(osbox({"access", "-f", "--no-follow", link}).status == 0);
  CHECK(osbox({"access", "-f", "--no-follow", link + "/"}).status == 1);
  CHECK(osbox({"access", "--no-follow", "--explain", "-f", link}).out == link + ": f: allowed\n");
}

TEST_CASE("access does not open a FIFO") {
  const Scratch scratch;
  const std::string fifo = scratch.fifo("fifo");
  CHECK(tests::run({.words = {"timeout", "20", tests::binary(), "access", "-rw", fifo}}).status ==
        0);
}

TEST_CASE("access asks for the real ids, and with --effective for the effective ones") {
  if (tests::disturbed_by_sanitizer()) return;
  const Scratch scratch;
  const std::string file = scratch.file("file", "", 0600);
  // Only root can differ from itself.
  if (!tests::is_root()) {
    CHECK(osbox({"access", "-r", file}).status ==
          osbox({"access", "-r", "--effective", file}).status);
    return;
  }
  const auto as = [&file](const std::string& ids, const std::vector<std::string>& options,
                          const std::vector<tests::Denied>& denied = {}) {
    std::vector<std::string> words = {
        "python3",
        "-c",
        "import os, sys\nos.setresuid(*map(int, sys.argv[1].split(',')))\n"
        "os.execv(sys.argv[2], sys.argv[2:])",
        ids,
        tests::binary(),
        "access",
        "-r"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(file);
    return tests::run({.words = words, .denied = denied}).status;
  };
  CHECK(as("65534,0,0", {}) == 1);
  CHECK(as("0,65534,0", {}) == 0);
  CHECK(as("65534,0,0", {"--effective"}) == (tests::newer_calls() ? 0 : 2));
  CHECK(as("0,65534,0", {"--effective"}) == (tests::newer_calls() ? 1 : 2));
  // The older call knows of the real ids alone.
  CHECK(as("65534,0,0", {}, {{SYS_faccessat2, ENOSYS}}) == 1);
  CHECK(as("65534,0,0", {"--effective"}, {{SYS_faccessat2, ENOSYS}}) == 2);
  // On a restricted way the real ids cannot be asked for.
  CHECK(as("65534,0,0", {"--no-symlinks"}) == 2);
  CHECK(as("65534,0,0", {"--no-symlinks", "--effective"}) == (tests::newer_calls() ? 0 : 2));
}

TEST_CASE("access without faccessat2 gives the same answers, or says that it has none") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "", 0640);
  const std::string dangling = scratch.link("nowhere", "dangling");
  for (const int error : {ENOSYS, EPERM}) {
    for (const bool nobody : {false, true}) {
      CAPTURE(error);
      CAPTURE(nobody);
      const auto ask = [&](std::vector<std::string> words, bool denied) {
        words.insert(words.begin(), {tests::binary(), "access"});
        tests::Command command{.words = std::move(words), .as_nobody = nobody};
        if (denied) command.denied = {{SYS_faccessat2, error}};
        return tests::run(command);
      };
      for (const std::string& path : {file, dangling, scratch.path()}) {
        for (const std::string how : {"--explain", "--effective"}) {
          const Ran known = ask({how, "--json", path}, false);
          const Ran same = ask({how, "--json", path}, true);
          CHECK(same.err == "");
          CHECK(same.out == known.out);
          CHECK(same.status == known.status);
        }
      }
      // The older call follows every link, and mode bits are no answer.
      for (const std::string how : {"-f", "-r", "--json"}) {
        const Ran none = ask({"--no-follow", how, dangling}, true);
        CHECK(none.status == 2);
        CHECK(none.out == "");
        CHECK(none.err.find("ENOSYS") != std::string::npos);
      }
    }
  }
}

TEST_CASE("access --explain names the component and the reason") {
  const Scratch scratch;
  scratch.directory("a");
  scratch.directory("a/b");
  scratch.file("a/b/c");
  scratch.file("a/secret", "", 0600);
  scratch.link("a/b", "link");
  scratch.link("nosuch/x", "dangling");
  scratch.link("dangling", "to-dangling");
  scratch.link("loop2", "loop");
  scratch.link("loop", "loop2");
  scratch.link("a/secret", "file-link");
  const std::string owner = osbox({"stat", "--format", "{user} {group}", scratch / "a"}).out;
  const std::string whose = " " + owner.substr(0, owner.size() - 1) + ")";
  const auto explain = [&scratch](const std::string& flag, const std::string& path) {
    const Ran ran = tests::run({.words = {tests::binary(), "access", "--explain", flag, path},
                                .directory = scratch.path()});
    CHECK(ran.err.empty());
    CHECK(ran.status == 1);
    return ran.out;
  };
  CHECK(explain("-f", "a/x/y") == "a/x/y: f: ENOENT: a/x does not exist\n");
  CHECK(explain("-r", scratch / "a/b/x") ==
        (scratch / "a/b/x") + ": r: ENOENT: " + (scratch / "a/b/x") + " does not exist\n");
  CHECK(explain("-r", "a/b/c/d") == "a/b/c/d: r: ENOTDIR: a/b/c is not a directory (file)\n");
  CHECK(explain("-r", "a/b/c/") == "a/b/c/: r: ENOTDIR: a/b/c is not a directory (file)\n");
  CHECK(explain("-f", "") == ": f: ENOENT: the path is empty\n");
  CHECK(explain("-f", "dangling") ==
        "dangling: f: ENOENT: nosuch does not exist; by way of dangling -> nosuch/x\n");
  CHECK(explain("-f", "a/../to-dangling") ==
        "a/../to-dangling: f: ENOENT: a/../nosuch does not exist; by way of a/../to-dangling -> "
        "dangling, a/../dangling -> nosuch/x\n");
  CHECK(explain("-f", "loop/x") ==
        "loop/x: f: ELOOP: the link loop leads back to itself; by way of loop -> loop2, loop2 -> "
        "loop\n");
  CHECK(explain("-x", "a/b/c") ==
        "a/b/c: x: EACCES: execute denied by a/b/c (-rw-r--r--" + whose + "\n");
  CHECK(explain("-f", std::string(300, 'n')).find(": f: ENAMETOOLONG: File name too long at nnn") !=
        std::string::npos);
  std::string many;
  for (int i = 0; i < 50; ++i) many += "link/../../";
  CHECK(explain("-f", many).find("ELOOP: more than 40 links, the last one ") != std::string::npos);
  CHECK(explain("-f", "new\nline") == "new\nline: f: ENOENT: $'new\\nline' does not exist\n");

  const auto nobody = [](const std::string& flag, const std::string& path) {
    return as_nobody({"access", "--explain", flag, path}).out;
  };
  if (tests::is_root()) {
    CHECK(nobody("-rw", scratch / "a/secret") ==
          (scratch / "a/secret") + ": rw: EACCES: read and write denied by " +
              (scratch / "a/secret") + " (-rw-------" + whose + "\n");
    CHECK(nobody("-w", scratch / "file-link") ==
          (scratch / "file-link") + ": w: EACCES: write denied by " + (scratch / "file-link") +
              " (-rw-------" + whose + "; by way of " + (scratch / "file-link") + " -> a/secret\n");
  }
  REQUIRE(::chmod((scratch / "a").c_str(), tests::is_root() ? 0700 : 0) == 0);
  const std::string mode = tests::is_root() ? " (drwx------" : " (d---------";
  CHECK(nobody("-r", scratch / "a/b/c") == (scratch / "a/b/c") + ": r: EACCES: search denied by " +
                                               (scratch / "a") + mode + whose + "\n");
  CHECK(nobody("-f", scratch / "link/c") ==
        (scratch / "link/c") + ": f: EACCES: search denied by " + (scratch / "a") + mode + whose +
            "; by way of " + (scratch / "link") + " -> a/b\n");
}

TEST_CASE("access --explain without flags answers for each of them") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "", 0644);
  const Ran ran = osbox({"access", "--explain", file});
  CHECK(ran.status == 0);
  CHECK(ran.out.find(file + ": r: allowed\n" + file + ": w: allowed\n" + file + ": x: EACCES: ") ==
        0);
  const Ran none = osbox({"access", "--explain", "--json", scratch / "nosuch"});
  CHECK(none.status == 1);
  const std::string path = "\"" + (scratch / "nosuch") + "\"";
  CHECK(none.out == "{\"path\":" + path +
                        ",\"mode\":\"f\",\"allowed\":false,\"errno\":2,\"error\":\"ENOENT\","
                        "\"component\":" +
                        path + ",\"reason\":\"" + (scratch / "nosuch") + " does not exist\"}\n");
}

TEST_CASE("access asks the kernel, which knows of read-only and noexec mounts") {
  const std::string on_proc = "/proc/version";
  if (!tests::is_root()) {
    CHECK(osbox({"access", "-w", on_proc}).status == 1);
    return;
  }
  const Scratch scratch;
  scratch.directory("mount point");
  const Ran ran = tests::shell(
      R"sh(exec unshare -m sh -c 'cd "$1" && mount -t tmpfs -o noexec tmpfs "mount point" &&
      echo >"mount point/file" && chmod 777 "mount point/file" &&
      osbox access --explain -x "mount point/file"
      mount -o remount,ro "mount point" && osbox access "mount point/file" &&
      osbox access --explain -rw "mount point/file"; osbox access --exit-errno -w "mount point/file"; echo $?
      ' sh "$1")sh",
      {scratch.path()});
  const std::string point = "'" + (scratch / "mount point") + "'";
  CHECK(ran.err.empty());
  const std::string file = "mount point/file";
  if (osbox({"stat", "--format", "{mount_id}", "/"}).out == "\n") {
    // Nothing tells which mount it is.
    CHECK(ran.out.find("EROFS: write denied by a read-only file system\n30\n") !=
          std::string::npos);
    return;
  }
  CHECK(ran.out == file + ": x: EACCES: execute denied by '" + file + "' (-rwxrwxrwx root root); " +
                       point + " is mounted noexec\n" + "Testing: " + file +
                       "\nExists: True\nReadable: True\nWritable: False\nExecutable: False\n" +
                       file + ": rw: EROFS: write denied by " + point +
                       ", which is mounted read-only (tmpfs)\n30\n");
}

TEST_CASE("access --beneath and --no-symlinks keep to the directory") {
  const Scratch scratch;
  const std::string base = scratch.directory("base");
  scratch.file("base/file");
  scratch.link("file", "base/link");
  scratch.link("/etc/passwd", "base/absolute");
  const auto beneath = [&base](const std::string& path) {
    return osbox({"access", "-f", "--beneath", base, path});
  };
  if (!tests::newer_calls()) return;
  CHECK(beneath("file").status == 0);
  CHECK(beneath("link").status == 0);
  for (const std::string path : {"..", "/etc/passwd", "absolute"}) {
    const Ran ran = beneath(path);
    CHECK(ran.status == 2);
    CHECK(ran.err == "access: " + path + ": EXDEV: Invalid cross-device link\n");
  }
  CHECK(beneath("nosuch").status == 1);
  CHECK(osbox({"access", "-f", "--no-symlinks", base + "/file"}).status == 0);
  CHECK(osbox({"access", "-f", "--no-symlinks", base + "/link"}).status == 1);
  CHECK(osbox({"access", "-f", "--explain", "--no-symlinks", base + "/link"}).out ==
        base + "/link: f: ELOOP: " + base + "/link is a symbolic link\n");
}

TEST_CASE("access --explain names the flag that lets nobody write") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "", 0666);
  const tests::Flagged flagged(file, FS_IMMUTABLE_FL);
  if (!flagged || !tests::newer_calls()) {
    MESSAGE("no immutable file to be had here: not tested");
    return;
  }
  const std::string owner = osbox({"stat", "--format", "{user} {group}", file}).out;
  const std::string whose = owner.substr(0, owner.size() - 1);
  for (const std::vector<std::string>& how : std::vector<std::vector<std::string>>{
           {}, {"--no-follow"}, {"--no-symlinks", "--effective"}}) {
    const Ran ran = osbox(joined(joined({"access", "--explain", "-w"}, how), {file}));
    CHECK(ran.status == 1);
    CHECK(ran.out == file + ": w: EPERM: write denied by " + file + " (-rw-rw-rw- " + whose +
                         "), immutable\n");
  }
  CHECK(osbox({"access", "--exit-errno", "-w", "--effective", file}).status == EPERM);
  CHECK(osbox({"access", "-r", file}).status == 0);
}

TEST_CASE("access formats an answer as any other word") {
  const Scratch scratch;
  CHECK(osbox({"access", "-f", "--format", "{allowed:>6}|", scratch.path()}).out == "  true|\n");
}
