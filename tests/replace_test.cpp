#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "core/sys/fs.hpp"
#include "tests/injection.hpp"
#include "tests/replace.hpp"

using tests::content;
using tests::Elsewhere;
using tests::from_stdin;
using tests::mode_of;
using tests::Names;
using tests::names_in;
using tests::python_in;
using tests::Words;

// -- rename(2)

TEST_CASE("replace takes the place of a file, and says nothing") {
  const Scratch scratch;
  const std::string source = scratch.file("new", "new", 0640);
  const std::string dest = scratch.file("old", "old", 0600);
  const Ran ran = osbox({"replace", source, dest});
  CHECK(ran.status == 0);
  CHECK(ran.out == "");
  CHECK(ran.err == "");
  CHECK(content(dest) == "new");
  CHECK(mode_of(dest) == 0640);
  CHECK(names_in(scratch.path()) == Names{"old"});
  std::string from = dest;
  for (const std::string& name : tests::hostile_names()) {
    scratch.file(name, "old");
    CHECK(osbox({"replace", from, scratch / name}).status == 0);
    from = scratch / name;
    CHECK(content(from) == "new");
  }
  CHECK(names_in(scratch.path()).size() == 1);
}

TEST_CASE("replace is rename(2) with directories and links too") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "content");
  const std::string empty = scratch.directory("empty");
  const std::string full = scratch.directory("full");
  scratch.file("full/x");
  const std::string link = scratch.link("full", "link");
  const auto said = [&](const std::string& a, const std::string& b) {
    const Ran ran = osbox({"replace", a, b});
    CHECK(ran.status == (ran.err.empty() ? 0 : 1));
    const std::string names = "replace: " + a + " -> " + b + ": ";
    if (!ran.err.empty()) CHECK(ran.err.starts_with(names));
    return ran.err.empty()
               ? ""
               : ran.err.substr(names.size(), ran.err.find(": ", names.size()) - names.size());
  };
  CHECK(said(file, empty) == "EISDIR");
  CHECK(said(empty, file) == "ENOTDIR");
  CHECK(said(empty, full) == "ENOTEMPTY");
  CHECK(said(full, scratch / "full/sub") == "EINVAL");
  CHECK(said(scratch / "no", file) == "ENOENT");
  CHECK(said(file, scratch / "no/") == "ENOTDIR");
  CHECK(said(file, scratch / "no/x") == "ENOENT");
  CHECK(said(link + "/", scratch / "x") == "ENOTDIR");
  CHECK(said(file, scratch / ".") == "EBUSY");
  CHECK(osbox({"replace", "", file}).err ==
        "replace: '' -> " + file + ": ENOENT: No such file or directory\n");
  CHECK(names_in(scratch.path()) == Names{"empty", "file", "full", "link"});
  CHECK(said(full, empty) == "");
  CHECK(core::lstat(scratch / "empty/x"));
  CHECK(said(file, link) == "");
  CHECK(content(link) == "content");
  CHECK(names_in(scratch.path()) == Names{"empty", "link"});
}

TEST_CASE("replace says where rename(2) does nothing, and that is no failure") {
  const Scratch scratch;
  const std::string a = scratch.file("a", "content");
  const std::string b = scratch / "b";
  REQUIRE(::link(a.c_str(), b.c_str()) == 0);
  for (const Words& how : {Words{}, Words{"--copy"}, Words{"--backup", scratch / "kept"}}) {
    Words words = {"replace", a, b};
    words.insert(words.end(), how.begin(), how.end());
    const Ran ran = osbox(words);
    CHECK(ran.status == 0);
    CHECK(ran.err ==
          "replace: " + a + " -> " + b + ": nothing was moved: both are names of one file\n");
    words.push_back("--json");
    const Ran json = osbox(words);
    CHECK(json.err == "");
    CHECK(json.out == "{\"path\":\"" + a + "\",\"target\":\"" + b +
                          "\",\"moved\":false,\"copied\":false,\"backup\":null}\n");
  }
  CHECK(osbox({"replace", "-v", a, a}).out == "");
  CHECK(names_in(scratch.path()) == Names{"a", "b"});
  CHECK(core::stat(a)->nlink == 2);
}

