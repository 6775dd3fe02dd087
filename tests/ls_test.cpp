#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "core/sys/directory.hpp"
#include "core/sys/stat.hpp"
#include "tests/ls.hpp"
#include "tests/sanitizer.hpp"

using tests::fill;
using tests::gnu;
using tests::ls;
using tests::make_files;
using tests::terminal;
using tests::words_of;

TEST_CASE("ls prints what GNU ls prints in the C locale") {
  // The directory above is nobody else's either: -a shows it.
  const Scratch above;
  const Scratch scratch(above.path());
  fill(scratch);
  for (const std::string line : {"",
                                 "-1",
                                 "-a",
                                 "-A",
                                 "-aA",
                                 "-Aa",
                                 "-r",
                                 "-t",
                                 "-tr",
                                 "-S",
                                 "-Sr",
                                 "-SA",
                                 "-F",
                                 "-Fa",
                                 "-i",
                                 "-iA",
                                 "-n",
                                 "-nA",
                                 "-l",
                                 "-la",
                                 "-lA",
                                 "-lh",
                                 "-lhA",
                                 "-ln",
                                 "-li",
                                 "-lF",
                                 "-liFh",
                                 "-d",
                                 "-ld",
                                 "-dF d x.c",
                                 "-ltr",
                                 "-lS",
                                 "-lSr",
                                 "-lu",
                                 "-lc",
                                 "-u",
                                 "-c",
                                 "-ut",
                                 "-lut",
                                 "-U",
                                 "-rU",
                                 "--sort=extension",
                                 "-r --sort=extension",
                                 "--sort=time",
                                 "--sort=size",
                                 "--sort=none",
                                 "-lU",
                                 "--reverse",
                                 "--time=atime",
                                 "--time=ctime -l",
                                 "--time=use -t",
                                 "-t -U",
                                 "-U -t",
                                 "-S -t",
                                 "-1l",
                                 "-l1",
                                 "d empty",
                                 "d x.c program",
                                 "-r d x.c empty v01",
                                 "-U x.c d v01 empty",
                                 "-t d empty sticky",
                                 "-S d empty",
                                 "to-d",
                                 "-l to-d",
                                 "-F to-d",
                                 "-d to-d",
                                 "to-d/",
                                 "-l to-d/",
                                 "-lF to-d to-x dangling",
                                 "-i d x.c",
                                 "dangling",
                                 "-l dangling",
                                 "-R d nested",
                                 "-lR x.c nested d",
                                 "-Rt",
                                 "-RSrA d nested",
                                 "-- -dash",
                                 "/dev/null",
                                 "-l /dev/null /dev/tty",
                                 "-lh /dev/null"}) {
    CAPTURE(line);
    const Ran theirs = gnu(words_of(line), scratch.path());
    REQUIRE(theirs.status == 0);
    const Ran ours = ls(words_of(line), scratch.path());
    CHECK(ours.out == theirs.out);
    CHECK(ours.err.empty());
    CHECK(ours.status == 0);
  }
}

TEST_CASE("ls --sort=version has numbers in order, as strverscmp does") {
  const Scratch scratch;
  for (const char* const name : {"v1.10", "v1.9", "v1.09", "v", "v10", "v9", "v1.10a"}) {
    scratch.file(name);
  }
  const std::string ctypes =
      "import ctypes, functools, os, sys\n"
      "c = ctypes.CDLL(None).strverscmp\n"
      "names = sorted(os.listdir(sys.argv[1]), key=functools.cmp_to_key(\n"
      "  lambda a, b: c(a.encode(), b.encode())))\n"
      "print('\\n'.join(names))";
  CHECK(osbox({"ls", "--sort=version", scratch.path()}).out ==
        tests::python(ctypes, {scratch.path()}));
}

TEST_CASE("listdir is os.listdir: all names but . and ..") {
  const Scratch scratch;
  fill(scratch);
  CHECK(osbox({"listdir", scratch.path()}).out ==
        tests::python("import os, sys\nprint('\\n'.join(sorted(os.listdir(sys.argv[1]))))",
                      {scratch.path()}));
  CHECK(osbox({"listdir", "--color=never", scratch.path()}, terminal).out ==
        osbox({"listdir", scratch.path()}).out);
}

