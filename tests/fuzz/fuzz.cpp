#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "core/out/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  try {
    fuzz::run({reinterpret_cast<const char*>(bytes), size});
  } catch (const std::exception& broken) {
    std::fprintf(stderr, "%s\n", broken.what());
    std::abort();
  }
  return 0;
}

namespace fuzz {

void check(bool holds, std::string_view promise, std::string_view about) {
  if (holds) return;
  throw std::logic_error(std::string("broken: ").append(promise).append("\n").append(about));
}

bool visible_lines(std::string_view text) {
  while (!text.empty()) {
    const out::Utf8 next = out::decode_utf8(text);
    if (next.point != '\n' && (next.length == 0 || !out::printable(next.point))) return false;
    text.remove_prefix(next.length);
  }
  return true;
}

std::string_view take_until(std::string_view& text, char end) {
  const std::string_view front = text.substr(0, text.find(end));
  text.remove_prefix(std::min(front.size() + 1, text.size()));
  return front;
}

}  // namespace fuzz
