#include "core/out/columns.hpp"

#include "tests/harness.hpp"

namespace {

/// `names` in a line of `line` columns, as ls -C shows them.
std::string lay(const std::vector<std::string>& names, unsigned line) {
  std::vector<std::uint32_t> widths;
  for (const std::string& name : names) widths.push_back(static_cast<std::uint32_t>(name.size()));
  const out::Columns columns = out::arrange(widths, line);
  std::string text;
  for (std::size_t row = 0; row < columns.rows; ++row) {
    for (std::size_t at = row; at < names.size(); at += columns.rows) {
      text += names[at];
      if (at + columns.rows >= names.size()) break;
      text.append(columns.widths[at / columns.rows] - widths[at], ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace

TEST_CASE("names go downwards, in the fewest rows that the line holds") {
  CHECK(lay({"a", "b", "c"}, 80) == "a  b  c\n");
  CHECK(lay({"aaa", "b", "ccccc", "dd"}, 80) == "aaa  b  ccccc  dd\n");
  CHECK(lay({"aaa", "b", "ccccc", "dd"}, 12) == "aaa  ccccc\nb    dd\n");
  CHECK(lay({"aaa", "b", "ccccc", "dd"}, 10) == "aaa\nb\nccccc\ndd\n");
  CHECK(lay({"aaaaaaaaa", "b"}, 3) == "aaaaaaaaa\nb\n");
  CHECK(lay({"aaaaaaaaa"}, 0) == "aaaaaaaaa\n");
  CHECK(lay({}, 80).empty());
}

TEST_CASE("columns are those of GNU ls") {
  // Lengths without a pattern, the same on every run.
  unsigned seed = 1;
  const auto random = [&seed](unsigned below) {
    seed = seed * 1'103'515'245 + 12'345;
    return (seed >> 16) % below;
  };
  const Scratch scratch;
  for (unsigned round = 0; round < 12; ++round) {
    const std::string directory = scratch.directory(std::to_string(round));
    std::vector<std::string> names;
    for (unsigned i = 0; i < 1 + round * round; ++i) {
      names.push_back(std::to_string(1000 + i) + std::string(random(1 + round * 3), 'x'));
      scratch.file(std::to_string(round) + "/" + names.back());
    }
    for (const unsigned line : {1U, 8U, 15U, 40U, 80U, 81U, 200U, 1000U}) {
      CAPTURE(round);
      CAPTURE(line);
      const Ran gnu = tests::run({.words = {"ls", "-C", "-T0", "-w" + std::to_string(line)},
                                  .environment = {"LC_ALL=C"},
                                  .directory = directory});
      CHECK(lay(names, line) == gnu.out);
    }
  }
}
