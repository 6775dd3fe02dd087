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
