// JSON, one object a line.
#pragma once

#include <string>
#include <string_view>

#include "core/out/value.hpp"

namespace out {

/// Adds `bytes` as a JSON string. A byte that is not part of valid UTF-8 becomes the lone surrogate
/// U+DCNN, as Python's os.fsdecode has it, and the answer is false: such a name needs its bytes in
/// base64 beside it.
bool append_json_string(std::string& to, std::string_view bytes);

/// Adds `"key":value`, and `"key_b64"` after it where a name is not valid UTF-8.
void append_json_member(std::string& to, std::string_view key, const Value& value);

/// The same where `"key":` stands there already.
void append_json_value(std::string& to, std::string_view key, const Value& value);

}  // namespace out
