#include "core/cli/habits.hpp"

#include <algorithm>

#include "applets/registry.hpp"
#include "core/cli/common.hpp"
#include "tests/harness.hpp"

// What a newcomer types, and what the answer is.
namespace {

/// The applet called `name`, or what runs as an option of osbox itself.
bool is_applet(std::string_view name) {
  return cli::find(applets::registry, name).applet != nullptr;
}

/// True where the table of the applet called `name` has the option, or each letter of the bundle.
bool takes(std::string_view name, std::string_view option) {
  std::vector<const cli::Option*> rows;
  const auto found = cli::find(applets::registry, name);
  for (const cli::Section& section : cli::sections(*found.applet)) {
    for (const cli::Option& row : section.options) rows.push_back(&row);
  }
  const auto any = [&](auto is) { return std::ranges::any_of(rows, is); };
  if (option.starts_with("--")) {
    return any([&](const cli::Option* row) { return row->name == option.substr(2); });
  }
  return std::ranges::all_of(option.substr(1), [&](char letter) {
    return any([&](const cli::Option* row) { return row->letter == letter; });
  });
}

/// The words of `text` that look like options, without what follows a '='.
std::vector<std::string> options_in(std::string_view text) {
  std::vector<std::string> options;
  std::string word;
  for (const char c : std::string(text) + ' ') {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-') {
      word += c;
    } else {
      if (word.starts_with('-') && word.find_first_not_of('-') != word.npos)
        options.push_back(word);
      word.clear();
    }
  }
  return options;
}

}  // namespace

TEST_CASE("habits: the table is sorted, and each row says something") {
  for (const cli::Habit& habit : cli::habits) {
    CAPTURE(habit.applet);
    CAPTURE(habit.word);
    CHECK_FALSE(habit.instead.empty());
    CHECK(habit.instead.size() <= 70);
    const bool known = habit.applet.empty() || habit.applet == "osbox" || is_applet(habit.applet);
    CHECK(known);
  }
  const auto key = [](const cli::Habit& habit) { return std::pair(habit.applet, habit.word); };
  CHECK(std::ranges::adjacent_find(cli::habits, std::ranges::greater_equal(), key) ==
        cli::habits.end());
}

TEST_CASE("habits: each word is wrong, and its row is the answer") {
  for (const cli::Habit& habit : cli::habits) {
    CAPTURE(habit.applet);
    CAPTURE(habit.word);
    const std::string word(habit.word);
    const std::string hint = " (use " + std::string(habit.instead) + ")";
    if (habit.applet.empty() && !word.starts_with('-')) {
      const std::string begin = "osbox: no applet " + (word == "[" ? "'['" : word);
      const Ran ran = osbox({word});
      CHECK(ran.status == 127);
      CHECK(ran.err == begin + hint + "\n");
      // osbox-install(1) is a page of its own.
      if (word != "install") CHECK(osbox({"help", word}).err == ran.err);
      continue;
    }
    std::vector<std::string> words;
    std::string applet(habit.applet.empty() ? "stat" : habit.applet);
    if (applet != "osbox") words.push_back(applet);
    words.push_back(word.empty() ? "-z" : word);
    words.insert(words.end(), {"a", "b", "c"});
    const Ran ran = osbox(words);
    CHECK(ran.status == 2);
    CHECK(ran.out == "");
    std::string said = "unknown option " + (word.empty() ? "-z" : word);
    if (word == "--help") said = "unexpected operand a";
    if (word.starts_with("--format=")) said = "--format " + word.substr(9);
    const std::string see = applet == "osbox" ? "" : applet + " ";
    CHECK(ran.err == applet + ": " + said + hint + "; see 'osbox " + see + "--help'\n");
  }
}

