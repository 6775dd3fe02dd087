// What most of the tests include, read once unless -Db_pch=false.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/harness.hpp"
