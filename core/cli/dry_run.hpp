// What exec and spawn say with --dry-run: what would be started, and how.
#pragma once

#include <array>

#include "core/out/io.hpp"
#include "core/sys/execute.hpp"
#include "core/sys/supervise.hpp"

namespace cli {

/// The record of --dry-run.
extern const std::array<out::Field, 23> dry_run_fields;
void print_dry_run(const void* row, out::Io& io);
inline constexpr out::Table dry_run_table = {
    .fields = dry_run_fields, .print = print_dry_run, .when = "with --dry-run"};

/// Writes it. A command that is not to be found is a failure, as it would be when started.
out::Outcome dry_run(const core::Program& program, const core::Watch& watch, out::Io& io);

}  // namespace cli
