#include "core/out/colour.hpp"

#include <poll.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <iterator>

#include "core/out/quote.hpp"

namespace out {
namespace {

struct Word {
  std::string_view word;
  std::string_view code;
};

// What LS_COLORS calls them and what GNU ls has built in, in the order of Colours::Key.
constexpr Word words[] = {
    {"di", "01;34"}, {"fi", ""},      {"ln", "01;36"}, {"or", ""},      {"mi", ""},
    {"pi", "33"},    {"so", "01;35"}, {"bd", "01;33"}, {"cd", "01;33"}, {"su", "37;41"},
    {"sg", "30;43"}, {"ex", "01;32"}, {"st", "37;44"}, {"tw", "30;42"}, {"ow", "34;42"},
};

constexpr int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};

/// Does what the signal does by itself, behind the reset. In a handler: signal-safety(7).
void reset_before(int signal) {
  const int number = errno;
  constexpr std::string_view reset = "\033[0m";
  // A terminal that takes nothing keeps nobody from ending.
  pollfd terminal{STDOUT_FILENO, POLLOUT, 0};
  if (::poll(&terminal, 1, 0) == 1) (void)!::write(STDOUT_FILENO, reset.data(), reset.size());
  struct ::sigaction own;
  struct ::sigaction usual = {};
  usual.sa_handler = SIG_DFL;
  ::sigaction(signal, &usual, &own);
  (void)::raise(signal);
  // It is held back for as long as its handler runs.
  sigset_t raised;
  ::sigemptyset(&raised);
  ::sigaddset(&raised, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &raised, nullptr);
  // Stopped, and continued.
  ::sigaction(signal, &own, nullptr);
  errno = number;
}

}  // namespace

ColourSettings ColourSettings::of_environment() {
  const auto variable = [](const char* name) -> std::optional<std::string> {
    const char* const value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return value;
  };
  return {.ls_colors = variable("LS_COLORS"),
          .no_color = !variable("NO_COLOR").value_or("").empty(),
          .dumb = variable("TERM") == "dumb"};
}

Colours::Colours(ColourWhen when, const ColourSettings& settings, const Screen& screen)
    : on_(when == ColourWhen::always ||
          (when == ColourWhen::automatic && screen.output_is_terminal && !settings.no_color &&
           !settings.dumb)) {
  static_assert(std::size(words) == keys);
  if (!on_) return;
  for (std::size_t i = 0; i < keys; ++i) codes_[i] = words[i].code;
  if (settings.ls_colors) read(*settings.ls_colors);
}

Colours Colours::asked(ColourWhen when, const Io& io) {
  const bool of_program = io.style().format != Style::Format::human || io.style().null;
  // Nothing else is looked at, nor kept, where there is no colour anyway.
  if (of_program || (when == ColourWhen::automatic && !io.screen().output_is_terminal)) return {};
  return {when, ColourSettings::of_environment(), io.screen()};
}

/// Reads "di=01;34:*.tar=01;31". A key that is not known here is passed over, and a value that is
/// more than numbers, since nothing else may reach the terminal.
void Colours::read(std::string_view ls_colors) {
  while (!ls_colors.empty()) {
    const std::string_view entry = ls_colors.substr(0, ls_colors.find(':'));
    ls_colors.remove_prefix(std::min(entry.size() + 1, ls_colors.size()));
    const std::size_t equals = entry.rfind('=');
    if (equals == entry.npos) continue;
    const std::string_view value = entry.substr(equals + 1);
    const std::string_view key = entry.substr(0, equals);
    if (key == "ln") links_follow_ = value == "target";
    if (key == "ln" && links_follow_) {
      set(key, "");
    } else if (value.find_first_not_of("0123456789;") == value.npos) {
      // Zeros alone are no colour.
      set(key, value.find_first_of("123456789") == value.npos ? "" : std::string(value));
    }
  }
}

void Colours::set(std::string_view key, std::string code) {
  if (key.starts_with('*')) {
    suffixes_.push_back({std::string(key.substr(1)), std::move(code)});
    return;
  }
  for (std::size_t i = 0; i < keys; ++i) {
    if (words[i].word != key) continue;
    codes_[i] = std::move(code);
    return;
  }
}

core::Want Colours::want(core::Type type) const {
  if (!on_) return core::want::nothing;
  namespace want = core::want;
  switch (type) {
    case core::Type::unknown:
      return want::type | want::mode;
    case core::Type::file:
      return coloured(Key::setuid) || coloured(Key::setgid) || coloured(Key::executable)
                 ? want::type | want::mode
                 : want::nothing;
    case core::Type::dir:
      return coloured(Key::sticky) || coloured(Key::sticky_writable) || coloured(Key::writable)
                 ? want::type | want::mode
                 : want::nothing;
    default:
      return want::nothing;
  }
}

