#include "core/out/colour.hpp"

#include <sys/stat.h>

#include <functional>

#include "tests/harness.hpp"

using core::Type;
using out::Colours;
using out::ColourSettings;
using out::ColourWhen;

namespace {

Colours colours(const std::string& ls_colors) {
  return {ColourWhen::always, {.ls_colors = ls_colors}, {}};
}

bool on(ColourWhen when, const ColourSettings& settings, bool terminal) {
  return Colours(when, settings, {.output_is_terminal = terminal}).on();
}

/// What is printed where the output is that of `style` on a screen like that.
std::string printed(bool terminal, const std::function<void(out::Io&)>& print) {
  out::Io io(out::Sink(), out::Sink(), {.output_is_terminal = terminal});
  print(io);
  return io.output().buffer();
}

}  // namespace

TEST_CASE("colour is for terminals that want it, unless asked for outright") {
  CHECK(on(ColourWhen::automatic, {}, true));
  CHECK_FALSE(on(ColourWhen::automatic, {}, false));
  CHECK_FALSE(on(ColourWhen::automatic, {.no_color = true}, true));
  CHECK_FALSE(on(ColourWhen::automatic, {.dumb = true}, true));
  CHECK_FALSE(on(ColourWhen::never, {}, true));
  CHECK(on(ColourWhen::always, {.no_color = true, .dumb = true}, false));
}

TEST_CASE("without LS_COLORS there are colours for types and modes") {
  const Colours built_in(ColourWhen::always, {}, {});
  CHECK(built_in.of({.name = "d", .type = Type::dir, .mode = 0755}) == "01;34");
  CHECK(built_in.of({.name = "t", .type = Type::dir, .mode = 01777}) == "30;42");
  CHECK(built_in.of({.name = "o", .type = Type::dir, .mode = 0777}) == "34;42");
  CHECK(built_in.of({.name = "s", .type = Type::dir, .mode = 01755}) == "37;44");
  CHECK(built_in.of({.name = "f", .type = Type::file, .mode = 0644}).empty());
  CHECK(built_in.of({.name = "x", .type = Type::file, .mode = 0744}) == "01;32");
  CHECK(built_in.of({.name = "u", .type = Type::file, .mode = 04755}) == "37;41");
  CHECK(built_in.of({.name = "g", .type = Type::file, .mode = 02755}) == "30;43");
  CHECK(built_in.of({.name = "l", .type = Type::link}) == "01;36");
  CHECK(built_in.of({.name = "p", .type = Type::fifo}) == "33");
  CHECK(built_in.of({.name = "k", .type = Type::socket}) == "01;35");
  CHECK(built_in.of({.name = "b", .type = Type::block}) == "01;33");
  CHECK(built_in.of({.name = "q", .type = Type::unknown}).empty());
  CHECK_FALSE(built_in.wants_targets(true));
}

TEST_CASE("LS_COLORS changes what it names") {
  const Colours some = colours("di=04:*.tar=01;31:*README=33:ex=0:bogus:=:zz=1:*.zip=35");
  CHECK(some.of({.name = "d", .type = Type::dir, .mode = 0755}) == "04");
  CHECK(some.of({.name = "l", .type = Type::link}) == "01;36");
  CHECK(some.of({.name = "a.tar", .type = Type::file, .mode = 0755}) == "01;31");
  CHECK(some.of({.name = "a.TAR", .type = Type::file}) == "01;31");
  CHECK(some.of({.name = ".tar", .type = Type::file}) == "01;31");
  CHECK(some.of({.name = "tar", .type = Type::file}).empty());
  CHECK(some.of({.name = "OLDREADME", .type = Type::file}) == "33");
  CHECK(some.of({.name = "d.tar", .type = Type::dir}) == "04");
}

TEST_CASE("the same suffix in other letters counts only where none matches exactly") {
  const Colours some = colours("*.C=31:*.c=32");
  CHECK(some.of({.name = "a.C", .type = Type::file}) == "31");
  CHECK(some.of({.name = "a.c", .type = Type::file}) == "32");
  CHECK(colours("*.x=1:*.x=2").of({.name = "a.x", .type = Type::file}) == "2");
}

TEST_CASE("nothing but numbers gets from LS_COLORS to the terminal") {
  const Colours some = colours("di=\033]0;title\007:fi=1m\033[2J:*.a=x:ln=31;x");
  CHECK(some.of({.name = "d", .type = Type::dir}) == "01;34");
  CHECK(some.of({.name = "b.a", .type = Type::file}).empty());
  CHECK(some.of({.name = "l", .type = Type::link}) == "01;36");
}

TEST_CASE("a link can have the colour of its target, or that of an orphan") {
  const Colours::File target{.name = "x", .type = Type::file, .mode = 0755};
  const Colours::File link{.name = "l", .type = Type::link, .target = &target};
  const Colours::File orphan{.name = "l", .type = Type::link, .dangling = true};
  const Colours as_target = colours("ln=target");
  CHECK(as_target.wants_targets(false));
  CHECK(as_target.of(link) == "01;32");
  CHECK(as_target.of(orphan).empty());
  const Colours orphans = colours("or=40;31:mi=05");
  CHECK(orphans.wants_targets(false));
  CHECK(orphans.of(link) == "01;36");
  CHECK(orphans.of(orphan) == "40;31");
  CHECK(orphans.of_missing() == "05");
  CHECK(colours("mi=05").wants_targets(true));
  CHECK_FALSE(colours("mi=05").wants_targets(false));
}

