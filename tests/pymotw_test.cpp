// The examples of "Python Module of the Week" on os that are about processes, side by side: what
// the Python program prints, and what the lines of shell print that do the same with osbox.
#include <algorithm>
#include <map>
#include <regex>

#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"
#include "tests/stranger.hpp"

using tests::Command;
using tests::lines;
using tests::run;

namespace {

using Lines = std::vector<std::string>;

struct Both {
  Ran python;
  Ran shell;
};

/// Runs `program` in Python and `script` in sh, each with `command` in front, in its directory and
/// with its environment, and with osbox in PATH.
Both both(const std::string& program, const std::string& script, Command command = {}) {
  const std::string here = tests::binary().substr(0, tests::binary().rfind('/'));
  command.environment.insert(command.environment.begin(),
                             {"PATH=" + here + ":" + std::getenv("PATH"), "LC_ALL=C"});
  const auto with = [&](const Lines& words) {
    Command one = command;
    one.words.insert(one.words.end(), words.begin(), words.end());
    return run(one);
  };
  // A line is one write, so that the lines of two processes do not mix.
  const std::string lined =
      "import sys\nsys.stdout.reconfigure(line_buffering=True, write_through=False)\n" + program;
  return {with({"python3", "-c", lined}), with({"sh", "-c", script})};
}

/// The same output, status and silence, and there is some.
void check_same(const Both& both) {
  CHECK(both.shell.out == both.python.out);
  CHECK(both.shell.err == "");
  CHECK(both.python.err == "");
  CHECK(both.shell.status == both.python.status);
  CHECK(both.python.out != "");
}

Lines sorted(Lines all) {
  std::ranges::sort(all);
  return all;
}

/// Takes what is in the parentheses of `pattern` out of the only line that it matches, and puts '#'
/// in its place.
std::string take(Lines& from, const std::string& pattern) {
  std::string taken;
  for (std::string& line : from) {
    std::smatch found;
    if (!std::regex_match(line, found, std::regex(pattern))) continue;
    CHECK(taken == "");
    taken = found[1];
    line.replace(static_cast<std::size_t>(found.position(1)), taken.size(), "#");
  }
  INFO(tests::line(from));
  REQUIRE(taken != "");
  return taken;
}

}  // namespace

TEST_CASE("the ids of a process") {
  // Both speak of the same process: osbox is run by the Python program.
  const Both ids = both(
      R"py(import os
print('This process id:', os.getpid())
print('Parent process :', os.getppid())
print('Process group  :', os.getpgid(0))
print('Parent group   :', os.getpgid(os.getppid()))
print('Session id     :', os.getsid(0))
os.spawnlp(os.P_WAIT, 'osbox', 'osbox', 'pids'))py",
      R"sh(osbox getpid; echo $$; osbox getppid; echo $PPID
[ "$(osbox getpgid)" = "$(osbox getpgid $$)" ] && [ "$(osbox getsid)" = "$(osbox getsid $$)" ])sh");
  const Lines seen = lines(ids.python.out);
  REQUIRE(seen.size() == 10);
  CHECK(Lines(seen.begin(), seen.begin() + 5) == Lines(seen.begin() + 5, seen.end()));
  const Lines own = lines(ids.shell.out);
  REQUIRE(own.size() == 4);
  CHECK(own[0] == own[1]);
  CHECK(own[2] == own[3]);
  CHECK(own[2] == std::to_string(::getpid()));
  CHECK(ids.shell.status == 0);
}

namespace {

const std::string owner_program = R"py(import errno, os
def show():
    print('User (actual/effective)  :', os.getuid(), '/', os.geteuid())
    print('Group (actual/effective) :', os.getgid(), '/', os.getegid())
    print('Actual groups            : ' + ' '.join(map(str, os.getgroups())))
def change(name, id):
    try:
        getattr(os, name)(id)
    except OSError as error:
        print(f'{name}: {id}: {errno.errorcode[error.errno]}: {error.strerror}')
    show()
show()
change('setegid', 501)
change('seteuid', 501))py";

