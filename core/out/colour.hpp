// Colours of names, as LS_COLORS has them.
#pragma once

#include <array>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/out/io.hpp"
#include "core/sys/stat.hpp"

namespace out {

/// What the environment says of colours.
struct ColourSettings {
  std::optional<std::string> ls_colors;  ///< LS_COLORS; none: the colours that GNU ls has built in
  bool no_color = false;                 ///< NO_COLOR is there and not empty
  bool dumb = false;                     ///< TERM is "dumb"

  /// Those of this process.
  static ColourSettings of_environment();
};

/// The words of --color.
enum class ColourWhen : std::uint8_t { automatic, always, never };

/// The colours of files by their type, mode and name.
class Colours {
 public:
  /// No colours at all.
  Colours() = default;

  /// Those of `settings`, or none: where `when` says so, and by itself where `screen` is no
  /// terminal, a dumb one, or NO_COLOR is set.
  Colours(ColourWhen when, const ColourSettings& settings, const Screen& screen);

  /// Those that --color asks of the run of `io`, with what the environment says: none where the
  /// output is for a program, which --null is for too.
  static Colours asked(ColourWhen when, const Io& io);

  bool on() const { return on_; }

  /// What stat must be asked for before `of` can tell the colour of a file of `type`, beyond what
  /// its directory says.
  core::Want want(core::Type type) const;

  /// True where a link has the colour of what it leads to.
  bool links_as_targets() const { return links_follow_; }
  /// True where the colour of a link depends on what it leads to, or, where the text of the link
  /// is shown too, that of the text does.
  bool wants_targets(bool text_shown) const {
    return links_follow_ || coloured(Key::orphan) || (text_shown && coloured(Key::missing));
  }

  /// What is known of a file.
  struct File {
    std::string_view name = {};
    core::Type type = core::Type::unknown;
    mode_t mode = 0;               ///< as far as `want` asks for it
    const File* target = nullptr;  ///< of a link, where `wants_targets` and it leads somewhere
    bool dangling = false;         ///< of a link, where `wants_targets`: it leads nowhere

    /// Takes what stat has `found` behind a link; what it leads to is kept in `memory`.
    void leads_to(const core::Result<core::Stat>& found, File& memory);
  };

  /// Completes what is known of a file by its name and type: `ask`, a function of a Want that
  /// returns a Result<core::Stat>, is called where its colour depends on more. It is no failure
  /// where that cannot be had: the colour is then that of the type and the name.
  template <class Ask>
  void look(File& file, Ask ask) const {
    const core::Want wanted = want(file.type);
    if (wanted == core::want::nothing) return;
    const core::Result<core::Stat> found = ask(wanted);
    if (!found) return;
    file.type = found->type;
    file.mode = found->mode;
  }

  /// The code of its colour, as "01;34"; empty where it has none.
  std::string_view of(const File& file) const;

  /// The code for the text of a dangling link.
  std::string_view of_missing() const {
    return code(coloured(Key::missing) ? Key::missing : Key::orphan);
  }

  /// Adds `text`, which must be harmless on a terminal, in the colour of `code`; the answer is how
  /// many of the bytes added are seen by nobody.
  static std::size_t append(std::string& to, std::string_view code, std::string_view text);

  /// Prints a name as Io::print_name does, in the colour of `code`.
  static void print_name(Io& io, std::string_view code, std::string_view name);
  /// The same of the path of something in a directory: what stands before its name has the colour
  /// of directories.
  void print_path(Io& io, std::string_view code, std::string_view path) const;

 private:
  enum class Key : std::uint8_t {
    directory,
    file,
    link,
    orphan,
    missing,
    fifo,
    socket,
    block,
    character,
    setuid,
    setgid,
    executable,
    sticky,
    sticky_writable,
    writable,
  };
  static constexpr std::size_t keys = 15;  ///< their number

  struct Suffix {
    std::string text;
    std::string code;
  };

  void read(std::string_view ls_colors);
  void set(std::string_view key, std::string code);
  const std::string& code(Key key) const { return codes_[static_cast<std::size_t>(key)]; }
  bool coloured(Key key) const { return !code(key).empty(); }
  std::string_view of_name(std::string_view name) const;

  bool on_ = false;
  bool links_follow_ = false;  ///< ln=target
  std::array<std::string, keys> codes_;
  std::vector<Suffix> suffixes_;
};

/// Puts the terminal's own colour back before a signal ends or stops this process, for as long as
/// it lives: Ctrl-C may cut off what is written within a name. What somebody else does about such a
/// signal stays. Does nothing where the output is not `coloured`, or for no terminal. sigaction(2)
class ColourReset {
 public:
  ColourReset(bool coloured, Io& io);
  /// Writes the output out before the signals are somebody else's again.
  ~ColourReset();
  ColourReset(const ColourReset&) = delete;
  ColourReset& operator=(const ColourReset&) = delete;

 private:
  Io* io_;  ///< null: nothing is done
  std::array<struct ::sigaction, 5> before_;
};

}  // namespace out
