// Under fakeroot(1), which stands between a program and the C library: what it pretends is changed
// and seen, by osbox as by anybody else.
#include "tests/harness.hpp"

namespace {

/// What `script` prints under fakeroot as a user who is not root, in a directory of its own.
Ran pretending(const std::string& script) {
  const Scratch scratch;
  const std::string place = scratch.directory("place", 0777);
  const std::string path = tests::binary();
  return tests::run({.words = {"fakeroot", "sh", "-c", script},
                     .environment = {"PATH=" + path.substr(0, path.rfind('/')) + ":/usr/bin:/bin"},
                     .directory = place,
                     .as_nobody = true});
}

/// True where the C library stands in front of the kernel, and not inside of osbox.
bool can_pretend() {
  if (std::getenv("ODD_FILE_SYSTEM") != nullptr) return true;
  MESSAGE("not tested: a wholly static osbox cannot be lied to");
  return false;
}

}  // namespace

TEST_CASE("owners, modes and devices that fakeroot pretends are changed and seen") {
  if (!can_pretend()) return;
  const Ran ran = pretending(R"(
    mkdir -p d/e; touch d/e/file; ln -s nowhere d/link
    osbox chown -R 12:34 d && osbox lchown 56:78 d/link && osbox chown 1:2 d/e/file
    osbox chmod -R go= d && osbox chmod 4750 d/e/file
    osbox mknod --type char --device 1:3 null
    osbox walk --format '{uid}:{gid} {mode:o} {path}' d
    osbox stat --format '{type} {uid}' null
    osbox replace --copy d/e/file copy
    stat -c '%u:%g %f %n' d d/e d/link copy; stat -c '%F %t:%T' null)");
  CHECK(ran.err == "");
  CHECK(ran.out ==
        "12:34 40700 d\n12:34 40700 d/e\n1:2 104750 d/e/file\n56:78 120777 d/link\n"
        "char 0\n"
        "12:34 41c0 d\n12:34 41c0 d/e\n56:78 a1ff d/link\n1:2 89e8 copy\n"
        "character special file 1:3\n");
}

TEST_CASE("ids that fakeroot pretends are told, and nobody takes them for a drop of privileges") {
  if (!can_pretend()) return;
  const Ran ran = pretending("osbox getuid; osbox geteuid; osbox getgid; osbox setuid 5 echo ran");
  CHECK(ran.out == "0\n0\n0\n");
  CHECK(ran.err ==
        "setuid: 5: EPERM: Operation not permitted (root's rights could be had again)\n");
}
