#include <unistd.h>

#include <algorithm>

#include "applets/registry.hpp"
#include "tests/harness.hpp"

namespace {

/// osbox as a process of its own, under another argv[0].
Ran run_as(const std::string& program, const std::vector<std::string>& words = {}) {
  tests::Command command{.words = {"bash", "-c", "exec -a \"$0\" \"$OSBOX\" \"$@\"", program}};
  command.words.insert(command.words.end(), words.begin(), words.end());
  return tests::run(command);
}

const std::string enoent = "[ 2] ENOENT: No such file or directory\n";

}  // namespace

TEST_CASE("dispatch: the first word is the applet") {
  CHECK(osbox({"strerror", "2"}).out == enoent);
}

TEST_CASE("dispatch: the name of the program is the applet") {
  const Scratch scratch;
  for (const std::string name : {"strerror", "os-strerror", "osbox-strerror"}) {
    const std::string link = scratch.link(tests::binary(), name);
    CAPTURE(name);
    CHECK(tests::run({.words = {link, "2"}}).out == enoent);
    CHECK(run_as(name, {"2"}).out == enoent);
    CHECK(run_as("./a/" + name, {"2"}).out == enoent);
  }
  const std::string link = scratch.link(tests::binary(), "osbox");
  CHECK(tests::run({.words = {link, "strerror", "2"}}).out == enoent);
  CHECK(run_as("osbox.old", {"strerror", "2"}).out == enoent);
}

TEST_CASE("dispatch: a link that names no applet is 127, whatever follows") {
  for (const std::string name : {"streror", "os-streror", "osbox-streror"}) {
    for (const std::string word : {"strerror", "--list", "--help"}) {
      const Ran ran = run_as("/bin/" + name, {word});
      CHECK(ran.status == 127);
      CHECK(ran.out == "");
      CHECK(ran.err.starts_with("osbox: no applet " + name));
    }
  }
  CHECK(run_as("bad\xff").err == "osbox: no applet $'bad\\377'\n");
}

TEST_CASE("dispatch: an empty argv is osbox alone") {
  out::Io io{out::Sink(), out::Sink(), {}};
  CHECK(cli::dispatch(applets::registry, applets::install, {}, io) == 0);
  CHECK(io.output().buffer() == osbox({}).out);
  CHECK(run_as("").out == osbox({}).out);
}

TEST_CASE("dispatch: an unknown applet is 127, with the nearest names") {
  const Ran ran = osbox({"strerorr", "2"});
  CHECK(ran.status == 127);
  CHECK(ran.out == "");
  CHECK(ran.err == "osbox: no applet strerorr (did you mean strerror?)\n");
  // Of short words many are two letters apart.
  for (const std::string word : {"halt", "fsck", "lsof"}) {
    CHECK(osbox({word}).err == "osbox: no applet " + word + "\n");
  }
  CHECK(osbox({"mkidr"}).err == "osbox: no applet mkidr (did you mean mkdir?)\n");
  CHECK(osbox({"help", "strerorr"}).status == 127);
  CHECK(osbox({"help", "strerorr"}).err == ran.err);
  CHECK(osbox({"--man", "strerorr"}).err == ran.err);
  CHECK(osbox({""}).status == 127);
  CHECK(osbox({""}).err == "osbox: no applet ''\n");
  CHECK(osbox({"qqqqqqqq"}).err == "osbox: no applet qqqqqqqq\n");
}

TEST_CASE("dispatch: osbox alone, --help and help list every applet and alias with its summary") {
  const Ran ran = osbox({});
  CHECK(ran.status == 0);
  CHECK(ran.err == "");
  CHECK(osbox({"--help"}).out == ran.out);
  CHECK(osbox({"help"}).out == ran.out);
  for (const std::string word : {"--help", "help", "osbox"}) {
    CHECK(osbox({"help", word}).out == ran.out);
  }
  for (const cli::Found& found : cli::all(applets::registry)) {
    std::string name(found.name());
    // A long name has a line of its own.
    if (name.size() > 11) {
      name += "\n" + std::string(14, ' ');
    } else {
      name.resize(12, ' ');
    }
    CHECK(ran.out.find("\n  " + name + " " + std::string(found.summary()) + "\n") !=
          std::string::npos);
  }
  // It is as wide as its longest line; a screen of a column less has another form of it.
  const auto width = [](const std::string& text) {
    return std::ranges::max(tests::lines(text), {}, &std::string::size).size();
  };
  const auto least = static_cast<unsigned>(width(ran.out));
  CHECK(osbox({"--help"}, {.columns = least}).out == ran.out);
  CHECK(width(osbox({"--help"}, {.columns = least - 1}).out) < least);
  for (const unsigned columns : {80U, 60U, 40U}) {
    const Ran narrow = osbox({"--help"}, {.columns = columns});
    for (const std::string& line : tests::lines(narrow.out)) CHECK(line.size() <= columns);
  }
}

