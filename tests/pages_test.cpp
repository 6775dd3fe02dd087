#include "core/cli/pages.hpp"

#include <algorithm>

#include "applets/registry.hpp"
#include "tests/harness.hpp"

namespace {

Ran lint(const std::string& page) {
  return tests::run({.words = {"mandoc", "-Tlint", "-W", "warning"}, .input = page});
}

/// The page as a reader sees it, without the overstriking of bold letters.
std::string shown(const std::string& page) {
  const Ran ran = tests::run({.words = {"mandoc", "-Tutf8", "-O", "width=80"}, .input = page});
  CHECK(ran.status == 0);
  std::string text;
  for (const char byte : ran.out) {
    if (byte == '\b') {
      text.pop_back();
    } else {
      text += byte;
    }
  }
  return text;
}

std::string main_page() {
  const Ran ran = tests::run({.words = {"cat", tests::build_directory() + "/man/osbox.1"}});
  REQUIRE(ran.status == 0);
  return ran.out;
}

bool within(std::string_view text, std::size_t columns) {
  for (const std::string& line : tests::lines(text)) {
    // The bytes of a character but the first are no column.
    const auto begins = [](char byte) { return (byte & 0xC0) != 0x80; };
    if (std::ranges::count_if(line, begins) > static_cast<std::ptrdiff_t>(columns)) {
      MESSAGE(line);
      return false;
    }
  }
  return true;
}

/// An applet whose words are what roff and mdoc take for their own.
struct Args {
  bool no = false;
  std::string op;
};
bool takes(std::string_view text) { return text[0] >= 'A' && text[0] <= 'Z'; }
cli::Stored take(std::string& to, std::string_view text) {
  to = text;
  return {};
}
constexpr cli::Option rows[] = {
    cli::flag<&Args::no>('B', "No", ".Pp is a macro. 'tis one too. Back\\slash"),
    cli::value<&Args::op>('f', "Fl", "Ar", "'in \"quotes\" and .dots"),
    cli::dashed<&Args::op, takes, take>("Sh", "a word of its own"),
    cli::operands<&Args::op>("Xr", ".Sh", cli::Least::none)};
constexpr cli::Alias aliases[] = {{"Nd", "-B --Fl x", "an alias"}, {"bare", "", "another"}};
constexpr cli::Example examples[] = {{"Nm --format '{a}\\n' \"x\"", ".Bd and .Ed"},
                                     {"Nm .Ed", "two"}};
constexpr cli::Status statuses[] = {{"0", "yes"}, {"1", "no: 'Op'"}};
constexpr cli::Applet nasty = {
    .name = "Nm",
    .group = cli::Group::links,
    .summary = "be a macro",
    .description =
        ".Sh at the beginning. 'quotes' at another.\n\n.Nm A paragraph: With \\fBbold\\fR "
        "and a_very_long_word_that_is_longer_than_most_lines_are_wide_in_a_manual_page "
        ".Pp and -dashes.",
    .options = rows,
    .aliases = aliases,
    .examples = examples,
    .statuses = statuses,
    .main = nullptr,
};

/// `text` without its line breaks and indents.
std::string on_one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n';
    if (!blank || !line.ends_with(' ')) line += blank ? ' ' : c;
  }
  return line;
}

}  // namespace

TEST_CASE("pages: the manual of every applet is clean mdoc, and says all that the table says") {
  std::vector<const cli::Applet*> all(applets::registry.begin(), applets::registry.end());
  all.push_back(&applets::install);
  for (const cli::Applet* const applet : all) {
    CAPTURE(applet->name);
    const Ran page = osbox({"--man", std::string(applet->name)});
    REQUIRE(page.status == 0);
    const Ran clean = lint(page.out);
    CHECK(clean.out == "");
    CHECK(clean.status == 0);
    // What groff would show as a sign that no shell knows.
    CHECK(page.out.find_first_of("'`^~") == std::string::npos);
    const std::string text = shown(page.out);
    CHECK(within(text, 80));
    CHECK(on_one_line(text).find(applet->summary) != std::string::npos);
    for (const cli::Option& option : applet->options) {
      if (!option.name.empty()) CHECK(text.find("--" + std::string(option.name)) != text.npos);
      if (option.letter != 0) CHECK(text.find(std::string{'-', option.letter}) != text.npos);
    }
    for (const cli::Alias& alias : applet->aliases) CHECK(text.find(alias.name) != text.npos);
    for (const out::Table& table : applet->tables) {
      for (const out::Field& field : table.fields) {
        CHECK(text.find("\n     " + std::string(field.name) + " (") != text.npos);
      }
    }
    for (const cli::Example& example : applet->examples) {
      CHECK(text.find("osbox " + std::string(example.command)) != text.npos);
    }
  }
}

TEST_CASE("pages: the manual of osbox itself is clean, and fits 80 columns") {
  const std::string page = main_page();
  const Ran clean = lint(page);
  CHECK(clean.out == "");
  CHECK(clean.status == 0);
  CHECK(page.find("@PAGES@") == page.npos);
  CHECK(page.find("@DATE@") == page.npos);
  const std::string text = shown(page);
  for (const cli::Applet* const applet : applets::registry) {
    CHECK(text.find("osbox-" + std::string(applet->name) + "(1)") != text.npos);
  }
  // Five minutes of reading before the recipes, and no more.
  const std::size_t recipes = text.find("\nEXAMPLES\n");
  REQUIRE(recipes != text.npos);
  CHECK(tests::lines(text.substr(0, recipes)).size() < 230);
}

