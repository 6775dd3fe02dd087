#include "core/sys/walk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/sys/fs.hpp"
#include "tests/harness.hpp"

namespace {

using core::Type;
using core::Walk;

/// Makes `levels` directories, each in the one before it, and in each a directory "z" too.
void make_chain(const Scratch& scratch, unsigned levels) {
  std::string path;
  for (unsigned i = 0; i < levels; ++i) {
    path += (i == 0 ? "a" : "/a");
    scratch.directory(path);
    scratch.directory(path + "/z");
  }
}

/// A letter a step, and the name.
std::string story(Walk& walk) {
  std::string told;
  for (;;) {
    const Walk::Step step = walk.next();
    switch (step) {
      case Walk::Step::entry:
        told += " " + std::string(walk.name());
        break;
      case Walk::Step::enter:
        told += " (";
        break;
      case Walk::Step::leave:
        told += walk.entered() ? " )" : " x";
        break;
      case Walk::Step::failure:
        told += " " + std::string(core::error_name(walk.error().number)) + ":" +
                walk.error().path.value_or("") + ":" + walk.error().note;
        break;
      case Walk::Step::end:
        return told;
    }
  }
}

/// Goes on until the entry called `path`.
void go_to(Walk& walk, const std::string& path) {
  for (Walk::Step step = walk.next(); step != Walk::Step::end; step = walk.next()) {
    if (step == Walk::Step::entry && walk.path() == path) return;
  }
  FAIL("no entry " << path);
}

std::string repeat(unsigned count, const std::string& text) {
  std::string all;
  for (unsigned i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("Walk tells of a directory as an entry, when it is entered and when it is left") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.file("d/f");
  scratch.directory("d/e");
  scratch.file("d.x");
  Walk walk({});
  REQUIRE(walk.start(scratch / "d"));
  CHECK(story(walk) == " d ( e ( ) f )");
  CHECK(walk.next() == Walk::Step::end);

  REQUIRE(walk.start(scratch.path()));
  go_to(walk, scratch / "d");
  CHECK(walk.depth() == 1);
  CHECK(walk.type() == Type::dir);
  walk.skip();
  CHECK(story(walk) == " d.x )");

  Walk shallow({.max_depth = 1});
  REQUIRE(shallow.start(scratch / "d/"));
  CHECK(story(shallow) == " d ( e x f )");

  // Files as they are read, then directories.
  Walk unordered({.sorted = false});
  REQUIRE(unordered.start(scratch / "d"));
  CHECK(story(unordered) == " d ( f e ( ) )");
}

TEST_CASE("Walk begins anew with every start, wherever it was") {
  const Scratch scratch;
  make_chain(scratch, 50);
  Walk walk({.follow = true});
  for (int i = 0; i < 3; ++i) {
    REQUIRE(walk.start(scratch.path()));
    go_to(walk, scratch.path() + repeat(50, "/a"));
  }
  CHECK(walk.start(scratch / "nosuch").error().number == ENOENT);
  CHECK(walk.next() == Walk::Step::end);
  REQUIRE(walk.start(scratch / "a"));
  CHECK(story(walk) == repeat(50, " a (") + repeat(50, " z ( ) )"));
}

TEST_CASE("Walk::at and bare lead to the entry at any depth, before and after what is in it") {
  const Scratch scratch;
  make_chain(scratch, 100);
  for (const bool sorted : {true, false}) {
    for (const bool whole : {true, false}) {
      Walk walk({.sorted = sorted, .whole = whole});
      REQUIRE(walk.start(scratch.path()));
      unsigned entries = 0;
      for (Walk::Step step = walk.next(); step != Walk::Step::end; step = walk.next()) {
        REQUIRE(step != Walk::Step::failure);
        if (step == Walk::Step::enter) continue;
        ++entries;
        const auto at = walk.at();
        REQUIRE(at);
        const auto here = core::lstat(walk.bare(), core::want::ino, *at);
        const auto there = core::lstat(std::string(walk.path()), core::want::ino);
        const auto self = walk.stat(core::want::ino);
        REQUIRE((here && there && self));
        REQUIRE(here->ino == there->ino);
        REQUIRE(self->ino == there->ino);
        REQUIRE(std::string(walk.prefix()) + std::string(walk.name()) ==
                (walk.depth() > 0 ? std::string(walk.path()) : std::string(walk.name())));
        if (walk.depth() > 0) {
          REQUIRE(std::string(walk.directory()) + "/" + std::string(walk.name()) == walk.path());
        }
      }
      CHECK(entries == 2 * 201);
    }
  }
}

TEST_CASE("Walk has the whole listing when a directory is entered and when it is left") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.file("d/f");
  scratch.directory("d/e");
  scratch.link("e", "d/l");
  Walk walk({.whole = true, .targets = true});
  REQUIRE(walk.start(scratch / "d"));
  int seen = 0;
  for (Walk::Step step = walk.next(); step != Walk::Step::end; step = walk.next()) {
    if (step == Walk::Step::entry || walk.depth() > 0) continue;
    ++seen;
    const core::Listing& listing = walk.listing();
    REQUIRE(listing.size() == 3);
    CHECK(listing.name(listing.entries()[0]) == "e");
    CHECK(listing.name(listing.entries()[1]) == "f");
    CHECK(walk.type(listing.entries()[2]) == Type::link);
    CHECK(listing.entries()[2].target == Type::dir);
  }
  CHECK(seen == 2);
}

TEST_CASE("Walk never follows what took the place of a directory, and forgets what vanished") {
  const Scratch scratch;
  scratch.directory("outside");
  scratch.file("outside/secret");
  scratch.directory("t");
  for (const std::string name : {"t/d1", "t/d2", "t/d3", "t/d4"}) {
    scratch.directory(name);
    scratch.file(name + "/f");
  }
  Walk walk({});
  REQUIRE(walk.start(scratch / "t"));
  go_to(walk, scratch / "t/d1");
  std::filesystem::rename(scratch / "t/d1", scratch / "d1");
  scratch.link(scratch / "outside", "t/d1");
  std::filesystem::remove_all(scratch / "t/d2");
  std::filesystem::remove_all(scratch / "t/d3");
  scratch.file("t/d3");
  CHECK(story(walk) == " x d2 x d3 x d4 ( f ) )");
}

TEST_CASE("Walk finds its way back where directories were moved, or says where it cannot") {
  // Every level has a directory z to come back to, and few enough levels stay open.
  const unsigned levels = 80;
  const Scratch scratch;
  make_chain(scratch, levels);
  const auto chain = [&](unsigned depth) { return scratch.path() + repeat(depth, "/a"); };
  Walk walk({});

  // The way up has changed, the way down has not.
  REQUIRE(walk.start(scratch.path()));
  go_to(walk, chain(levels));
  std::filesystem::rename(chain(10), scratch / "moved");
  CHECK(story(walk) == " (" + repeat(levels, " z ( ) )") + " )");
  std::filesystem::rename(scratch / "moved", chain(10));

  // The way down has changed too, and an impostor is not entered.
  REQUIRE(walk.start(scratch.path()));
  go_to(walk, chain(levels));
  std::filesystem::rename(chain(10), scratch / "moved");
  std::filesystem::rename(chain(9), scratch / "moved9");
  std::filesystem::create_directory(chain(9));
  std::filesystem::create_directory(chain(9) + "/wrong");
  CHECK(story(walk) == " (" + repeat(levels - 9, " z ( ) )") + " z ENOENT:" + chain(9) +
                           ":no longer where it was x )" + repeat(8, " z ( ) )") + " )");
}

TEST_CASE("what is left of a directory that Walk lost has names, and the loss is told once") {
  const unsigned levels = 80;
  const Scratch scratch;
  make_chain(scratch, levels);
  const auto chain = [&](unsigned depth) { return scratch.path() + repeat(depth, "/a"); };
  const std::string lost = chain(9);
  const std::string aside = scratch / "aside";
  for (const std::string name : {"za", "zb"}) REQUIRE(std::ofstream(lost + "/" + name));
  for (const bool whole : {false, true}) {
    for (const auto loss : {Walk::Loss::told, Walk::Loss::ignored}) {
      Walk walk({.whole = whole});
      REQUIRE(walk.start(scratch.path()));
      go_to(walk, chain(levels));
      std::filesystem::rename(chain(10), scratch / "moved");
      std::filesystem::rename(lost, aside);
      std::string names;
      Words failures;
      for (Walk::Step step = walk.next(); step != Walk::Step::end; step = walk.next()) {
        if (step == Walk::Step::failure) failures.push_back(walk.error().path.value_or(""));
        if (step != Walk::Step::entry || walk.directory() != lost) continue;
        names += " " + std::string(walk.name());
        CHECK(tests::word(walk.stat(core::want::type, loss)) == "ENOENT");
        CHECK(tests::word(walk.target(core::want::type, loss)) == "ENOENT");
        CHECK(tests::word(walk.at(loss)) == "ENOENT");
        if (walk.type() == Type::dir) walk.skip();
      }
      CHECK(names == " z za zb");
      CHECK(failures == (loss == Walk::Loss::told ? Words{lost} : Words{}));
      std::filesystem::rename(aside, lost);
      std::filesystem::rename(scratch / "moved", chain(10));
    }
  }
}

TEST_CASE("a physical Walk takes a root that is a link for that, and with a slash for nothing") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.file("d/f");
  scratch.link("d", "l");
  Walk walk({.sorted = false, .physical = true});
  REQUIRE(walk.start(scratch / "l"));
  CHECK(walk.next() == Walk::Step::entry);
  CHECK(walk.type() == Type::link);
  CHECK(walk.is_link());
  CHECK(walk.path() == scratch / "l");
  const auto itself = walk.open_path();
  REQUIRE(itself);
  CHECK(core::fstat(*itself)->type == Type::link);
  CHECK(walk.stat(core::want::type)->type == Type::link);
  CHECK(walk.next() == Walk::Step::end);
  for (const std::string name : {"l/", "l//"}) {
    CHECK(walk.start(scratch / name).error().number == ELOOP);
    CHECK(walk.next() == Walk::Step::end);
  }
  for (const std::string name : {"d", "d/", "l/../d", "l/."}) {
    CAPTURE(name);
    REQUIRE(walk.start(scratch / name));
    CHECK(story(walk).ends_with(" ( f )"));
  }
  CHECK(walk.start(scratch / "d/f").has_value());
  CHECK(walk.start(scratch / "d/f/").error().number == ENOTDIR);
  CHECK(walk.start(scratch / "d/f/").error().path == scratch / "d/f/");
  CHECK(walk.start(scratch / "nosuch/").error().number == ENOENT);
  CHECK(walk.start("").error().number == ENOENT);
  CHECK(walk.next() == Walk::Step::end);
}

