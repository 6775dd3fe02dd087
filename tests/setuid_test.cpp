#include <unistd.h>

#include <cerrno>

#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"

namespace {

/// What prints all ids, and is neither a shell, which might give some of them up, nor in a
/// directory that only root can reach.
const Words show = {"grep", "-E", "^(Uid|Gid|Groups):", "/proc/self/status"};

/// Runs osbox with `words`, which becomes `command`.
Ran becoming(const Words& words, const Words& command, bool nobody = false) {
  tests::Command all{.words = {tests::binary()}, .as_nobody = nobody};
  all.words.insert(all.words.end(), words.begin(), words.end());
  all.words.insert(all.words.end(), command.begin(), command.end());
  return tests::run(all);
}

Ran ids_after(const Words& words, bool nobody = false) { return becoming(words, show, nobody); }

/// The ids that a child of Python's has which does `work` first.
std::string python_after(const std::string& work) {
  return tests::python(
      "import os, subprocess, sys\n"
      "def work():\n  " +
          work +
          "\n"
          "subprocess.run(sys.argv[1:], preexec_fn=work)\n",
      show);
}

bool only_root_can() {
  if (tests::is_root()) return false;
  MESSAGE("not tested: only root can take on other ids");
  return true;
}

const Words applets = {"setuid", "seteuid", "setgid", "setegid", "setgroups"};

}  // namespace

TEST_CASE("ids are set as Python's os sets them in a child") {
  if (only_root_can()) return;
  const auto same = [](const Words& words, const std::string& work) {
    CAPTURE(tests::line(words));
    const Ran ran = ids_after(words);
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
    CHECK(ran.out == python_after(work));
  };
  const std::string osbox = tests::binary();
  same({"setuid", "502"}, "os.setuid(502)");
  same({"seteuid", "502"}, "os.seteuid(502)");
  same({"setgid", "502"}, "os.setgid(502)");
  same({"setegid", "502"}, "os.setegid(502)");
  same({"setgroups", "7,100,5"}, "os.setgroups([7, 100, 5])");
  same({"setgroups", "5,5"}, "os.setgroups([5, 5])");
  same({"setgroups", ""}, "os.setgroups([])");
  same({"setgroups", "root,54321", osbox, "setgid", "nogroup", osbox, "setuid", "nobody"},
       "os.setgroups([0, 54321]); os.setgid(65534); os.setuid(65534)");
  same({"setegid", "502", osbox, "seteuid", "502"}, "os.setegid(502); os.seteuid(502)");
}

TEST_CASE("effective ids can be undone, and real ones cannot") {
  if (only_root_can()) return;
  const std::string osbox = tests::binary();
  CHECK(becoming({"seteuid", "502"}, {osbox, "seteuid", "0", osbox, "geteuid"}).out == "0\n");
  CHECK(becoming({"setegid", "502"}, {osbox, "setegid", "0", osbox, "getegid"}).out == "0\n");
  CHECK(becoming({"setegid", "502"},
                 {osbox, "seteuid", "502", osbox, "setegid", "0", osbox, "getegid"})
            .out == "0\n");
  for (const std::string& applet : applets) {
    CAPTURE(applet);
    const Ran ran =
        becoming({"setgid", "502", osbox, "setuid", "502"}, {osbox, applet, "0", "echo", "ran"});
    CHECK(ran.status == 125);
    CHECK(ran.out == "");
    CHECK(ran.err == applet + ": 0: EPERM: Operation not permitted\n");
  }
}

TEST_CASE("process owner before and after, as in the os module's example") {
  if (only_root_can() || tests::disturbed_by_sanitizer()) return;
  const Ran ran = tests::shell("osbox setegid 502 osbox seteuid 502 osbox id --json");
  CHECK(ran.status == 0);
  CHECK(ran.out.find("\"uid\":0,") != std::string::npos);
  CHECK(ran.out.find("\"euid\":502,") != std::string::npos);
  CHECK(ran.out.find("\"gid\":0,") != std::string::npos);
  CHECK(ran.out.find("\"egid\":502,") != std::string::npos);
  const Ran plain = tests::shell("osbox setegid 502 osbox seteuid 502 osbox geteuid");
  CHECK(plain.out == "502\n");
}

