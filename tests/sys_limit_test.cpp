#include "core/sys/limit.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/harness.hpp"

using core::find_resource;
using core::getrlimit;
using core::Limit;
using core::LimitChange;
using core::setrlimit;

namespace {

std::string text(std::optional<std::uint64_t> number) {
  return number ? std::to_string(*number) : "-1";
}

std::string text(const Limit& limit) { return text(limit.soft) + " " + text(limit.hard); }

std::string error_of(const std::string& change) {
  const auto parsed = LimitChange::parse(change);
  return parsed ? "" : parsed.error();
}

}  // namespace

TEST_CASE("limits: Python's module has the same resources under the same numbers") {
  std::string ours;
  for (const core::Resource& resource : core::resources()) {
    // Python 3 knows no RLIMIT_LOCKS.
    if (resource.number == RLIMIT_LOCKS) continue;
    ours += "RLIMIT_" + std::string(resource.name) + " " + std::to_string(resource.number) + "\n";
  }
  for (char& c : ours) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  // RLIMIT_OFILE is another name of RLIMIT_NOFILE.
  CHECK(ours == tests::python(R"(
import resource
for name in sorted(dir(resource)):
    if name.startswith('RLIMIT_') and name != 'RLIMIT_OFILE':
        print(name, getattr(resource, name))
)"));
  CHECK(core::resources().size() == RLIM_NLIMITS);
}

TEST_CASE("limits: every resource is found by its name, in any case, with RLIMIT_ or without") {
  for (const core::Resource& resource : core::resources()) {
    const std::string name(resource.name);
    CAPTURE(name);
    CHECK(find_resource(name) == &resource);
    CHECK(find_resource("RLIMIT_" + name) == &resource);
    CHECK(find_resource("rlimit_" + name) == &resource);
    CHECK(!resource.what.empty());
  }
  CHECK(find_resource("NoFile") == find_resource("RLIMIT_NOFILE"));
  for (const std::string name : {"", "nofil", "nofiles", "RLIMIT_", "RLIMIT_RLIMIT_AS", "-n", " as",
                                 "as ", "7", "infinity"}) {
    CAPTURE(name);
    CHECK(find_resource(name) == nullptr);
  }
  CHECK(find_resource(std::string_view("as\0", 3)) == nullptr);
}

TEST_CASE("limits: Python reads the same limits, of this process and of another") {
  std::string ours;
  std::vector<std::string> numbers = {std::to_string(::getpid())};
  for (const core::Resource& resource : core::resources()) {
    const auto own = getrlimit(resource);
    const auto other = getrlimit(resource, ::getpid());
    REQUIRE(own);
    REQUIRE(other);
    ours += text(*own) + " " + text(*other) + "\n";
    numbers.push_back(std::to_string(resource.number));
  }
  CHECK(ours == tests::python(R"(
import resource, sys
for number in map(int, sys.argv[2:]):
    print(*resource.getrlimit(number), *resource.prlimit(int(sys.argv[1]), number))
)",
                              numbers));
}

TEST_CASE("limits: a change leaves the half alone that it does not name") {
  const std::string said = tests::in_child([] {
    const core::Resource& nofile = *find_resource("nofile");
    std::string all;
    const auto change = [&](const std::string& to) {
      Limit before;
      const int error = setrlimit(*LimitChange::parse(nofile, to), 0, &before);
      const auto now = getrlimit(nofile);
      all += std::to_string(error) + ": " + text(before) + " -> " + text(*now) + "\n";
    };
    change("100:200");
    change("50");
    change(":150");
    change("70:80");
    return all.substr(all.find('\n') + 1);
  });
  CHECK(said ==
        "0: 100 200 -> 50 200\n"
        "0: 50 200 -> 50 150\n"
        "0: 50 150 -> 70 80\n");
}