TEST_CASE("stat is asked only where the mode can change the colour") {
  const core::Want mode = core::want::type | core::want::mode;
  CHECK(colours("").want(Type::file) == mode);
  CHECK(colours("").want(Type::dir) == mode);
  CHECK(colours("").want(Type::link) == 0);
  CHECK(colours("").want(Type::unknown) == mode);
  CHECK(colours("ex=:su=00:sg=0").want(Type::file) == 0);
  CHECK(colours("tw=:ow=:st=").want(Type::dir) == 0);
  CHECK(Colours().want(Type::unknown) == 0);
}

TEST_CASE("a name without a colour is as it stands") {
  std::string text;
  Colours::append(text, "", "plain");
  Colours::append(text, "01;34", "blue");
  CHECK(text == "plain\033[01;34mblue\033[0m");
}

TEST_CASE("a run has the colours that --color asks for, where the output is for people") {
  using Format = out::Style::Format;
  const auto asked = [](const out::Style& style, ColourWhen when, bool terminal) {
    out::Io io(out::Sink(), out::Sink(), {.output_is_terminal = terminal});
    io.start({.name = "test", .call = "test"}, style);
    return Colours::asked(when, io).on();
  };
  CHECK(asked({}, ColourWhen::always, false));
  CHECK_FALSE(asked({}, ColourWhen::automatic, false));
  CHECK_FALSE(asked({}, ColourWhen::never, true));
  for (const Format format : {Format::json, Format::format, Format::shell}) {
    CHECK_FALSE(asked({.format = format}, ColourWhen::always, true));
  }
  CHECK_FALSE(asked({.null = true}, ColourWhen::always, true));
}

TEST_CASE("what is known of a file is completed where its colour depends on more") {
  int asked = 0;
  const auto answer = [&asked](mode_t mode) {
    return [&asked, mode](core::Want want) -> core::Result<core::Stat> {
      ++asked;
      CHECK(want == (core::want::type | core::want::mode));
      if (mode == 0) return core::failure(EACCES, "lstat", "x");
      return core::Stat{.type = core::type_of_mode(mode), .mode = mode};
    };
  };
  const Colours some = colours("*.tar=31");
  Colours::File file{.name = "a.tar", .type = Type::file};
  some.look(file, answer(S_IFREG | 0755));
  CHECK(some.of(file) == "01;32");
  file = {.name = "a.tar", .type = Type::unknown};
  some.look(file, answer(S_IFDIR | 0777));
  CHECK(some.of(file) == "34;42");
  file = {.name = "a.tar", .type = Type::file};
  some.look(file, answer(0));
  CHECK(some.of(file) == "31");
  CHECK(asked == 3);
  file = {.name = "l", .type = Type::link};
  some.look(file, answer(0));
  colours("ex=:su=:sg=").look(file, answer(0));
  CHECK(asked == 3);

  Colours::File memory;
  file.leads_to(core::failure(ENOENT, "stat", "l"), memory);
  CHECK(colours("or=35").of(file) == "35");
  file.leads_to(core::Stat{.type = Type::dir, .mode = S_IFDIR | 0755}, memory);
  CHECK(colours("or=35:ln=target").of(file) == "01;34");
}

TEST_CASE("a path has the colour of directories before its name, and quotes as without") {
  const Colours some = colours("di=34");
  const auto path = [&some](bool terminal, std::string_view code, std::string_view text) {
    return printed(terminal, [&](out::Io& io) { some.print_path(io, code, text); });
  };
  CHECK(path(true, "32", "a/b/c") == "\033[34ma/b/\033[0m\033[32mc\033[0m");
  CHECK(path(true, "", "a/b/c") == "\033[34ma/b/\033[0mc");
  CHECK(path(true, "34", "a/b/c") == "\033[34ma/b/c\033[0m");
  CHECK(path(true, "32", "a b/c") == "\033[34m'a b/\033[0m\033[32mc'\033[0m");
  CHECK(path(true, "32", "a/\033[1m") == "\033[34m$'a/\033[0m\033[32m\\033[1m'\033[0m");
  CHECK(path(false, "32", "a b/c") == "\033[34ma b/\033[0m\033[32mc\033[0m");
  CHECK(printed(true, [](out::Io& io) { colours("di=").print_path(io, "32", "a/b"); }) ==
        "a/\033[32mb\033[0m");
  const auto name = [](bool terminal, std::string_view code) {
    return printed(terminal, [&](out::Io& io) { Colours::print_name(io, code, "a\tb"); });
  };
  CHECK(name(true, "32") == "\033[32m$'a\\tb'\033[0m");
  CHECK(name(true, "") == "$'a\\tb'");
  CHECK(name(false, "32") == "\033[32ma\tb\033[0m");
}
