// The same random operations by osbox in one tree and by Python's os module in another: each must
// end the same way, and leave the same tree behind.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <random>

#include "core/out/quote.hpp"
#include "tests/harness.hpp"

namespace {

/// Reads operations, one a line, does each in the second tree, and answers "same" or what differs.
/// What changes nothing is asked about the first tree, which osbox was asked about too.
constexpr const char* twin = R"(
import ctypes, errno, os, stat, sys

libc = ctypes.CDLL(None, use_errno=True)
tops = [os.fsencode(top) for top in sys.argv[1:3]]
trees = [os.open(os.path.join(top, os.fsencode(sys.argv[3])), os.O_PATH) for top in tops]
# Of two names of one number, that of osbox.
errors = {**errno.errorcode, errno.ENOTSUP: 'EOPNOTSUPP'}
words = {stat.S_IFREG: b'file', stat.S_IFDIR: b'dir', stat.S_IFLNK: b'link', stat.S_IFIFO: b'fifo',
         stat.S_IFSOCK: b'socket', stat.S_IFCHR: b'char', stat.S_IFBLK: b'block'}

def fail(number):
    raise OSError(number, os.strerror(number))

def without_slash(path):
    # Where no link is to be followed, osbox does not let a slash behind its name change that; the
    # kernel does.
    bare = path.rstrip(b'/')
    if not bare or bare == path:
        return path
    mode = os.lstat(bare).st_mode
    if not stat.S_ISDIR(mode) and not stat.S_ISLNK(mode):
        fail(errno.ENOTDIR)
    return bare

def rename(old, new):
    # os has no rename that does not overwrite.
    if libc.renameat2(-100, old, -100, new, 1) != 0:
        fail(ctypes.get_errno())

def link_followed(source, name):
    # Without a descriptor os.link does not follow, whatever it is told.
    os.link(source, name, src_dir_fd=trees[1], follow_symlinks=True)

def lchmod(path, mode):
    # This os has it on no Linux: the kernel says ENOTSUP of links.
    path = without_slash(path)
    if stat.S_ISLNK(os.lstat(path).st_mode):
        fail(errno.ENOTSUP)
    os.chmod(path, mode)

def chown(path, uid, gid, follow):
    os.chown(path if follow else without_slash(path), uid, gid, follow_symlinks=follow)

def utime(path, atime, mtime, follow):
    if not follow:
        path = without_slash(path)
    os.utime(path, ns=(atime, mtime), follow_symlinks=follow)
    ours, theirs = (os.stat(path, dir_fd=tree, follow_symlinks=follow) for tree in trees)
    times = [(s.st_atime_ns, s.st_mtime_ns) for s in (ours, theirs)]
    return b'done' if times[0] == times[1] else repr(times).encode()

def mknod(path, mode):
    os.mknod(path, mode)

def fields(s):
    return b' '.join([words[stat.S_IFMT(s.st_mode)]] + [b'%d' % value for value in (
        s.st_mode, s.st_ino, s.st_dev, s.st_nlink, s.st_uid, s.st_gid, s.st_size, s.st_blocks,
        s.st_rdev, s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns)])

def scandir(path):
    # os.scandir takes an empty path for '.', and os.listdir does too.
    if not path:
        fail(errno.ENOENT)
    found = []
    for entry in os.scandir(path):
        mode = entry.stat(follow_symlinks=False).st_mode if os.access(path, os.X_OK) else 0
        kind = words[stat.S_IFMT(mode)] if mode else (
            b'link' if entry.is_symlink() else b'dir' if entry.is_dir() else b'')
        found.append(entry.name + b' ' + kind)
    return found

def same_entries(ours, theirs):
    # A directory that cannot be searched tells Python some types only.
    ours = sorted(ours.split(b'\0')[:-1])
    return len(ours) == len(theirs) and all(
        a == b or b.endswith(b' ') and a.startswith(b) for a, b in zip(ours, sorted(theirs)))

changes = {
    b'mkdir': lambda p, m: os.mkdir(p, int(m, 8)),
    b'makedirs': lambda p, m, e: os.makedirs(p, int(m, 8), exist_ok=e == b'1'),
    b'rmdir': os.rmdir,
    b'removedirs': os.removedirs,
    b'unlink': os.unlink,
    b'symlink': os.symlink,
    b'link': lambda a, b: os.link(a, b, follow_symlinks=False),
    b'link --follow': link_followed,
    b'rename': rename,
    b'replace': os.replace,
    b'truncate': lambda p, n: os.truncate(p, int(n)),
    b'utime': lambda p, a, m: utime(p, int(a), int(m), True),
    b'utime --no-follow': lambda p, a, m: utime(p, int(a), int(m), False),
    b'mkfifo': lambda p, m: os.mkfifo(p, int(m, 8)),
    b'mknod': lambda p, m: os.mknod(p, stat.S_IFREG | int(m, 8)),
    b'chmod': lambda p, m: os.chmod(p, int(m, 8)),
    b'lchmod': lambda p, m: lchmod(p, int(m, 8)),
    b'chown': lambda p, u, g: chown(p, int(u), int(g), True),
    b'lchown': lambda p, u, g: chown(p, int(u), int(g), False),
}
looks = {
    b'stat': lambda p: fields(os.stat(p)) + b'\n',
    b'lstat': lambda p: fields(os.lstat(p)) + b'\n',
    b'readlink': lambda p: os.readlink(p) + b'\0',
    b'scandir': scandir,
    b'access': lambda p, m: b'yes' if os.access(p, int(m)) else b'no',
    b'access --effective':
        lambda p, m: b'yes' if os.access(p, int(m), effective_ids=True) else b'no',
}

def content(path, mode, size):
    if stat.S_ISLNK(mode):
        return os.readlink(path)
    if stat.S_ISREG(mode) and size < 1 << 16:
        with open(path, 'rb') as file:
            return file.read()

def seen(do, *arguments):
    try:
        return do(*arguments)
    except OSError as error:
        return errors[error.errno]

def picture(top):
    found, inodes, todo = [], {}, [b'']
    while todo:
        path = todo.pop()
        names = seen(os.listdir, top + path)
        if isinstance(names, str):
            found.append((path, names))
            continue
        for name in sorted(names):
            inside = path + b'/' + name
            s = seen(os.lstat, top + inside)
            if isinstance(s, str):
                found.append((inside, s))
                continue
            is_dir = stat.S_ISDIR(s.st_mode)
            if is_dir:
                todo.append(inside)
            found.append((inside, oct(s.st_mode), s.st_nlink, s.st_uid, s.st_gid, s.st_rdev,
                          inodes.setdefault(s.st_ino, len(inodes)), 0 if is_dir else s.st_size,
                          seen(content, top + inside, s.st_mode, s.st_size)))
    return found

# The way to the trees, which who is not root could close for himself.
way = []
for path in tops:
    way.append(os.open(path, os.O_RDONLY))
    for part in os.fsencode(sys.argv[3]).split(b'/'):
        path += b'/' + part
        way.append(os.open(path, os.O_RDONLY))

def open_way():
    for directory in way:
        if os.fstat(directory).st_mode & 0o700 != 0o700:
            os.fchmod(directory, 0o777)

# What both trees begin with.
for tree in trees:
    os.fchdir(tree)
    os.makedirs(b'a/b/c')
    os.makedirs(b'b/a')
    for name, text in (b'c', b'content'), (b'a/c', b'x'), (b'b/a/d', b''), (b'bad\xff', b'y'):
        with open(name, 'wb') as file:
            file.write(text)
    for target, name in ((b'a', b'd'), (b'c', b'a/d'), (b'nosuch', b'b/b'), (b'loop', b'loop'),
                         (b'..', b'a/b/d'), (b'b/b', b'new\nline')):
        os.symlink(target, name)
    os.mkfifo(b'b/c')
    os.link(b'c', b'b/bad\xff')

print('ready', flush=True)
for line in sys.stdin:
    # Hexadecimal, with a letter before it so that nothing is something.
    name, ours, *arguments = (bytes.fromhex(word[1:]) for word in line.split())
    os.fchdir(trees[0 if name in looks else 1])
    try:
        theirs = (looks.get(name) or changes[name])(*arguments) or (
            b'done' if name in changes else b'')
    except OSError as error:
        theirs = errors[error.errno].encode()
    if isinstance(theirs, list) or name == b'scandir' and theirs == b'':
        agree = same_entries(ours, theirs or [])
    else:
        agree = ours == theirs
    pictures = [picture(top) for top in tops]
    open_way()
    if not agree:
        print('osbox:', ours, 'os:', theirs, flush=True)
    elif pictures[0] != pictures[1]:
        print('only in the tree of osbox:', [x for x in pictures[0] if x not in pictures[1]],
              'only in that of os:', [x for x in pictures[1] if x not in pictures[0]], flush=True)
    else:
        print('same', flush=True)
)";

