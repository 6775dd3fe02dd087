// Does the same thing twice, with osbox and with Python's os module, in two trees that are the
// same.
#pragma once

#include "tests/harness.hpp"

namespace tests {

/// A call of Python's os module and the osbox command that stands for it. Both are Python: an
/// expression of the call, where every name of os is known, and one of the list of words.
struct Twin {
  std::string call;
  std::string words;
};

/// What differs, a line each: the errno, or what is there afterwards. Every pair meets two
/// trees as they were made, and `umask`. With `as_nobody` both are nobody, who owns the tree.
inline std::string differences(const std::vector<Twin>& twins, const std::string& umask = "0o022",
                               bool as_nobody = false) {
  const Scratch scratch;
  scratch.directory("trees", 0777);
  Command command{.words = {"python3", "-c", R"(
import errno, os, re, subprocess, sys
from os import *
import stat

def tree():
    for name in 'd d/sub e e/e e/e/e ro ro/e closed full full/x sg empty'.split():
        os.mkdir(name)
    for name in 'f', 'd/f', 'full/f':
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
    for target, name in (('d', 'ld'), ('e', 'le'), ('f', 'lf'), ('nowhere', 'dangling'),
                         ('loop', 'loop'), ('../ld', 'd/out'), ('empty', 'lempty')):
        os.symlink(target, name)
    os.mkfifo('fifo')
    os.chmod('sg', 0o2775)
    os.chmod('ro', 0o555)
    os.chmod('closed', 0)

def picture():
    found = []
    for top, dirs, files in os.walk('.'):
        for name in dirs + files:
            path = os.path.join(top, name)
            s = os.lstat(path)
            found.append((path, oct(s.st_mode), s.st_gid, s.st_rdev, s.st_nlink))
    return sorted(found)

class Tree:
    """One that is made anew when something was changed."""
    def __init__(self, name):
        self.name, self.count = name, 0
        self.make()

    def make(self):
        self.path = os.path.abspath(f'{self.name}{self.count}')
        self.count += 1
        os.umask(0o022)
        os.mkdir(self.path)
        os.chdir(self.path)
        tree()
        self.fresh = picture()
        os.chdir('..')

    def after(self, do):
        os.chdir(self.path)
        os.umask(UMASK)
        answer, now = do(), picture()
        os.chdir('..')
        if now != self.fresh:
            self.make()
        return answer, now

def theirs():
    try:
        eval(call)
    except OSError as error:
        return errno.errorcode[error.errno]
    return 'done'

def ours():
    ran = subprocess.run([OSBOX] + eval(words), capture_output=True)
    if ran.returncode == 0 and not ran.stdout + ran.stderr:
        return 'done'
    return re.search(rb'.*: (E[A-Z0-9]+): ', ran.stderr, re.S)[1].decode()

OSBOX, UMASK = sys.argv[1], int(sys.argv[2], 0)
their_tree, our_tree = Tree('theirs'), Tree('ours')
for call, words in zip(sys.argv[3::2], sys.argv[4::2]):
    a, b = their_tree.after(theirs), our_tree.after(ours)
    if a != b:
        print(call, a[0], b[0], sorted(set(a[1]) - set(b[1])), sorted(set(b[1]) - set(a[1])))
)",
                            binary(), umask},
                  .directory = scratch / "trees",
                  .as_nobody = as_nobody};
  for (const auto& [call, words] : twins) {
    command.words.push_back(call);
    command.words.push_back(words);
  }
  const Ran ran = run(command);
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  return ran.out;
}

}  // namespace tests
