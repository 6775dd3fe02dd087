// Option: one row of an applet's table. The parser, --help, the manual and completion all read it.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/cli/operands.hpp"
#include "core/sys/duration.hpp"
#include "core/sys/error.hpp"
#include "core/sys/mode.hpp"

namespace cli {

/// What a shell can offer in the place of a value.
enum class Completes : std::uint8_t {
  nothing,
  file,
  directory,
  words,
  user,
  group,
  errno_name,
  pid,
  signal,
  variable,
  applet,
  command
};

/// Why a text cannot be taken: a sentence, which makes it wrong usage; or what failed, so that
/// nobody knows whether it is.
using Refusal = std::variant<std::string, core::Error>;
using Stored = std::expected<void, Refusal>;

struct Option {
  enum class Shape : std::uint8_t {
    flag,            ///< takes no value
    value,           ///< --name VALUE or --name=VALUE
    optional_value,  ///< --name or --name=VALUE
    dashed,          ///< -VALUE, a word of its own behind the dash: -TERM, -9
    operand,         ///< one operand
    operands,        ///< all operands that are left
    command,         ///< all words from here on, options or not
  };

  std::string_view name;  ///< the long name; empty where there is only a letter
  char letter = 0;        ///< the short name, or 0
  Shape shape = Shape::flag;
  std::string_view value;  ///< what the value or operand is called: "MODE"
  std::string_view help;
  Completes completes = Completes::nothing;
  std::span<const std::string_view> words = {};  ///< the values there are, for a choice
  std::string_view otherwise = {};               ///< optional_value: the value when none is given
  bool required = false;                         ///< an operand without which nothing can be done
  std::string_view unless = {};  ///< an operand: the long name of an option in its place
  /// Puts `text` into the applet's arguments.
  Stored (*store)(void* args, std::string_view text) = nullptr;
  /// dashed: whether what stands behind the dash is for this row, and not letters of others.
  bool (*takes)(std::string_view text) = nullptr;
  /// The member that holds path operands, for a row made by `paths`.
  Operands* (*operands)(void* args) = nullptr;

  constexpr bool is_operand() const { return shape >= Shape::operand; }
};

namespace detail {

template <class>
struct MemberOf;
template <class Args, class T>
struct MemberOf<T Args::*> {
  using Owner = Args;
  using Type = T;
};
template <auto Member>
using Owner = typename MemberOf<decltype(Member)>::Owner;
template <auto Member>
using Type = typename MemberOf<decltype(Member)>::Type;

/// The member of `args`. `Args` is there, and in every template below, for the linker's sake: each
/// applet has an Args of its own in an unnamed namespace, and GCC keeps the instances for them
/// apart only where a type says so. A pointer to member of the same name would give one of them to
/// all.
template <auto Member, class Args = Owner<Member>>
Type<Member>& member(void* args) {
  return static_cast<Args*>(args)->*Member;
}

/// True for a number less than 0, however low.
constexpr bool is_below_zero(std::string_view text) {
  return text.starts_with('-') && text.find_first_not_of("0123456789", 1) == text.npos &&
         text.find_first_not_of('0', 1) != text.npos;
}

/// Decimal digits and nothing else: a minus where T has one, no plus, no blank, no octal.
template <std::integral T>
Stored take(T& to, std::string_view text) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  if (error == std::errc() && end == text.data() + text.size()) return {};
  if (std::unsigned_integral<T> && is_below_zero(text)) return std::unexpected("less than 0");
  return std::unexpected(error == std::errc::result_out_of_range ? "number too large"
                                                                 : "not a number");
}
inline Stored take(std::string& to, std::string_view text) {
  to = text;
  return {};
}
inline Stored take(core::Mode& to, std::string_view text) {
  auto mode = core::Mode::parse(text);
  if (!mode) return std::unexpected(std::move(mode).error());
  to = *std::move(mode);
  return {};
}
inline Stored take(core::Duration& to, std::string_view text) {
  const auto span = core::read_duration(text);
  if (!span) return std::unexpected("not a span of time, such as 1.5, 200ms or 2m");
  to = *span;
  return {};
}
template <class T>
Stored take(std::optional<T>& to, std::string_view text) {
  return take(to.emplace(), text);
}
template <class T>
Stored take(std::vector<T>& to, std::string_view text) {
  return take(to.emplace_back(), text);
}

}  // namespace detail

