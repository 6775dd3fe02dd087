#include "core/out/plan.hpp"

#include "core/out/number.hpp"
#include "core/out/quote.hpp"
#include "tests/harness.hpp"

namespace {

using namespace out;

struct Row {
  std::string path = "a b";
  std::uint64_t size = 593;
  std::int64_t offset = -42;
  bool done = true;
  core::Time time = {-1, 999'999'999};
  std::optional<std::uint64_t> none = {};
  std::optional<std::string> missing = {};
  std::vector<std::string_view> list = {"a", "b c", "new\nline", ""};
  std::vector<std::int64_t> numbers = {1, -2};
  std::string_view word() const { return "word"; }
};

constexpr Field row_fields[] = {
    name<&Row::path>("path", ""),         natural<&Row::size>("size", ""),
    integer<&Row::offset>("offset", ""),  boolean<&Row::done>("done", ""),
    out::time<&Row::time>("time_ns", ""), natural<&Row::none>("none", ""),
    name<&Row::missing>("missing", ""),   text<&Row::word>("word", ""),
    names<&Row::list>("list", ""),        integers<&Row::numbers>("numbers", ""),
};

std::string written(const Plan& plan, const Row& row = {}) {
  std::string to;
  plan.write(&row, to);
  return to;
}

/// The record as the template says, or what is wrong with the template.
std::string formatted(std::string_view format, const Row& row = {}, Names names = Names::raw) {
  const auto plan = Plan::format(row_fields, format, names, '\n');
  return plan ? written(*plan, row) : plan.error();
}

bool refused(std::string_view format) {
  return !Plan::format(row_fields, format, Names::raw, '\n');
}

// A row that hands out a string which nobody keeps must not compile.
static_assert(!detail::outlives<std::string>);
static_assert(!detail::outlives<std::optional<std::string>>);
static_assert(!detail::outlives<core::ModeText>);
static_assert(detail::outlives<const std::string&>);
static_assert(detail::outlives<std::optional<std::string_view>>);
static_assert(detail::outlives<std::optional<std::span<const std::string_view>>>);

}  // namespace

TEST_CASE("a record in every format") {
  CHECK(written(Plan::json(row_fields, '\n')) ==
        R"({"path":"a b","size":593,"offset":-42,"done":true,"time_ns":-1,"none":null,)"
        R"("missing":null,"word":"word","list":["a","b c","new\nline",""],"numbers":[1,-2]})"
        "\n");
  CHECK(written(Plan::shell(std::span(row_fields).first(8), "x_", '\n')) ==
        "x_path='a b' x_size=593 x_offset=-42 x_done=true x_time_ns=-1 x_none='' x_missing='' "
        "x_word=word\n");
  CHECK(formatted("{path}|{size}|{offset}|{done}|{time_ns}|{none}|{missing}|{word}|{numbers}") ==
        "a b|593|-42|true|-1|||word|1 -2\n");
  CHECK(formatted("{list}") == "a 'b c' $'new\\nline' ''\n");
  CHECK(written(Plan::json(std::span(row_fields).first(1), '\0')) ==
        std::string("{\"path\":\"a b\"}\0", 15));
}

TEST_CASE("a list comes out of --shell for eval set, in every shell") {
  Row row;
  row.list = {"a", "", "it's", "new\nline", "bad\xff", "$(touch pwned)", "=ls", "-n", "ends\n\n"};
  std::string expected;
  for (const std::string_view element : row.list) expected += std::string(element) + '\0';
  for (const std::string shell : {"dash", "bash", "zsh"}) {
    CAPTURE(shell);
    const Scratch scratch;
    const Ran ran = tests::run(
        {.words = {shell, "-c",
                   "while read -r line; do eval \"$line\"; eval \"set -- $x_list\"; "
                   "printf '%s\\0' \"$@\"; done"},
         .input = written(Plan::shell(std::span(row_fields).subspan(8, 1), "x_", '\n'), row),
         .directory = scratch.path()});
    CHECK(ran.err == "");
    CHECK(ran.out == expected);
  }
}

TEST_CASE("escapes and braces in a template") {
  CHECK(formatted("\\n\\t\\\\{{}}\\0") == std::string("\n\t\\{}\0\n", 7));
  CHECK(formatted("{{{size}}}") == "{593}\n");
  CHECK(formatted("") == "\n");
  CHECK(formatted("bad\xff") == "bad\xff\n");
}

