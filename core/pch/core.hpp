// What most of core and the applets include, read once unless -Db_pch=false.
#include <algorithm>
#include <charconv>

#include "core/cli/command.hpp"
#include "core/out/quote.hpp"
#include "core/sys/fs.hpp"
#include "core/sys/process.hpp"
