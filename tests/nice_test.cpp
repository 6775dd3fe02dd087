// nice, getpriority and setpriority.
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

/// What `script` prints, which finds osbox in sys.argv[1] and Python's os module as os. `ours` runs
/// osbox with words: its standard output, or the errno that it names.
Ran compare(const std::string& script, bool as_nobody = false) {
  const std::string head = R"(
import os, re, signal, subprocess, sys
def ours(*words):
    ran = subprocess.run([sys.argv[1], *map(str, words)], capture_output=True)
    said = re.search(rb': (E[A-Z]+): ', ran.stderr)
    return said[1].decode() if said else ran.stdout.decode().strip()
# Whoever started the tests may be nice already.
base = os.getpriority(os.PRIO_PROCESS, 0)
more = lambda n: min(19, base + n)
class Child:
    def __init__(self, *before):
        start = lambda: [step() for step in before]
        self.process = subprocess.Popen(['sleep', '1000'], preexec_fn=start)
        self.pid = self.process.pid
    def __enter__(self): return self
    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
)";
  return run({.words = {"python3", "-c", head + script, binary()}, .as_nobody = as_nobody});
}

}  // namespace

TEST_CASE("nice adds to the nice value as os.nice does, or fails as that does") {
  const std::string script = R"(
import errno
show = [sys.executable, '-c', 'import os; print(os.nice(0))']
def python(increment):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            answer = str(os.nice(increment))
        except OSError as error:
            answer = errno.errorcode[error.errno]
        os.write(write, answer.encode())
        os._exit(0)
    os.waitpid(pid, 0)
    return os.read(read, 100).decode()
os.nice(3)
for increment in 0, 1, 5, 19, 40, 1000, -1, -3, -100, 2147483647, -2147483648:
    wanted = python(max(-40, min(40, increment)))
    assert ours('nice', increment, *show) == wanted, (increment, wanted)
    assert ours('nice', '--', increment, sys.argv[1], 'nice') == wanted
assert ours('nice') == str(more(3))
print('same')
)";
  for (const bool nobody : {false, true}) {
    CAPTURE(nobody);
    const Ran ran = compare(script, nobody);
    CHECK(ran.err == "");
    CHECK(ran.out == "same\n");
  }
}

TEST_CASE("nice becomes the command, and hands all of its words on") {
  const Ran ran = tests::shell(
      "echo $$; exec osbox nice 1 sh -c 'echo $$; echo \"$@\"; exit 7' sh -5 --json -- x");
  const auto said = tests::lines(ran.out);
  REQUIRE(said.size() == 3);
  CHECK(said[0] == said[1]);
  CHECK(said[2] == "-5 --json -- x");
  CHECK(ran.status == 7);
  CHECK(run({.words = {binary(), "nice", "1", "/nonexistent"}}).status == 127);
  CHECK(run({.words = {binary(), "nice", "1", "/"}}).status == 126);
}

TEST_CASE("nice without rights is EPERM, and the command does not run") {
  const Ran ran = run({.words = {binary(), "nice", "-1", "echo"}, .as_nobody = true});
  CHECK(ran.status == 125);
  CHECK(ran.out == "");
  CHECK(ran.err == "nice: -1: EPERM: Operation not permitted\n");
}

TEST_CASE("nice: what is no number, or has no command, is wrong usage") {
  const auto wrong = [](std::vector<std::string> words) {
    words.insert(words.begin(), "nice");
    const Ran ran = osbox(words);
    CHECK(ran.status == 2);
    CHECK(ran.out == "");
    return ran.err.substr(0, ran.err.find("; see"));
  };
  CHECK(wrong({"5"}) == "nice: missing operand COMMAND (the change is for that alone)");
  CHECK(wrong({"-5"}) == "nice: missing operand COMMAND (the change is for that alone)");
  CHECK(wrong({"true"}) == "nice: INCREMENT true: not a number");
  CHECK(wrong({"", "true"}) == "nice: INCREMENT '': not a number");
  CHECK(wrong({"+5", "true"}) == "nice: INCREMENT +5: not a number");
  CHECK(wrong({"5x", "true"}) == "nice: INCREMENT 5x: not a number");
  CHECK(wrong({"-5x", "true"}) == "nice: INCREMENT -5x: not a number");
  CHECK(wrong({"2147483648", "true"}) == "nice: INCREMENT 2147483648: number too large");
  CHECK(wrong({"-n", "5", "true"}) == "nice: unknown option -n (use nice INCREMENT COMMAND)");
  CHECK(wrong({"5", "-x"}) == "nice: unknown option -x");
}

TEST_CASE("nice has a record") {
  const std::string value = std::to_string(::nice(0));
  CHECK(osbox({"nice"}).out == value + "\n");
  CHECK(osbox({"nice", "--json"}).out == "{\"nice\":" + value + "}\n");
  CHECK(osbox({"nice", "--shell"}).out == "nice_nice=" + value + "\n");
}