TEST_CASE("a physical Walk opens a directory only after its entry was given") {
  // What the entry is may be changed before: here all are locked, the root too.
  const Scratch scratch;
  make_chain(scratch, 5);
  const std::string answer = tests::in_child([&] {
    for (unsigned depth = 5; depth > 0; --depth) {
      ::chmod((scratch.path() + repeat(depth, "/a")).c_str(), 0);
    }
    Walk walk({.physical = true});
    if (!walk.start(scratch / "a")) return std::string("no start");
    std::string told;
    for (Walk::Step step = walk.next(); step != Walk::Step::end; step = walk.next()) {
      if (step == Walk::Step::failure) return std::string(walk.error().path.value_or("?"));
      if (step != Walk::Step::entry) continue;
      const auto file = walk.open_path();
      if (!file || ::chmod(std::string(walk.path()).c_str(), 0700) != 0) return std::string("no");
      told += " " + std::string(walk.name());
    }
    return told;
  });
  CHECK(answer == " a a a a a z z z z z");
}

TEST_CASE("Walk::open_path is the entry itself at any depth, when it comes and when it is left") {
  const Scratch scratch;
  make_chain(scratch, 100);
  scratch.link("z", "a/a/l");
  for (const bool sorted : {true, false}) {
    Walk walk({.sorted = sorted, .physical = true});
    REQUIRE(walk.start(scratch.path()));
    unsigned entries = 0;
    for (Walk::Step step = walk.next(); step != Walk::Step::end; step = walk.next()) {
      REQUIRE(step != Walk::Step::failure);
      if (step == Walk::Step::enter) continue;
      ++entries;
      const auto file = walk.open_path();
      REQUIRE(file);
      REQUIRE(core::fstat(*file)->ino == core::lstat(std::string(walk.path()))->ino);
      REQUIRE(core::fstat(*file)->type == walk.type());
    }
    CHECK(entries == 2 * 201 + 1);
  }
}

