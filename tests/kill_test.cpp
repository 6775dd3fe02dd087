#include <sys/syscall.h>

#include <cerrno>
#include <map>
#include <thread>

#include "core/sys/pidfd.hpp"
#include "core/sys/process.hpp"
#include "core/sys/signal_name.hpp"
#include "tests/kill.hpp"

// Whatever might reach more than it should runs where kill is denied, or in a pid namespace.

using tests::binary;
using tests::Child;
using tests::handles;
using tests::joined;
using tests::run;
using tests::Words;

namespace {

/// osbox kill as a process of its own, to which every call is denied that sends a signal: a call
/// that should not have been made is an EPERM, and harms nobody.
Ran harmless(const Words& words) {
  return run({.words = joined({binary()}, words),
              .denied = {{SYS_kill, EPERM},
                         {SYS_tgkill, EPERM},
                         {SYS_tkill, EPERM},
                         {SYS_pidfd_send_signal, EPERM}}});
}

/// What `words` are wrong for, without the words that all such messages have.
std::string wrong(const Words& words) {
  const Ran ran = harmless(words);
  CHECK(ran.status == 2);
  CHECK(ran.out == "");
  const std::string begin = words[0] + ": ";
  const std::string end = "; see 'osbox " + words[0] + " --help'\n";
  CHECK(ran.err.starts_with(begin));
  CHECK(ran.err.ends_with(end));
  if (ran.err.size() < begin.size() + end.size()) return ran.err;
  return ran.err.substr(begin.size(), ran.err.size() - begin.size() - end.size());
}

/// `child` as PID:INODE, `more` added to the latter.
std::string identity(const Child& child, std::uint64_t more = 0) {
  const auto process = core::Process::open({child.pid()});
  REQUIRE(process);
  return child.word() + ":" + std::to_string(*process->inode() + more);
}

/// `script` as the first process of a pid namespace, with osbox as $1 and a /proc of its own; a
/// status of 125 where there is no namespace to be had.
Ran in_namespace(const std::string& script, const std::vector<tests::Denied>& denied = {}) {
  Words unshare = {"unshare", "--pid", "--fork", "--mount-proc", "--kill-child"};
  if (!tests::is_root()) unshare = joined(unshare, {"--user", "--map-root-user"});
  if (run({.words = joined(unshare, {"true"})}).status != 0) {
    MESSAGE("skipped: no pid namespace to be had");
    return {.status = 125, .out = {}, .err = {}};
  }
  return run({.words = joined(unshare, {"sh", "-c", script, "sh", binary()}), .denied = denied});
}

}  // namespace

// ---- one signal

TEST_CASE("kill: the signal is TERM, or whatever is named, however it is written") {
  const Child child({SIGTERM, SIGUSR1, SIGHUP, SIGRTMIN + 1, SIGRTMAX});
  const std::map<int, std::vector<Words>> ways = {
      {SIGTERM, {{}, {"-TERM"}, {"-15"}}},
      {SIGUSR1,
       {{"-USR1"},
        {"-SIGUSR1"},
        {"-usr1"},
        {"-sigusr1"},
        {"-" + std::to_string(SIGUSR1)},
        {"-s", "USR1"},
        {"-sUSR1"},
        {"-s", "SIGUSR1"},
        {"-s", std::to_string(SIGUSR1)},
        {"--signal", "usr1"},
        {"--signal=USR1"}}},
      {SIGHUP, {{"-HUP"}, {"-1"}, {"-s1"}, {"--signal", "1"}}},
      {SIGRTMIN + 1, {{"-RTMIN+1"}, {"-SIGRTMIN+1"}, {"-s", "RTMIN+1"}}},
      {SIGRTMAX, {{"-RTMAX"}, {"-64"}}}};
  for (const auto& [signal, all] : ways) {
    for (const Words& way : all) {
      CAPTURE(tests::line(way));
      const Ran ran = osbox(joined(joined({"kill"}, way), {child.word()}));
      CHECK(ran.status == 0);
      CHECK(ran.out == "");
      CHECK(ran.err == "");
      CHECK(child.next() == signal);
      CHECK(osbox(joined({"kill", child.word()}, way)).status == 0);
      CHECK(child.next() == signal);
      if (way.empty()) continue;
      CHECK(osbox(joined(joined({"kill"}, way), {"--", child.word()})).status == 0);
      CHECK(child.next() == signal);
    }
  }
  CHECK(child.untouched());
}