TEST_CASE("ls takes every name as it is, in every format") {
  const Scratch scratch;
  std::vector<std::string> names = tests::hostile_names();
  for (const std::string& name : names) scratch.file(name);
  std::ranges::sort(names);
  std::string plain, ended, records;
  for (const std::string& name : names) {
    plain += name + "\n";
    ended += name + '\0';
    records += "<" + scratch / name + ">\n";
  }
  CHECK(osbox({"ls", "-A", scratch.path()}).out == plain);
  CHECK(osbox({"ls", "-A0", scratch.path()}).out == ended);
  CHECK(osbox({"ls", "-A0", scratch.path()}, terminal).out == ended);
  CHECK(osbox({"ls", "-A", "--format", "<{path}>", scratch.path()}).out == records);

  std::vector<std::string> operands = {"ls", "-d0"};
  for (const std::string& name : names) operands.push_back(scratch / name);
  std::string paths;
  for (const std::string& name : names) paths += scratch / name + '\0';
  CHECK(osbox(operands).out == paths);

  const std::string decode =
      "import json, os, sys\n"
      "rows = [json.loads(line) for line in open(sys.argv[2])]\n"
      "names = sorted(os.listdir(os.fsencode(sys.argv[1])))\n"
      "assert [os.fsencode(r['name']) for r in rows] == names\n"
      "assert [os.fsencode(r['path']) for r in rows] == \\\n"
      "  [os.path.join(os.fsencode(sys.argv[1]), n) for n in names]\n"
      "print('good')";
  const Scratch other;
  CHECK(tests::python(decode,
                      {scratch.path(),
                       other.file("json", osbox({"ls", "-A", "--json", scratch.path()}).out)}) ==
        "good\n");
}

TEST_CASE("ls records say what os.listdir and os.lstat say") {
  const Scratch scratch;
  fill(scratch);
  // Reading a link changes its time of access, the first time.
  osbox({"ls", "-lA", scratch.path()});
  const Scratch other;
  const std::string check =
      "import json, os, stat, sys\n"
      "d, short, long, sized = sys.argv[1:]\n"
      "kinds = {stat.S_IFREG: 'file', stat.S_IFDIR: 'dir', stat.S_IFLNK: 'link',\n"
      "         stat.S_IFIFO: 'fifo', stat.S_IFSOCK: 'socket', stat.S_IFBLK: 'block'}\n"
      "names = sorted(os.listdir(d))\n"
      "def rows(path): return [json.loads(line) for line in open(path)]\n"
      "def kind(s): return kinds[stat.S_IFMT(s.st_mode)]\n"
      "expected = []\n"
      "for n in names:\n"
      "  p = os.path.join(d, n); s = os.lstat(p)\n"
      "  expected.append(dict(path=p, name=n, type=kind(s), ino=s.st_ino))\n"
      "assert rows(short) == expected, rows(short)\n"
      "for row, e in zip(rows(long), expected):\n"
      "  s = os.lstat(e['path'])\n"
      "  e.update(mode=s.st_mode, dev=s.st_dev, nlink=s.st_nlink, uid=s.st_uid, gid=s.st_gid,\n"
      "    size=s.st_size, blocks=s.st_blocks, blksize=s.st_blksize, rdev=s.st_rdev,\n"
      "    atime_ns=s.st_atime_ns, mtime_ns=s.st_mtime_ns, ctime_ns=s.st_ctime_ns,\n"
      "    permissions=stat.filemode(s.st_mode),\n"
      "    target=os.readlink(e['path']) if e['type'] == 'link' else None)\n"
      "  assert {k: row[k] for k in e} == e, row\n"
      "assert len(rows(long)) == len(names)\n"
      "sizes = [(-os.lstat(os.path.join(d, n)).st_size, n) for n in names]\n"
      "assert [tuple(r) for r in rows(sized)] == [(n, -s) for s, n in sorted(sizes)]\n"
      "print('good')";
  CHECK(tests::python(
            check,
            {scratch.path(), other.file("short", osbox({"ls", "-A", "--json", scratch.path()}).out),
             other.file("long", osbox({"ls", "-Al", "--json", scratch.path()}).out),
             other.file(
                 "sized",
                 osbox({"ls", "-AS", "--format", "[\"{name}\",{size}]", scratch.path()}).out)}) ==
        "good\n");
}

