#include <sys/stat.h>

#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"
#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"

using tests::binary;
using tests::run;

namespace {

std::string content(const std::string& path) { return *core::read_file(path); }
std::uint64_t size(const std::string& path) { return core::stat(path)->size; }

}  // namespace

TEST_CASE("truncate cuts a file or lengthens it with a hole, and says nothing") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "content");
  const Ran cut = osbox({"truncate", "4", file});
  CHECK(cut.status == 0);
  CHECK(cut.out == "");
  CHECK(cut.err == "");
  CHECK(content(file) == "cont");
  CHECK(osbox({"truncate", "6", file}).status == 0);
  CHECK(content(file) == std::string("cont\0\0", 6));
  CHECK(osbox({"truncate", "1G", file}).status == 0);
  CHECK(size(file) == 1U << 30);
  CHECK(core::stat(file)->blocks * 512 < 1U << 20);
  CHECK(osbox({"truncate", "0", scratch.link("file", "link")}).status == 0);
  CHECK(size(file) == 0);
}

TEST_CASE("truncate tells with -v, and in records, what size there was") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "content");
  const std::string link = scratch.link("file", "link");
  CHECK(osbox({"truncate", "-v", "3", file}).out == file + ": 7 -> 3 bytes\n");
  CHECK(osbox({"truncate", "--json", "2K", link, scratch / "nosuch", file}).out ==
        "{\"path\":\"" + link + "\",\"old_size\":3,\"size\":2048}\n{\"path\":\"" + file +
            "\",\"old_size\":2048,\"size\":2048}\n");
  CHECK(osbox({"truncate", "--shell", "0", file}).out ==
        "truncate_path=" + file + " truncate_old_size=2048 truncate_size=0\n");
}

TEST_CASE("truncate takes sizes with a letter, up to the largest there is") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const std::pair<std::string, std::uint64_t> sizes[] = {
      {"010", 10},     {"1K", 1 << 10}, {"3M", 3 << 20},
      {"1G", 1 << 30}, {"0P", 0},       {"00000000000000000000000000000001", 1},
  };
  for (const auto& [text, bytes] : sizes) {
    CAPTURE(text);
    CHECK(osbox({"truncate", text, file}).status == 0);
    CHECK(size(file) == bytes);
  }
  // It is for the file system to say whether it can.
  for (const std::string text : {"1T", "4P", "7E", "9223372036854775807"}) {
    CAPTURE(text);
    const std::string theirs = tests::python(R"(
import errno, os, sys
count = sys.argv[1]
count = int(count) if count[-1].isdigit() else int(count[:-1]) << 40 + 10 * 'TPE'.index(count[-1])
try:
    os.truncate(sys.argv[2], count)
    print(0)
except OSError as error:
    print(error.errno)
print(os.stat(sys.argv[2]).st_size)
)",
                                             {text, scratch.file("theirs")});
    scratch.file("file");
    const Ran ran = osbox({"truncate", "--exit-errno", text, file});
    CHECK(std::to_string(ran.status) + "\n" + std::to_string(size(file)) + "\n" == theirs);
  }
}

TEST_CASE("truncate takes nothing else for a size, and changes no file then") {
  const Scratch scratch;
  const std::string file = scratch.file("file", "content");
  for (const std::string text : {"",
                                 "K",
                                 "-1",
                                 "+1",
                                 "-0",
                                 " 1",
                                 "1 ",
                                 "1.5",
                                 "1e3",
                                 "0x10",
                                 "1k",
                                 "1KB",
                                 "1KiB",
                                 "1B",
                                 "1Z",
                                 "8E",
                                 "9223372036854775808",
                                 "18446744073709551616",
                                 "36893488147419103232",
                                 "16E",
                                 "99999999999999999999999999999999999"}) {
    CAPTURE(text);
    const Ran ran = osbox({"truncate", "--", text, file});
    CHECK(ran.status == 2);
    CHECK(ran.err.starts_with("truncate: SIZE "));
  }
  CHECK(osbox({"truncate", "8E", file}).err ==
        "truncate: SIZE 8E: number too large; see 'osbox truncate --help'\n");
  CHECK(osbox({"truncate", "99999999999999999999", "f"}).err ==
        "truncate: SIZE 99999999999999999999: number too large; see 'osbox truncate --help'\n");
  CHECK(osbox({"truncate", "5"}).status == 2);
  CHECK(content(file) == "content");
}

