#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "core/sys/stat.hpp"
#include "tests/harness.hpp"

// Only root gives files away. A normal user owns what these tests make, and may set what it is
// already; that runs through the same calls.

namespace {

/// "11:12" of `path` itself.
std::string owner_of(const std::string& path) {
  const auto stat = core::lstat(path);
  REQUIRE_MESSAGE(stat, path);
  return std::to_string(stat->uid) + ":" + std::to_string(stat->gid);
}

/// `root` where this process may give files away, else what they are anyway.
std::string owner(const std::string& root) {
  if (tests::is_root()) return root;
  return std::to_string(::getuid()) + ":" + std::to_string(::getgid());
}

Ran run_in(const Scratch& scratch, const Words& words) {
  Words all = {tests::binary()};
  all.insert(all.end(), words.begin(), words.end());
  return tests::run({.words = all, .directory = scratch.path()});
}

}  // namespace

TEST_CASE("chown gives files away, and says nothing") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const std::string dir = scratch.directory("dir");
  const Ran ran = osbox({"chown", owner("11:12"), file, dir});
  CHECK(ran.status == 0);
  CHECK(ran.out == "");
  CHECK(ran.err == "");
  CHECK(owner_of(file) == owner("11:12"));
  CHECK(owner_of(dir) == owner("11:12"));
}

TEST_CASE("chown does what os.chown and os.lchown do, set-ids and all") {
  const Scratch scratch;
  Words theirs;
  std::string ours;
  int count = 0;
  for (const std::string pair : {"11:12", "0:0", "4294967294:4294967293", "65534:-1", "-1:7"}) {
    const std::string wanted = owner(pair);
    const std::size_t colon = wanted.find(':');
    std::string user = wanted.substr(0, colon);
    std::string group = wanted.substr(colon + 1);
    for (const std::string applet : {"chown", "lchown"}) {
      const std::string name = "n" + std::to_string(count++);
      for (const std::string side : {"a", "b"}) {
        scratch.file(side + name);
        REQUIRE(::chmod((scratch / (side + name)).c_str(), 06755) == 0);
        scratch.link(side + name, "l" + side + name);
      }
      theirs.insert(theirs.end(), {applet, scratch / ("la" + name), user, group});
      const std::string text = user == "-1"    ? ":" + group
                               : group == "-1" ? user
                                               : user + ":" + group;
      CHECK(osbox({applet, text, scratch / ("lb" + name)}).status == 0);
      ours += owner_of(scratch / ("lb" + name)) + " " + owner_of(scratch / ("b" + name)) + " " +
              std::to_string(core::lstat(scratch / ("b" + name))->mode) + "\n";
    }
  }
  CHECK(tests::python(R"(
import os, sys
words = sys.argv[1:]
for call, link, user, group in zip(words[::4], words[1::4], words[2::4], words[3::4]):
    getattr(os, call)(link, int(user), int(group))
    l, s = os.lstat(link), os.stat(link)
    print(f'{l.st_uid}:{l.st_gid} {s.st_uid}:{s.st_gid} {s.st_mode}')
)",
                      theirs) == ours);
}

TEST_CASE("chown takes names and numbers, and leaves alone what is not named") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  if (!tests::is_root()) {
    CHECK(osbox({"chown", "root", file}).err ==
          "chown: " + file + ": EPERM: Operation not permitted\n");
    CHECK(osbox({"chown", ":root", file}).status == 1);
    return;
  }
  const auto after = [&](const std::string& text) {
    REQUIRE(::chown(file.c_str(), 11, 12) == 0);
    const Ran ran = osbox({"chown", text, file});
    CHECK(ran.err == "");
    return owner_of(file);
  };
  CHECK(after("root") == "0:12");
  CHECK(after(":root") == "11:0");
  CHECK(after("root:root") == "0:0");
  CHECK(after("1000") == "1000:12");
  CHECK(after("1000:root") == "1000:0");
  CHECK(after(":1000") == "11:1000");
  CHECK(after("root:100") == "0:100");
  CHECK(after("4294967294:4294967294") == "4294967294:4294967294");
  CHECK(after("007") == "7:12");
}

