// osbox: argv[0] or the first word says which applet runs.
#include <fcntl.h>

#include <vector>

#include "applets/registry.hpp"
#include "core/sys/signal.hpp"

namespace {

/// Fills the places of standard streams that were closed, so that no file that an applet opens
/// lands there. Each is opened the wrong way round: to use it is EBADF, as if it were closed still.
/// Where there is no /dev, a path alone serves.
void occupy_standard_streams() {
  constexpr int flags[] = {O_WRONLY, O_RDONLY, O_RDONLY};
  for (int stream = 0; stream < 3; ++stream) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    if (::open("/dev/null", flags[stream] | O_CLOEXEC) < 0) ::open("/", O_PATH | O_CLOEXEC);
  }
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_streams();
  const std::vector<std::string_view> words(argv, argv + argc);
  out::Io io = out::Io::standard();
  const int status = cli::dispatch(applets::registry, applets::install, words, io);
  if (io.ending_signal() != 0) core::die_by(io.ending_signal());
  return status;
}