/// The code of the suffix that `name` has: the last one given, and one in the same letters before
/// one that differs in case.
std::string_view Colours::of_name(std::string_view name) const {
  const Suffix* similar = nullptr;
  for (auto suffix = suffixes_.rbegin(); suffix != suffixes_.rend(); ++suffix) {
    const std::string_view text = suffix->text;
    if (name.size() < text.size()) continue;
    const std::string_view end = name.substr(name.size() - text.size());
    if (end == text) return suffix->code;
    if (similar == nullptr && ::strncasecmp(end.data(), text.data(), text.size()) == 0) {
      similar = &*suffix;
    }
  }
  return similar != nullptr ? similar->code : code(Key::file);
}

void Colours::File::leads_to(const core::Result<core::Stat>& found, File& memory) {
  dangling = !found;
  if (!found) return;
  memory = {.name = name, .type = found->type, .mode = found->mode};
  target = &memory;
}

std::string_view Colours::of(const File& file) const {
  const auto has = [&](mode_t bits, Key key) {
    return (file.mode & bits) == bits && coloured(key);
  };
  switch (file.type) {
    case core::Type::dir:
      if (has(S_ISVTX | S_IWOTH, Key::sticky_writable)) return code(Key::sticky_writable);
      if (has(S_IWOTH, Key::writable)) return code(Key::writable);
      if (has(S_ISVTX, Key::sticky)) return code(Key::sticky);
      return code(Key::directory);
    case core::Type::file:
      if (has(S_ISUID, Key::setuid)) return code(Key::setuid);
      if (has(S_ISGID, Key::setgid)) return code(Key::setgid);
      if ((file.mode & 0111) != 0 && coloured(Key::executable)) return code(Key::executable);
      return of_name(file.name);
    case core::Type::link:
      if (file.dangling && coloured(Key::orphan)) return code(Key::orphan);
      if (links_follow_ && file.target != nullptr) return of(*file.target);
      return code(Key::link);
    case core::Type::fifo:
      return code(Key::fifo);
    case core::Type::socket:
      return code(Key::socket);
    case core::Type::block:
      return code(Key::block);
    case core::Type::character:
      return code(Key::character);
    case core::Type::unknown:
      break;
  }
  return {};
}

std::size_t Colours::append(std::string& to, std::string_view code, std::string_view text) {
  const std::size_t before = to.size();
  if (code.empty()) {
    to += text;
  } else {
    to.append("\033[").append(code).append("m").append(text).append("\033[0m");
  }
  return to.size() - before - text.size();
}

namespace {

/// `name` as the output may have it, in `memory` where it needs quotes.
std::string_view shown(const Io& io, std::string_view name, std::string& memory) {
  if (io.names() == Names::raw) return name;
  append_quoted(memory, name);
  return memory;
}

/// As much as two colours take.
constexpr std::size_t most_of_codes = 64;

}  // namespace

void Colours::print_name(Io& io, std::string_view code, std::string_view name) {
  if (code.empty()) return io.print_name(name);
  std::string memory;
  name = shown(io, name, memory);
  std::string text;
  text.reserve(name.size() + most_of_codes);
  append(text, code, name);
  io.print(text);
}

void Colours::print_path(Io& io, std::string_view code, std::string_view path) const {
  std::string memory;
  path = shown(io, path, memory);
  std::string text;
  text.reserve(path.size() + most_of_codes);
  const std::string_view above = this->code(Key::directory);
  if (above == code) {
    append(text, code, path);
  } else {
    // Neither a name nor what quotes it has a slash.
    const std::size_t name = path.rfind('/') + 1;
    append(text, above, path.substr(0, name));
    append(text, code, path.substr(name));
  }
  io.print(text);
}

ColourReset::ColourReset(bool coloured, Io& io)
    : io_(coloured && io.screen().output_is_terminal ? &io : nullptr) {
  static_assert(std::size(ending) == std::tuple_size_v<decltype(before_)>);
  if (io_ == nullptr) return;
  struct ::sigaction handled = {};
  handled.sa_handler = reset_before;
  handled.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < before_.size(); ++i) {
    ::sigaction(ending[i], &handled, &before_[i]);
    if (before_[i].sa_handler != SIG_DFL) ::sigaction(ending[i], &before_[i], nullptr);
  }
}

ColourReset::~ColourReset() {
  if (io_ == nullptr) return;
  try {
    io_->flush();
  } catch (const std::exception&) {
    // No memory for the blanks that take the progress away: the end of the run writes the rest.
  }
  for (std::size_t i = 0; i < before_.size(); ++i) {
    if (before_[i].sa_handler == SIG_DFL) ::sigaction(ending[i], &before_[i], nullptr);
  }
}

}  // namespace out