TEST_CASE("replace to another file system is EXDEV, and changes neither side") {
  const Elsewhere two;
  const std::string source = two.here.file("source", "new");
  const std::string dest = two.there.file("dest", "old");
  const Ran ran = osbox({"replace", source, dest});
  CHECK(ran.status == 1);
  CHECK(ran.err ==
        "replace: " + source + " -> " + dest +
            ": EXDEV: Invalid cross-device link (--copy leads to another file system)\n");
  CHECK(content(source) == "new");
  CHECK(content(dest) == "old");
  CHECK(names_in(two.there.path()) == Names{"dest"});
  if (!tests::newer_calls()) return;
  CHECK(osbox({"replace", "--copy", "--beneath", two.here.path(), "source", "../x"}).err ==
        "replace: source -> ../x: EXDEV: Invalid cross-device link\n");
}

TEST_CASE("replace takes pairs, and goes on after a failure") {
  const Scratch scratch;
  const std::string list =
      scratch.file("list", (scratch / "no") + '\0' + scratch.file("x", "x") + '\0' +
                               scratch.file("a", "a") + '\0' + scratch.file("b", "b") + '\0');
  const Ran ran = osbox({"replace", "-v", "--files0-from", list});
  CHECK(ran.status == 1);
  CHECK(ran.out == "renamed " + scratch / "a" + " to " + scratch / "b" + "\n");
  CHECK(content(scratch / "b") == "a");
  CHECK(content(scratch / "x") == "x");
}

TEST_CASE("replace with operands that do not go together is wrong usage, and changes nothing") {
  const Scratch scratch;
  const std::string a = scratch.file("a", "a");
  const std::string b = scratch.file("b", "b");
  for (const Words& words :
       {Words{}, Words{a}, Words{a, b, a}, Words{"--stdin", a, b}, Words{"--stdin"},
        Words{"--stdin", "--copy", a}, Words{"--stdin", "--files0-from", a},
        Words{"--no-sync", a, b}, Words{"--no-owner", a, b}, Words{"--no-xattrs", a, b},
        Words{"--backup", "x", "--files0-from", a}, Words{"--files0-from", a, b}}) {
    Words all = {"replace"};
    all.insert(all.end(), words.begin(), words.end());
    CAPTURE(words.size());
    CHECK(osbox(all).status == 2);
  }
  CHECK(content(a) == "a");
  CHECK(content(b) == "b");
}

// -- the backup

TEST_CASE("replace --backup keeps the old file under its name") {
  const Elsewhere two;
  const Scratch& scratch = two.here;
  const std::string dest = scratch.file("dest", "old", 0640);
  const std::string kept = scratch / "kept";
  const std::uint64_t old = core::stat(dest)->ino;
  int round = 0;
  const std::string elsewhere = two.there / "new";
  for (const Words& how : {Words{"--stdin"}, Words{scratch / "new"}, Words{"--copy", elsewhere}}) {
    scratch.file("new", "new\n");
    two.there.file("new", "new\n");
    Words words = {tests::binary(), "replace", "--backup", kept, "--json"};
    words.insert(words.end(), how.begin(), how.end());
    words.push_back(dest);
    const Ran ran = tests::run({.words = words, .input = "new\n"});
    CHECK(ran.err == "");
    CHECK(ran.out.ends_with(",\"backup\":\"" + kept + "\"}\n"));
    CHECK(content(dest) == "new\n");
    CHECK(content(kept) == (round == 0 ? "old" : "new\n"));
    if (round++ == 0) CHECK(core::stat(kept)->ino == old);
    // It is there: nothing happens.
    scratch.file("new", "newer");
    two.there.file("new", "newer");
    const Ran again = tests::run({.words = words, .input = "newer"});
    CHECK(again.status == 1);
    CHECK(again.err.find("\"path\":\"" + dest + "\",\"target\":\"" + kept +
                         "\",\"errno\":17,\"error\":\"EEXIST\"") != std::string::npos);
    CHECK(again.err.contains("the name for the backup is taken"));
    CHECK(content(dest) == "new\n");
    CHECK(content(scratch / "new") == "newer");
    CHECK(content(elsewhere) == "newer");
    REQUIRE(::unlink(kept.c_str()) == 0);
    CHECK(names_in(scratch.path()) == Names{"dest", "new"});
  }
}

