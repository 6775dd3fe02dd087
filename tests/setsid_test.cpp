// setsid and setpgid.
#include <cerrno>

#include "tests/harness.hpp"

using tests::binary;
using tests::run;

namespace {

/// What `script` prints of Python, where `ids` runs osbox with words and a command that prints its
/// pid, process group and session: a list of them, or what osbox says on standard error.
Ran compare(const std::string& script, bool as_nobody = false) {
  const std::string head = R"(
import os, subprocess, sys
show = [sys.executable, '-c', 'import os; print(os.getpid(), os.getpgid(0), os.getsid(0))']
def ids(*words, before=None):
    with subprocess.Popen([sys.argv[1], *map(str, words), *show], preexec_fn=before,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ran:
        out, err = ran.communicate()
        return [ran.pid] + [int(n) for n in out.split()] if out else err.decode().strip()
)";
  return run({.words = {"python3", "-c", head + script, binary()}, .as_nobody = as_nobody});
}

}  // namespace

TEST_CASE("setsid leads a session and a process group, in the same process") {
  for (const bool nobody : {false, true}) {
    const Ran ran = compare(R"(
pid, *same = ids('setsid')
assert same == [pid] * 3, same
print('same')
)",
                            nobody);
    CHECK(ran.err == "");
    CHECK(ran.out == "same\n");
  }
}

TEST_CASE("setsid of who leads a process group is EPERM, as os.setsid, and names what helps") {
  const Ran ran = compare(R"(
print(ids('setsid', before=lambda: os.setpgid(0, 0)))
print(ids('setsid', before=os.setsid))
)");
  const std::string message =
      "setsid: EPERM: Operation not permitted (it leads its process group; 'spawn --session' "
      "can)\n";
  CHECK(ran.out == message + message);
  CHECK(tests::shell("osbox setsid osbox setsid echo; echo $?").out == "125\n");
}

TEST_CASE("setpgid makes a process group, or joins one of the session") {
  for (const bool nobody : {false, true}) {
    const Ran ran = compare(R"(
session = os.getsid(0)
pid, *said = ids('setpgid', 0)
assert said == [pid, pid, session], said
pid, *said = ids('setpgid', os.getpgid(0))
assert said == [pid, os.getpgid(0), session], said
with subprocess.Popen(['sleep', '1000'], preexec_fn=lambda: os.setpgid(0, 0)) as other:
    pid, *said = ids('setpgid', other.pid)
    other.kill()
assert said == [pid, other.pid, session], said
# Who leads its group already may make it again.
pid, *said = ids('setpgid', 0, before=lambda: os.setpgid(0, 0))
assert said == [pid, pid, session], said
print('same')
)",
                            nobody);
    CHECK(ran.err == "");
    CHECK(ran.out == "same\n");
  }
}

TEST_CASE("setpgid into no group of the session, or as its leader, is EPERM; nothing is run") {
  const Ran ran = compare(R"(
print(ids('setpgid', 4194305))
print(ids('setpgid', 0, before=os.setsid))
with subprocess.Popen(['sleep', '1000'], start_new_session=True) as other:
    print(ids('setpgid', other.pid))
    other.kill()
)");
  const auto lines = tests::lines(ran.out);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "setpgid: 4194305: EPERM: Operation not permitted");
  CHECK(lines[1] == "setpgid: 0: EPERM: Operation not permitted");
  CHECK(lines[2].ends_with(": EPERM: Operation not permitted"));
  CHECK(run({.words = {binary(), "setpgid", "4194305", "echo"}}).status == 125);
}

TEST_CASE("setsid and setpgid hand the words on, and the status back") {
  CHECK(tests::shell("osbox setsid sh -c 'echo \"$@\"; exit 3' sh -v --json; echo $?").out ==
        "-v --json\n3\n");
  CHECK(tests::shell("osbox setpgid 0 sh -c 'echo \"$@\"; exit 3' sh -v -1; echo $?").out ==
        "-v -1\n3\n");
  CHECK(tests::shell("osbox setsid /nonexistent; echo $?").out == "127\n");
  CHECK(tests::shell("osbox setpgid 0 /; echo $?").out == "126\n");
}

TEST_CASE("setsid and setpgid: wrong usage") {
  CHECK(osbox({"setsid"}).status == 2);
  CHECK(osbox({"setsid", "--fork", "true"}).status == 2);
  CHECK(osbox({"setpgid"}).status == 2);
  CHECK(osbox({"setpgid", "0"}).status == 2);
  for (const std::string group : {"-1", "-0", "", "x", "1x", " 1", "+1", "99999999999"}) {
    CAPTURE(group);
    const Ran ran = osbox({"setpgid", group, "true"});
    CHECK(ran.status == 2);
    CHECK(ran.err.find("not a process group id; see") != std::string::npos);
  }
}
