#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/flagged.hpp"
#include "tests/harness.hpp"

namespace {

/// Asks Python for the stat_result of every line of standard input's path, NUL between them, in the
/// words of `--format` below.
constexpr const char* ask_python = R"(
import os, sys, stat, pwd, grp
call = getattr(os, sys.argv[1])
def name(find, number):
    try: return find(number)[0]
    except KeyError: return str(number)
for path in sys.argv[2:]:
    s = call(path)
    print(s.st_mode, stat.filemode(s.st_mode), s.st_ino, s.st_dev, s.st_nlink, s.st_uid,
          name(pwd.getpwuid, s.st_uid), s.st_gid, name(grp.getgrgid, s.st_gid), s.st_size,
          s.st_blocks, s.st_blksize, s.st_rdev, s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns)
)";
const std::string same_as_python =
    "{mode} {permissions} {ino} {dev} {nlink} {uid} {user} {gid} {group} {size} {blocks} {blksize} "
    "{rdev} {atime_ns} {mtime_ns} {ctime_ns}";

std::vector<std::string> with(std::vector<std::string> words,
                              const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

void set_times(const std::string& path, timespec time) {
  const timespec both[] = {time, time};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), both, AT_SYMLINK_NOFOLLOW) == 0);
}

/// A file of every kind that anybody can make, and of every hostile name.
std::vector<std::string> all_kinds(const Scratch& scratch) {
  std::vector<std::string> paths = {scratch.file("file", "text"),
                                    scratch.file("set-id", "", 06755),
                                    scratch.directory("sticky", 01777),
                                    scratch.fifo("fifo"),
                                    scratch.link("file", "link"),
                                    scratch / "socket",
                                    "/dev/null",
                                    "/dev/tty",
                                    "/"};
  REQUIRE(::mknod((scratch / "socket").c_str(), S_IFSOCK | 0644, 0) == 0);
  const std::string block = scratch / "block";
  // Not everybody may make one.
  if (::mknod(block.c_str(), S_IFBLK | 0640, makedev(7, 1)) == 0) paths.push_back(block);
  for (const std::string& name : tests::hostile_names()) paths.push_back(scratch.file(name, name));
  return paths;
}

}  // namespace

TEST_CASE("stat and lstat agree with Python, field by field") {
  const Scratch scratch;
  std::vector<std::string> paths = all_kinds(scratch);
  for (const char* const path : {"/etc/passwd", "/dev", "/dev/zero", "/dev/fd", "/proc/self"}) {
    paths.emplace_back(path);
  }
  CHECK(osbox(with({"lstat", "--format", same_as_python}, paths)).out ==
        tests::python(ask_python, with({"lstat"}, paths)));
  // The last two lead every process to somewhere else.
  paths.resize(paths.size() - 2);
  CHECK(osbox(with({"stat", "--format", same_as_python}, paths)).out ==
        tests::python(ask_python, with({"stat"}, paths)));
}

