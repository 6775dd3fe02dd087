#include "core/out/sink.hpp"

#include <fcntl.h>

#include <cerrno>
#include <thread>

#include "core/sys/fs.hpp"
#include "tests/harness.hpp"

namespace {

struct Pipe {
  core::Fd reader;
  core::Fd writer;
  explicit Pipe(int flags = 0) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | flags) == 0);
    reader = core::Fd(ends[0]);
    writer = core::Fd(ends[1]);
  }
};

}  // namespace

TEST_CASE("a sink writes in blocks, and everything at the end") {
  const Scratch scratch;
  const core::Fd file = *core::open(scratch.file("out"), O_WRONLY);
  out::Sink sink{file};
  sink.buffer() += "line\n";
  CHECK_FALSE(sink.full());
  CHECK(*core::read_file(scratch / "out") == "");
  sink.flush();
  CHECK(*core::read_file(scratch / "out") == "line\n");
  sink.buffer().append(100'000, 'x');
  CHECK(sink.full());
  sink.flush();
  CHECK(core::read_file(scratch / "out")->size() == 100'005);
  CHECK(sink.error() == 0);
}

TEST_CASE("a sink waits for room in a pipe that somebody made non-blocking") {
  Pipe pipe(O_NONBLOCK);
  std::size_t count = 0;
  std::thread reader([&] {
    char block[4096];
    for (;;) {
      const auto got = core::read(pipe.reader, block, sizeof block);
      if (got && *got == 0) return;
      if (got) count += *got;
    }
  });
  out::Sink sink{pipe.writer};
  sink.buffer().append(1 << 20, 'x');
  sink.flush();
  CHECK(sink.error() == 0);
  pipe.writer.close();
  reader.join();
  CHECK(count == 1 << 20);
}

TEST_CASE("a sink remembers the first error, and writes no more") {
  const core::Fd full = *core::open("/dev/full", O_WRONLY);
  out::Sink sink{full};
  sink.buffer() += "x";
  sink.flush();
  CHECK(sink.error() == ENOSPC);
  sink.buffer() += "y";
  sink.flush();
  CHECK(sink.error() == ENOSPC);
  CHECK(sink.buffer().empty());
}

TEST_CASE("a sink without a descriptor keeps everything") {
  out::Sink sink;
  sink.buffer().append(1 << 20, 'x');
  CHECK_FALSE(sink.full());
  sink.flush();
  CHECK(sink.buffer().size() == 1 << 20);
}
