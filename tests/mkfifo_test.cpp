#include "tests/changing_names.hpp"
#include "tests/python_os.hpp"

TEST_CASE("mkfifo does what every applet owes that changes names") {
  tests::check_changing({"mkfifo"});
}

TEST_CASE("mkfifo is os.mkfifo") {
  std::vector<tests::Twin> twins = {
      {"mkfifo('x', 0o600)", "['mkfifo', '-m', '600', 'x']"},
      {"mkfifo('x', 0)", "['mkfifo', '-m', '0', 'x']"},
      {"mkfifo('x', 0o7777)", "['mkfifo', '-m', '7777', 'x']"},
      {"mkfifo('x', 0o766)", "['mkfifo', '-m', 'u+x', 'x']"},
      {"mkfifo('x', 0o600)", "['mkfifo', '-m', 'go=', 'x']"},
  };
  for (const std::string mask : {"0", "0o022", "0o777"}) {
    CHECK(tests::differences(twins, mask) == "");
    CHECK(tests::differences(twins, mask, true) == "");
  }
  for (const std::string path :
       {"'x'",        "'x/'",       "'d/x'",      "'ld/x'",      "'sg/x'",       "'d'",
        "'f'",        "'fifo'",     "'dangling'", "'dangling/'", "'dangling/x'", "'loop'",
        "'nosuch/x'", "''",         "'.'",        "'..'",        "'/'",          "'f/x'",
        "'ro/x'",     "'closed/x'", "'x' * 255",  "'x' * 256"}) {
    twins.push_back({"mkfifo(" + path + ")", "['mkfifo', " + path + "]"});
  }
  CHECK(tests::differences(twins) == "");
  CHECK(tests::differences(twins, "0o022", true) == "");
}

TEST_CASE("mkfifo takes no wrong mode, and makes nothing then") {
  const Scratch scratch;
  for (const std::string mode : {"8", "7-x", "", "-1", "010000", "u+q", "0x1", " 1", "+1"}) {
    CAPTURE(mode);
    CHECK(osbox({"mkfifo", "--mode=" + mode, scratch / "x"}).status == 2);
  }
  CHECK(!core::lstat(scratch / "x"));
  const Ran ran = osbox({"mkfifo", "-m", "640", "--json", scratch / "x"});
  CHECK(ran.out == "{\"path\":\"" + (scratch / "x") + "\",\"mode\":416}\n");
  CHECK(core::lstat(scratch / "x")->type == core::Type::fifo);
}
