#include "core/sys/environment.hpp"

#include <unistd.h>

#include "tests/harness.hpp"

namespace {

/// `entries` in the place of this process's environment.
class Environment {
 public:
  explicit Environment(std::vector<std::string> entries) : entries_(std::move(entries)) {
    for (std::string& entry : entries_) pointers_.push_back(entry.data());
    pointers_.push_back(nullptr);
    ::environ = pointers_.data();
  }
  ~Environment() { ::environ = old_; }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  std::vector<std::string> entries_;
  std::vector<char*> pointers_;
  char** old_ = ::environ;
};

using Change = core::EnvironmentChange;

Change set(const std::string& name, const std::string& value) {
  return {Change::How::set, name, value};
}
Change unset(const std::string& name) { return {Change::How::unset, name}; }
const Change clear = {Change::How::clear};

/// What `entries` are after `changes`.
std::vector<std::string> changed(const std::vector<std::string>& entries,
                                 const std::vector<Change>& changes) {
  const Environment replaced(entries);
  auto result = core::changed_environment(changes);
  REQUIRE(result);
  return *std::move(result);
}

}  // namespace

TEST_CASE("an entry is taken apart at its first '='") {
  const auto plain = core::Variable::of("A=1=2");
  CHECK(plain.name == "A");
  CHECK(plain.value == "1=2");
  CHECK(core::Variable::of("A=").value == "");
  CHECK(core::Variable::of("=x").name.empty());
  CHECK(core::Variable::of("=x").value == "x");
  CHECK(core::Variable::of("NOEQ").name == "NOEQ");
  CHECK(!core::Variable::of("NOEQ").value);
  CHECK(core::Variable::of("").name.empty());
  CHECK(!core::Variable::of("").value);
}

TEST_CASE("environment leaves no entry out and changes no order") {
  const std::vector<std::string> entries = {"Z=1", "A=1", "A=2", "NOEQ", "=x", "", "bad=\xff"};
  const Environment replaced(entries);
  std::vector<std::string> seen;
  for (const char* const entry : core::environment()) seen.emplace_back(entry);
  CHECK(seen == entries);
}

TEST_CASE("environment is empty where there is none") {
  char** const old = ::environ;
  ::environ = nullptr;
  const std::size_t count = core::environment().size();
  const auto found = core::getenv("A");
  ::environ = old;
  CHECK(count == 0);
  CHECK((found && !*found));
}

TEST_CASE("getenv answers with the first entry that has a value") {
  const Environment replaced({"A", "A=1", "A=2", "EMPTY=", "AB=3"});
  CHECK(*core::getenv("A") == "1");
  CHECK(*core::getenv("EMPTY") == "");
  CHECK(*core::getenv("AB") == "3");
  CHECK(*core::getenv("B") == std::nullopt);
}

TEST_CASE("getenv refuses what cannot be a name") {
  for (const std::string name : {"", "A=1", "="}) {
    CAPTURE(name);
    const auto found = core::getenv(name);
    REQUIRE(!found);
    CHECK(found.error().number == EINVAL);
    CHECK(found.error().path == name);
  }
}

TEST_CASE("an environment that nobody changes is the same") {
  const std::vector<std::string> wild = {"A=1", "A=2", "NOEQ", "=x", "bad=\xff", "", "E="};
  CHECK(changed(wild, {}) == wild);
  CHECK(changed({}, {}).empty());
  CHECK(changed(wild, {unset("B"), unset("AB")}) == wild);
}

TEST_CASE("a new value takes the place of the first of its name, and the others go") {
  CHECK(changed({"Z=1", "A=1", "B=1", "A=2", "A=3"}, {set("A", "4")}) ==
        std::vector<std::string>{"Z=1", "A=4", "B=1"});
  CHECK(changed({"A=1"}, {set("B", "2"), set("C", ""), set("B", "3")}) ==
        std::vector<std::string>{"A=1", "B=3", "C="});
  CHECK(changed({"AB=1"}, {set("A", "B=1"), set("A B", "\n")}) ==
        std::vector<std::string>{"AB=1", "A=B=1", "A B=\n"});
  CHECK(changed({"bad\xff=1", "x=\xfe"}, {set("bad\xff", "\xfe\xff")}) ==
        std::vector<std::string>{"bad\xff=\xfe\xff", "x=\xfe"});
}

TEST_CASE("all entries of a name go, and entries that have no name stay") {
  CHECK(changed({"A=1", "B=1", "A=2", "A", "=A", "AA=1", "A="}, {unset("A")}) ==
        std::vector<std::string>{"B=1", "A", "=A", "AA=1"});
  CHECK(changed({"NOEQ", "=x", ""}, {set("NOEQ", "1"), set("x", "2")}) ==
        std::vector<std::string>{"NOEQ", "=x", "", "NOEQ=1", "x=2"});
  CHECK(changed({"\xff=1", "\xff=2"}, {unset("\xff")}).empty());
}

TEST_CASE("changes are made one after the other") {
  CHECK(changed({"A=1", "B=1"}, {unset("A"), set("A", "2")}) ==
        std::vector<std::string>{"B=1", "A=2"});
  CHECK(changed({"A=1", "B=1"}, {set("A", "2"), unset("A"), unset("A")}) ==
        std::vector<std::string>{"B=1"});
  CHECK(changed({"A=1", "NOEQ", "=x"}, {set("B", "1"), clear, set("A", "2")}) ==
        std::vector<std::string>{"A=2"});
  CHECK(changed({"A=1", "NOEQ", "=x"}, {clear}).empty());
}

TEST_CASE("many changes of many entries take no time") {
  std::vector<std::string> entries;
  std::vector<Change> changes;
  std::vector<std::string> expected;
  for (int i = 0; i < 100'000; ++i) {
    const std::string name = "N" + std::to_string(i);
    entries.push_back(name + "=1");
    changes.push_back(set(name, "2"));
    expected.push_back(name + "=2");
  }
  CHECK(changed(entries, changes) == expected);
}

TEST_CASE("what cannot be a name is neither set nor unset") {
  const Environment replaced({"A=1"});
  for (const std::string name : {"", "=", "A=", "A=1", "=A"}) {
    CAPTURE(name);
    for (const Change& change : {set(name, "1"), unset(name)}) {
      const auto result = core::changed_environment(std::vector{set("B", "1"), change});
      REQUIRE(!result);
      CHECK(result.error().number == EINVAL);
      const bool is_set = change.how == Change::How::set;
      CHECK(result.error().path == (is_set ? name + "=1" : name));
      CHECK(std::string_view(result.error().call) == (is_set ? "setenv" : "unsetenv"));
    }
  }
}