TEST_CASE("ls names paths by the operand they come from") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.file("d/f");
  const auto paths = [&](const std::vector<std::string>& operands) {
    tests::Command command{.words = {tests::binary(), "ls", "--format", "{path} {name} {type}"},
                           .directory = scratch.path()};
    command.words.insert(command.words.end(), operands.begin(), operands.end());
    return tests::run(command).out;
  };
  CHECK(paths({}) == "./d d dir\n");
  CHECK(paths({"d"}) == "d/f f file\n");
  CHECK(paths({"d//", "./d/f"}) == "./d/f f file\nd//f f file\n");
  CHECK(paths({"-d", "d/", "/", "."}) == ". . dir\n/ / dir\nd/ d dir\n");
  CHECK(paths({"-a", "d"}) == "d/. . dir\nd/.. .. dir\nd/f f file\n");
}

TEST_CASE("ls asks the kernel for no more than it shows") {
  const Scratch scratch;
  for (int i = 0; i < 20; ++i) scratch.file("f" + std::to_string(i));
  scratch.directory("d");
  scratch.link("d", "link");
  const auto calls = [&](const std::vector<std::string>& words) {
    tests::Command command{.words = {"strace", "-f", "-qq", "-e",
                                     "trace=statx,newfstatat,lstat,stat,readlink,readlinkat,"
                                     "openat2,getxattr,lgetxattr",
                                     tests::binary(), "ls"},
                           .directory = scratch.path()};
    command.words.insert(command.words.end(), words.begin(), words.end());
    const Ran ran = tests::run(command);
    REQUIRE(ran.status == 0);
    std::ptrdiff_t count = 0;
    for (const std::string& line : tests::lines(ran.err)) {
      // What the program loader and the C library look up for themselves is not ours.
      count += line.find(", \"/") == line.npos && line.find("(\"/") == line.npos &&
                       line.find("AT_EMPTY_PATH") == line.npos
                   ? 1
                   : 0;
    }
    return count;
  };
  CHECK(calls({}) == 0);
  CHECK(calls({"-A", "-r", "--format", "{name} {type}"}) == 0);
  CHECK(calls({"--color=always"}) == 21);  // files and directories, for their modes
  CHECK(calls({"-F"}) == 20);              // files, for their modes
  CHECK(calls({"-l"}) == 23);              // and one readlink
  CHECK(calls({"-i"}) == 22);
  CHECK(calls({"-t", "--json"}) == 22);
  CHECK(calls({"-l", "f1", "f2"}) == 2);
  CHECK(calls({"-ld", "f1", "d"}) == 2);
  CHECK(calls({"f1", "f2"}) == 2);  // are they there?
}

TEST_CASE("ls tells what it cannot list, and lists the rest") {
  const Scratch scratch;
  scratch.directory("a");
  scratch.file("a/x");
  scratch.directory("locked", 0700);
  scratch.file("f");
  const Ran ran =
      tests::run({.words = {tests::binary(), "ls", "nosuch", "a", "locked", "f/", "f", ""},
                  .directory = scratch.path(),
                  .as_nobody = true});
  if (tests::is_root()) {
    CHECK(ran.err ==
          "ls: nosuch: ENOENT: No such file or directory\n"
          "ls: locked: EACCES: Permission denied\n"
          "ls: f/: ENOTDIR: Not a directory\n"
          "ls: '': ENOENT: No such file or directory\n");
    CHECK(ran.out == "f\n\na:\nx\n");
  }
  CHECK(ran.status == 1);

  REQUIRE(::chmod((scratch / "locked").c_str(), 0) == 0);
  const Ran closed = tests::run(
      {.words = {tests::binary(), "ls", "locked"}, .directory = scratch.path(), .as_nobody = true});
  CHECK(closed.status == 1);
  CHECK(closed.out.empty());
  CHECK(closed.err == "ls: locked: EACCES: Permission denied\n");
  CHECK(osbox({"ls", "-d", scratch / "nosuch"}).err ==
        "ls: " + scratch / "nosuch" + ": lstat: ENOENT: No such file or directory\n");
}

