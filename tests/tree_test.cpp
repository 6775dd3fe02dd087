// A tree that several threads go through is the tree of one, whatever happens meanwhile.
#include "core/out/tree.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <iterator>
#include <random>
#include <thread>

#include "core/sys/fs.hpp"
#include "core/sys/handover.hpp"
#include "tests/harness.hpp"

namespace {

using core::Type;
using core::Walk;
using out::Tree;

/// A tree of about `directories` directories, uneven in width and depth, the same for a `seed`.
void make_tree(const Scratch& scratch, unsigned directories, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::string> all = {"t"};
  scratch.directory("t");
  while (all.size() < directories) {
    // Often the youngest, so that some are deep.
    const std::size_t from = random() % 3 == 0 ? 0 : all.size() - all.size() / 4 - 1;
    const std::string& parent = all[from + random() % (all.size() - from)];
    const std::string name = parent + "/" + std::to_string(random() % 100000);
    if (::access((scratch / name).c_str(), F_OK) == 0) continue;
    switch (random() % 4) {
      case 0:
        scratch.file(name, std::string(random() % 50, 'x'));
        break;
      case 1:
        scratch.link("nowhere", name);
        break;
      default:
        all.push_back(scratch.directory(name).substr(scratch.path().size() + 1));
    }
  }
}

/// Tells all that a walk says, a line a step; passes over every directory whose name ends with
/// `skipped`; marks every other one that it enters, unless the order is any.
class Teller final : public out::Visitor {
 public:
  Teller(out::Io& io, core::Want want, char skipped, Tree::Order order)
      : io_(io), want_(want), skipped_(skipped), marks_(order != Tree::Order::any) {}

  void visit(Walk& walk, Walk::Step step) override {
    switch (step) {
      case Walk::Step::entry:
        io_.print("entry " + std::string(walk.path()) + known(walk));
        if (walk.type() == Type::dir && walk.name().back() == skipped_) walk.skip();
        break;
      case Walk::Step::enter:
        io_.print("enter " + std::string(walk.path()));
        if (marks_) walk.mark(walk.path().size() % 2 == 0);
        break;
      case Walk::Step::leave:
        io_.print("leave " + std::string(walk.path()) + (walk.depth() > 0 ? known(walk) : ""));
        CHECK(walk.marked() == (marks_ && walk.entered() && walk.path().size() % 2 == 0));
        break;
      case Walk::Step::failure:
      case Walk::Step::end:
        FAIL("not for a visitor");
    }
    io_.print("\n");
    io_.tick();
  }

 private:
  std::string known(Walk& walk) const {
    if (want_ == core::want::nothing) return "";
    const auto stat = walk.stat(want_);
    if (!stat) return " " + std::string(core::error_name(stat.error().number));
    return " " + std::to_string(stat->size) + " " + std::to_string(stat->ino);
  }

  out::Io& io_;
  core::Want want_;
  char skipped_;
  bool marks_;
};

/// What is told of `root`, with the failures at its end.
std::string story(const std::string& root, Tree::How how, core::Want want = core::want::nothing,
                  char skipped = '\0') {
  out::Io io({}, {}, {});
  io.start({.name = "story", .call = "open"}, {});
  Tree tree(io, how,
            [=](out::Io& own) { return std::make_unique<Teller>(own, want, skipped, how.order); });
  // Twice: nothing of the first stays behind.
  REQUIRE(tree.visit(root));
  const std::string first = std::exchange(io.output().buffer(), {});
  const std::string failures = std::exchange(io.error_output().buffer(), {});
  REQUIRE(tree.visit(root));
  if (how.order != Tree::Order::any) CHECK((io.output().buffer() == first));
  CHECK(io.failed() == !failures.empty());
  return first + failures;
}

Tree::How with(Walk::How walk, unsigned threads, Tree::Order order = Tree::Order::as_one) {
  return {.walk = walk, .order = order, .threads = threads, .small_tree = 0};
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::string sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  std::ranges::sort(lines);
  std::string sorted;
  for (const std::string& line : lines) sorted += line + "\n";
  return sorted;
}

}  // namespace

