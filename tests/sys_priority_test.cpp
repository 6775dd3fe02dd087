#include "core/sys/priority.hpp"

#include <unistd.h>

#include "tests/harness.hpp"

using core::getpriority;
using core::setpriority;
using core::Whose;

namespace {

/// The number of the error, or 0.
template <class T>
int error_of(const core::Result<T>& result) {
  return result ? 0 : result.error().number;
}

}  // namespace

TEST_CASE("priority: Python says the same of process, group and user") {
  const auto value = [](Whose whose, id_t id) {
    return std::to_string(getpriority(whose, id).value()) + "\n";
  };
  const id_t pid = static_cast<id_t>(::getpid());
  const id_t group = static_cast<id_t>(::getpgrp());
  CHECK(value(Whose::process, pid) + value(Whose::process, 0) + value(Whose::group, group) ==
        tests::python("import os, sys\n"
                      "print(os.getpriority(os.PRIO_PROCESS, int(sys.argv[1])))\n"
                      "print(os.getpriority(os.PRIO_PROCESS, 0))\n"
                      "print(os.getpriority(os.PRIO_PGRP, int(sys.argv[2])))\n",
                      {std::to_string(pid), std::to_string(group)}));
}

TEST_CASE("priority: -1 is a nice value like the others, and what is out of range is clamped") {
  const std::string said = tests::in_child([] {
    std::string all;
    ::setpgid(0, 0);
    for (const int nice : {5, 19, 100}) {
      (void)setpriority(Whose::process, 0, nice);
      all += std::to_string(getpriority(Whose::process, 0).value()) + " ";
    }
    return all + std::to_string(getpriority(Whose::group, 0).value());
  });
  CHECK(said == "5 19 19 19");
  if (!tests::is_root()) {
    MESSAGE("not tested: only root may have a nice value below 0");
    return;
  }
  CHECK(tests::in_child([] {
          std::string all;
          for (const int nice : {-1, -20, -100}) {
            const auto set = setpriority(Whose::process, 0, nice);
            const auto now = getpriority(Whose::process, 0);
            all +=
                std::to_string(error_of(set)) + ":" + (now ? std::to_string(*now) : "failed") + " ";
          }
          return all;
        }) == "0:-1 0:-20 0:-20 ");
}

TEST_CASE("priority: who is not there, not ours, or may not") {
  const auto gone = getpriority(Whose::process, 4194305);
  REQUIRE(!gone);
  CHECK(gone.error().number == ESRCH);
  CHECK(gone.error().path == "4194305");
  CHECK(error_of(getpriority(Whose::group, 4194305)) == ESRCH);
  CHECK(error_of(getpriority(Whose::user, 4194305)) == ESRCH);
  CHECK(error_of(setpriority(Whose::process, 4194305, 1)) == ESRCH);
  CHECK(tests::in_child(
            [] {
              (void)setpriority(Whose::process, 0, 10);
              return std::to_string(error_of(setpriority(Whose::process, 1, 19))) + " " +
                     std::to_string(error_of(setpriority(Whose::process, 0, 5)));
            },
            {}, true) == std::to_string(EPERM) + " " + std::to_string(EACCES));
}
