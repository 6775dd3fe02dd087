// What every applet owes that makes names or takes them away, whichever it is.
#pragma once

#include <sys/syscall.h>

#include <cerrno>
#include <functional>

#include "core/sys/stat.hpp"
#include "tests/harness.hpp"

namespace tests {

/// One that makes names, or takes those away that `prepare` makes.
struct Changing {
  std::string applet;
  std::function<void(const std::string& path)> prepare = {};
  bool makes() const { return prepare == nullptr; }
};

inline void check_changing(const Changing& changing) {
  const auto& [applet, prepare] = changing;
  const bool makes = changing.makes();
  CAPTURE(applet);
  const auto make_ready = [&](const std::string& path) {
    if (!makes) prepare(path);
    return path;
  };
  const auto done = [&](const std::string& path) { return core::lstat(path).has_value() == makes; };
  const auto message = [&](const std::string& path, const std::string& rest) {
    return applet + ": " + path + ": " + rest + "\n";
  };

  SUBCASE("nothing is said, and after a failed operand the others are done") {
    const Scratch scratch;
    const std::string a = make_ready(scratch / "a");
    const std::string b = make_ready(scratch / "b");
    scratch.file("f");
    const Ran ran = osbox({applet, a, "", scratch / "f/x", b});
    CHECK(ran.status == 1);
    CHECK(ran.out == "");
    CHECK(ran.err == message("''", "ENOENT: No such file or directory") +
                         message(scratch / "f/x", "ENOTDIR: Not a directory"));
    CHECK(done(a));
    CHECK(done(b));
    CHECK(osbox({applet, "--exit-errno", scratch / "f/x"}).status == ENOTDIR);
    CHECK(osbox({applet}).status == 2);
  }

  SUBCASE("-v tells in words") {
    const Scratch scratch;
    const std::string word = makes ? "made " : "removed ";
    CHECK(osbox({applet, "-v", make_ready(scratch / "a b")}).out ==
          word + (scratch / "a b") + "\n");
    out::Screen terminal{.output_is_terminal = true};
    CHECK(osbox({applet, "-v", make_ready(scratch / "c\n")}, terminal).out.find("c\n") ==
          std::string::npos);
  }

  SUBCASE("any name goes in, and comes back") {
    const Scratch scratch;
    std::vector<std::string> words = {binary(), applet, "-0", "--format", "{path}", "--"};
    std::string list;
    for (const std::string& name : hostile_names()) {
      words.push_back(name);
      make_ready(scratch / name);
      list += name + '\0';
    }
    const Ran ran = run({.words = words, .directory = scratch.path()});
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
    CHECK(ran.out == list);
    for (const std::string& name : hostile_names()) CHECK(done(scratch / name));
  }

  SUBCASE("any name comes with --files0-from") {
    const Scratch scratch;
    std::string list;
    for (const std::string& name : hostile_names()) {
      make_ready(scratch / name);
      list += name + '\0';
    }
    const Ran ran = run({.words = {binary(), applet, "--files0-from", "-"},
                         .input = list,
                         .directory = scratch.path()});
    CHECK(ran.status == 0);
    CHECK(ran.out == "");
    for (const std::string& name : hostile_names()) CHECK(done(scratch / name));
  }

  SUBCASE("records that nobody can read keep no operand from being done") {
    const Scratch scratch;
    std::vector<std::string> words = {binary(), applet, "--json"};
    // More than is written at once.
    for (int i = 0; i < 2000; ++i) {
      words.push_back(make_ready(scratch / (std::string(60, 'n') + std::to_string(i))));
    }
    const Ran ran = run({.words = words, .output_file = "/dev/full"});
    CHECK(ran.status == 1);
    CHECK(ran.err.find(R"("path":"stdout","errno":28,"error":"ENOSPC")") != std::string::npos);
    CHECK(lines(ran.err).size() == 1);
    CHECK(done(words[3]));
    CHECK(done(words.back()));
  }

  SUBCASE("--beneath and --no-symlinks let nothing out") {
    const Scratch scratch;
    const std::string base = scratch.directory("base");
    scratch.directory("base/d");
    scratch.directory("out");
    scratch.link("../out", "base/up");
    scratch.link(scratch / "out", "base/absolute");
    scratch.link("d", "base/in");
    make_ready(scratch / "x");
    make_ready(scratch / "out/x");
    make_ready(scratch / "base/d/x");
    for (const std::string path :
         {"../x", "../out/x", "up/x", "absolute/x", "d/../../x", "/nosuch/x", "up/../x"}) {
      CAPTURE(path);
      const Ran ran = osbox({applet, "--beneath", base, path});
      CHECK(ran.status == 1);
      CHECK(ran.err == message(path, newer_calls() ? "EXDEV: Invalid cross-device link"
                                                   : "ENOSYS: Function not implemented"));
    }
    const Ran link = osbox({applet, "--no-symlinks", base + "/in/x"});
    CHECK(link.err == message(base + "/in/x", newer_calls()
                                                  ? "ELOOP: Too many levels of symbolic links"
                                                  : "ENOSYS: Function not implemented"));
    for (const int error : {ENOSYS, EPERM}) {
      const Ran old = run({.words = {binary(), applet, "--beneath", base, "d/x"},
                           .denied = {{SYS_openat2, error}}});
      CHECK(old.status == 1);
      CHECK(old.err == message("d/x", "ENOSYS: Function not implemented"));
    }
    CHECK(!done(scratch / "x"));
    CHECK(!done(scratch / "out/x"));
    CHECK(!done(base + "/d/x"));
    if (!newer_calls()) return;
    CHECK(osbox({applet, "--beneath", base, "in/../in/x"}).status == 0);
    CHECK(done(base + "/d/x"));
  }

  SUBCASE("names and paths that are too long are ENAMETOOLONG") {
    const Scratch scratch;
    const std::string name(255, 'n');
    CHECK(osbox({applet, make_ready(scratch / name)}).status == 0);
    CHECK(done(scratch / name));
    CHECK(osbox({applet, scratch / (name + "n")}).err ==
          message(scratch / (name + "n"), "ENAMETOOLONG: File name too long"));
    // 5,000 bytes that lead nowhere far.
    std::string path = scratch.path();
    while (path.size() < 5000) path += "/.";
    if (applet == "mkdir" || applet == "mkfifo" || applet == "mknod" || applet == "rmdir" ||
        applet == "unlink" || applet == "remove") {
      CHECK(osbox({applet, path + "/x"}).err ==
            message(path + "/x", "ENAMETOOLONG: File name too long"));
    }
  }
}

}  // namespace tests