TEST_CASE("replace -v tells where the old file is") {
  const Scratch scratch;
  const std::string dest = scratch.file("dest", "old");
  const std::string source = scratch.file("source", "new");
  CHECK(osbox({"replace", "-v", "--backup", scratch / "kept", source, dest}).out ==
        "renamed " + source + " to " + dest + ", the old file is " + scratch / "kept" + "\n");
}

TEST_CASE("replace --backup makes none where there is no old file, and none where it fails") {
  const Scratch scratch;
  const std::string kept = scratch / "kept";
  scratch.file("source", "new");
  CHECK(from_stdin({"--backup", kept, "-v", scratch / "first"}).out ==
        "wrote " + scratch / "first" + "\n");
  CHECK(osbox({"replace", "--backup", kept, scratch / "source", scratch / "dest"}).status == 0);
  CHECK(names_in(scratch.path()) == Names{"dest", "first"});
  // The rename fails, and the backup goes again.
  CHECK(osbox({"replace", "--backup", kept, scratch / "nosuch", scratch / "dest"}).err ==
        "replace: " + scratch / "nosuch" + " -> " + scratch / "dest" +
            ": ENOENT: No such file or directory\n");
  CHECK(from_stdin({"--backup", scratch / "no/kept", scratch / "dest"}).err ==
        "replace: " + scratch / "no/kept" + ": open: ENOENT: No such file or directory\n");
  CHECK(from_stdin({"--backup", scratch / "kept/", scratch / "dest"}).status == 1);
  CHECK(content(scratch / "dest") == "new");
  CHECK(names_in(scratch.path()) == Names{"dest", "first"});
}