TEST_CASE("getpriority says what os.getpriority says") {
  const std::string script = R"(
os.setpgid(0, 0)
os.nice(2)
with Child(lambda: os.nice(4)) as child:
    for option, which, id in (
        ([], os.PRIO_PROCESS, os.getpid()), ([], os.PRIO_PROCESS, child.pid),
        ([], os.PRIO_PROCESS, 1), (['--group'], os.PRIO_PGRP, os.getpgid(0)),
        (['-g'], os.PRIO_PGRP, os.getpgid(os.getppid())),
        (['--user'], os.PRIO_USER, os.getuid()), (['-u'], os.PRIO_USER, os.getuid()),
    ):
        answer = ours('getpriority', *option, id)
        assert answer == str(os.getpriority(which, id)), (option, id, answer)
    for option, which in ([], os.PRIO_PROCESS), (['-g'], os.PRIO_PGRP), (['-u'], os.PRIO_USER):
        answer = ours('getpriority', *option)
        assert answer == str(os.getpriority(which, 0)), (option, answer)
    assert ours('getpriority', child.pid) == str(more(6))
print('same')
)";
  for (const bool nobody : {false, true}) {
    CAPTURE(nobody);
    const Ran ran = compare(script, nobody);
    CHECK(ran.err == "");
    CHECK(ran.out == "same\n");
  }
}

TEST_CASE("setpriority sets processes, groups and users as os.setpriority does") {
  const std::string script = R"(
nice = lambda child: os.getpriority(os.PRIO_PROCESS, child.pid)
own = lambda: os.setpgid(0, 0)
with Child(own) as one, Child() as two, Child() as three:
    assert ours('setpriority', more(7), one.pid) == ''
    assert nice(one) == more(7)
    assert ours('setpriority', 19, one.pid, two.pid) == ''
    assert [nice(child) for child in (one, two, three)] == [19, 19, base]
    assert ours('setpriority', '-v', 19, two.pid) == f'priority of process {two.pid}: 19 -> 19'
    assert ours('setpriority', '--json', 19, two.pid) == \
        '{"which":"process","id":%d,"old_priority":19,"priority":19}' % two.pid
    if os.getuid() == 0:
        assert ours('setpriority', '--', '-1', one.pid) == ''
        assert ours('getpriority', one.pid) == '-1'
        assert ours('setpriority', '-v', '-20', one.pid) == \
            f'priority of process {one.pid}: -1 -> -20'
    else:
        assert ours('setpriority', 5, two.pid) == 'EACCES'
        assert ours('setpriority', -5, two.pid) == 'EACCES'
        assert ours('setpriority', 19, 1) == 'EPERM'
with Child(own) as one:
    with Child(lambda: os.setpgid(0, one.pid)) as two:
        assert ours('setpriority', '-v', more(9), '--group', one.pid) == \
            f'priority of group {one.pid}: {base} -> {more(9)}'
        assert [nice(child) for child in (one, two)] == [more(9)] * 2
if os.getuid() == 0:
    # A user whom nobody else is.
    with Child(lambda: os.setuid(54321)) as one, Child(lambda: os.setuid(54321)) as two:
        os.setpriority(os.PRIO_PROCESS, one.pid, 0)
        os.setpriority(os.PRIO_PROCESS, two.pid, 9)
        assert ours('getpriority', '--user', 54321) == '0'
        assert ours('setpriority', '-v', 11, '--user', 54321) == 'priority of user 54321: 0 -> 11'
        assert [nice(child) for child in (one, two)] == [11, 11]
        assert ours('getpriority', '--user', 'root') == str(os.getpriority(os.PRIO_USER, 0))
print('same')
)";
  for (const bool nobody : {false, true}) {
    CAPTURE(nobody);
    const Ran ran = compare(script, nobody);
    CHECK(ran.err == "");
    CHECK(ran.out == "same\n");
  }
}

TEST_CASE(
    "getpriority: what is not there is ESRCH, and what is no id EINVAL; the others are done") {
  const std::string alone = osbox({"getpriority", self}).out;
  for (const std::string pid : {"4194305", "0", "-1", "", "abc", "1x", "99999999999"}) {
    CAPTURE(pid);
    const Ran ran = osbox({"getpriority", "--", self, pid, self});
    CHECK(ran.status == 1);
    CHECK(ran.out == alone + alone);
    std::string error = "EINVAL: Invalid argument (not a process id)\n";
    if (pid == "4194305") error = "ESRCH: No such process\n";
    if (pid == "0") error.insert(error.size() - 2, "; without any it is the caller");
    CHECK(ran.err.ends_with(": " + error));
  }
  CHECK(osbox({"getpriority", "4194305"}).err == "getpriority: 4194305: ESRCH: No such process\n");
  CHECK(osbox({"getpriority", "-g", "0"}).err ==
        "getpriority: 0: EINVAL: Invalid argument (not a process group id; without any it is the "
        "caller)\n");
  CHECK(osbox({"getpriority", "-g", "x"}).err ==
        "getpriority: x: EINVAL: Invalid argument (not a process group id)\n");
  CHECK(osbox({"setpriority", "19", "0"}).err ==
        "setpriority: 0: EINVAL: Invalid argument (not a process id; that of the shell is $$)\n");
  CHECK(osbox({"setpriority", "-g", "19", "0"}).err ==
        "setpriority: 0: EINVAL: Invalid argument (not a process group id; that of the shell is "
        "$(osbox getpgid))\n");
  CHECK(osbox({"getpriority", "-g", "--exit-errno", "4194305"}).status == ESRCH);
  for (const std::string user :
       {"no-such-user", "", "-1", "4294967295", "4294967296", "0x0", "1a"}) {
    CAPTURE(user);
    const Ran ran = osbox({"getpriority", "--user", "--", user});
    CHECK(ran.status == 1);
    CHECK(ran.err.ends_with(": EINVAL: Invalid argument (no such user)\n"));
    CHECK(osbox({"setpriority", "--user", "19", "--", user}).status == 1);
  }
}