TEST_CASE("stat shows a block for people") {
  const Scratch scratch;
  const std::string path = scratch.file("notes", std::string(593, 'x'), 0640);
  REQUIRE(::chown(path.c_str(), ::getuid(), ::getgid()) == 0);
  set_times(path, {1'000'000'000, 120'000'000});
  const Ran ran =
      tests::run({.words = {tests::binary(), "stat", path}, .environment = {"TZ=UTC-2"}});
  const std::vector<std::string> lines = tests::lines(ran.out);
  REQUIRE(lines.size() == 14);
  CHECK(lines[0] == path + ":");
  CHECK(lines[1] == "  Size:         593");
  CHECK(lines[2] == "  Type:         file");
  CHECK(lines[3] == "  Permissions:  0640 -rw-r-----");
  CHECK(lines[4] ==
        "  Owner:        " +
            osbox({"stat", "--format", "{uid} {user}", path}).out.substr(0, lines[4].size() - 16));
  CHECK(lines[8] == "  Links:        1");
  CHECK(lines[11] == "  Modified:     2001-09-09 03:46:40.120000000 +0200");
  CHECK(lines[13] == "  Accessed:     2001-09-09 03:46:40.120000000 +0200");

  const Ran link = osbox({"lstat", scratch.link("notes", "link"), "/dev/null"});
  CHECK(link.out.find("\n  Target:       notes\n") != std::string::npos);
  CHECK(link.out.find("\n  Permissions:  0777 lrwxrwxrwx\n") != std::string::npos);
  CHECK(link.out.find("\n  Stands for:   1,3\n") != std::string::npos);
}

TEST_CASE("stat shows people the attributes of a file, where it has any") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const std::string none = "\n  Attributes:";
  CHECK(osbox({"stat", file}).out.find(none) == std::string::npos);
  const tests::Flagged flagged(file, FS_NODUMP_FL | FS_NOATIME_FL);
  if (!flagged || !tests::newer_calls()) {
    MESSAGE("no such attributes here: not tested");
    return;
  }
  CHECK(osbox({"stat", file}).out.find("\n  Attributes:   nodump\n") != std::string::npos);
  CHECK(osbox({"stat", "--format", "{attributes}", file}).out == "nodump\n");
  // Only root may set it.
  const tests::Flagged more(file, FS_NODUMP_FL | FS_APPEND_FL);
  if (more) {
    CHECK(osbox({"stat", file}).out.find("\n  Attributes:   append nodump\n") != std::string::npos);
  }
}

TEST_CASE("stat shows no raw control characters on a terminal") {
  const Scratch scratch;
  const std::string path = scratch.link("to\x1b[31m", "a\x1b[31m");
  const out::Screen terminal{.output_is_terminal = true};
  for (const std::vector<std::string>& words : {std::vector<std::string>{"lstat", path},
                                                {"lstat", "-c", "%n %N", path},
                                                {"lstat", "--format", "{path} {target}", path}}) {
    const Ran ran = osbox(words, terminal);
    CHECK(ran.out.find('\x1b') == std::string::npos);
    CHECK(ran.out.find("\\033[31m") != std::string::npos);
  }
}

TEST_CASE("stat of a link: what it leads to, or the link itself") {
  const Scratch scratch;
  scratch.file("file", "12345");
  const std::string link = scratch.link("file", "link");
  const std::string self = scratch.link("self", "self");
  const std::string dangling = scratch.link("nosuch", "dangling");
  const std::string format = "{type} {size} [{target}]";
  CHECK(osbox({"stat", "--format", format, link}).out == "file 5 []\n");
  CHECK(osbox({"lstat", "--format", format, link}).out == "link 4 [file]\n");
  CHECK(osbox({"stat", "-P", "--format", format, link}).out == "link 4 [file]\n");
  CHECK(osbox({"lstat", "-L", "--format", format, link}).out == "file 5 []\n");
  CHECK(osbox({"lstat", "--format", format, self, dangling}).out ==
        "link 4 [self]\nlink 6 [nosuch]\n");
  CHECK(osbox({"stat", self}).err ==
        "stat: " + self + ": ELOOP: Too many levels of symbolic links\n");
  CHECK(osbox({"stat", dangling}).err ==
        "stat: " + dangling + ": ENOENT: No such file or directory\n");
  // With a slash behind it a link is followed.
  CHECK(osbox({"lstat", "--format", "{type}", scratch.link(".", "here") + "/"}).out == "dir\n");
  // A target of any bytes comes out unchanged.
  const std::string raw = "x\xff\n\n";
  CHECK(osbox({"lstat", "-0", "--format", "{target}", scratch.link(raw, "raw")}).out == raw + '\0');
  CHECK(osbox({"lstat", "--json", scratch / "raw"})
            .out.find(R"("target":"x\udcff\n\n","target_b64":"eP8KCg==")") != std::string::npos);
}

TEST_CASE("stat goes on after a failure, and names the call only where it is another one") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const Ran ran = osbox({"stat", "--format", "{type}", scratch / "nosuch", "", file + "/", file});
  CHECK(ran.status == 1);
  CHECK(ran.out == "file\n");
  CHECK(ran.err == "stat: " + (scratch / "nosuch") +
                       ": ENOENT: No such file or directory\n"
                       "stat: '': ENOENT: No such file or directory\n"
                       "stat: " +
                       file + "/: ENOTDIR: Not a directory\n");
  CHECK(osbox({"lstat", scratch / "nosuch"}).err ==
        "lstat: " + (scratch / "nosuch") + ": ENOENT: No such file or directory\n");
  CHECK(osbox({"stat", "--exit-errno", scratch / "nosuch", file}).status == ENOENT);
}

