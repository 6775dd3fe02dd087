// Modes as people write them: "644", "u+x,go-w", "a=rX", "g=u".
#pragma once

#include <sys/types.h>

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// The bits that chmod(2) sets.
inline constexpr mode_t permission_bits = 07777;

/// A mode operand, understood: an octal number of at most four digits that count, which may begin
/// with Python's "0o", or the symbolic modes of chmod(1) as POSIX has them.
class Mode {
 public:
  /// The error is a sentence for the user.
  static std::expected<Mode, std::string> parse(std::string_view text);

  /// The octal mode `permissions`.
  static Mode of(mode_t permissions);

  /// The permissions that a file of permissions `old` gets. As in GNU's chmod a directory keeps its
  /// set-ids where "=" does not name them; an octal mode drops them. Where nobody is named, as in
  /// "+x", the bits of `umask` stay as they are.
  mode_t apply(mode_t old, bool is_directory, mode_t umask) const;

  /// The mode itself where it is octal, so that no file need be asked for its own.
  bool is_absolute() const { return clauses_.empty(); }
  mode_t absolute() const { return absolute_; }
  /// True where `apply` looks at the umask.
  bool needs_umask() const;

 private:
  struct Clause {
    mode_t who;           ///< bits it may touch; 0 where nobody is named
    char operation;       ///< + - =
    mode_t bits = 0;      ///< what it sets, for all
    bool search = false;  ///< X
    mode_t copied = 0;    ///< u, g or o: whose permissions it takes
  };

  static bool parse_clause(std::string_view text, std::vector<Clause>& to);

  mode_t absolute_ = 0;
  std::vector<Clause> clauses_;
};

/// The umask of this process, which the kernel tells only when it sets it: for that moment the mask
/// is 0777. umask(2)
mode_t get_umask();

}  // namespace core
