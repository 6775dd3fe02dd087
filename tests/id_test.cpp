#include <unistd.h>

#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"

namespace {

/// Runs `script` in a Python that has `ask(applet, ...)`, which runs osbox as its child.
Ran python(const std::string& script, bool nobody = false) {
  const std::string ask =
      "import grp, json, os, pwd, subprocess, sys\n"
      "def ask(*words):\n"
      "  ran = subprocess.run([sys.argv[1], *words], stdout=subprocess.PIPE)\n"
      "  return ran.stdout.decode() if ran.returncode == 0 else 'failed'\n"
      "def user(uid):\n"
      "  try: return pwd.getpwuid(uid).pw_name\n"
      "  except KeyError: return str(uid)\n"
      "def group(gid):\n"
      "  try: return grp.getgrgid(gid).gr_name\n"
      "  except KeyError: return str(gid)\n";
  return tests::run(
      {.words = {"python3", "-c", ask + script, tests::binary()}, .as_nobody = nobody});
}

const std::string compare =
    "print(ask('getuid') == f'{os.getuid()}\\n', ask('geteuid') == f'{os.geteuid()}\\n',\n"
    "      ask('getgid') == f'{os.getgid()}\\n', ask('getegid') == f'{os.getegid()}\\n',\n"
    "      ask('getgroups') == ''.join(f'{g}\\n' for g in os.getgroups()))\n"
    "print(json.loads(ask('getuid', '--json')) == {'uid': os.getuid(), 'user': "
    "user(os.getuid())},\n"
    "      json.loads(ask('geteuid', '--json')) == {'euid': os.geteuid(),\n"
    "                                               'euser': user(os.geteuid())},\n"
    "      json.loads(ask('getgid', '--json')) == {'gid': os.getgid(),\n"
    "                                              'group': group(os.getgid())},\n"
    "      json.loads(ask('getegid', '--json')) == {'egid': os.getegid(),\n"
    "                                               'egroup': group(os.getegid())},\n"
    "      [json.loads(line) for line in ask('getgroups', '--json').splitlines()] ==\n"
    "        [{'gid': g, 'group': group(g)} for g in os.getgroups()])\n"
    "def all_of(pid, users, groups):\n"
    "  return {'pid': pid, 'uid': users[0], 'user': user(users[0]),\n"
    "          'euid': users[1], 'euser': user(users[1]),\n"
    "          'suid': users[2], 'suser': user(users[2]),\n"
    "          'gid': groups[0], 'group': group(groups[0]),\n"
    "          'egid': groups[1], 'egroup': group(groups[1]),\n"
    "          'sgid': groups[2], 'sgroup': group(groups[2]),\n"
    "          'groups': os.getgroups(), 'group_names': [group(g) for g in os.getgroups()]}\n"
    "users, groups = os.getresuid(), os.getresgid()\n"
    "print(json.loads(ask('id', '--json', str(os.getpid()))) ==\n"
    "        all_of(os.getpid(), users, groups),\n"
    // execve makes the saved ids those that are in effect.
    "      json.loads(ask('id', '--json')) ==\n"
    "        all_of(None, users[:2] + users[1:2], groups[:2] + groups[1:2]))\n";
const std::string all_the_same = "True True True True True\nTrue True True True True\nTrue True\n";

}  // namespace

TEST_CASE("the ids are those that Python sees") {
  for (const bool nobody : {false, true}) {
    CAPTURE(nobody);
    const Ran ran = python(compare, nobody);
    CHECK(ran.out == all_the_same);
    CHECK(ran.err.empty());
  }
}

TEST_CASE("real, effective and saved ids are told apart, with and without names") {
  if (tests::disturbed_by_sanitizer()) return;
  if (!tests::is_root()) {
    MESSAGE("not tested: only root can take on other ids");
    return;
  }
  const std::string change =
      "os.setgroups([54321, 3, 0, 5])\n"
      "os.setresgid(1, 54321, 2)\n"
      "os.setresuid(1, 54322, 2)\n";
  CHECK(python(change + compare).out == all_the_same);
  CHECK(
      python(change + "sys.stdout.write(ask('id', str(os.getpid())).partition('\\n')[2])\n").out ==
      "User (real/effective/saved)  : 1(daemon) / 54322 / 2(bin)\n"
      "Group (real/effective/saved) : 1(daemon) / 54321 / 2(bin)\n"
      "Groups                       : 0(root), 3(sys), 5(tty), 54321\n");
  CHECK(python(change + "sys.stdout.write(ask('id'))\n").out ==
        "User (real/effective/saved)  : 1(daemon) / 54322 / 54322\n"
        "Group (real/effective/saved) : 1(daemon) / 54321 / 54321\n"
        "Groups                       : 0(root), 3(sys), 5(tty), 54321\n");
  CHECK(python("os.setgroups([])\nprint(repr(ask('getgroups')), ask('id')[-1:] == '\\n')\n").out ==
        "'' True\n");
}

