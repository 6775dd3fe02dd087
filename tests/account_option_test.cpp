#include "core/cli/account_option.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "tests/harness.hpp"

namespace {

using Text = std::optional<std::string>;

/// The ids as one line, or what was wrong.
std::string ids_of(const Text& user, const Text& group = {}, const Text& groups = {}) {
  const auto ids = cli::ids_of(user, group, groups);
  if (!ids) {
    if (const auto* usage = std::get_if<out::Usage>(&ids.error())) return usage->message;
    const auto& error = std::get<core::Error>(ids.error());
    return std::string(error.call) + " " + std::string(core::error_name(error.number));
  }
  std::string line;
  if (ids->uid) line += "uid=" + std::to_string(*ids->uid) + " ";
  if (ids->gid) line += "gid=" + std::to_string(*ids->gid) + " ";
  if (!ids->groups) return line + "-";
  line += "groups=";
  for (const gid_t gid : ids->groups->ids()) line += std::to_string(gid) + ",";
  return line;
}

/// Why a text is not taken.
std::string why(const cli::Stored& stored) {
  if (stored) return "it is taken";
  const auto* const sentence = std::get_if<std::string>(&stored.error());
  return sentence != nullptr ? *sentence : "an error";
}

/// What is no name and no number, anywhere.
const std::vector<std::string> wrong = {
    "-1",  "",       "0x0",        " 1",         "1 ",          "1abc",
    "+1",  "-0",     "4294967295", "4294967296", "99999999999", "no such name",
    "1\n", "root\n", "ROOT",       "\xff",       "0.0",         "1e3"};

constexpr const char* unknown_number = "3999999999";

}  // namespace

TEST_CASE("a user and a group are a name or a number") {
  uid_t uid = 7;
  gid_t gid = 7;
  CHECK((cli::take_user(uid, "root") && uid == 0));
  CHECK((cli::take_group(gid, "root") && gid == 0));
  CHECK((cli::take_user(uid, "4294967294") && uid == 4294967294));
  CHECK((cli::take_group(gid, "010") && gid == 10));
  for (const std::string& text : wrong) {
    CAPTURE(text);
    uid = gid = 7;
    CHECK(why(cli::take_user(uid, text)) == "no such user");
    CHECK(why(cli::take_group(gid, text)) == "no such group");
    CHECK(uid == 7);
    CHECK(gid == 7);
  }
}

TEST_CASE("groups have commas between them") {
  std::vector<gid_t> gids = {7};
  CHECK((cli::take_groups(gids, "") && gids.empty()));
  CHECK((cli::take_groups(gids, "root") && gids == std::vector<gid_t>{0}));
  CHECK((cli::take_groups(gids, "100,root,100") && gids == std::vector<gid_t>{100, 0, 100}));
  CHECK(why(cli::take_groups(gids, "root,nosuch,1")) == "nosuch: no such group");
  for (const std::string text : {",", "root,", ",root", "root,,1"}) {
    CAPTURE(text);
    CHECK(why(cli::take_groups(gids, text)) == "'': no such group");
  }
  for (const std::string& text : wrong) {
    CAPTURE(text);
    CHECK_FALSE(cli::take_groups(gids, "0," + text + ",0"));
  }
}

TEST_CASE("ids_of: a user stands for all that a login gives, as Python finds it") {
  const std::string theirs = tests::python(R"(
import os, pwd
for name in sorted({entry.pw_name for entry in pwd.getpwall()}):
  entry = pwd.getpwnam(name)
  print(name, f'uid={entry.pw_uid} gid={entry.pw_gid} groups=' +
        ','.join(map(str, sorted(os.getgrouplist(name, entry.pw_gid)))))
)");
  for (const std::string& line : tests::lines(theirs)) {
    const std::string name = line.substr(0, line.find(" uid="));
    CAPTURE(name);
    const auto ids = cli::ids_of(name, {}, {});
    REQUIRE(ids);
    std::vector<gid_t> groups(ids->groups->ids().begin(), ids->groups->ids().end());
    CHECK(groups.front() == *ids->gid);
    std::ranges::sort(groups);
    std::string ours = name + " uid=" + std::to_string(*ids->uid) +
                       " gid=" + std::to_string(*ids->gid) + " groups=";
    for (const gid_t gid : groups) ours += std::to_string(gid) + ",";
    ours.pop_back();
    CHECK(ours == line);
    CHECK(ids->user_text == name);
    CHECK(ids->group_text == name);
    CHECK(ids->groups_text == name);
    CHECK_FALSE(ids->egid);
    CHECK_FALSE(ids->euid);
  }
  CHECK(ids_of("root").starts_with("uid=0 gid=0 groups=0,"));
  CHECK(ids_of("0") == ids_of("root"));
}

