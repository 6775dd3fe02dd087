// How fast osbox is, beside what else there is for the same work: `meson test --benchmark`.
//
// Every row runs osbox and its peer in turn, A B A B, with a warm cache and the output in a file,
// and compares the medians. A ratio is the time of the peer by that of osbox: more is better. What
// is not installed is told, and not measured.
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;
using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// How large the inputs are.
struct Sizes {
  std::size_t entries = 1'000'000;  ///< of the tree
  std::size_t flat = 500'000;       ///< files in one directory
  std::size_t paths = 200'000;      ///< of the tree, in a file
  std::size_t made = 100'000;       ///< directories made, files removed
  std::size_t jobs = 1'000;
  std::size_t starts = 300;  ///< of a short command, for one time
  unsigned runs = 7;
};
constexpr Sizes small = {60'000, 50'000, 40'000, 5'000, 30, 30, 3};

/// One run of a command, or of a short one many times.
struct Run {
  double seconds = 0;
  long kib = 0;  ///< the most memory it had, ru_maxrss
};

/// Where everything is.
struct Place {
  std::string osbox;
  std::string itself;
  fs::path scratch;
  std::string tree() const { return scratch / "tree"; }
  std::string flat() const { return scratch / "flat"; }
  std::string paths() const { return scratch / "paths"; }
  std::string output() const { return scratch / "output"; }
};

/// Does `work` in a process of its own, whose memory is not ours: a command that is started from a
/// large process seems to have been as large, by ru_maxrss.
void apart(const std::function<void()>& work) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) give_up("fork");
  if (child == 0) {
    try {
      work();
      std::_Exit(0);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "bench: %s\n", error.what());
      std::_Exit(1);
    }
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0) {
    errno = EIO;
    give_up("the inputs");
  }
}

/// Runs a command `times` times, with standard input from `input`, and waits for each.
Run run(const Place& place, const Words& words, std::size_t times, const std::string& input) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, input.c_str(), O_RDONLY, 0);
  // Opened once: to empty a file is not the work of those who write to it.
  const int output = ::open(place.output().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (output < 0) give_up(place.output());
  ::posix_spawn_file_actions_adddup2(&files, output, 1);
  Run result;
  const auto start = Clock::now();
  for (std::size_t i = 0; i < times; ++i) {
    pid_t pid = 0;
    errno = ::posix_spawnp(&pid, argv[0], &files, nullptr, argv.data(), environ);
    if (errno != 0) give_up(words[0]);
    int status = 0;
    rusage usage = {};
    if (::wait4(pid, &status, 0, &usage) != pid || status != 0) {
      errno = EINVAL;
      give_up(words[0] + " " + words[1] + " did not end well");
    }
    result.kib = std::max(result.kib, usage.ru_maxrss);
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  ::posix_spawn_file_actions_destroy(&files);
  ::close(output);
  return result;
}

bool installed(const std::string& program) {
  if (program.find('/') != std::string::npos) return ::access(program.c_str(), X_OK) == 0;
  const char* const variable = std::getenv("PATH");
  std::string_view path = variable != nullptr ? variable : "";
  while (!path.empty()) {
    const std::size_t end = std::min(path.find(':'), path.size());
    const std::string file = std::string(path.substr(0, end)) + "/" + program;
    if (::access(file.c_str(), X_OK) == 0) return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

// Inputs: the same each time.

std::string name_of(std::mt19937& random) {
  static constexpr char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-.";
  std::string name;
  for (std::size_t length = 8 + random() % 13; name.size() < length;) {
    name += letters[random() % (name.empty() ? 36 : sizeof letters - 1)];
  }
  return name;
}

void make_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) give_up(path);
  ::close(file);
}

/// `entries` names, one in fourteen a directory, up to 15 deep.
void make_tree(const std::string& root, std::size_t entries, std::size_t paths,
               const std::string& list) {
  std::mt19937 random(1);
  struct Directory {
    std::string path;
    unsigned depth;
  };
  std::vector<Directory> directories = {{root, 0}};
  ::mkdir(root.c_str(), 0755);
  std::ofstream listed(list, std::ios::binary);
  std::size_t written = 0;
  for (std::size_t made = 0; made < entries;) {
    const Directory into = directories[random() % directories.size()];
    // Uneven: many have few names, few have many.
    const std::size_t count = 1 + random() % (random() % 10 == 0 ? 120 : 18);
    for (std::size_t i = 0; i < count && made < entries; ++i) {
      const std::string path = into.path + "/" + name_of(random);
      if (random() % 14 == 0 && into.depth < 14) {
        if (::mkdir(path.c_str(), 0755) != 0) continue;
        directories.push_back({path, into.depth + 1});
      } else {
        make_file(path);
        if (written < paths && ++written > 0) listed << path << '\0';
      }
      ++made;
    }
  }
}

void make_flat(const std::string& root, std::size_t files) {
  std::mt19937 random(2);
  ::mkdir(root.c_str(), 0755);
  for (std::size_t i = 0; i < files; ++i) make_file(root + "/" + name_of(random));
}

/// `count` paths in a directory that is empty, NUL-terminated.
void list_new(const Place& place, std::size_t count) {
  std::ofstream list(place.scratch / "new", std::ios::binary);
  for (std::size_t i = 0; i < count; ++i)
    list << (place.scratch / "made" / std::to_string(i)).string() << '\0';
}

void clear_made(const Place& place) {
  fs::remove_all(place.scratch / "made");
  fs::create_directory(place.scratch / "made");
}

void fill_made(const Place& place, std::size_t count) {
  clear_made(place);
  for (std::size_t i = 0; i < count; ++i) make_file(place.scratch / "made" / std::to_string(i));
}

// The kernel's own part, and no more: what is left to gain.

void floor_of_walk(const std::string& path) {
  static std::array<char, 262144> buffer;
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) give_up(path);
  std::vector<std::string> below;
  for (ssize_t size = 0; (size = ::getdents64(directory, buffer.data(), buffer.size())) > 0;) {
    for (const char* at = buffer.data(); at < buffer.data() + size;) {
      const auto* const entry = reinterpret_cast<const dirent64*>(at);
      at += entry->d_reclen;
      const std::string_view name = entry->d_name;
      if (entry->d_type == DT_DIR && name != "." && name != "..") below.emplace_back(name);
    }
  }
  ::close(directory);
  for (const std::string& name : below) floor_of_walk(path + "/" + name);
}

