// Processes that do the same at the same time: one wins or all do, and who looks on never sees what
// is neither old nor new.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <new>

#include "core/sys/fd.hpp"
#include "core/sys/fs.hpp"
#include "tests/harness.hpp"

namespace {

/// Starts `works`, each in a process of its own, all at the same moment, and returns their statuses
/// in the same order.
std::vector<int> race(const std::vector<std::function<int()>>& works) {
  std::array<int, 2> barrier;
  REQUIRE(::pipe2(barrier.data(), O_CLOEXEC) == 0);
  std::vector<pid_t> racers;
  for (const auto& work : works) {
    racers.push_back(::fork());
    REQUIRE(racers.back() >= 0);
    if (racers.back() > 0) continue;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(barrier[1]);
    // The end of the pipe comes to all at once.
    char byte;
    if (::read(barrier[0], &byte, 1) != 0) ::_exit(125);
    ::_exit(work());
  }
  ::close(barrier[0]);
  ::close(barrier[1]);
  std::vector<int> statuses;
  for (const pid_t racer : racers) {
    int status = 0;
    REQUIRE(::waitpid(racer, &status, 0) == racer);
    statuses.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
  return statuses;
}

/// The same with command lines of osbox, that say the errno.
std::vector<int> race(const std::vector<Words>& lines) {
  std::vector<std::function<int()>> works;
  for (const Words& line : lines) {
    works.emplace_back([words = line]() mutable {
      words.insert(words.begin() + 1, "--exit-errno");
      return osbox(words).status;
    });
  }
  return race(works);
}

std::string joined(const std::vector<int>& statuses) {
  std::string text;
  for (const int status : statuses) text += std::to_string(status) + ' ';
  return text;
}

/// True where one has won, and all others were told that the name is taken.
bool one_wins(const std::vector<int>& statuses) {
  return std::ranges::count(statuses, 0) == 1 &&
         std::ranges::count(statuses, EEXIST) == std::ssize(statuses) - 1;
}

}  // namespace

TEST_CASE("of twenty that make one directory one has made it") {
  const Scratch scratch;
  for (int round = 0; round < tests::rounds(20); ++round) {
    const std::vector<int> statuses =
        race(std::vector<Words>(20, {"mkdir", scratch / ("lock" + std::to_string(round))}));
    CHECK_MESSAGE(one_wins(statuses), joined(statuses));
  }
}

TEST_CASE("all of eight that make the same forty directories have them") {
  const Scratch scratch;
  for (int round = 0; round < tests::rounds(20); ++round) {
    std::string path = scratch / ("top" + std::to_string(round));
    for (int i = 1; i < 40; ++i) path += "/level" + std::to_string(i);
    CHECK(joined(race(std::vector<Words>(8, {"makedirs", "--exist-ok", path}))) ==
          "0 0 0 0 0 0 0 0 ");
    CHECK(::access(path.c_str(), F_OK) == 0);
    // Without it the last one has one maker; the others were told so.
    path += "/last/leaf";
    const std::vector<int> statuses = race(std::vector<Words>(8, {"makedirs", path}));
    CHECK_MESSAGE(one_wins(statuses), joined(statuses));
  }
}

TEST_CASE("of two that rename onto one name one wins, and the other's file keeps its own") {
  // With RENAME_NOREPLACE; where the kernel has no such call; and where the file system has not.
  for (const auto& denied : std::vector<std::vector<tests::Denied>>{
           {}, {{SYS_renameat2, ENOSYS}}, {{SYS_renameat2, EINVAL}}}) {
    const Scratch scratch;
    const std::string answer = tests::in_child(
        [&] {
          for (int round = 0; round < tests::rounds(150); ++round) {
            const std::string to = scratch / ("to" + std::to_string(round));
            const std::string one = scratch.file("one", "one");
            const std::string two = scratch.file("two", "two");
            const auto statuses =
                race(std::vector<Words>{{"rename", one, to}, {"rename", two, to}});
            const bool first = statuses[0] == 0;
            if (!one_wins(statuses)) return "statuses " + joined(statuses);
            if (*core::read_file(to) != (first ? "one" : "two")) return to + " is the loser's";
            if (*core::read_file(first ? two : one) != (first ? "two" : "one")) {
              return std::string("the loser lost its file");
            }
            if (::access((first ? one : two).c_str(), F_OK) == 0) {
              return std::string("the winner has two names");
            }
          }
          return std::string("one won");
        },
        denied);
    CHECK(answer == "one won");
  }
}

TEST_CASE("of two directories that are renamed onto one name one wins") {
  const Scratch scratch;
  for (int round = 0; round < tests::rounds(50); ++round) {
    const std::string number = std::to_string(round);
    const auto statuses = race(std::vector<Words>{
        {"rename", scratch.directory("one" + number), scratch / ("to" + number)},
        {"rename", scratch.directory("two" + number), scratch / ("to" + number)}});
    const bool refused =
        std::ranges::count(statuses, EEXIST) + std::ranges::count(statuses, 0) != 2;
    CHECK_MESSAGE((refused ? !tests::newer_calls() : one_wins(statuses)), joined(statuses));
  }
}

TEST_CASE("removedirs leaves a directory alone that was made meanwhile, and all above it") {
  const Scratch scratch;
  int made = 0;
  for (int round = 0; round < tests::rounds(200); ++round) {
    const std::string top = scratch.directory("top" + std::to_string(round));
    scratch.file("top" + std::to_string(round) + "/stays");
    for (const char* const name : {"/a", "/a/b", "/a/b/c"}) ::mkdir((top + name).c_str(), 0755);
    const auto statuses =
        race(std::vector<Words>{{"removedirs", top + "/a/b/c"}, {"mkdir", top + "/a/b/d"}});
    CHECK(statuses[0] == 0);
    CHECK((statuses[1] == 0 || statuses[1] == ENOENT));
    CHECK((::access((top + "/a/b/d").c_str(), F_OK) == 0) == (statuses[1] == 0));
    CHECK((::access((top + "/a").c_str(), F_OK) == 0) == (statuses[1] == 0));
    CHECK(::access((top + "/a/b/c").c_str(), F_OK) != 0);
    made += statuses[1] == 0 ? 1 : 0;
  }
  MESSAGE("the directory was made in " << made << " rounds");
}

namespace {

constexpr std::size_t size = 300'000;  // more than one read or write

/// What a reader saw of a name while another process worked on it.
struct Seen {
  long whole = 0, gaps = 0, parts = 0, changes = 0;
};

/// Reads with `look`, which returns the one letter that it saw, '-' for nothing and '?' for a
/// mixture, while another process does its rounds with `work`, which must return 0: `least` of them
/// and until it was seen `enough`.
Seen look_on(const std::function<char()>& look, const std::function<int(int round)>& work,
             int least, const std::function<bool(const Seen&)>& enough) {
  auto* const done = new (::mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0)) std::atomic<bool>(false);
  std::array<int, 2> pipe;
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  const pid_t worker = ::fork();
  REQUIRE(worker >= 0);
  if (worker == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int round = 0; round < least || (!*done && round < 1000 * least); ++round) {
      if (work(round) != 0) ::_exit(1);
    }
    ::_exit(0);
  }
  ::close(pipe[1]);
  Seen seen;
  char last = 0;
  char byte;
  // The worker holds the other end as long as it works.
  while (::read(pipe[0], &byte, 1) != 0) {
    const char letter = look();
    ++(letter == '-' ? seen.gaps : letter == '?' ? seen.parts : seen.whole);
    seen.changes += letter != last ? 1 : 0;
    last = letter;
    if (enough(seen)) *done = true;
  }
  ::close(pipe[0]);
  ::munmap(done, sizeof *done);
  int status = 0;
  REQUIRE(::waitpid(worker, &status, 0) == worker);
  CHECK(status == 0);
  CHECK(enough(seen));
  return seen;
}

