#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"
#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"

namespace {

std::string content(const std::string& path) { return core::read_file(path).value_or("?"); }

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

using Names = std::vector<std::string>;
using Words = std::vector<std::string>;

/// Runs the real osbox with standard input.
Ran from_stdin(const Words& words, const std::string& input = "new\n",
               const std::vector<tests::Denied>& denied = {}, bool as_nobody = false) {
  tests::Command command{.words = {tests::binary(), "replace", "--stdin"},
                         .input = input,
                         .as_nobody = as_nobody,
                         .denied = denied};
  command.words.insert(command.words.end(), words.begin(), words.end());
  return tests::run(command);
}

mode_t mode_of(const std::string& path) { return core::lstat(path)->mode & 07777; }

/// A directory on another file system than /tmp.
struct Elsewhere {
  Scratch here{"/tmp"};
  Scratch there{"/dev/shm"};
  Elsewhere() { REQUIRE(core::stat(here.path())->dev != core::stat(there.path())->dev); }
};

/// Runs `script` of Python as `python`, with osbox and `arguments` behind it, in `directory`.
Ran python_in(const std::string& directory, const std::string& script, const Words& arguments = {},
              const std::vector<tests::Denied>& denied = {}) {
  tests::Command command{.words = {"python3", "-c", script, tests::binary()},
                         .directory = directory,
                         .denied = denied};
  command.words.insert(command.words.end(), arguments.begin(), arguments.end());
  return tests::run(command);
}

}  // namespace

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

// -- standard input

TEST_CASE("replace --stdin makes a file of all of standard input") {
  const Scratch scratch;
  const std::string dest = scratch.file("dest", "old", 0640);
  std::string large(3'000'001, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 7 + i / 999);
  for (const std::string& input : {std::string("new\n"), std::string(), large}) {
    for (const Words& how : {Words{}, Words{"--no-sync"}}) {
      Words words = how;
      words.push_back(dest);
      const Ran ran = from_stdin(words, input);
      CHECK(ran.status == 0);
      CHECK(ran.out == "");
      CHECK(ran.err == "");
      CHECK((content(dest) == input));
      CHECK(mode_of(dest) == 0640);
    }
  }
  CHECK(names_in(scratch.path()) == Names{"dest"});
  for (const std::string& name : tests::hostile_names()) {
    CHECK(from_stdin({"--", scratch / name}, name).status == 0);
    CHECK(content(scratch / name) == name);
  }
  CHECK(from_stdin({"--json", dest}).out ==
        "{\"path\":\"" + dest +
            "\",\"target\":null,\"moved\":true,\"copied\":false,"
            "\"backup\":null}\n");
  CHECK(from_stdin({"-v", dest}).out == "wrote " + dest + "\n");
}

TEST_CASE("replace --stdin gives a new file the mode of any new file") {
  const Scratch scratch;
  for (const std::string mask : {"022", "077", "0", "0777", "0277"}) {
    CAPTURE(mask);
    const Ran ran = tests::shell(
        "umask $2; cd \"$1\" && : >theirs && echo x | osbox replace --stdin ours && "
        "stat -c %a theirs ours; rm -f theirs ours",
        {scratch.path(), mask});
    const auto modes = tests::lines(ran.out);
    REQUIRE(modes.size() == 2);
    CHECK(modes[0] == modes[1]);
  }
}

TEST_CASE("replace --stdin replaces a link, and writes through none") {
  const Scratch scratch;
  const std::string target = scratch.file("target", "old", 0700);
  const std::string link = scratch.link("target", "link");
  CHECK(from_stdin({link}).status == 0);
  CHECK(core::lstat(link)->type == core::Type::file);
  CHECK(content(link) == "new\n");
  CHECK(mode_of(link) != 0700);
  CHECK(content(target) == "old");
  CHECK(from_stdin({scratch.link("nowhere", "dangling")}).status == 0);
  CHECK(!core::lstat(scratch / "nowhere"));
  CHECK(from_stdin({scratch.fifo("fifo")}).status == 0);
  CHECK(content(scratch / "fifo") == "new\n");
  // Another name of the old file keeps the old content.
  REQUIRE(::link(target.c_str(), (scratch / "other").c_str()) == 0);
  CHECK(from_stdin({target}).status == 0);
  CHECK(content(scratch / "other") == "old");
}