TEST_CASE("ls shows the names in a directory that may be read but not searched") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.file("d/f");
  scratch.directory("d/sub");
  scratch.link("f", "d/link");
  REQUIRE(::chmod((scratch / "d").c_str(), 0444) == 0);
  const auto run = [&](const std::vector<std::string>& words) {
    tests::Command command{
        .words = {tests::binary(), "ls"}, .directory = scratch.path(), .as_nobody = true};
    command.words.insert(command.words.end(), words.begin(), words.end());
    return tests::run(command);
  };
  CHECK(run({"d"}).out == "f\nlink\nsub\n");
  CHECK(run({"d"}).status == 0);
  CHECK(run({"--format", "{type} {name}", "d"}).out == "file f\nlink link\ndir sub\n");

  const Ran lines = run({"-l", "d"});
  CHECK(lines.status == 1);
  CHECK(lines.out ==
        "total 0\n"
        "-????????? ? ? ? ?            ? f\n"
        "l????????? ? ? ? ?            ? link\n"
        "d????????? ? ? ? ?            ? sub\n");
  CHECK(lines.err.starts_with("ls: d/f: lstat: EACCES: Permission denied\n"));
  CHECK(std::ranges::count(lines.err, '\n') >= 3);

  const Ran marks = run({"-F", "d"});
  CHECK(marks.out == "f\nlink@\nsub/\n");
  CHECK(marks.err == "ls: d/f: lstat: EACCES: Permission denied\n");
  CHECK(run({"-i", "d"}).out == "? f\n? link\n? sub\n");
  CHECK(run({"--json", "d"}).out ==
        "{\"path\":\"d/f\",\"name\":\"f\",\"type\":\"file\",\"ino\":null}\n"
        "{\"path\":\"d/link\",\"name\":\"link\",\"type\":\"link\",\"ino\":null}\n"
        "{\"path\":\"d/sub\",\"name\":\"sub\",\"type\":\"dir\",\"ino\":null}\n");
}

TEST_CASE("ls shows a link that leads nowhere, or to itself") {
  const Scratch scratch;
  const std::string loop = scratch.link("loop", "loop");
  const std::string dangling = scratch.link("nosuch", "dangling");
  const Ran ran = osbox({"ls", loop, dangling});
  CHECK(ran.status == 0);
  CHECK(ran.out == dangling + "\n" + loop + "\n");
  CHECK(osbox({"ls", "-l", loop}).out.ends_with(loop + " -> loop\n"));
  CHECK(osbox({"ls", "--format", "{type} {target}", loop}).out == "link loop\n");
}

TEST_CASE("ls shows the inode of what is mounted, not of what is covered") {
  // Only the kernel's own mounts are there for everybody.
  const Ran ran = osbox({"ls", "-i", "/"});
  for (const std::string name : {"proc", "sys", "dev"}) {
    CAPTURE(name);
    CHECK(ran.out.find(std::to_string(core::lstat("/" + name)->ino) + " " + name + "\n") !=
          std::string::npos);
  }
}

