#include "core/cli/dispatch.hpp"
#include "tests/harness.hpp"

// An applet of nothing but options, which prints what reached it.
namespace {

using namespace cli;

enum class Order { name, size };
constexpr Word<Order> orders[] = {{"name", Order::name}, {"size", Order::size}};

struct Args {
  bool all = false;
  bool brief = false;
  std::optional<int> number;
  std::optional<std::string> text;
  std::vector<std::string> items;
  std::optional<Order> order;
  std::optional<Order> colour;
  std::string first;
  std::vector<std::string> rest;
  std::optional<std::string> word;
  Operands paths;
};

/// Capitals and digits.
bool is_word(std::string_view text) { return text[0] <= 'Z'; }

Stored take_word(std::optional<std::string>& to, std::string_view text) {
  if (to) return std::unexpected("a second one");
  if (text == "NO") return std::unexpected("none of that");
  to = text;
  return {};
}

out::Outcome show(Args& args, out::Io& io) {
  const auto put = [&io](const std::string& what) { io.print("<" + what + ">"); };
  const auto word = [](Order order) { return order == Order::name ? "name" : "size"; };
  if (args.all) put("all");
  if (args.brief) put("brief");
  if (args.number) put("number=" + std::to_string(*args.number));
  if (args.text) put("text=" + *args.text);
  for (const std::string& item : args.items) put("item=" + item);
  if (args.order) put(std::string("order=") + word(*args.order));
  if (args.colour) put(std::string("colour=") + word(*args.colour));
  if (args.word) put("word=" + *args.word);
  if (!args.first.empty()) put("first " + args.first);
  for (const std::string& operand : args.rest) put(operand);
  return args.paths.each(io, [&](core::Path path) -> core::Result<void> {
    put("path " + std::string(path));
    return {};
  });
}

#define EVERY_SHAPE                                                                      \
  flag<&Args::all>('a', "all", "A flag"), flag<&Args::brief>('b', "", "A letter alone"), \
      value<&Args::number>('n', "number", "N", "A number"),                              \
      value<&Args::text>('t', "text", "TEXT", "A string"),                               \
      value<&Args::items>('i', "item", "ITEM", "Any number of them"),                    \
      choice<&Args::order, orders>(0, "order", "WORD", "One of"),                        \
      choice<&Args::colour, orders>('c', "colour", "WORD", "One of, or none", "size")

constexpr Option command(Option option) {
  option.shape = Option::Shape::command;
  return option;
}

constexpr Option dashed_rows[] = {EVERY_SHAPE, dashed<&Args::word, is_word, take_word>("WORD", ""),
                                  operands<&Args::rest>("NAME", "", Least::none)};
constexpr Option words_rows[] = {EVERY_SHAPE, operands<&Args::rest>("WORD", "", Least::none)};
constexpr Option paths_rows[] = {EVERY_SHAPE, operand<&Args::first>("MODE", ""),
                                 paths<&Args::paths>("PATH", "", Least::one)};
constexpr Option unless_rows[] = {EVERY_SHAPE, unless("text", operand<&Args::first>("MODE", "")),
                                  paths<&Args::paths>("PATH", "", Least::one)};
constexpr Option run_rows[] = {EVERY_SHAPE,
                               command(operands<&Args::rest>("COMMAND", "", Least::one))};
constexpr Option chain_rows[] = {EVERY_SHAPE, operand<&Args::first>("DIR", ""),
                                 command(operands<&Args::rest>("COMMAND", "", Least::one))};

constexpr Applet applet(std::string_view name, std::span<const Option> rows) {
  return {.name = name,
          .group = Group::directories,
          .summary = "",
          .description = "",
          .options = rows,
          .main = runs<show>};
}
constexpr Applet chain = applet("chain", chain_rows);
constexpr Applet dashed_applet = applet("dashed", dashed_rows);
constexpr Applet paths_applet = applet("paths", paths_rows);
constexpr Applet run_applet = applet("run", run_rows);
constexpr Applet unless_applet = applet("unless", unless_rows);
constexpr Applet words_applet = applet("words", words_rows);
constexpr const Applet* table[] = {&chain,      &dashed_applet, &paths_applet,
                                   &run_applet, &unless_applet, &words_applet};

Ran parse(const std::vector<std::string>& words) {
  std::vector<std::string_view> views = {"osbox"};
  views.insert(views.end(), words.begin(), words.end());
  out::Io io{out::Sink(), out::Sink(), {}};
  Ran ran;
  ran.status = dispatch(table, words_applet, views, io);
  ran.out = io.output().buffer();
  ran.err = io.error_output().buffer();
  return ran;
}

/// What `words` come to, as printed by the applet.
std::string read(const std::vector<std::string>& words) {
  const Ran ran = parse(words);
  INFO(ran.err);
  CHECK(ran.status == 0);
  return ran.out;
}

/// The complaint about `words`, which reach no applet.
std::string wrong(const std::vector<std::string>& words) {
  const Ran ran = parse(words);
  CHECK(ran.status == 2);
  CHECK(ran.out == "");
  const std::string end = "; see 'osbox " + words[0] + " --help'\n";
  CHECK(ran.err.ends_with(end));
  CHECK(ran.err.starts_with(words[0] + ": "));
  if (ran.err.size() < end.size() + words[0].size() + 2) return ran.err;
  return ran.err.substr(words[0].size() + 2, ran.err.size() - end.size() - words[0].size() - 2);
}

}  // namespace