TEST_CASE("a template that cannot be is refused before anything is printed") {
  for (const std::string format : {"{",           "}",
                                   "{path",       "path}",
                                   "{}",          "{0}",
                                   "{nosuch}",    "{path!r}",
                                   "{path:d}",    "{path:x}",
                                   "{path:+}",    "{size:s}",
                                   "{size:.2}",   "{size:f}",
                                   "{time_ns:s}", "{size:{offset}}",
                                   "{path:{}}",   "{path:>{size}}",
                                   "{size:q}",    "{path:>99999999999999999999}",
                                   "\\",          "\\x",
                                   "{size\\n}",   "{size:>}>}",
                                   "{path:=10}",  "{list:d}",
                                   "{missing:d}", "{path:.}",
                                   "{ path}",     "{path }",
                                   "{size:c}",    "{size:>5c}",
                                   "{offset:c}",  "{time_ns:c}",
                                   "{done:c}",    "{none:c}",
                                   "{path:c}",    "{list:c}",
                                   "{size:=+5}",  "{size:,}",
                                   "{size:_}",    "{size:n}",
                                   "{path:05}"}) {
    CAPTURE(format);
    CHECK(refused(format));
  }
  CHECK(formatted("{nosuch}") ==
        "no field nosuch; there are path, size, offset, done, time_ns, none, missing, word, list, "
        "numbers");
  CHECK(formatted("{siz:>5}") ==
        "no field siz (did you mean size?); there are " +
            std::string("path, size, offset, done, time_ns, none, missing, word, "
                        "list, numbers"));
  CHECK(formatted("{path:05}") ==
        "the format 05 does not suit the field path: text has fill and <, > or ^, then width, "
        ".precision and s");
  const std::string number =
      " does not suit the field size: a number has fill and <, > or ^, then +, - or a blank, #, 0, "
      "width, and d, x, X, b, B or o";
  for (const std::string format : {"c", "=+5", ",", "_", "n"}) {
    CHECK(formatted("{size:" + format + "}") == "the format " + out::quoted(format) + number);
  }
  CHECK(formatted("{done:_}") ==
        "the format _ does not suit the field done: true or false has fill and <, > or ^, then "
        "width; with d it is a number");
  CHECK(formatted("{size:c>5}") == "cc593\n");
}

TEST_CASE("a template cannot fill the memory") {
  CHECK(formatted("{size:>65535}").size() == 65536);
  for (const std::string format : {"{size:>65536}", "{path:2000000000}", "{path:.99999999999}",
                                   "{none:0<100000}", "{path:18446744073709551616}"}) {
    CAPTURE(format);
    CHECK(formatted(format) == out::quoted(format.substr(1, format.size() - 2)) + " is too wide");
  }
}

TEST_CASE("null takes its width and nothing else") {
  CHECK(formatted("[{done:>5}|{done:d}]") == "[ true|1]\n");
  CHECK(formatted("[{none:>5}]") == "[     ]\n");
  CHECK(formatted("[{none:#06x}]") == "[      ]\n");
  CHECK(formatted("[{none:05d}]") == "[     ]\n");
  CHECK(formatted("[{none:x}]") == "[]\n");
  CHECK(formatted("[{missing:*^3}]") == "[***]\n");
  CHECK(formatted("[{missing:.5}]") == "[]\n");
  CHECK(formatted("[{missing:7.5}]") == "[       ]\n");
  CHECK(formatted("[{missing:\xe6\x97\xa5<2s}]") == "[\xe6\x97\xa5\xe6\x97\xa5]\n");
}

TEST_CASE("width and fill count characters, whatever the bytes") {
  Row row;
  row.path = "\xc3\xa9";
  CHECK(formatted("[{path:>3}]", row) == "[  \xc3\xa9]\n");
  CHECK(formatted("[{path:\xc3\xa9^5}]", row) == "[\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9]\n");
  row.path = "bad\xff";
  CHECK(formatted("[{path:>6}]", row) == "[  bad\xff]\n");
  CHECK(formatted("[{path:<6}]", row) == "[bad\xff  ]\n");
  CHECK(formatted("[{path:>12}]", row, Names::quoted) == "[  $'bad\\377']\n");
  CHECK(formatted("[{time_ns:>4}|{time_ns:x}]") == "[  -1|-1]\n");
}