/// The same with osbox, for who may change ids and for who may not. A shell in the middle would
/// give effective ids up.
const std::string owner_script = R"sh(format='User (actual/effective)  : {uid} / {euid}
Group (actual/effective) : {gid} / {egid}
Actual groups            : {groups}'
osbox id --format "$format"
osbox setegid 501 osbox id --format "$format" 2>&1 || osbox id --format "$format"
osbox setegid "${1-501}" osbox seteuid 501 osbox id --format "$format" 2>&1 || osbox id --format "$format")sh";

}  // namespace

TEST_CASE("the owner of a process before and after setegid and seteuid, as root") {
  if (!tests::is_root() || tests::disturbed_by_sanitizer()) return;
  const Both owner =
      both(owner_program, owner_script, {.words = {tests::binary(), "setgroups", "10,20"}});
  check_same(owner);
  const Lines seen = lines(owner.shell.out);
  REQUIRE(seen.size() == 9);
  CHECK(seen[0] == "User (actual/effective)  : 0 / 0");
  CHECK(seen[4] == "Group (actual/effective) : 0 / 501");
  CHECK(seen[6] == "User (actual/effective)  : 0 / 501");
  CHECK(seen[8] == "Actual groups            : 10 20");
}

TEST_CASE("the owner of a process, which nobody but root may change") {
  // Whoever runs this as neither sees the same.
  const Both owner =
      both(owner_program, "set -- \"$(osbox getegid)\"\n" + owner_script, {.as_nobody = true});
  check_same(owner);
  CHECK(owner.shell.out.find("setegid: 501: EPERM: Operation not permitted\n") !=
        std::string::npos);
  CHECK(owner.shell.out.find("seteuid: 501: EPERM: Operation not permitted\n") !=
        std::string::npos);
}

TEST_CASE("the environment shown, changed and removed for a child") {
  const std::string program = R"py(import os
def show(word):
    print(word, 'value:', os.environ.get('TESTVAR'))
    print('Child process:')
    os.system('echo $TESTVAR')
show('Initial')
os.environ['TESTVAR'] = 'THIS VALUE WAS CHANGED'
show('Changed')
del os.environ['TESTVAR']
show('Removed'))py";
  const std::string script = R"sh(show() {
  word=$1; shift
  echo "$word value: $("$@" osbox getenv --default None TESTVAR)"
  echo 'Child process:'
  "$@" osbox system 'echo $TESTVAR'
}
show Initial env
show Changed osbox putenv 'TESTVAR=THIS VALUE WAS CHANGED'
show Removed osbox unsetenv TESTVAR)sh";
  check_same(both(program, script));
  check_same(both(program, script, {.environment = {"TESTVAR=  as it was\t"}}));
}

TEST_CASE("the environment changed and removed for children alone") {
  check_same(both(R"py(import os
os.putenv('TESTVAR', "it's\nnew")
os.system('env | grep -A1 ^TESTVAR')
os.unsetenv('TESTVAR')
os.system('env | grep -c ^TESTVAR')
print(os.environ['TESTVAR']))py",
                  R"sh(osbox putenv TESTVAR="it's
new" osbox system 'env | grep -A1 ^TESTVAR'
osbox unsetenv TESTVAR osbox system 'env | grep -c ^TESTVAR'
echo "$TESTVAR")sh",
                  {.environment = {"TESTVAR=old"}}));
}

TEST_CASE("the working directory moved up") {
  const Scratch scratch;
  scratch.directory("a");
  scratch.directory("a/b c");
  scratch.link("a/b c", "link");
  const std::string program = R"py(import os
print('Starting:', os.getcwd())
os.chdir(os.pardir)
print('Moved up:', os.getcwd()))py";
  const std::string script = R"sh(echo "Starting: $(osbox getcwd)"
echo "Moved up: $(osbox chdir .. osbox getcwd)")sh";
  for (const std::string& directory : {scratch / "a/b c", scratch / "link", std::string("/")}) {
    CAPTURE(directory);
    check_same(both(program, script, {.directory = directory}));
  }
}