TEST_CASE("habits: what is named instead is there") {
  for (const cli::Habit& habit : cli::habits) {
    CAPTURE(habit.applet);
    CAPTURE(habit.instead);
    // The applet that the sentence is about: its first word, or the one whose word it was.
    const std::string first(habit.instead.substr(0, habit.instead.find_first_of(" ,")));
    std::string about(habit.applet);
    if (is_applet(first)) about = first;
    const bool own = first == "help" || habit.applet == "osbox" || habit.word == "-h" ||
                     habit.word == "list" || habit.word == "version";
    if (habit.applet.empty() && !own && first != "the" && habit.word != "xargs") {
      CHECK_MESSAGE(is_applet(first), first);
    }
    if (first == "APPLET") about = "stat";
    if (about.empty() || about == "osbox") continue;
    for (const std::string& option : options_in(habit.instead)) {
      // Of other tools: "ln -s", "ls -l", "xargs -0", "-- in front of -x".
      if ((habit.applet == "chmod" && habit.word.size() == 2) || habit.word == "ln" ||
          habit.applet == "system")
        continue;
      // A second applet of the sentence takes it.
      if (option == "--files0-from" || about == "mknod" || habit.word == "test") continue;
      CHECK_MESSAGE(takes(about, option), option);
    }
  }
}

TEST_CASE("habits: Python's names, as they are called there") {
  const auto said = [](const std::string& word) {
    const Ran ran = osbox({word, "x"});
    CHECK(ran.status == 127);
    return ran.err.substr(0, ran.err.size() - 1);
  };
  CHECK(said("os.listdir") == "osbox: no applet os.listdir (did you mean listdir?)");
  CHECK(said("os.stat") == "osbox: no applet os.stat (did you mean stat?)");
  CHECK(said("listdir(\".\")") == "osbox: no applet 'listdir(\".\")' (did you mean listdir?)");
  CHECK(said("os.lisdir") == "osbox: no applet os.lisdir (did you mean listdir?)");
  CHECK(said("os.path.exists") == "osbox: no applet os.path.exists (use access -f PATH)");
  CHECK(said("path.exists") == "osbox: no applet path.exists (use access -f PATH)");
  CHECK(said("notes.list") == "osbox: no applet notes.list");
  CHECK(said("os.") == "osbox: no applet os.");
  CHECK(said("(") == "osbox: no applet '('");
}

TEST_CASE("habits: what the answers for id lead to is what id(1) prints") {
  const auto same = [](const std::string& id, const std::string& osbox) {
    const Ran ran = tests::shell("id " + id + "; osbox " + osbox);
    const auto lines = tests::lines(ran.out);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0] == lines[1]);
  };
  same("-un", "id --format '{euser}'");
  same("-gn", "id --format '{egroup}'");
  same("-un", "geteuid --format '{euser}'");
  same("-gn", "getegid --format '{egroup}'");
  same("-run", "getuid --format '{user}'");
  same("-rgn", "getgid --format '{group}'");
  // id(1) puts the effective group in front, and lists it once.
  const auto sorted = [](std::vector<std::string> lines) {
    std::ranges::sort(lines);
    lines.erase(std::ranges::unique(lines).begin(), lines.end());
    return lines;
  };
  const auto groups = [&](const std::string& command) {
    return sorted(tests::lines(tests::shell(command).out));
  };
  CHECK(groups("id -Gn | tr ' ' '\\n'") ==
        groups("osbox getgroups --format '{group}'; osbox getegid --format '{egroup}'"));
}

TEST_CASE("habits: letters and words of find do not get in each other's way") {
  const auto said = [](std::vector<std::string> words) {
    words.insert(words.begin(), "walk");
    const Ran ran = osbox(words);
    CHECK(ran.status == 2);
    return ran.err.substr(0, ran.err.find(';'));
  };
  CHECK(said({"/nosuch", "-name", "*.c"}) == "walk: unknown option -name (use --name GLOB)");
  CHECK(said({"-type", "f"}) == "walk: unknown option -type (use --type TYPES)");
  CHECK(said({"-type", "f", "-print0"}) == "walk: unknown option -type (use --type TYPES)");
  CHECK(said({"-nam"}) == "walk: unknown option -n");
  CHECK(said({"-0d", "2"}) == "walk: unknown option -d (use --max-depth N, or --bottom-up)");
  CHECK(said({"-t", "ype"}).starts_with("walk: --type ype: not a list of "));
  CHECK(said({"--maxdepth", "2"}) == "walk: unknown option --maxdepth (did you mean --max-depth?)");
}