/// The twin, as a process that is asked and answers.
class Twin {
 public:
  explicit Twin(const Words& arguments) {
    std::array<int, 2> in;
    std::array<int, 2> out;
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) ::_exit(125);
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      std::vector<char*> words;
      Words all = {"python3", "-c", twin};
      all.insert(all.end(), arguments.begin(), arguments.end());
      for (std::string& word : all) words.push_back(word.data());
      words.push_back(nullptr);
      ::execvp(words[0], words.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    to_ = in[1];
    from_ = out[0];
  }
  Twin(const Twin&) = delete;
  Twin& operator=(const Twin&) = delete;
  ~Twin() {
    ::close(to_);
    ::close(from_);
    ::waitpid(process_, nullptr, 0);
  }

  /// Its next line, or what came of one before it ended.
  std::string answer() {
    std::string line;
    for (char byte = 0; ::read(from_, &byte, 1) == 1 && byte != '\n';) line += byte;
    return line;
  }
  std::string ask(const Words& words) {
    constexpr char digits[] = "0123456789abcdef";
    std::string line;
    for (const std::string& word : words) {
      line += 'x';
      for (const char byte : word) {
        line += digits[static_cast<unsigned char>(byte) >> 4];
        line += digits[static_cast<unsigned char>(byte) & 15];
      }
      line += ' ';
    }
    line += '\n';
    if (::write(to_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) return "gone";
    return answer();
  }

 private:
  pid_t process_;
  int to_;
  int from_;
};

/// One operation: the words of osbox, and the name and the arguments that the twin knows it by.
struct Operation {
  Words words;
  Words call;
  enum class Kind { change, look, question } kind = Kind::change;
};

/// Makes operations up, the same for a seed.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}