TEST_CASE("kill: the signals are Python's, and reach a process in the order they were sent") {
  const std::string names =
      tests::python("import signal\nfor s in sorted(signal.valid_signals()): print(int(s))");
  Words numbers = tests::lines(names);
  std::erase_if(numbers, [](const std::string& number) {
    return number == std::to_string(SIGKILL) || number == std::to_string(SIGSTOP);
  });
  std::vector<int> heard;
  for (const std::string& number : numbers) heard.push_back(std::stoi(number));
  const Child child(heard);
  for (const std::string& number : numbers) {
    CAPTURE(number);
    CHECK(osbox({"kill", "-" + number, child.word()}).status == 0);
    CHECK(child.next() == std::stoi(number));
    CHECK(osbox({"kill", "-" + core::signal_name(std::stoi(number)), child.word()}).status == 0);
    CHECK(child.next() == std::stoi(number));
  }
}

TEST_CASE("kill: several processes, and the same one twice") {
  const Child one({SIGUSR1});
  const Child two({SIGUSR1});
  CHECK(osbox({"kill", "-USR1", one.word(), two.word(), one.word()}).status == 0);
  CHECK(one.next() == SIGUSR1);
  CHECK(two.next() == SIGUSR1);
  CHECK(two.untouched());
}

TEST_CASE("kill: -v and records tell of each signal sent") {
  const Child child({SIGUSR1});
  const std::string pid = child.word();
  const auto ran = [&](const Words& format) {
    const Ran made = osbox(joined(joined({"kill", "-USR1"}, format), {pid}));
    CHECK(made.status == 0);
    CHECK(made.err == "");
    CHECK(child.next() == SIGUSR1);
    return made.out;
  };
  const std::string inode =
      tests::newer_calls() ? identity(child).substr(pid.size() + 1) : std::string("null");
  CHECK(ran({"-v"}) == "sent SIGUSR1 to " + pid + "\n");
  CHECK(ran({"-v", "--null"}) == "sent SIGUSR1 to " + pid + std::string(1, '\0'));
  CHECK(ran({"--json"}) == "{\"pid\":" + pid + ",\"inode\":" + inode +
                               ",\"signal\":\"SIGUSR1\",\"outcome\":\"sent\",\"status\":null}\n");
  CHECK(ran({"--format", "{pid} {signal} {outcome}"}) == pid + " SIGUSR1 sent\n");
  CHECK(ran({"--shell"}).starts_with("kill_pid=" + pid + " "));
}

TEST_CASE("kill: signal 0 asks, and reaches nobody") {
  Child child;
  const std::string pid = child.word();
  for (const Words& way : std::vector<Words>{{"-0"}, {"-s", "0"}, {"--signal=0"}}) {
    CAPTURE(tests::line(way));
    CHECK(osbox(joined(joined({"kill"}, way), {pid})).status == 0);
    CHECK(osbox(joined(joined({"kill", "-v"}, way), {pid})).out == pid + " can be signalled\n");
    CHECK(child.untouched());
  }
  CHECK(osbox({"kill", "-0", "--format", "{signal}", pid}).out == "0\n");
  // A zombie is there still.
  ::kill(child.pid(), SIGKILL);
  child.wait_for_zombie();
  CHECK(osbox({"kill", "-0", pid}).status == 0);
  child.reap();
  const Ran gone = osbox({"kill", "-0", pid});
  CHECK(gone.status == 1);
  CHECK(gone.err == "kill: " + pid + ": ESRCH: No such process\n");
  CHECK(osbox({"kill", "-0", "--exit-errno", pid}).status == ESRCH);
}

TEST_CASE("kill: who is not there is told, and the others are done") {
  Child gone;
  const std::string was = gone.word();
  ::kill(gone.pid(), SIGKILL);
  gone.reap();
  const Child child({SIGUSR1});
  const Ran ran = osbox({"kill", "-USR1", "--json", was, child.word(), "2147483647"});
  CHECK(ran.status == 1);
  CHECK(child.next() == SIGUSR1);
  CHECK(tests::lines(ran.out).size() == 1);
  CHECK(ran.err == "{\"applet\":\"kill\",\"call\":\"kill\",\"path\":\"" + was +
                       "\",\"errno\":3,\"error\":\"ESRCH\",\"message\":\"No such process\"}\n"
                       "{\"applet\":\"kill\",\"call\":\"kill\",\"path\":\"2147483647\",\"errno\":3,"
                       "\"error\":\"ESRCH\",\"message\":\"No such process\"}\n");
}