TEST_CASE("replace tells what it could not take away again") {
  const Scratch scratch;
  const std::string dest = scratch.file("dest", "old");
  const std::string kept = scratch / "kept";
  const std::string start = "replace: " + dest + ": fsync: EIO: Input/output error (";
  const auto end_of = [&] {
    const Names left = names_in(scratch.path());
    const auto name =
        std::ranges::find_if(left, [](const auto& each) { return each.starts_with(".osbox-"); });
    REQUIRE(name != left.end());
    std::string path = scratch / *name;
    REQUIRE(::unlink(path.c_str()) == 0);
    return " " + path + ")\n";
  };
  const std::vector<tests::Denied> denied = {{SYS_fsync, EIO}, {SYS_unlinkat, EIO}};
  std::string said = from_stdin({dest}, "new", denied).err;
  CHECK(said == start + "left behind is" + end_of());
  said = from_stdin({"--no-sync", "--backup", kept, dest}, "new",
                    {{SYS_renameat2, ENOSYS}, {SYS_renameat, EIO}, {SYS_unlinkat, EIO}})
             .err;
  CHECK(said == "replace: " + dest + ": EIO: Input/output error (left behind are the backup and" +
                    end_of());
  CHECK(names_in(scratch.path()) == Names{"dest", "kept"});
  REQUIRE(::unlink(kept.c_str()) == 0);
  // The new file is taken away again, and the backup cannot be.
  Words first_unlink = {"strace", "-qq", "-o", "/dev/null"};
  for (const char* const word :
       {"-e", "trace=renameat,renameat2,unlinkat", "-e", "inject=renameat,renameat2:error=EIO",
        "-e", "inject=unlinkat:error=EIO:when=1"}) {
    first_unlink.emplace_back(word);
  }
  for (const std::string& word : {tests::binary(), std::string("replace"), std::string("--stdin"),
                                  std::string("--backup"), kept, dest}) {
    first_unlink.push_back(word);
  }
  CHECK(tests::run({.words = first_unlink, .input = "new"}).err ==
        "replace: " + dest + ": EIO: Input/output error (the backup is left behind)\n");
  CHECK(names_in(scratch.path()) == Names{"dest", "kept"});
  REQUIRE(::unlink(kept.c_str()) == 0);
  // What was exchanged is changed back.
  const std::string source = scratch.file("source", "new");
  const Words words = {tests::binary(), "replace", "--backup", kept, source, dest};
  if (!tests::newer_calls()) return;
  const std::string pair = "replace: " + source + " -> " + dest + ": ";
  CHECK(tests::run({.words = words, .denied = {{SYS_unlinkat, EIO}}}).err ==
        pair + "unlink: EIO: Input/output error (the backup is left behind)\n");
  CHECK(content(dest) == "old");
  CHECK(content(source) == "new");
  CHECK(names_in(scratch.path()) == Names{"dest", "kept", "source"});
  REQUIRE(::unlink(kept.c_str()) == 0);
  Words traced = {"strace", "-qq",
                  "-o",     "/dev/null",
                  "-e",     "trace=renameat2,unlinkat",
                  "-e",     "inject=renameat2:error=EIO:when=3+",
                  "-e",     "inject=unlinkat:error=EIO"};
  traced.insert(traced.end(), words.begin(), words.end());
  said = tests::run({.words = traced}).err;
  REQUIRE(names_in(scratch.path()).size() == 3);
  CHECK(content(scratch / names_in(scratch.path())[0]) == "old");
  CHECK(said ==
        pair + "unlink: EIO: Input/output error (the new file is in place, and the old one is" +
            end_of());
  CHECK(content(dest) == "new");
  CHECK(content(kept) == "old");
}

TEST_CASE("a backup that has no place is told of by its name, and nothing is copied for it") {
  const Elsewhere two;
  const std::string kept = two.here / "no/kept";
  for (const Scratch* const from : {&two.here, &two.there}) {
    const std::string source = from->file("source", "new");
    const std::string dest = two.here.file("dest", "old");
    for (const Words& how : {Words{}, Words{"--copy"}}) {
      CAPTURE(how);
      // rename(2) alone would not get that far.
      if (how.empty() && from == &two.there) continue;
      Words words = {"replace", "--backup", kept, source, dest};
      words.insert(words.begin() + 1, how.begin(), how.end());
      const Ran ran = osbox(words);
      CHECK(ran.status == 1);
      CHECK(ran.err == "replace: " + kept + ": open: ENOENT: No such file or directory\n");
    }
    CHECK(content(source) == "new");
    CHECK(content(dest) == "old");
  }
  // On another file system it is EXDEV of link(2), where a copy of SOURCE would not help.
  const std::string far = two.there / "kept";
  CHECK(osbox({"replace", "--copy", "--backup", far, two.here / "source", two.here / "dest"}).err ==
        "replace: " + two.here / "dest" + " -> " + far +
            ": link: EXDEV: Invalid cross-device link\n");
  CHECK(names_in(two.here.path()) == Names{"dest", "source"});
}

// -- from one file system to another