char look_into(const std::string& path) {
  const auto content = core::read_file(path);
  if (!content) return '-';
  if (content->size() != size) return '?';
  return content->find_first_not_of(content->front()) == content->npos ? content->front() : '?';
}

char look_at_link(const std::string& path) {
  const auto target = core::readlink(path);
  if (!target) return '-';
  return target->find_first_not_of(target->front()) == target->npos ? target->front() : '?';
}

/// A file of one letter.
std::string file_of(const Scratch& scratch, char letter) {
  return scratch.file(std::string(1, letter), std::string(size, letter));
}

/// Runs osbox with the file `path` as its standard input.
int with_input(const std::string& path, const Words& words) {
  const core::Fd input(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ::dup2(core::FdRef(input).number(), 0);
  return osbox(words).status;
}

void sees_only_whole(const std::function<char()>& look, const std::function<int(int)>& work,
                     int least) {
  const Seen seen = look_on(look, work, least, [](const Seen& all) { return all.changes > 20; });
  CHECK(seen.gaps == 0);
  CHECK(seen.parts == 0);
}

char letter_of(int round) { return round % 2 == 0 ? 'a' : 'b'; }

}  // namespace

TEST_CASE("a reader sees what is neither old nor new where a file is written in place") {
  const Scratch scratch;
  const std::string name = scratch.file("name", std::string(size, 'a'));
  look_on([&] { return look_into(name); },
          [&](int round) {
            scratch.file("name", std::string(size, letter_of(round)));
            return 0;
          },
          10, [](const Seen& seen) { return seen.parts > 0; });
  const std::string link = scratch.link("a", "link");
  look_on(
      [&] { return look_at_link(link); },
      [&](int) { return ::unlink(link.c_str()) == 0 && ::symlink("b", link.c_str()) == 0 ? 0 : 1; },
      100, [](const Seen& seen) { return seen.gaps > 0; });
}

