#include "tests/harness.hpp"
