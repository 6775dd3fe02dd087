#include "core/sys/signal_name.hpp"

#include <algorithm>
#include <csignal>

#include "tests/harness.hpp"

using core::signal_name;
using core::signal_number;

TEST_CASE("signal names: Python's module knows every symbol under the same number") {
  const std::vector<std::string> known = tests::lines(
      tests::python("import signal\nfor n in dir(signal):\n if n[:3] == 'SIG' and n[3] != '_': "
                    "print(n[3:], int(getattr(signal, n)))"));
  REQUIRE(known.size() > 30);
  for (const std::string& line : known) {
    CAPTURE(line);
    const std::string name = line.substr(0, line.find(' '));
    const std::string number = line.substr(line.find(' ') + 1);
    std::string lower = name;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (const std::string& text :
         {name, "SIG" + name, lower, "sig" + lower, "Sig" + name, number, "0" + number}) {
      CAPTURE(text);
      REQUIRE(signal_number(text));
      CHECK(std::to_string(*signal_number(text)) == number);
    }
    CHECK(signal_number(signal_name(*signal_number(name))) == signal_number(name));
  }
}

TEST_CASE("signal names: bash's kill -l has the same numbers, and takes every name back") {
  const Ran bash = tests::run(
      {.words = {"bash", "-c", "for i in {1..64}; do echo $i $(kill -l $i 2>/dev/null); done"}});
  std::string names;
  for (const std::string& line : tests::lines(bash.out)) {
    CAPTURE(line);
    const std::size_t blank = std::min(line.find(' '), line.size());
    const int number = std::stoi(line.substr(0, blank));
    const std::string theirs = line.substr(std::min(blank + 1, line.size()));
    const std::string ours = signal_name(number);
    CHECK(theirs.empty() == ours.empty());
    if (theirs.empty()) {
      CHECK(!signal_number(std::to_string(number)));
      continue;
    }
    CHECK(signal_number(theirs) == number);
    CHECK(signal_number(ours) == number);
    CHECK(ours.starts_with("SIG"));
    // bash knows one of the two names of 29 alone, and not the one that the C library gives.
    names += (ours == "SIGPOLL" ? "IO" : ours.substr(3)) + " ";
  }
  std::string numbers;
  for (int number = 1; number <= 64; ++number) {
    if (!signal_name(number).empty()) numbers += std::to_string(number) + "\n";
  }
  CHECK(tests::run({.words = {"bash", "-c", "kill -l " + names}}).out == numbers);
}

TEST_CASE("signal names: real-time signals count from either end") {
  CHECK(signal_name(SIGRTMIN) == "SIGRTMIN");
  CHECK(signal_name(SIGRTMIN + 2) == "SIGRTMIN+2");
  CHECK(signal_name(SIGRTMAX) == "SIGRTMAX");
  CHECK(signal_number("RTMIN") == SIGRTMIN);
  CHECK(signal_number("RTMIN+0") == SIGRTMIN);
  CHECK(signal_number("SIGRTMIN+30") == SIGRTMAX);
  CHECK(signal_number("rtmax-1") == SIGRTMAX - 1);
  CHECK(signal_number("SIGRTMAX-30") == SIGRTMIN);
  for (const std::string text :
       {"RTMIN-1", "RTMAX+1", "RTMIN+31", "RTMAX-31", "RTMIN+", "RTMIN+x", "RTMIN+-1", "RTMIN++1",
        "RTMIN 1", "RTMIN1", "RT", "RTMIN+99999999999", "RTMIN+ 1"}) {
    CAPTURE(text);
    CHECK(!signal_number(text));
  }
}

TEST_CASE("signal names: what is no signal is none") {
  CHECK(signal_name(0).empty());
  for (const int number : {-1, -9, 32, 33, 65, 128, 4095, 1 << 30}) {
    CAPTURE(number);
    CHECK(signal_name(number).empty());
    CHECK(!signal_number(std::to_string(number)));
  }
  CHECK(signal_number("0") == 0);
  for (const std::string text :
       {"",     "SIG",         "SIG0",  "SIG9",  "SIGSIGTERM", "-9",       "+9",     " 9",
        "9 ",   "0x9",         "9.0",   "TERM ", " TERM",      "TER",      "TERMX",  "EXIT",
        "ZERO", "99999999999", "-TERM", "-1",    "-0",         "RTMIN+-0", "KILL\n", "T\xcaRM"}) {
    CAPTURE(text);
    CHECK(!signal_number(text));
  }
  CHECK(!signal_number(std::string_view("TERM\0", 5)));
}

TEST_CASE("signal names: the list has every symbol once, in the order of its number") {
  const auto names = core::signal_names();
  CHECK(names.size() == 31);
  int before = 0;
  for (const std::string_view name : names) {
    CAPTURE(name);
    const auto number = signal_number(name);
    REQUIRE(number);
    CHECK(*number > before);
    before = *number;
    CHECK(signal_name(*number) == "SIG" + std::string(name));
  }
}