TEST_CASE("ls keeps its operands inside where it is told to") {
  const Scratch scratch;
  scratch.directory("in");
  scratch.directory("in/d");
  scratch.file("in/d/f");
  scratch.directory("out");
  scratch.link("../out", "in/leads-out");
  scratch.link("d", "in/to-d");
  const std::string in = scratch / "in";
  if (!tests::newer_calls()) return;
  CHECK(osbox({"ls", "--beneath", in, "d"}).out == "f\n");
  CHECK(osbox({"ls", "--beneath", in, "to-d"}).out == "f\n");
  CHECK(osbox({"ls", "--beneath", in, "leads-out"}).err ==
        "ls: leads-out: EXDEV: Invalid cross-device link\n");
  CHECK(osbox({"ls", "--beneath", in, "../out"}).err ==
        "ls: ../out: EXDEV: Invalid cross-device link\n");
  CHECK(osbox({"ls", "--beneath", in, "-d", "leads-out"}).out == "leads-out\n");
  CHECK(osbox({"ls", "--beneath", in, "--no-symlinks", "to-d"}).err ==
        "ls: to-d: ELOOP: Too many levels of symbolic links\n");
  CHECK(osbox({"ls", "--beneath", in, "--no-symlinks", "d", "d/f"}).out == "d/f\n\nd:\nf\n");
}

TEST_CASE("ls takes operands from a file") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.file("d/x");
  scratch.file("b");
  scratch.file("a");
  const std::string list = scratch.file("list", std::string("d\0b\0nosuch\0a", 12));
  const Ran sorted = ls({"--files0-from", list}, scratch.path());
  CHECK(sorted.status == 1);
  CHECK(sorted.out == "a\nb\n\nd:\nx\n");
  CHECK(sorted.err == "ls: nosuch: ENOENT: No such file or directory\n");
  // In no order: each as it comes.
  CHECK(ls({"-U", "--files0-from", list}, scratch.path()).out == "d:\nx\nb\na\n");
  CHECK(ls({"-U", "--format", "{path}", "--files0-from", list}, scratch.path()).out ==
        "d/x\nb\na\n");
}

TEST_CASE("ls asks for types that a directory does not tell, and shows what it read of one") {
  const char* const odd = std::getenv("ODD_FILE_SYSTEM");
  if (odd == nullptr) {
    MESSAGE("a static osbox cannot be given an odd file system: not tested");
    return;
  }
  const Scratch scratch;
  fill(scratch);
  scratch.directory("broken");
  scratch.file("broken/read");
  const auto run = [&](const std::vector<std::string>& words) {
    tests::Command command{.words = {tests::binary(), "ls"},
                           .environment = {std::string("LD_PRELOAD=") + odd},
                           .directory = scratch.path()};
    command.words.insert(command.words.end(), words.begin(), words.end());
    return tests::run(command);
  };
  for (const std::string line :
       {"-F", "-U", "--format {type}-{name}", "-AR d nested", "--json -A", "--color=always"}) {
    CAPTURE(line);
    const Ran odd_one = run(words_of(line));
    CHECK(odd_one.out == ls(words_of(line), scratch.path()).out);
    CHECK(odd_one.err.empty());
  }
  for (const std::string option : {"-1", "-U", "-R"}) {
    const Ran broken = run({option, "broken"});
    CHECK(broken.status == 1);
    CHECK(broken.out == (option == "-R" ? "broken:\nread\n" : "read\n"));
    CHECK(broken.err == "ls: broken: readdir: EIO: Input/output error\n");
  }
}