TEST_CASE("one's own ids need no privileges") {
  const Words own =
      tests::lines(tests::run({.words = {"sh", "-c", "id -u; id -g"}, .as_nobody = true}).out);
  REQUIRE(own.size() == 2);
  const std::string before = ids_after({"umask", "022"}, true).out;
  CHECK(ids_after({"setuid", own[0]}, true).out == before);
  CHECK(ids_after({"seteuid", own[0]}, true).out == before);
  CHECK(ids_after({"setgid", own[1]}, true).out == before);
  CHECK(ids_after({"setegid", own[1]}, true).out == before);
}

TEST_CASE("other ids need them: EPERM with what was asked for, and nothing runs") {
  for (const std::string& applet : applets) {
    CAPTURE(applet);
    const Ran ran = ids_after({applet, "root"}, true);
    CHECK(ran.status == 125);
    CHECK(ran.out == "");
    CHECK(ran.err == applet + ": root: EPERM: Operation not permitted\n");
    CHECK(ids_after({applet, "--exit-errno", "root"}, true).status == 125);
  }
  CHECK(ids_after({"setgroups", ""}, true).err ==
        "setgroups: '': EPERM: Operation not permitted\n");
}

TEST_CASE("a set-user-id program's own id is given up as a whole") {
  if (only_root_can()) return;
  // Real 502, effective and saved 503: setuid(2) would set the effective one alone.
  const Ran ran = tests::run({.words = {"python3", "-c",
                                        "import os, sys\n"
                                        "os.setresuid(502, 503, 503)\n"
                                        "os.execv(sys.argv[1], ['osbox', 'setuid', '502', 'grep', "
                                        "'Uid:', '/proc/self/status'])\n",
                                        tests::binary()}});
  CHECK(ran.err == "");
  CHECK(ran.out == "Uid:\t502\t502\t502\t502\n");
}

TEST_CASE("what is no id is wrong usage, and nothing runs") {
  for (const std::string& applet : applets) {
    const std::string what = applet == "setuid" || applet == "seteuid" ? "user" : "group";
    for (const std::string id : {"-1", "0x0", " 1", "1abc", "+1", "4294967295", "99999999999",
                                 "no such name", "1 ", "\xff", "-0", "root "}) {
      CAPTURE(applet);
      CAPTURE(id);
      const Ran ran = osbox({applet, id, "echo", "ran"});
      CHECK(ran.status == 2);
      CHECK(ran.out == "");
      CHECK(ran.err.find(": no such " + what + "; see 'osbox " + applet + " --help'\n") !=
            std::string::npos);
    }
    if (applet != "setgroups") CHECK(osbox({applet, "", "echo", "ran"}).status == 2);
    CHECK(osbox({applet}).status == 2);
    CHECK(osbox({applet, "0"}).err ==
          applet + ": missing operand COMMAND (the change is for that alone); see 'osbox " +
              applet + " --help'\n");
  }
  CHECK(osbox({"setuid", "nosuch", "true"}).err ==
        "setuid: USER nosuch: no such user; see 'osbox setuid --help'\n");
  CHECK(osbox({"setgroups", "0,nosuch", "true"}).err ==
        "setgroups: GROUPS 0,nosuch: nosuch: no such group; see 'osbox setgroups --help'\n");
  CHECK(osbox({"setgroups", "0,,1", "true"}).status == 2);
}

TEST_CASE("a command that is not there, or cannot be run, is told as such") {
  const Scratch scratch;
  const std::string uid = std::to_string(::getuid());
  const Ran missing = tests::run({.words = {tests::binary(), "setuid", uid, scratch / "nosuch"}});
  CHECK(missing.status == 127);
  CHECK(missing.err ==
        "setuid: " + scratch / "nosuch" + ": exec: ENOENT: No such file or directory\n");
  CHECK(tests::run({.words = {tests::binary(), "setuid", uid, scratch.file("file", "x")}}).status ==
        126);
}

TEST_CASE("options end at the command, which gets its own") {
  const std::string uid = std::to_string(::getuid());
  CHECK(tests::run({.words = {tests::binary(), "setuid", uid, "echo", "--help", "--", "-x"}}).out ==
        "--help -- -x\n");
  CHECK(tests::run({.words = {tests::binary(), "setuid", "--", uid, "echo", "--", "x"}}).out ==
        "-- x\n");
}