TEST_CASE("parse: options stand in front of operands, behind them and between") {
  CHECK(read({"words", "-a", "x", "y"}) == "<all><x><y>");
  CHECK(read({"words", "x", "-a", "y"}) == "<all><x><y>");
  CHECK(read({"words", "x", "y", "-n", "5"}) == "<number=5><x><y>");
}

TEST_CASE("parse: a value stands behind the option or behind =, and may look like anything") {
  CHECK(read({"words", "--text", "x"}) == "<text=x>");
  CHECK(read({"words", "--text=x"}) == "<text=x>");
  CHECK(read({"words", "-t", "x"}) == "<text=x>");
  CHECK(read({"words", "-tx"}) == "<text=x>");
  CHECK(read({"words", "-t=x"}) == "<text==x>");
  CHECK(read({"words", "--text=a=b"}) == "<text=a=b>");
  for (const std::string value :
       {"-a", "--all", "--",   "-",  "---", "--json=", "--text=", "[a,b]", "{}", "++", "true",
        "-1", "=",     "\xff", "\1", "\2",  "a\nb",    " ",       "!",     "",   "%s"}) {
    CAPTURE(value);
    CHECK(read({"words", "--text", value, "x"}) == "<text=" + value + "><x>");
    CHECK(read({"words", "-t", value, "x"}) == "<text=" + value + "><x>");
    CHECK(read({"words", "--text=" + value, "x"}) == "<text=" + value + "><x>");
    if (!value.empty()) CHECK(read({"words", "-at" + value}) == "<all><text=" + value + ">");
  }
}

TEST_CASE("parse: an empty value is a value") {
  CHECK(read({"words", "--text="}) == "<text=>");
  CHECK(read({"words", "--text", ""}) == "<text=>");
  CHECK(read({"words", "--text=", "x"}) == "<text=><x>");
  CHECK(wrong({"words", "--number="}) == "--number '': not a number");
  CHECK(wrong({"words", "--colour="}) == "--colour '': not one of name, size");
}

TEST_CASE("parse: an option without the value that it needs is wrong") {
  for (const std::string option : {"--text", "-t", "-at"}) {
    CHECK(wrong({"words", option}) == "option --text needs a value");
  }
}

