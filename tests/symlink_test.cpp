#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/sys/fs.hpp"
#include "core/sys/stat.hpp"
#include "tests/harness.hpp"
#include "tests/sanitizer.hpp"

namespace {

std::string text_of(const std::string& link) { return core::readlink(link).value_or("?"); }

}  // namespace

TEST_CASE("symlink makes a link of any text, and says nothing") {
  const Scratch scratch;
  std::vector<std::string> texts = tests::hostile_names();
  texts.push_back(std::string(4095, 't'));
  texts.push_back("/no/such//../place/");
  for (const std::string& text : texts) {
    CAPTURE(text);
    const Ran ran = osbox({"symlink", "--", text, scratch / "link"});
    CHECK(ran.status == 0);
    CHECK(ran.out == "");
    CHECK(ran.err == "");
    CHECK(text_of(scratch / "link") == text);
    REQUIRE(::unlink((scratch / "link").c_str()) == 0);
  }
  const std::string longer(4096, 't');
  CHECK(osbox({"symlink", longer, scratch / "link"})
            .err.ends_with(": ENAMETOOLONG: File name too long\n"));
  CHECK(osbox({"symlink", "", scratch / "link"}).err ==
        "symlink: '' -> " + scratch / "link" + ": ENOENT: No such file or directory\n");
  for (const std::string& name : tests::hostile_names()) {
    CHECK(osbox({"symlink", "text", scratch / name}).status == 0);
    CHECK(text_of(scratch / name) == "text");
  }
}

TEST_CASE("symlink overwrites nothing, and makes nothing in a directory") {
  const Scratch scratch;
  for (const std::string& there :
       {scratch.link("old", "link"), scratch.file("file", "kept"), scratch.directory("dir"),
        scratch.link("dir", "dirlink"), scratch / "dir/"}) {
    const Ran ran = osbox({"symlink", "text", there});
    CHECK(ran.status == 1);
    const std::string said = "symlink: text -> " + there + ": EEXIST: File exists";
    std::string note;
    if (there.ends_with("/file")) note = " (TARGET comes first: it does not exist, and LINK does)";
    if (there.ends_with("/dir") || there.ends_with("/dir/")) {
      note = " (a directory is not gone into; the new name would be " + scratch / "dir/text)";
    }
    CHECK(ran.err == said + note + "\n");
  }
  CHECK(text_of(scratch / "link") == "old");
  CHECK(!core::lstat(scratch / "dir/text"));
  CHECK(osbox({"symlink", "text", scratch / "nosuch/"}).err ==
        "symlink: text -> " + scratch / "nosuch/" + ": ENOENT: No such file or directory\n");
  CHECK(osbox({"symlink", "--replace", "text", scratch / "nosuch/"}).status == 1);
  CHECK(!core::lstat(scratch / "nosuch"));
}

TEST_CASE("symlink says what may have been meant where LINK exists") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  scratch.directory("dir");
  scratch.file("dir/here");
  scratch.file("dir/taken");
  const auto note = [&](const std::string& words) {
    const Ran ran = tests::shell("cd \"$1\"; osbox symlink " + words, {scratch.path()});
    CHECK(ran.status == 1);
    const std::size_t at = ran.err.find(": File exists") + 13;
    return ran.err.substr(at, ran.err.size() - at - 1);
  };
  const std::string swapped = " (TARGET comes first: it does not exist, and LINK does)";
  CHECK(note("new file") == swapped);
  CHECK(note("file/new file") == swapped);
  CHECK(note("/nosuch dir/taken") == swapped);
  CHECK(note("--replace new file") == swapped);
  // It leads somewhere, from here or from the link.
  CHECK(note("file dir/taken") == "");
  CHECK(note("here dir/taken") == "");
  CHECK(note("../file dir/taken") == "");
  CHECK(note("--relative file dir/taken") == "");
  CHECK(note(file + " dir/taken") == "");
  const std::string into = " (a directory is not gone into";
  CHECK(note("/a/b dir") == into + "; the new name would be dir/b)");
  CHECK(note("b/ dir//") == into + "; the new name would be dir/b)");
  CHECK(note("b /") == into + "; the new name would be /b)");
  CHECK(note("'b c' .") == into + "; the new name would be './b c')");
  CHECK(note("/a/taken dir") == into + ")");
  CHECK(note("file .") == into + ")");
  CHECK(note(".. dir") == into + ")");
  CHECK(note("/ dir") == into + ")");
  CHECK(
      osbox({"symlink", "--json", "b", "/"})
          .err.ends_with("\"note\":\"a directory is not gone into; the new name would be /b\"}\n"));
}

