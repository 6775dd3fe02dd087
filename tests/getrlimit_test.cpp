// getrlimit and setrlimit.
#include <cerrno>

#include "tests/harness.hpp"

using tests::binary;
using tests::run;
using tests::shell;

namespace {

/// osbox as a process of its own, whose limits nobody else has.
Ran real(std::vector<std::string> words, bool as_nobody = false) {
  words.insert(words.begin(), binary());
  return run({.words = std::move(words), .as_nobody = as_nobody});
}

}  // namespace

TEST_CASE("getrlimit says what Python's resource module says, of itself and of others") {
  const std::string script = R"(
import json, os, resource, subprocess, sys
def ask(*words):
    out = subprocess.run([sys.argv[1], 'getrlimit', '--json', *words], stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in out.splitlines()]
number = lambda n: None if n == resource.RLIM_INFINITY else n
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
resource.setrlimit(resource.RLIMIT_CPU, (100000, resource.getrlimit(resource.RLIMIT_CPU)[1]))
all = [n[7:].lower() for n in dir(resource) if n.startswith('RLIMIT_') and n != 'RLIMIT_OFILE']
for words in (), ('--pid', str(os.getpid())):
    rows = {row['resource']: row for row in ask(*words)}
    assert list(rows) == sorted(all + ['locks']), rows
    for name in all:
        limits = resource.getrlimit(getattr(resource, 'RLIMIT_' + name.upper()))
        row = rows[name]
        assert (row['soft'], row['hard']) == tuple(map(number, limits)), row
        assert list(row) == ['resource', 'soft', 'hard', 'unit', 'description']
        assert ask(*words, 'RLIMIT_' + name.upper()) == ask(*words, name) == [row]
print('same')
)";
  for (const bool nobody : {false, true}) {
    CAPTURE(nobody);
    const Ran ran = run({.words = {"python3", "-c", script, binary()}, .as_nobody = nobody});
    CHECK(ran.out == "same\n");
    CHECK(ran.err == "");
  }
}

TEST_CASE("getrlimit prints aligned lines for people, in the order asked") {
  CHECK(real({"setrlimit", "nofile=10:200", "core=0:0", binary(), "getrlimit", "nofile", "Core"})
            .out ==
        "nofile  10  200  open descriptors: one more than the highest (files)\n"
        "core     0    0  size of a core file (bytes)\n");
  const Ran all = real({"setrlimit", "cpu=100000", binary(), "getrlimit"});
  const auto lines = tests::lines(all.out);
  REQUIRE(lines.size() == 16);
  CHECK(lines[2].starts_with("cpu         "));
  CHECK(lines[2].find(" 100000  ") != std::string::npos);
  CHECK(lines[2].find("CPU time (seconds)") == lines[0].find("address space (bytes)"));
  CHECK(lines[15].find("size of the stack") == lines[0].find("address space (bytes)"));
  CHECK(osbox({"getrlimit", "--format", "{resource} {unit}", "nice", "RLIMIT_AS"}).out ==
        "nice \nas bytes\n");
  CHECK(real({"setrlimit", "nofile=64", binary(), "getrlimit", "--shell", "nofile"})
            .out.starts_with("getrlimit_resource=nofile getrlimit_soft=64 getrlimit_hard="));
}

TEST_CASE("getrlimit holds what is no resource for a failure, and the others are printed") {
  for (const std::string name : {"nosuch", "", "7", "-n", "--", "no\nfile"}) {
    CAPTURE(name);
    const Ran ran = osbox({"getrlimit", "--format", "{resource}", "--", "nofile", name, "core"});
    CHECK(ran.status == 1);
    CHECK(ran.out == "nofile\ncore\n");
    CHECK(ran.err.find("EINVAL: Invalid argument (no such resource; ") != std::string::npos);
  }
  CHECK(osbox({"getrlimit", "nosuch"}).err ==
        "getrlimit: nosuch: EINVAL: Invalid argument (no such resource; without a NAME all are "
        "shown)\n");
  CHECK(osbox({"getrlimit", "--exit-errno", "nosuch"}).status == EINVAL);
  CHECK(osbox({"getrlimit", "--pid", "0"}).err ==
        "getrlimit: --pid 0: not a process id; without any it is the caller; see 'osbox getrlimit "
        "--help'\n");
}