TEST_CASE("chown refuses a wrong owner before anything is changed, and says why") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const std::string before = owner_of(file);
  const auto ctime = core::lstat(file)->ctime;
  const auto complaint = [&](const std::string& text) {
    const Ran ran = osbox({"chown", "--", text, file});
    CHECK(ran.status == 2);
    CHECK(ran.out == "");
    CHECK(tests::lines(ran.err).size() == 1);
    const std::string end = "; see 'osbox chown --help'\n";
    REQUIRE(ran.err.ends_with(end));
    return ran.err.substr(0, ran.err.size() - end.size());
  };
  for (const std::string user :
       {"nosuchuser", "-1", "4294967295", "4294967296", "0x0", " 1", "1 ", "1abc", "+1",
        "99999999999999999999", "root/", "Root", "\xff", "-"}) {
    CAPTURE(user);
    CHECK(complaint(user).ends_with(": no such user"));
    CHECK(complaint(user + ":root").ends_with(": no such user"));
    CHECK(complaint(":" + user).ends_with(": no such group"));
    CHECK(complaint("root:" + user).ends_with(": no such group"));
  }
  CHECK(complaint("root.root") ==
        "chown: OWNER root.root: no such user; a colon stands in front of a group, not a dot");
  CHECK(complaint("root.root:root") == "chown: OWNER root.root:root: no such user");
  CHECK(complaint("nosuchuser") == "chown: OWNER nosuchuser: no such user");
  CHECK(complaint("root:root:root") == "chown: OWNER root:root:root: no such group");
  CHECK(complaint("") == "chown: OWNER '': neither a user nor a group");
  for (const std::string text : {":", "root:", "0:"}) {
    CHECK(complaint(text) ==
          "chown: OWNER " + text + ": no group behind its colon; USER alone leaves the group");
  }
  CHECK(complaint("::").ends_with("no such group"));
  CHECK(complaint(std::string(5000, 'u')).ends_with("no such user"));
  for (const Words& words : std::vector<Words>{{"chown", "-1", file},
                                               {"chown", "0"},
                                               {"chown"},
                                               {"chown", "--from", "nosuchuser", "0", file},
                                               {"chown", "--from", "", "0", file},
                                               {"chown", "-R", "nosuchuser", file}}) {
    CHECK(osbox(words).status == 2);
  }
  CHECK(owner_of(file) == before);
  CHECK(core::lstat(file)->ctime == ctime);
}

TEST_CASE("chown tells of each file with -v, and with -c of what changed") {
  const Scratch scratch;
  scratch.file("a");
  scratch.file("b");
  const auto names = [&](const std::string& file) {
    std::string text = run_in(scratch, {"stat", "--format", "{user}:{group}", file}).out;
    text.pop_back();
    return text;
  };
  const std::string old_a = names("a");
  const std::string old_b = names("b");
  const std::string wanted = owner("0:3999999999");
  if (tests::is_root()) REQUIRE(::chown((scratch / "b").c_str(), 0, 3999999999) == 0);
  const Ran told = run_in(scratch, {"chown", "-v", wanted, "a", "nosuch"});
  CHECK(told.status == 1);
  CHECK(told.out == "owner of a: " + old_a + " -> " + names("a") + "\n");
  CHECK(told.err == "chown: nosuch: ENOENT: No such file or directory\n");
  CHECK(run_in(scratch, {"chown", "-c", wanted, "a", "b"}).out == "");
  const Ran json = run_in(scratch, {"chown", "--json", wanted, "a"});
  CHECK(tests::python(R"(
import json, os, sys
record = json.loads(sys.argv[1])
print(*record)
s = os.stat(sys.argv[2])
assert (record['old_uid'], record['old_gid']) == (record['uid'], record['gid']) == (s.st_uid, s.st_gid)
)",
                      {json.out, scratch / "a"}) ==
        "path old_uid old_user old_gid old_group uid user gid group\n");
  if (!tests::is_root()) return;
  CHECK(json.out.find(R"("gid":3999999999,"group":"3999999999")") != std::string::npos);
  CHECK(run_in(scratch, {"chown", "-c", "5000", "a", "b"}).out ==
        "owner of a: root:3999999999 -> 5000:3999999999\n"
        "owner of b: root:3999999999 -> 5000:3999999999\n");
  CHECK(run_in(scratch, {"chown", "--format", "{old_uid} {uid} {old_gid} {gid}", ":7", "a"}).out ==
        "5000 5000 3999999999 7\n");
}

