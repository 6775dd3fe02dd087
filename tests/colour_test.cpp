#include "core/out/colour.hpp"

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