void floor_of_stat(const std::string& list) {
  std::ifstream paths(list, std::ios::binary);
  std::string path;
  struct ::statx found;
  while (std::getline(paths, path, '\0')) {
    if (::statx(AT_FDCWD, path.c_str(), 0, STATX_SIZE, &found) != 0) give_up(path);
  }
}

/// One line of the table.
struct Row {
  std::string work;
  std::string peer;  ///< as people call it
  double bar;        ///< a ratio, or MiB
  Words osbox;
  Words other;            ///< none: the memory of osbox is measured
  std::size_t times = 1;  ///< short commands are run so often for one time
  std::string input = "/dev/null";
  std::function<void()> before = {};  ///< each run, unmeasured
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

std::string version_of(const std::string& program) {
  const std::string command = program + " --version 2>/dev/null || " + program + " 2>&1";
  std::string line;
  if (std::FILE* const pipe = ::popen(command.c_str(), "re")) {
    char text[200];
    if (std::fgets(text, sizeof text, pipe) != nullptr) line = text;
    ::pclose(pipe);
  }
  return line.substr(0, line.find('\n'));
}

std::vector<Row> rows(const Place& place, const Sizes& sizes, const std::string& fixed) {
  const std::string& osbox = place.osbox;
  const std::string tree = place.tree();
  const std::string flat = place.flat();
  const std::size_t starts = sizes.starts;
  const auto clear = [&place] { clear_made(place); };
  const auto fill = [&place, &sizes] { fill_made(place, sizes.made); };
  const std::string fresh = place.scratch / "new";
  const Words walk = {osbox, "walk", "--unordered", "--paths", tree};
  const Words start = {osbox, "strerror", "2"};
  std::vector<Row> all = {
      {"start and answer", "stat .", 1.5, start, {"stat", "."}, starts},
      {"",
       "python3 -S",
       50,
       start,
       {"/usr/bin/python3", "-S", "-c", "import os; print(os.strerror(2))"},
       starts},
      {"start, static", "busybox true", .95, {fixed, "strerror", "2"}, {"busybox", "true"}, starts},
      {"walk, any order", "find", 2.8, walk, {"find", tree}},
      {"", "fdfind -uu", 2.8, walk, {"fdfind", "-uu", ".", tree}},
      {"", "bfs", 2.4, walk, {"bfs", tree}},
      {"", "bare loop, no output", 1.3, walk, {place.itself, "--floor", tree}},
      {"walk, ordered", "find", 2.4, {osbox, "walk", "--paths", tree}, {"find", tree}},
      {"walk, sizes",
       "find -printf",
       2.5,
       {osbox, "walk", "--paths", "--format", "{size} {path}", tree},
       {"find", tree, "-printf", "%s %p\n"}},
      {"walk, memory", "24 MiB", 24, {osbox, "walk", "--paths", tree}, {}},
      {"ls -U, one directory", "ls -U", 1.5, {osbox, "ls", "-U", flat}, {"ls", "-U", flat}},
      // In byte order, as ours.
      {"ls", "ls", 2.5, {osbox, "ls", flat}, {"env", "LC_ALL=C", "ls", flat}},
      {"ls -l", "ls -l", 3, {osbox, "ls", "-l", flat}, {"env", "LC_ALL=C", "ls", "-l", flat}},
      {"ls -U, memory", "8 MiB", 8, {osbox, "ls", "-U", flat}, {}},
      {"stat, many",
       "xargs stat",
       3,
       {osbox, "stat", "--files0-from", place.paths(), "--format", "{size} {path}"},
       {"xargs", "-0", "stat", "-c", "%s %n"},
       1,
       place.paths()},
      {"",
       "bare statx, no output",
       .8,
       {osbox, "stat", "--files0-from", place.paths(), "--format", "{size} {path}"},
       {place.itself, "--floor-stat", place.paths()}},
      {"chmod -R",
       "chmod -R",
       2,
       {osbox, "chmod", "-R", "u+rw", tree},
       {"chmod", "-R", "u+rw", tree}},
      {"mkdir, many",
       "xargs mkdir",
       1.3,
       {osbox, "mkdir", "--files0-from", fresh},
       {"xargs", "-0", "mkdir"},
       1,
       fresh,
       clear},
      {"unlink, many",
       "xargs rm -f",
       1.3,
       {osbox, "unlink", "--files0-from", fresh},
       {"xargs", "-0", "rm", "-f"},
       1,
       fresh,
       fill},
      {"spawn true",
       "timeout 10 true",
       1.2,
       {osbox, "spawn", "true"},
       {"timeout", "10", "true"},
       starts},
      {"spawn --nowait, waitpid",
       "setsid -f",
       1,
       {"sh", "-c",
        "i=0; while [ $i -lt $1 ]; do set -- $1 $(\"$0\" spawn --nowait true); \"$0\" waitpid $2; "
        "i=$((i + 1)); done",
        osbox, std::to_string(sizes.jobs)},
       {"sh", "-c", "i=0; while [ $i -lt $0 ]; do set -- $(setsid -f true); i=$((i + 1)); done",
        std::to_string(sizes.jobs)}},
  };
  return all;
}

void measure(const Place& place, const Sizes& sizes, const std::string& fixed,
             const std::string& only, const std::string& json) {
  std::FILE* const records = json.empty() ? nullptr : std::fopen(json.c_str(), "we");
  if (!json.empty() && records == nullptr) give_up(json);
  std::printf("%-24s %-22s %8s %8s %8s %8s\n", "osbox", "against", "osbox s", "peer s", "ratio",
              "bar");
  unsigned missed = 0;
  std::string work;
  for (const Row& row : rows(place, sizes, fixed)) {
    if (!row.work.empty()) work = row.work;
    if ((work + " " + row.peer).find(only) == std::string::npos) continue;
    std::printf("%-24s %-22s ", work.c_str(), row.peer.c_str());
    std::fflush(stdout);
    const bool memory = row.other.empty();
    if (row.osbox[0].empty()) {
      std::printf("skipped: --static names no osbox\n");
      continue;
    }
    if (!installed(row.osbox[0]) || (!memory && !installed(row.other[0]))) {
      std::printf("skipped: not installed\n");
      continue;
    }
    std::vector<double> mine;
    std::vector<double> theirs;
    long kib = 0;
    // The first of each warms the cache.
    for (unsigned i = 0; i <= (memory ? 0 : sizes.runs); ++i) {
      if (row.before) row.before();
      const Run a = run(place, row.osbox, row.times, row.input);
      kib = std::max(kib, a.kib);
      if (memory) break;
      if (row.before) row.before();
      const Run b = run(place, row.other, row.times, row.input);
      if (i == 0) continue;
      mine.push_back(a.seconds / static_cast<double>(row.times));
      theirs.push_back(b.seconds / static_cast<double>(row.times));
    }
    const double value = memory ? static_cast<double>(kib) / 1024 : median(theirs) / median(mine);
    const bool met = memory ? value <= row.bar : value >= row.bar;
    missed += met ? 0 : 1;
    const double one = memory ? 0 : median(mine);
    const double other = memory ? 0 : median(theirs);
    if (memory) {
      std::printf("%8s %8s %4.1f MiB %4.0f MiB  %s\n", "", "", value, row.bar,
                  met ? "met" : "missed");
    } else {
      std::printf("%8.4f %8.4f %7.2fx %7.2fx  %s\n", one, other, value, row.bar,
                  met ? "met" : "missed");
    }
    std::fflush(stdout);
    if (records != nullptr) {
      std::fprintf(records,
                   "{\"work\":\"%s\",\"peer\":\"%s\",\"%s\":%.4f,\"bar\":%.2f,\"met\":%s,"
                   "\"osbox_s\":%.6f,\"peer_s\":%.6f,\"kib\":%ld}\n",
                   work.c_str(), row.peer.c_str(), memory ? "mib" : "ratio", value, row.bar,
                   met ? "true" : "false", one, other, kib);
    }
  }
  if (records != nullptr) std::fclose(records);
  std::printf("%u missed\n", missed);
}

int run_bench(int argc, char** argv) {
  Sizes sizes;
  Place place;
  place.itself = "/proc/self/exe";
  std::string fixed;
  std::string only;
  std::string json;
  std::string base = std::getenv("TMPDIR") != nullptr ? std::getenv("TMPDIR") : "/tmp";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto next = [&]() -> std::string {
      if (++i < argc) return argv[i];
      std::fprintf(stderr, "bench: %s needs a value\n", word.c_str());
      std::exit(2);
    };
    if (word == "--floor") {
      floor_of_walk(next());
      return 0;
    }
    if (word == "--floor-stat") {
      floor_of_stat(next());
      return 0;
    }
    if (word == "--quick") {
      sizes = small;
    } else if (word == "--only") {
      only = next();
    } else if (word == "--json") {
      json = next();
    } else if (word == "--static") {
      fixed = next();
    } else if (word == "--in") {
      base = next();
    } else if (place.osbox.empty() && !word.starts_with("-")) {
      place.osbox = fs::absolute(word);
    } else {
      std::fprintf(stderr,
                   "usage: bench OSBOX [--quick] [--only TEXT] [--json FILE] [--static OSBOX] "
                   "[--in DIR]\n");
      return 2;
    }
  }
  if (place.osbox.empty()) {
    std::fprintf(stderr, "bench: which osbox?\n");
    return 2;
  }
  place.itself = fs::read_symlink("/proc/self/exe");
  std::string scratch = base + "/osbox-bench-XXXXXX";
  if (::mkdtemp(scratch.data()) == nullptr) give_up(scratch);
  place.scratch = scratch;
  ::setenv("XDG_RUNTIME_DIR", scratch.c_str(), 1);

  char date[16];
  const std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof date, "%F", std::localtime(&now));
  utsname system = {};
  ::uname(&system);
  std::printf("%s, Linux %s, %u cores; ", date, system.release,
              static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN)));
  std::printf("%zu entries in a tree, %zu files in a directory, medians of %u\n", sizes.entries,
              sizes.flat, sizes.runs);
  for (const char* const peer : {"ls", "find", "fdfind", "bfs", "busybox", "/usr/bin/python3"}) {
    if (installed(peer)) std::printf("%s\n", version_of(peer).c_str());
  }
  std::fflush(stdout);
  try {
    apart([&] {
      make_tree(place.tree(), sizes.entries, sizes.paths, place.paths());
      make_flat(place.flat(), sizes.flat);
      list_new(place, sizes.made);
    });
    measure(place, sizes, fixed, only, json);
  } catch (...) {
    fs::remove_all(scratch);
    throw;
  }
  fs::remove_all(scratch);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_bench(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench: %s\n", error.what());
    return 2;
  }
}
