#include "core/sys/resolve.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "core/sys/mount.hpp"
#include "core/sys/stat.hpp"
#include "tests/harness.hpp"

using core::Exists;
using core::Obstacle;

TEST_CASE("canonical starts where At says") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.link("d", "link");
  const auto base = core::open(scratch.path(), O_PATH | O_DIRECTORY);
  REQUIRE(base);
  CHECK(core::canonical("link/../link", Exists::all, *base).value() == scratch / "d");
  CHECK(core::canonical("link/new", Exists::all_but_last, *base).value() == scratch / "d/new");
  CHECK(
      core::canonical("link", Exists::nothing, core::At(*base, {.beneath = true})).error().number ==
      EINVAL);
}

TEST_CASE("canonical says which operand failed") {
  const auto answer = core::canonical("/nosuch/x", Exists::all);
  REQUIRE(!answer);
  CHECK(answer.error().number == ENOENT);
  CHECK(answer.error().call == std::string("realpath"));
  CHECK(answer.error().path == "/nosuch/x");
}

TEST_CASE("find_obstacle follows links, and finds nothing on a good path") {
  const Scratch scratch;
  scratch.directory("d");
  scratch.file("d/f");
  const std::string link = scratch.link("d", "link");
  const Obstacle none = core::find_obstacle(link + "/../link/f");
  CHECK(none.kind == Obstacle::Kind::none);
  REQUIRE(none.links.size() == 2);
  CHECK(none.links[1].path == link + "/../link");
  CHECK(none.links[1].target == "d");

  const Obstacle missing = core::find_obstacle(link + "/x/y");
  CHECK(missing.kind == Obstacle::Kind::missing);
  CHECK(missing.number == ENOENT);
  CHECK(missing.component == link + "/x");
}

TEST_CASE("find_obstacle believes the kernel where a link's text means nothing") {
  const Scratch scratch;
  const auto file = core::open(scratch.file("file"), O_RDONLY);
  REQUIRE(file);
  ::unlink((scratch / "file").c_str());
  // Its text ends in " (deleted)", and still it leads to the file.
  const std::string link = "/proc/self/fd/" + std::to_string(core::FdRef(*file).number());
  CHECK(core::find_obstacle(link).kind == Obstacle::Kind::none);
  CHECK(core::find_obstacle(link + "/x").kind == Obstacle::Kind::not_directory);
}

TEST_CASE("find_mount knows the mount of a file") {
  const auto proc = core::stat("/proc/version", core::want::mount_id);
  REQUIRE(proc);
  CHECK(core::find_mount(UINT64_MAX).value() == std::nullopt);
  if (!proc->mount_id) return;  // only statx(2) tells
  const auto mount = core::find_mount(*proc->mount_id);
  REQUIRE(mount);
  REQUIRE(*mount);
  CHECK((*mount)->point == "/proc");
  CHECK((*mount)->type == "proc");
}

TEST_CASE("canonical leaves a directory that may not be searched, where nothing has to be there") {
  const Scratch scratch;
  scratch.directory("locked", 0);
  REQUIRE(::chmod(scratch.path().c_str(), 0755) == 0);
  const auto canonical = [&](const std::string& path, Exists exists) {
    return tests::in_child(
        [&] {
          const auto found = core::canonical(scratch / path, exists);
          return found ? *found : std::string(core::error_name(found.error().number));
        },
        {}, true);
  };
  for (const Exists exists : {Exists::all, Exists::all_but_last}) {
    CHECK(canonical("locked/..", exists) == "EACCES");
    CHECK(canonical("locked/.", exists) == "EACCES");
  }
  CHECK(canonical("locked/..", Exists::nothing) == scratch.path());
  CHECK(canonical("locked/../new/..", Exists::nothing) == scratch.path());
  CHECK(canonical("locked/./x", Exists::nothing) == scratch / "locked/x");
}