TEST_CASE("kill: what is somebody else's is EPERM, and the others are done") {
  // The first process of a container may be of the same user.
  if (!tests::is_root() && core::credentials(1)->uid == ::getuid()) {
    MESSAGE("skipped: no process of somebody else");
    return;
  }
  const Child child;
  const std::string other = tests::is_root() ? child.word() : "1";
  const Ran ran = run({.words = {"sh", "-c",
                                 "trap 'echo trapped' USR1\n"
                                 "\"$0\" kill -USR1 \"$1\" $$; echo $?\n"
                                 "\"$0\" kill -0 --exit-errno \"$1\"; echo $?\n",
                                 binary(), other},
                       .as_nobody = true});
  CHECK(ran.out == "trapped\n1\n1\n");
  const std::string message = "kill: " + other + ": EPERM: Operation not permitted\n";
  CHECK(ran.err == message + message);
  CHECK(child.untouched());
}

TEST_CASE("kill: the id of a thread is no process, with descriptors and without") {
  for (const std::vector<tests::Denied>& denied :
       std::vector<std::vector<tests::Denied>>{{}, {{SYS_pidfd_open, ENOSYS}}}) {
    const std::string answer = tests::in_child(
        [] {
          std::string text;
          std::thread([&text] {
            text = osbox({"kill", "-0", std::to_string(::gettid())}).err;
            text.erase(0, text.find(": ", 6));
          }).join();
          return text;
        },
        denied);
    CHECK(answer == ": EINVAL: Invalid argument (a thread, not a process)\n");
  }
}

// ---- what nobody meant

TEST_CASE("kill: one operand that is no id, and nobody is signalled") {
  const Child child({SIGUSR1});
  const std::map<std::string, std::string> words = {
      {"abc", "not a process id"},
      {"", "not a process id"},
      {"0", "the caller's group is signalled with --own-group"},
      {"99999999999", "not a process id"},
      {"4294967295", "not a process id"},
      {"2147483648", "not a process id"},
      {"+5", "not a process id"},
      {" 5", "not a process id"},
      {"5 ", "not a process id"},
      {"1:", "not a process id, nor PID:INODE"},
      {":1", "not a process id, nor PID:INODE"},
      {"1:x", "not a process id, nor PID:INODE"},
      {"1:0", "not a process id, nor PID:INODE"},
      {"%1", "not a process id"},
      {"1\n2", "not a process id"},
      {"-5", "groups are signalled with --group"},
      {"-1", "everyone is signalled with --everyone"},
      {"-99999999999", "groups are signalled with --group"},
      {"--", "groups are signalled with --group"}};
  for (const auto& [word, note] : words) {
    CAPTURE(word);
    for (const Words& mode :
         std::vector<Words>{{}, {"-0"}, {"--wait", "1"}, {"--plan", "KILL"}, {"--group"}, {"-v"}}) {
      const Ran ran =
          harmless(joined(joined({"kill"}, mode), {"--", child.word(), word, child.word()}));
      CHECK(ran.status == 1);
      CHECK(ran.out == "");
      CHECK(tests::lines(ran.err).size() == 1);
      CHECK(ran.err.find(": EINVAL: Invalid argument (" + note) != std::string::npos);
    }
    CHECK(harmless({"kill", "--exit-errno", "--", word}).status == EINVAL);
  }
  // Each of them is told.
  const Ran ran = harmless({"kill", "x", child.word(), "0", "y"});
  CHECK(ran.err ==
        "kill: x: EINVAL: Invalid argument (not a process id)\n"
        "kill: 0: EINVAL: Invalid argument (the caller's group is signalled with --own-group)\n"
        "kill: y: EINVAL: Invalid argument (not a process id)\n");
  CHECK(child.untouched());
}