  unsigned below(unsigned most) { return static_cast<unsigned>(engine_() % most); }
  bool once_in(unsigned times) { return below(times) == 0; }

  Operation operation(bool may_chown) {
    const std::string path = this->path();
    switch (below(may_chown ? 31 : 29)) {
      case 0:
      case 1: {
        const std::string mode = octal(01777);
        const std::string fresh = new_path();
        return {{"mkdir", "-m", mode, "--", fresh}, {"mkdir", fresh, mode}};
      }
      case 2:
      case 3: {
        const bool exist_ok = once_in(2);
        // With a dot behind it os.makedirs gives a directory no mode, and takes a dangling link for
        // one.
        const bool dot = path.ends_with("/.") || path.ends_with("/./");
        const std::string directory = dot ? path + "/" + name() : path;
        const std::string mode = once_in(2) ? "777" : octal(01777);
        Words words = {"makedirs", "-m", mode, "--", directory};
        if (exist_ok) words.insert(words.begin() + 1, "--exist-ok");
        return {words, {"makedirs", directory, mode, exist_ok ? "1" : "0"}};
      }
      case 4:
        return {{"rmdir", "--", path}, {"rmdir", path}};
      case 5:
        return {{"removedirs", "--", path}, {"removedirs", path}};
      case 6:
        return {{once_in(2) ? "unlink" : "remove", "--", path}, {"unlink", path}};
      case 7:
      case 8:
      case 9: {
        const std::string target = this->path();
        const std::string link = new_path();
        return {{"symlink", "--", target, link}, {"symlink", target, link}};
      }
      case 10:
      case 11: {
        const std::string name = new_path();
        if (once_in(2)) return {{"link", "--", path, name}, {"link", path, name}};
        return {{"link", "--follow", "--", path, name}, {"link --follow", path, name}};
      }
      case 12:
      case 13: {
        const std::string fresh = new_path();
        return {{"rename", "--", path, fresh}, {"rename", path, fresh}};
      }
      case 14:
      case 15: {
        const std::string fresh = new_path();
        return {{"replace", "--", path, fresh}, {"replace", path, fresh}};
      }
      case 16:
      case 17: {
        static constexpr std::uint64_t sizes[] = {0, 1, 5, 4096, 65535, 100'000, 1ULL << 40};
        const std::string size = std::to_string(sizes[below(std::size(sizes))]);
        return {{"truncate", "--", size, path}, {"truncate", path, size}};
      }
      case 18:
      case 19: {
        const bool follow = once_in(2);
        const Words atime = time();
        const Words mtime = time();
        Words words = {"utime", "--atime", atime[0], "--mtime", mtime[0], "--", path};
        if (!follow) words.insert(words.begin() + 1, "--no-follow");
        return {words, {follow ? "utime" : "utime --no-follow", path, atime[1], mtime[1]}};
      }
      case 20: {
        const std::string mode = octal(0777);
        const std::string fresh = new_path();
        return {{"mkfifo", "-m", mode, "--", fresh}, {"mkfifo", fresh, mode}};
      }
      case 21:
      case 22: {
        const std::string mode = octal(07777);
        const std::string fresh = new_path();
        return {{"mknod", "--type", "file", "-m", mode, "--", fresh}, {"mknod", fresh, mode}};
      }
      case 23:
      case 24: {
        // Mostly such that something can still be done afterwards.
        const std::string mode = once_in(3) ? octal(07777) : "755";
        if (once_in(2)) return {{"chmod", "--", mode, path}, {"chmod", path, mode}};
        return {{"chmod", "--no-follow", "--", mode, path}, {"lchmod", path, mode}};
      }
      case 25:
        return {{"readlink", "-0", "--", path}, {"readlink", path}, Operation::Kind::look};
      case 26:
        return {{"scandir", "-0", "--format", "{name} {type}", "--", path},
                {"scandir", path},
                Operation::Kind::look};
      case 27: {
        const std::string applet = once_in(2) ? "stat" : "lstat";
        return {{applet, "--format",
                 "{type} {mode} {ino} {dev} {nlink} {uid} {gid} {size} {blocks} {rdev} {atime_ns} "
                 "{mtime_ns} {ctime_ns}",
                 "--", path},
                {applet, path},
                Operation::Kind::look};
      }
      case 28: {
        const unsigned mode = below(8);
        std::string flags = "-f";
        if ((mode & R_OK) != 0) flags += 'r';
        if ((mode & W_OK) != 0) flags += 'w';
        if ((mode & X_OK) != 0) flags += 'x';
        if (once_in(2)) {
          return {{"access", "--effective", flags, "--", path},
                  {"access --effective", path, std::to_string(mode)},
                  Operation::Kind::question};
        }
        return {{"access", flags, "--", path},
                {"access", path, std::to_string(mode)},
                Operation::Kind::question};
      }
      default: {
        static const std::string ids[] = {"0", "1", "65534", "-1"};
        const std::string user = ids[below(4)];
        const std::string group = ids[below(user == "-1" ? 3 : 4)];
        const std::string owner = (user == "-1" ? "" : user) + (group == "-1" ? "" : ":" + group);
        if (once_in(2)) return {{"chown", "--", owner, path}, {"chown", path, user, group}};
        return {{"chown", "--no-follow", "--", owner, path}, {"lchown", path, user, group}};
      }
    }
  }

 private:
  std::string name() {
    static const Words plain = {"a", "b", "c", "d"};
    static const Words odd = {"bad\xff",
                              "new\nline",
                              "-dash",
                              ".dot",
                              "...",
                              " ",
                              "loop",
                              "root",
                              "sticky",
                              "\x1b[31m",
                              "*",
                              std::string(255, 'n'),
                              std::string(254, 'm') + "\xfe"};
    return once_in(3) ? odd[below(static_cast<unsigned>(odd.size()))] : plain[below(4)];
  }

  /// What is there below the current directory, if anything.
  std::string existing() {
    namespace fs = std::filesystem;
    Words found;
    std::error_code error;
    constexpr auto options = fs::directory_options::skip_permission_denied;
    for (auto entry = fs::recursive_directory_iterator(".", options, error);
         !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      found.push_back(entry->path().native().substr(2));
    }
    if (found.empty()) return name();
    std::ranges::sort(found);
    return found[below(static_cast<unsigned>(found.size()))];
  }

  /// More often than not one that is still free.
  std::string new_path() {
    if (once_in(3)) return path();
    return once_in(2) ? name() : existing() + "/" + name();
  }

  /// Never an absolute one: this may be root.
  std::string path() {
    if (once_in(2)) {
      std::string path = existing();
      if (once_in(4)) path += "/" + name();
      if (once_in(20)) path += "/";
      return path;
    }
    static const Words special = {"", ".", "..", "./", "../", "./..", "a/../..", "nosuch/.."};
    if (once_in(25)) return special[below(static_cast<unsigned>(special.size()))];
    if (once_in(100)) return std::string(256, 'n');
    std::string path = once_in(30) ? "../" : once_in(30) ? "./" : "";
    for (unsigned more = below(10) < 5 ? 0 : 1 + below(2); more != 0; --more) {
      path += once_in(15) ? ".." : name();
      path += once_in(15) ? "//" : once_in(20) ? "/./" : "/";
    }
    path += name();
    if (once_in(12)) path += once_in(4) ? "//" : "/";
    if (once_in(40)) path += "/.";
    if (once_in(40)) path += "/..";
    return path;
  }

  std::string octal(unsigned most) {
    std::string text;
    for (unsigned rest = below(most + 1); rest != 0 || text.empty(); rest >>= 3) {
      text.insert(text.begin(), static_cast<char>('0' + (rest & 7)));
    }
    return text;
  }

  /// A time as osbox takes it, and as Python does: any, before 1970 too.
  Words time() {
    const auto seconds = static_cast<std::int64_t>(engine_() >> 31) - (std::int64_t{1} << 32);
    const std::string nanoseconds = std::to_string(1'000'000'000 + below(1'000'000'000)).substr(1);
    const std::string sign = seconds < 0 ? "-" : "";
    const std::string magnitude = std::to_string(seconds < 0 ? -seconds : seconds);
    return {sign + magnitude + "." + nanoseconds, sign + magnitude + nanoseconds};
  }