TEST_CASE("getrlimit --pid: gone, somebody else's, or no process") {
  const Ran gone = osbox({"getrlimit", "--pid", "4194305"});
  CHECK(gone.status == 1);
  CHECK(gone.err == "getrlimit: 4194305: ESRCH: No such process\n");
  CHECK(real({"getrlimit", "--pid", "1"}, true).err ==
        "getrlimit: 1: EPERM: Operation not permitted\n");
  for (const std::string pid : {"0", "-1", "", "x", "1x", "99999999999"}) {
    CAPTURE(pid);
    const Ran ran = osbox({"getrlimit", "--pid", pid});
    CHECK(ran.status == 2);
    CHECK(ran.err.find("not a process id") != std::string::npos);
    CHECK(osbox({"setrlimit", "--pid", pid, "core=0"}).status == 2);
  }
}

TEST_CASE("setrlimit becomes the command, with the limits and nothing else changed") {
  const Ran ran = shell(
      "echo $$; exec osbox setrlimit nofile=64:128 RLIMIT_CORE=0 sh -c "
      "'echo $$; ulimit -Sn; ulimit -Hn; ulimit -Sc; echo \"$@\"' sh -v a=b --json");
  const auto said = tests::lines(ran.out);
  REQUIRE(said.size() == 6);
  CHECK(said[0] == said[1]);
  CHECK(said[2] == "64");
  CHECK(said[3] == "128");
  CHECK(said[4] == "0");
  CHECK(said[5] == "-v a=b --json");
  CHECK(ran.err == "");
  CHECK(shell("osbox setrlimit nofile=64:128 osbox setrlimit nofile=:96 sh -c "
              "'ulimit -Sn; ulimit -Hn'")
            .out == "64\n96\n");
}

TEST_CASE("setrlimit and Python's resource module leave a command with the same limits") {
  CHECK(run({.words = {"python3", "-c", R"(
import resource as r, subprocess, sys
def limits(before, *words):
    show = 'import resource as r\nprint([r.getrlimit(n) for n in range(16)])'
    return subprocess.run([*words, sys.executable, '-c', show], preexec_fn=before,
                          stdout=subprocess.PIPE).stdout
hard = r.getrlimit(r.RLIMIT_STACK)[1]
for words, number, to in (
    (['stack=1000000'], r.RLIMIT_STACK, (1000000, hard)),
    (['stack=2000000:4000000'], r.RLIMIT_STACK, (2000000, 4000000)),
    (['fsize=18446744073709551614'], r.RLIMIT_FSIZE, (2**64 - 2, -1)),
    (['cpu=3600:7200'], r.RLIMIT_CPU, (3600, 7200)),
    (['nofile=0:30', 'nofile=30'], r.RLIMIT_NOFILE, (30, 30)),
):
    if to[1] == -1 and r.getrlimit(number)[1] != -1: continue
    theirs = limits(lambda: r.prlimit(0, number, tuple(n - 2**64 if n > 2**63 else n for n in to)))
    assert limits(None, sys.argv[1], 'setrlimit', *words) == theirs, words
print('same')
)",
                       binary()}})
            .out == "same\n");
}

TEST_CASE("setrlimit: what the kernel refuses is told, and the command does not run") {
  const Ran above = real({"setrlimit", "nofile=64:64", binary(), "setrlimit", "nofile=65", "echo"});
  CHECK(above.status == 125);
  CHECK(above.out == "");
  CHECK(above.err ==
        "setrlimit: nofile: EINVAL: Invalid argument (the soft limit would be above "
        "the hard one)\n");
  CHECK(
      tests::shell("ulimit -n 50; osbox setrlimit --pid $$ nofile=100 2>&1 | sed s/$$/PID/").out ==
      "setrlimit: PID: EINVAL: Invalid argument (nofile: the soft limit would be above the hard "
      "one)\n");
  const Ran raised =
      real({"setrlimit", "nofile=64:64", binary(), "setrlimit", "nofile=:65", "echo"}, true);
  CHECK(raised.status == 125);
  CHECK(raised.out == "");
  CHECK(raised.err == "setrlimit: nofile: EPERM: Operation not permitted\n");
  CHECK(real({"setrlimit", "core=0", "/nonexistent"}).status == 127);
  CHECK(real({"setrlimit", "core=0", "/"}).status == 126);
  CHECK(real({"setrlimit", "core=0", "sh", "-c", "exit 42"}).status == 42);
}