TEST_CASE("replace --stdin of what cannot be replaced fails before it reads") {
  const Scratch scratch;
  scratch.directory("dir");
  scratch.directory("dir/full");
  scratch.file("file", "old");
  scratch.link("dir", "dirlink");
  struct Case {
    const char* dest;
    const char* error;
  };
  for (const Case& one :
       {Case{"dir", "EISDIR"}, Case{"dir/", "ENOTDIR"}, Case{"file/", "ENOTDIR"},
        Case{"new/", "ENOTDIR"}, Case{".", "EBUSY"}, Case{"/", "EBUSY"}, Case{"dir/..", "EBUSY"},
        Case{"no/x", "open: ENOENT"}, Case{"file/x", "open: ENOTDIR"}, Case{"", "open: ENOENT"},
        Case{"dirlink/", "ENOTDIR"}}) {
    const Ran ran =
        tests::shell("cd \"$1\"; echo input | { osbox replace --stdin \"$2\"; echo $?; cat; }",
                     {scratch.path(), one.dest});
    CAPTURE(one.dest);
    CHECK(ran.out == "1\ninput\n");
    CHECK(ran.err.starts_with("replace: " + (*one.dest == '\0' ? "''" : std::string(one.dest)) +
                              ": " + one.error + ": "));
  }
  CHECK(from_stdin({scratch / std::string(256, 'n')}).err.find("ENAMETOOLONG") !=
        std::string::npos);
  CHECK(names_in(scratch.path()) == Names{"dir", "dirlink", "file"});
}

TEST_CASE("replace --stdin tells of a standard input that cannot be read") {
  const Scratch scratch;
  const std::string dest = scratch.file("dest", "old");
  const auto said = [&](const std::string& input) {
    return tests::shell("osbox replace --stdin \"$1\" " + input, {dest}).err;
  };
  CHECK(said("<&-") == "replace: stdin: read: EBADF: Bad file descriptor\n");
  CHECK(said("</") == "replace: stdin: read: EISDIR: Is a directory\n");
  CHECK(said("</dev/null") == "");
  CHECK(content(dest) == "");
  CHECK(names_in(scratch.path()) == Names{"dest"});
}