TEST_CASE("replace --copy takes all of a file along, and leaves no source") {
  const Elsewhere two;
  const std::string source = two.there.file("source", "content", 04751);
  const std::string target = two.here.file("target", "old");
  two.here.link("target", "dest");
  const std::string dest = two.here / "dest";
  tests::python(
      "import os, sys\n"
      "os.utime(sys.argv[1], ns=(-5_000_000_003, 1_234_567_890_123_456_789))\n"
      "try: os.setxattr(sys.argv[1], 'trusted.t', b'1')\n"
      "except PermissionError: pass\n"
      "os.setxattr(sys.argv[1], 'system.posix_acl_access', bytes.fromhex('0200000001000700"
      "ffffffff020005000100000004000500ffffffff10000500ffffffff20000100ffffffff'))\n",
      {source});
  if (tests::is_root()) {
    REQUIRE(::chown(source.c_str(), 1, 2) == 0);
    REQUIRE(::chmod(source.c_str(), 04751) == 0);
  }
  const core::Stat before = core::stat(source).value();
  const std::string attributes =
      "import os, sys\n"
      "print({n: os.getxattr(sys.argv[1], n) for n in os.listxattr(sys.argv[1])})";
  const std::string had = tests::python(attributes, {source});
  const Ran ran = osbox({"replace", "--copy", "-v", source, dest});
  CHECK(ran.err == "");
  CHECK(ran.out == "moved " + source + " to " + dest + "\n");
  CHECK(!core::lstat(source));
  const core::Stat after = core::lstat(dest).value();
  CHECK(content(dest) == "content");
  CHECK(after.type == core::Type::file);
  CHECK(after.mode == before.mode);
  CHECK(after.uid == before.uid);
  CHECK(after.gid == before.gid);
  CHECK((after.mtime == before.mtime));
  CHECK((after.atime == before.atime));
  CHECK(tests::python(attributes, {dest}) == had);
  CHECK(content(target) == "old");
  CHECK(names_in(two.here.path()) == Names{"dest", "target"});
  CHECK(osbox({"replace", "--copy", "--json", dest, two.there / "x"}).out.find("\"copied\":true") !=
        std::string::npos);
  // On one file system it is rename(2).
  CHECK(
      osbox({"replace", "--copy", "--json", target, two.here / "x"}).out.find("\"copied\":false") !=
      std::string::npos);
}

TEST_CASE("replace --copy keeps holes, and copies any content") {
  for (const bool to_memory : {false, true}) {
    for (const std::vector<tests::Denied>& denied :
         {std::vector<tests::Denied>{},
          std::vector<tests::Denied>{{SYS_copy_file_range, ENOSYS}, {SYS_ioctl, ENOTTY}}}) {
      const Elsewhere two;
      const Scratch& from = to_memory ? two.here : two.there;
      const Scratch& to = to_memory ? two.there : two.here;
      const Ran ran = python_in(
          from.path(),
          "import os, random, subprocess, sys\n"
          "random.seed(1)\n"
          "def check(name, pieces, size):\n"
          "  with open(name, 'wb') as f:\n"
          "    for at, length in pieces: f.seek(at); f.write(random.randbytes(length))\n"
          "    f.truncate(size)\n"
          "  want, blocks = open(name, 'rb').read(), os.stat(name).st_blocks\n"
          "  r = subprocess.run([sys.argv[1], 'replace', '--copy', '--no-sync', name, "
          "sys.argv[2] + '/' + name], capture_output=True)\n"
          "  assert r.returncode == 0, r.stderr\n"
          "  new = sys.argv[2] + '/' + name\n"
          "  assert open(new, 'rb').read() == want, name\n"
          "  assert os.stat(new).st_blocks <= blocks + 64, (name, os.stat(new).st_blocks, blocks)\n"
          "  assert not os.path.exists(name)\n"
          "m = 1 << int(sys.argv[3])\n"
          "check('empty', [], 0)\n"
          "check('small', [(0, 5)], 5)\n"
          "check('dense', [(0, 5 * m + 7)], 5 * m + 7)\n"
          "check('hole first', [(8 * m, 100)], 8 * m + 100)\n"
          "check('hole last', [(0, 100)], 8 * m + 1)\n"
          "check('all hole', [], 8 * m)\n"
          "check('many', [(i * m, 4096 + i) for i in range(0, 40, 3)], 41 * m)\n"
          "print('done')\n",
          {to.path(), tests::is_long() ? "20" : "18"}, denied);
      CHECK(ran.err == "");
      CHECK(ran.out == "done\n");
    }
  }
}

