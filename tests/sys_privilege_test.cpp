#include "core/sys/privilege.hpp"

#include <grp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "tests/harness.hpp"

namespace {

/// What set_ids says of `ids`, and then what the kernel says: "ok | Uid: r e s f | Gid: ... |
/// Groups: ...". Runs in a child.
std::string set_and_look(const core::Ids& ids) {
  std::string said = "ok";
  if (const core::StepFailure failure = core::set_ids(ids)) {
    said = std::string(failure.call) + " " + std::string(core::error_name(failure.number));
    if (failure.path != nullptr) said.append(" ").append(failure.path);
    if (failure.note != nullptr) said.append(" (").append(failure.note).append(")");
  }
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("Uid:") && !line.starts_with("Gid:") && !line.starts_with("Groups:")) {
      continue;
    }
    std::ranges::replace(line, '\t', ' ');
    while (line.ends_with(' ')) line.pop_back();
    said += " | " + line;
  }
  return said;
}

std::string after(const core::Ids& ids, const std::vector<tests::Denied>& denied = {}) {
  return tests::in_child([&] { return set_and_look(ids); }, denied);
}

std::string as_nobody(const core::Ids& ids) {
  return tests::in_child([&] { return set_and_look(ids); }, {}, true);
}

/// Who the tests run as, as far as nobody changes it.
std::string now() { return after({}).substr(2); }

bool only_root_can() {
  if (tests::is_root()) return false;
  MESSAGE("not tested: only root can take on other ids");
  return true;
}

}  // namespace

TEST_CASE("nothing asked for is nothing done") {
  CHECK(core::Ids().empty());
  CHECK(!core::Ids{.euid = 1}.empty());
  CHECK(after({}).starts_with("ok | Uid: "));
}

TEST_CASE("a user, a group and the groups are all set, for good") {
  if (only_root_can()) return;
  CHECK(after({.groups = std::vector<gid_t>{54321, 3, 5}, .gid = 502, .uid = 501}) ==
        "ok | Uid: 501 501 501 501 | Gid: 502 502 502 502 | Groups: 3 5 54321");
  CHECK(after({.groups = std::vector<gid_t>{}, .gid = 502, .uid = 501}) ==
        "ok | Uid: 501 501 501 501 | Gid: 502 502 502 502 | Groups:");
}

TEST_CASE("what is not said stays as it is") {
  if (only_root_can()) return;
  const std::string before =
      tests::in_child([] { return ::setgroups(0, nullptr) == 0 ? set_and_look({}) : ""; });
  CHECK(before == "ok | Uid: 0 0 0 0 | Gid: 0 0 0 0 | Groups:");
  const auto from_there = [](const core::Ids& ids) {
    return tests::in_child([&] { return ::setgroups(0, nullptr) == 0 ? set_and_look(ids) : ""; });
  };
  CHECK(from_there({.groups = std::vector<gid_t>{7}}) ==
        "ok | Uid: 0 0 0 0 | Gid: 0 0 0 0 | Groups: 7");
  CHECK(from_there({.gid = 502}) == "ok | Uid: 0 0 0 0 | Gid: 502 502 502 502 | Groups:");
  CHECK(from_there({.egid = 502}) == "ok | Uid: 0 0 0 0 | Gid: 0 502 0 502 | Groups:");
  CHECK(from_there({.uid = 502}) == "ok | Uid: 502 502 502 502 | Gid: 0 0 0 0 | Groups:");
  CHECK(from_there({.euid = 502}) == "ok | Uid: 0 502 0 502 | Gid: 0 0 0 0 | Groups:");
  CHECK(from_there({.gid = 501, .egid = 502, .euid = 503}) ==
        "ok | Uid: 0 503 0 503 | Gid: 501 502 501 502 | Groups:");
  CHECK(from_there({.gid = 0, .uid = 0}) == "ok | Uid: 0 0 0 0 | Gid: 0 0 0 0 | Groups:");
}

TEST_CASE("groups count as a set, any number of them") {
  if (only_root_can()) return;
  CHECK(after({.groups = std::vector<gid_t>{5, 3, 5, 3, 5}}).ends_with("| Groups: 3 3 5 5 5"));
  std::vector<gid_t> many(65536);
  std::iota(many.rbegin(), many.rend(), 100000);
  CHECK(after({.groups = many}).starts_with("ok | "));
  many.push_back(1);
  CHECK(after({.groups = many}).starts_with("setgroups EINVAL | "));
}