TEST_CASE("habits: a '*' of the shell that brings names with a dash") {
  const Scratch scratch;
  scratch.file("-rf");
  scratch.file("--bad name");
  const auto said = [&](const std::string& words) {
    const Ran ran = tests::shell("cd \"$1\"; osbox " + words, {scratch.path()});
    CHECK(ran.status == 2);
    return ran.err.substr(0, ran.err.find(';'));
  };
  const std::string goes = " (a name that begins with '-' goes behind --, or as ";
  CHECK(said("unlink *") == "unlink: unknown option '--bad name'" + goes + "'./--bad name')");
  CHECK(said("unlink -rf") == "unlink: unknown option -rf" + goes + "./-rf)");
  // Where there is no such file it is an option that is meant.
  CHECK(said("unlink -fr").starts_with("unlink: unknown option -fr (use walk "));
  CHECK(said("walk -rf") == "walk: unknown option -rf" + goes + "./-rf)");
  CHECK(said("exec -rf") == "exec: unknown option -r");
  CHECK(tests::shell("cd \"$1\"; osbox unlink -- *", {scratch.path()}).status == 0);
}

TEST_CASE("habits: operands the other way round") {
  const Scratch scratch;
  const std::string file = scratch.file("644x");
  const auto said = [](const std::vector<std::string>& words) {
    const Ran ran = osbox(words);
    CHECK(ran.status == 2);
    return ran.err.substr(0, ran.err.find(';'));
  };
  CHECK(said({"chmod", file, "600"}) ==
        "chmod: MODE " + file + ": neither octal nor like u+x,go-w (MODE comes first)");
  CHECK(said({"chmod", file, file}).ends_with("u+x,go-w"));
  CHECK(said({"chmod", "9"}).ends_with("u+x,go-w"));
  CHECK(said({"setuid", "nosuch!", "1"}).ends_with("no such user"));
  CHECK(said({"chown", file, "root"}) ==
        "chown: OWNER " + file + ": no such user (OWNER comes first)");
  CHECK(said({"chown", "/a.b", "root"}) == "chown: OWNER /a.b: no such user (OWNER comes first)");
  CHECK(
      osbox({"chown", "0", "0", file}).err.contains("(a group stands behind a colon: USER:GROUP)"));
  CHECK(said({"truncate", file, "10"}).ends_with("behind it (SIZE comes first)"));
  CHECK(said({"rename", "a", "b", "c"}) ==
        "rename: unexpected operand c (use --files0-from for more than one pair)");
  CHECK(said({"system", "ls", "x"}) ==
        "system: unexpected operand x (use one word in quotes: system 'ls -l')");
  CHECK(said({"system", "--color", "ls"}) ==
        "system: unknown option --color (use one word in quotes: system 'ls -l')");
  CHECK(said({"getcwd", "x"}) == "getcwd: unexpected operand x");
  CHECK(said({"putenv", "A", "1"}) == "putenv: missing operand NAME=VALUE");
  CHECK(osbox({"putenv", "A", "1"}).err.find("; A has no '='; see ") != std::string::npos);
  const Ran account = osbox({"id", "root"});
  CHECK(account.status == 1);
  CHECK(account.err ==
        "id: root: EINVAL: Invalid argument (not a process id; of an account the system's id "
        "tells)\n");
  const std::string self = std::to_string(::getpid());
  const Ran kill = osbox({"kill", self, "CONT"});
  CHECK(kill.status == 1);
  CHECK(kill.err ==
        "kill: CONT: EINVAL: Invalid argument (a signal stands behind a dash: -CONT)\n");
}

TEST_CASE("habits: a command as a shell would have it") {
  const auto said = [](const std::vector<std::string>& words) {
    const Ran ran = tests::run({.words = words});
    CHECK(ran.status == 127);
    return ran.err;
  };
  const std::string name = tests::binary();
  CHECK(said({name, "exec", "A=1", "env"}) ==
        "exec: A=1: ENOENT: No such file or directory (a command is no place to set a "
        "variable)\n");
  CHECK(said({name, "spawn", "ls -l"}) ==
        "spawn: 'ls -l': exec: ENOENT: No such file or directory (a command and its arguments are "
        "words of their own)\n");
  CHECK(said({name, "spawn", "/no such/ls"}) ==
        "spawn: '/no such/ls': exec: ENOENT: No such file or directory\n");
}

