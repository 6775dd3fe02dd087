#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "core/sys/job.hpp"
#include "tests/harness.hpp"
#include "tests/injection.hpp"
#include "tests/sanitizer.hpp"
#include "tests/stranger.hpp"

using tests::binary;
using tests::once_osbox;
using tests::Stranger;

namespace {

const std::string nobody_has = "4194305";
constexpr pid_t gone = 4194305;

/// A job whose process is gone, with its record in a directory of this test alone.
struct GoneJob {
  Scratch scratch;
  tests::RuntimeDirectory runtime{scratch.path()};

  explicit GoneJob(int word, std::uint64_t inode = 77) {
    using namespace std::chrono_literals;
    const auto directory = core::JobDirectory::make();
    REQUIRE(directory);
    core::Job job{.id = {gone, inode}, .owner = {1, 1}};
    job.end = core::Job::End{.status = core::WaitStatus(word),
                             .usage = {.user = 1234567us, .system = 42ms, .max_rss = 2048},
                             .wall = 61s};
    REQUIRE(directory->put(job));
  }
};

/// The value of `key` in a line of JSON.
std::string member(const std::string& json, const std::string& key) {
  const std::size_t at = json.find("\"" + key + "\":");
  if (at == json.npos) return "missing";
  const std::string rest = json.substr(at + key.size() + 3);
  return rest.substr(0, rest.find_first_of(",}"));
}

}  // namespace

TEST_CASE("waitpid of a shell's child says what os.waitpid says of one like it") {
  const struct {
    const char* work;
    const char* said;
  } cases[] = {{"exit 0", "exited 0"},
               {"exit 42", "exited 42"},
               {"exit 255", "exited 255"},
               {"kill -9 $$", "killed SIGKILL"},
               {"ulimit -c 0; kill -SEGV $$", "killed SIGSEGV"},
               {"kill -TERM $$", "killed SIGTERM"}};
  for (const auto& [work, said] : cases) {
    CAPTURE(work);
    const std::string word = tests::python(
        "import os, sys\n"
        "pid = os.spawnlp(os.P_NOWAIT, 'sh', 'sh', '-c', sys.argv[1])\n"
        "print(os.waitpid(pid, 0)[1], end='')\n",
        {work});
    const Ran ran =
        tests::shell("sh -c \"$1\" & echo $!; exec osbox waitpid $!", {once_osbox + work});
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
    const auto lines = tests::lines(ran.out);
    REQUIRE(lines.size() == 2);
    CHECK(lines[1] == lines[0] + " " + word + " " + said);
  }
}

TEST_CASE("waitpid says that a core was dumped") {
  const GoneJob job(SIGABRT | 0x80);
  CHECK(osbox({"waitpid", "--peek", nobody_has}).out ==
        nobody_has + " 134 killed SIGABRT (core dumped)\n");
  const std::string json = osbox({"waitpid", "--json", nobody_has}).out;
  CHECK(member(json, "core") == "true");
  CHECK(member(json, "signal") == "\"SIGABRT\"");
  CHECK(member(json, "exit_code") == "null");
}

TEST_CASE("waitpid --rusage, and wait4, say what a process used, where that is known") {
  const GoneJob job(256);
  const std::string line =
      nobody_has + " 256 exited 1, wall 61.000s, user 1.234s, system 0.042s, memory 2048 KiB\n";
  CHECK(osbox({"waitpid", "--peek", "--rusage", nobody_has}).out == line);
  CHECK(osbox({"wait4", "--peek", nobody_has}).out == line);
  CHECK(osbox({"waitpid", "--peek", nobody_has}).out == nobody_has + " 256 exited 1\n");
  CHECK(osbox({"wait4", "--json", nobody_has + ":77"}).out ==
        "{\"pid\":4194305,\"inode\":77,\"status\":256,\"exit_code\":1,\"signal\":null,"
        "\"core\":false,\"timed_out\":false,\"source\":\"record\",\"wall_us\":61000000,"
        "\"user_us\":1234567,\"system_us\":42000,\"max_rss_kib\":2048,\"minor_faults\":0,"
        "\"major_faults\":0,\"blocks_in\":0,\"blocks_out\":0,\"voluntary_switches\":0,"
        "\"involuntary_switches\":0}\n");
  if (!tests::kernel_keeps_status()) return;
  Stranger stranger([] { ::_exit(3); }, Stranger::Reaped::when_told);
  stranger.end_and_stay();
  CHECK(osbox({"wait4", stranger.text()}).out ==
        stranger.text() + " 768 exited 3, usage unknown\n");
}

