// What the tests of ls share: its like, and directories to be listed.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/sys/directory.hpp"
#include "tests/harness.hpp"

namespace tests {

inline constexpr out::Screen terminal{.output_is_terminal = true, .columns = 40};

/// GNU ls in the C locale, in `directory`.
inline Ran gnu(const std::vector<std::string>& words, const std::string& directory) {
  Command command{.words = {"ls"}, .environment = {"LC_ALL=C", "TZ=UTC"}, .directory = directory};
  command.words.insert(command.words.end(), words.begin(), words.end());
  return run(command);
}

/// osbox ls as a process of its own, in `directory`.
inline Ran ls(const std::vector<std::string>& words, const std::string& directory) {
  Command command{.words = {binary(), "ls"}, .environment = {"TZ=UTC"}, .directory = directory};
  command.words.insert(command.words.end(), words.begin(), words.end());
  return run(command);
}

inline void set_times(const std::string& path, std::int64_t atime, std::int64_t mtime) {
  const timespec times[2] = {{atime, 5}, {mtime, 7}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

inline void resize(const std::string& path, off_t size) {
  REQUIRE(::truncate(path.c_str(), size) == 0);
}

/// Every kind of thing that ls has a word for.
inline void fill(const Scratch& scratch) {
  std::int64_t when = 1'600'000'000;
  for (const auto& [name, size] :
       std::initializer_list<std::pair<const char*, off_t>>{{"a.tar", 1000},
                                                            {"b.TAR", 1023},
                                                            {"B", 1024},
                                                            {"v1.9", 1025},
                                                            {"v1.10", 10'189},
                                                            {"v01", 10'240},
                                                            {"x.c", 1'048'575},
                                                            {"noext", 1'048'576},
                                                            {"z.h", 0},
                                                            {"y.c", 0},
                                                            {"-dash", 5},
                                                            {".hidden", 2'000'000'000},
                                                            {"huge", off_t{5} << 40}}) {
    resize(scratch.file(name), size);
    set_times(scratch / name, when + 500'000'000, when);
    when += 7'000'000;
  }
  scratch.file("program", "", 0755);
  scratch.file("setuid", "", 04755);
  scratch.directory("d");
  scratch.directory("d/sub");
  scratch.file("d/inside", "12345");
  scratch.directory("empty");
  scratch.directory("nested");
  scratch.directory("nested/inner");
  scratch.directory("nested/inner/most");
  scratch.directory("nested/.hidden");
  scratch.link("..", "nested/up");
  scratch.directory(".dir");
  scratch.directory("sticky", 01777);
  scratch.directory("locked", 0700);
  scratch.link("d", "to-d");
  scratch.link("x.c", "to-x");
  scratch.link("nosuch", "dangling");
  scratch.fifo("pipe");
  REQUIRE(::mknod((scratch / "socket").c_str(), S_IFSOCK | 0644, 0) == 0);
  // Not everybody may make one.
  (void)!::mknod((scratch / "block").c_str(), S_IFBLK | 0640, makedev(7, 0));
  REQUIRE(::link((scratch / "B").c_str(), (scratch / "d/hard").c_str()) == 0);
  set_times(scratch / "to-d", 1, 2);
}

inline void make_files(const std::string& directory, int count, const std::string& prefix) {
  const core::Fd opened = *core::open_directory(directory);
  for (int i = 0; i < count; ++i) {
    const std::string name = prefix + std::to_string(i);
    REQUIRE(::mknodat(core::FdRef(opened).number(), name.c_str(), S_IFREG | 0644, 0) == 0);
  }
}

inline std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    words.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

}  // namespace tests
