#include "core/sys/account.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "tests/harness.hpp"

TEST_CASE("users and groups have the names that Python finds") {
  const std::string theirs = tests::python(R"(
import grp, pwd
for uid in sorted({entry.pw_uid for entry in pwd.getpwall()}): print('u', uid, pwd.getpwuid(uid).pw_name)
for gid in sorted({entry.gr_gid for entry in grp.getgrall()}): print('g', gid, grp.getgrgid(gid).gr_name)
)");
  std::string ours;
  for (const std::string& line : tests::lines(theirs)) {
    const auto id = static_cast<uid_t>(std::stoul(line.substr(2)));
    const auto name = line[0] == 'u' ? core::user_name(id) : core::group_name(id);
    ours += line.substr(0, 2) + std::to_string(id) + " " + name.value_or("?") + "\n";
  }
  CHECK(ours == theirs);
  CHECK(core::user_name(0) == "root");
}

TEST_CASE("an id without a name stands for itself") {
  constexpr uid_t nobody_at_all = 3'999'999'999;
  CHECK_FALSE(core::user_name(nobody_at_all));
  CHECK_FALSE(core::group_name(nobody_at_all));
  core::Accounts accounts;
  const std::string& user = accounts.user(nobody_at_all);
  CHECK(user == "3999999999");
  CHECK(accounts.group(nobody_at_all) == "3999999999");
  for (uid_t id = 0; id < 1000; ++id) accounts.user(id);
  // What was handed out stays where it is.
  CHECK(&accounts.user(nobody_at_all) == &user);
}

TEST_CASE("names of users and groups have the ids that Python finds") {
  const std::string theirs = tests::python(R"(
import grp, pwd
for name in sorted({entry.pw_name for entry in pwd.getpwall()}): print('u', name, pwd.getpwnam(name).pw_uid)
for name in sorted({entry.gr_name for entry in grp.getgrall()}): print('g', name, grp.getgrnam(name).gr_gid)
)");
  std::string ours;
  for (const std::string& line : tests::lines(theirs)) {
    const std::string name = line.substr(2, line.rfind(' ') - 2);
    const auto id = line[0] == 'u' ? core::user_id(name) : core::group_id(name);
    REQUIRE(id);
    ours += line.substr(0, 2) + name + " " + (*id ? std::to_string(**id) : "?") + "\n";
  }
  CHECK(ours == theirs);
  CHECK(core::user_id("root").value().value_or(1) == 0);
}

TEST_CASE("a name that nobody has is none, whatever it looks like") {
  for (const std::string name :
       {"", "no such user", "0", "-1", "+", "-", "root:", "root\n", "ROOT", "\xff"}) {
    CAPTURE(name);
    CHECK_FALSE(core::user_id(name).value().has_value());
    CHECK_FALSE(core::group_id(name).value().has_value());
  }
  CHECK_FALSE(core::user_id(std::string(5000, 'u')).value().has_value());
  CHECK_FALSE(core::group_id(std::string(5000, 'g')).value().has_value());
}

TEST_CASE("accounts are those that Python finds, by name and by number") {
  const std::string theirs = tests::python(R"(
import pwd
for entry in sorted({pwd.getpwnam(entry.pw_name) for entry in pwd.getpwall()}):
  first = pwd.getpwuid(entry.pw_uid)
  print(entry.pw_name, entry.pw_uid, entry.pw_gid, first.pw_name, first.pw_gid)
)");
  std::string ours;
  for (const std::string& line : tests::lines(theirs)) {
    const auto named = core::user_account(line.substr(0, line.find(' '))).value();
    REQUIRE(named);
    const auto first = core::user_account(named->uid).value();
    REQUIRE(first);
    CHECK(first->uid == named->uid);
    ours += named->name + " " + std::to_string(named->uid) + " " + std::to_string(named->gid) +
            " " + first->name + " " + std::to_string(first->gid) + "\n";
  }
  CHECK(ours == theirs);
  CHECK_FALSE(core::user_account("no such user").value().has_value());
  CHECK_FALSE(core::user_account("").value().has_value());
  CHECK_FALSE(core::user_account("0").value().has_value());
  CHECK_FALSE(core::user_account(3'999'999'999).value().has_value());
}

TEST_CASE("the groups of a user are those that Python finds, the base in front") {
  const std::string theirs = tests::python(R"(
import os, pwd
for name in sorted({entry.pw_name for entry in pwd.getpwall()} | {'no such user'}):
  for base in (0, 54321):
    print(base, *sorted(set(os.getgrouplist(name, base)) - {base}), name)
)");
  std::string ours;
  for (const std::string& line : tests::lines(theirs)) {
    const gid_t base = line.starts_with("0 ") ? 0 : 54321;
    const std::string name =
        line.ends_with(" no such user") ? "no such user" : line.substr(line.rfind(' ') + 1);
    auto groups = core::user_groups(name, base).value();
    REQUIRE(!groups.empty());
    CHECK(groups.front() == base);
    std::sort(groups.begin() + 1, groups.end());
    for (const gid_t gid : groups) ours += std::to_string(gid) + " ";
    ours += name + "\n";
  }
  CHECK(ours == theirs);
}

TEST_CASE("a lookup that could not be made is an error, and not a shorter list") {
  CHECK(tests::in_child([]() -> std::string {
          const rlimit none{3, 3};
          if (::setrlimit(RLIMIT_NOFILE, &none) != 0) return "no limit";
          std::string said;
          const auto put = [&](const auto& result) {
            if (!result) {
              said += std::string(result.error().call) + " ";
              said += std::string(core::error_name(result.error().number)) + "\n";
            }
          };
          put(core::user_account("daemon"));
          put(core::user_account(1));
          put(core::user_groups("daemon", 1));
          return said;
        }) == "getpwnam EMFILE\ngetpwuid EMFILE\ngetgrouplist EMFILE\n");
}
