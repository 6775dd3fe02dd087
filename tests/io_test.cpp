#include "core/out/io.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "tests/harness.hpp"

namespace {

using namespace out;

struct Row {
  std::string path;
  std::uint64_t size = 0;
};

constexpr Field fields[] = {name<&Row::path>("path", "The name"),
                            natural<&Row::size>("size", "Bytes")};
constexpr Table table = {.fields = fields, .line = "{path}: {size}"};

constexpr Running running{.name = "rename", .call = "rename"};

Io started(Style style = {}, Screen screen = {}) {
  Io io{Sink(), Sink(), screen};
  io.start(running, std::move(style));
  return io;
}

std::string message(const core::Error& error, Style style = {}) {
  Io io = started(std::move(style));
  io.fail(error);
  return io.error_output().buffer();
}

}  // namespace

TEST_CASE("a message names operand, call and errno in one line") {
  CHECK(message({.number = ENOENT, .call = "rename", .path = "a"}) ==
        "rename: a: ENOENT: No such file or directory\n");
  CHECK(message({.number = EEXIST, .call = "rename", .path = "a", .target = "b"}) ==
        "rename: a -> b: EEXIST: File exists\n");
  CHECK(message({.number = EIO, .call = "fsync", .path = "out"}) ==
        "rename: out: fsync: EIO: Input/output error\n");
  CHECK(message({.number = ENOENT, .call = "rename", .path = ""}) ==
        "rename: '': ENOENT: No such file or directory\n");
  CHECK(message({.number = EPERM, .call = "rename"}) == "rename: EPERM: Operation not permitted\n");
  CHECK(message({.number = EPERM}) == "rename: EPERM: Operation not permitted\n");
  CHECK(message({.number = 4000, .call = "rename", .path = "a"}) == "rename: a: errno 4000\n");
  CHECK(message({.number = ELOOP, .call = "rename", .path = "a", .note = "leads back\nto \xff"}) ==
        "rename: a: ELOOP: Too many levels of symbolic links (leads back\\012to \\377)\n");
}

TEST_CASE("a message is one line whatever the names") {
  for (const std::string& bytes : tests::byte_strings()) {
    const core::Error error{
        .number = ENOENT, .call = "x", .path = bytes, .target = bytes, .note = bytes};
    for (const auto format : {Style::Format::human, Style::Format::json}) {
      const std::string text = message(error, {.format = format});
      CAPTURE(text);
      CHECK(tests::lines(text).size() == 1);
      CHECK(text.find('\n') == text.size() - 1);
      CHECK(text.find('\x1b') == text.npos);
    }
  }
}

TEST_CASE("with --json a message is an object") {
  const Style json{.format = Style::Format::json};
  CHECK(message({.number = EEXIST, .call = "rename", .path = "a", .target = "b\xff"}, json) ==
        R"({"applet":"rename","call":"rename","path":"a","target":"b\udcff","target_b64":"Yv8=",)"
        R"("errno":17,"error":"EEXIST","message":"File exists"})"
        "\n");
  CHECK(message({.number = EIO, .call = "fsync", .note = "x"}, json) ==
        R"({"applet":"rename","call":"fsync","path":null,"errno":5,"error":"EIO",)"
        R"("message":"Input/output error","note":"x"})"
        "\n");
}

