// Plan: how the records of one run are written, worked out once before the first of them.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/out/field.hpp"

namespace out {

/// How names look in text: raw bytes, or safe for a terminal.
enum class Names : bool { raw, quoted };

/// Whether the first '%' of `text` is that of a directive of printf(1), find(1) or stat(1): a
/// letter follows it, and no number stands before it, as in "100%".
bool has_directive(std::string_view text);

/// The pieces of one record, in order: text of our own, and fields of the row. Only the fields that
/// are written are ever fetched.
class Plan {
 public:
  Plan() = default;

  /// `{"path":"a","size":1}`
  static Plan json(std::span<const Field> fields, char end);

  /// `stat_path='a b' stat_size=1`
  static Plan shell(std::span<const Field> fields, std::string_view prefix, char end);

  /// The replacement fields of fmt, by name: `{size:>10} {path}`. The error is a sentence for the
  /// user: an unknown field with the known ones, or a format that does not suit the field. `null`,
  /// which outlives the plan, stands in the place of what is null.
  static std::expected<Plan, std::string> format(std::span<const Field> fields,
                                                 std::string_view format, Names names, char end,
                                                 std::string_view null = {});

  /// Adds the record of `row`.
  void write(const void* row, std::string& to) const;

  /// What stat must be asked for.
  core::Want want() const { return want_; }

 private:
  enum class Form : std::uint8_t { text, format, json, shell };

  struct Piece {
    std::string before;            ///< what stands in front of the field
    const Field* field = nullptr;  ///< null in a piece that is nothing but text
    Form form = Form::text;
    std::string format = {};        ///< fmt's specification in its braces
    std::string blank_format = {};  ///< the width of it alone, for null
    std::string variable = {};      ///< what --shell assigns to
  };

  void add(Piece piece);

  std::vector<Piece> pieces_;
  Names names_ = Names::raw;
  std::string_view null_;
  core::Want want_ = 0;
};

}  // namespace out