  std::mt19937_64 engine_;
};

/// How an operation of osbox ended, in the words of the twin.
std::string ending(const Operation& operation, const Ran& ran) {
  if (operation.kind == Operation::Kind::question) return ran.status == 0 ? "yes" : "no";
  if (ran.status == 0) return operation.kind == Operation::Kind::look ? ran.out : "done";
  const std::string name(core::error_name(ran.status));
  // 2 is ENOENT, and wrong usage.
  return ran.err.find(name) != std::string::npos ? name : ran.err;
}

/// Runs `count` operations of `seed` in the trees below `scratch`: nothing, or what differs first,
/// and what led there.
std::string differences(const Scratch& scratch, const std::string& inner, unsigned seed,
                        unsigned count) {
  constexpr mode_t masks[] = {022, 0, 077, 027, 002};
  ::umask(masks[seed % std::size(masks)]);
  const std::string ours = scratch / "ours";
  if (::chdir((ours + "/" + inner).c_str()) != 0) return "chdir";
  Twin python({ours, scratch / "theirs", inner});
  if (python.answer() != "ready") return "no twin";
  Random random(seed);
  std::string log;
  for (unsigned i = 0; i < count; ++i) {
    Operation operation = random.operation(tests::is_root());
    Words& words = operation.words;
    if (operation.kind != Operation::Kind::question) {
      words.insert(words.begin() + 1, "--exit-errno");
    }
    // A record is made by other calls than none.
    if (operation.kind == Operation::Kind::change && random.once_in(2)) {
      words.insert(words.begin() + 1, random.once_in(2) ? "--json" : "-v");
    }
    // Without renameat2 no directory is renamed.
    if (words[0] == "rename" && !tests::newer_calls()) continue;
    log += "osbox";
    for (const std::string& word : words) log += " " + out::quoted(word);
    log += "\n";
    Words question = operation.call;
    question.insert(question.begin() + 1, ending(operation, osbox(words)));
    const std::string answer = python.ask(question);
    if (answer != "same") return "seed " + std::to_string(seed) + "\n" + log + answer;
  }
  return "";
}