TEST_CASE("chown --if-changed leaves alone what is right: its set-ids and its ctime") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const std::string own = owner_of(file);
  REQUIRE(::chmod(file.c_str(), 06755) == 0);
  const auto before = core::lstat(file)->ctime;
  for (const std::string& text : {own, own.substr(0, own.find(':')), own.substr(own.find(':'))}) {
    CHECK(osbox({"chown", "--if-changed", text, file}).status == 0);
    CHECK(osbox({"chown", "-R", "--if-changed", text, file}).status == 0);
  }
  CHECK(core::lstat(file)->ctime == before);
  CHECK((core::lstat(file)->mode & 07777) == 06755);
  CHECK(osbox({"chown", own, file}).status == 0);
  CHECK(core::lstat(file)->ctime > before);
  CHECK((core::lstat(file)->mode & 07777) == 0755);
}

TEST_CASE("chown --from passes over what belongs to somebody else") {
  const Scratch scratch;
  const std::string own = owner_of(scratch.file("own"));
  const std::string uid = own.substr(0, own.find(':'));
  CHECK(run_in(scratch, {"chown", "-v", "--from", "3999999999", uid, "own"}).out == "");
  CHECK(run_in(scratch, {"chown", "-v", "--from", uid + ":3999999999", uid, "own"}).out == "");
  CHECK(run_in(scratch, {"chown", "-v", "--from", ":3999999999", uid, "own"}).out == "");
  CHECK(run_in(scratch, {"chown", "-v", "--from", own, uid, "own"}).out != "");
  if (!tests::is_root()) return;
  scratch.directory("t");
  scratch.file("t/theirs");
  scratch.file("t/ours");
  scratch.link("ours", "t/link");
  REQUIRE(::lchown((scratch / "t/theirs").c_str(), 11, 12) == 0);
  CHECK(run_in(scratch, {"chown", "-R", "--from", "0:0", "21:22", "t"}).status == 0);
  CHECK(owner_of(scratch / "t") == "21:22");
  CHECK(owner_of(scratch / "t/ours") == "21:22");
  CHECK(owner_of(scratch / "t/link") == "21:22");
  CHECK(owner_of(scratch / "t/theirs") == "11:12");
}

TEST_CASE("chown --reference takes both owners of a file in the place of OWNER") {
  const Scratch scratch;
  const std::string model = scratch.file("model");
  const std::string file = scratch.file("file");
  if (tests::is_root()) REQUIRE(::chown(model.c_str(), 31, 32) == 0);
  const std::string list = scratch.file("list", file + '\0');
  CHECK(osbox({"chown", "--reference", scratch.link("model", "link"), file}).status == 0);
  CHECK(owner_of(file) == owner_of(model));
  if (tests::is_root()) REQUIRE(::chown(model.c_str(), 33, 34) == 0);
  CHECK(osbox({"chown", "--files0-from", list, "--reference", model}).status == 0);
  CHECK(owner_of(file) == owner_of(model));
  CHECK(osbox({"chown", "--reference", scratch / "gone", file}).err ==
        "chown: " + (scratch / "gone") + ": stat: ENOENT: No such file or directory\n");
  CHECK(osbox({"chown", "--reference", model, "0", file}).err ==
        "chown: 0: ENOENT: No such file or directory\n");
}

