// Applets one after the other, beside a small file system that says what each has to do: every
// three bytes of the input are an applet, in upper case with --json, and two paths. With the
// highest bit of the first the applet may not leave the tree (--beneath), and without the next one
// no link is followed (--no-symlinks). After each the whole tree is compared.
#include <algorithm>
#include <cerrno>
#include <map>
#include <string>
#include <vector>

#include "core/sys/error.hpp"
#include "core/sys/stat.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/inside.hpp"

namespace {

using core::Type;
using fuzz::check;

// -- the model

struct Node {
  Type type = Type::dir;
  mode_t mode = 0755;
  off_t size = 0;
  std::string target = {};
  std::map<std::string, std::size_t> names = {};
  std::size_t parent = 0;
};

constexpr std::size_t none = SIZE_MAX;

/// Where a path ends: an errno, or a directory, the last name and what has it.
struct Place {
  int error = 0;
  std::size_t directory = 0;
  std::string name = {};
  std::size_t node = none;
  bool slash = false;  ///< behind the name
};

/// What root sees of a file system, umask 022. Each change is 0 or an errno.
class Model {
 public:
  /// How far all that comes may lead.
  core::Resolve bounds;

  const Node& operator[](std::size_t node) const { return nodes_[node]; }

  /// The last name is followed where it is a link and `follows` says so; a slash behind it is left
  /// to the caller.
  Place place(std::string_view path, bool follows) const {
    std::vector<std::string> todo;
    bool slash = false;
    Place at;
    const auto push = [&](std::string_view text) {
      if (text.starts_with('/')) at.directory = 0;
      if (todo.empty()) slash = slash || text.ends_with('/');
      std::vector<std::string> names;
      while (!text.empty()) {
        const std::string_view name = fuzz::take_until(text, '/');
        if (!name.empty()) names.emplace_back(name);
      }
      todo.insert(todo.end(), names.rbegin(), names.rend());
    };
    push(path);
    at.slash = slash;
    at.node = at.directory;
    for (int links = 0; !todo.empty();) {
      at.name = todo.back();
      todo.pop_back();
      const Node& here = nodes_[at.directory];
      if (at.name == ".") {
        at.node = at.directory;
      } else if (at.name == "..") {
        if (bounds.beneath && at.directory == 0) return {.error = EXDEV};
        at.node = here.parent;
      } else {
        const auto found = here.names.find(at.name);
        at.node = found == here.names.end() ? none : found->second;
      }
      const bool last = todo.empty();
      if (at.node == none) return last ? at : Place{.error = ENOENT};
      const Node& node = nodes_[at.node];
      if (node.type == Type::link && (!last || follows)) {
        constexpr int most = 40;
        if (++links > most || bounds.no_symlinks) return {.error = ELOOP};
        if (bounds.beneath && node.target.starts_with('/')) return {.error = EXDEV};
        push(node.target);
        at.slash = slash;
        at.node = at.directory;
        continue;
      }
      if (last) return at;
      if (node.type != Type::dir) return {.error = ENOTDIR};
      at.directory = at.node;
    }
    return at;
  }

  /// What `path` leads to; a slash behind it asks for a directory.
  Place find(std::string_view path, bool follows) const {
    Place at = place(path, follows || path.ends_with('/'));
    if (at.error != 0) return at;
    if (at.node == none) return {.error = ENOENT};
    if (at.slash && nodes_[at.node].type != Type::dir) return {.error = ENOTDIR};
    return at;
  }

  int make(std::string_view path, Node node) {
    const Place at = place(path, false);
    if (at.error != 0) return at.error;
    if (at.node != none) return EEXIST;
    if (at.slash && node.type != Type::dir) return ENOENT;
    node.parent = at.directory;
    nodes_.push_back(std::move(node));
    nodes_[at.directory].names[at.name] = nodes_.size() - 1;
    return 0;
  }

  int makedirs(std::string_view path, bool exist_ok) {
    const int whole = make(path, {});
    if (whole != ENOENT) {
      const Place found = find(path, true);
      const bool is = exist_ok && found.error == 0 && nodes_[found.node].type == Type::dir;
      return is ? 0 : whole;
    }
    std::string_view rest = path;
    std::string before;
    while (!rest.empty()) {
      before.append(before.empty() ? "" : "/").append(fuzz::take_until(rest, '/'));
      const Place at = place(before, true);
      if (at.error != 0) return at.error;
      // A link that leads nowhere stands in the way.
      if (at.node == none && place(before, false).node != none) return ENOENT;
      if (at.node == none) make(before, {});
    }
    return 0;
  }

