#include <unistd.h>

#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"

namespace {

/// The ids that exist nowhere: above any that the kernel gives out.
const std::string nobody_has = "4194305";

/// Runs `script` in a shell that has pid namespace, mounts, or both of its own, as `what` says;
/// $1 is osbox. A status of -1: there is no such thing here.
Ran apart(const std::string& what, const std::string& script) {
  const std::string options = "-" + std::string(tests::is_root() ? "" : "Ur") + what;
  if (tests::run({.words = {"unshare", options, "true"}}).status != 0) {
    MESSAGE("not tested: no namespaces to be had here");
    return {.status = -1, .out = {}, .err = {}};
  }
  return tests::run({.words = {"unshare", options, "sh", "-c", script, "sh", tests::binary()}});
}

}  // namespace

TEST_CASE("getpid and its family say of their caller what Python says of itself") {
  const std::string script =
      "import os, subprocess, sys\n"
      "def ask(*words):\n"
      "  ran = subprocess.run([sys.argv[1], *words], stdout=subprocess.PIPE)\n"
      "  return ran.stdout.decode() if ran.returncode == 0 else 'failed'\n"
      "pid, ppid = os.getpid(), os.getppid()\n"
      "pgid, sid, parent = os.getpgid(0), os.getsid(0), os.getpgid(ppid)\n"
      "for own in (), (str(pid),):\n"
      "  print(ask('getpid', *own) == f'{pid}\\n', ask('getppid', *own) == f'{ppid}\\n',\n"
      "        ask('getpgid', *own) == f'{pgid}\\n', ask('getsid', *own) == f'{sid}\\n',\n"
      "        ask('pids', *own) == f'This process id: {pid}\\nParent process : {ppid}\\n'\n"
      "          f'Process group  : {pgid}\\nParent group   : {parent}\\nSession id     : "
      "{sid}\\n')\n"
      "os.setsid() if pgid != pid else None\n"
      "print(ask('getpgid', str(ppid), '1') == f'{parent}\\n{os.getpgid(1)}\\n',\n"
      "      ask('getsid', str(ppid), '1') == f'{os.getsid(ppid)}\\n{os.getsid(1)}\\n',\n"
      "      ask('getsid') == f'{os.getsid(0)}\\n')\n";
  for (const bool nobody : {false, true}) {
    CAPTURE(nobody);
    const Ran ran =
        tests::run({.words = {"python3", "-c", script, tests::binary()}, .as_nobody = nobody});
    CHECK(ran.out == "True True True True True\nTrue True True True True\nTrue True True\n");
    CHECK(ran.err.empty());
  }
}

TEST_CASE("getpid prints a script's $$, in a command substitution as well") {
  for (const std::string sh : {"sh", "bash"}) {
    CAPTURE(sh);
    const auto said = tests::lines(tests::shell("echo $$; osbox getpid; echo $(osbox getpid)\n"
                                                "echo $PPID; osbox getppid; :",
                                                {}, sh)
                                       .out);
    REQUIRE(said.size() == 5);
    CHECK(said[1] == said[0]);
    CHECK(said[2] == said[0]);
    CHECK(said[4] == said[3]);
  }
}

TEST_CASE("an unknown process is ESRCH, and the others are still done") {
  const std::string self = std::to_string(::getpid());
  for (const std::string applet : {"getpid", "getppid", "getpgid", "getsid", "pids"}) {
    CAPTURE(applet);
    const Ran alone = osbox({applet, self});
    CHECK(alone.status == 0);
    const Ran ran = osbox({applet, self, nobody_has, self});
    CHECK(ran.status == 1);
    CHECK(ran.out == alone.out + alone.out);
    CHECK(osbox({applet, "--exit-errno", nobody_has}).status == ESRCH);
  }
  CHECK(osbox({"getpgid", nobody_has}).err == "getpgid: 4194305: ESRCH: No such process\n");
  CHECK(osbox({"getpid", nobody_has}).err == "getpid: 4194305: ESRCH: No such process\n");
  CHECK(osbox({"getppid", nobody_has}).err == "getppid: 4194305: ESRCH: No such process\n");
  CHECK(osbox({"pids", nobody_has}).err == "pids: 4194305: ESRCH: No such process\n");
}

