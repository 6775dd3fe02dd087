// What others do between two calls of makedirs and removedirs: done here from within the call.
#include "core/sys/makedirs.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <functional>

#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"
#include "tests/harness.hpp"

namespace {

using Act = std::function<void(const std::string& name)>;

Act before_mkdir;
Act after_mkdir;
Act after_unlink;

/// Sets one of them for a test, and does it once, at the call on `name`.
class Meanwhile {
 public:
  Meanwhile(Act& when, std::string name, std::function<void()> act) : when_(when) {
    when = [this, name = std::move(name), act = std::move(act)](const std::string& called) {
      if (done_ || called != name) return;
      done_ = true;
      act();
    };
  }
  ~Meanwhile() {
    when_ = nullptr;
    CHECK(done_);
  }

 private:
  Act& when_;
  bool done_ = false;
};

void swap_for_link(const std::string& path, const std::string& target) {
  REQUIRE(::rename(path.c_str(), (path + ".moved").c_str()) == 0);
  REQUIRE(::symlink(target.c_str(), path.c_str()) == 0);
}

void make(const std::string& path) {
  REQUIRE(::syscall(SYS_mkdirat, AT_FDCWD, path.c_str(), 0755) == 0);
}

int number_of(const core::Result<void>& result) { return result ? 0 : result.error().number; }

}  // namespace

// In the place of the C library's.
extern "C" int mkdirat(int directory, const char* path, mode_t mode) {
  if (before_mkdir) before_mkdir(path);
  const long made = ::syscall(SYS_mkdirat, directory, path, mode);
  const int number = errno;
  if (made == 0 && after_mkdir) after_mkdir(path);
  errno = number;
  return static_cast<int>(made);
}
extern "C" int unlinkat(int directory, const char* path, int flags) noexcept {
  const long gone = ::syscall(SYS_unlinkat, directory, path, flags);
  const int number = errno;
  if (gone == 0 && after_unlink) after_unlink(path);
  errno = number;
  return static_cast<int>(gone);
}

TEST_CASE("makedirs enters no link that took the place of what it made") {
  const Scratch scratch;
  const std::string outside = scratch.directory("outside");
  scratch.file("file");
  for (const auto& [target, number] : {std::pair{outside, ELOOP},
                                       {std::string("a.moved"), ELOOP},
                                       {std::string("nowhere"), ENOENT},
                                       {std::string("file"), ENOTDIR},
                                       {std::string("a"), ELOOP}}) {
    CAPTURE(target);
    const std::string path = scratch / "a/b/c";
    std::vector<std::string_view> made;
    {
      const Meanwhile meanwhile(after_mkdir, "a",
                                [&, &to = target] { swap_for_link(scratch / "a", to); });
      const auto done = core::makedirs(path, 0777, true, {}, &made);
      REQUIRE_FALSE(done);
      CHECK(done.error().number == number);
      CHECK(std::string(done.error().call) == "mkdir");
      CHECK(done.error().path == path);
      CHECK(done.error().note_path == scratch / "a");
    }
    CHECK(made == std::vector<std::string_view>{path.substr(0, path.size() - 4)});
    CHECK(::rmdir(outside.c_str()) == 0);
    make(outside);
    CHECK(::unlink((scratch / "a").c_str()) == 0);
    CHECK(::rmdir((scratch / "a.moved").c_str()) == 0);
  }
}

TEST_CASE("makedirs goes on in what it made where that is moved away behind it") {
  const Scratch scratch;
  const std::string outside = scratch.directory("outside");
  {
    const Meanwhile meanwhile(after_mkdir, "b", [&] { swap_for_link(scratch / "a", outside); });
    CHECK(core::makedirs(scratch / "a/b/c", 0777, false));
  }
  CHECK(core::stat(scratch / "a.moved/b/c"));
  CHECK(::rmdir(outside.c_str()) == 0);
}

TEST_CASE("makedirs takes a parent that somebody else makes, and a directory only if told") {
  const Scratch scratch;
  scratch.file("keep");
  const std::string path = scratch / "a/b/c";
  std::vector<std::string_view> made;
  {
    const Meanwhile meanwhile(before_mkdir, "a", [&] { make(scratch / "a"); });
    CHECK(core::makedirs(path, 0777, false, {}, &made));
  }
  REQUIRE(made.size() == 2);
  CHECK(made[0] == scratch / "a/b");
  CHECK(made[1] == path);
  for (const bool exist_ok : {false, true}) {
    REQUIRE(core::removedirs(path));
    const Meanwhile meanwhile(before_mkdir, "c", [&] { make(path); });
    made.clear();
    CHECK(number_of(core::makedirs(path, 0777, exist_ok, {}, &made)) == (exist_ok ? 0 : EEXIST));
    CHECK(made.size() == 2);
  }
}

TEST_CASE("makedirs with '..' behind what somebody takes away again ends") {
  const Scratch scratch;
  if (tests::newer_calls()) {
    const core::Fd base = *core::open(scratch.path(), O_PATH | O_DIRECTORY);
    const Meanwhile meanwhile(after_mkdir, "a", [&] { swap_for_link(scratch / "a", "nowhere"); });
    CHECK(number_of(core::makedirs("a/../b/c", 0777, false, {base, {.beneath = true}})) == ENOENT);
  }
  CHECK(!core::lstat(scratch / "b"));
}

TEST_CASE("removedirs removes nothing where a parent is moved to") {
  const Scratch scratch;
  scratch.directory("elsewhere");
  scratch.directory("elsewhere/empty");
  const std::string path = scratch / "a/b/c";
  REQUIRE(core::makedirs(path, 0777, false));
  std::vector<std::string_view> removed;
  {
    const Meanwhile meanwhile(after_unlink, "c", [&] {
      const std::string moved = scratch / "elsewhere/b";
      REQUIRE(::rename((scratch / "a/b").c_str(), moved.c_str()) == 0);
      make(scratch / "a/b");
    });
    CHECK(core::removedirs(path, {}, std::nullopt, &removed));
  }
  CHECK(removed == std::vector<std::string_view>{path});
  CHECK(core::stat(scratch / "elsewhere/b"));
  CHECK(core::stat(scratch / "elsewhere/empty"));
  CHECK(core::stat(scratch / "a/b"));
}

TEST_CASE("removedirs follows no link that took the place of a parent") {
  const Scratch scratch;
  scratch.directory("outside");
  scratch.directory("outside/b");
  scratch.file("keep");
  const std::string path = scratch / "a/b/c";
  REQUIRE(core::makedirs(path, 0777, false));
  {
    const Meanwhile meanwhile(after_unlink, "c", [&] { swap_for_link(scratch / "a", "outside"); });
    CHECK(core::removedirs(path));
  }
  CHECK(core::stat(scratch / "outside/b"));
  // b was empty, and was still where it had been.
  CHECK(!core::lstat(scratch / "a.moved/b"));
  CHECK(core::lstat(scratch / "a")->type == core::Type::link);
}

TEST_CASE("makedirs and removedirs need few descriptors, and close them") {
  const Scratch scratch;
  const std::string path = scratch / "a/b/c/d/e";
  const int free = core::FdRef(*core::open("/", O_PATH)).number();
  CHECK(core::makedirs(path, 0777, false));
  CHECK(number_of(core::makedirs(path, 0777, false)) == EEXIST);
  CHECK(core::removedirs(path));
  CHECK(core::FdRef(*core::open("/", O_PATH)).number() == free);
}