TEST_CASE("setrlimit: wrong usage changes nothing and runs nothing") {
  const auto wrong = [](std::vector<std::string> words) {
    words.insert(words.begin(), "setrlimit");
    const Ran ran = osbox(words);
    CHECK(ran.status == 2);
    CHECK(ran.out == "");
    return ran.err.substr(0, ran.err.find("; see"));
  };
  CHECK(wrong({}) == "setrlimit: missing operand NAME=SOFT[:HARD]... COMMAND");
  CHECK(wrong({"true"}) == "setrlimit: missing operand NAME=SOFT[:HARD]; true has no '='");
  CHECK(wrong({"nofile", "64"}) ==
        "setrlimit: missing operand NAME=SOFT[:HARD]; nofile has no '='");
  CHECK(wrong({"core=0"}) == "setrlimit: missing operand COMMAND (the change is for that alone)");
  CHECK(wrong({"core=0", "--"}) ==
        "setrlimit: missing operand COMMAND (the change is for that alone)");
  const std::string none = ": no such resource";
  CHECK(wrong({"nosuch=0", "true"}) == "setrlimit: nosuch=0" + none);
  const auto neither = [](const std::string& of) {
    return ": not a number" + of + ", in digits alone, nor unlimited";
  };
  CHECK(wrong({"core=", "true"}) == "setrlimit: core=" + neither(" of bytes"));
  CHECK(wrong({"nofile=-1", "true"}) == "setrlimit: nofile=-1" + neither(" of files"));
  CHECK(wrong({"as=1G", "true"}) == "setrlimit: as=1G" + neither(" of bytes"));
  CHECK(wrong({"nice=x", "true"}) == "setrlimit: nice=x" + neither(""));
  CHECK(wrong({"core=2:1", "true"}) == "setrlimit: core=2:1: the soft limit is above the hard one");
  CHECK(wrong({"core=0", "a=1", "true"}) == "setrlimit: a=1" + none);
  CHECK(wrong({"--pid", "0", "core=0"}) ==
        "setrlimit: --pid 0: not a process id; that of the shell is $$");
  CHECK(wrong({"core=0", "--pid", "1"}) ==
        "setrlimit: option --pid belongs in front of the limits");
  CHECK(wrong({"--pid", "1", "core=0", "true"}) ==
        "setrlimit: operand true and --pid do not go together");
  for (const std::string how : {"-v", "--format={soft}", "--shell", "-0"}) {
    CHECK(wrong({how, "core=0", "true"}) ==
          "setrlimit: with COMMAND the output is all its own: there are no records");
  }
  CHECK(wrong({"--pid", "1", "--format", "{nothing}", "core=0"}).find("nothing") !=
        std::string::npos);
}

TEST_CASE("setrlimit: a command whose name has a '=' stands behind --") {
  const Scratch scratch;
  scratch.file("core=0", "#!/bin/sh\nulimit -Sn\n", 0755);
  CHECK(shell("PATH=$1:$PATH; osbox setrlimit nofile=50 -- core=0", {scratch.path()}).out ==
        "50\n");
}

TEST_CASE("setrlimit --pid changes a process that runs, and tells what there was") {
  const Ran ran = shell(
      "ulimit -Sc 0; ulimit -n 100\n"
      "osbox setrlimit --pid $$ nofile=50; ulimit -Sn; ulimit -Hn\n"
      "osbox setrlimit -v --pid $$ nofile=60:70 core=:0 | sed s/$$/PID/\n"
      "osbox setrlimit --json --pid $$ --pid $$ nofile=:65 | sed s/$$/PID/\n"
      "osbox setrlimit --format '{soft}' --pid $$ fsize=unlimited\n"
      "ulimit -Sn; ulimit -Hn");
  CHECK(ran.out ==
        "50\n100\n"
        "nofile of PID: 50:100 -> 60:70\n" +
            [&] {
              const std::size_t at = ran.out.find("core of PID: 0:");
              return ran.out.substr(at, ran.out.find('\n', at) + 1 - at);
            }() +
            R"({"pid":PID,"resource":"nofile","old_soft":60,"old_hard":70,"soft":60,"hard":65})"
            "\n"
            R"({"pid":PID,"resource":"nofile","old_soft":60,"old_hard":65,"soft":60,"hard":65})"
            "\n\n60\n65\n");
  CHECK(ran.out.find(" -> 0:0\n") != std::string::npos);
  CHECK(ran.err == "");
}

TEST_CASE("setrlimit --pid: after a failure the others are done") {
  const Ran ran = shell(
      "osbox setrlimit --pid 4194305 --pid $$ nofile=50; echo $?; ulimit -Sn\n"
      "osbox setrlimit --exit-errno --pid 4194305 nofile=50; echo $?");
  CHECK(ran.out == "1\n50\n" + std::to_string(ESRCH) + "\n");
  const std::string gone = "setrlimit: 4194305: ESRCH: No such process (nofile)\n";
  CHECK(ran.err == gone + gone);
  CHECK(real({"setrlimit", "--pid", "1", "core=0"}, true).err ==
        "setrlimit: 1: EPERM: Operation not permitted (core)\n");
}