TEST_CASE("a reader of what replace takes the place of sees the old file or the new one") {
  const Scratch scratch;
  const std::string name = scratch.file("name", std::string(size, 'x'));
  const auto look = [&] { return look_into(name); };
  SUBCASE("replace") {
    sees_only_whole(
        look,
        [&](int round) {
          return osbox({"replace", file_of(scratch, letter_of(round)), name}).status;
        },
        tests::rounds(300));
  }
  for (const bool sync : {false, true}) {
    const auto durably = [&](Words words) {
      if (!sync) words.insert(words.begin() + 1, "--no-sync");
      return words;
    };
    const int least = tests::rounds(sync ? 30 : 300);
    SUBCASE(sync ? "replace --stdin" : "replace --stdin --no-sync") {
      file_of(scratch, 'a');
      file_of(scratch, 'b');
      sees_only_whole(
          look,
          [&](int round) {
            return with_input(scratch / std::string(1, letter_of(round)),
                              durably({"replace", "--stdin", name}));
          },
          least);
    }
    SUBCASE(sync ? "replace --copy" : "replace --copy --no-sync") {
      // From another file system, where there is one.
      const Scratch other("/dev/shm");
      sees_only_whole(
          look,
          [&](int round) {
            return osbox(durably({"replace", "--copy", file_of(other, letter_of(round)), name}))
                .status;
          },
          least);
    }
  }
}

namespace {

/// True, and says so, where osbox was built without what symlink --replace needs.
bool cannot_exchange(const std::string& link) {
  if (tests::newer_calls()) return false;
  CHECK(osbox({"symlink", "--replace", "--exit-errno", "y", link}).status == ENOTSUP);
  CHECK(core::readlink(link) == "x");
  return true;
}

}  // namespace

TEST_CASE("a reader of a link that symlink --replace changes sees the old one or the new one") {
  const Scratch scratch;
  const std::string name = scratch.link("x", "name");
  if (cannot_exchange(name)) return;
  sees_only_whole(
      [&] { return look_at_link(name); },
      [&](int round) {
        return osbox({"symlink", "--replace", std::string(200, letter_of(round)), name}).status;
      },
      tests::rounds(3000));
}

TEST_CASE("of many that replace one link at the same time the last one wins, and nothing is left") {
  const Scratch scratch;
  const std::string name = scratch.link("x", "name");
  if (cannot_exchange(name)) return;
  std::vector<std::function<int()>> works;
  for (int racer = 0; racer < 8; ++racer) {
    works.emplace_back([&, racer] {
      for (int i = 0; i < tests::rounds(100); ++i) {
        const std::string target = std::to_string(racer) + "." + std::to_string(i);
        if (osbox({"symlink", "--replace", target, name}).status != 0) return 1;
      }
      return 0;
    });
  }
  CHECK(joined(race(works)) == "0 0 0 0 0 0 0 0 ");
  CHECK(core::readlink(name)->ends_with("." + std::to_string(tests::rounds(100) - 1)));
  CHECK(tests::lines(tests::picture(scratch.path())).size() == 2);
}