TEST_CASE("parse: a flag takes no value, not even one that it could do without") {
  for (const std::string value : {"", "x", "true", "false", "1", "{}"}) {
    CHECK(wrong({"words", "--all=" + value}) == "option --all takes no value");
  }
}

TEST_CASE("parse: a value that may be left out is never the next word") {
  CHECK(read({"words", "--colour", "name"}) == "<colour=size><name>");
  CHECK(read({"words", "--colour=name"}) == "<colour=name>");
  CHECK(read({"words", "-ca", "name"}) == "<all><colour=size><name>");
  CHECK(wrong({"words", "--colour={}"}) == "--colour '{}': not one of name, size");
  CHECK(wrong({"words", "--colour==name"}) == "--colour '=name': not one of name, size");
}

TEST_CASE("parse: of an option given twice the last one counts, or all where they add up") {
  CHECK(read({"words", "-n", "1", "--number=2"}) == "<number=2>");
  CHECK(read({"words", "-t", "x", "-t", ""}) == "<text=>");
  CHECK(read({"words", "-i", "x", "--item=y", "-iz"}) == "<item=x><item=y><item=z>");
  CHECK(read({"words", "-aa", "--all"}) == "<all>");
}

TEST_CASE("parse: an option of many values takes one word each time") {
  CHECK(read({"words", "-i", "x", "y", "z"}) == "<item=x><y><z>");
  CHECK(read({"words", "-i", "[x,y]", "[z,]"}) == "<item=[x,y]><[z,]>");
}

TEST_CASE("parse: numbers are decimal, whole and small enough") {
  CHECK(read({"words", "-n", "010"}) == "<number=10>");
  CHECK(read({"words", "-n", "-5"}) == "<number=-5>");
  for (const std::string value : {"0x10", "1k", "1.5", " 1", "1 ", "+1", "x"}) {
    CHECK(wrong({"words", "-n", value}).ends_with(": not a number"));
  }
  CHECK(wrong({"words", "-n", "99999999999"}) == "--number 99999999999: number too large");
}

TEST_CASE("parse: letters go together, and every one of them must be known") {
  CHECK(read({"words", "-ab"}) == "<all><brief>");
  CHECK(read({"words", "-abn5"}) == "<all><brief><number=5>");
  CHECK(wrong({"words", "-ax"}) == "unknown option -x");
  CHECK(wrong({"words", "-xa"}) == "unknown option -x");
  // Each of these would be something else to CLI11: "--", an operand, a number.
  CHECK(wrong({"words", "-a-", "-b"}) == "unknown option --");
  CHECK(wrong({"words", "-a--brief"}) == "unknown option --");
  CHECK(wrong({"words", "-a!"}) == "unknown option '-!'");
  CHECK(wrong({"words", "-a "}) == "unknown option '- '");
  CHECK(wrong({"words", "-a\n"}) == "unknown option $'-\\n'");
  CHECK(wrong({"words", "-a5"}) == "unknown option -5");
  CHECK(wrong({"words", "-!"}) == "unknown option '-!'");
  CHECK(wrong({"words", "- "}) == "unknown option '- '");
  CHECK(wrong({"words", "-\xc3\xa9t\xc3\xa9"}) == "unknown option -\xc3\xa9");
  CHECK(wrong({"words", "-\xff"}) == "unknown option $'-\\377'");
}

TEST_CASE("parse: an unknown option is named, with those that look like it") {
  CHECK(wrong({"words", "--nmber=5"}) == "unknown option --nmber (did you mean --number?)");
  CHECK(wrong({"words", "--zzz"}) == "unknown option --zzz");
  CHECK(wrong({"words", "---all"}) == "unknown option ---all (did you mean --all?)");
  CHECK(wrong({"words", "--=x"}) == "unknown option --");
  CHECK(wrong({"words", "--!"}) == "unknown option '--!'");
  CHECK(wrong({"words", "--a b"}) == "unknown option '--a b'");
}