TEST_CASE("chown follows a link, lchown does not, and never by a slash") {
  for (const Words& how : std::vector<Words>{{}, {"-v"}, {"--if-changed"}}) {
    const Scratch scratch;
    scratch.directory("dir");
    scratch.file("dir/file");
    scratch.link("dir", "link");
    scratch.link("nosuch", "dangling");
    const auto run = [&](Words words) {
      words.insert(words.end(), how.begin(), how.end());
      return run_in(scratch, words);
    };
    const std::string before = owner_of(scratch / "dir");
    const std::string own = owner("11:12");
    for (const Words& words : std::vector<Words>{{"lchown", own, "link"},
                                                 {"lchown", own, "link/"},
                                                 {"chown", "--no-follow", own, "link//"},
                                                 {"chown", "-R", own, "link"},
                                                 {"lchown", own, "dangling"}}) {
      CAPTURE(words.back());
      if (tests::is_root()) REQUIRE(::lchown((scratch / "link").c_str(), 0, 0) == 0);
      const Ran ran = run(words);
      CHECK(ran.status == 0);
      CHECK(ran.err == "");
      if (words.back() != "dangling") CHECK(owner_of(scratch / "link") == own);
      CHECK(owner_of(scratch / "dir") == before);
      CHECK(owner_of(scratch / "dir/file") == before);
    }
    CHECK(owner_of(scratch / "dangling") == own);
    if (tests::is_root()) REQUIRE(::lchown((scratch / "link").c_str(), 0, 0) == 0);
    const std::string link = owner_of(scratch / "link");
    for (const std::string name : {"link/", "link//"}) {
      const Ran ran = run({"chown", "-R", own, name});
      CHECK(ran.status == 1);
      CHECK(ran.out == "");
      CHECK(ran.err == "chown: " + name +
                           ": ELOOP: Too many levels of symbolic links (a link, and none is "
                           "followed)\n");
      CHECK(owner_of(scratch / "link") == link);
      CHECK(owner_of(scratch / "dir") == before);
    }
    CHECK(run({"chown", own, "dangling"}).err ==
          "chown: dangling: ENOENT: No such file or directory\n");
    CHECK(run({"chown", own, "link/"}).status == 0);
    CHECK(owner_of(scratch / "dir") == own);
    CHECK(run({"chown", "-R", own, "dir/file/"}).err ==
          "chown: dir/file/: ENOTDIR: Not a directory\n");
    CHECK(run({"lchown", own, "dir/file/"}).err == "lchown: dir/file/: ENOTDIR: Not a directory\n");
  }
}

TEST_CASE("chown -R gives all below away, links themselves, and takes any name") {
  for (const Words& how : std::vector<Words>{{}, {"-v"}, {"--if-changed"}}) {
    const Scratch scratch;
    scratch.directory("outside");
    scratch.file("outside/secret");
    const std::string before = owner_of(scratch / "outside");
    Words paths = {scratch.directory("t"), scratch.link("../outside", "t/link"),
                   scratch.link("nosuch", "t/dangling"), scratch.fifo("t/fifo")};
    for (const std::string& name : tests::hostile_names()) {
      paths.push_back(scratch.directory("t/" + name));
      paths.push_back(scratch.file("t/" + name + "/" + name));
    }
    Words words = {"chown", "-R", owner("41:42"), "t"};
    words.insert(words.end(), how.begin(), how.end());
    const Ran ran = run_in(scratch, words);
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
    for (const std::string& path : paths) CHECK(owner_of(path) == owner("41:42"));
    CHECK(owner_of(scratch / "outside") == before);
    CHECK(owner_of(scratch / "outside/secret") == before);
  }
}

TEST_CASE("chown -R gives a directory away after what is in it") {
  const Scratch scratch;
  scratch.directory("t");
  scratch.directory("t/d");
  scratch.file("t/d/f");
  CHECK(run_in(scratch, {"chown", "-R", "--format", "{path}", owner("1:1"), "t", "t/d/f"}).out ==
        "t/d/f\nt/d\nt\nt/d/f\n");
}