TEST_CASE("replace --copy copies a link as a link, and makes FIFOs and devices again") {
  const Elsewhere two;
  const std::string dest = two.there.file("dest", "old");
  two.here.file("secret", "secret");
  CHECK(osbox({"replace", "--copy", two.here.link("secret", "link"), dest}).err == "");
  CHECK(core::readlink(dest).value() == "secret");
  // Where every name is taken, it does not try for ever.
  CHECK(tests::run({.words = {tests::binary(), "replace", "--copy", dest, two.here / "no"},
                    .denied = {{SYS_symlinkat, EEXIST}}})
            .err.find(": symlink: EEXIST: ") != std::string::npos);
  CHECK(!core::lstat(two.here / "link"));
  const std::string fifo = two.here.fifo("fifo");
  REQUIRE(::chmod(fifo.c_str(), 0624) == 0);
  CHECK(osbox({"replace", "--copy", fifo, dest}).err == "");
  CHECK(core::lstat(dest)->type == core::Type::fifo);
  CHECK(mode_of(dest) == 0624);
  CHECK(!core::lstat(fifo));
  if (tests::is_root()) {
    const std::string null = two.here / "null";
    REQUIRE(::mknod(null.c_str(), S_IFCHR | 0600, core::stat("/dev/null")->rdev) == 0);
    CHECK(osbox({"replace", "--copy", null, dest}).err == "");
    CHECK(core::lstat(dest)->rdev == core::stat("/dev/null")->rdev);
  }
  CHECK(names_in(two.there.path()) == Names{"dest"});
  CHECK(names_in(two.here.path()) == Names{"secret"});
}

TEST_CASE("replace --copy refuses directories, and what cannot be read or replaced") {
  const Elsewhere two;
  const std::string dest = two.there.file("dest", "old");
  const std::string directory = two.here.directory("dir");
  const auto said = [&](const std::string& source, const std::string& to) {
    const Ran ran = osbox({"replace", "--copy", source, to});
    CHECK(ran.status == 1);
    const std::string names = "replace: " + source + " -> " + to + ": ";
    CHECK(ran.err.starts_with(names));
    return ran.err.substr(std::min(names.size(), ran.err.size()));
  };
  CHECK(said(directory, two.there / "new") ==
        "EXDEV: Invalid cross-device link (a directory is not copied)\n");
  CHECK(said(two.here / "no", dest) == "open: ENOENT: No such file or directory\n");
  const std::string file = two.here.file("file", "new", 0);
  CHECK(said(file + "/", dest) == "ENOTDIR: Not a directory\n");
  CHECK(said(two.here.link("file", "link") + "/", dest).starts_with("ENOTDIR"));
  CHECK(said(file, two.there.directory("dir")) == "EISDIR: Is a directory\n");
  CHECK(said(file, two.there / "no/x") == "ENOENT: No such file or directory\n");
  CHECK(said(file, dest + "/") == "ENOTDIR: Not a directory\n");
  REQUIRE(::chmod(two.here.path().c_str(), 0777) == 0);
  REQUIRE(::chmod(two.there.path().c_str(), 0777) == 0);
  CHECK(tests::run({.words = {tests::binary(), "replace", "--copy", file, dest}, .as_nobody = true})
            .err.ends_with(": open: EACCES: Permission denied\n"));
  CHECK(content(dest) == "old");
  CHECK(names_in(two.there.path()) == Names{"dest", "dir"});
  CHECK(names_in(two.here.path()) == Names{"dir", "file", "link"});
}