TEST_CASE("the exit status is 1 after a failure, or its errno where that is asked for") {
  const auto status = [](Style style, const std::vector<int>& failures, const Outcome& outcome) {
    Io io = started(std::move(style));
    for (const int number : failures) io.fail({.number = number, .call = "rename"});
    return io.finish(outcome);
  };
  const auto stop = [](int number) {
    return Outcome(std::unexpected(core::Error{.number = number, .call = "rename"}));
  };
  CHECK(status({}, {}, 0) == 0);
  CHECK(status({}, {}, 5) == 5);
  CHECK(status({}, {ENOENT, EACCES}, 0) == 1);
  CHECK(status({}, {}, stop(EACCES)) == 1);
  CHECK(status({.exit_errno = true}, {ENOENT, EACCES}, 0) == ENOENT);
  CHECK(status({.exit_errno = true}, {}, stop(EACCES)) == EACCES);
  CHECK(status({.exit_errno = true}, {EEXIST}, stop(EACCES)) == EEXIST);
  CHECK(status({.exit_errno = true}, {}, 0) == 0);
  CHECK(status({.exit_errno = true}, {512}, 0) == 1);
  CHECK(status({.exit_errno = true}, {EKEYEXPIRED}, 0) == 1);
  CHECK(status({.exit_errno = true}, {ENOENT}, std::unexpected(Usage{"no"})) == 2);

  // What is said of a command stays.
  for (const int kept : {124, 125, 126, 127}) {
    Io io = started({.exit_errno = true});
    CHECK(io.finish(io.fail_with(kept, {.number = ENOENT, .call = "exec"})) == kept);
  }
}

TEST_CASE("wrong usage is one line that says where help is") {
  Io io = started();
  CHECK(io.finish(std::unexpected(Usage{"no field x\ny"})) == 2);
  CHECK(io.error_output().buffer() == "rename: no field x\\012y; see 'osbox rename --help'\n");
}

TEST_CASE("records for people, for programs and for terminals") {
  const auto record = [](Style style, Screen screen = {}) {
    Io io = started(std::move(style), screen);
    auto records = io.records<Row>(table);
    REQUIRE(records);
    records->put({"a\x1b[2J b", 3});
    CHECK(io.finish(0) == 0);
    return io.output().buffer();
  };
  CHECK(record({}) == "a\x1b[2J b: 3\n");
  CHECK(record({}, {.output_is_terminal = true}) == "$'a\\033[2J b': 3\n");
  CHECK(record({.null = true}, {.output_is_terminal = true}) == std::string("a\x1b[2J b: 3\0", 11));
  CHECK(record({.format = Style::Format::json}) == "{\"path\":\"a\\u001b[2J b\",\"size\":3}\n");
  CHECK(record({.format = Style::Format::shell, .text = "x_"}) ==
        "x_path=$(printf -- 'a\\033[2J b') x_size=3\n");
  CHECK(record({.format = Style::Format::format, .text = "{size}"}) == "3\n");
}

