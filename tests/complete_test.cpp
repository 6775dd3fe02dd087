#include "core/cli/complete.hpp"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "applets/registry.hpp"
#include "tests/harness.hpp"

// An applet with something of everything to complete.
namespace {

using namespace cli;

struct Args {
  bool flag = false;
  std::string text;
  int order = 0;
  Operands paths;
  std::vector<std::string> words;
};
constexpr Word<int> orders[] = {{"name", 0}, {"size", 1}, {"none", 2}};

template <Completes What>
constexpr Option takes(std::string_view name) {
  return value<&Args::text>(0, name, "X", "Takes it", What);
}

constexpr Option rows[] = {
    flag<&Args::flag>('a', "all", "Everything"),
    flag<&Args::flag>('b', "", "A letter alone"),
    value<&Args::text>('m', "mode", "MODE", "Anything"),
    choice<&Args::order, orders>('s', "sort", "WORD", "In this order"),
    choice<&Args::order, orders>(0, "colour", "WEN", "If", "name"),
    takes<Completes::directory>("dir"),
    takes<Completes::user>("user"),
    takes<Completes::group>("group"),
    takes<Completes::errno_name>("errno"),
    takes<Completes::pid>("pid"),
    takes<Completes::signal>("signal"),
    takes<Completes::variable>("variable"),
    takes<Completes::applet>("applet"),
    takes<Completes::command>("command"),
    operand<&Args::text>("MODE", "Anything"),
    paths<&Args::paths>("PATH", "Paths", Least::one),
};
constexpr Option command(Option option) {
  option.shape = Option::Shape::command;
  return option;
}
constexpr Option run_rows[] = {
    flag<&Args::flag>('a', "all", "Everything"),
    operand<&Args::text>("DIR", "", Completes::directory),
    command(operands<&Args::words>("COMMAND", "", Least::one, Completes::command))};
constexpr Option with_rows[] = {
    flag<&Args::flag>('a', "all", "Everything"),
    cli::command<&Args::words>("Settings and a command", Least::one, "NAME=VALUE... COMMAND")};
constexpr bool in_capitals(std::string_view text) { return text[0] >= 'A' && text[0] <= 'Z'; }
Stored take(std::string& to, std::string_view text) {
  to = text;
  return {};
}
constexpr Option send_rows[] = {
    value<&Args::text>('s', "", "X", "Takes it"),
    dashed<&Args::text, in_capitals, take>("SIG", "A signal", Completes::signal),
    operand<&Args::text>("DIR", "", Completes::directory)};
constexpr Alias aliases[] = {{"probe-all", "-a", "probe everything"}};

constexpr Applet probe = {.name = "probe",
                          .group = Group::links,
                          .summary = "probe something",
                          .description = "",
                          .options = rows,
                          .aliases = aliases,
                          .main = nullptr};
constexpr Applet start = {.name = "start",
                          .group = Group::links,
                          .summary = "start a command",
                          .description = "",
                          .options = run_rows,
                          .main = nullptr};
constexpr Applet with = {.name = "with",
                         .group = Group::links,
                         .summary = "start a command with settings",
                         .description = "",
                         .options = with_rows,
                         .main = nullptr};
constexpr Applet send = {.name = "send",
                         .group = Group::links,
                         .summary = "send a signal",
                         .description = "",
                         .options = send_rows,
                         .main = nullptr};
constexpr const Applet* table[] = {&probe, &send, &start, &with};

std::string complete(const std::vector<std::string>& words) {
  const std::vector<std::string_view> views(words.begin(), words.end());
  return completions(table, applets::install, views);
}

/// The candidates without their descriptions.
std::vector<std::string> candidates(const std::vector<std::string>& words) {
  std::vector<std::string> all = tests::lines(complete(words));
  for (std::string& line : all) line.resize(std::min(line.find('\t'), line.size()));
  return all;
}

using List = std::vector<std::string>;

bool has(const List& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}

}  // namespace