TEST_CASE("chown tells of what it may not give away or read, and does the rest") {
  const Scratch scratch;
  ::chmod(scratch.path().c_str(), 0777);
  const std::string bin = tests::binary().substr(0, tests::binary().rfind('/'));
  const Ran ran = tests::run(
      {.words = {"sh", "-c",
                 "mkdir -p t/locked t/z; touch t/z/f t/locked/f; chmod 0 t/locked;"
                 "osbox chown -R $(id -u) t; osbox chown $(id -u) /etc/passwd t/z/f;"
                 "osbox chown -Rv $(id -u) /etc/passwd t/z/f; osbox chown --if-changed 0 t/z/f"},
       .environment = {"PATH=" + bin + ":" + std::getenv("PATH")},
       .directory = scratch.path(),
       .as_nobody = true});
  const std::string refused = ": EPERM: Operation not permitted\n";
  CHECK(ran.status == 1);
  CHECK(ran.err ==
        "chown: t/locked: open: EACCES: Permission denied\n"
        "chown: /etc/passwd" +
            refused + "chown: /etc/passwd" + refused + "chown: t/z/f" + refused);
  CHECK(tests::lines(ran.out).size() == 1);
  CHECK(ran.out.starts_with("owner of t/z/f: "));
}

TEST_CASE("chown goes on after a failure, and names the operand") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  for (const Words& how : std::vector<Words>{{}, {"-v"}, {"-R"}, {"--no-follow"}}) {
    Words words = {"chown", owner("11:12"), scratch / "nosuch", "", file + "/x", file};
    words.insert(words.end(), how.begin(), how.end());
    const Ran ran = osbox(words);
    CHECK(ran.status == 1);
    CHECK(ran.err == "chown: " + (scratch / "nosuch") +
                         ": ENOENT: No such file or directory\n"
                         "chown: '': ENOENT: No such file or directory\n"
                         "chown: " +
                         file + "/x: ENOTDIR: Not a directory\n");
    CHECK(owner_of(file) == owner("11:12"));
  }
  CHECK(osbox({"lchown", "--json", "0", scratch / "nosuch"}).err ==
        R"({"applet":"lchown","call":"chown","path":")" + (scratch / "nosuch") +
            R"(","errno":2,"error":"ENOENT","message":"No such file or directory"})" + "\n");
  CHECK(osbox({"chown", "--exit-errno", "0", scratch / "nosuch"}).status == ENOENT);
}

TEST_CASE("chown waits for no FIFO") {
  const Scratch scratch;
  scratch.fifo("fifo");
  for (const std::string how : {"-v", "-R", "--if-changed", "--no-follow"}) {
    CHECK(tests::run({.words = {"timeout", "20", tests::binary(), "chown", how, owner("1:1"),
                                scratch / "fifo"}})
              .status == 0);
  }
  CHECK(owner_of(scratch / "fifo") == owner("1:1"));
}

TEST_CASE("chown -R goes to any depth with few descriptors") {
  struct Tree {
    std::string name;
    unsigned levels;
  };
  for (const auto& [name, levels] : {Tree{std::string(40, 'n'), 300}, Tree{"a", tests::deep()}}) {
    // Tens of thousands of directories keep a disk busy.
    const Scratch scratch("/dev/shm");
    tests::python(R"(
import os, sys
name, levels = sys.argv[2], int(sys.argv[3])
os.chdir(sys.argv[1])
for _ in range(levels):
    os.mkdir(name)
    os.chdir(name)
os.symlink('nosuch', 'l')
)",
                  {scratch.path(), name, std::to_string(levels)});
    const Ran ran = tests::shell(
        "ulimit -n 16; osbox chown -R \"$2\" \"$1\" || exit 3;"
        "osbox walk --format '{uid}:{gid}' \"$1\" | sort | uniq -c;"
        "osbox chown -R --if-changed --format '{uid}:{gid}' \"$2\" \"$1\"",
        {scratch.path(), owner("51:52")});
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
    const auto told = tests::lines(ran.out);
    REQUIRE(told.size() == 1);
    CHECK(told[0].ends_with(" " + std::to_string(levels + 2) + " " + owner("51:52")));
  }
}