TEST_CASE("replace --stdin keeps mode and attributes of the old file") {
  for (const std::string base : {"/tmp", "/dev/shm"}) {
    const Scratch scratch(base);
    const Ran ran = python_in(
        scratch.path(),
        "import os, struct, subprocess, sys\n"
        "def replace(*how):\n"
        "  r = subprocess.run([sys.argv[1], 'replace', '--stdin', *how, 'f'], input=b'new')\n"
        "  assert r.returncode == 0 and open('f', 'rb').read() == b'new'\n"
        "def acl(*entries):\n"
        "  return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *e) for e in entries)\n"
        "none = 0xffffffff\n"
        "rich = acl((1, 6, none), (2, 4, 1), (4, 0, none), (16, 4, none), (32, 0, none))\n"
        "def attributes():\n"
        "  return {n: os.getxattr('f', n) for n in os.listxattr('f') if n != 'security.selinux'}\n"
        "open('f', 'w').write('old'); os.chmod('f', 0o4751)\n"
        "tries = {'user.a': b'1', 'user.empty': b'', 'user.large': b'x' * 900,\n"
        "         'system.posix_acl_access': rich}\n"
        "if os.getuid() == 0: tries['trusted.t'] = b't'\n"
        "kept = {}\n"
        "for n, v in tries.items():\n"
        "  try: os.setxattr('f', n, v); kept[n] = v\n"
        "  except OSError as e: assert e.errno == 95, (n, e)\n"
        "assert 'system.posix_acl_access' in kept\n"
        "mode = os.stat('f').st_mode\n"
        "assert attributes() == kept, attributes()\n"
        "replace()\n"
        "assert attributes() == kept, attributes()\n"
        "assert os.stat('f').st_mode == mode, oct(os.stat('f').st_mode)\n"
        "replace('--no-xattrs')\n"
        "assert attributes() == {}, attributes()\n"
        "assert os.stat('f').st_mode == mode\n"
        // What the directory would give, the old file did not have.
        "default = acl((1, 7, none), (2, 7, 1), (4, 5, none), (16, 7, none), (32, 0, none))\n"
        "os.setxattr('.', 'system.posix_acl_default', default)\n"
        "replace()\n"
        "assert attributes() == {}, attributes()\n"
        "assert os.stat('f').st_mode == mode\n"
        // A new file is what any new file is there, whatever the umask.
        "os.unlink('f'); os.umask(0o77)\n"
        "open('g', 'w'); replace()\n"
        "assert os.getxattr('f', 'system.posix_acl_access') == "
        "os.getxattr('g', 'system.posix_acl_access')\n"
        "assert os.stat('f').st_mode == os.stat('g').st_mode, oct(os.stat('f').st_mode)\n"
        "plain = acl((1, 7, none), (4, 5, none), (32, 4, none))\n"
        "os.setxattr('.', 'system.posix_acl_default', plain)\n"
        "os.unlink('f'); os.unlink('g'); open('g', 'w'); replace()\n"
        "assert attributes() == {}\n"
        "assert os.stat('f').st_mode == os.stat('g').st_mode, oct(os.stat('f').st_mode)\n"
        "assert sorted(os.listdir()) == ['f', 'g'], os.listdir()\n"
        "print('done', sorted(kept))\n");
    CAPTURE(base);
    CHECK(ran.err == "");
    CHECK(ran.out.starts_with("done "));
  }
}

TEST_CASE("replace --stdin keeps the owner, and fails where it cannot") {
  if (!tests::is_root()) {
    MESSAGE("only root has files to give away");
    return;
  }
  const Scratch scratch;
  const std::string dest = scratch.file("dest", "old");
  REQUIRE(::chmod(scratch.path().c_str(), 0777) == 0);
  REQUIRE(::chown(dest.c_str(), 1, 2) == 0);
  REQUIRE(::chmod(dest.c_str(), 06755) == 0);
  CHECK(from_stdin({dest}).status == 0);
  CHECK(content(dest) == "new\n");
  CHECK(mode_of(dest) == 06755);
  CHECK(core::stat(dest)->uid == 1);
  CHECK(core::stat(dest)->gid == 2);
  const Ran ran = from_stdin({dest}, "nobody's", {}, true);
  CHECK(ran.status == 1);
  CHECK(ran.err ==
        "replace: " + dest + ": chown: EPERM: Operation not permitted (--no-owner gives it up)\n");
  CHECK(content(dest) == "new\n");
  CHECK(names_in(scratch.path()) == Names{"dest"});
  // Without the owner, no set-user-id of somebody else's.
  CHECK(from_stdin({"--no-owner", dest}, "nobody's", {}, true).status == 0);
  CHECK(content(dest) == "nobody's");
  CHECK(core::stat(dest)->uid == 65534);
  CHECK(mode_of(dest) == 0755);
  REQUIRE(::chown(dest.c_str(), 1, 0) == 0);
  REQUIRE(::chmod(dest.c_str(), 06755) == 0);
  CHECK(from_stdin({"--no-owner", dest}).status == 0);
  CHECK(core::stat(dest)->uid == 0);
  CHECK(mode_of(dest) == 02755);
  // Another group may do no more than everybody may.
  for (const auto& [old, now] : {std::pair{0660U, 0600U}, {0664U, 0644U}, {0606U, 0606U}}) {
    REQUIRE(::chown(dest.c_str(), 0, 4) == 0);
    REQUIRE(::chmod(dest.c_str(), old) == 0);
    CHECK(from_stdin({"--no-owner", dest}).status == 0);
    CHECK(core::stat(dest)->gid == 0);
    CHECK(mode_of(dest) == now);
  }
}