void check(unsigned first_seed, unsigned seeds, unsigned count, bool as_nobody) {
  for (unsigned seed = first_seed; seed < first_seed + seeds; ++seed) {
    const Scratch scratch;
    // Deep enough that no number of ".." leads out of what is compared.
    std::string inner = "1";
    for (const std::string top : {"ours", "theirs"}) {
      scratch.directory(top);
      inner = "1";
      for (int level = 2; level < 14; ++level) {
        scratch.directory(top + "/" + inner);
        inner += "/" + std::to_string(level);
      }
      const std::string tree = top + "/" + inner;
      scratch.directory(tree, 0777);
      scratch.directory(tree + "/root");
      scratch.file(tree + "/root/a", "of root", 0666);
      scratch.directory(tree + "/sticky", 01777);
      scratch.file(tree + "/sticky/b", "of root", 0644);
    }
    const std::string found =
        tests::in_child([&] { return differences(scratch, inner, seed, count); }, {}, as_nobody);
    CAPTURE(as_nobody);
    CHECK(found == "");
  }
}

}  // namespace

TEST_CASE("a thousand operations end as those of Python's os, and leave the same tree") {
  check(1, tests::is_long() ? 40 : 5, 250, false);
}

TEST_CASE("a thousand operations by nobody end as those of Python's os") {
  check(101, tests::is_long() ? 40 : 5, 250, true);
}
