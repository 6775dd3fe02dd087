// UTF-8 as names have it: mostly valid, never to be trusted.
#pragma once

#include <string_view>

namespace out {

/// What stands at the start of some bytes.
struct Utf8 {
  char32_t point = 0;
  unsigned length = 0;  ///< bytes it takes; 0 where the first byte begins no valid sequence
};

/// Reads the first code point of `bytes`, which are not empty. Strict, as Python's decoder: no
/// overlong forms, no surrogates, nothing above U+10FFFF.
Utf8 decode_utf8(std::string_view bytes);

/// True where all of `bytes` is valid.
bool valid_utf8(std::string_view bytes);

/// True for a code point that a terminal shows and does not obey: no control character of C0 or C1,
/// no line or paragraph separator, nothing that reorders the text around it.
bool printable(char32_t point);

/// Columns that `bytes` takes on a terminal: combining characters none, wide ones two, and what is
/// not valid one a byte.
unsigned display_width(std::string_view bytes);

}  // namespace out