TEST_CASE("waitpid takes a record away, but for --peek, and then nothing is known any more") {
  const GoneJob job(0);
  const std::string line = nobody_has + " 0 exited 0\n";
  CHECK(osbox({"waitpid", "--peek", nobody_has, nobody_has, nobody_has + ":77"}).out == line);
  CHECK(osbox({"waitpid", nobody_has}).out == line);
  const Ran again = osbox({"waitpid", nobody_has});
  CHECK(again.status == 1);
  CHECK(again.out == "");
  CHECK(again.err ==
        "waitpid: 4194305: ESRCH: No such process (nor a record of it; what spawn --nowait did not "
        "start is waited for before it ends)\n");
  CHECK(osbox({"waitpid", "4194305:7"}).err ==
        "waitpid: 4194305:7: ESRCH: No such process (nor a record of it: it was read before, or "
        "XDG_RUNTIME_DIR was another)\n");
  CHECK(osbox({"waitpid", "--exit-errno", nobody_has}).status == ESRCH);
}

TEST_CASE("waitpid tells of a record that cannot be read, and not that there is none") {
  const GoneJob job(0);
  const tests::Command command{.words = {binary(), "waitpid", "--peek", nobody_has + ":77"}};
  for (const long call : {SYS_openat, SYS_read}) {
    const auto failure = tests::last_of(tests::watch(command), {call}, EIO);
    const auto watched = tests::watch(command, {failure});
    CHECK(watched.injected == 1);
    CHECK(watched.ran.status == 1);
    CHECK(watched.ran.out == "");
    CHECK(watched.ran.err == "waitpid: " + nobody_has + ":77: EIO: Input/output error\n");
  }
}

TEST_CASE("waitpid of what is no process id is EINVAL, and the others are done") {
  const GoneJob job(0);
  for (const std::string pid : {"abc", "", "0", "-1", "1x", " 1", "99999999999", "1:", "1:x", "1:0",
                                "1:-1", ":1", "1:2:3", "1:99999999999999999999"}) {
    CAPTURE(pid);
    const Ran ran = osbox({"waitpid", "--peek", "--", pid, nobody_has});
    CHECK(ran.status == 1);
    CHECK(ran.out == nobody_has + " 0 exited 0\n");
    CHECK(ran.err.find(": EINVAL: Invalid argument (not a process id") != std::string::npos);
  }
  CHECK(osbox({"waitpid", "-1"}).status == 1);
  CHECK(osbox({"waitpid", "0"}).err ==
        "waitpid: 0: EINVAL: Invalid argument (not a process id, which is 1 or more; osbox wait "
        "takes "
        "any child)\n");
  CHECK(osbox({"waitpid"}).status == 2);
}

TEST_CASE("waitpid waits once for a process that is named twice") {
  const Ran ran =
      tests::shell("sh -c '" + once_osbox +
                   "exit 42' & exec osbox waitpid --timeout 100 --format '{status}' $! $! $!");
  CHECK(ran.status == 0);
  CHECK(ran.out == "10752\n");
  CHECK(ran.err == "");
  const GoneJob job(9);
  CHECK(osbox({"waitpid", nobody_has, nobody_has}).out == nobody_has + " 9 killed SIGKILL\n");
}