TEST_CASE("limits: the kernel refuses, and nothing is changed") {
  const std::string said = tests::in_child(
      [] {
        const core::Resource& nofile = *find_resource("nofile");
        std::string all;
        (void)setrlimit(*LimitChange::parse(nofile, "100:200"));
        for (const char* const to : {"201", ":99", ":201", "unlimited", "1:unlimited"}) {
          all += std::to_string(setrlimit(*LimitChange::parse(nofile, to))) + " ";
        }
        return all + text(*getrlimit(nofile));
      },
      {}, true);
  const std::string einval = std::to_string(EINVAL) + " ";
  const std::string eperm = std::to_string(EPERM) + " ";
  CHECK(said == einval + einval + eperm + einval + eperm + "100 200");
}

TEST_CASE("limits: another process's are read and changed by its number") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (;;) ::pause();
  }
  const core::Resource& core = *find_resource("core");
  const Limit own = *getrlimit(core);
  Limit before;
  CHECK(setrlimit(*LimitChange::parse("core=0:0"), child, &before) == 0);
  CHECK(text(before) == text(own));
  CHECK(text(*getrlimit(core, child)) == "0 0");
  CHECK(text(*getrlimit(core)) == text(own));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(setrlimit(*LimitChange::parse("core=0"), child) == ESRCH);
  const auto gone = getrlimit(core, child);
  REQUIRE(!gone);
  CHECK(gone.error().number == ESRCH);
  CHECK(gone.error().path == std::to_string(child));
  CHECK(gone.error().call == std::string("getrlimit"));
}

TEST_CASE("limits: somebody else's are EPERM") {
  CHECK(tests::in_child(
            [] {
              const auto theirs = getrlimit(*find_resource("nofile"), 1);
              return std::to_string(theirs ? 0 : theirs.error().number) + " " +
                     std::to_string(setrlimit(*LimitChange::parse("core=0"), 1));
            },
            {}, true) == std::to_string(EPERM) + " " + std::to_string(EPERM));
}

TEST_CASE("limits: a change is read from its text") {
  const auto one = LimitChange::parse("RLIMIT_NOFILE=1024");
  REQUIRE(one);
  CHECK(one->resource == find_resource("nofile"));
  CHECK(one->soft == rlim_t{1024});
  CHECK(!one->hard);
  const auto both = LimitChange::parse("cpu=0:18446744073709551614");
  REQUIRE(both);
  CHECK(both->soft == rlim_t{0});
  CHECK(both->hard == RLIM_INFINITY - 1);
  const auto hard = LimitChange::parse("stack=:unlimited");
  REQUIRE(hard);
  CHECK(!hard->soft);
  CHECK(hard->hard == RLIM_INFINITY);
  CHECK(LimitChange::parse("as=unlimited")->soft == RLIM_INFINITY);
  CHECK(LimitChange::parse("as=unlimited:unlimited").has_value());
}

TEST_CASE("limits: what is no change says why") {
  const std::string number = "not a number of bytes, in digits alone, nor unlimited";
  for (const std::string value : {"", ":", "1:", "x", "-1", "+1", " 1", "1 ", "1k", "0x10", "1:2:3",
                                  "1:-1", ":x", "infinity", "Unlimited", "1.5", "1e3"}) {
    CAPTURE(value);
    CHECK(error_of("as=" + value) == number);
  }
  for (const std::string value : {"18446744073709551615", "18446744073709551616",
                                  "99999999999999999999999", "1:18446744073709551615"}) {
    CAPTURE(value);
    CHECK(error_of("as=" + value) == "number too large");
  }
  CHECK(error_of("as=2:1") == "the soft limit is above the hard one");
  CHECK(error_of("as=unlimited:1") == "the soft limit is above the hard one");
  CHECK(error_of("rtprio=x") == "not a number, in digits alone, nor unlimited");
  CHECK(error_of("nosuch=1") == core::no_such_resource);
  CHECK(error_of("=1") == core::no_such_resource);
  CHECK(error_of("as") == "not NAME=SOFT[:HARD]");
  CHECK(error_of("") == "not NAME=SOFT[:HARD]");
}