TEST_CASE("ls -R tells what it cannot enter, follows no link and takes few descriptors") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.directory("d/locked", 0);
  scratch.directory("d/open");
  scratch.file("d/open/f");
  scratch.link("..", "d/open/up");
  const Ran ran = tests::run({.words = {tests::binary(), "ls", "-R", "d"},
                              .directory = scratch.path(),
                              .as_nobody = true});
  CHECK(ran.status == 1);
  CHECK(ran.out == "d:\nlocked\nopen\n\nd/open:\nf\nup\n");
  CHECK(ran.err == "ls: d/locked: EACCES: Permission denied\n");
  CHECK(osbox({"ls", "-R", "--format", "{path}", scratch / "d/open"}).out ==
        scratch / "d/open/f" + "\n" + scratch / "d/open/up" + "\n");
  if (tests::newer_calls()) {
    CHECK(osbox({"ls", "-R", "--beneath", scratch / "d", "open", "--format", "{path}"}).out ==
          "open/f\nopen/up\n");
  }

  // Far below PATH_MAX, with hardly a descriptor to spare.
  constexpr int levels = 300;
  const std::string name(40, 'n');
  core::Fd parent = *core::open_directory(scratch.directory("deep"));
  std::string path = "deep";
  std::string expected;
  for (int i = 0; i < levels; ++i) {
    REQUIRE(::mkdirat(core::FdRef(parent).number(), name.c_str(), 0755) == 0);
    parent = *core::open_directory(name, parent);
    expected += path + ":\n" + name + "\n\n";
    path += "/" + name;
  }
  const Ran deep = tests::run({.words = {tests::binary(), "ls", "-R", "deep"},
                               .directory = scratch.path(),
                               .descriptors = 16});
  CHECK(deep.status == 0);
  CHECK(deep.out == expected + path + ":\n");
}

TEST_CASE("ls has more directories among its operands than descriptors") {
  const Scratch scratch;
  std::string expected;
  tests::Command command{
      .words = {tests::binary(), "ls"}, .directory = scratch.path(), .descriptors = 16};
  for (int i = 100; i < 140; ++i) {
    const std::string name = std::to_string(i);
    scratch.directory(name);
    scratch.file(name + "/f");
    command.words.push_back(name);
    expected += (expected.empty() ? "" : "\n") + name + ":\nf\n";
  }
  const Ran ran = tests::run(command);
  CHECK(ran.err.empty());
  CHECK(ran.out == expected);
}

TEST_CASE("ls has all names of a large directory, whichever way") {
  const Scratch scratch;
  make_files(scratch.path(), 5'000, "name-");
  for (const std::string option : {"-1", "-l", "-i", "-F", "-t", "-U"}) {
    CAPTURE(option);
    CHECK(ls({option}, scratch.path()).out == gnu({option}, scratch.path()).out);
  }
  CHECK(ls({"-C"}, scratch.path()).out == gnu({"-C", "-T0", "-w80"}, scratch.path()).out);
  CHECK(ls({"-U", "--format", "{name}"}, scratch.path()).out == gnu({"-U"}, scratch.path()).out);
}

TEST_CASE("ls -Ua names the directory and the one above, in front") {
  const Scratch scratch;
  scratch.file("file");
  CHECK(ls({"-Ua"}, scratch.path()).out == ".\n..\nfile\n");
  CHECK(ls({"-Ua", "--format", "{name} {type}"}, scratch.path()).out ==
        ". dir\n.. dir\nfile file\n");
}

TEST_CASE("ls -U takes no more memory for more names") {
  if (tests::disturbed_by_sanitizer()) return;
  const Scratch scratch;
  constexpr int files = 40'000;
  make_files(scratch.path(), files, std::string(240, 'x'));
  // 10 MB of names, and not much more room than the program itself needs.
  const auto count = [&](const std::string& option) {
    return tests::shell("ulimit -v 16000; exec 3>&1; osbox ls " + option + " \"$1\" | wc -l",
                        {scratch.path()});
  };
  CHECK(count("-U").out == std::to_string(files) + "\n");
  CHECK(count("-U --format '{path} {type}'").out == std::to_string(files) + "\n");
  // The limit is one that bites.
  CHECK(count("").err == "ls: malloc: ENOMEM: Cannot allocate memory\n");
}

TEST_CASE("ls leaves out what is gone before it could be looked at") {
  const Scratch scratch;
  for (const char* const name : {"a", "b", "c"}) scratch.file(name);
  const auto inject = [&](std::vector<std::string> words, const std::string& option) {
    words.insert(words.begin(), {"strace", "--quiet=all", "-o", "/dev/null"});
    words.insert(words.end(), {tests::binary(), "ls", option});
    return tests::run({.words = words, .directory = scratch.path()});
  };
  const Ran gone = inject({"-P", "b", "-e", "inject=statx,newfstatat:error=ENOENT"}, "-S");
  CHECK(gone.status == 0);
  CHECK(gone.err.empty());
  CHECK(gone.out == "a\nc\n");
  for (const char* const name : {"a", "b", "c"}) scratch.directory(name + std::string(".d"));
  const Ran tree = inject({"-P", "b.d", "-e", "inject=statx,newfstatat:error=ENOENT"}, "-Rt");
  CHECK(tree.err.empty());
  CHECK(tree.out.find("b.d") == tree.out.npos);
  CHECK(tree.out.find("./a.d:\n") != tree.out.npos);
  CHECK(tree.out.find("./c.d:\n") != tree.out.npos);
  // Half of a directory is not a whole one; one call does not read all of this.
  for (int i = 0; i < 300; ++i) scratch.file(std::string(240, 'n') + std::to_string(i));
  const Ran broken = inject({"-e", "inject=getdents64:error=EIO:when=2"}, "-1");
  CHECK(broken.status == 1);
  const std::size_t read = tests::lines(broken.out).size();
  CHECK(read > 100);
  CHECK(read < 306);
  CHECK(broken.err == "ls: .: readdir: EIO: Input/output error\n");
}

TEST_CASE("ls -0 writes names and nothing else, however many directories there are") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.directory("d/e");
  scratch.file("d/e/inner");
  scratch.file("d/two\nlines");
  const auto names = [](std::vector<std::string> words) {
    std::string out = osbox(words).out;
    std::ranges::replace(out, '\n', ' ');
    std::ranges::replace(out, '\0', '\n');
    return tests::lines(out);
  };
  CHECK(names({"ls", "-0", scratch / "d", scratch / "d/e"}) ==
        std::vector<std::string>{"e", "two lines", "inner"});
  CHECK(names({"ls", "-0R", scratch / "d"}) == std::vector<std::string>{"e", "two lines", "inner"});
  CHECK(names({"ls", "-0l", scratch / "d/e"}).size() == 1);
}