TEST_CASE("system plain, with shell expansion, and with what it returns") {
  const Scratch scratch;
  check_same(
      both("import os; os.system('pwd')", "osbox system pwd", {.directory = scratch.path()}));
  check_same(both("import os; os.system('echo $TMPDIR')", "osbox system 'echo $TMPDIR'",
                  {.environment = {"TMPDIR=/some/where"}}));
  for (const std::string line :
       {"true", "exit 3", "exit 255", "kill -9 $$", "./none 2>/dev/null"}) {
    CAPTURE(line);
    check_same(both("import os; print(os.system('" + line + "'))",
                    "osbox system --status '" + line + "'; true"));
  }
}

TEST_CASE("system in the background") {
  const Scratch scratch;
  scratch.fifo("fifo");
  // The second date comes when somebody has gone on, not when it is over.
  const std::string line = "date; (read word <fifo; date) &";
  const Both dates = both(
      "import os\n"
      "print('Calling...')\n"
      "os.system('" +
          line +
          "')\n"
          "print('Sleeping...')\n"
          "open('fifo', 'w').close()",
      "echo Calling...\n"
      "osbox system '" +
          line +
          "'\n"
          "echo Sleeping...\n"
          ": >fifo",
      {.directory = scratch.path()});
  for (const Ran& ran : {dates.python, dates.shell}) {
    CAPTURE(ran.out);
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
    const std::string date = R"sh(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \S+ \d{4}\n)sh";
    const std::regex all("Calling\\.\\.\\.\n" + date + "Sleeping\\.\\.\\.\n" + date);
    CHECK(std::regex_match(ran.out, all));
  }
}

TEST_CASE("fork, and who prints what") {
  const Both forks = both(R"py(import os
pid = os.fork()
if pid:
    print('Child process id:', pid)
    os.wait()
else:
    print('I am the child', os.getpid()))py",
                          R"sh(osbox fork --format 'Child process id: {pid}' \
  sh -c 'echo I am the child $$' \; osbox wait --format '')sh");
  for (const Ran& ran : {forks.python, forks.shell}) {
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
  }
  Lines python = lines(forks.python.out);
  Lines shell = lines(forks.shell.out);
  std::erase(shell, "");
  for (Lines* const each : {&python, &shell}) {
    CHECK(take(*each, "Child process id: (.*)") == take(*each, "I am the child (.*)"));
  }
  CHECK(sorted(shell) == sorted(python));
}

TEST_CASE("kill with USR1") {
  const Scratch scratch;
  scratch.fifo("fifo");
  const Both kills = both(R"py(import os, signal
def handle(number, frame):
    print('Received USR1 in process', os.getpid())
    os._exit(0)
child = os.fork()
if child:
    open('fifo').read()
    print('PARENT: Signaling child', child)
    os.kill(child, signal.SIGUSR1)
    os.wait()
else:
    print('CHILD: Setting up signal handler')
    signal.signal(signal.SIGUSR1, handle)
    print('CHILD: Waiting for signal')
    open('fifo', 'w').close()
    while True: signal.pause())py",
                          R"sh(sh -c 'echo CHILD: Setting up signal handler
trap "echo Received USR1 in process $$; exit 0" USR1
echo CHILD: Waiting for signal
: >fifo
while :; do sleep .05; done' &
cat fifo
echo PARENT: Signaling child $!
osbox kill -USR1 $!
wait)sh",
                          {.directory = scratch.path()});
  for (const Ran& ran : {kills.python, kills.shell}) {
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
  }
  Lines python = lines(kills.python.out);
  Lines shell = lines(kills.shell.out);
  for (Lines* const each : {&python, &shell}) {
    CHECK(take(*each, "PARENT: Signaling child (.*)") ==
          take(*each, "Received USR1 in process (.*)"));
  }
  CHECK(shell == python);
}