TEST_CASE("waitpid of another process of that number is ESRCH") {
  if (!tests::needs_kept_status()) return;
  const Ran ran = osbox({"waitpid", "--timeout", "0", std::to_string(::getppid()) + ":1"});
  CHECK(ran.status == 1);
  CHECK(ran.err == "waitpid: " + std::to_string(::getppid()) +
                       ":1: ESRCH: No such process (another process has this number now)\n");
}

TEST_CASE("waitpid --timeout and --nohang end with 124 where something runs still") {
  if (!tests::needs_kept_status()) return;
  const GoneJob job(0);
  const Stranger one([] {});
  const Stranger two([] {});
  const std::string line = nobody_has + " 0 exited 0\n";
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"waitpid", "--peek"});
    words.insert(words.end(), {one.text(), nobody_has, one.text(), two.text()});
    return osbox(words);
  };
  const std::string still = ": ETIMEDOUT: Connection timed out (still running)\n";
  for (const std::string span : {"0", "0.01s", "10ms"}) {
    CAPTURE(span);
    const Ran ran = run({"--timeout", span});
    CHECK(ran.status == 124);
    CHECK(ran.out == line);
    CHECK(ran.err == "waitpid: " + one.text() + still + "waitpid: " + two.text() + still);
  }
  CHECK(run({"--timeout=0", "--exit-errno"}).status == 124);
  const Ran quiet = run({"--nohang"});
  CHECK(quiet.status == 124);
  CHECK(quiet.out == line);
  CHECK(quiet.err == "");
  // It tells of what failed, too, and that something runs weighs more.
  CHECK(run({"--nohang", "abc"}).status == 124);
  CHECK(run({"--timeout", "0", "abc"}).status == 124);
  CHECK(osbox({"waitpid", "--nohang", "--peek", nobody_has}).status == 0);
  CHECK(osbox({"waitpid", "--timeout", "0", "--peek", nobody_has}).status == 0);

  CHECK(osbox({"waitpid", "--nohang", "--timeout", "1", "1"}).status == 2);
  for (const std::string span : {"", "-1", "1x", "soon"}) {
    CAPTURE(span);
    CHECK(osbox({"waitpid", "--timeout", span, "1"}).status == 2);
  }
}

TEST_CASE("waitpid --mirror exits as the process did") {
  for (const auto& [word, status] :
       {std::pair{0, 0}, {42 << 8, 42}, {SIGKILL, 137}, {SIGSEGV | 0x80, 139}, {124 << 8, 124}}) {
    CAPTURE(word);
    const GoneJob job(word);
    CHECK(osbox({"waitpid", "--mirror", nobody_has}).status == status);
  }
  CHECK(tests::shell("sh -c '" + once_osbox + "exit 7' & exec osbox waitpid --mirror $!").status ==
        7);
  CHECK(osbox({"waitpid", "--mirror", "abc"}).status == 125);
  CHECK(osbox({"waitpid", "--mirror", "1", "2"}).status == 2);
  CHECK(osbox({"waitpid", "--mirror", nobody_has}).status == 125);
  if (!tests::kernel_keeps_status()) return;
  const Stranger stranger([] {});
  CHECK(osbox({"waitpid", "--mirror", "--nohang", stranger.text()}).status == 124);
}