TEST_CASE("truncate fails as os.truncate does, on every kind of file, and makes none") {
  const Scratch scratch;
  ::chmod(scratch.path().c_str(), 0777);
  const std::vector<std::string> paths = {"file",
                                          "dir",
                                          "dir/",
                                          "fifo",
                                          "link",
                                          "dangling",
                                          "loop",
                                          "",
                                          "file/",
                                          "file/x",
                                          "nosuch",
                                          "link/",
                                          "nosuch/",
                                          ".",
                                          "locked",
                                          "shut/x",
                                          std::string(256, 'n'),
                                          std::string(5000, '/') + "dev/null"};
  const std::string script = R"(
import errno, os, sys
os.chdir(sys.argv[1])
for path in sys.argv[2:]:
    try:
        os.truncate(path, 5)
        print('done')
    except OSError as error:
        print(errno.errorcode[error.errno])
)";
  const auto fill = [&] {
    run({.words = {"sh", "-c", "rm -rf -- *", "sh"}, .directory = scratch.path()});
    scratch.directory("dir");
    scratch.file("file", "content", 0666);
    scratch.file("locked", "content", 0400);
    scratch.directory("shut", 0700);
    scratch.file("shut/x", "content", 0666);
    scratch.fifo("fifo");
    scratch.link("file", "link");
    scratch.link("nosuch", "dangling");
    scratch.link("loop", "loop");
  };
  for (const bool as_nobody : {false, true}) {
    CAPTURE(as_nobody);
    fill();
    tests::Command python{.words = {"python3", "-c", script, scratch.path()},
                          .as_nobody = as_nobody};
    python.words.insert(python.words.end(), paths.begin(), paths.end());
    const auto theirs = tests::lines(run(python).out);
    REQUIRE(theirs.size() == paths.size());
    fill();
    for (std::size_t i = 0; i < paths.size(); ++i) {
      CAPTURE(paths[i]);
      // By path, and by descriptor.
      for (const std::string how : {"--exit-errno", "-v"}) {
        const Ran ran = run({.words = {"timeout", "20", binary(), "truncate", "5", how, paths[i]},
                             .directory = scratch.path(),
                             .as_nobody = as_nobody});
        CHECK((ran.status == 0) == (theirs[i] == "done"));
        if (theirs[i] == "done") continue;
        CHECK(ran.err.find(": " + theirs[i] + ": ") != std::string::npos);
        CHECK(ran.err.find("open") == std::string::npos);
        if (how == "--exit-errno") CHECK(ran.status == core::error_number(theirs[i]));
      }
    }
    CHECK(size(scratch / "file") == 5);
    CHECK(!core::lstat(scratch / "nosuch"));
    if (as_nobody && tests::is_root()) CHECK(size(scratch / "locked") == 7);
  }
}

TEST_CASE("truncate leaves a program that runs alone") {
  const Scratch scratch;
  const std::string copy = scratch / "osbox";
  REQUIRE(run({.words = {"cp", binary(), copy}}).status == 0);
  for (const std::string how : {"--exit-errno", "-v"}) {
    CHECK(run({.words = {copy, "truncate", "0", how, copy}}).err ==
          "truncate: " + copy + ": ETXTBSY: Text file busy\n");
  }
  CHECK(size(copy) > 0);
}

TEST_CASE("truncate takes any name, and operands from a file") {
  const Scratch scratch;
  std::string list;
  for (const std::string& name : tests::hostile_names()) {
    scratch.file(name, "content");
    list += name + '\0';
  }
  const Ran ran = run({.words = {binary(), "truncate", "-v", "-0", "1", "--files0-from", "-"},
                       .input = list,
                       .directory = scratch.path()});
  CHECK(ran.status == 0);
  std::string told;
  for (const std::string& name : tests::hostile_names()) {
    CHECK(content(scratch / name) == "c");
    told += name + ": 7 -> 1 bytes" + '\0';
  }
  CHECK(ran.out == told);
}

TEST_CASE("truncate --beneath and --no-symlinks keep to the directory") {
  const Scratch scratch;
  const std::string base = scratch.directory("base");
  const std::string outside = scratch.file("outside", "content");
  const std::string inside = scratch.file("base/inside", "content");
  scratch.link("../outside", "base/out");
  scratch.link("inside", "base/in");
  if (tests::newer_calls()) {
    for (const std::string how : {"--exit-errno", "-v"}) {
      for (const std::string path : {"out", "../outside"}) {
        CHECK(osbox({"truncate", "0", how, "--beneath", base, path}).err ==
              "truncate: " + path + ": EXDEV: Invalid cross-device link\n");
      }
      CHECK(osbox({"truncate", "0", how, "--no-symlinks", base + "/in"}).err ==
            "truncate: " + base + "/in: ELOOP: Too many levels of symbolic links\n");
    }
    CHECK(content(inside) == "content");
    CHECK(osbox({"truncate", "3", "--beneath", base, "in"}).status == 0);
    CHECK(content(inside) == "con");
  } else {
    CHECK(osbox({"truncate", "0", "--beneath", base, "in"}).status == 1);
    CHECK(content(inside) == "content");
  }
  CHECK(content(outside) == "content");
}

TEST_CASE(
    "truncate without /proc says so where it takes it, and does not say the file is missing") {
  if (tests::disturbed_by_sanitizer()) return;
  const Scratch scratch;
  const std::string file = scratch.file("file", "content");
  const std::string options = tests::is_root() ? "-m" : "-Urm";
  if (run({.words = {"unshare", options, "true"}}).status != 0) {
    MESSAGE("not tested: no mount namespace to be had here");
    return;
  }
  const auto without = [&](const std::string& how) {
    return run(
        {.words = {"unshare", options, "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh",
                   binary(), "truncate", "3", how, file}});
  };
  CHECK(without("-v").err ==
        "truncate: " + file +
            ": ENOSYS: Function not implemented (it takes /proc, which is not mounted)\n");
  CHECK(content(file) == "content");
  CHECK(without("--exit-errno").status == 0);
  CHECK(content(file) == "con");
}

TEST_CASE("truncate beyond what a process may write is EFBIG, and the next one is done") {
  const Scratch scratch;
  scratch.file("large");
  scratch.file("small", "content");
  for (const std::string how : {"", "-v"}) {
    const Ran ran = tests::shell(
        "cd \"$1\"; ulimit -f 1; printf 'large\\0small\\0' | osbox truncate $2 1M --files0-from -;"
        "osbox truncate $2 2 small",
        {scratch.path(), how});
    CHECK(ran.err ==
          "truncate: large: EFBIG: File too large\ntruncate: small: EFBIG: File too large\n");
    CHECK(content(scratch / "large").empty());
    CHECK(content(scratch / "small") == "co");
  }
}
