// sched_getaffinity and sched_setaffinity.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "tests/harness.hpp"
#include "tests/injection.hpp"
#include "tests/sanitizer.hpp"

using tests::binary;
using tests::run;

namespace {

const std::string self = std::to_string(::getpid());

}  // namespace

TEST_CASE("sched_getaffinity says what Python's os module says") {
  const std::string script = R"(
import json, os, subprocess, sys
def ask(*words):
    out = subprocess.run([sys.argv[1], 'sched_getaffinity', '--json', *words],
                         stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in out.splitlines()]
for cpus in os.sched_getaffinity(0), {min(os.sched_getaffinity(0))}:
    os.sched_setaffinity(0, cpus)
    own, = ask()
    assert own['pid'] is None and own['cpus'] == sorted(cpus), own
    mine, first = ask(str(os.getpid()), '1')
    assert mine == {**own, 'pid': os.getpid()}, mine
    assert first['cpus'] == sorted(os.sched_getaffinity(1)), first
    for line in open('/proc/self/status'):
        if line.startswith('Cpus_allowed_list:'):
            assert line.split()[1] == mine['list'], line
print('same')
)";
  for (const bool nobody : {false, true}) {
    CAPTURE(nobody);
    const Ran ran = run({.words = {"python3", "-c", script, binary()}, .as_nobody = nobody});
    CHECK(ran.err == "");
    CHECK(ran.out == "same\n");
  }
}

TEST_CASE("sched_getaffinity prints a list, and has records") {
  const std::string list = tests::lines(osbox({"sched_getaffinity"}).out)[0];
  CHECK(osbox({"sched_getaffinity", self, self}).out == list + "\n" + list + "\n");
  CHECK(osbox({"sched_getaffinity", "--format", "{pid}: {list}", self}).out ==
        self + ": " + list + "\n");
  CHECK(osbox({"sched_getaffinity", "--shell", self})
            .out.starts_with("sched_getaffinity_pid=" + self + " "));
}

TEST_CASE("sched_getaffinity: unknown is ESRCH, no id EINVAL, and the others are done") {
  const std::string alone = osbox({"sched_getaffinity", self}).out;
  for (const std::string pid : {"4194305", "0", "-1", "", "abc", "99999999999"}) {
    CAPTURE(pid);
    const Ran ran = osbox({"sched_getaffinity", "--", self, pid, self});
    CHECK(ran.status == 1);
    CHECK(ran.out == alone + alone);
    CHECK(ran.err.find(pid == "4194305" ? "ESRCH" : "EINVAL") != std::string::npos);
  }
  CHECK(osbox({"sched_getaffinity", "4194305"}).err ==
        "sched_getaffinity: 4194305: ESRCH: No such process\n");
}

TEST_CASE("sched_setaffinity becomes the command, on these CPUs") {
  const std::string first = tests::python("import os\nprint(min(os.sched_getaffinity(0)))");
  const std::string cpu = tests::lines(first)[0];
  const Ran ran = tests::shell(
      "echo $$; exec osbox sched_setaffinity $1 python3 -c '\n"
      "import os, sys\nprint(os.getpid())\nprint(*os.sched_getaffinity(0), *sys.argv[1:])' -v 7",
      {cpu});
  const auto said = tests::lines(ran.out);
  REQUIRE(said.size() == 3);
  CHECK(said[0] == said[1]);
  CHECK(said[2] == cpu + " -v 7");
  CHECK(run({.words = {binary(), "sched_setaffinity", cpu + ",65535," + cpu + "-" + cpu, binary(),
                       "sched_getaffinity"}})
            .out == cpu + "\n");
  CHECK(run({.words = {binary(), "sched_setaffinity", cpu, "/nonexistent"}}).status == 127);
  CHECK(run({.words = {binary(), "sched_setaffinity", cpu, "sh", "-c", "exit 9"}}).status == 9);
}

TEST_CASE("sched_setaffinity: no CPU that is there is EINVAL, and the command does not run") {
  const Ran ran = run({.words = {binary(), "sched_setaffinity", "65535", "echo"}});
  CHECK(ran.status == 125);
  CHECK(ran.out == "");
  CHECK(ran.err == "sched_setaffinity: 65535: EINVAL: Invalid argument\n");
}