TEST_CASE("progress is a line on a terminal, cleared before anything else and at the end") {
  Io io = started({.progress = true}, {.output_is_terminal = true, .error_is_terminal = true});
  std::string& err = io.error_output().buffer();
  // What takes away a line of that length.
  const auto blanks = [](const std::string& shown) {
    return "\r" + std::string(shown.size() - 1, ' ') + "\r";
  };
  const auto show = [&] {
    ::usleep(250'000);
    err.clear();
    io.tick();
    return err;
  };
  io.tick();
  CHECK(err == "");
  std::string shown = show();
  CHECK(shown.starts_with("\r2 done, "));
  CHECK(shown.ends_with("/s"));
  err.clear();
  io.tick();
  CHECK(err == "");
  io.fail({.number = ENOENT, .call = "rename", .path = "a"});
  CHECK(err == blanks(shown) + "rename: a: ENOENT: No such file or directory\n");
  shown = show();
  err.clear();
  // Output comes to the same terminal.
  io.flush();
  CHECK(err == blanks(shown));
  shown = show();
  err.clear();
  CHECK(io.finish(0) == 1);
  CHECK(err == blanks(shown));
}

TEST_CASE("progress comes between whole lines of a terminal") {
  const Scratch scratch;
  const std::string terminal = scratch.file("terminal");
  const core::Fd opened(::open(terminal.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  Io io{Sink(opened), Sink(opened), {.output_is_terminal = true, .error_is_terminal = true}};
  io.start(running, {.progress = true});
  const auto written = [&] { return tests::content(terminal); };
  const auto tick_later = [&] {
    ::usleep(250'000);
    io.tick();
  };
  // All that is not progress, which is told to stand at a line's begin, and is taken away.
  const auto kept = [&] {
    std::string text = written();
    for (std::size_t at = 0; (at = text.find('\r')) != text.npos;) {
      CHECK((at == 0 || text[at - 1] == '\n'));
      const std::size_t blanks = text.find('\r', at + 1);
      if (blanks == text.npos) {
        text.erase(at);
        break;
      }
      const std::size_t end = text.find('\r', blanks + 1);
      REQUIRE(end != text.npos);
      CHECK(text.substr(blanks + 1, end - blanks - 1) == std::string(blanks - at - 1, ' '));
      text.erase(at, end + 1 - at);
    }
    return text;
  };
  const auto shows = [&](const std::string& count) {
    const std::string text = written();
    return text.substr(text.rfind('\r') + 1).starts_with(count + " done, ");
  };

  // What is held back comes before, up to a line's end.
  io.print("one\n");
  tick_later();
  CHECK(kept() == "one\n");
  CHECK(shows("1"));
  io.print("two");
  tick_later();
  CHECK(kept() == "one\n");
  CHECK(shows("1"));
  // A line that is too long to be held back is written in parts.
  const std::string longer(100'000, 'x');
  io.print(longer);
  CHECK(io.output().buffer().empty());
  tick_later();
  CHECK((kept() == "one\ntwo" + longer));
  CHECK_FALSE(shows("3"));
  io.print("\n");
  tick_later();
  CHECK(shows("4"));
  CHECK((kept() == "one\ntwo" + longer + "\n"));

  // So does what a branch has said.
  Draft draft{.output = longer + "\n", .ticks = 1};
  io.pour(draft);
  CHECK_FALSE(shows("4"));
  ::usleep(250'000);
  draft.output = "three\nfo";
  draft.ticks = 1;
  io.pour(draft);
  CHECK_FALSE(shows("6"));
  draft.output = "ur\n";
  draft.ticks = 1;
  io.pour(draft);
  CHECK(shows("7"));
  CHECK(io.finish(0) == 0);
  CHECK((kept() == "one\ntwo" + longer + "\n" + longer + "\nthree\nfour\n"));
}

TEST_CASE("on a terminal there is no progress between records that end in NUL") {
  Io io = started({.null = true, .progress = true},
                  {.output_is_terminal = true, .error_is_terminal = true});
  io.print("a");
  io.end_record();
  ::usleep(250'000);
  io.tick();
  CHECK(io.error_output().buffer() == "");
}

TEST_CASE("progress leaves nothing of a longer line behind") {
  Io io = started({.progress = true}, {.error_is_terminal = true});
  std::string& err = io.error_output().buffer();
  ::usleep(250'000);
  io.tick(4'000'000'000);
  const std::string longer = std::exchange(err, {});
  // Only time goes by, and the rate has fewer digits soon.
  std::string shown;
  for (int i = 0; i < 40 && !shown.ends_with(' '); ++i) {
    ::usleep(250'000);
    io.tick(0);
    shown = std::exchange(err, {});
    CHECK(shown.size() == longer.size());
  }
  CHECK(shown.ends_with(' '));
}

TEST_CASE("progress says nothing where standard error is no terminal, or nobody asked") {
  for (const bool asked : {true, false}) {
    Io io = started({.progress = asked}, {.output_is_terminal = true, .error_is_terminal = !asked});
    io.tick();
    ::usleep(250'000);
    io.tick();
    CHECK(io.finish(0) == 0);
    CHECK(io.error_output().buffer() == "");
  }
}

TEST_CASE("one run leaves nothing behind for the next") {
  Io io = started({.exit_errno = true});
  io.fail({.number = ENOENT, .call = "rename"});
  CHECK(io.finish(0) == ENOENT);
  io.start(running, {});
  CHECK_FALSE(io.failed());
  CHECK(io.finish(0) == 0);
}