TEST_CASE("complete: the first word is an applet, an alias or a word of osbox") {
  CHECK(complete({"osbox", ""}) ==
        "probe\tprobe something\nprobe-all\tprobe everything\nsend\tsend a signal\n"
        "start\tstart a command\nwith\tstart a command with settings\nhelp\tShow what an applet "
        "does\n");
  CHECK(complete({"/usr/bin/osbox", "st"}) == "start\tstart a command\n");
  CHECK(candidates({"osbox", "-"}) == List{"--help", "--install", "--list", "--version"});
  CHECK(candidates({"osbox", "--l"}) == List{"--list"});
  CHECK(complete({"osbox", "zzz"}) == "");
  CHECK(complete({"osbox"}) == "");
  CHECK(complete({}) == "");
}

TEST_CASE("complete: help takes an applet or the tour, and what is unknown takes nothing") {
  CHECK(candidates({"osbox", "help", "p"}) == List{"probe", "probe-all"});
  CHECK(candidates({"osbox", "help", "to"}) == List{"tour"});
  CHECK(complete({"osbox", "help", "probe", ""}) == "");
  CHECK(complete({"osbox", "--list", ""}) == "");
  CHECK(complete({"osbox", "nosuch", ""}) == "");
}

TEST_CASE("complete: options with their help, letters only at a lone dash") {
  const std::string all = complete({"osbox", "probe", "-"});
  CHECK(all.starts_with("-a\tEverything\n--all\tEverything\n-b\tA letter alone\n-m\tAnything\n"));
  const List names = candidates({"osbox", "probe", "--"});
  CHECK(has(names, "--sort"));
  CHECK(has(names, "--files0-from"));
  CHECK(has(names, "--help"));
  CHECK(!has(names, "-a"));
  CHECK(candidates({"osbox", "probe", "--so"}) == List{"--sort"});
  CHECK(candidates({"osbox", "probe-all", "--so"}) == List{"--sort"});
  CHECK(candidates({"osbox", "probe", "x", "--so"}) == List{"--sort"});
  CHECK(complete({"osbox", "probe", "-ab"}) == "");
}

TEST_CASE("complete: a link completes as its applet") {
  for (const std::string name : {"probe", "os-probe", "osbox-probe", "/usr/bin/os-probe"}) {
    CHECK(candidates({name, "--so"}) == List{"--sort"});
    CHECK(candidates({name, "755", ""}) == List{":files"});
  }
  CHECK(complete({"os-nosuch", ""}) == ":files\n");
}

TEST_CASE("complete: the words of a choice, behind a blank and behind =") {
  CHECK(candidates({"osbox", "probe", "--sort", ""}) == List{"name", "size", "none"});
  CHECK(candidates({"osbox", "probe", "--sort", "n"}) == List{"name", "none"});
  CHECK(candidates({"osbox", "probe", "-s", "s"}) == List{"size"});
  CHECK(candidates({"osbox", "probe", "-as", "s"}) == List{"size"});
  CHECK(candidates({"osbox", "probe", "--sort="}) ==
        List{"--sort=name", "--sort=size", "--sort=none"});
  CHECK(candidates({"osbox", "probe", "--sort=s"}) == List{"--sort=size"});
  CHECK(candidates({"osbox", "probe", "--colour=s"}) == List{"--colour=size"});
  // Its value is never the next word.
  CHECK(complete({"osbox", "probe", "--colour", "s"}) == "");
  CHECK(candidates({"osbox", "probe", "--sort=name", "755", ""}) == List{":files"});
  CHECK(complete({"osbox", "probe", "--nosuch="}) == "");
}

TEST_CASE("complete: lists with commas, without what they have") {
  CHECK(candidates({"osbox", "probe", "--sort", "name,"}) == List{"name,size", "name,none"});
  CHECK(candidates({"osbox", "probe", "--sort=size,n"}) ==
        List{"--sort=size,name", "--sort=size,none"});
}