TEST_CASE("Walk::open_path never follows what took the place of an entry") {
  const Scratch scratch;
  scratch.directory("t");
  scratch.file("t/f");
  scratch.directory("t/g");
  scratch.file("secret");
  Walk walk({.physical = true});
  REQUIRE(walk.start(scratch / "t"));
  for (const std::string name : {"f", "g"}) {
    go_to(walk, scratch / "t/" + name);
    std::filesystem::rename(scratch / "t/" + name, scratch / name);
    scratch.link("../secret", "t/" + name);
    const auto file = walk.open_path();
    REQUIRE(file);
    CHECK(core::fstat(*file)->type == Type::link);
    std::filesystem::remove(scratch / "t/" + name);
    CHECK(walk.open_path().error().number == ENOENT);
    CHECK(walk.open_path().error().path == scratch / "t/" + name);
  }
}

TEST_CASE("a physical Walk keeps to where its root may lead") {
  if (!tests::newer_calls()) return;
  const Scratch scratch;
  scratch.directory("base");
  scratch.directory("base/d");
  scratch.file("base/d/f");
  scratch.link("..", "base/up");
  const auto base = core::open(scratch / "base", O_PATH | O_DIRECTORY);
  REQUIRE(base);
  Walk walk({.physical = true});
  const core::At beneath{*base, {.beneath = true}};
  REQUIRE(walk.start("d", beneath));
  CHECK(story(walk) == " d ( f )");
  CHECK(walk.start("up/base", beneath).error().number == EXDEV);
  CHECK(walk.start("..", beneath).error().number == EXDEV);
  REQUIRE(walk.start("up", beneath));
  CHECK(story(walk) == " up");
  CHECK(walk.start("up/", beneath).error().number == ELOOP);
}