  int rmdir(std::string_view path) {
    const Place at = place(path, false);
    if (at.error != 0) return at.error;
    if (at.node == none) return ENOENT;
    if (nodes_[at.node].type != Type::dir) return ENOTDIR;
    if (!nodes_[at.node].names.empty()) return ENOTEMPTY;
    nodes_[at.directory].names.erase(at.name);
    return 0;
  }

  int removedirs(std::string_view path) {
    if (const int error = rmdir(path); error != 0) return error;
    while (path.ends_with('/')) path.remove_suffix(1);
    while (path.contains('/')) {
      path = path.substr(0, path.rfind('/'));
      if (rmdir(path) != 0) break;
    }
    return 0;
  }

  int unlink(std::string_view path) {
    const Place at = place(path, false);
    if (at.error != 0) return at.error;
    if (at.node == none) return ENOENT;
    if (nodes_[at.node].type == Type::dir) return EISDIR;
    if (at.slash) return ENOTDIR;
    nodes_[at.directory].names.erase(at.name);
    return 0;
  }

  int link(std::string_view source, std::string_view name, bool follows) {
    const Place from = find(source, follows);
    const Place to = place(name, false);
    // Within bounds the ways to both names come first.
    const bool held =
        bounds.restricted() && !source.ends_with('/') && place(source, false).error == 0;
    if (held && to.error != 0) return to.error;
    if (from.error != 0) return from.error;
    if (to.error != 0) return to.error;
    if (to.node != none) return EEXIST;
    if (to.slash) return ENOENT;
    if (nodes_[from.node].type == Type::dir) return EPERM;
    nodes_[to.directory].names[to.name] = from.node;
    return 0;
  }

  enum class Rename { replace, no_replace, exchange };
  int rename(std::string_view source, std::string_view name, Rename how) {
    const Place from = place(source, false);
    if (from.error != 0) return from.error;
    const Place to = place(name, false);
    if (to.error != 0) return to.error;
    if (from.node == none) return ENOENT;
    const bool exists = to.node != none;
    const bool exchanges = how == Rename::exchange;
    if (how == Rename::no_replace && exists) return EEXIST;
    if (exchanges && !exists) return ENOENT;
    const bool moves_directory = nodes_[from.node].type == Type::dir;
    const bool meets_directory = exists && nodes_[to.node].type == Type::dir;
    if (exchanges && to.slash && !meets_directory) return ENOTDIR;
    if (!moves_directory && (from.slash || (to.slash && !exchanges))) return ENOTDIR;
    if (is_above(from.node, to.directory)) return EINVAL;
    if (exists && is_above(to.node, from.directory)) return exchanges ? EINVAL : ENOTEMPTY;
    if (from.node == to.node) return 0;
    if (exists && !exchanges) {
      if (moves_directory && !meets_directory) return ENOTDIR;
      if (!moves_directory && meets_directory) return EISDIR;
      if (meets_directory && !nodes_[to.node].names.empty()) return ENOTEMPTY;
    }
    nodes_[to.directory].names[to.name] = from.node;
    nodes_[from.node].parent = to.directory;
    if (exchanges) {
      nodes_[from.directory].names[from.name] = to.node;
      nodes_[to.node].parent = from.directory;
    } else {
      nodes_[from.directory].names.erase(from.name);
    }
    return 0;
  }

  int chmod(std::string_view path, mode_t mode) {
    const Place at = find(path, true);
    if (at.error == 0) nodes_[at.node].mode = mode;
    return at.error;
  }

  int truncate(std::string_view path, off_t size) {
    const Place at = find(path, true);
    if (at.error != 0) return at.error;
    if (nodes_[at.node].type == Type::dir) return EISDIR;
    if (nodes_[at.node].type != Type::file) return EINVAL;
    nodes_[at.node].size = size;
    return 0;
  }

  bool is_directory(std::string_view path) const {
    const Place at = find(path, true);
    return at.error == 0 && nodes_[at.node].type == Type::dir;
  }

  /// How many names a node has; a directory has those in it and in each directory in it.
  std::size_t links(std::size_t node) const {
    std::size_t count = nodes_[node].type == Type::dir ? 2 : 0;
    for (const auto& [name, child] : nodes_[node].names) {
      if (nodes_[child].type == Type::dir) ++count;
    }
    if (nodes_[node].type == Type::dir) return count;
    const auto add = [&](const auto& self, std::size_t directory) -> void {
      for (const auto& [name, child] : nodes_[directory].names) {
        if (child == node) ++count;
        self(self, child);
      }
    };
    add(add, 0);
    return count;
  }

 private:
  bool is_above(std::size_t node, std::size_t directory) const {
    while (directory != node && directory != 0) directory = nodes_[directory].parent;
    return directory == node;
  }