TEST_CASE("parse: a long option is not abbreviated, and its case counts") {
  CHECK(wrong({"words", "--numb", "5"}) == "unknown option --numb (did you mean --number?)");
  CHECK(wrong({"words", "--ALL"}) == "unknown option --ALL");
}

TEST_CASE("parse: -- ends the options, once") {
  CHECK(read({"words", "--", "-a"}) == "<-a>");
  CHECK(read({"words", "-a", "--", "--", "-b"}) == "<all><--><-b>");
  CHECK(read({"words", "x", "--", "-t"}) == "<x><-t>");
  CHECK(read({"words", "--"}) == "");
}

TEST_CASE("parse: operands are bytes, and none is cut up") {
  const std::vector<std::string> odd = {"",  "-",    "[a,b]", "[]", "{x}",      "++",  "a=b", "!",
                                        " ", "\xff", "x\ny",  "%",  "/windows", "//x", "=",   "'"};
  for (const std::string& word : odd) {
    CAPTURE(word);
    // Without an option nothing is parsed; both ways must agree.
    CHECK(read({"words", word, word}) == "<" + word + "><" + word + ">");
    CHECK(read({"words", word, "-a", word}) == "<all><" + word + "><" + word + ">");
    CHECK(read({"words", "--", word}) == "<" + word + ">");
  }
}

TEST_CASE("parse: -1 is an operand where that could be a number, else an unknown option") {
  CHECK(read({"words", "-1"}) == "<-1>");
  CHECK(read({"words", "-a", "-15", "-1x"}) == "<all><-15><-1x>");
  CHECK(wrong({"paths", "755", "-1"}) == "unknown option -1");
  CHECK(read({"paths", "755", "--", "-1"}) == "<first 755><path -1>");
  CHECK(read({"chain", "-1", "cmd"}) == "<first -1><cmd>");
  CHECK(wrong({"run", "-5", "cmd"}) == "unknown option -5");
}

TEST_CASE("parse: a word behind a dash is offered to its row before the letters are") {
  CHECK(read({"dashed", "-TERM", "x"}) == "<word=TERM><x>");
  CHECK(read({"dashed", "-a", "-TERM", "x"}) == "<all><word=TERM><x>");
  CHECK(read({"dashed", "x", "-9"}) == "<word=9><x>");
  CHECK(read({"dashed", "-9-", "x"}) == "<word=9-><x>");
  CHECK(read({"dashed", "-R+1=x!"}) == "<word=R+1=x!>");
  // What is not for it, what is a value, and what stands behind "--".
  CHECK(read({"dashed", "-ab", "x"}) == "<all><brief><x>");
  CHECK(read({"dashed", "-t", "-9"}) == "<text=-9>");
  CHECK(read({"dashed", "-t-9"}) == "<text=-9>");
  CHECK(read({"dashed", "--", "-9", "-TERM"}) == "<-9><-TERM>");
  CHECK(read({"dashed", "-9", "--", "-9"}) == "<word=9><-9>");
  CHECK(read({"dashed", "-"}) == "<->");
  CHECK(wrong({"dashed", "-aT"}) == "unknown option -T");
  CHECK(wrong({"dashed", "--TERM"}) == "unknown option --TERM");
  CHECK(wrong({"dashed", "-NO"}) == "-NO: none of that");
  CHECK(wrong({"dashed", "-9", "-9"}) == "-9: a second one");
  CHECK(wrong({"dashed", "-1", "-9\n"}) == "$'-9\\n': a second one");
}