TEST_CASE("kill: an id that --wait took for its own is missing, and that is said") {
  CHECK(osbox({"kill", "--signal=TERM", "--wait", "4194305"}).err ==
        "kill: missing operand PID (--wait takes a DUR of its own, as --wait 5s PID); see 'osbox "
        "kill --help'\n");
  CHECK(osbox({"kill"}).err == "kill: missing operand PID; see 'osbox kill --help'\n");
}

TEST_CASE("kill: no mistake of usage becomes a signal") {
  CHECK(wrong({"kill"}) == "missing operand PID");
  CHECK(wrong({"kill", "-1"}) == "missing operand PID");
  CHECK(wrong({"kill", "-9"}) == "missing operand PID");
  CHECK(wrong({"kill", "-TERM"}) == "missing operand PID");
  CHECK(wrong({"kill", "--"}) == "missing operand PID");
  CHECK(wrong({"kill", "-65", "1"}) == "-65: no such signal");
  CHECK(wrong({"kill", "-32", "1"}) == "-32: no such signal");
  CHECK(wrong({"kill", "-4294967305", "1"}) == "-4294967305: no such signal");
  CHECK(wrong({"kill", "-1234"}) == "-1234: no such signal");
  CHECK(wrong({"kill", "-9x", "1"}) == "-9x: no such signal");
  CHECK(wrong({"kill", "-NOSUCH", "1"}) == "-NOSUCH: no such signal");
  CHECK(wrong({"kill", "-TERM-1"}) == "-TERM-1: no such signal");
  CHECK(wrong({"kill", "-RTMIN+99", "1"}) == "-RTMIN+99: no such signal");
  CHECK(wrong({"kill", "-nosuch", "1"}) == "unknown option -n (use --signal SIG)");
  const std::string second = ": a second signal; groups are signalled with --group";
  CHECK(wrong({"kill", "-9", "-1"}) == "-1" + second);
  CHECK(wrong({"kill", "-9", "-1234"}) == "-1234" + second);
  CHECK(wrong({"kill", "-9", "1", "-1"}) == "-1" + second);
  CHECK(wrong({"kill", "-TERM", "-KILL", "1"}) == "-KILL" + second);
  CHECK(wrong({"kill", "-s", "TERM", "-1"}) == "-1" + second);
  CHECK(wrong({"kill", "-1", "-s", "TERM", "1"}) == "--signal TERM" + second);
  CHECK(wrong({"kill", "-s", "", "1"}) == "--signal '': no such signal");
  CHECK(wrong({"kill", "-s", "-1", "1"}) == "--signal -1: no such signal");
  CHECK(wrong({"kill", "-s"}) == "option --signal needs a value");
  CHECK(wrong({"kill", "--format", "{nothing}", "1"}).starts_with("no field nothing"));
}

TEST_CASE("kill: options that contradict each other signal nobody") {
  CHECK(wrong({"kill", "-9", "--plan", "TERM", "1"}) == "--plan says which signals are sent");
  CHECK(wrong({"kill", "--wait", "1", "--plan", "TERM", "1"}) == "--plan says how long to wait");
  for (const std::string whom : {"--group", "--own-group", "--everyone"}) {
    CHECK(wrong({"kill", whom, "--wait", "1", "1"}) == "only processes can be waited for");
    CHECK(wrong({"kill", whom, "--plan", "TERM:1", "1"}) == "only processes can be waited for");
  }
  CHECK(wrong({"killpg", "--wait", "1", "1"}) == "only processes can be waited for");
  CHECK(wrong({"kill", "--own-group", "1"}) == "--own-group and --everyone go without a PID");
  CHECK(wrong({"kill", "--everyone", "1"}) == "--own-group and --everyone go without a PID");
  CHECK(wrong({"kill", "--group"}) == "missing operand PID");
  CHECK(wrong({"killpg", "-9"}) == "missing operand PID");
  for (const Words& more : std::vector<Words>{{"-9"}, {"--wait", "1"}, {"--plan", "TERM"}}) {
    CHECK(wrong(joined({"kill", "-l"}, more)) == "--list signals nobody");
  }
}