  std::vector<Node> nodes_ = std::vector<Node>(1);
};

void draw(const Model& model, std::size_t node, const std::string& path, std::string& to) {
  const Node& drawn = model[node];
  const mode_t mode = drawn.type == Type::link ? 0777 : drawn.mode;
  to += fuzz::line_of(path, drawn.type, mode, model.links(node), drawn.size, drawn.target);
  for (const auto& [name, child] : drawn.names) draw(model, child, path + "/" + name, to);
}

/// What walk says, with --json and without.
void walked(const Model& model, std::size_t node, const std::string& path, std::string& json,
            std::string& lines) {
  const Node& directory = model[node];
  std::string dirs;
  std::string files;
  for (const auto& [name, child] : directory.names) {
    std::string below = path + "/" + name;
    std::string& list = model.is_directory(below) ? dirs : files;
    list.append(list.empty() ? "\"" : ",\"").append(name).append("\"");
  }
  json += "{\"dir\":\"" + path + "\",\"dirs\":[" + dirs + "],\"files\":[" + files + "]}\n";
  for (const auto& [name, child] : directory.names) {
    const std::string below = path + "/" + name;
    lines.append(core::type_word(model[child].type)).append(" ").append(below).append("\n");
    if (model[child].type == Type::dir) walked(model, child, below, json, lines);
  }
}

// -- the applets

constexpr std::string_view paths[] = {
    "a",   "b",     "c",     "d",     "a/a",     "a/b", "b/a", "b/c",
    "c/a", "a/b/c", "a/b/a", "c/b/a", "a/a/a/a", "a/",  "b/",  "a/b/",
};
constexpr std::string_view targets[] = {
    "a",    "b",  "c", "d",  "a/b",    "..",     "../b",  ".",
    "a/..", "/a", "/", "b/", "../a/b", "/c/./a", "../..", "nowhere",
};
constexpr mode_t modes[] = {0755, 0700, 0644, 0, 01777, 0777, 0600, 0111};
constexpr off_t sizes[] = {0, 1, 4096, 1 << 20};

template <class T, std::size_t N>
const T& one_of(const T (&all)[N], unsigned char byte) {
  // 'a' is the first of them.
  static_assert(16 % N == 0);
  return all[(byte + 15) % N];
}

std::string octal(mode_t mode) {
  std::string text;
  for (int shift = 9; shift >= 0; shift -= 3) text += static_cast<char>('0' + (mode >> shift & 7));
  return text;
}

/// What an applet is told, and what it has to do.
struct Step {
  std::vector<std::string> words;
  int error = 0;
  std::string out = {};
  bool formatted = true;  ///< it may be asked for its records
};

Step step(Model& model, unsigned char which, unsigned char first, unsigned char second) {
  const std::string path(one_of(paths, first));
  const std::string other(one_of(paths, second));
  const std::string target(one_of(targets, first));
  const mode_t mode = one_of(modes, second);
  const off_t size = one_of(sizes, second);
  // Letters, so that an input can be read; all other bytes are as good.
  switch (which & 31) {
    case 'd' & 31:
      return {{"mkdir", path}, model.make(path, {})};
    case 'e' & 31:
      return {{"mkdir", "-m", octal(mode), path}, model.make(path, {.mode = mode & 01777 & ~022U})};
    case 'm' & 31:
      return {{"makedirs", path}, model.makedirs(path, false)};
    case 'n' & 31:
      return {{"makedirs", "--exist-ok", path}, model.makedirs(path, true)};
    case 'r' & 31:
      return {{"rmdir", path}, model.rmdir(path)};
    case 'q' & 31:
      return {{"removedirs", path}, model.removedirs(path)};
    case 'u' & 31:
      return {{"unlink", path}, model.unlink(path)};
    case 's' & 31:
    case 't' & 31:
      return {{"symlink", target, other},
              model.make(other, {.type = Type::link, .target = target})};
    case 'l' & 31:
      return {{"link", path, other}, model.link(path, other, false)};
    case 'k' & 31:
      return {{"link", "--follow", path, other}, model.link(path, other, true)};
    case 'v' & 31:
      return {{"rename", path, other}, model.rename(path, other, Model::Rename::no_replace)};
    case 'x' & 31:
      return {{"rename", "--exchange", path, other},
              model.rename(path, other, Model::Rename::exchange)};
    case 'w' & 31:
    case 'y' & 31:
      return {{"replace", path, other}, model.rename(path, other, Model::Rename::replace)};
    case 'c' & 31:
      // What was before is had by descriptor, for which kernels before 6.6 need /proc.
      return {{"chmod", octal(mode), path}, model.chmod(path, mode), {}, false};
    case 'z' & 31:
      return {{"truncate", std::to_string(size), path}, model.truncate(path, size), {}, false};
    case 'p' & 31:
      return {{"mkfifo", path}, model.make(path, {.type = Type::fifo, .mode = 0644})};
    case 'f' & 31:
    case 'g' & 31:
      return {{"mknod", path}, model.make(path, {.type = Type::file, .mode = 0600})};
    case 'h' & 31:
    case 'i' & 31: {
      const bool follows = (which & 31) == ('h' & 31);
      const Place at = model.find(path, follows);
      Step asked{{follows ? "stat" : "lstat", "--format", "{type} {nlink} {target}", path},
                 at.error};
      asked.formatted = false;
      if (at.error != 0) return asked;
      const Node& node = model[at.node];
      asked.out.append(core::type_word(node.type)).append(" ");
      asked.out.append(std::to_string(model.links(at.node))).append(" ");
      asked.out.append(node.target).append("\n");
      return asked;
    }
    case 'j' & 31: {
      const Place at = model.find(path, false);
      Step asked{{"readlink", path}, at.error};
      asked.formatted = false;
      if (at.error != 0) return asked;
      if (model[at.node].type != Type::link) asked.error = EINVAL;
      if (asked.error == 0) asked.out = model[at.node].target + "\n";
      return asked;
    }
    default: {
      const Place at = model.find(path, true);
      Step asked{{"scandir", "--format", "{type} {name}", path}, at.error};
      asked.formatted = false;
      if (at.error != 0) return asked;
      if (model[at.node].type != Type::dir) asked.error = ENOTDIR;
      for (const auto& [name, child] : model[at.node].names) {
        asked.out.append(core::type_word(model[child].type)).append(" ");
        asked.out.append(name).append("\n");
      }
      return asked;
    }
  }
}

fuzz::Ran run_words(std::vector<std::string> words) {
  return fuzz::osbox(std::vector<std::string_view>(words.begin(), words.end()));
}

std::string sorted_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) lines.push_back(fuzz::take_until(text, '\n'));
  std::ranges::sort(lines, {}, [](std::string_view line) { return line.substr(line.find(' ')); });
  std::string sorted;
  for (const std::string_view line : lines) sorted.append(line).append("\n");
  return sorted;
}

}  // namespace

