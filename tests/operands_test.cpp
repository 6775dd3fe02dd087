// Path operands and the options they bring, in an applet of the test's own.
#include "core/cli/operands.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "applets/registry.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"
#include "tests/harness.hpp"

namespace {

using namespace cli;
using namespace out;

struct Args {
  Operands paths;
};

constexpr Option options[] = {
    paths<&Args::paths>("PATH", "What is looked at", Least::one),
};

struct Row {
  std::string_view path;
  std::uint64_t size;
};

constexpr Field row_fields[] = {name<&Row::path>("path", "As it was given"),
                                natural<&Row::size>("size", "Bytes")};

constexpr Table tables[] = {{.fields = row_fields, .line = "{path} {size}"}};

Outcome run(Args& args, Io& io) {
  auto records = TRY(io.records<Row>(tables[0]));
  return args.paths.each(io, [&](core::Path path) -> core::Result<void> {
    const core::Stat stat = TRY(core::stat(path, core::want::size, args.paths.at()));
    records.put({path, stat.size});
    return {};
  });
}

constexpr Applet look = {
    .name = "look",
    .group = Group::metadata,
    .summary = "say how large files are",
    .description = "Only for tests.",
    .call = "stat",
    .options = options,
    .tables = tables,
    .main = runs<run>,
};

constexpr const Applet* applets_here[] = {&look};

int dispatch_here(std::vector<std::string> words, Io& io) {
  words.insert(words.begin(), "look");
  const std::vector<std::string_view> views(words.begin(), words.end());
  return cli::dispatch(applets_here, applets::install, views, io);
}

Ran run_look(const std::vector<std::string>& words, Screen screen = {}) {
  Io io{Sink(), Sink(), screen};
  Ran ran;
  ran.status = dispatch_here(words, io);
  ran.out = io.output().buffer();
  ran.err = io.error_output().buffer();
  return ran;
}

/// The applet in a child, with pipes at its standard input and output.
class Talk {
 public:
  explicit Talk(const std::vector<std::string>& words) {
    int in[2];
    int out[2];
    REQUIRE(::pipe2(in, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
    child_ = ::fork();
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::close(in[1]);
      Io io = Io::standard();
      ::_exit(dispatch_here(words, io));
    }
    to_ = core::Fd(in[1]);
    from_ = core::Fd(out[0]);
    ::close(in[0]);
    ::close(out[1]);
  }
  ~Talk() {
    to_.close();
    if (child_ > 0) ::waitpid(child_, nullptr, 0);
  }
  Talk(const Talk&) = delete;
  Talk& operator=(const Talk&) = delete;

  void say(std::string_view text) {
    REQUIRE(::write(core::FdRef(to_).number(), text.data(), text.size()) ==
            static_cast<ssize_t>(text.size()));
  }
  /// Waits for one line.
  std::string hear() {
    std::string line;
    for (char byte = 0; byte != '\n';) {
      const auto count = core::read(from_, &byte, 1);
      if (!count || *count == 0) return line;
      line += byte;
    }
    return line;
  }
  int end() {
    to_.close();
    int status = 0;
    ::waitpid(std::exchange(child_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t child_ = 0;
  core::Fd to_;
  core::Fd from_;
};

}  // namespace

TEST_CASE("operands come from a file, each with a NUL behind it, the last one also without") {
  const Scratch scratch;
  const std::string a = scratch.file("a", "1");
  const std::string b = scratch.file("new\nline", "22");
  const std::string list = scratch.file("list", a + '\0' + '\0' + b);
  const Ran ran = run_look({"--files0-from", list});
  CHECK(ran.status == 1);
  CHECK(ran.out == a + " 1\n" + b + " 2\n");
  CHECK(ran.err == "look: '': ENOENT: No such file or directory\n");
  CHECK(run_look({"--files0-from", scratch.file("terminated", a + '\0')}).out == a + " 1\n");
  CHECK(run_look({"--files0-from", scratch.file("empty")}).status == 0);
}

TEST_CASE("operands from a pipe are done one by one, as they come") {
  const Scratch scratch;
  const std::string a = scratch.file("a", "1");
  Talk talk({"--files0-from", "-"});
  for (int i = 0; i < 3; ++i) {
    talk.say(a + '\0');
    CHECK(talk.hear() == a + " 1\n");
  }
  // In pieces, and two at once.
  talk.say(a.substr(0, 3));
  talk.say(a.substr(3) + '\0' + a + '\0' + a);
  CHECK(talk.hear() == a + " 1\n");
  CHECK(talk.hear() == a + " 1\n");
  CHECK(talk.end() == 0);
  CHECK(talk.hear() == a + " 1\n");
}

TEST_CASE("millions of operands need no memory of their own") {
  const Scratch scratch;
  std::string block;
  for (int i = 0; i < 100'000; ++i) block += std::string("/dev/null") + '\0';
  const std::string list = scratch.file("list", block);
  CHECK(tests::in_child([&] {
          int ends[2];
          if (::pipe(ends) != 0) return std::string("pipe");
          const pid_t feeder = ::fork();
          if (feeder == 0) {
            ::close(ends[0]);
            for (int i = 0; i < 30; ++i) {
              for (std::string_view rest = block; !rest.empty();) {
                const ssize_t count = ::write(ends[1], rest.data(), rest.size());
                if (count < 0) ::_exit(1);
                rest.remove_prefix(static_cast<std::size_t>(count));
              }
            }
            ::_exit(0);
          }
          ::close(ends[1]);
          ::dup2(ends[0], 0);
          rusage before;
          rusage after;
          ::getrusage(RUSAGE_SELF, &before);
          Operands operands;
          operands.read_from("-");
          Io io{Sink(), Sink(), {}};
          int count = 0;
          const auto done = operands.each(io, [&](core::Path) {
            ++count;
            return core::Result<void>();
          });
          ::getrusage(RUSAGE_SELF, &after);
          ::waitpid(feeder, nullptr, 0);
          if (!done || count != 3'000'000) return "only " + std::to_string(count);
          const long grown = after.ru_maxrss - before.ru_maxrss;
          return grown < 8192 ? std::string("small") : std::to_string(grown);
        }) == "small");
}

TEST_CASE("what is no list of operands is an error, and the status says so") {
  const Scratch scratch;
  CHECK(run_look({"--files0-from", scratch / "missing"}).err ==
        "look: " + scratch / "missing" + ": open: ENOENT: No such file or directory\n");
  CHECK(run_look({"--files0-from", scratch.path()}).err ==
        "look: " + scratch.path() + ": read: EISDIR: Is a directory\n");
  const std::string locked = scratch.file("locked", "", 0);
  CHECK(tests::in_child([&] { return run_look({"--files0-from", locked}).err; }, {}, true) ==
        "look: " + locked + ": open: EACCES: Permission denied\n");
  const std::string text = scratch.file("text", std::string(3'000'000, 'x'));
  const Ran ran = run_look({"--exit-errno", "--files0-from", text});
  CHECK(ran.err == "look: " + text + ": read: ENAMETOOLONG: File name too long\n");
  CHECK(ran.status == ENAMETOOLONG);

  // What has newlines in the place of NULs. With one NUL a newline is a byte of a name.
  const std::string a = scratch.file("a", "1");
  const std::string hint = " (no NUL in it; if its names end in newlines, use tr '\\n' '\\0')\n";
  const std::string names = scratch.file("names", a + "\n" + a + "\n");
  const Ran refused = run_look({"--files0-from", names});
  CHECK(refused.status == 1);
  CHECK(refused.out == "");
  CHECK(refused.err == "look: " + names + ": read: EINVAL: Invalid argument" + hint);
  const std::string many = scratch.file("many", std::string(3'000'000, '\n'));
  CHECK(run_look({"--files0-from", many}).err ==
        "look: " + many + ": read: ENAMETOOLONG: File name too long" + hint);
  const std::string odd = scratch.file("new\nline", "22");
  CHECK(run_look({"--files0-from", scratch.file("listed", odd + '\0')}).out == odd + " 2\n");
}

TEST_CASE("operands of both kinds, or of none, are wrong usage") {
  CHECK(run_look({"--files0-from", "list", "a"}).status == 2);
  CHECK(run_look({"a", "--files0-from=list"}).status == 2);
  CHECK(run_look({}).status == 2);
  CHECK(run_look({}).err == "look: missing operand PATH; see 'osbox look --help'\n");
}

TEST_CASE("a failed operand is told, the others are done, and the first errno is the status") {
  const Scratch scratch;
  const std::string a = scratch.file("a", "1");
  const std::vector<std::string> words = {scratch / "gone", a + "/x", a};
  const Ran ran = run_look(words);
  CHECK(ran.status == 1);
  CHECK(ran.out == a + " 1\n");
  CHECK(ran.err == "look: " + words[0] + ": ENOENT: No such file or directory\n" +
                       "look: " + words[1] + ": ENOTDIR: Not a directory\n");
  CHECK(run_look({"--exit-errno", words[0], words[1], words[2]}).status == ENOENT);
  CHECK(run_look({"--exit-errno", words[1], words[0]}).status == ENOTDIR);
  const Ran json = run_look({"--json", words[0], a});
  CHECK(json.err == R"({"applet":"look","call":"stat","path":")" + words[0] +
                        R"(","errno":2,"error":"ENOENT","message":"No such file or directory"})" +
                        "\n");
  CHECK(json.out == "{\"path\":\"" + a + "\",\"size\":1}\n");
}

TEST_CASE("hostile names go through every format") {
  const Scratch scratch;
  std::vector<std::string> words = {"-0", "--"};
  std::string raw;
  for (const std::string& name : tests::hostile_names()) {
    words.push_back(scratch.file(name));
    raw += words.back() + " 0" + '\0';
  }
  CHECK(run_look(words).out == raw);
  CHECK(run_look(words, {.output_is_terminal = true}).out == raw);
  words[0] = "--json";
  CHECK(tests::lines(run_look(words).out).size() == words.size() - 2);
  words[0] = "--shell";
  const Ran shell = tests::run({.words = {"sh", "-c",
                                          "while read -r line; do eval \"$line\"; "
                                          "printf '%s %s\\0' \"$look_path\" \"$look_size\"; done"},
                                .input = run_look(words).out});
  CHECK(shell.out == raw);
}

TEST_CASE("--beneath and --no-symlinks hold for every operand, or fail with ENOSYS") {
  const Scratch scratch;
  scratch.directory("base");
  scratch.file("base/file", "1");
  scratch.file("outside", "secret");
  scratch.link("../outside", "base/out");
  scratch.link("file", "base/in");
  const std::string base = scratch / "base";
  const Ran beneath =
      run_look({"--beneath", base, "file", "in", "out", "../outside", scratch / "outside"});
  CHECK(beneath.status == 1);
  if (!tests::newer_calls()) {
    CHECK(beneath.out == "");
    CHECK(tests::lines(beneath.err).size() == 5);
    return;
  }
  CHECK(beneath.out == "file 1\nin 1\n");
  CHECK(beneath.err ==
        "look: out: EXDEV: Invalid cross-device link\n"
        "look: ../outside: EXDEV: Invalid cross-device link\n"
        "look: " +
            scratch / "outside" + ": EXDEV: Invalid cross-device link\n");
  const Ran straight = run_look({"--beneath", base, "--no-symlinks", "file", "in"});
  CHECK(straight.out == "file 1\n");
  CHECK(straight.err == "look: in: ELOOP: Too many levels of symbolic links\n");
  CHECK(run_look({"--beneath", scratch / "missing", "x"}).status == 1);
}