TEST_CASE("waitpid has the status of many children of somebody else, whoever asks") {
  if (!tests::needs_kept_status()) return;
  const std::string count = tests::is_long() ? "300" : "60";
  for (const bool nobody : {false, true}) {
    if (nobody && !tests::is_root()) continue;
    CAPTURE(nobody);
    // Python waits for them when osbox does already, and what it is told has to be the same.
    const std::string script =
        "import os, subprocess, sys, time\n"
        "read, write = os.pipe()\n"
        "pids = []\n"
        "for i in range(int(sys.argv[3])):\n"
        "  pid = os.fork()\n"
        "  if pid == 0:\n"
        "    os.close(write)\n"
        "    os.read(read, 1)\n"
        "    if i % 7 == 0: os.kill(os.getpid(), 9)\n"
        "    os._exit(i % 251)\n"
        "  pids.append(pid)\n"
        "words = [sys.argv[1], 'waitpid', '--format', '{pid} {status}', *map(str, pids)]\n"
        "user = 65534 if sys.argv[2] == 'True' and os.geteuid() == 0 else None\n"
        "osbox = subprocess.Popen(words, stdout=-1, pass_fds=(), user=user)\n"
        "def descriptors():\n"
        "  try: return len(os.listdir(f'/proc/{osbox.pid}/fd'))\n"
        "  except OSError: return 0\n"
        "while descriptors() < len(pids) and osbox.poll() is None: time.sleep(0.001)\n"
        "os.close(write)\n"
        "told = {os.waitpid(pid, 0) for pid in pids}\n"
        "said = {tuple(map(int, line.split())) for line in osbox.communicate()[0].splitlines()}\n"
        "print(told == said, len(said), osbox.returncode)\n";
    CHECK(tests::python(script, {binary(), nobody ? "True" : "False", count}) ==
          "True " + count + " 0\n");
  }
}

TEST_CASE("waitpid prints each as it ends, and before it waits for the next") {
  if (!tests::needs_kept_status()) return;
  // The second ends only when what was said of the first has arrived.
  const Scratch scratch;
  const std::string said = scratch.fifo("said");
  const std::string first = scratch.fifo("first");
  const std::string second = scratch.fifo("second");
  const Ran ran = tests::shell(
      "sh -c 'read x <\"$1\"; exit 5' sh \"$2\" & one=$!\n"
      "sh -c 'read x <\"$1\"; exit 6' sh \"$3\" & two=$!\n"
      "osbox waitpid --format '{exit_code}' $two $one >\"$1\" &\n"
      // The shell may wait for the first as soon as it has ended.
      "{ until [ \"$(ls -l /proc/$!/fd | grep -c pidfd)\" -ge 2 ]; do sleep .01; done\n"
      "echo >\"$2\"; read a; echo >\"$3\"; read b; echo $a $b; } <\"$1\"\n"
      "wait",
      {said, first, second});
  CHECK(ran.out == "5 6\n");
}

