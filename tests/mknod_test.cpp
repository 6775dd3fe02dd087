#include "tests/changing_names.hpp"
#include "tests/python_os.hpp"

TEST_CASE("mknod does what every applet owes that changes names") {
  tests::check_changing({"mknod"});
}

TEST_CASE("mknod is os.mknod, and what the kernel says to the one it says to the other") {
  std::vector<tests::Twin> twins = {
      {"mknod('x', 0o644)", "['mknod', '-m', '644', 'x']"},
      {"mknod('x', 0o7777)", "['mknod', '-m', '7777', 'x']"},
      {"mknod('x', 0)", "['mknod', '-m', '0', 'x']"},
      {"mknod('x', 0o640)", "['mknod', '-m', 'g+r', 'x']"},
      {"mknod('x', 0o600)", "['mknod', '--type', 'file', 'x']"},
      {"mknod('x', 0o600 | stat.S_IFIFO)", "['mknod', '--type', 'fifo', 'x']"},
      {"mknod('x', 0o777 | stat.S_IFSOCK)", "['mknod', '--type=socket', '-m', '777', 'x']"},
      {"mknod('x', 0o600 | stat.S_IFCHR, makedev(1, 3))",
       "['mknod', '--type', 'char', '--device', '1:3', 'x']"},
      {"mknod('x', 0o600 | stat.S_IFCHR, makedev(0, 0))",
       "['mknod', '--type', 'char', '--device', '0:0', 'x']"},
      {"mknod('x', 0o660 | stat.S_IFCHR, makedev(4095, 1048575))",
       "['mknod', '--type', 'char', '--device', '4095:1048575', '-m', '660', 'x']"},
      {"mknod('x', 0o660 | stat.S_IFBLK, makedev(7, 300))",
       "['mknod', '--type', 'block', '--device', '7:300', '-m', '660', 'x']"},
      {"mknod('f', 0o660 | stat.S_IFBLK, makedev(7, 0))",
       "['mknod', '--type', 'block', '--device', '7:0', '-m', '660', 'f']"},
  };
  for (const std::string mask : {"0", "0o022", "0o777"}) {
    CHECK(tests::differences(twins, mask) == "");
    CHECK(tests::differences(twins, mask, true) == "");
  }
  for (const std::string path : {"'x'", "'x/'", "'d/x'", "'ld/x'", "'sg/x'", "'d'", "'f'", "'fifo'",
                                 "'dangling'", "'dangling/'", "'loop'", "'nosuch/x'", "''", "'.'",
                                 "'/'", "'f/x'", "'ro/x'", "'closed/x'", "'x' * 256"}) {
    twins.push_back({"mknod(" + path + ")", "['mknod', " + path + "]"});
  }
  CHECK(tests::differences(twins) == "");
  CHECK(tests::differences(twins, "0o022", true) == "");
}

TEST_CASE("mknod tells what it made") {
  const Scratch scratch;
  const std::string x = scratch / "x";
  CHECK(osbox({"mknod", "--json", "--type", "socket", x}).out ==
        "{\"path\":\"" + x + "\",\"type\":\"socket\",\"mode\":384,\"rdev\":null}\n");
  CHECK(core::lstat(x)->type == core::Type::socket);
}

TEST_CASE("mknod takes a device where there is one, and a number that the kernel knows") {
  const Scratch scratch;
  const std::string x = scratch / "x";
  CHECK(osbox({"mknod", "--type", "char", x}).err ==
        "mknod: --type block and char need --device; see 'osbox mknod --help'\n");
  CHECK(osbox({"mknod", "--type", "block", x}).status == 2);
  for (const std::string type : {"fifo", "socket", "file"}) {
    CHECK(osbox({"mknod", "--type", type, "--device", "1:3", x}).err ==
          "mknod: --device needs --type block or char; see 'osbox mknod --help'\n");
  }
  for (const std::string device :
       {"", "1", ":", "1:", ":3", "1:3:4", "-1:3", "1:-3", "+1:3", " 1:3", "1: 3", "0x1:3", "a:b",
        "4096:0", "0:1048576", "4294967296:0", "4294967297:3", "1:99999999999999999999"}) {
    CAPTURE(device);
    CHECK(osbox({"mknod", "--type", "char", "--device=" + device, x}).status == 2);
  }
  CHECK(osbox({"mknod", "--type", "directory", x}).status == 2);
  CHECK(osbox({"mknod", "-m", "u+q", x}).status == 2);
  CHECK(!core::lstat(x));
}

TEST_CASE("mknod refuses what is a line of mknod(1), and makes nothing") {
  const Scratch scratch;
  const auto ran = [&](const std::string& words) {
    return tests::shell("cd \"$1\"; osbox mknod " + words + "; status=$?; ls; exit $status",
                        {scratch.path()});
  };
  const std::pair<std::string, std::string> lines[] = {
      {"null c 1 3", "c is no type here: use --type char --device 1:3, or ./c"},
      {"disk b 8 0", "b is no type here: use --type block --device 8:0, or ./b"},
      {"tty u 4 1", "u is no type here: use --type char --device 4:1, or ./u"},
      {"disk b", "b is no type here: use --type block --device MAJOR:MINOR, or ./b"},
      {"disk b 8", "b is no type here: use --type block --device MAJOR:MINOR, or ./b"},
      {"pipe p", "p is no type here: use --type fifo, or ./p"}};
  for (const auto& [words, said] : lines) {
    CAPTURE(words);
    const Ran refused = ran(words);
    CHECK(refused.status == 2);
    CHECK(refused.out == "");
    CHECK(refused.err == "mknod: " + said + " for a file of that name; see 'osbox mknod --help'\n");
  }
  CHECK(ran("a b c").out == "a\nb\nc\n");
  CHECK(ran("x ./b 7").status == 1);
  CHECK(ran("y ./p 8").out == "7\n8\na\nb\nc\np\nx\ny\n");
  CHECK(tests::run({.words = {"sh", "-c", "rm *"}, .directory = scratch.path()}).status == 0);
  CHECK(ran("--type fifo pipe p").out == "p\npipe\n");
}
