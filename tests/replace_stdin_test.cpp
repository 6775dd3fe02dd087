// replace --stdin: standard input becomes a file, all of it or nothing.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/replace.hpp"
#include "tests/sanitizer.hpp"

using tests::content;
using tests::from_stdin;
using tests::mode_of;
using tests::Names;
using tests::names_in;
using tests::python_in;
using tests::Words;

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

TEST_CASE("replace --stdin leaves what is no file as it is") {
  const Scratch scratch;
  const std::string fifo = scratch.fifo("fifo");
  const Ran ran = from_stdin({fifo});
  CHECK(ran.status == 1);
  CHECK(ran.err == "replace: " + fifo +
                       ": EOPNOTSUPP: Operation not supported (a device, FIFO or socket is written "
                       "to, not replaced)\n");
  CHECK(core::lstat(fifo)->type == core::Type::fifo);
  CHECK(tests::run({.words = {"ls", "-A", scratch.path()}}).out == "fifo\n");
  REQUIRE(::unlink(fifo.c_str()) == 0);
  // One that is there when all is written is seen too.
  const Ran late = tests::shell(
      "{ echo new; until ls -A \"$1\" | grep -q osbox; do sleep .01; done; mkfifo \"$1/fifo\"; } | "
      "osbox replace --stdin \"$1/fifo\"",
      {scratch.path()});
  CHECK(late.status == 1);
  CHECK(late.err.find(": EOPNOTSUPP: ") != std::string::npos);
  CHECK(core::lstat(fifo)->type == core::Type::fifo);
  CHECK(tests::run({.words = {"ls", "-A", scratch.path()}}).out == "fifo\n");
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
        CHECK(line.find("O_CREAT|O_EXCL|") != line.npos);
        CHECK(line.find("|O_NOFOLLOW|") != line.npos);
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
