#include "core/sys/account.hpp"

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