TEST_CASE("ids_of: a group takes the place of the primary one, and groups that of all") {
  CHECK(ids_of("daemon", "54321").ends_with(" gid=54321 groups=54321,"));
  CHECK(ids_of("daemon", "root", "5,root").ends_with(" gid=0 groups=5,0,"));
  CHECK(ids_of("daemon", {}, "").ends_with(" groups="));
  const auto ids = cli::ids_of("daemon", "0", "5,root");
  REQUIRE(ids);
  CHECK(ids->user_text == "daemon");
  CHECK(ids->group_text == "0");
  CHECK(ids->groups_text == "5,root");
}

TEST_CASE("ids_of: what is not given is not set") {
  CHECK(cli::ids_of({}, {}, {})->empty());
  CHECK(ids_of({}) == "-");
  CHECK(ids_of({}, "5") == "gid=5 -");
  CHECK(ids_of({}, {}, "5,7") == "groups=5,7,");
  CHECK(ids_of({}, {}, "") == "groups=");
}

TEST_CASE("ids_of: a number that no account has needs a group, and is in no other") {
  CHECK(ids_of(unknown_number) ==
        "--user 3999999999: no account has this number, so that --group is needed");
  CHECK(ids_of(unknown_number, {}, "5").ends_with("so that --group is needed"));
  CHECK(ids_of(unknown_number, "5") == "uid=3999999999 gid=5 groups=5,");
  CHECK(ids_of(unknown_number, "5", "") == "uid=3999999999 gid=5 groups=");
}

TEST_CASE("ids_of: what is no user and no group is wrong usage") {
  CHECK(ids_of("nosuch") == "--user nosuch: no such user");
  CHECK(ids_of("root", "nosuch") == "--group nosuch: no such group");
  CHECK(ids_of("root", "root", "0,nosuch") == "--groups 0,nosuch: nosuch: no such group");
  for (const std::string& text : wrong) {
    CAPTURE(text);
    CHECK(ids_of(text).ends_with(": no such user"));
    CHECK(ids_of({}, text).ends_with(": no such group"));
    CHECK(ids_of({}, {}, text + ",0").ends_with(": no such group"));
  }
}

TEST_CASE("a lookup that could not be made is no answer") {
  const auto without_descriptors = [](const std::function<std::string()>& ask) {
    return tests::in_child([&] {
      const rlimit none{3, 3};
      return ::setrlimit(RLIMIT_NOFILE, &none) == 0 ? ask() : "no limit";
    });
  };
  CHECK(without_descriptors([] { return ids_of("daemon"); }) == "getpwnam EMFILE");
  CHECK(without_descriptors([] { return ids_of({}, "5"); }) == "getgrnam EMFILE");
  CHECK(without_descriptors([] { return ids_of({}, {}, "daemon"); }) == "getgrnam EMFILE");
  const auto run = [&](std::vector<std::string> words) {
    return without_descriptors([&] {
      const Ran ran = osbox(words);
      return std::to_string(ran.status) + " " + ran.err;
    });
  };
  const std::string error = ": EMFILE: Too many open files\n";
  CHECK(run({"chown", "nosuch", "x"}) == "1 chown: nosuch: getpwnam" + error);
  CHECK(run({"chown", "--exit-errno", "1:nosuch", "x"}) ==
        std::to_string(EMFILE) + " chown: 1: getpwnam" + error);
  CHECK(run({"chown", ":daemon", "x"}) == "1 chown: daemon: getgrnam" + error);
  CHECK(run({"setuid", "nosuch", "true"}) == "125 setuid: nosuch: getpwnam" + error);
  CHECK(run({"setgroups", "1,daemon", "true"}) == "125 setgroups: 1: getgrnam" + error);
  CHECK(run({"exec", "--user", "daemon", "true"}) == "125 exec: daemon: getpwnam" + error);
  // In the format that comes behind it; and what is wrong all the same is told first.
  CHECK(run({"chown", "--from", "nosuch", "--json", "1", "x"}) ==
        "1 {\"applet\":\"chown\",\"call\":\"getpwnam\",\"path\":\"nosuch\",\"errno\":24,"
        "\"error\":\"EMFILE\",\"message\":\"Too many open files\"}\n");
  CHECK(run({"chown", "--nosuch", "daemon", "x"}).starts_with("2 chown: unknown option"));
  CHECK(run({"chown", "daemon"}) == "2 chown: missing operand PATH; see 'osbox chown --help'\n");
}
