#include "core/sys/metadata.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"
#include "tests/harness.hpp"
#include "tests/injection.hpp"
#include "tests/sanitizer.hpp"

namespace {

using core::At;
using core::Links;

mode_t mode_of(const std::string& path) {
  const auto stat = core::lstat(path);
  REQUIRE(stat);
  return stat->mode & 07777;
}

std::string owner_of(const std::string& path) {
  const auto stat = core::lstat(path);
  REQUIRE(stat);
  return std::to_string(stat->uid) + ":" + std::to_string(stat->gid);
}

template <class T>
std::string answer(const core::Result<T>& result) {
  if (result) return "done";
  return std::string(result.error().call) + " " +
         std::string(core::error_name(result.error().number)) + " " +
         result.error().path.value_or("-");
}

/// One letter a call on a link and on what it leads to, made with fchmodat2 denied as `error` says.
std::string story_of_links(const Scratch& scratch, std::optional<int> error) {
  std::vector<tests::Denied> denied;
  if (error) denied.push_back({tests::fchmodat2, *error});
  return tests::in_child(
      [&] {
        std::string told;
        const auto tell = [&](const core::Result<void>& result) {
          told += result ? "done" : core::error_name(result.error().number);
          told += ' ';
        };
        tell(core::chmod(scratch / "file", 0601, Links::no_follow));
        tell(core::chmod(scratch / "link", 0602, Links::no_follow));
        tell(core::chmod(scratch / "dangling", 0602, Links::no_follow));
        tell(core::chmod(scratch / "nosuch", 0602, Links::no_follow));
        tell(core::chmod("", 0602, Links::no_follow));
        tell(core::chmod(scratch / "dir/", 0711, Links::no_follow));
        tell(core::chmod(scratch / "to-dir/", 0700, Links::no_follow));
        tell(core::chmod(scratch / "file/", 0700, Links::no_follow));
        for (const std::string name : {"file", "link", "dir", "fifo"}) {
          const auto file = core::open(scratch / name, O_PATH | O_NOFOLLOW);
          tell(file ? core::fchmod(*file, 0755) : std::unexpected(file.error()));
        }
        return told;
      },
      denied);
}

}  // namespace

TEST_CASE("chmod follows a link, or says that it has no mode") {
  for (const std::optional<int> error : {std::optional<int>(), {ENOSYS}, {EPERM}}) {
    const Scratch scratch;
    scratch.file("file", "", 0600);
    scratch.directory("dir", 0700);
    scratch.fifo("fifo");
    scratch.link("file", "link");
    scratch.link("dir", "to-dir");
    scratch.link("nosuch", "dangling");
    CHECK(story_of_links(scratch, error) ==
          "done EOPNOTSUPP EOPNOTSUPP ENOENT ENOENT done EOPNOTSUPP ENOTDIR "
          "done EOPNOTSUPP done done ");
    CHECK(mode_of(scratch / "file") == 0755);
    CHECK(mode_of(scratch / "dir") == 0755);
    CHECK(mode_of(scratch / "fifo") == 0755);
    CHECK(mode_of(scratch / "link") == 0777);

    CHECK(answer(core::chmod(scratch / "link", 0604)) == "done");
    CHECK(mode_of(scratch / "file") == 0604);
    CHECK(answer(core::chmod(scratch / "to-dir/", 0705)) == "done");
    CHECK(mode_of(scratch / "dir") == 0705);
    CHECK(answer(core::chmod(scratch / "dangling", 0604)) ==
          "chmod ENOENT " + (scratch / "dangling"));
  }
}

TEST_CASE("a mode that the kernel itself refuses is EPERM, with and without fchmodat2") {
  const Scratch scratch;
  const std::string file = "/etc/passwd";
  if (!tests::is_root()) {
    CHECK(answer(core::chmod(file, 0644, Links::no_follow)) == "chmod EPERM /etc/passwd");
  }
  for (const std::vector<tests::Denied>& denied : std::vector<std::vector<tests::Denied>>{
           {}, {{tests::fchmodat2, ENOSYS}}, {{tests::fchmodat2, EPERM}}}) {
    CHECK(tests::in_child(
              [&] {
                const auto opened = core::open(file, O_PATH);
                return answer(core::chmod(file, 0644, Links::no_follow)) + ", " +
                       answer(core::fchmod(*opened, 0644));
              },
              denied, true) == "chmod EPERM /etc/passwd, chmod EPERM -");
  }
}

TEST_CASE("chmod sets all twelve bits, and takes set-ids from a directory too") {
  const Scratch scratch;
  const std::string dir = scratch.directory("dir", 0755);
  CHECK(core::chmod(dir, 07777));
  CHECK(mode_of(dir) == 07777);
  CHECK(core::chmod(dir, 0755));
  CHECK(mode_of(dir) == 0755);
  CHECK(core::chmod(dir, 0));
  CHECK(mode_of(dir) == 0);
}

