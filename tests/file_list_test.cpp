// How ls shows what it lists.
#include "core/out/file_list.hpp"

#include <algorithm>

#include "tests/ls.hpp"

using tests::fill;
using tests::gnu;
using tests::ls;
using tests::resize;
using tests::terminal;
using tests::words_of;

TEST_CASE("ls -C lays names out as GNU ls does") {
  const Scratch scratch;
  fill(scratch);
  for (const std::string line : {"-C", "-CF", "-Ci", "-lC", "-Cr", "-Ct", "-1C", "-CA d ."}) {
    CAPTURE(line);
    std::vector<std::string> theirs = words_of(line);
    theirs.insert(theirs.begin(), {"-T0", "-w80"});
    CHECK(ls(words_of(line), scratch.path()).out == gnu(theirs, scratch.path()).out);
  }
  const Ran one = ls({"-C1"}, scratch.path());
  CHECK(one.out == gnu({"-1"}, scratch.path()).out);
}

TEST_CASE("ls -h rounds sizes up, as GNU ls does") {
  const Scratch scratch;
  std::vector<std::string> words = {"-lh"};
  for (int shift = 9; shift < 41; ++shift) {
    for (const off_t difference : {-1, 0, 1}) {
      const std::string name = std::to_string(shift) + "." + std::to_string(difference + 1);
      resize(scratch.file(name), (off_t{1} << shift) + difference);
      resize(scratch.file(name + "x"), (off_t{1} << shift) / 10 * 99 + difference);
    }
  }
  CHECK(ls(words, scratch.path()).out == gnu(words, scratch.path()).out);
}

TEST_CASE("ls shows no control character of a name on a terminal") {
  const Scratch scratch;
  for (const std::string& name : tests::hostile_names()) scratch.file(name);
  for (const std::string option : {"-A", "-l", "-1", "-C", "-F"}) {
    CAPTURE(option);
    const std::string out = osbox({"ls", option, "--color=never", scratch.path()}, terminal).out;
    CHECK(std::ranges::none_of(out, [](char byte) {
      return (static_cast<unsigned char>(byte) < 0x20 && byte != '\n') || byte == 0x7f;
    }));
    CHECK(out.find("\xc2\x9b") == std::string::npos);
    CHECK(out.find("$'new\\nline'") != std::string::npos);
  }
}

TEST_CASE("ls on a terminal has columns that fit what is shown") {
  const Scratch scratch;
  for (const char* const name : {"a b", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "c", "dd", "eee",
                                 "tab\t", "f", "g", "h", "i", "j", "k"}) {
    scratch.file(name);
  }
  const Ran ran = osbox({"ls", "--color=never", scratch.path()}, terminal);
  // Two cells for each of the three wide characters.
  CHECK(ran.out ==
        "'a b'  dd   f  h  j  $'tab\\t'\n"
        "c      eee  g  i  k  \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\n");
  CHECK(osbox({"ls", "--color=never", scratch.path()}, {.output_is_terminal = true, .columns = 29})
            .out ==
        "'a b'  eee  h  k\n"
        "c      f    i  $'tab\\t'\n"
        "dd     g    j  \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\n");
}

TEST_CASE("ls --color colours types, modes and suffixes, and nothing else") {
  const Scratch scratch;
  fill(scratch);
  for (const std::string colours :
       {"", "or=31:mi=05:*.tar=33", "ln=target", "ex=", "fi=32:ln=target:or=35"}) {
    for (const std::string line : {"-A", "-lA", "-AF", "-lAF", "dangling to-x"}) {
      CAPTURE(colours);
      CAPTURE(line);
      std::vector<std::string> words = words_of(line);
      words.insert(words.begin(), "--color=always");
      const auto run = [&](std::vector<std::string> program) {
        program.insert(program.end(), words.begin(), words.end());
        return tests::run({.words = program,
                           .environment = {"LC_ALL=C", "TZ=UTC", "TERM=xterm", "NO_COLOR=1",
                                           "LS_COLORS=" + colours},
                           .directory = scratch.path()})
            .out;
      };
      // GNU ls resets the terminal once before the first colour.
      std::string theirs = run({"ls"});
      if (const std::size_t first = theirs.find("\033[0m\033["); first != theirs.npos) {
        theirs.erase(first, 4);
      }
      CHECK(run({tests::binary(), "ls"}) == theirs);
    }
  }
  CHECK(osbox({"ls", scratch.path()}).out.find('\033') == std::string::npos);
  CHECK(osbox({"ls", "--color=never", scratch.path()}, terminal).out.find('\033') ==
        std::string::npos);
  for (const std::string of_program : {"--json", "-0", "--shell"}) {
    CHECK(osbox({"ls", of_program, "--color=always", scratch.path()}).out.find('\033') ==
          std::string::npos);
  }
}

TEST_CASE("COLUMNS is the width of a line, where it is a number above 0") {
  const Scratch scratch;
  for (const std::string name : {"aaaa", "bbbb", "cccc"}) scratch.file(name);
  const auto shown = [&](const std::string& columns) {
    return tests::run({.words = {tests::binary(), "ls", "-C", scratch.path()},
                       .environment = {"COLUMNS=" + columns}})
        .out;
  };
  CHECK(shown("17") == "aaaa  bbbb  cccc\n");
  CHECK(shown("12") == "aaaa  cccc\nbbbb\n");
  CHECK(shown("1") == "aaaa\nbbbb\ncccc\n");
  for (const std::string none : {"", "0", "-1", "9x", " 9", "99999999999"}) {
    CAPTURE(none);
    CHECK(shown(none) == "aaaa  bbbb  cccc\n");
  }
}

TEST_CASE("a line is as wide as the terminal") {
  const Scratch scratch;
  for (const std::string name : {"aaaa", "bbbb", "cccc"}) scratch.file(name);
  CHECK(tests::python(R"(
import fcntl, os, struct, subprocess, sys, termios
os.environ.pop('COLUMNS', None)
for columns in 17, 12, 0:
    reader, writer = os.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    subprocess.run([sys.argv[1], 'ls', '--color=never', sys.argv[2]], stdout=writer)
    os.close(writer)
    print(repr(os.read(reader, 4096).decode().splitlines()))
    os.close(reader)
)",
                      {tests::binary(), scratch.path()}) ==
        "['aaaa  bbbb  cccc']\n['aaaa  cccc', 'bbbb']\n['aaaa  bbbb  cccc']\n");
}

TEST_CASE("ls counts colours for nothing where it lays out columns") {
  const Scratch scratch;
  for (const char* const name : {"one", "two", "three", "four", "five", "six", "seven"}) {
    scratch.directory(name);
  }
  std::string coloured = osbox({"ls", "--color=always", scratch.path()}, terminal).out;
  for (std::size_t at = 0; (at = coloured.find('\033')) != coloured.npos;) {
    coloured.erase(at, coloured.find('m', at) + 1 - at);
  }
  CHECK(coloured == osbox({"ls", "--color=never", scratch.path()}, terminal).out);
}
