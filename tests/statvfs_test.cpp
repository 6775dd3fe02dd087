#include <sys/statvfs.h>

#include <cstdlib>
#include <cstring>

#include "tests/harness.hpp"

namespace {

/// The record of `path`, and what the C library said before and after it where that is the same: a
/// disk may be busy.
std::pair<std::string, struct statvfs> quiet(const std::string& path) {
  for (int tries = 0;; ++tries) {
    REQUIRE(tries < 100'000);
    struct statvfs before;
    struct statvfs after;
    // Compared as bytes, padding included.
    std::memset(&before, 0, sizeof before);
    std::memset(&after, 0, sizeof after);
    REQUIRE(::statvfs(path.c_str(), &before) == 0);
    const Ran ran = osbox({"statvfs", "--json", path});
    REQUIRE(ran.status == 0);
    REQUIRE(::statvfs(path.c_str(), &after) == 0);
    if (std::memcmp(&before, &after, sizeof before) == 0) return {ran.out, before};
  }
}

}  // namespace

TEST_CASE("statvfs has every field of os.statvfs_result, and the bytes") {
  const Scratch scratch;
  for (const std::string path : {"/", "/proc", "/dev/shm", "/sys", scratch.path().c_str()}) {
    CAPTURE(path);
    const auto [record, known] = quiet(path);
    const auto number = [&](const std::string& name, std::uint64_t value) {
      return ",\"" + name + "\":" + std::to_string(value);
    };
    CHECK(record.starts_with("{\"path\":\"" + path + "\"" + number("bsize", known.f_bsize) +
                             number("frsize", known.f_frsize) + number("blocks", known.f_blocks) +
                             number("bfree", known.f_bfree) + number("bavail", known.f_bavail) +
                             number("files", known.f_files) + number("ffree", known.f_ffree) +
                             number("favail", known.f_favail) + number("fsid", known.f_fsid) +
                             number("flag", known.f_flag) + number("namemax", known.f_namemax) +
                             number("total", known.f_blocks * known.f_frsize) +
                             number("free", known.f_bfree * known.f_frsize) +
                             number("available", known.f_bavail * known.f_frsize) +
                             ",\"flags\":["));
    CHECK(tests::python(R"(
import json, os, sys
record = json.loads(sys.argv[1])
theirs = os.statvfs(record['path'])
for name in 'bsize', 'frsize', 'fsid', 'flag', 'namemax':
    assert record[name] == getattr(theirs, 'f_' + name), name
for name in dir(theirs):
    assert not name.startswith('f_') or name[2:] in record, name
words = {os.ST_RDONLY: 'ro', os.ST_NOSUID: 'nosuid', os.ST_NODEV: 'nodev', os.ST_NOEXEC: 'noexec',
         os.ST_SYNCHRONOUS: 'sync', os.ST_MANDLOCK: 'mand', os.ST_NOATIME: 'noatime',
         os.ST_NODIRATIME: 'nodiratime', os.ST_RELATIME: 'relatime'}
assert [word for word in record['flags'] if word != 'nosymfollow'] == [
    word for bit, word in words.items() if theirs.f_flag & bit], record
print('same')
)",
                        {record}) == "same\n");
  }
}

TEST_CASE("statvfs has the size that df has") {
  const std::string df = tests::run({.words = {"df", "-B1", "--output=size", "/dev/shm"}}).out;
  const std::string ours = osbox({"statvfs", "--format", "{total}", "/dev/shm"}).out;
  CHECK(std::strtoull(tests::lines(df).back().c_str(), nullptr, 10) ==
        std::strtoull(ours.c_str(), nullptr, 10));
}

TEST_CASE("statvfs tells people the sizes, and what is special") {
  const Ran proc = osbox({"statvfs", "/proc"});
  CHECK(proc.status == 0);
  CHECK(proc.out.starts_with("/proc:\n  Size:         0 (0)\n  Free:         0 (0)\n"));
  CHECK(tests::lines(proc.out).size() >= 8);
  const Scratch scratch;
  const Ran quoted = osbox({"statvfs", scratch.directory("new\nline")},
                           {.output_is_terminal = true, .columns = 80});
  CHECK(quoted.out.find("new\\nline") != std::string::npos);
}

TEST_CASE("statvfs is null where bytes take more than 64 bits") {
  const char* const odd = std::getenv("ODD_FILE_SYSTEM");
  if (odd == nullptr) {
    MESSAGE("a static osbox cannot be given an odd file system: not tested");
    return;
  }
  const Scratch scratch;
  tests::Command command{
      .words = {tests::binary(), "statvfs", "--format", "{blocks} {total} {free} {available}",
                scratch.directory("huge"), scratch.path()},
      .environment = {std::string("LD_PRELOAD=") + odd}};
  const auto lines = tests::lines(tests::run(command).out);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == "18446744073709551615  18446744073709547520 4096");
  CHECK(lines[1].find("  ") == std::string::npos);
  command.words.erase(command.words.begin() + 2, command.words.begin() + 4);
  const Ran people = tests::run(command);
  CHECK(people.out.find("  Size:         18446744073709551615 blocks\n"
                        "  Free:         18446744073709547520 (16E)\n") != std::string::npos);
}

TEST_CASE("statvfs fails as os.statvfs does, and does the others") {
  const Scratch scratch;
  scratch.file("file");
  scratch.fifo("fifo");
  scratch.link("file", "link");
  scratch.link("nosuch", "dangling");
  scratch.link("loop", "loop");
  const std::vector<std::string> paths = {"file",   "fifo", "link",   "dangling",
                                          "loop",   "",     "nosuch", "file/",
                                          "file/x", ".",    "link/",  std::string(256, 'n')};
  std::vector<std::string> words = {scratch.path()};
  words.insert(words.end(), paths.begin(), paths.end());
  const auto theirs = tests::lines(tests::python(R"(
import errno, os, sys
os.chdir(sys.argv[1])
for path in sys.argv[2:]:
    try:
        os.statvfs(path)
        print('done')
    except OSError as error:
        print(errno.errorcode[error.errno])
)",
                                                 words));
  REQUIRE(theirs.size() == paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    CAPTURE(paths[i]);
    const Ran ran =
        tests::run({.words = {tests::binary(), "statvfs", "--format", "{bsize}", "--", paths[i]},
                    .directory = scratch.path()});
    CHECK(ran.status == (theirs[i] == "done" ? 0 : 1));
    if (theirs[i] != "done") CHECK(ran.err.find(": " + theirs[i] + ": ") != std::string::npos);
    CHECK(ran.out.empty() == (theirs[i] != "done"));
  }
}

TEST_CASE("statvfs --beneath and --no-symlinks keep to the directory") {
  if (!tests::newer_calls()) return;
  const Scratch scratch;
  const std::string base = scratch.directory("base");
  scratch.link("/proc", "base/out");
  scratch.link(".", "base/in");
  CHECK(osbox({"statvfs", "--beneath", base, "in", "."}).status == 0);
  CHECK(osbox({"statvfs", "--beneath", base, "out"}).err ==
        "statvfs: out: EXDEV: Invalid cross-device link\n");
  CHECK(osbox({"statvfs", "--beneath", base, ".."}).err ==
        "statvfs: ..: EXDEV: Invalid cross-device link\n");
  CHECK(osbox({"statvfs", "--no-symlinks", base + "/in"}).err ==
        "statvfs: " + base + "/in: ELOOP: Too many levels of symbolic links\n");
  CHECK(osbox({"statvfs", "--format", "{bsize}", "--beneath", "/", "proc"}).out ==
        osbox({"statvfs", "--format", "{bsize}", "/proc"}).out);
}