TEST_CASE("stat -c is GNU's") {
  const Scratch scratch;
  std::vector<std::string> paths = all_kinds(scratch);
  const std::string old = scratch.file("before 1970");
  set_times(old, {-1'500'000'000, 123'456'789});
  paths.push_back(old);
  paths.push_back(scratch.link("a b", "link with a blank"));
  std::erase(paths, "/");  // its birth may be unknown, and GNU makes that 1970
  const auto compare = [&paths](const std::string& format) {
    CAPTURE(format);
    std::vector<std::string> gnu = {"env", "LC_ALL=C", "TZ=America/New_York", "stat", "-c", format};
    std::vector<std::string> own = {"env", "TZ=America/New_York", tests::binary(), "lstat", "-c",
                                    format};
    const Ran theirs = tests::run({.words = with(gnu, paths)});
    const Ran ours = tests::run({.words = with(own, paths)});
    REQUIRE(theirs.status == 0);
    CHECK(ours.status == 0);
    CHECK(ours.out == theirs.out);
  };
  // Every directive, once in all plainness.
  compare("%a %A %b %B %d %D %f %F %g %G %h %i %n %o %r %R %s %t %T %u %U");
  if (tests::newer_calls()) {
    compare("%m %w %W");
  } else {
    CHECK(osbox({"stat", "-c", "%m", "/"}).out == "?\n");
    CHECK(osbox({"stat", "-c", "%m", "/"}).err == "stat: /: statx: ENODATA: No data available\n");
    CHECK(osbox({"stat", "-c", "%w %W", "/"}).out == "- 0\n");
  }
  compare("%x|%X|%y|%Y|%z|%Z|%Hd|%Ld|%Hr|%Lr|%%|100%");
  compare("%#a %#f %#D %#o %#s|%+s|% s|%+i|%010s|%010n|%-10s|%-10a|%10A|%'s|%-+8s|");
  compare("%.5s %.0s %8.5u %08.5u %.3A %.10y %20.10x %#.6a %#12.8f %.0n");
  compare("%.Y %.3Y %.0Y %.12Y %030.3Y %-30.3Y| %+.3Y % .6Z %.9X %020Y");
}

TEST_CASE("stat -c %N puts every name in quotes") {
  const Scratch scratch;
  scratch.link("a b", "link");
  const Ran ran = tests::run({.words = {tests::binary(), "lstat", "-c", "%N %-8N|%F", "link", "."},
                              .directory = scratch.path()});
  CHECK(ran.out == "'link' -> 'a b' 'link'   -> 'a b'   |symbolic link\n'.' '.'     |directory\n");
}

TEST_CASE("stat -c refuses what it does not know, before anything is done") {
  for (const std::string format :
       {"%q", "%n %C", "%Hs", "%Ln", "%5%", "%5", "%999999999999s", "%.99999s"}) {
    CAPTURE(format);
    const Ran ran = osbox({"stat", "-c", format, "."});
    CHECK(ran.status == 2);
    CHECK(ran.out.empty());
    CHECK(ran.err.find("stat: -c: ") == 0);
  }
  CHECK(osbox({"stat", "-c", "%n", "--json", "."}).status == 2);
  CHECK(osbox({"stat", "--format", "{nosuch}", "."}).status == 2);
}

TEST_CASE("stat asks the kernel only for what it prints") {
  const auto mask = [](const std::vector<std::string>& words) {
    const Ran ran =
        tests::run({.words = with({"strace", "-e", "trace=statx", tests::binary()}, words)});
    const std::size_t at = ran.err.find("AT_NO_AUTOMOUNT, ");
    REQUIRE_MESSAGE(at != std::string::npos, ran.err);
    return ran.err.substr(at + 17, ran.err.find(", {", at) - at - 17);
  };
  if (!tests::newer_calls()) {
    CHECK(osbox({"stat", "--format", "{type}", "."}).out == "dir\n");
    return;
  }
  CHECK(mask({"stat", "--format", "{size} {path}", "."}) == "STATX_SIZE");
  CHECK(mask({"stat", "-c", "%s %n", "."}) == "STATX_SIZE");
  CHECK(mask({"stat", "-c", "%U %y", "."}) == "STATX_UID|STATX_MTIME");
  CHECK(mask({"stat", "--format", "{dev}", "."}) == "0");
}

TEST_CASE("stat opens neither a FIFO nor a device") {
  const Scratch scratch;
  const std::string fifo = scratch.fifo("fifo");
  CHECK(tests::run({.words = {"timeout", "20", tests::binary(), "stat", "-c", "%F", fifo}}).out ==
        "fifo\n");
}

TEST_CASE("stat keeps every time to the nanosecond") {
  const Scratch scratch;
  const std::string old = scratch.file("old");
  set_times(old, {-2, 999'999'999});
  CHECK(osbox({"stat", "--format", "{mtime_ns}", old}).out == "-1000000001\n");
  CHECK(osbox({"stat", "--json", old}).out.find("\"mtime_ns\":-1000000001,") != std::string::npos);
  CHECK(osbox({"stat", "-c", "%.Y", old}).out == "-1.000000001\n");

  // Beyond 2262 nanoseconds take more than 64 bits; few file systems keep such times, and this one
  // lies in memory.
  struct Guard {
    std::string path = "/dev/shm/osbox-test-" + std::to_string(::getpid());
    ~Guard() { ::unlink(path.c_str()); }
  } const far;
  tests::run({.words = {"touch", far.path}});
  set_times(far.path, {16'725'225'600, 5});  // 500 years after the epoch
  CHECK(osbox({"stat", "--format", "{mtime_ns}", far.path}).out == "16725225600000000005\n");
  CHECK(tests::run(
            {.words = {tests::binary(), "stat", "-c", "%y", far.path}, .environment = {"TZ=UTC"}})
            .out == "2500-01-01 00:00:00.000000005 +0000\n");
}

TEST_CASE("stat shows the number of an owner without a name") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  if (tests::is_root()) {
    REQUIRE(::chown(file.c_str(), 3'000'000'001, 3'000'000'002) == 0);
    CHECK(osbox({"stat", "--format", "{uid} {user} {gid} {group}", file}).out ==
          "3000000001 3000000001 3000000002 3000000002\n");
    CHECK(osbox({"stat", "-c", "%U %G", file}).out == "3000000001 3000000002\n");
    CHECK(osbox({"stat", file}).out.find("Owner:        3000000001 3000000001\n") !=
          std::string::npos);
  } else {
    CHECK(osbox({"stat", "-c", "%u", file}).out == std::to_string(::getuid()) + "\n");
  }
}

TEST_CASE("stat gives all fields in the order of the manual") {
  const std::string script = R"(
import json, sys
print(*json.loads(sys.argv[1]))
)";
  CHECK(tests::python(script, {osbox({"stat", "--json", "/dev/null"}).out}) ==
        "path type mode permissions ino dev nlink uid user gid group size blocks blksize rdev "
        "atime_ns mtime_ns ctime_ns birthtime_ns mount_id attributes target\n");
  // A birth time of zero is none, and there is none in /proc.
  CHECK(osbox({"stat", "--format", "[{birthtime_ns}]", "/proc/version"}).out == "[]\n");
  CHECK(osbox({"stat", "-c", "%w %W", "/proc/version"}).out == "- 0\n");
}

TEST_CASE("stat --shell is evaluated to the same bytes") {
  const Scratch scratch;
  const std::string path = scratch.file("it's\n\n\xff $(id)");
  const Ran ran = tests::shell(
      R"sh(eval "$(osbox stat --shell "$1")"; printf '%s %s.' "$stat_type" "$stat_path")sh",
      {path});
  CHECK(ran.out == "file " + path + ".");
  CHECK(osbox({"lstat", "--shell", path}).out.find("lstat_path=") == 0);
}

TEST_CASE("stat reads any number of operands from a file") {
  const Scratch scratch;
  std::string list;
  std::string expected;
  for (const std::string& name : tests::hostile_names()) {
    const std::string path = scratch.file(name);
    list += path + '\0';
    expected += path + '\0';
  }
  const Ran ran = tests::run(
      {.words = {tests::binary(), "stat", "-0", "--format", "{path}", "--files0-from", "-"},
       .input = list});
  CHECK(ran.status == 0);
  CHECK(ran.out == expected);
}

TEST_CASE("stat --beneath and --no-symlinks keep to the directory") {
  const Scratch scratch;
  scratch.directory("base");
  scratch.file("secret");
  scratch.file("base/file");
  scratch.link("file", "base/inside");
  scratch.link("../secret", "base/outside");
  scratch.link("/etc/passwd", "base/absolute");
  const std::string base = scratch / "base";
  if (!tests::newer_calls()) return;
  for (const std::string applet : {"stat", "lstat"}) {
    CHECK(osbox({applet, "--beneath", base, "--format", "{path}", "file"}).out == "file\n");
    for (const std::string path : {"../secret", "/etc/passwd", "../base/file"}) {
      const Ran ran = osbox({applet, "--beneath", base, path});
      CHECK(ran.status == 1);
      CHECK(ran.out.empty());
      CHECK(ran.err == applet + ": " + path + ": EXDEV: Invalid cross-device link\n");
    }
    CHECK(osbox({applet, "--no-symlinks", base + "/file"}).status == 0);
  }
  CHECK(osbox({"stat", "--beneath", base, "--format", "{type}", "inside"}).out == "file\n");
  for (const std::string path : {"outside", "absolute"}) {
    CHECK(osbox({"stat", "--beneath", base, path}).err ==
          "stat: " + path + ": EXDEV: Invalid cross-device link\n");
    CHECK(osbox({"lstat", "--beneath", base, "--format", "{type}", path}).out == "link\n");
  }
  CHECK(osbox({"lstat", "--beneath", base, "--format", "{target}", "outside"}).out ==
        "../secret\n");
  CHECK(osbox({"stat", "--no-symlinks", base + "/inside"}).err ==
        "stat: " + base + "/inside: ELOOP: Too many levels of symbolic links\n");
  CHECK(osbox({"lstat", "--no-symlinks", "--format", "{type}", base + "/inside"}).out == "link\n");
}
