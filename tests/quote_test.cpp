#include "core/out/quote.hpp"

#include <algorithm>
#include <map>

#include "core/out/utf8.hpp"
#include "tests/harness.hpp"

namespace {

/// All byte strings, each with a NUL behind it, as the shells below print them.
std::string all_of(const std::vector<std::string>& strings) {
  std::string all;
  for (const std::string& bytes : strings) all += bytes + '\0';
  return all;
}

/// As many of the byte strings as a shell that forks for each can take in a short time.
std::vector<std::string> some() {
  const std::vector<std::string>& all = tests::byte_strings();
  std::vector<std::string> some;
  for (std::size_t i = 0; i < all.size(); i += tests::is_long() || i < 50 ? 1 : i < 400 ? 5 : 61) {
    some.push_back(all[i]);
  }
  for (const std::string& name : tests::hostile_names()) some.push_back(name);
  std::string every;
  for (int byte = 1; byte < 256; ++byte) every += static_cast<char>(byte);
  some.push_back(every);
  return some;
}

/// One line of what a terminal shows and does not obey.
void check_line(const std::string& text) {
  CAPTURE(text);
  for (std::string_view rest = text; !rest.empty();) {
    const out::Utf8 next = out::decode_utf8(rest);
    REQUIRE(next.length != 0);
    REQUIRE(out::printable(next.point));
    rest.remove_prefix(next.length);
  }
}

/// The first string that two lists of all_of differ in, to be looked for in a report.
std::string first_difference(std::string_view a, std::string_view b) {
  const auto at = static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
  const std::size_t begin = a.rfind('\0', at == 0 ? 0 : at - 1) + 1;
  return out::quoted(a.substr(begin, 60)) + " is not " + out::quoted(b.substr(begin, 60));
}

constexpr const char* locales[] = {"C", "C.UTF-8"};

}  // namespace

TEST_CASE("a quoted name is one harmless line, and bash and zsh read the name from it") {
  std::string script = "printf '%s\\0'";
  for (const std::string& bytes : tests::byte_strings()) {
    const std::string word = out::quoted(bytes);
    check_line(word);
    script += ' ' + word;
  }
  const std::string all = all_of(tests::byte_strings());
  for (const std::string shell : {"bash", "zsh"}) {
    for (const std::string locale : locales) {
      CAPTURE(shell);
      CAPTURE(locale);
      const Scratch scratch;
      const Ran ran = tests::run({.words = {shell, scratch.file("script", script)},
                                  .environment = {"LC_ALL=" + locale},
                                  .directory = scratch.path()});
      CHECK(ran.err == "");
      CHECK(ran.out == all);
    }
  }
}

TEST_CASE("an assignment gives every shell the bytes back, read line by line or at once") {
  const std::vector<std::string> strings = some();
  std::string lines;
  for (const std::string& bytes : strings) {
    std::string line;
    out::append_assignment(line, "x_path", bytes);
    check_line(line);
    lines += line + "\n";
  }
  const std::string all = all_of(strings);
  for (const std::string shell : {"dash", "bash", "zsh"}) {
    for (const std::string locale : locales) {
      CAPTURE(shell);
      CAPTURE(locale);
      const Scratch scratch;
      const Ran ran = tests::run(
          {.words = {shell, "-c",
                     "while read -r line; do eval \"$line\"; printf '%s\\0' \"$x_path\"; done"},
           .input = lines,
           .environment = {"LC_ALL=" + locale},
           .directory = scratch.path()});
      CHECK(ran.err == "");
      REQUIRE_MESSAGE(ran.out == all, first_difference(ran.out, all));
      // Nothing was run: no file "pwned", nor any other.
      CHECK(tests::run({.words = {"ls", "-A", scratch.path()}}).out == "");
    }
  }
}

TEST_CASE("an assignment goes through printf only where it must") {
  const auto assignment = [](std::string_view value) {
    std::string to;
    out::append_assignment(to, "x", value);
    return to;
  };
  CHECK(assignment("plain") == "x=plain");
  CHECK(assignment("a b") == "x='a b'");
  CHECK(assignment("") == "x=''");
  CHECK(assignment("a\nb%'\\") == "x=$(printf -- 'a\\012b%%'\\''\\\\')");
  CHECK(assignment("a\n\n") == "x=$(printf '\\n\\n.'); x=$(printf -- 'a')${x%.}");
  CHECK(assignment("\n") == "x=$(printf '\\n.'); x=${x%.}");
}

TEST_CASE("a word is the same to every shell") {
  std::string script = "printf '%s\\0'";
  for (const std::string& bytes : tests::byte_strings()) {
    script += ' ';
    out::append_word(script, bytes);
  }
  const std::string all = all_of(tests::byte_strings());
  for (const std::string shell : {"dash", "bash", "zsh"}) {
    CAPTURE(shell);
    const Scratch scratch;
    CHECK(tests::run({.words = {shell, scratch.file("script", script)}}).out == all);
  }
}

TEST_CASE("only what needs quotes has them") {
  const std::map<std::string, std::string> expected = {
      {"plain-name_1.txt", "plain-name_1.txt"},
      {"a/b:c,d@e%f+g=h", "a/b:c,d@e%f+g=h"},
      {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
      {"", "''"},
      {"a b", "'a b'"},
      {"it's", "'it'\\''s'"},
      {"=ls", "'=ls'"},
      {"~", "'~'"},
      {"a\xc2\xa0"
       "b",
       "'a\xc2\xa0"
       "b'"},
      {"new\nline", "$'new\\nline'"},
      {"it's\n", "$'it\\'s\\n'"},
      {"bad\xff", "$'bad\\377'"},
      {"\x1b[31m\\", "$'\\033[31m\\\\'"},
      {"\xe2\x80\xae", "$'\\342\\200\\256'"},
  };
  for (const auto& [name, quoted] : expected) CHECK(out::quoted(name) == quoted);
}

TEST_CASE("a sentence is shown as it is but for what a terminal would obey") {
  std::string to;
  out::append_visible(to, "leads back to 'a b' \xc3\xa9\n\x1b[2J\xff");
  CHECK(to == "leads back to 'a b' \xc3\xa9\\012\\033[2J\\377");
}