TEST_CASE("exec and spawn of pwd -P") {
  const Scratch scratch;
  scratch.directory("a");
  const std::string link = scratch.link("a", "link");
  const Command in_link{.environment = {"PWD=" + link}, .directory = link};
  const Both exec = both(R"py(import os
child = os.fork()
if child:
    os.waitpid(child, 0)
else:
    os.execlp('pwd', 'pwd', '-P'))py",
                         "osbox exec pwd -P", in_link);
  check_same(exec);
  CHECK(exec.shell.out == scratch / "a" + "\n");
  check_same(
      both("import os; os.spawnlp(os.P_WAIT, 'pwd', 'pwd', '-P')", "osbox spawn pwd -P", in_link));
  check_same(both("import os; print(os.spawnlp(os.P_WAIT, 'sh', 'sh', '-c', 'exit 7'))",
                  "osbox spawn sh -c 'exit 7'; echo $?"));
}

namespace {

/// Two workers in Python; the parent waits for both as `waits` says.
std::string workers(const std::string& waits) {
  return R"py(import os, time
children = []
for i in range(2):
    child = os.fork()
    if child:
        children.append(child)
        print('Child', child)
    else:
        print('Starting worker', i)
        time.sleep(i * .2)
        print('Finished worker', i)
        os._exit(i)
)py" + waits;
}

/// One in shell, whose number is $0.
const std::string worker =
    "worker='echo Starting worker $0; sleep .$0; echo Finished worker $0; exit $0'\n";

/// Which child had which word, as Python prints "(PID, WORD)" and osbox "PID WORD exited N", by the
/// number of its worker; checks that the rest of the output is the same.
void check_waits(const Both& waits) {
  using Words = std::map<std::string, std::string>;
  const auto facts = [](const Ran& ran, Lines& rest, Words& words) {
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
    Lines pids;
    Words ended;
    for (const std::string& line : lines(ran.out)) {
      std::smatch found;
      if (std::regex_match(line, found, std::regex("Child (\\d+)"))) {
        pids.push_back(found[1]);
      } else if (std::regex_match(line, found, std::regex("\\((\\d+), (\\d+)\\)"))) {
        ended[found[1]] = found[2];
      } else if (std::regex_match(line, found, std::regex("(\\d+) (\\d+) exited (\\d+)"))) {
        ended[found[1]] = found[2];
        CHECK(std::stoi(found[2]) == std::stoi(found[3]) << 8);
      } else {
        rest.push_back(line);
      }
    }
    REQUIRE(pids.size() == 2);
    CHECK(ended.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) words[std::to_string(i)] = ended[pids[i]];
  };
  CAPTURE(waits.python.out);
  CAPTURE(waits.shell.out);
  Lines python;
  Lines shell;
  Words python_words;
  Words shell_words;
  facts(waits.python, python, python_words);
  facts(waits.shell, shell, shell_words);
  CHECK(sorted(shell) == sorted(python));
  CHECK(shell_words == python_words);
  CHECK(shell_words == Words{{"0", "0"}, {"1", "256"}});
}

}  // namespace

TEST_CASE("wait with two workers") {
  check_waits(both(workers("for i in range(2): print(os.wait())"), worker + R"sh(
osbox fork --format 'Child {pid}' sh -c "$worker" 0 \; \
  osbox fork --format 'Child {pid}' sh -c "$worker" 1 \; osbox wait --count 2)sh"));
}

TEST_CASE("waitpid with two workers") {
  if (!tests::newer_calls()) {
    MESSAGE("not tested: osbox can wait for its own children alone");
    return;
  }
  const std::string program = workers("for child in children: print(os.waitpid(child, 0))");
  // A child that ends before, the shell may have waited for itself.
  check_waits(both(program, worker + "once='" + tests::once_osbox + "'" + R"sh(
sh -c "$once$worker" 0 & a=$!
sh -c "$once$worker" 1 & b=$!
printf 'Child %d\n' $a $b
exec osbox waitpid $a $b)sh"));
  // By whoever asks, also when all is over.
  const Scratch scratch;
  check_waits(
      both(program, worker + R"sh(
a=$(osbox spawn --nowait --stdout out --append sh -c "$worker" 0)
b=$(osbox spawn --nowait --stdout out --append sh -c "$worker" 1)
printf 'Child %d\n' "${a%:*}" "${b%:*}"
sh -c 'osbox waitpid "$@"' sh "$a" "$b"
cat out)sh",
           {.environment = {"XDG_RUNTIME_DIR=" + scratch.path()}, .directory = scratch.path()}));
}