TEST_CASE("complete: values of every kind") {
  CHECK(complete({"osbox", "probe", "--mode", ""}) == "");
  CHECK(complete({"osbox", "probe", "-m", ""}) == "");
  CHECK(complete({"osbox", "probe", "--dir", "x"}) == ":directories\n");
  CHECK(complete({"osbox", "probe", "--dir=x"}) == ":directories\n");
  CHECK(complete({"osbox", "probe", "--command", ""}) == ":commands\n");
  CHECK(complete({"osbox", "probe", "--files0-from", ""}) == ":files\n");
  CHECK(candidates({"osbox", "probe", "--applet", "st"}) == List{"start"});
  CHECK(candidates({"osbox", "probe", "--user", "roo"}) == List{"root"});
  CHECK(candidates({"osbox", "probe", "--group=roo"}) == List{"--group=root"});
  CHECK(complete({"osbox", "probe", "--errno", "ENOEN"}) == "ENOENT\tNo such file or directory\n");
  CHECK(candidates({"osbox", "probe", "--errno", "EWOULDB"}) == List{"EWOULDBLOCK"});
  const std::string pid = std::to_string(::getpid());
  CHECK(has(candidates({"osbox", "probe", "--pid", ""}), pid));
  CHECK(complete({"osbox", "probe", "--pid", pid}).find(pid + "\ttests\n") != std::string::npos);
  CHECK(complete({"osbox", "probe", "--signal", "TER"}) == "TERM\tTerminated\n");
  CHECK(candidates({"osbox", "probe", "--signal=US"}) == List{"--signal=USR1", "--signal=USR2"});
  CHECK(candidates({"osbox", "probe", "--signal", "RT"}) == List{"RTMIN", "RTMAX"});
  CHECK(has(candidates({"osbox", "probe", "--variable", ""}), "PATH"));
  ::setenv("OSBOX_TEST_A b", "", 1);
  CHECK(candidates({"osbox", "probe", "--variable", "OSBOX_TEST"}) == List{});
  ::unsetenv("OSBOX_TEST_A b");
}

TEST_CASE("complete: signals behind a dash") {
  CHECK(complete({"osbox", "send", "-TER"}) == "-TERM\tTerminated\n");
  CHECK(candidates({"osbox", "send", "-US"}) == List{"-USR1", "-USR2"});
  const List all = candidates({"osbox", "send", "-"});
  CHECK(has(all, "-s"));
  CHECK(has(all, "-KILL"));
  CHECK(has(all, "--help"));
  CHECK(!has(candidates({"osbox", "send", "--"}), "-KILL"));
  CHECK(!has(candidates({"osbox", "probe", "-"}), "-KILL"));
  // -s takes the next word, and -Bus is no bundle that ends in it.
  CHECK(complete({"osbox", "send", "-s", ""}) == "");
  CHECK(complete({"osbox", "send", "-Bus", ""}) == ":directories\n");
  CHECK(complete({"osbox", "send", "--", "-TER"}) == ":directories\n");
}

TEST_CASE("complete: operands by their place, and behind -- nothing else") {
  CHECK(complete({"osbox", "probe", ""}) == "");
  CHECK(complete({"osbox", "probe", "755", ""}) == ":files\n");
  CHECK(complete({"osbox", "probe", "755", "a", "b"}) == ":files\n");
  CHECK(complete({"osbox", "probe", "-a", "755", "a"}) == ":files\n");
  CHECK(complete({"osbox", "probe", "--", "755", "--so"}) == ":files\n");
  CHECK(complete({"osbox", "probe", "--", "755", "--dir", ""}) == ":files\n");
  // A value that looks like the end is a value.
  CHECK(candidates({"osbox", "probe", "--mode", "--", "--so"}) == List{"--sort"});
}