TEST_CASE("replace --stdin works where the directory cannot be read") {
  const Scratch scratch;
  const std::string directory = scratch.directory("dir", 0333);
  const Ran ran = from_stdin({directory + "/new"}, "new", {}, true);
  CHECK(ran.err == "");
  REQUIRE(::chmod(directory.c_str(), 0755) == 0);
  CHECK(names_in(directory) == Names{"new"});
  CHECK(content(directory + "/new") == "new");
  // A sticky directory is the kernel's to judge.
  if (!tests::is_root()) return;
  REQUIRE(::chmod(directory.c_str(), 01777) == 0);
  scratch.file("dir/theirs", "old", 0666);
  CHECK(from_stdin({"--no-owner", directory + "/theirs"}, "new", {}, true).err ==
        "replace: " + directory + "/theirs: EPERM: Operation not permitted\n");
  CHECK(names_in(directory) == Names{"new", "theirs"});
}

TEST_CASE("replace --stdin makes its calls in the order that a crash asks for") {
  const Scratch scratch;
  const std::string dest = scratch.file("dest", "old", 0644);
  const auto calls = [&](const Words& how) {
    tests::Command command{
        .words =
            {"strace", "-qq", "-e",
             "trace=openat,openat2,write,fchmod,fchownat,fsync,syncfs,linkat,renameat,renameat2,"
             "unlinkat",
             tests::binary(), "replace", "--stdin", "dest"},
        .input = "new",
        .directory = scratch.path()};
    command.words.insert(command.words.end(), how.begin(), how.end());
    const Ran ran = tests::run(command);
    REQUIRE(ran.status == 0);
    std::string order;
    for (const std::string& line : tests::lines(ran.err)) {
      if (line.find("O_DIRECTORY") != line.npos) {
        order += line.find("O_PATH") == line.npos ? "directory " : "";
        continue;
      }
      const std::string call = line.substr(0, line.find('('));
      if (call != "openat") {
        order += call + " ";
      } else if (line.find("\".osbox-") != line.npos) {
        CHECK(line.find("O_CREAT|O_EXCL|O_NOFOLLOW") != line.npos);
        CHECK(line.find(", 0600)") != line.npos);
        order += "temporary ";
      }
    }
    return order;
  };
  // It writes before main.
  if (tests::disturbed_by_sanitizer()) return;
  CHECK(calls({}) == "directory temporary write fchmod fsync renameat fsync ");
  CHECK(calls({"--no-sync"}) == "temporary write fchmod renameat ");
  // What was replaced is looked at before it goes.
  CHECK(calls({"--backup", "kept"}) ==
        std::string("directory temporary write fchmod fsync linkat directory fsync ") +
            (tests::newer_calls() ? "renameat2 unlinkat " : "renameat ") + "fsync ");
}

