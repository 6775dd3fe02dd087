// Names for eyes and for shells.
#pragma once

#include <string>
#include <string_view>

namespace out {

/// Adds `name` as a shell would take it: as it is where it needs no quotes, else in quotes, control
/// characters and invalid bytes as escapes in $'...'. What comes out is one line and harmless on a
/// terminal, whatever goes in.
void append_quoted(std::string& to, std::string_view name);

/// The same, on its own.
std::string quoted(std::string_view name);

/// Adds `bytes` as a word of any POSIX shell, control characters as they are: for a shell alone,
/// which knows no $'...'.
void append_word(std::string& to, std::string_view bytes);

/// Adds a sentence, with what a terminal would obey or could not show as octal escapes.
void append_visible(std::string& to, std::string_view text);

/// Adds `variable`, "=" and the bytes of `value`, to be evaluated by any POSIX shell: one line,
/// whatever `value` holds. Control characters go through printf(1), since a line that ends in the
/// middle of a quoted name could be taken for a command.
void append_assignment(std::string& to, std::string_view variable, std::string_view value);

}  // namespace out