TEST_CASE("complete: a command, and behind it whatever it takes") {
  CHECK(complete({"osbox", "start", ""}) == ":directories\n");
  CHECK(complete({"osbox", "start", "/tmp", ""}) == ":commands\n");
  CHECK(candidates({"osbox", "start", "/tmp", "--al"}) == List{"--all"});
  CHECK(complete({"osbox", "start", "/tmp", "tar", "--al"}) == ":command 3\n");
  CHECK(complete({"os-start", "-a", "/tmp", "tar", "x", ""}) == ":command 3\n");
  CHECK(complete({"osbox", "with", "A=1", "B=2", "tar", ""}) == ":command 4\n");
  CHECK(complete({"osbox", "start", "/", "os-start", "/", "tar", ""}) == ":command 5\n");
  // Without a prefix it is the system's, wherever that is; so is what no link of osbox's is.
  for (const std::string name : {"probe", "/bin/probe", "os-nosuch", "osbox-nosuch"}) {
    CHECK(complete({"osbox", "start", "/tmp", name, "--so"}) == ":command 3\n");
  }
  for (const std::string name : {"./osbox-probe", "/usr/bin/os-probe"}) {
    CHECK(candidates({"osbox", "start", "/tmp", name, "--so"}) == List{"--sort"});
  }
  CHECK(candidates({"osbox", "start", "/tmp", "/bin/osbox", "probe", "--so"}) == List{"--sort"});
  CHECK(candidates({"osbox", "start", "/tmp", "osbox", "pr"}) == List{"probe", "probe-all"});
  CHECK(candidates({"osbox", "start", "/tmp", "os-probe", "--so"}) == List{"--sort"});
  // Settings stand in front of a command, and after them its name.
  CHECK(complete({"osbox", "with", "A=1", ""}) == ":commands\n");
  CHECK(candidates({"osbox", "with", "A=1", "B=2", "osbox", "pr"}) == List{"probe", "probe-all"});
  CHECK(candidates({"osbox", "with", "A=1", "--", "os-probe", "--so"}) == List{"--sort"});
  CHECK(candidates({"osbox", "start", "/", "osbox", "start", "/", "osbox", "probe", "-s", "s"}) ==
        List{"size"});
}

TEST_CASE("complete: rmdir and removedirs take directories alone") {
  for (const std::string name : {"rmdir", "removedirs"}) {
    CHECK(osbox({"--complete", "osbox", name, ""}).out == ":directories\n");
  }
}

TEST_CASE("complete: --install") {
  CHECK(complete({"osbox", "--install", ""}) == ":directories\n");
  CHECK(candidates({"osbox", "--install", "--prefix=osb"}) == List{"--prefix=osbox-"});
  CHECK(candidates({"osbox", "--install", "dir", "sta"}) == List{"start"});
}

TEST_CASE("complete: candidates are one line each, for every applet there is") {
  for (const Found& found : all(applets::registry)) {
    const std::string name(found.name());
    CAPTURE(name);
    const Ran ran = osbox({"--complete", "osbox", name, "--"});
    CHECK(ran.status == 0);
    CHECK(ran.out.find("--help\t") != std::string::npos);
    for (const std::string& line : tests::lines(ran.out)) {
      CHECK(line.starts_with("--"));
      CHECK(std::ranges::count(line, '\t') == 1);
    }
    CHECK(osbox({"--complete", "osbox", name}).out.starts_with(name));
    CHECK(osbox({"--complete", "os-" + name, "--hel"}).out == "--help\tShow this help\n");
  }
}

// ---- the scripts, in the shells they are for