TEST_CASE("symlink --replace swaps a link, and nothing else") {
  const Scratch scratch;
  const std::string link = scratch.link("old", "link");
  const Ran ran = osbox({"symlink", "--replace", "--json", "new", link});
  if (!tests::newer_calls()) {
    CHECK(ran.status == 1);
    CHECK(text_of(link) == "old");
    CHECK(osbox({"symlink", "--replace", "new", link}).err ==
          "symlink: new -> " + link +
              ": rename: EOPNOTSUPP: Operation not supported (make it "
              "under another name, and use 'replace')\n");
    return;
  }
  CHECK(ran.out == "{\"path\":\"" + link + "\",\"target\":\"new\",\"replaced\":\"old\"}\n");
  CHECK(text_of(link) == "new");
  CHECK(osbox({"symlink", "--replace", "-v", "first", scratch / "fresh"}).out ==
        "made " + scratch / "fresh" + " -> first\n");
  CHECK(osbox({"symlink", "--replace", "--json", "first", scratch / "fresh2"})
            .out.ends_with("\"replaced\":null}\n"));
  scratch.file("dir-content");
  for (const std::string& there : {scratch.file("file", "kept"), scratch.directory("dir")}) {
    const Ran refused = osbox({"symlink", "--replace", "text", there});
    CHECK(refused.status == 1);
    CHECK(refused.err.starts_with("symlink: text -> " + there + ": EEXIST: File exists ("));
    CHECK(core::lstat(there)->type != core::Type::link);
  }
  // Of links to directories too it is the link that counts.
  CHECK(osbox({"symlink", "--replace", "other", scratch.link("dir", "dirlink")}).status == 0);
  CHECK(text_of(scratch / "dirlink") == "other");
  CHECK(tests::shell("ls -A \"$1\" | grep -c '^.osbox'", {scratch.path()}).out == "0\n");
}

TEST_CASE("symlink --replace leaves no moment without the link") {
  if (!tests::newer_calls()) return;
  const Scratch scratch;
  scratch.link("0", "link");
  const std::string times = tests::is_long() ? "200" : "60";
  const Ran ran = tests::run(
      {.words = {"python3", "-c",
                 "import os, subprocess, sys\n"
                 "p = subprocess.Popen(['sh', '-c', 'for i in $(seq $1); do \"$0\" symlink "
                 "--replace $i link || exit; done', *sys.argv[1:]])\n"
                 "seen = set()\n"
                 "while p.poll() is None: seen.add(os.readlink('link'))\n"
                 "print(p.returncode, len(seen) > 1, os.readlink('link'), os.listdir())\n",
                 tests::binary(), times},
       .directory = scratch.path()});
  CHECK(ran.err == "");
  CHECK(ran.out == "0 True " + times + " ['link']\n");
}

TEST_CASE("symlink --relative is Python's relpath of the real paths, and ln -sr") {
  const Scratch scratch;
  scratch.directory("a");
  scratch.directory("a/b");
  scratch.directory("a/bc");
  scratch.file("a/b/file");
  scratch.link("a/b", "jump");
  scratch.link("b/file", "a/link");
  scratch.link("nowhere/x", "dangling");
  const std::vector<std::string> targets = {
      "a",        "a/b",      "a/bc",        ".",          "..",        "/",
      "a/b/file", "jump",     "new",         "jump/..",    "a/../a/",   "/etc",
      "a/link",   "dangling", "no/such/x",   "jump/file",  "a/b/../bc", "//tmp//",
      "/no",      "a/bx",     scratch / "a", "/etc/passwd"};
  const std::vector<std::string> links = {"1",      "a/1",       "a/b/1",
                                          "jump/1", "a/bc/../1", "./jump/../2"};
  std::string list;
  for (const std::string& target : targets) {
    for (const std::string& link : links) list += target + '\n' + link + '\n';
  }
  const auto theirs = tests::lines(
      tests::run(
          {.words =
               {"python3", "-c",
                "import os, subprocess, sys\n"
                "lines = sys.stdin.read().split('\\n')[:-1]\n"
                "for t, l in zip(lines[::2], lines[1::2]):\n"
                "  d = os.path.dirname(l) or '.'\n"
                "  r = os.path.relpath(os.path.realpath(t), os.path.realpath(d))\n"
                "  subprocess.run(['ln', '-sr', '--', t, l]); g = os.readlink(l); os.unlink(l)\n"
                "  print(r if r == g else (r, g))\n"},
           .input = list,
           .directory = scratch.path()})
          .out);
  const auto ours = tests::lines(tests::in_child([&] {
    if (::chdir(scratch.path().c_str()) != 0) return std::string("chdir");
    std::string texts;
    for (const std::string& target : targets) {
      for (const std::string& link : links) {
        texts += osbox({"symlink", "--relative", target, link}).err;
        texts += text_of(link) + "\n";
        ::unlink(link.c_str());
      }
    }
    return texts;
  }));
  REQUIRE(theirs.size() == targets.size() * links.size());
  REQUIRE(ours.size() == theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    CAPTURE(targets[i / links.size()]);
    CAPTURE(links[i % links.size()]);
    CHECK(ours[i] == theirs[i]);
  }
  CHECK(osbox({"symlink", "--relative", "/x", scratch / "nosuch/l"}).err ==
        "symlink: /x -> " + scratch / "nosuch/l" +
            ": realpath: ENOENT: No such file or directory\n");
}

