// Modes: the input is one, as chmod takes it.
#include "core/sys/mode.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.hpp"

namespace {

/// One operation of a symbolic mode, u+rw.
struct Action {
  std::string_view who;
  char operation;
  std::string_view what;
};

bool consists_of(std::string_view text, std::string_view letters) {
  return text.find_first_not_of(letters) == text.npos;
}

/// The operations of `text`; none where it is no symbolic mode.
std::vector<Action> actions_of(std::string_view text) {
  std::vector<Action> actions;
  for (bool more = true; more;) {
    more = text.find(',') != text.npos;
    std::string_view clause = fuzz::take_until(text, ',');
    const std::string_view who = clause.substr(0, clause.find_first_of("+-="));
    if (!consists_of(who, "ugoa") || who.size() == clause.size()) return {};
    clause.remove_prefix(who.size());
    while (!clause.empty()) {
      const std::string_view what = clause.substr(1, clause.find_first_of("+-=", 1) - 1);
      const bool copies = what == "u" || what == "g" || what == "o";
      if (!copies && !consists_of(what, "rwxXst")) return {};
      actions.push_back({who, clause[0], what});
      clause.remove_prefix(1 + what.size());
    }
  }
  return actions;
}

/// What POSIX, and GNU where that is silent, make of each of the twelve bits by itself.
mode_t applied(const Action& action, mode_t old, bool is_directory, mode_t umask) {
  const auto has = [](std::string_view text, char letter) { return text.contains(letter); };
  mode_t fresh = 0;
  for (unsigned bit = 0; bit < 12; ++bit) {
    const mode_t mask = 1U << bit;
    const bool was = (old & mask) != 0;
    // From below: what others may do, the group, the user; then sticky and the two set-ids.
    const char owner = "oooggguuuogu"[bit];
    const char letter = "xwrxwrxwrtss"[bit];
    const bool named = action.who.empty() || has(action.who, owner) || has(action.who, 'a');
    const bool masked = action.who.empty() && (umask & mask) != 0;
    bool asked = has(action.what, letter);
    if (letter == 'x' && has(action.what, 'X')) asked |= is_directory || (old & 0111) != 0;
    if (action.what == "u" || action.what == "g" || action.what == "o") {
      const unsigned from = action.what == "u" ? 6 : action.what == "g" ? 3 : 0;
      asked = bit < 9 && (old >> (from + bit % 3) & 1) != 0;
    }
    const bool left_alone = is_directory && letter == 's' && !asked;
    bool is = was;
    if (action.operation == '=' && named && !left_alone) is = asked && !masked;
    if (action.operation == '+' && named && asked && !masked) is = true;
    if (action.operation == '-' && named && asked && !masked) is = false;
    if (is) fresh |= mask;
  }
  return fresh;
}

}  // namespace

void fuzz::run(std::string_view input) {
  const auto mode = core::Mode::parse(input);
  const std::string_view octal_digits = input.substr(input.starts_with("0o") ? 2 : 0);
  const bool octal = !octal_digits.empty() && consists_of(octal_digits, "01234567");
  const std::size_t digits =
      octal_digits.size() - std::min(octal_digits.find_first_not_of('0'), octal_digits.size());
  const std::vector<Action> actions = octal ? std::vector<Action>() : actions_of(input);
  check(mode.has_value() == (octal ? digits <= 4 : !actions.empty()), "what a mode is");
  if (!mode) {
    check(!mode.error().empty() && visible_lines(mode.error()), "a sentence", mode.error());
    return;
  }
  check(mode->is_absolute() == octal, "octal is absolute");
  mode_t number = 0;
  for (const char digit : octal ? octal_digits : std::string_view()) {
    number = number * 8 + static_cast<mode_t>(digit - '0');
  }
  bool idempotent = true;
  bool needs_umask = false;
  for (const Action& action : actions) {
    idempotent = idempotent && action.what.find_first_of("ugoX") == action.what.npos;
    needs_umask = needs_umask || action.who.empty();
  }
  check(mode->needs_umask() == needs_umask, "the umask counts where nobody is named");
  for (const mode_t old : {0U, 0777U, 07777U, 0644U, 0755U, 02755U, 04711U, 01777U, 0100U, 06070U,
                           0421U, 0100644U, 0042711U}) {
    for (const bool is_directory : {false, true}) {
      for (const mode_t umask : {0U, 022U, 0777U, 0427U}) {
        mode_t expected = old & core::permission_bits;
        for (const Action& action : actions) {
          expected = applied(action, expected, is_directory, umask);
        }
        const mode_t fresh = mode->apply(old, is_directory, umask);
        check(fresh == (octal ? number : expected), "the mode that a file gets",
              std::to_string(old) + " -> " + std::to_string(fresh));
        check((fresh & ~core::permission_bits) == 0, "permissions and nothing else");
        check(!idempotent || mode->apply(fresh, is_directory, umask) == fresh, "twice is once");
      }
    }
  }
}