namespace {

std::string script(const std::string& name) {
  return tests::build_directory() + "/completions/" + name;
}

/// An interactive shell at a terminal of its own, in a directory with some files in it.
class Shell {
 public:
  /// `path` comes first in PATH: where the shell finds osbox.
  Shell(const std::string& name, const std::string& path)
      : home_(scratch_.directory("home", 0700)) {
    const std::string prompt = "PS1='READY> '\n";
    std::vector<std::string> words;
    if (name == "bash") {
      words = {"bash", "--noprofile", "--rcfile",
               scratch_.file("home/rc", prompt + ". '" + script("osbox.bash") +
                                            "'\n"
                                            // a word of bash-completion's, which may not be here
                                            "_command_offset() {\n"
                                            "  [[ ${COMP_WORDS[$1]} == tool ]] || return 1\n"
                                            "  COMPREPLY=(own)\n"
                                            "}\n"),
               "-i"};
    } else if (name == "zsh") {
      scratch_.file("home/.zshrc", prompt + "fpath=('" + script("") +
                                       "' $fpath)\nautoload -Uz compinit\ncompinit -u -D\n"
                                       "_tool() { compadd own }\ncompdef _tool tool\n");
      words = {"zsh", "-d", "-i"};
    } else {
      words = {"fish", "--no-config", "-C",
               "function fish_prompt; echo -n 'READY> '; end; source '" + script("osbox.fish") +
                   "'; complete -c tool -f -a own"};
    }
    const std::string work = scratch_.directory("work");
    scratch_.directory("work/my dir");
    scratch_.file("work/list of names");
    child_ = ::forkpty(&terminal_, nullptr, nullptr, nullptr);
    REQUIRE(child_ >= 0);
    if (child_ == 0) become(words, work, path);
    wait_for_prompt();
  }
  ~Shell() {
    ::kill(child_, SIGKILL);
    ::close(terminal_);
    ::waitpid(child_, nullptr, 0);
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  /// Types `line` and the tab key, and says what words the shell would run then.
  List type(const std::string& line) {
    const std::string file = scratch_ / "home/words";
    ::unlink(file.c_str());
    // To the begin of the line with ^A, so that the words come out instead of being run.
    write(line + "\t\x01printf >" + file + " '%s\\n' \r");
    wait_for_prompt();
    return tests::lines(tests::run({.words = {"cat", file}}).out);
  }

 private:
  [[noreturn]] void become(const std::vector<std::string>& words, const std::string& work,
                           const std::string& path) {
    for (const auto& [name, value] : {std::pair<const char*, std::string>{"HOME", home_},
                                      {"ZDOTDIR", home_},
                                      {"XDG_CONFIG_HOME", home_},
                                      {"XDG_DATA_HOME", home_},
                                      {"XDG_CACHE_HOME", home_},
                                      {"XDG_RUNTIME_DIR", home_},
                                      {"TERM", "vt100"},
                                      {"LC_ALL", "C.UTF-8"},
                                      {"PATH", path + ":" + std::getenv("PATH")}}) {
      ::setenv(name, value.c_str(), 1);
    }
    if (::chdir(work.c_str()) != 0) ::_exit(125);
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }

  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::write(terminal_, text.data(), text.size());
      REQUIRE(count > 0);
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  /// A shell that says nothing for a minute has lost its way.
  void wait_for_prompt() {
    const std::string_view prompt = "READY> ";
    while (seen_.find(prompt) == seen_.npos) {
      pollfd end{terminal_, POLLIN, 0};
      char block[4096];
      const bool ready = ::poll(&end, 1, 60'000) == 1;
      const ssize_t count = ready ? ::read(terminal_, block, sizeof block) : 0;
      if (count <= 0) FAIL("no prompt, but: " << seen_);
      seen_.append(block, static_cast<std::size_t>(count));
    }
    // What comes behind it, as when the line is drawn anew, belongs to the line.
    seen_.erase(0, seen_.find(prompt) + prompt.size());
  }

  Scratch scratch_;
  std::string home_;
  std::string seen_;
  int terminal_ = -1;
  pid_t child_ = -1;
};

const char* const shells[] = {"bash", "zsh", "fish"};

/// "my dir/" for a shell that leaves the slash there, "my dir" for one that takes it off again.
List without_slash(List words) {
  if (!words.empty() && words.back().ends_with('/')) words.back().pop_back();
  return words;
}

}  // namespace

TEST_CASE("complete: in bash, zsh and fish the tab key asks osbox") {
  for (const std::string name : shells) {
    CAPTURE(name);
    Shell shell(name, tests::build_directory());
    CHECK(shell.type("osbox strerr") == List{"osbox", "strerror"});
    CHECK(shell.type("osbox --vers") == List{"osbox", "--version"});
    CHECK(shell.type("osbox help strerr") == List{"osbox", "help", "strerror"});
    CHECK(shell.type("osbox strerror --exi") == List{"osbox", "strerror", "--exit-errno"});
    CHECK(shell.type("osbox strerror --format=x ENOEN") ==
          List{"osbox", "strerror", "--format=x", "ENOENT"});
    CHECK(shell.type("os-strerror EWOULD") == List{"os-strerror", "EWOULDBLOCK"});
    CHECK(shell.type("osbox-strerror EWOULD") == List{"osbox-strerror", "EWOULDBLOCK"});
    CHECK(shell.type("osbox --install --prefix=osb") ==
          List{"osbox", "--install", "--prefix=osbox-"});
    CHECK(shell.type("osbox --install --prefix osb") ==
          List{"osbox", "--install", "--prefix", "osbox-"});
    CHECK(without_slash(shell.type("osbox --install m")) == List{"osbox", "--install", "my dir"});
    CHECK(shell.type("osbox --install x strerr") == List{"osbox", "--install", "x", "strerror"});
  }
}

TEST_CASE("complete: in bash, zsh and fish file names, directories and commands are the shell's") {
  // A stand-in for osbox that asks for one of them.
  const Scratch scratch;
  scratch.file("osbox",
               "#!/bin/sh\n"
               "case \"$*\" in\n"
               "  --list) echo probe ;;\n"
               "  *dirs*) echo :directories ;;\n"
               "  *run*) echo :commands ;;\n"
               "  *' say ') echo only ;;\n"
               "  *tool*) echo \":command $(($# - 3))\" ;;\n"
               "  *) echo :files ;;\n"
               "esac\n",
               0755);
  scratch.file("osbox-test-command", "#!/bin/sh\n", 0755);
  for (const std::string name : shells) {
    CAPTURE(name);
    Shell shell(name, scratch.path());
    CHECK(shell.type("osbox probe li") == List{"osbox", "probe", "list of names"});
    CHECK(shell.type("osbox probe --from=li") == List{"osbox", "probe", "--from=list of names"});
    CHECK(shell.type("osbox probe --from li") == List{"osbox", "probe", "--from", "list of names"});
    CHECK(shell.type("os-probe li") == List{"os-probe", "list of names"});
    CHECK(without_slash(shell.type("osbox dirs m")) == List{"osbox", "dirs", "my dir"});
    CHECK(shell.type("osbox dirs li") == List{"osbox", "dirs", "li"});
    // A word that is empty as yet is asked for as well.
    CHECK(shell.type("osbox say ") == List{"osbox", "say", "only"});
    CHECK(shell.type("osbox run osbox-test-c") == List{"osbox", "run", "osbox-test-command"});
    // Behind a command of others the shell does what it does for that one, or offers files.
    CHECK(shell.type("osbox call tool o") == List{"osbox", "call", "tool", "own"});
    CHECK(shell.type("osbox call --a=b tool ") == List{"osbox", "call", "--a=b", "tool", "own"});
    CHECK(shell.type("osbox 'my call' 'c d' tool o") ==
          List{"osbox", "my call", "c d", "tool", "own"});
    CHECK(shell.type("osbox call nosuchtool li") ==
          List{"osbox", "call", "nosuchtool", "list of names"});
  }
}

TEST_CASE("complete: fish shows descriptions") {
  const Scratch scratch;
  const Ran ran = tests::run(
      {.words = {"fish", "--no-config", "-c",
                 "source '" + script("osbox.fish") + "'; complete -C 'osbox strerror --exi'"},
       .environment = {"HOME=" + scratch.path(),
                       "XDG_RUNTIME_DIR=" + scratch.directory("own", 0700),
                       "PATH=" + tests::build_directory() + ":" + std::getenv("PATH")}});
  CHECK(ran.out == "--exit-errno\tExit with the errno of the first failure instead of 1\n");
}

TEST_CASE("complete: the scripts are short, and say nothing where there is no osbox") {
  for (const std::string name : {"osbox.bash", "osbox.fish", "_osbox"}) {
    const Ran ran = tests::run({.words = {"cat", script(name)}});
    REQUIRE(ran.status == 0);
    CHECK(tests::lines(ran.out).size() <= 28);
  }
  const Ran bash =
      tests::run({.words = {"/bin/bash", "--norc", "-c", ". '" + script("osbox.bash") + "'"},
                  .environment = {"PATH=/usr/bin:/bin"}});
  CHECK(bash.status == 0);
  CHECK(bash.err == "");
  CHECK(bash.out == "");
}