TEST_CASE("kill: a plan that cannot be read, or a span of time, signals nobody") {
  for (const auto& [plan, reason] :
       std::map<std::string, std::string>{{"", "no such signal"},
                                          {",", "no such signal"},
                                          {"TERM,", "no such signal"},
                                          {",TERM", "no such signal"},
                                          {":5s", "no such signal"},
                                          {"TERM:5s,,KILL", "no such signal"},
                                          {"TERM 5s", "no such signal"},
                                          {"TERM;KILL", "no such signal"},
                                          {"65:5s", "no such signal"},
                                          {"-1", "no such signal"},
                                          {"TERM:", "not a span of time"},
                                          {"TERM:x", "not a span of time"},
                                          {"TERM:-1", "not a span of time"},
                                          {"TERM:5s:KILL", "not a span of time"}}) {
    CAPTURE(plan);
    CHECK(wrong({"kill", "--plan", plan, "1"}).find(reason) != std::string::npos);
  }
  for (const std::string span : {"", "x", "-1", "1w", "1e3", "inf", "1 s"}) {
    CHECK(wrong({"kill", "--wait", span, "1"}).find("not a span of time") != std::string::npos);
  }
}

TEST_CASE("kill: numbers that mean everyone to kill(2) reach nobody") {
  const Ran ran = in_namespace(
      "setsid sleep 1000 >/dev/null 2>&1 & b=$!; sleep 1000 >/dev/null 2>&1 & c=$!\n"
      "try() { \"$@\" >/dev/null 2>&1; printf '%s ' $?; kill -0 $b && kill -0 $c || echo dead; }\n"
      "try \"$1\" kill -1; try \"$1\" kill -9 -1; try \"$1\" kill -- -1; try \"$1\" kill -9 -- -1\n"
      "try \"$1\" kill -s KILL -- -1; try \"$1\" kill -65 1; try \"$1\" kill 0; try \"$1\" kill "
      "''\n"
      "try \"$1\" kill -9 -- -2147483648; try \"$1\" kill 4294967295; try \"$1\" kill abc\n"
      "try \"$1\" kill --group -KILL 1; try \"$1\" kill --group -KILL 0\n"
      "try \"$1\" killpg -KILL 1; try \"$1\" killpg -KILL -- -1; try \"$1\" killpg -KILL 1:1\n"
      "kill $b $c");
  if (ran.status == 125) return;
  CHECK(ran.out == "2 2 1 1 1 2 1 1 1 1 1 1 1 1 1 1 ");
}

TEST_CASE("kill: without descriptors the number of group 1 reaches nobody either") {
  for (const long call : {SYS_pidfd_open, SYS_pidfd_send_signal}) {
    const Ran ran = in_namespace(
        "setsid sleep 1000 >/dev/null 2>&1 & b=$!\n"
        "\"$1\" kill --group -KILL 1; echo $?; \"$1\" killpg -KILL 1 2>/dev/null; echo $?\n"
        "kill -0 $b && echo alive; kill $b",
        {{call, ENOSYS}});
    if (ran.status == 125) return;
    CHECK(ran.out == "1\n1\nalive\n");
    CHECK(ran.err.starts_with("kill: 1: "));
    CHECK(
        ran.err.ends_with(": ENOSYS: Function not implemented (this kernel has no handles for "
                          "processes)\n"));
  }
}

// ---- PID:INODE

TEST_CASE("kill: PID:INODE is that process, and another's inode is ESRCH in every mode") {
  if (!handles()) return;
  const Child child({SIGUSR1}, {}, [] { ::setpgid(0, 0); });
  const std::string right = identity(child);
  const std::string other = identity(child, 1);
  for (const Words& mode : std::vector<Words>{{"-USR1"},
                                              {"-USR1", "--group"},
                                              {"-USR1", "--wait", "0"},
                                              {"--plan", "USR1"},
                                              {"--plan", "USR1:0"}}) {
    CAPTURE(tests::line(mode));
    for (const Words& format : std::vector<Words>{{}, {"-v"}, {"--json"}}) {
      const Ran ran = osbox(joined(joined(joined({"kill"}, mode), format), {other}));
      CHECK(ran.status == 1);
      CHECK(ran.out == "");
      CHECK(ran.err.find("ESRCH") != std::string::npos);
      CHECK(ran.err.find("another process has this number now") != std::string::npos);
    }
    CHECK(child.untouched());
    const Ran ran = osbox(joined(joined({"kill"}, mode), {right}));
    if (ran.err.find("ENOSYS") != std::string::npos) continue;  // a group before Linux 6.9
    CHECK(child.next() == SIGUSR1);
    CHECK(ran.status == (ran.err.empty() ? 0 : 1));
  }
  CHECK(osbox({"kill", "-0", right}).status == 0);
  CHECK(osbox({"kill", "-0", other}).err == "kill: " + other +
                                                ": ESRCH: No such process (another process has "
                                                "this number now)\n");
}

