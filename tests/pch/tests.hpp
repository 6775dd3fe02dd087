// What most of the tests include, read once with -Db_pch=true.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/harness.hpp"