TEST_CASE("several threads tell of a tree what one alone tells") {
  for (unsigned seed = 1; seed <= (tests::is_long() ? 4 : 1); ++seed) {
    const Scratch scratch;
    make_tree(scratch, tests::is_long() ? 700 : 200, seed);
    for (const Walk::How& how :
         std::vector<Walk::How>{{},
                                {.sorted = false},
                                {.whole = true},
                                {.sorted = false, .whole = true, .targets = true},
                                {.follow = true},
                                {.sorted = false, .physical = true},
                                {.one_file_system = true},
                                {.max_depth = 3},
                                {.most_open = 2}}) {
      CAPTURE(seed);
      CAPTURE(how.sorted);
      CAPTURE(how.whole);
      CAPTURE(how.most_open);
      CAPTURE(how.follow);
      CAPTURE(how.max_depth);
      for (const core::Want want : {core::want::nothing, core::want::size | core::want::ino}) {
        const std::string alone = story(scratch / "t", with(how, 1), want);
        CHECK(std::ranges::count(alone, '\n') > 30);
        for (const unsigned threads : {2U, 3U, 16U}) {
          CHECK((story(scratch / "t", with(how, threads), want) == alone));
          CHECK((story(scratch / "t", with(how, threads, Tree::Order::no_words), want) == alone));
          CHECK((sorted_lines(story(scratch / "t", with(how, threads, Tree::Order::any), want)) ==
                 sorted_lines(alone)));
        }
      }
      CHECK((story(scratch / "t", with(how, 4), core::want::nothing, '7') ==
             story(scratch / "t", with(how, 1), core::want::nothing, '7')));
    }
  }
}

TEST_CASE("a walk gives away what follows, at any level, and the two tell all of it") {
  const Scratch scratch;
  make_tree(scratch, 300, 7);
  const auto told = [](Walk& walk, unsigned stop, unsigned from, Walk* rest) {
    std::string text;
    unsigned entered = 0;
    for (Walk::Step step; (step = walk.next()) != Walk::Step::end;) {
      text += std::to_string(static_cast<int>(step)) + " " + std::string(walk.path()) + "\n";
      if (step != Walk::Step::enter || ++entered != stop) continue;
      const auto level = walk.level_with_more(from);
      if (!level) return std::string();
      walk.give(*level, *rest);
    }
    return text;
  };
  for (const Walk::How& how : std::vector<Walk::How>{
           {}, {.sorted = false}, {.follow = true}, {.physical = true}, {.most_open = 2}}) {
    Walk walk(how);
    Walk rest(how);
    REQUIRE(walk.start(scratch / "t"));
    const std::string alone = told(walk, 0, 0, nullptr);
    unsigned given = 0;
    for (unsigned stop = 1; stop < 300; stop += tests::is_long() ? 1 : 12) {
      for (const unsigned from : {0U, 2U, 4U}) {
        REQUIRE(walk.start(scratch / "t"));
        const std::string first = told(walk, stop, from, &rest);
        if (first.empty()) continue;
        ++given;
        const std::string second = told(rest, 0, 0, nullptr);
        CHECK((first + second == alone));
      }
    }
    CHECK(given > (tests::is_long() ? 150U : 20U));
  }
}

TEST_CASE("several threads need no descriptors that are not there") {
  const Scratch scratch;
  make_tree(scratch, 400, 3);
  std::string deep = "t";
  for (int i = 0; i < 150; ++i) {
    scratch.directory(deep + "/z");
    scratch.directory(deep += "/a");
  }
  const std::string alone = story(scratch / "t", with({}, 1));
  for (const rlim_t descriptors : {9UL, 12UL, 20UL, 64UL, 90UL, 200UL}) {
    CAPTURE(descriptors);
    const std::string told = tests::in_child([&] {
      const rlimit limit{descriptors, descriptors};
      ::setrlimit(RLIMIT_NOFILE, &limit);
      return story(scratch / "t", with({}, 5));
    });
    CHECK((told == alone));
  }
}