TEST_CASE("parse: an applet that runs a command reads no option behind its name") {
  CHECK(read({"run", "cmd", "-a", "--bogus", "--", "-n"}) == "<cmd><-a><--bogus><--><-n>");
  CHECK(read({"run", "-a", "cmd", "-b"}) == "<all><cmd><-b>");
  CHECK(read({"run", "-n", "5", "--", "cmd", "--", "-b"}) == "<number=5><cmd><--><-b>");
  CHECK(read({"run", "--", "-a"}) == "<-a>");
  CHECK(read({"run", "cmd", "--help"}) == "<cmd><--help>");
  CHECK(wrong({"run", "--bogus", "cmd"}) == "unknown option --bogus");
  CHECK(wrong({"run", "-x", "cmd"}) == "unknown option -x");
  CHECK(wrong({"run", "-a"}) == "missing operand COMMAND");
  CHECK(read({"chain", "dir", "cmd", "-a"}) == "<first dir><cmd><-a>");
  CHECK(read({"chain", "dir", "-a", "cmd", "-b"}) == "<all><first dir><cmd><-b>");
  CHECK(read({"chain", "dir", "--", "cmd", "-b"}) == "<first dir><cmd><-b>");
  CHECK(wrong({"chain", "dir"}) == "missing operand COMMAND (the change is for that alone)");
}

TEST_CASE("parse: operands are counted") {
  CHECK(wrong({"chain"}) == "missing operand DIR");
  CHECK(wrong({"paths", "755"}) == "missing operand PATH");
}

TEST_CASE("parse: --files0-from is in the place of the paths, not of the other operands") {
  const Scratch scratch;
  const std::string list = scratch.file("list", std::string("a\0b\nc\0last", 10));
  CHECK(read({"paths", "755", "--files0-from", list}) ==
        "<first 755><path a><path b\nc><path last>");
  CHECK(wrong({"paths", "755", "x", "--files0-from", list}) ==
        "operand x and --files0-from do not go together");
}

TEST_CASE("parse: an option may be in the place of an operand") {
  const Scratch scratch;
  const std::string list = scratch.file("list", std::string("a\0b\0", 4));
  CHECK(read({"unless", "755", "a", "b"}) == "<first 755><path a><path b>");
  CHECK(read({"unless", "755", "--files0-from", list}) == "<first 755><path a><path b>");
  CHECK(wrong({"unless", "755"}) == "missing operand PATH");
  CHECK(wrong({"unless"}) == "missing operand MODE");
  CHECK(read({"unless", "--text", "x", "a"}) == "<text=x><path a>");
  CHECK(read({"unless", "a", "--text=x", "b"}) == "<text=x><path a><path b>");
  CHECK(read({"unless", "--text", "x", "--files0-from", list}) == "<text=x><path a><path b>");
  CHECK(wrong({"unless", "--text", "x"}) == "missing operand PATH");
  CHECK(wrong({"unless", "--text", "x", "755", "--files0-from", list}) ==
        "operand 755 and --files0-from do not go together");
}

TEST_CASE("parse: OSBOX_EXIT_ERRNO and --exit-errno make the errno the status") {
  CHECK(osbox({"strerror", "4095"}).status == 1);
  CHECK(osbox({"strerror", "--exit-errno", "4095"}).status == EINVAL);
  const std::vector<std::string> words = {tests::binary(), "strerror", "4095"};
  CHECK(tests::run({.words = words, .environment = {"OSBOX_EXIT_ERRNO=1"}}).status == EINVAL);
  CHECK(tests::run({.words = words, .environment = {"OSBOX_EXIT_ERRNO=0"}}).status == 1);
}

TEST_CASE("parse: --shell takes the start of a variable's name and nothing else") {
  CHECK(osbox({"strerror", "--shell", "2"}).out.starts_with("strerror_errno=2 "));
  CHECK(osbox({"strerror", "--shell=", "2"}).out.starts_with("errno=2 "));
  CHECK(osbox({"strerror", "--shell=e_", "2"}).out.starts_with("e_errno=2 "));
  for (const std::string prefix : {"1", "a-", "a b", "$(id)", "a;", "\xc3\xa9"}) {
    CHECK(osbox({"strerror", "--shell=" + prefix, "2"}).status == 2);
  }
}