TEST_CASE("sched_setaffinity --pid moves processes, and tells where they were") {
  const Ran ran = run({.words = {"python3", "-c", R"(
import json, os, subprocess, sys
def ours(*words):
    ran = subprocess.run([sys.argv[1], 'sched_setaffinity', *map(str, words)], capture_output=True)
    return ran.stdout.decode() + ran.stderr.decode()
all = sorted(os.sched_getaffinity(0))
first = {all[0]}
lists = subprocess.run([sys.argv[1], 'sched_getaffinity'], stdout=subprocess.PIPE).stdout.decode().strip()
children = [subprocess.Popen(['sleep', '1000']) for _ in range(2)]
one, two = (child.pid for child in children)
try:
    assert ours('--pid', one, all[0]) == ''
    assert os.sched_getaffinity(one) == first
    assert ours('-v', lists + ',65535', '--pid', one, '--pid', two) == \
        f'CPUs of {one}: {all[0]} -> {lists}\nCPUs of {two}: {lists} -> {lists}\n'
    assert json.loads(ours(all[0], f'--pid={two}', '--json')) == dict(
        pid=two, old_cpus=all, old_list=lists, cpus=[all[0]], list=str(all[0]))
    assert ours(all[0], '--pid', 4194305, '--pid', one) == \
        'sched_setaffinity: 4194305: ESRCH: No such process\n'
    assert os.sched_getaffinity(one) == first
    assert ours(65535, '--pid', one) == f'sched_setaffinity: {one}: EINVAL: Invalid argument\n'
    assert os.sched_getaffinity(one) == first
finally:
    for child in children:
        child.kill()
        child.wait()
print('same')
)",
                                 binary()}});
  CHECK(ran.err == "");
  CHECK(ran.out == "same\n");
  CHECK(run({.words = {binary(), "sched_setaffinity", "--pid", "1", "0"}, .as_nobody = true}).err ==
        "sched_setaffinity: 1: EPERM: Operation not permitted\n");
  CHECK(osbox({"sched_setaffinity", "--pid", "4194305", "0"}).status == 1);
  CHECK(osbox({"sched_setaffinity", "--pid", "4194305", "--exit-errno", "0"}).status == ESRCH);
}

TEST_CASE("sched_setaffinity: wrong usage changes nothing and runs nothing") {
  const auto wrong = [](std::vector<std::string> words) {
    words.insert(words.begin(), "sched_setaffinity");
    const Ran ran = osbox(words);
    CHECK(ran.status == 2);
    CHECK(ran.out == "");
    return ran.err.substr(0, ran.err.find("; see"));
  };
  CHECK(wrong({}) == "sched_setaffinity: missing operand CPUS");
  CHECK(wrong({"0"}) ==
        "sched_setaffinity: missing operand COMMAND (the change is for that alone)");
  CHECK(wrong({"x", "true"}) == "sched_setaffinity: CPUS x: not a list of CPUs as 0-3,8");
  CHECK(wrong({"-1", "true"}) == "sched_setaffinity: CPUS -1: not a list of CPUs as 0-3,8");
  CHECK(wrong({"3-0", "true"}) == "sched_setaffinity: CPUS 3-0: a range begins above its end");
  CHECK(wrong({"65536", "true"}) == "sched_setaffinity: CPUS 65536: number too large");
  CHECK(wrong({"--pid", "x", "0"}) == "sched_setaffinity: --pid x: not a process id");
  CHECK(wrong({"--pid", "0", "0"}) ==
        "sched_setaffinity: --pid 0: not a process id; that of the shell is $$");
  CHECK(osbox({"sched_getaffinity", "0"}).err ==
        "sched_getaffinity: 0: EINVAL: Invalid argument (not a process id; without any it is the "
        "caller)\n");
  CHECK(wrong({"--pid", self, "0", "true"}) == "sched_setaffinity: unexpected operand true");
  CHECK(wrong({"-v", "0", "true"}) ==
        "sched_setaffinity: with COMMAND the output is all its own: there are no records");
}

TEST_CASE("a name with '_' works as a link, in completion and as a manual page") {
  const Scratch scratch;
  CHECK(run({.words = {binary(), "--install", scratch.path(), "sched_getaffinity"}}).status == 0);
  CHECK(run({.words = {"python3", "-c",
                       "import subprocess, sys\n"
                       "print(subprocess.run([sys.argv[1]], stdout=-1).stdout.decode(), end='')",
                       scratch / "sched_getaffinity"}})
            .out == osbox({"sched_getaffinity"}).out);
  CHECK(osbox({"--complete", "osbox", "sched_"}).out ==
        "sched_getaffinity\tprint the CPUs that a process may run on\n"
        "sched_setaffinity\tset the CPUs that a command or process runs on\n");
  CHECK(osbox({"sched-getaffinity"}).err ==
        "osbox: no applet sched-getaffinity (did you mean sched_getaffinity, "
        "sched_setaffinity?)\n");
  CHECK(osbox({"--man", "sched_getaffinity"}).out.find(".Nm osbox-sched_getaffinity\n") !=
        std::string::npos);
}

TEST_CASE("sched_setaffinity: that the new CPUs cannot be read is no failure to set them") {
  if (tests::disturbed_by_sanitizer()) return;
  const tests::Command command{
      .words = {"sh", "-c",
                "cpus=$(\"$0\" sched_getaffinity); "
                "\"$0\" sched_setaffinity -v --pid $$ ${cpus%%[-,]*}; echo $?; "
                "[ \"$(\"$0\" sched_getaffinity)\" = ${cpus%%[-,]*} ] && echo set",
                binary()}};
  // The last but one is that of the applet.
  auto look = tests::last_of(tests::watch(command), {SYS_sched_getaffinity}, EIO);
  --look.occurrence;
  const Ran ran = tests::watch(command, {look}).ran;
  CHECK(ran.out == "1\nset\n");
  CHECK(ran.err.ends_with(": sched_getaffinity: EIO: Input/output error (the CPUs are set)\n"));
}