TEST_CASE("several threads tell what one may not read, where it stands") {
  const Scratch scratch;
  make_tree(scratch, 200, 5);
  std::vector<std::string> closed;
  for (int i = 0; i < 20; ++i) {
    closed.push_back(scratch.directory("t/closed" + std::to_string(i), 0));
    scratch.directory("t/open" + std::to_string(i));
  }
  const auto told_with = [&](unsigned threads) {
    return tests::in_child([&] { return story(scratch / "t", with({}, threads)); }, {}, true);
  };
  const std::string alone = told_with(1);
  CHECK(alone.find("story: " + closed[7] + ": EACCES: Permission denied\n") != std::string::npos);
  CHECK((told_with(4) == alone));
}

TEST_CASE("with much to say, threads wait for their turn and help meanwhile") {
  const Scratch scratch;
  make_tree(scratch, 200, 2);
  // What comes first takes longest.
  std::string first = "t/ ";
  scratch.directory(first);
  for (int i = 0; i < 40; ++i) scratch.directory(first + "/" + std::to_string(i));
  class Talker final : public out::Visitor {
   public:
    explicit Talker(out::Io& io) : io_(io) {}
    void visit(Walk& walk, Walk::Step step) override {
      if (step != Walk::Step::entry) return;
      if (walk.path().find("/ /") != std::string::npos) ::usleep(200);
      io_.print(std::string(walk.path()) + std::string(40000, '.') + "\n");
    }

   private:
    out::Io& io_;
  };
  const auto told_with = [&](unsigned threads) {
    out::Io io({}, {}, {});
    Tree tree(io, with({}, threads), [](out::Io& own) { return std::make_unique<Talker>(own); });
    REQUIRE(tree.visit(scratch / "t"));
    return std::move(io.output().buffer());
  };
  const std::string alone = told_with(1);
  for (const unsigned threads : {2U, 3U, 8U}) CHECK((told_with(threads) == alone));
}

TEST_CASE("threads that wait for the next tree keep nothing of the last one open") {
  const Scratch scratch;
  make_tree(scratch, 500, 6);
  for (const Walk::How& how : std::vector<Walk::How>{{}, {.physical = true}, {.most_open = 2}}) {
    for (const Tree::Order order : {Tree::Order::as_one, Tree::Order::any}) {
      out::Io io({}, {}, {});
      Tree tree(io, with(how, 4, order), [order](out::Io& own) {
        return std::make_unique<Teller>(own, core::want::nothing, '\0', order);
      });
      const std::size_t before = open_descriptors();
      REQUIRE(tree.visit(scratch / "t"));
      CHECK(open_descriptors() == before);
    }
  }
}

TEST_CASE("a visit with much to say is heard in its middle, and told where nobody listens") {
  const Scratch scratch;
  make_tree(scratch, 100, 8);
  class Chatterer final : public out::Visitor {
   public:
    Chatterer(out::Io& io, std::atomic<bool>& told) : io_(io), told_(told) {}
    void visit(Walk& walk, Walk::Step step) override {
      if (step != Walk::Step::enter || walk.depth() != 1) return;
      // More than there is memory for.
      while (is_heard()) io_.print(std::string(100, 'x') + "\n");
      told_ = true;
    }

   private:
    out::Io& io_;
    std::atomic<bool>& told_;
  };
  const core::Fd full = *core::open("/dev/full", O_WRONLY);
  for (const unsigned threads : {1U, 2U, 4U}) {
    for (const Tree::Order order : {Tree::Order::as_one, Tree::Order::any}) {
      CAPTURE(threads);
      std::atomic<bool> told = false;
      out::Io io(out::Sink{full}, {}, {});
      Tree tree(io, with({}, threads, order),
                [&](out::Io& own) { return std::make_unique<Chatterer>(own, told); });
      REQUIRE(tree.visit(scratch / "t"));
      CHECK(told);
      CHECK(!io.writable());
    }
  }
}