TEST_CASE("kill: a number that another process has got is not signalled") {
  if (!handles()) return;
  const Ran ran = in_namespace(
      "sleep 1000 >/dev/null 2>&1 & p=$!\n"
      "i=$(\"$1\" kill -0 --format '{pid}:{inode}' $p)\n"
      "\"$1\" kill -KILL $i; wait $p 2>/dev/null\n"
      "echo $((p - 1)) 2>/dev/null >/proc/sys/kernel/ns_last_pid || exit 125\n"
      "sleep 1000 >/dev/null 2>&1 & q=$!\n"
      "[ $p = $q ] || exit 125\n"
      "for how in -KILL '--wait 1' '--plan KILL:1'; do \"$1\" kill $how $i; echo $?; done\n"
      "kill -0 $q && echo alive\n"
      "\"$1\" kill -KILL $p && wait $q 2>/dev/null; echo $?");
  if (ran.status == 125) {
    MESSAGE("skipped: no number can be had again");
    return;
  }
  CHECK(ran.out == "1\n1\n1\nalive\n137\n");
  const Words errors = tests::lines(ran.err);
  REQUIRE(errors.size() >= 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(errors[i].ends_with(": ESRCH: No such process (another process has this number now)"));
  }
}

TEST_CASE("kill: without descriptors a number is signalled as kill(2) does it, and no more") {
  const Child child({SIGUSR1}, {}, [] { ::setpgid(0, 0); });
  for (const int error : {ENOSYS, EPERM}) {
    const auto denied = [&](const Words& words) {
      return run({.words = joined({binary(), "kill"}, words), .denied = {{SYS_pidfd_open, error}}});
    };
    const Ran ran = denied({"-USR1", "-v", child.word()});
    CHECK(ran.status == 0);
    CHECK(ran.out == "sent SIGUSR1 to " + child.word() + "\n");
    CHECK(child.next() == SIGUSR1);
    CHECK(denied({"-USR1", "--group", child.word()}).status == 0);
    CHECK(child.next() == SIGUSR1);
    CHECK(denied({"-0", "2147483647"}).err == "kill: 2147483647: ESRCH: No such process\n");
    for (const Words& words : std::vector<Words>{{"-USR1", child.word() + ":1"},
                                                 {"-USR1", "--group", child.word() + ":1"},
                                                 {"-USR1", "--wait", "1", child.word()},
                                                 {"--plan", "USR1:1s", child.word()}}) {
      CAPTURE(tests::line(words));
      const Ran refused = denied(words);
      CHECK(refused.status == 1);
      CHECK(refused.err == "kill: " + words.back() +
                               ": pidfd_open: ENOSYS: Function not implemented (this kernel has "
                               "no handles for processes)\n");
    }
    CHECK(child.untouched());
  }
}

// ---- groups

TEST_CASE("killpg --help says that its operands are process groups") {
  CHECK(osbox({"killpg", "--help"}).out.find("with --group, as in killpg, of a") !=
        std::string::npos);
}

TEST_CASE("kill: --group reaches the group of a leader, and killpg is that") {
  for (const Words& how : std::vector<Words>{{"kill", "--group"}, {"killpg"}}) {
    Child leader({SIGUSR1}, {}, [] { ::setpgid(0, 0); });
    const pid_t group = leader.pid();
    const std::string word = leader.word();
    const Child member({SIGUSR1}, {}, [group] { ::setpgid(0, group); });
    const Child other({SIGUSR1});
    const Ran ran = osbox(joined(how, {"-v", "-USR1", word}));
    CHECK(ran.status == 0);
    CHECK(ran.out == "sent SIGUSR1 to group " + word + "\n");
    CHECK(leader.next() == SIGUSR1);
    CHECK(member.next() == SIGUSR1);
    CHECK(other.untouched());
    // A member is no leader.
    const Ran no = osbox(joined(how, {"-USR1", member.word()}));
    CHECK(no.status == 1);
    CHECK(no.err.ends_with("ESRCH: No such process\n"));
    CHECK(member.untouched());
    // A leader that is gone leaves its number to the group.
    const std::string id = tests::newer_calls() ? identity(leader) : "";
    ::kill(group, SIGKILL);
    leader.reap();
    CHECK(osbox(joined(how, {"-USR1", word})).status == 0);
    CHECK(member.next() == SIGUSR1);
    if (id.empty()) continue;
    CHECK(osbox(joined(how, {"--exit-errno", "-USR1", id})).status == ESRCH);
    CHECK(member.untouched());
  }
}