TEST_CASE("replace --copy tells of a source that cannot be removed") {
  const Elsewhere two;
  REQUIRE(::chmod(two.there.path().c_str(), 0777) == 0);
  const std::string locked = two.here.directory("locked", 0755);
  const std::string source = two.here.file("locked/source", "new", 0644);
  if (!tests::is_root()) REQUIRE(::chmod(locked.c_str(), 0555) == 0);
  const std::string dest = two.there / "dest";
  Words words = {tests::binary(), "replace", "--copy", "--no-owner", source, dest};
  const Ran ran = tests::run({.words = words, .as_nobody = true});
  CHECK(ran.status == 1);
  CHECK(ran.err == "replace: " + source + " -> " + dest +
                       ": unlink: EACCES: Permission denied (the new file is in place)\n");
  CHECK(content(dest) == "new");
  CHECK(content(source) == "new");
  // Of files that do not tell their size all is read.
  words[4] = "/proc/self/status";
  CHECK(tests::run({.words = words, .as_nobody = true}).err.find("the new file is in place") !=
        std::string::npos);
  CHECK(content(dest).find("Pid:") != std::string::npos);
}

TEST_CASE("replace --copy of a source that changes meanwhile is EBUSY") {
  const Elsewhere two;
  const Ran ran =
      python_in(two.there.path(),
                "import os, subprocess, sys\n"
                "open('source', 'wb').write(b'x' * (48 << 20))\n"
                "open(sys.argv[2], 'w').write('old')\n"
                "p = subprocess.Popen([sys.argv[1], 'replace', '--copy', 'source', sys.argv[2]], "
                "stderr=subprocess.PIPE)\n"
                "n = 0\n"
                "while p.poll() is None: n += 1; os.utime('source', ns=(n, n))\n"
                "assert p.returncode == 1, p.returncode\n"
                "print(p.stderr.read().decode().split(': ', 2)[2], end='')\n"
                "print(open(sys.argv[2]).read(), os.stat('source').st_size)\n",
                {two.here / "dest"});
  CHECK(ran.err == "");
  CHECK(ran.out ==
        "read: EBUSY: Device or resource busy (it changed while it was copied)\nold 50331648\n");
  CHECK(names_in(two.here.path()) == Names{"dest"});
}

TEST_CASE("a signal ends replace --copy, and both files stay") {
  const Elsewhere two;
  const Ran ran =
      python_in(two.there.path(),
                "import os, subprocess, sys\n"
                "open('source', 'wb').write(b'x' * (1 << 20))\n"
                "dest = sys.argv[2] + '/dest'; open(dest, 'w').write('old')\n"
                "for call in ['copy_file_range,write', 'fsync', 'utimensat']:\n"
                "  for signal in ['SIGTERM', 'SIGIO', 'SIGPWR', 'SIGSTKFLT', 'SIGRT_5']:\n"
                "    p = subprocess.run(['strace', '-qq', '-e', 'trace=' + call, '-e',\n"
                "                        'inject=' + call + ':signal=' + signal + ':when=1',\n"
                "                        sys.argv[1], 'replace', '--copy', 'source', dest],\n"
                "                       stderr=subprocess.PIPE)\n"
                "    assert p.returncode < 0, (call, signal, p)\n"
                "    assert signal != 'SIGTERM' or p.returncode == -15, p\n"
                "    assert os.listdir(sys.argv[2]) == ['dest'], (call, signal)\n"
                "    assert open(dest).read() == 'old' and os.listdir() == ['source']\n"
                "print('done')\n",
                {two.here.path()});
  CHECK(ran.err == "");
  CHECK(ran.out == "done\n");
}

TEST_CASE("replace --copy is durable where it is a rename too") {
  const Scratch scratch;
  scratch.file("a", "new");
  scratch.file("b", "old");
  const auto calls = [&](const Words& how) {
    tests::Command command{
        .words = {"strace", "-qq", "-e", "trace=fsync,renameat,renameat2,linkat,syncfs",
                  tests::binary(), "replace"},
        .directory = scratch.path()};
    command.words.insert(command.words.end(), how.begin(), how.end());
    std::string order;
    for (const std::string& line : tests::lines(tests::run(command).err)) {
      order += line.substr(0, line.find('(')) + " ";
    }
    return order;
  };
  CHECK(calls({"--copy", "a", "b"}) == "fsync renameat fsync ");
  CHECK(calls({"--copy", "--no-sync", "b", "a"}) == "renameat ");
  CHECK(calls({"a", "b"}) == "renameat ");
  scratch.file("a", "newer");
  CHECK(calls({"--copy", "--backup", "kept", "a", "b"}).starts_with("fsync linkat fsync renameat"));
  CHECK(content(scratch / "kept") == "new");
}

