#include "core/out/nearest.hpp"

#include <algorithm>

namespace out {
namespace {

std::size_t distance(std::string_view a, std::string_view b) {
  // Three rows of the table: the one in work, and the two before it.
  std::vector<std::size_t> row(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> before(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row.back();
}

}  // namespace

std::vector<std::string_view> nearest(std::string_view word,
                                      std::span<const std::string_view> known) {
  const std::size_t limit = word.size() < 6 ? 1 : 2;
  std::vector<std::pair<std::size_t, std::string_view>> near;
  for (const std::string_view candidate : known) {
    const bool begins = word.size() >= 3 && candidate.starts_with(word);
    const std::size_t steps = begins ? 1 : distance(word, candidate);
    if (steps <= limit) near.emplace_back(steps, candidate);
  }
  std::ranges::sort(near);
  std::vector<std::string_view> words;
  for (const auto& [steps, candidate] : near) words.push_back(candidate);
  if (words.size() > 3) words.resize(3);
  return words;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known,
                         std::string_view before) {
  std::string text;
  for (const std::string_view candidate : nearest(word, known)) {
    text += text.empty() ? " (did you mean " : ", ";
    text.append(before).append(candidate);
  }
  return text.empty() ? text : text + "?)";
}

}  // namespace out