TEST_CASE("Walk::target is what a link leads to, as far as the operand may lead") {
  const Scratch scratch;
  scratch.directory("in");
  scratch.directory("in/d");
  scratch.file("out", "12345");
  scratch.file("in/near", "123");
  scratch.link("../../out", "in/d/away");
  scratch.link("nosuch", "in/d/gone");
  scratch.link("../near", "in/d/to-near");
  const core::Fd base = *core::open_directory(scratch / "in");
  const auto size = [&](const std::string& name, core::Resolve resolve) {
    Walk walk({});
    REQUIRE(walk.start("d", {base, resolve}));
    go_to(walk, "d/" + name);
    const auto found = walk.target(core::want::size);
    return found ? std::to_string(found->size)
                 : std::string(core::error_name(found.error().number)) + ":" +
                       found.error().path.value_or("");
  };
  CHECK(size("away", {}) == "5");
  CHECK(size("to-near", {}) == "3");
  CHECK(size("gone", {}) == "ENOENT:d/gone");
  if (tests::newer_calls()) {
    CHECK(size("away", {.beneath = true}) == "EXDEV:d/away");
    CHECK(size("to-near", {.beneath = true}) == "3");
    CHECK(size("to-near", {.no_symlinks = true}) == "ELOOP:d/to-near");
  }
  Walk walk({});
  REQUIRE(walk.start("d/gone", base));
  go_to(walk, "d/gone");
  CHECK(walk.target(core::want::size).error().number == ENOENT);
}