TEST_CASE("what a visitor throws in any thread is thrown by the visit") {
  const Scratch scratch;
  make_tree(scratch, 300, 4);
  class Thrower final : public out::Visitor {
   public:
    explicit Thrower(std::atomic<int>& left) : left_(left) {}
    void visit(Walk&, Walk::Step) override {
      if (--left_ == 0) throw std::bad_alloc();
    }

   private:
    std::atomic<int>& left_;
  };
  for (const int after : {1, 50, 150, 400}) {
    std::atomic<int> left = after;
    out::Io io({}, {}, {});
    Tree tree(io, with({}, 4), [&](out::Io&) { return std::make_unique<Thrower>(left); });
    CHECK_THROWS_AS((void)tree.visit(scratch / "t"), std::bad_alloc);
  }
}

TEST_CASE("on a terminal the failures of several threads stand where they happened") {
  const Scratch scratch;
  for (int i = 100; i < 400; ++i) {
    if (i == 100) scratch.directory("t");
    scratch.directory("t/" + std::to_string(i));
    scratch.directory("t/" + std::to_string(i) + "/closed", i % 3 == 0 ? 0 : 0700);
  }
  const auto shown_with = [&](unsigned threads) {
    return tests::in_child(
        [&] {
          const auto [reader, writer] = *core::make_pipe();
          ::fcntl(core::FdRef(writer).number(), F_SETPIPE_SZ, 1 << 20);
          {
            out::Io io(out::Sink{writer}, out::Sink{writer}, {.output_is_terminal = true});
            io.start({.name = "story", .call = "open"}, {});
            Tree tree(io, with({}, threads), [](out::Io& own) {
              return std::make_unique<Teller>(own, core::want::nothing, '\0', Tree::Order::as_one);
            });
            REQUIRE(tree.visit(scratch / "t"));
            io.finish(0);
          }
          std::string shown(1 << 20, '\0');
          shown.resize(*core::read(reader, shown.data(), shown.size()));
          return shown;
        },
        {}, true);
  };
  const std::string alone = shown_with(1);
  CHECK(alone.find("EACCES") != std::string::npos);
  CHECK((shown_with(4) == alone));
}

TEST_CASE("several threads take what is moved and removed meanwhile as it comes") {
  const Scratch scratch;
  make_tree(scratch, 300, 11);
  for (int i = 0; i < 30; ++i) {
    scratch.directory("t/x" + std::to_string(i));
    scratch.directory("t/x" + std::to_string(i) + "/y");
  }
  scratch.directory("secret");
  scratch.file("secret/never");
  std::atomic<bool> stop = false;
  std::jthread mischief([&] {
    const std::string aside = scratch / "aside";
    for (unsigned i = 0; !stop; ++i) {
      const std::string victim = scratch / "t/x" + std::to_string(i % 30);
      ::rename(victim.c_str(), aside.c_str());
      if (::symlink((scratch / "secret").c_str(), victim.c_str()) == 0) ::unlink(victim.c_str());
      ::rename(aside.c_str(), victim.c_str());
    }
  });
  for (int i = 0; i < tests::rounds(200); ++i) {
    out::Io io({}, {}, {});
    Tree tree(io, with({}, 4), [](out::Io& own) {
      return std::make_unique<Teller>(own, core::want::nothing, '\0', Tree::Order::as_one);
    });
    REQUIRE(tree.visit(scratch / "t"));
    // No link is followed, and the walk comes to its end.
    const std::string& told = io.output().buffer();
    CHECK(told.find("never") == std::string::npos);
    CHECK(told.ends_with("leave " + scratch / "t\n"));
  }
  stop = true;
}
