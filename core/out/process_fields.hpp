// The fields of how a process ended, the same wherever a record has them.
#pragma once

#include <string>

#include "core/out/field.hpp"
#include "core/sys/wait.hpp"

namespace out {

/// What a row has to hold for `ended_fields`: derive from it.
struct EndedRow {
  core::Ended ended;
  mutable std::string signal = {};  ///< memory for what is put together when a record is written
};

/// The word for `source` in records.
std::string_view source_word(core::Source source);

/// The signal `number` for a record: its symbol, or its digits where it has none.
std::string signal_word(int number);

/// Adds "4711 256 exited 1" or "4711 9 killed SIGKILL", and with `usage` what is known of the time
/// and memory it took.
void append_ended(std::string& to, const core::Ended& ended, bool usage);

namespace detail {

/// `span` in whole microseconds.
constexpr std::int64_t microseconds(core::Duration span) {
  return std::chrono::duration_cast<std::chrono::microseconds>(span).count();
}

/// A member of what a process used; null where that is not known.
template <auto Member>
std::optional<std::int64_t> used(const EndedRow& row) {
  if (!row.ended.usage) return std::nullopt;
  const auto& value = *row.ended.usage.*Member;
  if constexpr (std::same_as<decltype(value), const core::Duration&>) {
    return microseconds(value);
  } else {
    return value;
  }
}

template <class Row>
consteval auto make_ended_fields() {
  using Used = core::ResourceUsage;
  using R = const EndedRow&;
  return std::array{
      integer<[](R r) { return r.ended.id.pid; }, Row>("pid", "Its process id"),
      natural<[](R r) { return r.ended.id.inode; }, Row>(
          "inode", "What tells it from others that had this id; null where it cannot be had"),
      integer<[](R r) { return r.ended.status.word(); }, Row>(
          "status", "The 16-bit word of wait(2) and os.wait"),
      integer<[](R r) -> std::optional<int> {
        if (!r.ended.status.exited()) return std::nullopt;
        return r.ended.status.exit_code();
      },
              Row>("exit_code", "What it exited with; null where a signal killed it"),
      text<[](R r) -> std::optional<std::string_view> {
        if (!r.ended.status.signaled()) return std::nullopt;
        return r.signal = signal_word(r.ended.status.signal());
      },
           Row>("signal", "The signal that killed it, SIGKILL; null where it exited"),
      boolean<[](R r) { return r.ended.status.dumped_core(); }, Row>("core",
                                                                     "True where it dumped core"),
      boolean<[](R r) { return r.ended.timed_out; }, Row>(
          "timed_out", "True where osbox spawn ended it, because its time was over"),
      text<[](R r) { return source_word(r.ended.source); }, Row>(
          "source", "Where that was had from: child, record, pidfd, proc"),
      integer<[](R r) -> std::optional<std::int64_t> {
        if (!r.ended.wall) return std::nullopt;
        return detail::microseconds(*r.ended.wall);
      },
              Row>("wall_us", "Microseconds from its start to its end; null where nobody measured"),
      integer<detail::used<&Used::user>, Row>("user_us",
                                              "Microseconds of CPU time in user mode, ru_utime"),
      integer<detail::used<&Used::system>, Row>("system_us",
                                                "Microseconds of CPU time in the kernel, ru_stime"),
      integer<detail::used<&Used::max_rss>, Row>("max_rss_kib",
                                                 "The most memory it had, in KiB, ru_maxrss"),
      integer<detail::used<&Used::minor_faults>, Row>("minor_faults",
                                                      "Page faults without input, ru_minflt"),
      integer<detail::used<&Used::major_faults>, Row>("major_faults",
                                                      "Page faults with input, ru_majflt"),
      integer<detail::used<&Used::blocks_in>, Row>(
          "blocks_in", "Blocks of 512 bytes read from a device, ru_inblock"),
      integer<detail::used<&Used::blocks_out>, Row>(
          "blocks_out", "Blocks of 512 bytes written to one, ru_oublock"),
      integer<detail::used<&Used::voluntary_switches>, Row>(
          "voluntary_switches", "Context switches because it waited, ru_nvcsw"),
      integer<detail::used<&Used::involuntary_switches>, Row>(
          "involuntary_switches", "Context switches because its turn was over, ru_nivcsw"),
  };
}
}  // namespace detail

/// The fields of how a process ended and what it used, for rows of type `Row`.
template <class Row>
inline constexpr auto ended_fields = detail::make_ended_fields<Row>();

}  // namespace out