TEST_CASE("a failure of any step of replace --stdin leaves the old file, and no other") {
  const Scratch scratch;
  const std::string dest = scratch.file("dest", "old", 0640);
  tests::python(
      "import os, sys; os.setxattr(sys.argv[1], 'system.posix_acl_access', "
      "bytes.fromhex('0200000001000600ffffffff020004000100000004000400ffffffff"
      "10000400ffffffff20000000ffffffff'))",
      {dest});
  const core::Stat stat = core::stat(dest).value();
  struct Case {
    long call;
    int error;
    const char* said;
  };
  for (const Case& one :
       {Case{SYS_fsync, EIO, "fsync: EIO"}, Case{SYS_fchmod, EPERM, "chmod: EPERM"},
        Case{SYS_fsetxattr, EOPNOTSUPP, "setxattr: EOPNOTSUPP"}, Case{SYS_renameat, EIO, "EIO"},
        Case{SYS_linkat, EMLINK, "link: EMLINK"}, Case{SYS_listxattr, EPERM, "listxattr: EPERM"}}) {
    CAPTURE(one.said);
    const Ran ran = from_stdin({"--backup", scratch / "kept", dest}, "new",
                               {{one.call, one.error}, {SYS_renameat2, ENOSYS}});
    CHECK(ran.status == 1);
    const std::string about = one.call == SYS_linkat ? dest + " -> " + scratch / "kept" : dest;
    CHECK(ran.err.starts_with("replace: " + about + ": " + one.said + ": "));
    CHECK(tests::lines(ran.err).size() == 1);
    CHECK(names_in(scratch.path()) == Names{"dest"});
    CHECK(content(dest) == "old");
    CHECK(core::stat(dest)->ino == stat.ino);
  }
  // Given up, it need not be had; and neither of these is needed.
  CHECK(from_stdin({"--no-xattrs", dest}, "new", {{SYS_fsetxattr, EOPNOTSUPP}}).status == 0);
  CHECK(from_stdin({"--no-sync", dest}, "new", {{SYS_fsync, EIO}}).status == 0);
  CHECK(from_stdin({dest}, "newer", {{SYS_signalfd4, ENOSYS}}).status == 0);
  CHECK(content(dest) == "newer");
}

TEST_CASE("replace tells of a directory that was not synchronised, with the new file in place") {
  const Scratch scratch;
  const std::string dest = scratch.file("dest", "old");
  // The first fsync is the file's, the second the directory's.
  const Ran ran = tests::run(
      {.words = {"strace", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e",
                 "inject=fsync:error=EIO:when=2", tests::binary(), "replace", "--stdin", dest},
       .input = "new"});
  CHECK(ran.status == 1);
  CHECK(ran.err ==
        "replace: " + dest + ": fsync: EIO: Input/output error (the new file is in place)\n");
  CHECK(content(dest) == "new");
  CHECK(names_in(scratch.path()) == Names{"dest"});
  // A directory that cannot be synchronised is one with its file system.
  const Ran other = tests::run(
      {.words = {"strace", "-qq", "-e", "trace=fsync,syncfs", "-e",
                 "inject=fsync:error=EINVAL:when=2", tests::binary(), "replace", "--stdin", dest},
       .input = "newer"});
  CHECK(other.status == 0);
  CHECK(other.err.find("syncfs(") != std::string::npos);
}

TEST_CASE("a signal ends replace --stdin, and it leaves nothing behind") {
  const Scratch scratch;
  const Ran ran = python_in(
      scratch.path(),
      "import os, signal, subprocess, sys, time\n"
      "open('dest', 'w').write('old')\n"
      "def begin(ignored=(), blocked=()):\n"
      "  def prepare():\n"
      "    for s in ignored: signal.signal(s, signal.SIG_IGN)\n"
      "    for s in [signal.SIGPIPE, signal.SIGXFSZ]: signal.signal(s, signal.SIG_DFL)\n"
      "    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)\n"
      "  p = subprocess.Popen([sys.argv[1], 'replace', '--stdin', 'dest'], "
      "stdin=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=prepare)\n"
      "  p.stdin.write(b'part'); p.stdin.flush()\n"
      // Not before it waits for more.
      "  while not any(n != 'dest' and os.stat(n).st_size == 4 for n in os.listdir()):\n"
      "    time.sleep(.001)\n"
      "  return p\n"
      "for s in ['HUP', 'INT', 'QUIT', 'TERM', 'PIPE', 'ALRM', 'USR1', 'USR2', 'IO', 'PWR',\n"
      "          'RTMIN', 'RTMAX']:\n"
      "  s = signal.Signals['SIG' + s]\n"
      "  p = begin(); p.send_signal(s)\n"
      "  assert p.wait() == -s, (s, p.returncode)\n"
      "  assert p.stderr.read() == b''\n"
      "  assert os.listdir() == ['dest'] and open('dest').read() == 'old', (s, os.listdir())\n"
      // Ignored, or held back from outside, it does nothing.
      "for how in [{'ignored': [signal.SIGHUP]}, {'blocked': [signal.SIGHUP]}]:\n"
      "  p = begin(**how); p.send_signal(signal.SIGHUP); p.stdin.write(b'ner'); p.stdin.close()\n"
      "  assert p.wait() == 0 and open('dest').read() == 'partner'\n"
      "  open('dest', 'w').write('old')\n"
      // A stop is no end.
      "p = begin(); p.send_signal(signal.SIGSTOP); time.sleep(.01); p.send_signal(signal.SIGCONT)\n"
      "p.stdin.close(); assert p.wait() == 0 and open('dest').read() == 'part'\n"
      "p = begin(); p.kill(); p.wait()\n"
      "left = sorted(os.listdir())\n"
      "assert len(left) == 2 and left[0].startswith('.osbox-') and left[1] == 'dest', left\n"
      "assert os.stat(left[0]).st_mode & 0o777 == 0o600\n"
      "assert open('dest').read() == 'part'\n"
      "print('done')\n");
  CHECK(ran.err == "");
  CHECK(ran.out == "done\n");
}