TEST_CASE("pages: the manual of --install is osbox-install(1)") {
  const Ran page = osbox({"--man", "--install"});
  CHECK(page.out.find(".Dt OSBOX-INSTALL 1\n") != page.out.npos);
  CHECK(shown(page.out).find("\n     osbox --install [OPTION ...] DIR") != page.out.npos);
  CHECK(osbox({"--install", "--help"})
            .out.ends_with("The manual, osbox-install(1), tells the rest.\n"));
}

TEST_CASE("pages: words that are macros and escapes come out as they are") {
  const std::string page = cli::manual_page(nasty);
  const Ran clean = lint(page);
  CHECK(clean.out == "");
  const std::string text = shown(page);
  for (const std::string part :
       {"     -B, --No", "     -f, --Fl Ar", "     -Sh     A word of its own.", "     Xr ...",
        ".Sh at the beginning.", "'quotes' at another.", ".Nm A paragraph:", "With \\fBbold\\fR",
        ".Pp is a macro.", "'tis one too.", "Back\\slash", "'in \"quotes\" and .dots.",
        "osbox Nm --format '{a}\\n' \"x\"", "osbox Nm .Ed", "Nd is Nm -B --Fl x.", "bare is Nm.",
        "-dashes", ".Bd and .Ed."}) {
    CAPTURE(part);
    CHECK(text.find(part) != text.npos);
  }
  CHECK(within(page, 80 + 40));
}

TEST_CASE("pages: on a narrow screen a list of words is broken behind a comma") {
  for (const cli::Applet* const applet : applets::registry) {
    CAPTURE(applet->name);
    const std::string page = osbox({"--man", std::string(applet->name)}).out;
    const Ran groff = tests::run(
        {.words = {"groff", "-mdoc", "-Tutf8", "-rLL=40n", "-rIN=5n", "-ww"}, .input = page});
    if (groff.status == 127) return;  // mandoc alone is here
    CHECK(groff.err == "");
  }
}

TEST_CASE("pages: where a dash and a digit are a word of the applet's own, -0 is no letter") {
  const std::string help = osbox({"kill", "--help"}).out;
  CHECK(help.find("\n  -SIG  ") != help.npos);
  CHECK(help.find("\n      --null  ") != help.npos);
  const std::string manual = shown(osbox({"--man", "kill"}).out);
  CHECK(manual.find("\n     -SIG    The same") != manual.npos);
  CHECK(manual.find("\n     --null  End records") != manual.npos);
  CHECK(osbox({"getpid", "--help"}).out.find("\n  -0, --null  ") != std::string::npos);
}

TEST_CASE("pages: --help has every row of the table within 80 columns") {
  for (const cli::Found& found : cli::all(applets::registry)) {
    const std::string name(found.name());
    CAPTURE(name);
    const Ran ran = osbox({name, "--help"});
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
    CHECK(ran.out.starts_with("osbox " + name + ": " + std::string(found.summary()) +
                              "\n\nUsage: osbox " + name + " [OPTION...]"));
    CHECK(within(ran.out, 80));
    CHECK(ran.out.find(" \n") == std::string::npos);
    if (found.alias != nullptr) {
      CHECK(ran.out.find("osbox " + name + " is osbox " + std::string(found.applet->name)) !=
            std::string::npos);
    }
  }
  CHECK(within(osbox({}).out, 80));
  // What stands in a column of its own fits smaller screens too.
  CHECK(within(osbox({"getcwd", "--help"}, {.columns = 60}).out, 60));
  CHECK(osbox({"getcwd", "--help"}, {.columns = 7}).out ==
        osbox({"getcwd", "--help"}, {.columns = 40}).out);
  CHECK(osbox({"getcwd", "--help"}, {.columns = 200}).out == osbox({"getcwd", "--help"}).out);
  CHECK(within(osbox({"--install", "--help"}).out, 80));
  const std::string narrow = osbox({"walk", "--help"}, {.columns = 40}).out;
  CHECK(narrow.ends_with("\nThe manual, osbox-walk(1), tells the\nrest.\n"));
}

TEST_CASE("pages: --help of strerror, from the first line to the last") {
  CHECK(osbox({"strerror", "--help"}).out ==
        "osbox strerror: say what error numbers and names stand for\n"
        "\n"
        "Usage: osbox strerror [OPTION...] [ERR...]\n"
        "\n"
        "Operands:\n"
        "  ERR...                  Number or name of an error; none: all of them\n"
        "\n"
        "Options:\n"
        "      --search TEXT       Only those with TEXT in their name or message\n"
        "\n"
        "Records:\n"
        "      --json              One JSON object a record\n"
        "      --format TEMPLATE   Records as this says: '{field}' or '{field:>10}', with\n"
        "                          \\n \\t \\0 \\\\\n"
        "      --shell[=PREFIX]    Assignments for eval, each name behind PREFIX (the\n"
        "                          applet's name and '_')\n"
        "  -0, --null              End records with NUL, names raw\n"
        "\n"
        "Other:\n"
        "      --exit-errno        Exit with the errno of the first failure instead of 1\n"
        "      --help              Show this help\n"
        "\n"
        "Fields:\n"
        "  errno (integer)         The number on this system\n"
        "  name (word)             The symbol, ENOENT; of two for one number the one\n"
        "                          asked for\n"
        "  message (word)          The C library's text\n"
        "  alias (word)            The other symbol, where there are two\n"
        "\n"
        "Exit status:\n"
        "  0     all was done\n"
        "  1     something failed, and standard error says what; the rest was done\n"
        "  2     wrong usage; nothing was done\n"
        "\n"
        "Examples:\n"
        "  osbox strerror 2 4 16\n"
        "      What these numbers stand for\n"
        "  osbox strerror --search directory\n"
        "      Every error that has to do with directories\n"
        "  osbox strerror --format '{errno}' EAGAIN\n"
        "      The number of a name\n"
        "\n"
        "The manual, osbox-strerror(1), tells the rest.\n");
}