TEST_CASE("symlink takes pairs, and keeps to --beneath") {
  const Scratch scratch;
  const std::string list =
      scratch.file("list", "one" + std::string(1, '\0') + (scratch / "1") + '\0' + "two" + '\0' +
                               (scratch / "1") + '\0' + "three" + '\0' + (scratch / "3") + '\0');
  const Ran ran = osbox({"symlink", "--files0-from", list, "-v"});
  CHECK(ran.status == 1);
  CHECK(ran.out == "made " + scratch / "1" + " -> one\nmade " + scratch / "3" + " -> three\n");
  CHECK(ran.err == "symlink: two -> " + scratch / "1" + ": EEXIST: File exists\n");
  if (!tests::newer_calls()) return;
  const std::string in = scratch.directory("in");
  scratch.directory("in/d");
  scratch.link("..", "in/up");
  CHECK(osbox({"symlink", "--beneath", in, "/etc", "link"}).status == 0);
  CHECK(text_of(in + "/link") == "/etc");
  CHECK(osbox({"symlink", "--beneath", in, "t", "up/x"}).err ==
        "symlink: t -> up/x: EXDEV: Invalid cross-device link\n");
  CHECK(osbox({"symlink", "--relative", "--beneath", in, "new", "d/l"}).status == 0);
  CHECK(text_of(in + "/d/l") == "../new");
  CHECK(osbox({"symlink", "--relative", "--beneath", in, "../list", "d/m"}).err ==
        "symlink: ../list -> d/m: realpath: EXDEV: Invalid cross-device link\n");
}

TEST_CASE("symlink --replace does not try for ever, and tells what it leaves") {
  const Scratch scratch;
  const std::string link = scratch.link("old", "link");
  const auto said = [&](const std::vector<tests::Denied>& denied) {
    return tests::run(
               {.words = {"timeout", "20", tests::binary(), "symlink", "--replace", "new", link},
                .denied = denied})
        .err;
  };
  // As a cache that is stale: the name is there, and is not.
  if (!tests::disturbed_by_sanitizer())
    CHECK(said({{SYS_readlinkat, ENOENT}}) ==
          "symlink: new -> " + link + ": EEXIST: File exists\n");
  const std::string left = said({{SYS_renameat2, ENOSYS}, {SYS_unlinkat, EIO}});
  CHECK(left.starts_with("symlink: new -> " + link + ": "));
  CHECK(left.find(": EOPNOTSUPP: ") != left.npos);
  const auto at = left.find("(left behind is " + scratch / ".osbox-");
  REQUIRE(at != left.npos);
  const auto path = left.substr(at + 16, left.find(')', at) - at - 16);
  CHECK(core::readlink(path).value() == "new");
  CHECK(core::readlink(link).value() == "old");
}

TEST_CASE("symlink --json names link and text alike, done or failed, whichever call it was") {
  const Scratch scratch;
  const std::string file = scratch.file("file");
  const std::string names = "\"path\":\"" + file + "\",\"target\":\"text\",";
  CHECK(osbox({"symlink", "--json", "text", scratch / "link"})
            .out.find("\"path\":\"" + scratch / "link" + "\",\"target\":\"text\"") !=
        std::string::npos);
  CHECK(osbox({"symlink", "--json", "text", file}).err.find(names) != std::string::npos);
  CHECK(osbox({"symlink", "--json", "--replace", "text", file}).err.find(names) !=
        std::string::npos);
  const Ran relative =
      osbox({"symlink", "--json", "--relative", scratch / "text", scratch / "no/new"});
  CHECK(relative.err.find("\"call\":\"realpath\",\"path\":\"" + scratch / "no/new" +
                          "\",\"target\":\"" + scratch / "text" + "\"") != std::string::npos);
}