TEST_CASE("a file that grows too large is EFBIG, not a signal") {
  const Scratch scratch;
  const std::string dest = scratch.file("dest", "old");
  const Ran ran = tests::shell(
      "ulimit -f 8; head -c 100000 /dev/zero | osbox replace --stdin \"$1\"; echo $?", {dest});
  CHECK(ran.out == "1\n");
  CHECK(ran.err == "replace: " + dest + ": write: EFBIG: File too large\n");
  CHECK(content(dest) == "old");
  CHECK(names_in(scratch.path()) == Names{"dest"});
}

TEST_CASE("a full file system leaves the old file, and no other") {
  if (tests::disturbed_by_sanitizer()) return;
  const Scratch scratch("/tmp");
  const std::string options = tests::is_root() ? "-m" : "-Urm";
  if (tests::run({.words = {"unshare", options, "true"}}).status != 0) {
    MESSAGE("not tested: no mount namespace to be had here");
    return;
  }
  scratch.file("large", std::string(300'000, 'x'));
  scratch.directory("small");
  const Ran ran = tests::run(
      {.words = {
           "unshare", options, "sh", "-c",
           "cd \"$1\" && mount -t tmpfs -o size=65536 none small && echo old >small/dest || "
           "exit\n"
           "\"$2\" replace --stdin small/dest <large; \"$2\" replace --copy large small/dest\n"
           "head -c 40000 large >small/big\n"
           "\"$2\" replace --stdin --backup small/kept small/dest <large\n"
           "ls -A small; cat small/dest; wc -c <large",
           "sh", scratch.path(), tests::binary()}});
  CHECK(ran.err ==
        "replace: small/dest: write: ENOSPC: No space left on device\n"
        "replace: large -> small/dest: write: ENOSPC: No space left on device\n"
        "replace: small/dest: write: ENOSPC: No space left on device\n");
  CHECK(ran.out == "big\ndest\nold\n300000\n");
}

TEST_CASE("who reads what is replaced sees the old file or the new one") {
  const Scratch scratch;
  const Ran ran = python_in(
      scratch.path(),
      "import subprocess, sys\n"
      "open('dest', 'w').write('0' * 50000)\n"
      "p = subprocess.Popen(['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9; do for j in 1 2 3; do "
      "head -c 50000 /dev/zero | tr \"\\\\0\" $i | \"$0\" replace --stdin --no-sync dest || exit; "
      "done; done', sys.argv[1]])\n"
      "seen = set()\n"
      "while p.poll() is None:\n"
      "  text = open('dest').read()\n"
      "  assert len(text) == 50000 and len(set(text)) == 1, text[:9]\n"
      "  seen.add(text[0])\n"
      "assert open('dest').read()[0] == '9'\n"
      "print(p.returncode, len(seen) > 2)\n");
  CHECK(ran.err == "");
  CHECK(ran.out == "0 True\n");
}

TEST_CASE("replace --stdin works without /proc") {
  if (tests::disturbed_by_sanitizer()) return;
  const Scratch scratch;
  const std::string options = tests::is_root() ? "-m" : "-Urm";
  if (tests::run({.words = {"unshare", options, "true"}}).status != 0) {
    MESSAGE("not tested: no mount namespace to be had here");
    return;
  }
  const std::string dest = scratch.file("dest", "old", 0604);
  const Ran ran = tests::run(
      {.words = {
           "unshare", options, "sh", "-c",
           "mount -t tmpfs none /proc && cd \"$1\" && echo new | \"$2\" replace --stdin dest && "
           "echo new | \"$2\" replace --stdin new && stat -c %a dest && cat new",
           "sh", scratch.path(), tests::binary()}});
  CHECK(ran.err == "");
  CHECK(ran.out == "604\nnew\n");
}

TEST_CASE("replace --stdin keeps to --beneath") {
  const Scratch scratch;
  const std::string in = scratch.directory("in");
  scratch.link("..", "in/up");
  scratch.file("out", "old");
  const auto said = [&](const std::string& dest) {
    return from_stdin({"--beneath", in, dest}).err;
  };
  if (!tests::newer_calls()) {
    CHECK(said("new") == "replace: new: open: ENOSYS: Function not implemented\n");
    return;
  }
  CHECK(said("../out") == "replace: ../out: open: EXDEV: Invalid cross-device link\n");
  CHECK(said("up/out") == "replace: up/out: open: EXDEV: Invalid cross-device link\n");
  CHECK(content(scratch / "out") == "old");
  CHECK(said("new") == "");
  CHECK(content(in + "/new") == "new\n");
  CHECK(from_stdin({"--beneath", in, "--backup", "../kept", "new"}, "newer").err ==
        "replace: ../kept: open: EXDEV: Invalid cross-device link\n");
  CHECK(content(in + "/new") == "new\n");
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
    CHECK(content(dest) == "new\n");
    CHECK(content(scratch / "new") == "newer");
    CHECK(content(elsewhere) == "newer");
    REQUIRE(::unlink(kept.c_str()) == 0);
    CHECK(names_in(scratch.path()) == Names{"dest", "new"});
  }
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

TEST_CASE("replace --stdin keeps the label of SELinux, or says that it cannot") {
  const Scratch scratch("/dev/shm");
  const std::string dest = scratch.file("dest", "old");
  const std::string label = "user_u:object_r:tmp_t:s0";
  const std::string set =
      "import os, sys\n"
      "try: os.setxattr(sys.argv[1], 'security.selinux', sys.argv[2].encode()); print('set')\n"
      "except OSError as e: print(e.errno)\n";
  if (tests::python(set, {dest, label}) != "set\n") {
    MESSAGE("not tested: no label can be set here");
    return;
  }
  const std::string get =
      "import os, sys; print(os.getxattr(sys.argv[1], 'security.selinux').decode().rstrip('\\0'))";
  CHECK(from_stdin({dest}).err == "");
  CHECK(tests::python(get, {dest}) == label + "\n");
  const Ran ran = from_stdin({dest}, "newer", {{SYS_fsetxattr, EACCES}});
  CHECK(ran.err ==
        "replace: " + dest + ": setxattr: EACCES: Permission denied (--no-xattrs gives them up)\n");
  CHECK(content(dest) == "new\n");
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
          "m = 1 << 20\n"
          "check('empty', [], 0)\n"
          "check('small', [(0, 5)], 5)\n"
          "check('dense', [(0, 5 * m + 7)], 5 * m + 7)\n"
          "check('hole first', [(8 * m, 100)], 8 * m + 100)\n"
          "check('hole last', [(0, 100)], 8 * m + 1)\n"
          "check('all hole', [], 8 * m)\n"
          "check('many', [(i * m, 4096 + i) for i in range(0, 40, 3)], 41 * m)\n"
          "print('done')\n",
          {to.path()}, denied);
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
