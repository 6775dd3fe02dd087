#include "core/sys/mode.hpp"

#include <sys/stat.h>

#include <random>

#include "tests/harness.hpp"

namespace {

/// Random symbolic modes, the same each time: every letter and operation, in any number.
std::vector<std::string> symbolic_modes(std::size_t count) {
  std::mt19937 random(7);
  const auto some = [&](std::string_view letters, unsigned most) {
    std::string text;
    for (unsigned i = static_cast<unsigned>(random() % (most + 1)); i > 0; --i) {
      text += letters[random() % letters.size()];
    }
    return text;
  };
  std::vector<std::string> all;
  while (all.size() < count) {
    std::string mode;
    for (unsigned clauses = static_cast<unsigned>(1 + random() % 3); clauses > 0; --clauses) {
      if (!mode.empty()) mode += ',';
      mode += some("ugoa", 3);
      for (unsigned actions = static_cast<unsigned>(1 + random() % 2); actions > 0; --actions) {
        mode += "+-="[random() % 3];
        mode += random() % 4 == 0 ? std::string(1, "ugo"[random() % 3]) : some("rwxXst", 4);
      }
    }
    all.push_back(std::move(mode));
  }
  return all;
}

/// The mode that a file of mode `old` has after `text`, as core::Mode says.
mode_t applied(const std::string& text, mode_t old, bool directory, mode_t umask) {
  const auto mode = core::Mode::parse(text);
  REQUIRE(mode);
  return mode->apply(old, directory, umask);
}

std::string octal(mode_t mode) {
  std::string text;
  for (; mode != 0; mode >>= 3) text.insert(text.begin(), static_cast<char>('0' + (mode & 7)));
  return text.empty() ? "0" : text;
}

}  // namespace

TEST_CASE("a symbolic mode does to a file and to a directory what GNU chmod does") {
  const Scratch scratch;
  scratch.file("file");
  scratch.directory("dir");
  std::mt19937 random(3);
  std::string script = "cd \"$1\"\n";
  std::string expected;
  const std::vector<std::string> modes = symbolic_modes(tests::is_long() ? 200 : 60);
  for (const std::string& mode : modes) {
    const auto old = static_cast<mode_t>(random() & 07777);
    const auto mask = static_cast<mode_t>(random() & 0777);
    // As an operand behind "--", a mode is never suspected of being an option.
    script += "chmod 0000 file dir; chmod 0" + octal(old) + " file; chmod 00000" + octal(old) +
              " dir; umask " + octal(mask) + "; chmod -- '" + mode +
              "' file dir; stat -c %a file dir\n";
    for (const bool directory : {false, true}) {
      expected += octal(applied(mode, old, directory, mask)) + "\n";
    }
  }
  const Ran ran = tests::run({.words = {"sh", "-c", script, "sh", scratch.path()}});
  CHECK(ran.err == "");
  const auto theirs = tests::lines(ran.out);
  const auto ours = tests::lines(expected);
  REQUIRE(theirs.size() == ours.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    CAPTURE(modes[i / 2]);
    CHECK(ours[i] == theirs[i]);
  }
}