TEST_CASE("kill: without PIDFD_SIGNAL_PROCESS_GROUP a group is signalled by its number alone") {
  if (!handles()) return;
  const Child leader({SIGUSR1}, {}, [] { ::setpgid(0, 0); });
  const auto denied = [&](const std::string& word) {
    return run({.words = {binary(), "killpg", "-USR1", word},
                .denied = {{SYS_pidfd_send_signal, ENOSYS}}});
  };
  CHECK(denied(leader.word()).status == 0);
  CHECK(leader.next() == SIGUSR1);
  const Ran refused = denied(identity(leader));
  CHECK(refused.status == 1);
  CHECK(refused.err.find(": ENOSYS: ") != std::string::npos);
  CHECK(leader.untouched());
}

TEST_CASE("kill: a group that osbox itself is in") {
  const std::string script =
      "setsid -w sh -c '\n"
      "  trap \"echo trapped\" USR1\n"
      "  sleep 1000 >/dev/null 2>&1 & p=$!\n"
      // Before, it has the trap of the shell, and forgets what it caught.
      "  until grep -qx sleep /proc/$p/comm; do :; done\n"
      "  \"$0\" kill --own-group -USR1 -v\n"
      "  wait $p; echo $?\n"
      "  \"$0\" killpg -USR1 --format \"{outcome}\" $$\n"
      "  \"$0\" kill --own-group -0 --json | sed s/$$/PGID/\n"
      "  \"$0\" killpg --own-group -URG -v | sed s/$$/PGID/' \"$1\"; :";
  const Ran ran = in_namespace(script);
  if (ran.status == 125) return;
  Words lines = tests::lines(ran.out);
  REQUIRE(lines.size() == 7);
  CHECK(lines[0].starts_with("sent SIGUSR1 to own group "));
  lines.erase(lines.begin());
  CHECK(lines == Words{"trapped", "138", "sent", "trapped",
                       "{\"pid\":PGID,\"inode\":null,\"signal\":\"0\",\"outcome\":\"sent\","
                       "\"status\":null}",
                       "sent SIGURG to own group PGID"});
}

TEST_CASE("kill: KILL for the own group is for osbox as well") {
  const Ran ran = in_namespace("setsid -w \"$1\" kill --own-group -KILL -v; echo $?");
  if (ran.status == 125) return;
  CHECK(ran.out == "137\n");
}

TEST_CASE("kill: --everyone is everyone but osbox and the first process") {
  const Ran ran = in_namespace(
      "setsid sleep 1000 >/dev/null 2>&1 & b=$!; sleep 1000 >/dev/null 2>&1 & c=$!\n"
      "\"$1\" kill --everyone -0 -v; \"$1\" kill --everyone -KILL --json; echo $?\n"
      "wait $b; echo $?; wait $c; echo $?\n"
      "\"$1\" kill --everyone; echo $?");
  if (ran.status == 125) return;
  CHECK(ran.out ==
        "everyone can be signalled\n"
        "{\"pid\":null,\"inode\":null,\"signal\":\"SIGKILL\",\"outcome\":\"sent\","
        "\"status\":null}\n0\n137\n137\n1\n");
  CHECK(ran.err.ends_with("kill: ESRCH: No such process\n"));
}

// ---- --list