TEST_CASE("other groups than the asked ones are noticed") {
  if (only_root_can()) return;
  const auto has = [](const std::vector<gid_t>& real, const std::vector<gid_t>& asked) {
    return tests::in_child([&] {
             if (::setgroups(real.size(), real.data()) != 0) return "failed";
             return core::GroupSet(asked).in_force().value() ? "yes" : "no";
           }) == "yes";
  };
  CHECK(has({}, {}));
  CHECK(has({3, 5}, {5, 3}));
  CHECK(has({3, 5}, {5, 3, 3}));
  CHECK_FALSE(has({3}, {}));
  CHECK_FALSE(has({}, {3}));
  CHECK_FALSE(has({3, 5, 7}, {3, 5}));
  CHECK_FALSE(has({3, 5}, {3, 5, 7}));
  CHECK_FALSE(has({3, 6}, {3, 5}));
  CHECK_FALSE(has({3, 3}, {3, 5}));
}

TEST_CASE("the own ids can be taken without privileges, and no others") {
  const std::string nobody =
      tests::is_root() ? " | Uid: 65534 65534 65534 65534 | Gid: 65534 65534 65534 65534 | Groups:"
                       : now();
  const auto ids = tests::lines(tests::in_child(
      [] { return std::to_string(::getuid()) + "\n" + std::to_string(::getgid()); }, {}, true));
  REQUIRE(ids.size() == 2);
  const auto uid = static_cast<uid_t>(std::stoul(ids[0]));
  const auto gid = static_cast<gid_t>(std::stoul(ids[1]));
  CHECK(as_nobody({.gid = gid, .egid = gid, .uid = uid, .euid = uid}) == "ok" + nobody);
  CHECK(as_nobody({.gid = 0}) == "setgid EPERM" + nobody);
  CHECK(as_nobody({.egid = 0}) == "setegid EPERM" + nobody);
  CHECK(as_nobody({.uid = 0}) == "setuid EPERM" + nobody);
  CHECK(as_nobody({.euid = 0}) == "seteuid EPERM" + nobody);
  // Even the groups that it has; before any id is touched.
  CHECK(as_nobody({.groups = std::vector<gid_t>{}, .gid = gid, .uid = uid}) ==
        "setgroups EPERM" + nobody);
}

TEST_CASE("a failure is told of the words that it came from") {
  CHECK(as_nobody({.groups = std::vector<gid_t>{0}, .groups_text = "root"})
            .starts_with("setgroups EPERM root | "));
  CHECK(as_nobody({.groups = std::vector<gid_t>{}, .groups_text = ""})
            .starts_with("setgroups EPERM  | "));
  CHECK(as_nobody({.gid = 0, .group_text = "root"}).starts_with("setgid EPERM root | "));
  CHECK(as_nobody({.egid = 0, .group_text = "0"}).starts_with("setegid EPERM 0 | "));
  CHECK(as_nobody({.uid = 0, .user_text = "root"}).starts_with("setuid EPERM root | "));
  CHECK(as_nobody({.euid = 0, .user_text = "0"}).starts_with("seteuid EPERM 0 | "));
}

TEST_CASE("the number that stands for none is no id") {
  constexpr auto none = static_cast<uid_t>(-1);
  const std::string same = now();
  CHECK(after({.gid = none}) == "setgid EINVAL" + same);
  CHECK(after({.egid = none}) == "setegid EINVAL" + same);
  CHECK(after({.uid = none}) == "setuid EINVAL" + same);
  CHECK(after({.euid = none}) == "seteuid EINVAL" + same);
  if (!tests::is_root()) return;
  CHECK(after({.groups = std::vector<gid_t>{none}}) == "setgroups EINVAL" + same);
}

