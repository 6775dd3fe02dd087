// Field: one row of the table that describes an applet's records.
#pragma once

#include <array>
#include <concepts>
#include <ranges>
#include <type_traits>
#include <utility>

#include "core/out/value.hpp"

namespace out {

/// One field: its name in every format, what it holds, and how to get it from a row. The manual,
/// --help, the check of a template and the writing of a record all read this.
struct Field {
  std::string_view name;
  Kind kind;
  std::string_view help;
  core::Want want;  ///< what stat must be asked for so that `get` can answer
  Value (*get)(const void* row);
  const void* row_type;  ///< tells rows apart, so that a record never meets another table
};

namespace detail {

template <class Row>
inline constexpr char row_type = 0;

template <class>
struct GetterOf;
template <class Row, class T>
struct GetterOf<T Row::*> {
  using Type = Row;
};
template <class Row, class T>
struct GetterOf<T (*)(const Row&)> {
  using Type = Row;
};

/// Calls or reads `Get`: a data member, a const member function, or a function of the row.
template <auto Get, class Row>
decltype(auto) get_from(const Row& row) {
  if constexpr (std::is_member_object_pointer_v<decltype(Get)>) {
    return (row.*Get);
  } else if constexpr (std::is_member_function_pointer_v<decltype(Get)>) {
    return (row.*Get)();
  } else {
    return Get(row);
  }
}

/// True for what a getter may return: a reference, or what is a value or a view in itself. A string
/// returned by value would be gone before the record is written.
template <class T>
inline constexpr bool outlives =
    std::is_reference_v<T> || std::is_arithmetic_v<T> || std::is_pointer_v<T> ||
    std::ranges::borrowed_range<T> || std::same_as<T, Value> || std::same_as<T, core::Time>;
template <class T>
inline constexpr bool outlives<std::optional<T>> = outlives<T>;

template <Kind K, auto Get, class Row = typename GetterOf<decltype(Get)>::Type>
constexpr Field field(std::string_view name, std::string_view help, core::Want want) {
  static_assert(outlives<decltype(get_from<Get>(std::declval<const Row&>()))>);
  return {name,
          K,
          help,
          want,
          [](const void* row) { return value_of<K>(get_from<Get>(*static_cast<const Row*>(row))); },
          &row_type<Row>};
}

}  // namespace detail

// A row of a field table. `Get` is a member of the row, or a function of it whose result outlives
// the record; give `Row` where the member is inherited.
template <auto Get, class... Row>
constexpr Field boolean(std::string_view name, std::string_view help, core::Want want = 0) {
  return detail::field<Kind::boolean, Get, Row...>(name, help, want);
}
template <auto Get, class... Row>
constexpr Field integer(std::string_view name, std::string_view help, core::Want want = 0) {
  return detail::field<Kind::integer, Get, Row...>(name, help, want);
}
template <auto Get, class... Row>
constexpr Field natural(std::string_view name, std::string_view help, core::Want want = 0) {
  return detail::field<Kind::natural, Get, Row...>(name, help, want);
}
template <auto Get, class... Row>
constexpr Field time(std::string_view name, std::string_view help, core::Want want = 0) {
  return detail::field<Kind::time, Get, Row...>(name, help, want);
}
template <auto Get, class... Row>
constexpr Field text(std::string_view name, std::string_view help, core::Want want = 0) {
  return detail::field<Kind::text, Get, Row...>(name, help, want);
}
template <auto Get, class... Row>
constexpr Field name(std::string_view name, std::string_view help, core::Want want = 0) {
  return detail::field<Kind::name, Get, Row...>(name, help, want);
}
template <auto Get, class... Row>
constexpr Field names(std::string_view name, std::string_view help, core::Want want = 0) {
  return detail::field<Kind::names, Get, Row...>(name, help, want);
}
template <auto Get, class... Row>
constexpr Field texts(std::string_view name, std::string_view help, core::Want want = 0) {
  return detail::field<Kind::texts, Get, Row...>(name, help, want);
}
template <auto Get, class... Row>
constexpr Field integers(std::string_view name, std::string_view help, core::Want want = 0) {
  return detail::field<Kind::integers, Get, Row...>(name, help, want);
}

/// One table out of several, in their order.
template <std::size_t... Sizes>
constexpr auto fields(const std::array<Field, Sizes>&... tables) {
  std::array<Field, (Sizes + ...)> all{};
  std::size_t at = 0;
  const auto add = [&](const auto& table) {
    for (const Field& field : table) all[at++] = field;
  };
  (add(tables), ...);
  return all;
}

}  // namespace out