TEST_CASE("a number of any size is formatted exactly, with a sign where that is asked for") {
  Row row;
  row.size = UINT64_MAX;
  CHECK(formatted("{size:+}|{size:x}|{size:>21}", row) ==
        "+18446744073709551615|ffffffffffffffff| 18446744073709551615\n");
  CHECK(formatted("{size:+d}|{offset:+d}|{size: }") == "+593|-42| 593\n");
}

TEST_CASE("what a template has otherwise than Python, as osbox(1) says") {
  CHECK(formatted("{size:#o}|{done}|{done:<5}|{done:d}") == "01121|true|true |1\n");
}

TEST_CASE("a time beyond 64 bits is formatted exactly") {
  Row row;
  row.time = {20'000'000'000, 5};
  CHECK(formatted("{time_ns:>22}", row) == "  20000000000000000005\n");
  row.time = {INT64_MIN, 0};
  CHECK(formatted("{time_ns:}|{time_ns:d}", row) ==
        "-9223372036854775808000000000|-9223372036854775808000000000\n");
}

TEST_CASE("specifications mean what they mean to Python's str.format") {
  std::vector<std::string> specifications;
  for (const std::string align : {"", "<", ">", "^", "*<", "0>", "\xc3\xa9^", "}>"}) {
    for (const std::string width : {"", "1", "2", "10", "31"}) {
      for (const std::string rest :
           {"", "s", "d", "x", "X", "b", "o", "#x", "#b", ".0", ".2", ".9s"})
        specifications.push_back(align + width + rest);
    }
  }
  for (const std::string sign : {"", "+", "-", " "}) {
    for (const std::string zero : {"", "0"}) {
      for (const std::string width : {"", "3", "12"}) {
        for (const std::string type : {"", "d", "x"}) {
          specifications.push_back(sign + zero + width + type);
          specifications.push_back(sign + "#" + zero + width + "x");
        }
      }
    }
  }
  const std::pair<std::string, std::string> values[] = {
      {"size", "593"}, {"offset", "-42"}, {"path", "'a b'"}, {"word", "'word'"}};
  tests::Command python{.words = {"python3", "-c", R"(
import sys
for line in sys.stdin.buffer:
    spec, kind, value = line.decode().rstrip('\n').split('\t')
    try: answer = format(eval(value), spec)
    except ValueError: answer = 'refused'
    sys.stdout.buffer.write((answer + '\n').encode())
)"}};
  std::string ours;
  std::vector<std::string> asked;
  for (const std::string& specification : specifications) {
    // Braces cannot be a fill here.
    const bool brace = specification.find('}') != std::string::npos;
    for (const auto& [field, value] : values) {
      const std::string format = "{" + field + ":" + specification + "}";
      if (brace) {
        CHECK(refused(format));
        continue;
      }
      // fmt leaves a string alone where Python pads it with zeros.
      const bool zero = specification.find_first_of("1234567890") != std::string::npos &&
                        specification[specification.find_first_of("1234567890")] == '0' &&
                        specification.find_first_of("<>^.") == std::string::npos;
      if (value[0] == '\'' && zero) continue;
      python.input += specification + "\t" + field + "\t" + value + "\n";
      asked.push_back(format);
      ours += refused(format) ? "refused\n" : formatted(format);
    }
  }
  const Ran ran = tests::run(python);
  CHECK(ran.err == "");
  const auto theirs = tests::lines(ran.out);
  const auto own = tests::lines(ours);
  CHECK(asked.size() > 1000);
  REQUIRE(theirs.size() == asked.size());
  REQUIRE(own.size() == asked.size());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    CAPTURE(asked[i]);
    CHECK(own[i] == theirs[i]);
  }
}

TEST_CASE("stat is asked for what a template names and no more") {
  constexpr Field wanting[] = {natural<&Row::size>("size", "", core::want::size),
                               natural<&Row::none>("ino", "", core::want::ino)};
  CHECK(Plan::format(wanting, "{size}", Names::raw, '\n')->want() == core::want::size);
  CHECK(Plan::format(wanting, "none", Names::raw, '\n')->want() == core::want::nothing);
  CHECK(Plan::json(wanting, '\n').want() == (core::want::size | core::want::ino));
}