TEST_CASE(
    "replace --copy tells of a directory that was not synchronised, with the new file in place") {
  const Scratch scratch;
  const std::string source = scratch.file("source", "new");
  const std::string dest = scratch.file("dest", "old");
  const tests::Command command{.words = {tests::binary(), "replace", "--copy", source, dest}};
  // The first fsync is the file's, the second the directory's.
  const std::string start =
      "replace: " + source + " -> " + dest + ": fsync: EIO: Input/output error";
  CHECK(tests::watch(command, {{SYS_fsync, 1, EIO}}).ran.err == start + "\n");
  CHECK(content(dest) == "old");
  CHECK(tests::watch(command, {{SYS_fsync, 2, EIO}}).ran.err ==
        start + " (the new file is in place)\n");
  CHECK(content(dest) == "new");
}

TEST_CASE("replace --copy is durable where neither the file nor its directory may be read") {
  const Scratch scratch;
  const std::string base = scratch.directory("base");
  scratch.file("base/source", "new", 0200);
  scratch.file("base/dest", "old");
  if (tests::is_root()) {
    for (const char* const name : {"base", "base/source", "base/dest"}) {
      REQUIRE(::chown((scratch / name).c_str(), 65534, 65534) == 0);
    }
    REQUIRE(::chmod(scratch.path().c_str(), 0755) == 0);
  }
  REQUIRE(::chmod(base.c_str(), 0300) == 0);
  const auto run = [&](const std::string& source, const std::string& dest,
                       const std::string& answer = "retval=0") {
    // All file systems of the machine are for others to wait for.
    return tests::run({.words = {"strace", "-qq", "-e", "trace=sync,syncfs,fsync,renameat", "-e",
                                 "inject=sync,syncfs:" + answer, tests::binary(), "replace",
                                 "--copy", source, dest},
                       .as_nobody = true});
  };
  const auto calls = [](const Ran& ran) {
    std::string order;
    for (const std::string& line : tests::lines(ran.err)) {
      order += line.substr(0, line.find('(')) + " ";
    }
    return order;
  };
  const Ran unread = run(base + "/source", base + "/dest");
  CHECK(unread.status == 0);
  CHECK(calls(unread) == "sync renameat sync ");
  CHECK(core::lstat(base + "/source").error().number == ENOENT);
  REQUIRE(::chmod((base + "/dest").c_str(), 0600) == 0);
  const Ran read = run(base + "/dest", base + "/other");
  CHECK(read.status == 0);
  CHECK(calls(read) == "fsync renameat syncfs ");
  const Ran failed = run(base + "/other", base + "/last", "error=EIO");
  CHECK(failed.status == 1);
  CHECK(failed.err.ends_with(": syncfs: EIO: Input/output error (the new file is in place)\n"));
}

TEST_CASE("replace --copy does by hand what the kernel cannot copy, or was disturbed in") {
  const Elsewhere two;
  const std::string source = two.there / "source";
  const std::string dest = two.here / "dest";
  const std::string text(300'000, 'n');
  for (const int error : {EINTR, EXDEV, EINVAL, EOPNOTSUPP, EPERM, EBADF, ETXTBSY, ENOSYS}) {
    CAPTURE(core::error_name(error));
    two.there.file("source", text);
    const auto watched =
        tests::watch({.words = {tests::binary(), "replace", "--copy", source, dest}},
                     {{SYS_copy_file_range, 1, error}});
    // The plain twins copy by hand always.
    if (tests::newer_calls()) CHECK(watched.injected == 1);
    CHECK(watched.ran.err == "");
    CHECK(content(dest) == text);
  }
}