TEST_CASE("what is no process id is EINVAL, and the others are still done") {
  const std::string self = std::to_string(::getpid());
  for (const std::string applet : {"getpid", "getppid", "getpgid", "getsid", "pids"}) {
    const std::string alone = osbox({applet, self}).out;
    for (const std::string pid : {"abc", "", "-1", "0", "1x", " 1", "99999999999"}) {
      CAPTURE(applet);
      CAPTURE(pid);
      const Ran ran = osbox({applet, pid, self});
      CHECK(ran.status == 1);
      CHECK(ran.out == alone);
      CHECK(ran.err.ends_with(std::string(": EINVAL: Invalid argument (not a process id") +
                              (pid == "0" ? "; without any it is the caller)\n" : ")\n")));
    }
  }
  CHECK(osbox({"getsid", ""}).err == "getsid: '': EINVAL: Invalid argument (not a process id)\n");
  CHECK(osbox({"getppid", "--json", "bad\xff"}).err ==
        "{\"applet\":\"getppid\",\"call\":\"getppid\",\"path\":\"bad\\udcff\",\"path_b64\":"
        "\"YmFk/w==\",\"errno\":22,\"error\":\"EINVAL\",\"message\":\"Invalid argument\","
        "\"note\":\"not a process id\"}\n");
}

TEST_CASE("getpid and its family have records") {
  const std::string pid = std::to_string(::getpid());
  const std::string ppid = std::to_string(::getppid());
  const std::string pgid = std::to_string(::getpgid(0));
  const std::string parent = std::to_string(::getpgid(::getppid()));
  const std::string sid = std::to_string(::getsid(0));
  CHECK(osbox({"getpid", "--json"}).out == "{\"pid\":" + ppid + "}\n");
  CHECK(osbox({"getppid", "--json", pid}).out == "{\"pid\":" + pid + ",\"ppid\":" + ppid + "}\n");
  CHECK(osbox({"getpgid", "--shell", pid}).out ==
        "getpgid_pid=" + pid + " getpgid_pgid=" + pgid + "\n");
  CHECK(osbox({"getsid", "--format", "{pid}:{sid}", pid}).out == pid + ":" + sid + "\n");
  CHECK(osbox({"getsid", "-0", pid}).out == sid + '\0');
  CHECK(osbox({"pids", "--json", pid}).out ==
        "{\"pid\":" + pid + ",\"ppid\":" + ppid + ",\"pgid\":" + pgid +
            ",\"parent_pgid\":" + parent + ",\"sid\":" + sid + "}\n");
}

TEST_CASE("without /proc system calls still answer, and what they cannot tell names /proc") {
  if (tests::disturbed_by_sanitizer()) return;
  const Ran ran = apart("m",
                        "mount -t tmpfs none /proc\n"
                        "for pid in '' $$; do\n"
                        "  [ $(\"$1\" getpid $pid) = $$ ] && echo pid\n"
                        "  \"$1\" getpgid $pid >/dev/null && echo pgid\n"
                        "  \"$1\" getsid $pid >/dev/null && echo sid\n"
                        "done\n"
                        "\"$1\" getppid $$; \"$1\" pids; \"$1\" getppid --exit-errno; echo $?\n");
  if (ran.status == -1) return;
  CHECK(ran.out == "pid\npgid\nsid\npid\npgid\nsid\n2\n");
  const std::string missing =
      ": /proc: open: ENOENT: No such file or directory (what other processes are is read there)\n";
  CHECK(ran.err == "getppid" + missing + "pids" + missing + "getppid" + missing);
}

TEST_CASE("a /proc of another pid namespace is not believed") {
  const Ran ran = apart("pf",
                        "\"$1\" getppid $$; \"$1\" pids --exit-errno $$; echo $?; "
                        "\"$1\" getpid $$");
  if (ran.status == -1) return;
  CHECK(ran.out == std::to_string(ENODATA) + "\n1\n");
  const std::string other =
      ": /proc: open: ENODATA: No data available (it shows another pid namespace)\n";
  CHECK(ran.err == "getppid" + other + "pids" + other);
}

TEST_CASE("a caller outside the pid namespace has no id here") {
  const Ran ran = apart("pf", "exec \"$1\" getpid");
  if (ran.status == -1) return;
  CHECK(ran.status == 1);
  CHECK(ran.out.empty());
  CHECK(ran.err ==
        "getpid: getppid: ESRCH: No such process (the caller is outside this pid namespace)\n");
}

TEST_CASE("a process that /proc hides is not said to be gone") {
  if (!tests::is_root()) {
    MESSAGE("not tested: only root can hide a process from another user");
    return;
  }
  const Ran ran = apart("mpf",
                        "mount -t proc -o hidepid=2 proc /proc\n"
                        "setpriv --reuid=65534 --regid=65534 --clear-groups \"$1\" getppid 1\n"
                        "setpriv --reuid=65534 --regid=65534 --clear-groups \"$1\" getppid 77\n"
                        "setpriv --reuid=65534 --regid=65534 --clear-groups \"$1\" id 1\n:");
  if (ran.status == -1) return;
  CHECK(ran.err ==
        "getppid: /proc/1/stat: open: ENOENT: No such file or directory\n"
        "getppid: 77: ESRCH: No such process\n"
        "id: /proc/1/status: open: ENOENT: No such file or directory\n");
}