TEST_CASE("ids that the kernel says it has set, and has not, are a failure") {
  // A seccomp profile can answer "done" for it.
  const std::string other = " EPERM (other ids are in force now)";
  CHECK(after({.gid = 3999}, {{SYS_setresgid, 0}}) == "setgid" + other + now());
  CHECK(after({.uid = 3999}, {{SYS_setresuid, 0}}) == "setuid" + other + now());
  CHECK(after({.egid = 3999}, {{SYS_setresgid, 0}}) == "setegid" + other + now());
  CHECK(after({.euid = 3999}, {{SYS_setresuid, 0}}) == "seteuid" + other + now());
  CHECK(after({.groups = std::vector<gid_t>{3999}}, {{SYS_setgroups, 0}}) ==
        "setgroups" + other + now());
  CHECK(after({.groups = std::vector<gid_t>{3999}, .gid = 3999}, {{SYS_setgroups, ENOSYS}}) ==
        "setgroups ENOSYS" + now());
}

TEST_CASE("where the kernel does not tell which ids are in force, its errno is handed on") {
  const std::string same = now();
  CHECK(after({.uid = ::getuid(), .user_text = "me"}, {{SYS_getresuid, EIO}}) ==
        "getresuid EIO me" + same);
  CHECK(after({.euid = ::geteuid()}, {{SYS_getresuid, ENOMEM}}) == "getresuid ENOMEM" + same);
  CHECK(after({.gid = ::getgid(), .group_text = "ours"}, {{SYS_getresgid, EIO}}) ==
        "getresgid EIO ours" + same);
  CHECK(after({.egid = ::getegid()}, {{SYS_getresgid, EIO}}) == "getresgid EIO" + same);
  // As if they were set: not everybody may.
  const core::Ids groups{.groups = std::vector<gid_t>{}, .groups_text = "none"};
  CHECK(after(groups, {{SYS_setgroups, 0}, {SYS_getgroups, EIO}}) == "getgroups EIO none" + same);
}

TEST_CASE("who could be root again is not let on") {
  if (only_root_can()) return;
  // These rights do not go with the user id.
  const auto keeping = [](const core::Ids& ids, bool drop) {
    return tests::in_child([&]() -> std::string {
      constexpr int no_setuid_fixup = 1 << 2;
      if (::prctl(PR_SET_SECUREBITS, no_setuid_fixup) != 0) return "no securebits";
      if (drop) {
        // All but CAP_SETGID, with a _LINUX_CAPABILITY_VERSION_3 header.
        struct {
          unsigned version = 0x20080522;
          int pid = 0;
        } header;
        constexpr unsigned setgid_and_setuid = 1U << 6 | 1U << 7;
        const unsigned data[6] = {setgid_and_setuid, setgid_and_setuid, 0, 0, 0, 0};
        if (::syscall(SYS_capset, &header, data) != 0) return "no capset";
      }
      return set_and_look(ids);
    });
  };
  if (keeping({}, false) == "no securebits") {
    MESSAGE("not tested: this root may not keep its rights");
    return;
  }
  CHECK(keeping({.uid = 502}, false)
            .starts_with("setuid EPERM (root's rights could be had again) | "));
  CHECK(keeping({.gid = 502, .uid = 502, .user_text = "me"}, true)
            .starts_with("setuid EPERM me (root's rights could be had again) | "));
  CHECK(keeping({.gid = 502, .uid = 0}, false).starts_with("ok | "));
}

TEST_CASE("who could have root's group again is not let on") {
  if (only_root_can()) return;
  // CAP_SETGID without CAP_SETUID, as a user who is not root.
  const auto with_setgid = [](const core::Ids& ids) {
    const std::string text = tests::in_child([&]() -> std::string {
      struct {
        unsigned version = 0x20080522;
        int pid = 0;
      } header;
      constexpr unsigned setgid = 1U << 6;
      const unsigned data[6] = {setgid, setgid, 0, 0, 0, 0};
      if (::prctl(PR_SET_KEEPCAPS, 1) != 0 || ::setresuid(502, 502, 502) != 0) return "no ids";
      if (::syscall(SYS_capset, &header, data) != 0) return "no capset";
      return set_and_look(ids);
    });
    return text.substr(0, text.find(" |"));
  };
  CHECK(with_setgid({.gid = 503, .uid = 502}) == "setgid EPERM (root's group could be had again)");
  CHECK(with_setgid({.gid = 503}) == "ok");
  CHECK(with_setgid({.uid = 502}) == "ok");
  CHECK(with_setgid({.gid = 0, .uid = 502}) == "ok");
}
