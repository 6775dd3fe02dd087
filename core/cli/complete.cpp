#include "core/cli/complete.hpp"

namespace cli {

std::string completions(Registry /*registry*/, const Applet& /*install*/,
                        std::span<const std::string_view> /*words*/) {
  return {};
}

}  // namespace cli