TEST_CASE("dispatch: help APPLET is APPLET --help") {
  for (const cli::Found& found : cli::all(applets::registry)) {
    const std::string name(found.name());
    CHECK(osbox({"help", name}).out == osbox({name, "--help"}).out);
  }
  for (const std::string name : {"--install", "install"}) {
    CHECK(osbox({"help", name}).out == osbox({"--install", "--help"}).out);
  }
}

TEST_CASE("dispatch: --list is sorted and one name a line") {
  std::string expected;
  for (const cli::Found& found : cli::all(applets::registry)) {
    expected.append(found.name()).append("\n");
  }
  CHECK(osbox({"--list"}).out == expected);
}

TEST_CASE("dispatch: --version says osbox and a number") {
  const Ran ran = osbox({"--version"});
  CHECK(ran.out.starts_with("osbox "));
  CHECK(ran.out.find_first_not_of("0123456789.\n", 6) == std::string::npos);
}

TEST_CASE("dispatch: wrong usage of osbox itself is 2") {
  const auto wrong = [](const std::vector<std::string>& words) {
    const Ran ran = osbox(words);
    CHECK(ran.status == 2);
    CHECK(ran.out == "");
    return ran.err;
  };
  CHECK(wrong({"--lits"}) ==
        "osbox: unknown option --lits (did you mean --list?); see 'osbox --help'\n");
  CHECK(wrong({"-x"}) == "osbox: unknown option -x; see 'osbox --help'\n");
  CHECK(wrong({"--"}) == "osbox: unknown option --; see 'osbox --help'\n");
  CHECK(wrong({"--list", "x"}) == "osbox: unexpected operand x; see 'osbox --help'\n");
  CHECK(wrong({"--version", "x"}) == "osbox: unexpected operand x; see 'osbox --help'\n");
  CHECK(wrong({"--help", "strerror"}) ==
        "osbox: unexpected operand strerror (use help APPLET); see 'osbox --help'\n");
  CHECK(wrong({"help", "strerror", "x"}) == "osbox: unexpected operand x; see 'osbox --help'\n");
  CHECK(wrong({"--man"}) == "osbox: missing operand APPLET; see 'osbox --help'\n");
}

TEST_CASE("dispatch: output that cannot be written is a failure") {
  const std::vector<std::vector<std::string>> all = {{},
                                                     {"--list"},
                                                     {"--help"},
                                                     {"--version"},
                                                     {"help", "strerror"},
                                                     {"strerror", "--help"},
                                                     {"--man", "strerror"}};
  for (std::vector<std::string> words : all) {
    words.insert(words.begin(), tests::binary());
    const std::string called = words.back() == "--help" && words.size() == 3 ? "strerror"
                               : words.size() == 3 && words[1] == "help"     ? "strerror"
                                                                             : "osbox";
    const Ran full = tests::run({.words = words, .output_file = "/dev/full"});
    CHECK(full.status == 1);
    CHECK(full.err == called + ": stdout: write: ENOSPC: No space left on device\n");
    const Ran closed = tests::run({.words = words, .closed = {1}});
    CHECK(closed.status == 1);
    CHECK(closed.err == called + ": stdout: write: EBADF: Bad file descriptor\n");
  }
}

TEST_CASE("dispatch: closed or full standard error changes no exit status") {
  for (const std::string word : {"4095", "--bogus"}) {
    const std::vector<std::string> words = {tests::binary(), "strerror", word};
    const int status = tests::run({.words = words}).status;
    CHECK(status == (word == "4095" ? 1 : 2));
    CHECK(tests::run({.words = words, .closed = {2}}).status == status);
    CHECK(tests::run({.words = words, .error_file = "/dev/full"}).status == status);
  }
  CHECK(tests::run({.words = {tests::binary(), "nosuch"}, .closed = {0, 1, 2}}).status == 127);
  CHECK(tests::run({.words = {tests::binary(), "--list"}, .closed = {0, 2}}).status == 0);
}