TEST_CASE("calls on a path keep to where it starts") {
  const Scratch scratch;
  scratch.directory("base");
  scratch.file("base/file", "12345");
  scratch.file("secret", "12345");
  scratch.link("file", "base/inside");
  scratch.link("../secret", "base/outside");
  const auto base = core::open(scratch / "base", O_PATH | O_DIRECTORY);
  REQUIRE(base);
  const At here = *base;
  CHECK(answer(core::chmod("file", 0641, Links::follow, here)) == "done");
  CHECK(answer(core::chmod("file", 0642, Links::no_follow, here)) == "done");
  CHECK(answer(core::chown("file", core::same_user, core::same_group, Links::follow, here)) ==
        "done");
  CHECK(answer(core::statvfs("file", here)) == "done");
  CHECK(mode_of(scratch / "base/file") == 0642);
  CHECK(answer(core::chmod("nosuch", 0641, Links::follow, here)) == "chmod ENOENT nosuch");

  const At beneath{*base, {.beneath = true}};
  const At no_symlinks{*base, {.no_symlinks = true}};
  const auto all = [](const std::string& path, At at) {
    return std::vector<std::string>{
        answer(core::chmod(path, 0640, Links::follow, at)),
        answer(core::chown(path, core::same_user, core::same_group, Links::follow, at)),
        answer(core::utimens(path, {}, Links::follow, at)), answer(core::statvfs(path, at))};
  };
  const auto expect = [&](const std::string& path, At at, const std::string& name) {
    CAPTURE(path);
    const std::string shown = tests::newer_calls() ? name : "ENOSYS";
    std::size_t i = 0;
    for (const std::string& told : all(path, at)) {
      constexpr const char* calls[] = {"chmod", "chown", "utime", "statvfs"};
      CHECK(told == (shown.empty() ? "done" : std::string(calls[i]) + " " + shown + " " + path));
      ++i;
    }
  };
  expect("file", beneath, "");
  expect("inside", beneath, "");
  expect("outside", beneath, "EXDEV");
  expect("../secret", beneath, "EXDEV");
  expect("file", no_symlinks, "");
  expect("inside", no_symlinks, "ELOOP");
  CHECK(mode_of(scratch / "secret") == 0644);
  if (!tests::newer_calls()) return;
  // Of a link that is not followed it is the link, within the bounds too.
  CHECK(answer(core::chmod("inside", 0600, Links::no_follow, beneath)) ==
        "chmod EOPNOTSUPP inside");
  CHECK(answer(core::chmod("inside/", 0600, Links::no_follow, no_symlinks)) ==
        "chmod EOPNOTSUPP inside/");
  CHECK(answer(core::chown("outside", core::same_user, core::same_group, Links::no_follow,
                           beneath)) == "done");
}