/// Sets a bool member to true.
template <auto Member, class Args = detail::Owner<Member>>
constexpr Option flag(char letter, std::string_view name, std::string_view help) {
  return {.name = name, .letter = letter, .help = help, .store = [](void* args, std::string_view) {
            detail::member<Member, Args>(args) = true;
            return Stored();
          }};
}
template <auto Member, class Args = detail::Owner<Member>>
constexpr Option flag(std::string_view name, std::string_view help) {
  return flag<Member, Args>(0, name, help);
}

/// Sets a member to `Value`; of several such rows for one member the last one given counts.
template <auto Member, auto Value, class Args = detail::Owner<Member>>
constexpr Option sets(char letter, std::string_view name, std::string_view help) {
  return {.name = name, .letter = letter, .help = help, .store = [](void* args, std::string_view) {
            detail::member<Member, Args>(args) = Value;
            return Stored();
          }};
}

/// Takes a value into a number, a string, a mode, an optional of one, or, adding to it, a vector.
template <auto Member, class Args = detail::Owner<Member>>
constexpr Option value(char letter, std::string_view name, std::string_view value,
                       std::string_view help, Completes completes = Completes::nothing) {
  return {.name = name,
          .letter = letter,
          .shape = Option::Shape::value,
          .value = value,
          .help = help,
          .completes = completes,
          .store = [](void* args, std::string_view text) {
            return detail::take(detail::member<Member, Args>(args), text);
          }};
}

/// Takes a value through `Parse`, a function of the member and the text that returns a Stored.
template <auto Member, auto Parse, class Args = detail::Owner<Member>>
constexpr Option parsed(char letter, std::string_view name, std::string_view value,
                        std::string_view help, Completes completes = Completes::nothing,
                        std::span<const std::string_view> words = {}) {
  return {.name = name,
          .letter = letter,
          .shape = Option::Shape::value,
          .value = value,
          .help = help,
          .completes = completes,
          .words = words,
          .store = [](void* args, std::string_view text) -> Stored {
            return Parse(detail::member<Member, Args>(args), text);
          }};
}

/// Takes words such as -TERM for which `Takes`, a function of what is behind the dash, is true,
/// wherever options may stand, through `Parse` as in `parsed`. Letters of options give way to it.
template <auto Member, auto Takes, auto Parse, class Args = detail::Owner<Member>>
constexpr Option dashed(std::string_view value, std::string_view help,
                        Completes completes = Completes::nothing) {
  Option option = parsed<Member, Parse, Args>(0, "", value, help, completes);
  option.shape = Option::Shape::dashed;
  option.takes = [](std::string_view text) -> bool { return Takes(text); };
  return option;
}

/// A word and what it stands for.
template <class T>
struct Word {
  std::string_view word;
  T value;
};

namespace detail {
template <auto& Words>
consteval auto make_names() {
  std::array<std::string_view, std::size(Words)> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = Words[i].word;
  return names;
}
template <auto& Words>
inline constexpr auto names_of = make_names<Words>();
}  // namespace detail

/// Takes one of `Words`, an array of Word. With `otherwise` the value may be left out.
template <auto Member, auto& Words, class Args = detail::Owner<Member>>
constexpr Option choice(char letter, std::string_view name, std::string_view value,
                        std::string_view help, std::string_view otherwise = {}) {
  return {.name = name,
          .letter = letter,
          .shape = otherwise.empty() ? Option::Shape::value : Option::Shape::optional_value,
          .value = value,
          .help = help,
          .completes = Completes::words,
          .words = detail::names_of<Words>,
          .otherwise = otherwise,
          .store = [](void* args, std::string_view text) -> Stored {
            for (const auto& word : Words) {
              if (word.word != text) continue;
              detail::member<Member, Args>(args) = word.value;
              return {};
            }
            std::string known;
            for (const auto& word : Words)
              known.append(known.empty() ? "" : ", ").append(word.word);
            return std::unexpected("not one of " + known);
          }};
}