void fuzz::run(std::string_view input) {
  constexpr std::size_t longest = 3 * 64;
  if (input.size() > longest) return;
  const Inside inside;
  Model model;
  std::string told;
  for (; input.size() >= 3; input.remove_prefix(3)) {
    const auto byte = [input](std::size_t at) { return static_cast<unsigned char>(input[at]); };
    // What these do within bounds goes through /proc.
    const bool bounded = !std::string_view("kcz").contains(static_cast<char>((byte(0) & 31) | 96));
    model.bounds = {.beneath = bounded && (byte(0) & 128) != 0,
                    .no_symlinks = bounded && (byte(0) & 64) == 0};
    Step next = step(model, byte(0), byte(1), byte(2));
    const auto option = [&](const char* word) { next.words.insert(next.words.begin() + 1, word); };
    const bool json = next.formatted && (byte(0) & 32) == 0;
    if (json) option("--json");
    if (model.bounds.no_symlinks) option("--no-symlinks");
    if (model.bounds.beneath) option("--beneath=.");
    for (const std::string& word : next.words) told += word + " ";
    told += "\n";
    const Ran ran = run_words(next.words);
    const std::string about = told + ran.out + ran.err;
    check(ran.status == (next.error == 0 ? 0 : 1), "the status", about);
    const std::string name(core::error_name(next.error));
    const bool one_file = ran.err.ends_with("nothing was moved: both are names of one file\n");
    if (next.error == 0) {
      check(ran.err.empty() || one_file, "no message of what was done", about);
    } else {
      check(json
                ? ran.err.contains("\"error\":\"" + name + "\"")
                : ran.err.starts_with(next.words[0] + ": ") && ran.err.contains(": " + name + ": "),
            "the errno", about + name);
    }
    if (json && next.error == 0) {
      check(ran.out.starts_with("{\"path\":"), "a record", about);
    } else {
      check(next.words[0] == "scandir" ? sorted_lines(ran.out) == next.out : ran.out == next.out,
            "the output", about);
    }
    std::string expected;
    draw(model, 0, ".", expected);
    const std::string found = picture();
    check(found == expected, "the tree", about + "is\n" + found + "and not\n" + expected);
  }
  model.bounds = {};
  std::string json;
  std::string lines = "dir .\n";
  walked(model, 0, ".", json, lines);
  check(run_words({"walk", "--json"}).out == json, "walk --json", told + json);
  check(run_words({"walk", "--format", "{type} {path}"}).out == lines, "walk --format",
        told + lines);
}