TEST_CASE("chown gives a file, or the link itself, to a user and a group") {
  const Scratch scratch;
  scratch.directory("dir");
  scratch.file("dir/file");
  scratch.link("dir", "link");
  const std::string before = owner_of(scratch / "dir");
  if (!tests::is_root()) {
    CHECK(answer(core::chown(scratch / "dir", 0, 0)) == "chown EPERM " + (scratch / "dir"));
    CHECK(answer(core::chown(scratch / "dir", core::same_user, ::getgid())) == "done");
    return;
  }
  CHECK(core::chown(scratch / "link", 11, 12));
  CHECK(owner_of(scratch / "dir") == "11:12");
  CHECK(owner_of(scratch / "link") == before);
  CHECK(core::chown(scratch / "link", 13, core::same_group, Links::no_follow));
  CHECK(core::chown(scratch / "link/", core::same_user, 14, Links::no_follow));
  CHECK(owner_of(scratch / "link") == "13:14");
  CHECK(owner_of(scratch / "dir") == "11:12");
  CHECK(answer(core::chown(scratch / "dir/file/", 1, 1, Links::no_follow)) ==
        "chown ENOTDIR " + (scratch / "dir/file/"));
  CHECK(answer(core::chown("", 1, 1, Links::no_follow)) == "chown ENOENT ");
  CHECK(answer(core::chown("", 1, 1)) == "chown ENOENT ");

  const auto link = core::open_path(scratch / "link/", Links::no_follow);
  REQUIRE(link);
  CHECK(core::fchown(*link, 4'000'000'000, core::same_group));
  CHECK(owner_of(scratch / "link") == "4000000000:14");
  CHECK(owner_of(scratch / "dir") == "11:12");
}

TEST_CASE("open_path asks for no permission, waits for nothing, and sees through no slash") {
  const Scratch scratch;
  ::chmod(scratch.path().c_str(), 0777);
  scratch.file("file", "", 0000);
  scratch.fifo("fifo");
  scratch.directory("dir", 0000);
  scratch.link("dir", "link");
  const auto type = [&](const std::string& name, Links links) {
    const auto file = core::open_path(scratch / name, links);
    if (!file) return std::string(core::error_name(file.error().number));
    return std::string(core::type_word(core::fstat(*file, core::want::type)->type));
  };
  for (const Links links : {Links::follow, Links::no_follow}) {
    CHECK(tests::in_child([&] { return type("file", links); }, {}, true) == "file");
    CHECK(type("fifo", links) == "fifo");
    CHECK(type("dir//", links) == "dir");
    CHECK(type("file/", links) == "ENOTDIR");
    CHECK(type("nosuch/", links) == "ENOENT");
    CHECK(core::open_path("/", links));
    CHECK(core::open_path("///", links));
    CHECK(core::open_path("", links).error().number == ENOENT);
  }
  CHECK(type("link", Links::follow) == "dir");
  CHECK(type("link/", Links::follow) == "dir");
  CHECK(type("link", Links::no_follow) == "link");
  CHECK(type("link///", Links::no_follow) == "link");
}

TEST_CASE("utimens sets times to the nanosecond, and leaves what is omitted") {
  const Scratch scratch;
  scratch.file("file");
  scratch.link("file", "link");
  const core::FileTimes times{.access = {-2, 999'999'999}, .modification = {1'000'000'000, 1}};
  CHECK(core::utimens(scratch / "link", times));
  CHECK(core::lstat(scratch / "file")->atime == core::Time{-2, 999'999'999});
  CHECK(core::lstat(scratch / "file")->mtime == core::Time{1'000'000'000, 1});
  CHECK(core::lstat(scratch / "link")->mtime > core::Time{1'000'000'000, 1});
  CHECK(core::utimens(scratch / "link", {.access = {5, 6}}, Links::no_follow));
  CHECK(core::lstat(scratch / "link")->atime == core::Time{5, 6});
  CHECK(core::lstat(scratch / "link")->mtime > core::Time{1'000'000'000, 1});
  const auto file = core::open(scratch / "file", O_PATH);
  REQUIRE(file);
  CHECK(core::futimens(*file, {.modification = {7, 8}}));
  CHECK(core::lstat(scratch / "file")->atime == core::Time{-2, 999'999'999});
  CHECK(core::lstat(scratch / "file")->mtime == core::Time{7, 8});
}

TEST_CASE("truncate makes a file longer or shorter, and waits for no FIFO") {
  const Scratch scratch;
  scratch.file("file", "12345");
  scratch.directory("dir");
  scratch.fifo("fifo");
  CHECK(core::truncate(scratch / "file", 3));
  CHECK(*core::read_file(scratch / "file") == "123");
  CHECK(core::truncate(scratch / "file", 5));
  CHECK(*core::read_file(scratch / "file") == std::string("123\0\0", 5));
  const auto here = core::open(scratch.path(), O_PATH | O_DIRECTORY);
  REQUIRE(here);
  for (const auto& [at, prefix] :
       {std::pair<At, std::string>{At(), scratch.path() + "/"}, {At(*here), ""}}) {
    CHECK(answer(core::truncate(prefix + "file", 1, at)) == "done");
    CHECK(answer(core::truncate(prefix + "dir", 1, at)) == "truncate EISDIR " + prefix + "dir");
    CHECK(answer(core::truncate(prefix + "fifo", 1, at)) == "truncate EINVAL " + prefix + "fifo");
    CHECK(answer(core::truncate(prefix + "nosuch", 1, at)) ==
          "truncate ENOENT " + prefix + "nosuch");
    CHECK(answer(core::truncate(prefix + "file", -1, at)) == "truncate EINVAL " + prefix + "file");
  }
}

TEST_CASE("statvfs knows the file system that a path is on") {
  const Scratch scratch;
  scratch.fifo("fifo");
  const auto known = core::statvfs(scratch / "fifo");
  REQUIRE(known);
  CHECK(known->f_namemax == 255);
  CHECK(answer(core::statvfs(scratch / "nosuch")) == "statvfs ENOENT " + (scratch / "nosuch"));
  const auto here = core::open(scratch.path(), O_PATH | O_DIRECTORY);
  const auto same = core::statvfs("fifo", *here);
  REQUIRE(same);
  CHECK(same->f_fsid == known->f_fsid);
  CHECK(same->f_blocks == known->f_blocks);
}

TEST_CASE("times are set through /proc where the kernel knows no empty path for that") {
  const Scratch scratch;
  if (tests::disturbed_by_sanitizer() || !tests::newer_calls()) return;
  const std::string file = scratch.file("file");
  const tests::Command command{
      .words = {tests::binary(), "utime", "--beneath", ".", "--mtime", "86400", "file"},
      .directory = scratch.path()};
  const auto watched = tests::watch(command, {{SYS_utimensat, 1, EINVAL}});
  CHECK(watched.injected == 1);
  CHECK(watched.ran.err == "");
  CHECK(core::lstat(file)->mtime.seconds == 86400);
}