/// One operand, needed unless the member is an optional.
template <auto Member, class Args = detail::Owner<Member>>
constexpr Option operand(std::string_view value, std::string_view help,
                         Completes completes = Completes::nothing) {
  Option option = cli::value<Member, Args>(0, "", value, help, completes);
  option.shape = Option::Shape::operand;
  option.required = !requires { detail::Type<Member>().has_value(); };
  return option;
}

/// One operand, needed unless the member is an optional, through `Parse` as in `parsed`.
template <auto Member, auto Parse, class Args = detail::Owner<Member>>
constexpr Option parsed_operand(std::string_view value, std::string_view help,
                                Completes completes = Completes::nothing) {
  Option option = parsed<Member, Parse, Args>(0, "", value, help, completes);
  option.shape = Option::Shape::operand;
  option.required = !requires { detail::Type<Member>().has_value(); };
  return option;
}

/// An operand that is not there where the option called `name` is given.
constexpr Option unless(std::string_view name, Option operand) {
  operand.unless = name;
  return operand;
}

enum class Least : bool { none, one };

namespace detail {
template <auto Member, class Args>
constexpr Option paths(Option::Shape shape, std::string_view value, std::string_view help,
                       Least least, Completes completes) {
  return {.shape = shape,
          .value = value,
          .help = help,
          .completes = completes,
          .required = least == Least::one,
          .store =
              [](void* args, std::string_view text) {
                detail::member<Member, Args>(args).add(text);
                return Stored();
              },
          .operands = [](void* args) { return &detail::member<Member, Args>(args); }};
}
}  // namespace detail

/// All operands that are left, into a vector.
template <auto Member, class Args = detail::Owner<Member>>
constexpr Option operands(std::string_view value, std::string_view help, Least least,
                          Completes completes = Completes::nothing) {
  Option option = operand<Member, Args>(value, help, completes);
  option.shape = Option::Shape::operands;
  option.required = least == Least::one;
  return option;
}

/// A command and its arguments, into a vector: from the command's name on, options of ours end.
template <auto Member, class Args = detail::Owner<Member>>
constexpr Option command(std::string_view help, Least least = Least::one,
                         std::string_view value = "COMMAND") {
  Option option = operands<Member, Args>(value, help, least, Completes::command);
  option.shape = Option::Shape::command;
  return option;
}

/// All operands that are left as paths, into an Operands; brings --files0-from, --beneath and
/// --no-symlinks with it.
template <auto Member, class Args = detail::Owner<Member>>
constexpr Option paths(std::string_view value, std::string_view help, Least least,
                       Completes completes = Completes::file) {
  return detail::paths<Member, Args>(Option::Shape::operands, value, help, least, completes);
}

/// One operand that is a path, into an Operands: an applet of pairs has a row for either half. One
/// that is not required, before one that is, is there only where there are words for both.
template <auto Member, class Args = detail::Owner<Member>>
constexpr Option path(std::string_view value, std::string_view help, Least least = Least::one,
                      Completes completes = Completes::file) {
  return detail::paths<Member, Args>(Option::Shape::operand, value, help, least, completes);
}

/// One table out of several, in their order.
template <std::size_t... Sizes>
constexpr auto rows(const std::array<Option, Sizes>&... tables) {
  std::array<Option, (Sizes + ...)> all{};
  std::size_t at = 0;
  const auto add = [&](const auto& table) {
    for (const Option& option : table) all[at++] = option;
  };
  (add(tables), ...);
  return all;
}

}  // namespace cli