TEST_CASE("waitpid without /proc waits for who reaps the process") {
  if (!tests::needs_kept_status() || tests::disturbed_by_sanitizer()) return;
  const std::string options = "-" + std::string(tests::is_root() ? "" : "Ur") + "m";
  if (tests::run({.words = {"unshare", options, "true"}}).status != 0) {
    MESSAGE("not tested: no namespaces to be had here");
    return;
  }
  Stranger stranger([] { ::_exit(42); }, Stranger::Reaped::when_told);
  stranger.end_and_stay();
  const auto run = [&](const std::string& then) {
    return tests::run(
        {.words = {"unshare", options, "sh", "-c", "mount -t tmpfs none /proc && " + then, "sh",
                   binary(), stranger.text()}});
  };
  const Ran early = run("exec \"$1\" waitpid --timeout 0.05s $2");
  CHECK(early.status == 124);
  CHECK(early.out == "");
  // A child has no need of it.
  CHECK(run("{ sh -c 'sleep .5; exit 7' & exec \"$1\" waitpid --mirror $!; }").status == 7);
  // Somebody waits for it some time after osbox has begun to.
  const Scratch scratch;
  const std::string fifo = scratch.fifo("fifo");
  const pid_t reaper = ::fork();
  REQUIRE(reaper >= 0);
  if (reaper == 0) {
    std::ifstream wait_for_it(fifo);
    ::usleep(100'000);
    stranger.reap();
    ::_exit(0);
  }
  const Ran late = tests::run(
      {.words = {"unshare", options, "sh", "-c",
                 "mount -t tmpfs none /proc && : >\"$3\" && exec \"$1\" waitpid --json $2", "sh",
                 binary(), stranger.text(), fifo}});
  ::waitpid(reaper, nullptr, 0);
  CHECK(member(late.out, "source") == "\"pidfd\"");
  CHECK(member(late.out, "status") == "10752");
}

TEST_CASE("waitpid gives way step by step where newer calls are not offered") {
  const auto own = [](const std::vector<tests::Denied>& denied) {
    return tests::run(
        {.words = {"sh", "-c", "sh -c '" + once_osbox + "exit 42' & exec \"$1\" waitpid --json $!",
                   "sh", binary()},
         .denied = denied});
  };
  for (const std::vector<tests::Denied>& denied : std::vector<std::vector<tests::Denied>>{
           {}, {{434, ENOSYS}}, {{434, EPERM}}, {{SYS_waitid, ENOSYS}}, {{SYS_ioctl, ENOTTY}}}) {
    const Ran ran = own(denied);
    CHECK(ran.err == "");
    CHECK(member(ran.out, "source") == "\"child\"");
    CHECK(member(ran.out, "status") == "10752");
    CHECK(member(ran.out, "max_rss_kib") != "null");
  }
  Stranger stranger([] { ::_exit(42); }, Stranger::Reaped::when_told);
  stranger.end_and_stay();
  const auto ask = [&](const std::vector<tests::Denied>& denied, bool as_nobody = false) {
    return tests::run({.words = {binary(), "waitpid", "--json", stranger.text()},
                       .as_nobody = as_nobody,
                       .denied = denied});
  };
  const Ran refused = ask({{434, ENOSYS}});
  CHECK(refused.status == 1);
  CHECK(refused.err.find("\"error\":\"ENOSYS\"") != std::string::npos);
  if (!tests::kernel_keeps_status()) return;
  CHECK(member(ask({{SYS_ioctl, ENOTTY}}).out, "source") == "\"proc\"");
  CHECK(member(ask({{SYS_waitid, ENOSYS}}).out, "source") == "\"proc\"");
  if (!tests::is_root()) return;
  const Ran nothing = tests::run({.words = {binary(), "waitpid", stranger.text()},
                                  .as_nobody = true,
                                  .denied = {{SYS_ioctl, ENOTTY}}});
  CHECK(nothing.status == 1);
  CHECK(nothing.out == "");
  CHECK(nothing.err == "waitpid: " + stranger.text() +
                           ": ENODATA: No data available (it has ended, and its status is gone)\n");
}

TEST_CASE("waitpid tells that its output is lost") {
  const GoneJob job(0);
  const std::vector<std::string> words = {binary(), "waitpid", "--peek", nobody_has};
  const Ran full = tests::run({.words = words, .output_file = "/dev/full"});
  CHECK(full.status == 1);
  CHECK(full.err == "waitpid: stdout: write: ENOSPC: No space left on device\n");
  const Ran closed = tests::run({.words = words, .closed = {0, 1}});
  CHECK(closed.status == 1);
  CHECK(closed.err == "waitpid: stdout: write: EBADF: Bad file descriptor\n");
  CHECK(tests::run({.words = words, .error_file = "/dev/full"}).status == 0);
}

TEST_CASE("waitpid has records") {
  const GoneJob job(9);
  CHECK(osbox({"waitpid", "--peek", "--shell", nobody_has})
            .out.starts_with("waitpid_pid=4194305 waitpid_inode=77 waitpid_status=9 "
                             "waitpid_exit_code='' waitpid_signal=SIGKILL waitpid_core="));
  CHECK(
      osbox({"waitpid", "--peek", "--format", "{pid}:{inode} {signal} {source}", nobody_has}).out ==
      "4194305:77 SIGKILL record\n");
  CHECK(osbox({"waitpid", "-0", nobody_has}).out == nobody_has + " 9 killed SIGKILL" + '\0');
}