TEST_CASE("chown makes one call an entry where that is enough, and none for --if-changed") {
  const Scratch scratch;
  scratch.directory("t");
  scratch.file("t/f");
  scratch.link("f", "t/l");
  const auto calls = [&](const Words& more) {
    Words words = {"strace", "-f", "-qq", tests::binary(), "chown"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = tests::run({.words = words, .directory = scratch.path()});
    REQUIRE(ran.status == 0);
    int changing = 0;
    int naming = 0;
    for (const std::string& line : tests::lines(ran.err)) {
      if (line.starts_with("execve")) continue;
      for (const std::string call : {"chown(", "lchown(", "fchown(", "fchownat("}) {
        changing += line.starts_with(call) ? 1 : 0;
      }
      for (const std::string name : {"\"f\"", "\"l\"", "\"t\"", "\"t/f\""}) {
        naming += line.find(name) != line.npos ? 1 : 0;
      }
    }
    return std::pair(changing, naming);
  };
  const std::string own = owner("61:62");
  CHECK(calls({own, "t/f"}) == std::pair(1, 1));
  CHECK(calls({"-v", own, "t/f"}) == std::pair(1, 1));
  CHECK(calls({"--no-follow", own, "t/f"}) == std::pair(1, 1));
  CHECK(calls({"--if-changed", own, "t/f"}) == std::pair(0, 1));
  CHECK(calls({"-R", own, "t"}) == std::pair(3, 3));
  CHECK(calls({"-R", "--if-changed", own, "t"}) == std::pair(0, 3));
}

TEST_CASE("chown --beneath and --no-symlinks keep to the directory") {
  const Scratch scratch;
  scratch.directory("base");
  scratch.file("base/f");
  scratch.file("secret");
  scratch.link("../secret", "base/outside");
  const std::string before = owner_of(scratch / "secret");
  const std::string base = scratch / "base";
  const std::string own = owner("71:72");
  if (!tests::newer_calls()) {
    CHECK(osbox({"chown", "--beneath", base, own, "f"}).err ==
          "chown: f: ENOSYS: Function not implemented\n");
    return;
  }
  for (const std::string how : {"--exit-errno", "-v", "-R"}) {
    CHECK(osbox({"chown", how, "--beneath", base, own, "../secret"}).err ==
          "chown: ../secret: EXDEV: Invalid cross-device link\n");
    CHECK(osbox({"chown", how, "--beneath", base, own, "f"}).status == 0);
    CHECK(tests::run({.words = {tests::binary(), "chown", how, "--beneath", base, own, "f"},
                      .denied = {{SYS_openat2, EPERM}}})
              .err == "chown: f: ENOSYS: Function not implemented\n");
  }
  CHECK(osbox({"chown", "--beneath", base, own, "outside"}).err ==
        "chown: outside: EXDEV: Invalid cross-device link\n");
  CHECK(osbox({"chown", "--no-symlinks", own, base + "/outside"}).err ==
        "chown: " + base + "/outside: ELOOP: Too many levels of symbolic links\n");
  CHECK(osbox({"lchown", "--beneath", base, own, "outside"}).status == 0);
  CHECK(owner_of(base + "/outside") == own);
  CHECK(owner_of(base + "/f") == own);
  CHECK(owner_of(scratch / "secret") == before);
}

TEST_CASE("chown -R changes nothing outside, whatever is swapped meanwhile") {
  const Scratch scratch;
  scratch.directory("outside");
  scratch.file("outside/f");
  const std::string before = owner_of(scratch / "outside");
  const auto ctime = core::lstat(scratch / "outside/f")->ctime;
  scratch.directory("t");
  for (int i = 0; i < 20; ++i) scratch.file("t/stays" + std::to_string(i));
  scratch.directory("t/d");
  scratch.file("t/d/f");
  scratch.file("t/f");
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
    Words words = {"chown", "-R", owner("81:82"), scratch / "t"};
    if (i % 2 == 0) words.emplace_back("--if-changed");
    errors += osbox(words).err;
  }
  stop = true;
  other.join();
  CHECK(swaps > 0);
  CHECK(errors == "");
  CHECK(owner_of(scratch / "outside") == before);
  CHECK(owner_of(scratch / "outside/f") == before);
  CHECK(core::lstat(scratch / "outside/f")->ctime == ctime);
}
