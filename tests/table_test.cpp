// Rules that the tables of all applets keep.
#include <algorithm>
#include <set>

#include "applets/registry.hpp"
#include "core/cli/common.hpp"
#include "core/out/plan.hpp"
#include "tests/harness.hpp"

namespace {

using cli::Applet;
using cli::Option;

bool is_name(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == name.npos;
}

/// The same, or with the '_' of a function's name.
bool is_applet_name(std::string_view name) {
  std::string dashed(name);
  std::ranges::replace(dashed, '_', '-');
  return is_name(dashed) && !name.starts_with('_') && !name.ends_with('_');
}

bool is_field_name(std::string_view name) {
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == name.npos;
}

/// Plain ASCII without tabs: it goes into help, manual and completion as it is.
bool is_plain(std::string_view text, bool paragraphs = false) {
  return std::ranges::all_of(
      text, [paragraphs](char c) { return (c >= ' ' && c <= '~') || (paragraphs && c == '\n'); });
}

/// True for "...a sentence." and not for "... . and ..".
bool has_full_stop(std::string_view text) {
  return text.size() > 1 && text.back() == '.' && text[text.size() - 2] != '.' &&
         text[text.size() - 2] != ' ';
}

/// A line of a list: begins as no sentence does, and has no full stop.
void check_summary(std::string_view summary) {
  CAPTURE(summary);
  CHECK(is_plain(summary));
  CHECK(summary.size() >= 8);
  CHECK(summary.size() <= 64);
  CHECK(summary.substr(0, 1) >= "a");
  CHECK(summary.substr(0, 1) <= "z");
  CHECK(!has_full_stop(summary));
}

void check_help(std::string_view help) {
  CAPTURE(help);
  CHECK(is_plain(help));
  CHECK(help.size() >= 3);
  CHECK(!has_full_stop(help));
  CHECK(!help.ends_with(' '));
  CHECK(help.find("  ") == help.npos);
}

std::vector<const Option*> rows_of(const Applet& applet) {
  std::vector<const Option*> rows;
  for (const cli::Section& section : cli::sections(applet)) {
    for (const Option& option : section.options) rows.push_back(&option);
  }
  return rows;
}

/// Every applet, and the one behind --install.
std::vector<const Applet*> applets_and_install() {
  std::vector<const Applet*> all(applets::registry.begin(), applets::registry.end());
  all.push_back(&applets::install);
  return all;
}

}  // namespace

TEST_CASE("table: the registry is sorted, and no name is there twice") {
  CHECK(std::ranges::is_sorted(applets::registry, {}, &Applet::name));
  std::set<std::string_view> seen;
  for (const cli::Found& found : cli::all(applets::registry)) {
    CAPTURE(found.name());
    CHECK(is_applet_name(found.name()));
    CHECK(found.name().size() <= 20);
    CHECK(seen.insert(found.name()).second);
    // Words and links of osbox's own.
    CHECK(found.name() != "help");
    CHECK(!found.name().starts_with("os-"));
    CHECK(!found.name().starts_with("osbox"));
    CHECK(!found.name().starts_with("-"));
    const cli::Found again = cli::find(applets::registry, found.name());
    CHECK(again.applet == found.applet);
    CHECK(again.alias == found.alias);
  }
}

TEST_CASE("table: every applet is described") {
  for (const Applet* const applet : applets_and_install()) {
    CAPTURE(applet->name);
    check_summary(applet->summary);
    for (const cli::Alias& alias : applet->aliases) check_summary(alias.summary);
    CHECK(is_plain(applet->description, true));
    CHECK(applet->description.size() > 40);
    CHECK(applet->description.ends_with('.'));
    CHECK(applet->description.find("\n\n\n") == applet->description.npos);
    CHECK(!applet->examples.empty());
    CHECK((applet->main != nullptr));
    for (const cli::Status& status : applet->statuses) check_help(status.meaning);
    std::string_view pages = applet->see_also;
    while (!pages.empty()) {
      const std::string_view page = pages.substr(0, pages.find(", "));
      pages.remove_prefix(std::min(page.size() + 2, pages.size()));
      CAPTURE(page);
      CHECK(page.size() > 3);
      CHECK(page.ends_with(')'));
      CHECK(page.substr(page.size() - 3, 1) == "(");
    }
  }
}

