// A walk with several threads is the walk with one, whatever happens meanwhile.
#include "core/sys/read_ahead.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "core/sys/walk.hpp"
#include "tests/harness.hpp"

namespace {

using core::Type;
using core::Walk;

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

/// All that a walk says, a line a step; passes over every `skipped`th directory.
std::string story(Walk& walk, core::Want want, bool listed, unsigned skipped = 0) {
  std::string told;
  unsigned count = 0;
  for (;;) {
    switch (walk.next()) {
      case Walk::Step::entry: {
        told += "entry " + std::string(walk.path());
        if (want != core::want::nothing) {
          const auto stat = walk.stat(want);
          told += " " +
                  std::string(stat ? std::to_string(stat->size) + " " + std::to_string(stat->ino) +
                                         " " + std::to_string(stat->mtime.nanoseconds)
                                   : core::error_name(stat.error().number));
        }
        if (skipped != 0 && walk.type() == Type::dir && ++count % skipped == 0) walk.skip();
        break;
      }
      case Walk::Step::enter:
        told += "enter " + std::string(walk.path());
        if (listed) told += " " + std::to_string(walk.listing().size());
        break;
      case Walk::Step::leave:
        told += "leave " + std::string(walk.path());
        if (want != core::want::nothing && walk.depth() > 0) {
          const auto stat = walk.stat(want);
          told += " " + std::to_string(stat ? stat->ino : 0);
        }
        break;
      case Walk::Step::failure:
        told += "failure " + std::string(core::error_name(walk.error().number)) + " " +
                walk.error().path.value_or("") + " " + std::string(walk.error().call);
        break;
      case Walk::Step::end:
        return told;
    }
    told += "\n";
  }
}

std::string story(const std::string& root, Walk::How how, unsigned skipped = 0) {
  Walk walk(how);
  REQUIRE(walk.start(root));
  return story(walk, how.want, how.sorted || how.whole, skipped);
}

Walk::How with(Walk::How how, unsigned threads) {
  how.threads = threads;
  how.small_tree = 0;
  return how;
}

}  // namespace

TEST_CASE("a walk with several threads tells what one alone tells") {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    const Scratch scratch;
    make_tree(scratch, 700, seed);
    for (const Walk::How& how : std::vector<Walk::How>{
             {},
             {.sorted = false},
             {.whole = true},
             {.sorted = false, .whole = true, .targets = true},
             {.want = core::want::basic},
             {.sorted = false, .want = core::want::size | core::want::ino | core::want::mtime},
             {.max_depth = 3}}) {
      CAPTURE(seed);
      CAPTURE(how.sorted);
      CAPTURE(how.whole);
      CAPTURE(how.want);
      const std::string alone = story(scratch / "t", how);
      CHECK(std::ranges::count(alone, '\n') > 30);
      for (const unsigned threads : {2U, 3U, 16U}) {
        CHECK((story(scratch / "t", with(how, threads)) == alone));
      }
      // Where some is passed over, what was read of it is thrown away.
      for (const unsigned skipped : {2U, 5U}) {
        CHECK((story(scratch / "t", with(how, 4), skipped) == story(scratch / "t", how, skipped)));
      }
    }
  }
}

TEST_CASE("a walk with several threads can be left at any step, and begun anew") {
  const Scratch scratch;
  make_tree(scratch, 300, 7);
  const std::string whole = story(scratch / "t", {});
  Walk walk(with({}, 4));
  for (int steps = 0; steps < 600; steps += 37) {
    REQUIRE(walk.start(scratch / "t"));
    for (int i = 0; i < steps; ++i) walk.next();
  }
  REQUIRE(walk.start(scratch / "t"));
  CHECK((story(walk, core::want::nothing, true) == whole));
}

TEST_CASE("a walk with several threads needs no descriptors that are not there") {
  const Scratch scratch;
  make_tree(scratch, 400, 3);
  std::string deep = "t";
  for (int i = 0; i < 150; ++i) {
    scratch.directory(deep + "/z");
    scratch.directory(deep += "/a");
  }
  const std::string alone = story(scratch / "t", {});
  for (const rlim_t descriptors : {9UL, 12UL, 20UL, 64UL}) {
    CAPTURE(descriptors);
    const std::string told = tests::in_child([&] {
      const rlimit limit{descriptors, descriptors};
      ::setrlimit(RLIMIT_NOFILE, &limit);
      return story(scratch / "t", with({}, 5));
    });
    CHECK((told == alone));
  }
}

TEST_CASE("a walk with several threads tells what one may not read") {
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
  CHECK(alone.find("failure EACCES " + closed[7] + " open") != std::string::npos);
  CHECK((told_with(4) == alone));
}

TEST_CASE("a walk with several threads takes what is moved and removed meanwhile as it comes") {
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
  for (int i = 0; i < 60; ++i) {
    const std::string told = story(scratch / "t", with({}, 4));
    // No link is followed, and the walk comes to its end.
    CHECK(told.find("never") == std::string::npos);
    CHECK(told.ends_with("leave " + scratch / "t\n"));
  }
  stop = true;
}