TEST_CASE("ls ends quietly when nobody reads on") {
  const Scratch scratch;
  const std::string directory = scratch.directory("d");
  for (int i = 0; i < 20'000; ++i) {
    scratch.file("d/" + std::string(100, 'x') + std::to_string(i));
  }
  const Ran ran = tests::shell(
      "{ osbox ls \"$1\"; echo $? >\"$2\"; } | head -n 1 >/dev/null; "
      "cat \"$2\"",
      {directory, scratch / "status"});
  CHECK(ran.err.empty());
  CHECK(ran.out == "141\n");
}

TEST_CASE("ls -R shows no more of a huge directory once its output is lost") {
  const Scratch scratch;
  make_files(scratch.directory("d"), 10'000, "name-");
  // Each file that is shown is looked at.
  const Ran ran = tests::run(
      {.words = {"strace", "-f", "-o", scratch / "calls", "-e", "trace=statx,newfstatat",
                 tests::binary(), "ls", "-R", "--format", "{size:>30} {path}", scratch / "d"},
       .output_file = "/dev/full"});
  CHECK(ran.status == 1);
  CHECK(ran.err == "ls: stdout: write: ENOSPC: No space left on device\n");
  CHECK(std::ranges::count(tests::content(scratch / "calls"), '\n') < 6'000);
}

TEST_CASE("ls takes a wrong word for misuse, and says which there are") {
  CHECK(osbox({"ls", "--sort=colour", "."}).status == 2);
  CHECK(osbox({"ls", "--time=", "."}).status == 2);
  for (const std::string word : {"birth", "creation"}) {
    CHECK(osbox({"ls", "-l", "--time=" + word, "/etc"}).out ==
          osbox({"ls", "-l", "--time=birthtime", "/etc"}).out);
  }
  CHECK(osbox({"ls", "--color=", "."}).status == 2);
  CHECK(osbox({"ls", "-2", "."}).status == 2);
  CHECK(osbox({"ls", "--format", "{nosuch}", "."}).status == 2);
  CHECK(osbox({"ls", "--format", "{nosuch}", "."}).err.find("target") != std::string::npos);
}