TEST_CASE("of root nobody else can ask, since the kernel takes 0 for who asks") {
  for (const std::string user : {"0", "root"}) {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"getpriority", "-u"}, {"setpriority", "-u", "19"}}) {
      std::vector<std::string> all = {binary()};
      all.insert(all.end(), words.begin(), words.end());
      all.push_back(user);
      const Ran ran = run({.words = all, .as_nobody = true});
      CHECK(ran.status == 1);
      CHECK(ran.out == "");
      CHECK(ran.err == words[0] + ": " + user +
                           ": EINVAL: Invalid argument (to the kernel user 0 is who asks)\n");
    }
  }
}

TEST_CASE("setpriority: wrong usage changes nothing") {
  for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                {"5"},
                                                {"x", self},
                                                {"", self},
                                                {"+5", self},
                                                {"1.5", self},
                                                {"99999999999", self},
                                                {"5", "--format", "{x}", self}}) {
    std::vector<std::string> all = {"setpriority"};
    all.insert(all.end(), words.begin(), words.end());
    CHECK(osbox(all).status == 2);
  }
  CHECK(osbox({"setpriority", "19", "4194305"}).err ==
        "setpriority: 4194305: ESRCH: No such process\n");
  CHECK(osbox({"setpriority", "-v", "19", "4194305"}).err ==
        "setpriority: 4194305: ESRCH: No such process\n");
  for (const std::string pid : {"0", "-1", "", "abc"}) {
    CHECK(osbox({"setpriority", "19", "--", pid}).err.find("EINVAL") != std::string::npos);
  }
}

TEST_CASE("getpriority has records") {
  const std::string value = tests::lines(osbox({"getpriority", self}).out)[0];
  CHECK(osbox({"getpriority", "--json", self}).out ==
        "{\"which\":\"process\",\"id\":" + self + ",\"priority\":" + value + "}\n");
  CHECK(osbox({"getpriority", "--json"}).out ==
        "{\"which\":\"process\",\"id\":null,\"priority\":" + value + "}\n");
  CHECK(osbox({"getpriority", "--json", "--user"})
            .out.starts_with("{\"which\":\"user\",\"id\":null,\"priority\":"));
}

TEST_CASE("setpriority: that the new value cannot be read is no failure to set it") {
  if (tests::disturbed_by_sanitizer()) return;
  const tests::Command command{
      .words = {"sh", "-c", "\"$0\" setpriority -v 19 $$; echo $?; nice", binary()}};
  const auto look = tests::last_of(tests::watch(command), {SYS_getpriority}, EIO);
  const Ran ran = tests::watch(command, {look}).ran;
  CHECK(ran.out == "1\n19\n");
  CHECK(ran.err.ends_with(": getpriority: EIO: Input/output error (the priority is set)\n"));
}

TEST_CASE("setpriority takes no ID for a nice value") {
  const std::string own = std::to_string(::getpid());
  for (const std::string& word : {std::string("20"), std::string("-21"), "1" + own}) {
    CAPTURE(word);
    const Ran ran = osbox({"setpriority", "--", word, own});
    CHECK(ran.status == 2);
    CHECK(ran.err == "setpriority: PRIORITY " + word +
                         ": no nice value, -20 to 19, which comes first; see 'osbox setpriority "
                         "--help'\n");
  }
}

TEST_CASE("setpriority: where an operand is no id nobody is changed") {
  const Ran ran = tests::shell(R"sh(
sleep 1000 &
for words in "sleep $!" "$! sleep" "$! 0" "-- $! -5x" "--user 54321 no-such-user" "-g $! x"; do
  osbox setpriority -v 19 $words 2>&1 | sed "s/$!/PID/"
done
[ "$(osbox getpriority $!)" = "$(osbox getpriority $$)" ] && echo the same
kill $!)sh");
  const std::string run = "; a command is run by 'nice 19 COMMAND')\n";
  CHECK(ran.out ==
        "setpriority: sleep: EINVAL: Invalid argument (not a process id" + run +
            "setpriority: sleep: EINVAL: Invalid argument (not a process id" + run +
            "setpriority: 0: EINVAL: Invalid argument (not a process id; that of the shell is $$)\n"
            "setpriority: -5x: EINVAL: Invalid argument (not a process id" +
            run +
            "setpriority: no-such-user: EINVAL: Invalid argument (no such user)\n"
            "setpriority: x: EINVAL: Invalid argument (not a process group id)\n"
            "the same\n");
}
