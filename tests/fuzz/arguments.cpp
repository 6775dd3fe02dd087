// Command lines: the input is one, its words with a NUL between them, without "osbox". With a NUL
// at its end the output is a terminal.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "applets/registry.hpp"
#include "core/sys/fs.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/inside.hpp"

namespace {

/// What is put in front of the words of an applet so that it does nothing to any process. One that
/// is not known here is not run: with --help its options are read and its page is printed.
std::string_view caution(const cli::Applet& applet) {
  constexpr std::string_view harmless[] = {
      "environ",   "getcwd",  "getegid", "getenv",  "geteuid",           "getgid",
      "getgroups", "getpgid", "getpid",  "getppid", "getpriority",       "getrlimit",
      "getsid",    "getuid",  "id",      "pids",    "sched_getaffinity", "strerror",
  };
  // All that these touch has a path, and no path leads out.
  if (applet.group != cli::Group::processes) return {};
  if (std::ranges::find(harmless, applet.name) != std::end(harmless)) return {};
  if (applet.name == "exec" || applet.name == "spawn") return "--dry-run";
  if (applet.name == "wait" || applet.name == "waitpid") return "--nohang";
  return "--help";
}

void make_file(const char* path, std::string_view content) {
  const auto file = core::open(path, O_WRONLY | O_CREAT, {}, 0644);
  fuzz::check(file && core::write(*file, content), "a file to begin with");
}

/// Something of everything, but for what it takes forever to open.
void make_tree() {
  ::mkdir("d", 0755);
  ::mkdir("d/e", 0700);
  make_file("a", "some\n");
  make_file("d/f", "");
  make_file("operands", {"a\0d/f\0gone", 10});
  make_file("bad\xff\x1b]0;x\x07\n", "");
  ::symlink("a", "l");
  ::symlink("../d", "d/up");
  ::symlink("nowhere", "dangling");
  ::symlink("loop", "loop");
}

/// True where what a terminal would obey is asked for: names as they are, by -0, or bytes and
/// escapes in the text of a template itself. The fields of that are written like all others.
bool asks_for_raw(const std::vector<std::string_view>& words) {
  const auto is_raw = [](std::string_view format) {
    return !fuzz::visible_lines(format) || format.contains("\\0") || format.contains("\\t");
  };
  // A shell reads that.
  if (!words.empty() && words.front() == "--complete") return true;
  bool is_template = false;
  for (const std::string_view word : words) {
    const bool letters = word.starts_with('-') && !word.starts_with("--");
    if (word == "--null" || (letters && word.contains('0'))) return true;
    const bool has_template = word.starts_with("--format") || (letters && word.contains('c'));
    if ((is_template || has_template) && is_raw(word)) return true;
    is_template = has_template;
  }
  return false;
}

/// What a terminal gets, without colours.
std::string without_colours(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find("\x1b["), text.size());
    plain += text.substr(0, begin);
    text.remove_prefix(begin);
    const std::size_t end =
        text.find_first_not_of("0123456789;", std::min<std::size_t>(2, text.size()));
    const bool colour = end != text.npos && (text[end] == 'm' || text[end] == 'K');
    if (!colour) return plain.append(text);
    text.remove_prefix(end + 1);
  }
  return plain;
}

}  // namespace

void fuzz::run(std::string_view input) {
  constexpr std::size_t longest = 256;
  if (input.size() > longest) return;
  const bool terminal = input.ends_with('\0');
  std::vector<std::string_view> words;
  while (!input.empty()) words.push_back(take_until(input, '\0'));
  const cli::Found found = cli::find(applets::registry, words.empty() ? "" : words[0]);
  if (found.applet != nullptr) {
    const std::string_view word = caution(*found.applet);
    if (!word.empty()) words.insert(words.begin() + 1, word);
  }
  const Inside inside;
  make_tree();
  static const std::string before = picture();
  const Ran ran = osbox(words, terminal);
  if (ran.err.contains("; see 'osbox ")) {
    check(ran.status == 2 && ran.out.empty(), "wrong usage is 2, and no more", ran.out + ran.err);
    check(picture() == before, "wrong usage does nothing", ran.err);
  }
  // Where the answer is no, nothing was found or has ended yet, the status says it.
  constexpr std::string_view quiet[] = {"access",   "environ", "getenv",
                                        "strerror", "wait",    "waitpid"};
  check(ran.status == 0 || !ran.err.empty() || found.applet == nullptr ||
            std::ranges::find(quiet, found.applet->name) != std::end(quiet),
        "who fails says why");
  const std::string shown = without_colours(ran.out);
  check(!terminal || asks_for_raw(words) || visible_lines(shown), "no name reaches a terminal raw",
        shown);
}
