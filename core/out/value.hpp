// Value: what one field of a record holds.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/sys/stat.hpp"

namespace out {

/// What a field can hold, and how it is written. Any of them may be null instead.
enum class Kind : std::uint8_t {
  null,
  boolean,   ///< true or false
  integer,   ///< signed
  natural,   ///< unsigned
  time,      ///< nanoseconds since the epoch
  text,      ///< osbox's or the C library's own words: ASCII, never quoted for show
  name,      ///< bytes from outside: a path, a value, a user's name
  names,     ///< a list of such
  texts,     ///< a list of words of osbox's own
  integers,  ///< a list of numbers
};

/// The word for `kind` in the manual.
std::string_view kind_word(Kind kind);

/// One value, borrowed for as long as the record is being written.
class Value {
 public:
  Value() : kind_(Kind::null), natural_(0) {}
  static Value boolean(bool value) { return {Kind::boolean, std::uint64_t{value}}; }
  static Value integer(std::int64_t value) {
    return {Kind::integer, static_cast<std::uint64_t>(value)};
  }
  static Value natural(std::uint64_t value) { return {Kind::natural, value}; }
  static Value time(core::Time value) { return Value(value); }
  static Value text(std::string_view value) { return {Kind::text, value}; }
  static Value name(std::string_view value) { return {Kind::name, value}; }
  static Value names(std::span<const std::string_view> value) { return {Kind::names, value}; }
  static Value texts(std::span<const std::string_view> value) { return {Kind::texts, value}; }
  static Value integers(std::span<const std::int64_t> value) { return Value(value); }

  Kind kind() const { return kind_; }
  bool boolean() const { return natural_ != 0; }
  std::int64_t integer() const { return static_cast<std::int64_t>(natural_); }
  std::uint64_t natural() const { return natural_; }
  core::Time time() const { return time_; }
  std::string_view bytes() const { return bytes_; }
  std::span<const std::string_view> list() const { return list_; }
  std::span<const std::int64_t> integers() const { return integers_; }

 private:
  Value(Kind kind, std::uint64_t value) : kind_(kind), natural_(value) {}
  Value(Kind kind, std::string_view value) : kind_(kind), bytes_(value) {}
  Value(Kind kind, std::span<const std::string_view> value) : kind_(kind), list_(value) {}
  explicit Value(core::Time value) : kind_(Kind::time), time_(value) {}
  explicit Value(std::span<const std::int64_t> value) : kind_(Kind::integers), integers_(value) {}

  Kind kind_;
  union {
    std::uint64_t natural_;
    core::Time time_;
    std::string_view bytes_;
    std::span<const std::string_view> list_;
    std::span<const std::int64_t> integers_;
  };
};

/// `from` as a Value of kind `K`; an empty optional is null.
template <Kind K, class T>
Value value_of(const T& from) {
  if constexpr (std::same_as<T, Value>) {
    return from;
  } else if constexpr (requires { from.has_value(); }) {
    return from ? value_of<K>(*from) : Value();
  } else if constexpr (K == Kind::boolean) {
    return Value::boolean(from);
  } else if constexpr (K == Kind::integer || K == Kind::natural) {
    if constexpr (std::signed_integral<T>) {
      return Value::integer(from);
    } else {
      return Value::natural(from);
    }
  } else if constexpr (K == Kind::time) {
    return Value::time(from);
  } else if constexpr (K == Kind::text) {
    return Value::text(from);
  } else if constexpr (K == Kind::name) {
    return Value::name(from);
  } else if constexpr (K == Kind::names) {
    return Value::names(from);
  } else if constexpr (K == Kind::texts) {
    return Value::texts(from);
  } else {
    static_assert(K == Kind::integers);
    return Value::integers(from);
  }
}

}  // namespace out