TEST_CASE("kill: -l tells names by number, and numbers by name") {
  const auto list = [](const Words& words) { return osbox(joined({"kill", "-l"}, words)); };
  CHECK(list({"9"}).out == "KILL\n");
  CHECK(list({"TERM"}).out == "15\n");
  CHECK(list({"sigterm", "SIGUSR1", "137", "35", "RTMIN+1", "RTMAX", "64", "143"}).out ==
        "15\n10\nKILL\nRTMIN+1\n35\n64\nRTMAX\nTERM\n");
  for (const std::string word :
       {"0", "65", "32", "128", "193", "x", "", "SIG", "9x", "99999999999", "RTMIN+99", "1:2"}) {
    CAPTURE(word);
    const Ran ran = list({word, "9"});
    CHECK(ran.status == 1);
    CHECK(ran.out == "KILL\n");
    CHECK(ran.err.ends_with(": EINVAL: Invalid argument (no such signal)\n"));
  }
  CHECK(list({"--", "-9"}).err == "kill: -9: EINVAL: Invalid argument (no such signal)\n");
  CHECK(osbox({"kill", "--list", "9"}).out == "KILL\n");
  CHECK(osbox({"killpg", "-l", "9"}).out == "KILL\n");
  CHECK(list({"--json", "KILL", "9"}).out ==
        "{\"number\":9,\"signal\":\"SIGKILL\",\"message\":\"Killed\"}\n"
        "{\"number\":9,\"signal\":\"SIGKILL\",\"message\":\"Killed\"}\n");
}

TEST_CASE("kill: -l alone lists what Python knows, and the real-time signals between") {
  const Words lines = tests::lines(osbox({"kill", "-l"}).out);
  CHECK(lines.front() == " 1 HUP     Hangup");
  CHECK(lines.back() == "64 RTMAX");
  const std::string records = osbox({"kill", "-l", "--json"}).out;
  CHECK(tests::python(R"(
import json, signal, sys
records = [json.loads(line) for line in sys.argv[1].splitlines()]
assert [r['number'] for r in records] == sorted(signal.valid_signals())
for record in records:
    number = record['number']
    if signal.SIGRTMIN < number < signal.SIGRTMAX:
        assert record['signal'] == 'SIGRTMIN+%d' % (number - signal.SIGRTMIN)
        assert record['message'] is None
    else:
        assert getattr(signal, record['signal']) == number
        assert record['message'] in (None, signal.strsignal(number))
print(len(records))
)",
                      {records}) == std::to_string(lines.size()) + "\n");
}

TEST_CASE("kill: a list that is lost is told") {
  const Ran full = run({.words = {binary(), "kill", "-l"}, .output_file = "/dev/full"});
  CHECK(full.status == 1);
  CHECK(full.err == "kill: stdout: write: ENOSPC: No space left on device\n");
}

TEST_CASE("kill: what cannot be told is done all the same, and the loss is told") {
  const Child child({SIGUSR1});
  tests::Command command{.words = {binary(), "kill", "-v", "-USR1", child.word()},
                         .output_file = "/dev/full"};
  const Ran full = run(command);
  CHECK(full.status == 1);
  CHECK(full.err == "kill: stdout: write: ENOSPC: No space left on device\n");
  CHECK(child.next() == SIGUSR1);
  command.words = {binary(), "kill", "-USR1", child.word()};
  CHECK(run(command).status == 0);
  CHECK(child.next() == SIGUSR1);
}

// ---- as on the page of the os module

TEST_CASE("kill: USR1 to a child that has a handler, as os.kill sends it") {
  const std::string script = R"(
import os, signal, subprocess, sys, time

def signal_usr1(signum, frame):
    print('Received USR1 in process %s' % (os.getpid() == child_pid and 'child' or 'parent'))
    sys.stdout.flush()
    os._exit(0)

ready, told = os.pipe()
child_pid = os.fork()
if child_pid == 0:
    child_pid = os.getpid()
    signal.signal(signal.SIGUSR1, signal_usr1)
    os.write(told, b'x')
    time.sleep(60)
    os._exit(1)
os.read(ready, 1)
print('PARENT: Signaling child')
sys.stdout.flush()
if sys.argv[1] == 'osbox':
    subprocess.run([sys.argv[2], 'kill', '-USR1', str(child_pid)], check=True)
else:
    os.kill(child_pid, signal.SIGUSR1)
print(os.waitpid(child_pid, 0)[1])
)";
  const std::string expected = tests::python(script, {"os"});
  CHECK(expected == "PARENT: Signaling child\nReceived USR1 in process child\n0\n");
  CHECK(tests::python(script, {"osbox", binary()}) == expected);
}
