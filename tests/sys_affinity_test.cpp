#include "core/sys/affinity.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include "tests/harness.hpp"

using core::CpuSet;

namespace {

std::string error_of(const std::string& list) {
  const auto parsed = CpuSet::parse(list);
  return parsed ? "" : parsed.error();
}

}  // namespace

TEST_CASE("affinity: lists are read, and written as the kernel writes them") {
  const auto list = [](const std::string& text) {
    const auto set = CpuSet::parse(text);
    return set ? set->list() : set.error();
  };
  CHECK(list("0") == "0");
  CHECK(list("0-3,8") == "0-3,8");
  CHECK(list("8,0-1,2-3") == "0-3,8");
  CHECK(list("1,1,1-2,2") == "1-2");
  CHECK(list("5-5") == "5");
  CHECK(list("007") == "7");
  CHECK(list("63-64") == "63-64");
  CHECK(list("0,2,4,63,64,127-128") == "0,2,4,63-64,127-128");
  CHECK(list("1023-1025,65535") == "1023-1025,65535");
  CHECK(CpuSet::parse("0-2,64")->cpus() == std::vector<std::int64_t>{0, 1, 2, 64});
  CHECK(*CpuSet::parse("1,0") == *CpuSet::parse("0-1"));
  CHECK(*CpuSet::parse("0") != *CpuSet::parse("1"));
  CHECK(CpuSet().list().empty());
}

TEST_CASE("affinity: what is no list says why") {
  for (const std::string text : {"", ",", "0,", ",0", "0,,1", "-", "-1", "0-", "0--1", "0-1-2", "a",
                                 "0x3", " 0", "0 ", "0, 1", "+1", "1.5", "0-3:2", "0\n"}) {
    CAPTURE(text);
    CHECK(error_of(text) == "not a list of CPUs as 0-3,8");
  }
  CHECK(error_of("3-0") == "a range begins above its end");
  for (const std::string text :
       {"65536", "0-65536", "4294967296", "0-99999999999999999999", "99999999999-0"}) {
    CAPTURE(text);
    CHECK(error_of(text) == "number too large");
  }
}

TEST_CASE("affinity: Python and /proc say the same") {
  const auto own = core::sched_getaffinity();
  const auto same = core::sched_getaffinity(::getpid());
  REQUIRE(own);
  REQUIRE(same);
  CHECK(*own == *same);
  std::string numbers;
  for (const std::int64_t cpu : own->cpus()) numbers += std::to_string(cpu) + "\n";
  CHECK(numbers + own->list() + "\n" == tests::python(R"(
import os, sys
for cpu in sorted(os.sched_getaffinity(int(sys.argv[1]))):
    print(cpu)
for line in open(f'/proc/{sys.argv[1]}/status'):
    if line.startswith('Cpus_allowed_list:'):
        print(line.split()[1])
)",
                                                      {std::to_string(::getpid())}));
}

TEST_CASE("affinity: one CPU of those there are, and the others back") {
  CHECK(tests::in_child([] {
          const CpuSet all = *core::sched_getaffinity();
          const CpuSet last = *CpuSet::parse(std::to_string(all.cpus().back()));
          const int narrow = core::sched_setaffinity(last);
          const bool narrowed = *core::sched_getaffinity() == last;
          const int wide = core::sched_setaffinity(all, ::getpid());
          const bool widened = *core::sched_getaffinity() == all;
          return std::to_string(narrow) + std::to_string(narrowed) + std::to_string(wide) +
                 std::to_string(widened);
        }) == "0101");
}

TEST_CASE("affinity: the kernel leaves out CPUs that are not there, and refuses none") {
  CHECK(tests::in_child([] {
          const CpuSet all = *core::sched_getaffinity();
          const int more = core::sched_setaffinity(*CpuSet::parse(all.list() + ",65535"));
          const bool same = *core::sched_getaffinity() == all;
          const int none = core::sched_setaffinity(*CpuSet::parse("65535"));
          const int empty = core::sched_setaffinity(CpuSet());
          return std::to_string(more) + std::to_string(same) + " " + std::to_string(none) + " " +
                 std::to_string(empty);
        }) == "01 " + std::to_string(EINVAL) + " " + std::to_string(EINVAL));
}

TEST_CASE("affinity: who is not there, not ours, or does not answer") {
  const auto gone = core::sched_getaffinity(4194305);
  REQUIRE(!gone);
  CHECK(gone.error().number == ESRCH);
  CHECK(gone.error().path == "4194305");
  CHECK(core::sched_setaffinity(*CpuSet::parse("0"), 4194305) == ESRCH);
  CHECK(tests::in_child(
            [] { return std::to_string(core::sched_setaffinity(*CpuSet::parse("0"), 1)); }, {},
            true) == std::to_string(EPERM));
  // A kernel that is never content with the size ends in an error all the same.
  CHECK(tests::in_child(
            [] {
              const auto set = core::sched_getaffinity();
              return std::to_string(set ? 0 : set.error().number);
            },
            {{SYS_sched_getaffinity, EINVAL}}) == std::to_string(EINVAL));
}