TEST_CASE("a symbolic mode does what POSIX says, bit for bit") {
  // An interpreter in Python, which asks of each bit on its own whether it is set.
  std::mt19937 random(5);
  std::vector<std::string> arguments;
  std::string ours;
  for (const std::string& mode : symbolic_modes(5000)) {
    const auto old = static_cast<mode_t>(random() & 07777);
    const auto mask = static_cast<mode_t>(random() & 0777);
    const bool directory = random() % 2 == 0;
    arguments.push_back(mode + " " + std::to_string(old) + " " + std::to_string(mask) + " " +
                        (directory ? "d" : "f"));
    ours += std::to_string(applied(mode, old, directory, mask)) + "\n";
  }
  const std::string theirs = tests::python(R"(
import re, sys

BIT = {('u', 'r'): 0o400, ('u', 'w'): 0o200, ('u', 'x'): 0o100, ('g', 'r'): 0o40, ('g', 'w'): 0o20,
       ('g', 'x'): 0o10, ('o', 'r'): 0o4, ('o', 'w'): 0o2, ('o', 'x'): 0o1, ('u', 's'): 0o4000,
       ('g', 's'): 0o2000, ('o', 't'): 0o1000}

def apply(text, mode, mask, directory):
    for clause in text.split(','):
        who, actions = re.fullmatch('([ugoa]*)(.*)', clause).groups()
        for operation, perms in re.findall('([-+=])([^-+=]*)', actions):
            before = mode
            for (whose, what), bit in BIT.items():
                if who and whose not in who and 'a' not in who: continue
                masked = not who and mask & bit
                if perms and perms[0] in 'ugo':
                    named = what in 'rwx' and bool(before & BIT[perms[0], what])
                else:
                    named = what in perms or (
                        what == 'x' and 'X' in perms and (directory or bool(before & 0o111)))
                if operation == '=':
                    kept = directory and what == 's' and not named
                    if not kept: mode &= ~bit
                    if named and not masked: mode |= bit
                elif named and not masked:
                    mode = mode | bit if operation == '+' else mode & ~bit
    return mode

for line in sys.argv[1:]:
    text, old, mask, kind = line.split(' ')
    print(apply(text, int(old), int(mask), kind == 'd'))
)",
                                           arguments);
  const auto own_lines = tests::lines(ours);
  const auto their_lines = tests::lines(theirs);
  REQUIRE(own_lines.size() == their_lines.size());
  for (std::size_t i = 0; i < own_lines.size(); ++i) {
    CAPTURE(arguments[i]);
    CHECK(own_lines[i] == their_lines[i]);
  }
}

TEST_CASE("an octal mode is what it says, for files and directories alike") {
  for (const auto& [text, bits] : {std::pair<std::string, mode_t>{"0", 0},
                                   {"7", 07},
                                   {"644", 0644},
                                   {"0755", 0755},
                                   {"7777", 07777},
                                   {"0000000755", 0755},
                                   {"4711", 04711},
                                   {"0o644", 0644},
                                   {"0o0001777", 01777}}) {
    const auto mode = core::Mode::parse(text);
    CAPTURE(text);
    REQUIRE(mode);
    CHECK(mode->is_absolute());
    CHECK(mode->absolute() == bits);
    CHECK(mode->apply(07777, true, 0777) == bits);
    CHECK_FALSE(mode->needs_umask());
  }
  CHECK(core::Mode::of(S_IFREG | 02750).absolute() == 02750);
  CHECK(core::Mode::of(0).is_absolute());
}

TEST_CASE("only a mode that names nobody needs the umask") {
  for (const std::string text : {"+x", "=", "u+r,-w", "-X"}) {
    CAPTURE(text);
    CHECK(core::Mode::parse(text)->needs_umask());
  }
  for (const std::string text : {"a+x", "u=g", "u+r,g-w", "777"}) {
    CAPTURE(text);
    CHECK_FALSE(core::Mode::parse(text)->needs_umask());
  }
}

TEST_CASE("what is no mode is refused, with a reason") {
  for (const std::string text :
       {"",     "8",    "7-x",      "999",     "-1",      "u+q",   "u",     "ugo",
        "u+x,", ",u+x", "u+x,,g+x", "u+x g+x", " 644",    "644 ",  "0x1ff", "0o",
        "0o8",  "0O7",  "0o0o7",    "-0o7",    "0o7,u+x", "u=gr",  "u=rg",  "u+a",
        "rwx",  "+755", "u+755",    "644,u+x", "A+x",     "u+x\n", "u+\xff"}) {
    CAPTURE(text);
    const auto mode = core::Mode::parse(text);
    REQUIRE_FALSE(mode);
    CHECK(mode.error() == "neither octal nor like u+x,go-w");
  }
  for (const std::string text :
       {"010000", "10000", "77777", "37777777777", "40000000000000000000755", "0o10000"}) {
    CAPTURE(text);
    const auto mode = core::Mode::parse(text);
    REQUIRE_FALSE(mode);
    CHECK(mode.error() == "greater than 7777");
  }
  // These are odd, and POSIX has them.
  CHECK(applied("u+", 0644, false, 0) == 0644);
  CHECK(applied("=", 0644, false, 0) == 0);
  CHECK(applied("u+-x", 0744, false, 0) == 0644);
  CHECK(applied("uuu+x", 0644, false, 0) == 0744);
}

TEST_CASE("get_umask tells the umask and leaves it as it was") {
  const mode_t before = ::umask(0123);
  CHECK(core::get_umask() == 0123);
  CHECK(core::get_umask() == 0123);
  CHECK(::umask(before) == 0123);
}
