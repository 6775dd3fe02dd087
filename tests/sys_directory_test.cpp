#include "core/sys/directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "core/sys/backend.hpp"
#include "core/sys/fs.hpp"
#include "tests/harness.hpp"

namespace {

/// All names that `reader` finds, as they come, or the error at the end.
template <class Reader>
std::vector<std::string> names(Reader& reader, core::FdRef directory) {
  std::vector<std::string> all;
  reader.begin(directory);
  for (;;) {
    const auto batch = reader.read();
    if (!batch) {
      all.push_back("error " + std::string(core::error_name(batch.error().number)) + " of " +
                    batch.error().call);
      return all;
    }
    if (batch->empty()) return all;
    for (const core::DirEntry& entry : *batch) {
      all.emplace_back(entry.name);
      if (entry.name[entry.length] != '\0') all.back() = "a name without its end";
    }
  }
}

core::Fd opened(const std::string& path) {
  auto fd = core::open_directory(path);
  REQUIRE(fd);
  return *std::move(fd);
}

/// Does `work` with both twins.
template <class Work>
void with_both(Work work) {
  for (const bool plain : {false, true}) {
    CAPTURE(plain);
    const auto reader =
        plain ? core::posix::directory_batches() : core::backend::directory_batches();
    work(*reader);
  }
}

}  // namespace

TEST_CASE("100,000 names are found, each once, in the order of readdir") {
  const Scratch scratch("/dev/shm");
  int made = 0;
  while (made < 100'000 &&
         ::mknod((scratch / ("name-" + std::to_string(made))).c_str(), S_IFREG | 0600, 0) == 0) {
    ++made;
  }
  REQUIRE(made == 100'000);
  const std::vector<std::string> theirs = tests::lines(tests::python(
      "import os, sys\nfor name in os.listdir(sys.argv[1]): print(name)", {scratch.path()}));
  REQUIRE(theirs.size() == 100'000);
  with_both([&](core::DirectoryBatches& reader) {
    CHECK((names(reader, opened(scratch.path())) == theirs));
  });
}

TEST_CASE("names come as they are, without . and .., and with their types") {
  const Scratch scratch;
  for (const std::string& name : tests::hostile_names()) scratch.file(name);
  scratch.directory("a dir");
  scratch.link("nowhere", "a link");
  scratch.fifo("a fifo");
  scratch.file("..x");
  with_both([&](core::DirectoryBatches& reader) {
    const core::Fd directory = opened(scratch.path());
    reader.begin(directory);
    std::vector<std::string> found;
    for (;;) {
      const auto batch = reader.read();
      REQUIRE(batch);
      if (batch->empty()) break;
      for (const core::DirEntry& entry : *batch) {
        found.emplace_back(entry.text());
        const auto stat = core::lstat(entry.name, core::want::basic, directory);
        REQUIRE(stat);
        CHECK((entry.type == stat->type || entry.type == core::Type::unknown));
        CHECK(entry.ino == stat->ino);
      }
    }
    std::vector<std::string> expected = tests::hostile_names();
    for (const char* const name : {"a dir", "a link", "a fifo", "..x"}) expected.push_back(name);
    std::ranges::sort(found);
    std::ranges::sort(expected);
    CHECK(found == expected);
  });
}

TEST_CASE("one reader goes from directory to directory, also before it is done with one") {
  const Scratch scratch;
  scratch.directory("empty");
  scratch.directory("one");
  scratch.file("one/a");
  scratch.directory("many");
  for (int i = 0; i < 5000; ++i) scratch.file("many/" + std::to_string(i));
  with_both([&](core::DirectoryBatches& reader) {
    CHECK(names(reader, opened(scratch / "empty")).empty());
    CHECK(names(reader, opened(scratch / "many")).size() == 5000);
    const core::Fd left = opened(scratch / "many");
    reader.begin(left);
    REQUIRE(reader.read());
    CHECK(names(reader, opened(scratch / "one")) == std::vector<std::string>{"a"});
    CHECK(names(reader, opened(scratch / "empty")).empty());
    CHECK(names(reader, opened(scratch / "many")).size() == 5000);
  });
  core::DirectoryReader first;
  CHECK(names(first, opened(scratch / "one")).size() == 1);
  core::DirectoryReader second = std::move(first);
  CHECK(names(second, opened(scratch / "many")).size() == 5000);
}

TEST_CASE("a deleted directory is at its end; what is none is an error, and the next one is fine") {
  const Scratch scratch;
  const std::string gone = scratch.directory("gone");
  const core::Fd deleted = opened(gone);
  REQUIRE(::rmdir(gone.c_str()) == 0);
  const core::Fd file = *core::open(scratch.file("file"), O_RDONLY);
  const core::Fd path = *core::open(scratch.path(), O_PATH | O_DIRECTORY);
  with_both([&](core::DirectoryBatches& reader) {
    CHECK(names(reader, deleted).empty());
    CHECK(names(reader, file) == std::vector<std::string>{"error ENOTDIR of readdir"});
    CHECK(names(reader, path) == std::vector<std::string>{"error EBADF of readdir"});
    CHECK(names(reader, opened(scratch.path())) == std::vector<std::string>{"file"});
  });
}

TEST_CASE("without getdents64 a directory is an error, and not empty") {
  const Scratch scratch;
  scratch.file("file");
  for (const int error : {ENOSYS, EPERM}) {
    with_both([&](core::DirectoryBatches& reader) {
      CHECK(tests::in_child(
                [&] {
                  const auto directory = core::open_directory(scratch.path());
                  return directory ? names(reader, *directory).back() : "open";
                },
                {{SYS_getdents64, error}}) ==
            "error " + std::string(core::error_name(error)) + " of readdir");
    });
  }
}

TEST_CASE("only a directory is opened as one") {
  const Scratch scratch;
  scratch.directory("dir");
  scratch.link("dir", "link");
  const auto number = [&](const std::string& path, core::Links links = core::Links::follow) {
    const auto directory = core::open_directory(scratch / path, {}, links);
    return directory ? 0 : directory.error().number;
  };
  CHECK(number("dir", core::Links::no_follow) == 0);
  CHECK(number("link") == 0);
  CHECK(number("link", core::Links::no_follow) == ENOTDIR);
  scratch.file("file");
  scratch.fifo("fifo");
  CHECK(number("file") == ENOTDIR);
  CHECK(number("fifo") == ENOTDIR);
  CHECK(number("missing") == ENOENT);
  scratch.directory("locked", 0);
  CHECK(tests::in_child([&] { return std::to_string(number("locked")); }, {}, true) ==
        std::to_string(EACCES));
}