TEST_CASE("table: every option and operand is documented, and named once") {
  for (const Applet* const applet : applets_and_install()) {
    CAPTURE(applet->name);
    std::set<std::string_view> names;
    std::set<char> letters;
    bool last = false;
    bool optional = false;
    for (const Option* const option : rows_of(*applet)) {
      CAPTURE(option->name);
      CAPTURE(option->value);
      check_help(option->help);
      CHECK((option->store != nullptr));
      if (option->is_operand()) {
        CHECK(option->name.empty());
        CHECK(option->letter == 0);
        CHECK(is_plain(option->value));
        CHECK(!option->value.empty());
        // Nothing can follow what takes all that is left. What need not be there comes behind what
        // must, unless all of them are paths and go to one place.
        CHECK(!last);
        CHECK(!(optional && option->required && option->shape == Option::Shape::operand &&
                option->operands == nullptr));
        last = option->shape != Option::Shape::operand;
        CHECK((option->unless.empty() ||
               std::ranges::find(applet->options, option->unless, &Option::name) !=
                   applet->options.end()));
        optional = optional || !option->required;
        continue;
      }
      const bool dashed = option->shape == Option::Shape::dashed;
      CHECK(dashed == (option->takes != nullptr));
      CHECK(dashed == (option->name.empty() && option->letter == 0));
      if (dashed) {
        // A letter would never get its turn.
        for (const Option* const other : rows_of(*applet)) {
          CHECK((other->letter == 0 || !option->takes({&other->letter, 1})));
        }
        continue;
      }
      if (!option->name.empty()) {
        CHECK(is_name(option->name));
        CHECK(option->name.size() >= 2);
        CHECK(names.insert(option->name).second);
      }
      if (option->letter != 0) {
        CHECK(((option->letter >= '0' && option->letter <= '9') ||
               (option->letter >= 'A' && option->letter <= 'Z') ||
               (option->letter >= 'a' && option->letter <= 'z')));
        CHECK(letters.insert(option->letter).second);
      }
      const bool flag = option->shape == Option::Shape::flag;
      CHECK(flag == option->value.empty());
      if (option->shape == Option::Shape::optional_value) CHECK(!option->otherwise.empty());
    }
  }
}

TEST_CASE("table: a choice lists its words") {
  for (const Applet* const applet : applets_and_install()) {
    for (const Option* const option : rows_of(*applet)) {
      CAPTURE(applet->name);
      CAPTURE(option->name);
      CHECK((option->completes == cli::Completes::words) == !option->words.empty());
      std::set<std::string_view> seen;
      for (const std::string_view word : option->words) {
        CHECK(is_plain(word));
        CHECK(!word.empty());
        CHECK(seen.insert(word).second);
      }
    }
  }
}

TEST_CASE("table: fields are documented, each name once, and the line for people is a template") {
  for (const Applet* const applet : applets_and_install()) {
    CAPTURE(applet->name);
    for (const out::Table& table : applet->tables) {
      CHECK((!table.line.empty() || table.print != nullptr));
      if (applet->tables.size() > 1) CHECK(is_plain(table.when));
      std::set<std::string_view> seen;
      for (const out::Field& field : table.fields) {
        CAPTURE(field.name);
        CHECK(is_field_name(field.name));
        CHECK(seen.insert(field.name).second);
        check_help(field.help);
        CHECK((field.get != nullptr));
        CHECK((field.kind == out::Kind::time) == field.name.ends_with("_ns"));
        CHECK(field.row_type == table.fields.front().row_type);
      }
      if (table.line.empty()) continue;
      for (const out::Names names : {out::Names::raw, out::Names::quoted}) {
        const auto plan = out::Plan::format(table.fields, table.line, names, '\n');
        CAPTURE((plan ? std::string() : plan.error()));
        CHECK(plan.has_value());
      }
    }
  }
}

TEST_CASE("table: --help works under every name, so the options of every alias do") {
  for (const cli::Found& found : cli::all(applets::registry)) {
    const std::string name(found.name());
    CAPTURE(name);
    const Ran ran = osbox({name, "--help"});
    CHECK(ran.status == 0);
    CHECK(ran.err == "");
    CHECK(ran.out.starts_with("osbox " + name + ": "));
  }
}

TEST_CASE("table: an option that does not exist is 2 everywhere, and is named") {
  for (const cli::Found& found : cli::all(applets::registry)) {
    const std::string name(found.name());
    CAPTURE(name);
    const Ran ran = osbox({name, "--no-such-option"});
    CHECK(ran.status == 2);
    CHECK(ran.out == "");
    CHECK(ran.err.starts_with(name + ": unknown option --no-such-option"));
    CHECK(ran.err.ends_with("; see 'osbox " + name + " --help'\n"));
    CHECK(tests::lines(ran.err).size() == 1);
  }
}

TEST_CASE("table: every example is of its applet, fits a line, and its options are right") {
  for (const Applet* const applet : applets_and_install()) {
    for (const cli::Example& example : applet->examples) {
      const std::string command(example.command);
      CAPTURE(command);
      CHECK(is_plain(command));
      CHECK(command.size() <= 80 - 8);
      check_help(example.purpose);
      const std::string name = command.substr(0, command.find(' '));
      const cli::Found found = cli::find(applets::registry, name);
      CHECK((found.applet == applet || name == applet->name));
      // With --help in front of the rest the options are read, and nothing is done.
      const Ran ran = tests::shell("osbox " + name + " --help" + command.substr(name.size()));
      CHECK(ran.err == "");
      CHECK(ran.status == 0);
    }
  }
}

TEST_CASE("table: every example that changes nothing runs") {
  // Jobs that nobody asks for are written down here.
  const Scratch runtime;
  for (const Applet* const applet : applets::registry) {
    if (applet->changes || applet->name == "getenv") continue;
    for (const cli::Example& example : applet->examples) {
      const Ran ran = tests::shell(
          "export XDG_RUNTIME_DIR=\"$1\"; osbox " + std::string(example.command), {runtime.path()});
      CAPTURE(example.command);
      CAPTURE(ran.err);
      CHECK(ran.status != 2);
      // Other ids are for root to have.
      const bool refused = ran.err.find("EPERM") != std::string::npos && !tests::is_root();
      CHECK((ran.status < 125 || refused));
    }
  }
}