TEST_CASE("habits: a list whose commas were left out, and a command that is mistyped") {
  const auto note = [](const std::string& applet, const std::string& first,
                       const std::string& second, const std::string& last = "x") {
    const Ran ran = tests::run({.words = {tests::binary(), applet, first, second, last}});
    CHECK(ran.status == 127);
    const std::string missing =
        applet + ": " + second + ": exec: ENOENT: No such file or directory";
    CHECK(ran.err.starts_with(missing));
    return ran.err.substr(std::min(missing.size(), ran.err.size()));
  };
  const std::string cpus = tests::lines(osbox({"sched_getaffinity"}).out).at(0);
  const std::string of_cpus = " (CPUS have commas between them)\n";
  CHECK(note("sched_setaffinity", cpus, "7000") == of_cpus);
  CHECK(note("sched_setaffinity", cpus, "2-3,8", "true") == of_cpus);
  CHECK(note("sched_setaffinity", cpus, "nosuch") == "\n");
  CHECK(note("sched_setaffinity", cpus, "7zz") == "\n");
  CHECK(note("setuid", std::to_string(::geteuid()), "7000") == "\n");
  if (!tests::is_root()) return;
  const std::string of_groups = " (GROUPS have commas between them)\n";
  CHECK(note("setgroups", "0", "7000") == of_groups);
  CHECK(note("setgroups", "0,1", "nogroup", "true") == of_groups);
  CHECK(note("setgroups", "0", "nosuch") == "\n");
  CHECK(note("setgroups", "0,0", "nosuch") == "\n");
  // None is what was said.
  CHECK(note("setgroups", "", "nosuch") == "\n");
  CHECK(note("setgroups", "", "7000") == "\n");
  CHECK(note("setgid", "0", "7000") == "\n");
}

TEST_CASE("habits: a number that is less than 0 is one") {
  const auto said = [](const std::vector<std::string>& words) {
    const Ran ran = osbox(words);
    CHECK(ran.status == 2);
    return ran.err.substr(0, ran.err.find(';'));
  };
  CHECK(said({"walk", "--max-depth", "-1"}) == "walk: --max-depth -1: less than 0");
  CHECK(said({"walk", "--min-depth=-18446744073709551617"}).ends_with(": less than 0"));
  CHECK(said({"walk", "--threads", "-99999999999999999999"}).ends_with(": less than 0"));
  CHECK(said({"walk", "--threads", "-007"}) == "walk: --threads -007: less than 0");
  CHECK(said({"walk", "--threads", "-0"}) == "walk: --threads -0: not a number");
  CHECK(said({"walk", "--threads", "-"}) == "walk: --threads -: not a number");
  CHECK(said({"walk", "--threads", "--5"}) == "walk: --threads --5: not a number");
  CHECK(said({"walk", "--max-depth", "-1x"}) == "walk: --max-depth -1x: not a number");
  CHECK(said({"exec", "--close-from", "-3", "true"}) == "exec: --close-from -3: less than 0");
}

TEST_CASE("habits: a format of % instead of fields is refused, any other constant text is not") {
  const auto format = [](const std::string& text) {
    return osbox({"stat", "--format", text, "/"});
  };
  const Ran gnu = format("%s %n");
  CHECK(gnu.status == 2);
  CHECK(gnu.err == "stat: --format '%s %n' (use -c FORMAT); see 'osbox stat --help'\n");
  const Ran find = osbox({"walk", "--format", "%p", "/nosuch"});
  CHECK(find.status == 2);
  CHECK(find.err.find("fields in braces, as '{path}', and no %; there are path, ") !=
        find.err.npos);
  CHECK(osbox({"ls", "--format", "longer", "-d", "/"}).out == "longer\n");
  CHECK(format("50%").out == "50%\n");
  CHECK(format("100 % sure").out == "100 % sure\n");
  CHECK(format("100%done").out == "100%done\n");
  CHECK(format("{path}%s").out == "/%s\n");
  CHECK(format("").out == "\n");
}
