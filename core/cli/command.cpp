#include "core/cli/command.hpp"

namespace cli {

out::Outcome become(std::vector<std::string> words, core::ProcessAttributes attributes,
                    out::Io& io) {
  core::Program program = TRY(core::Program::prepare(std::move(words), std::move(attributes)));
  io.flush();
  const core::Error error = core::exec(program);
  return io.fail_with(core::unstarted_status(error), error);
}

}  // namespace cli