TEST_CASE("a thousand groups are all there") {
  if (!tests::is_root()) {
    MESSAGE("not tested: only root can take on groups");
    return;
  }
  CHECK(python("os.setgroups(range(100000, 101000))\n"
               "all = list(range(100000, 101000))\n"
               "print(list(map(int, ask('getgroups').split())) == all,\n"
               "      json.loads(ask('id', '--json', str(os.getpid())))['groups'] == all)\n")
            .out == "True True\n");
}

TEST_CASE("id names the process it was asked about") {
  const std::string self = std::to_string(::getpid());
  const Ran ran = osbox({"id", self});
  CHECK(ran.status == 0);
  CHECK(ran.out == "Process                      : " + self + "\n" + osbox({"id"}).out);
  CHECK(osbox({"id", "--shell", "--format", "{pid} {uid}", self}).out ==
        self + " " + std::to_string(::getuid()) + "\n");
  const Ran shell =
      tests::shell("eval \"$(osbox id --shell $$)\"; echo \"$id_pid\" $id_euid; echo $$");
  const auto said = tests::lines(shell.out);
  REQUIRE(said.size() == 2);
  CHECK(said[0] == said[1] + " " + std::to_string(::geteuid()));
}

TEST_CASE("id refuses what is no process, and goes on") {
  const std::string self = std::to_string(::getpid());
  const Ran ran = osbox({"id", "4194305", "abc", "", "-1", "0", "99999999999", self});
  CHECK(ran.status == 1);
  CHECK(ran.out == osbox({"id", self}).out);
  const std::string invalid = ": EINVAL: Invalid argument (not a process id)\n";
  CHECK(ran.err == "id: 4194305: ESRCH: No such process\nid: abc" + invalid + "id: ''" + invalid +
                       "id: -1" + invalid +
                       "id: 0: EINVAL: Invalid argument (not a process id; without any it is the "
                       "caller)\nid: 99999999999" +
                       invalid);
  CHECK(osbox({"id", "--json", "4194305"}).err ==
        "{\"applet\":\"id\",\"call\":\"getresuid\",\"path\":\"4194305\",\"errno\":3,"
        "\"error\":\"ESRCH\",\"message\":\"No such process\"}\n");
}

TEST_CASE("without /proc id knows itself, and for others names /proc") {
  if (tests::disturbed_by_sanitizer()) return;
  const std::vector<std::string> unshare = {"unshare", tests::is_root() ? "-m" : "-Urm"};
  if (tests::run({.words = {unshare[0], unshare[1], "true"}}).status != 0) {
    MESSAGE("not tested: no mount namespace to be had here");
    return;
  }
  const Ran ran = tests::run({.words = {unshare[0], unshare[1], "sh", "-c",
                                        "mount -t tmpfs none /proc; \"$1\" id --format '{euid}'; "
                                        "\"$1\" id $$; echo $?",
                                        "sh", tests::binary()}});
  CHECK(ran.out == "0\n1\n");
  CHECK(ran.err ==
        "id: /proc: open: ENOENT: No such file or directory "
        "(what other processes are is read there)\n");
}

TEST_CASE("the applets of own ids take no operand") {
  for (const std::string applet : {"getuid", "geteuid", "getgid", "getegid", "getgroups"}) {
    CAPTURE(applet);
    CHECK(osbox({applet, "1"}).status == 2);
    CHECK(osbox({applet, "--format", "{nosuch}"}).status == 2);
    CHECK(osbox({applet, "--help"}).out.find("\nOptions:\n") == std::string::npos);
  }
  const std::string uid = std::to_string(::getuid());
  CHECK(osbox({"getuid", "-0"}).out == uid + '\0');
  CHECK(osbox({"getuid", "--format", "<{uid:>12}>"}).out ==
        "<" + std::string(12 - uid.size(), ' ') + uid + ">\n");
}
