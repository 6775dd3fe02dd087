#include "core/out/process_fields.hpp"

#include "core/out/number.hpp"
#include "core/sys/signal_name.hpp"

namespace out {
namespace {

/// Adds `span` as "1.234s".
void append_seconds(std::string& to, core::Duration span) {
  const std::int64_t milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
  append_number(to, milliseconds / 1000);
  const std::string rest = std::to_string(milliseconds % 1000);
  to.append(".").append(3 - rest.size(), '0').append(rest) += 's';
}

}  // namespace

std::string_view source_word(core::Source source) {
  switch (source) {
    case core::Source::child:
      return "child";
    case core::Source::record:
      return "record";
    case core::Source::pidfd:
      return "pidfd";
    case core::Source::proc:
      break;
  }
  return "proc";
}

std::string signal_word(int number) {
  std::string name = core::signal_name(number);
  if (name.empty()) append_number(name, number);
  return name;
}

void append_ended(std::string& to, const core::Ended& ended, bool usage) {
  const core::WaitStatus status = ended.status;
  append_number(to, ended.id.pid);
  append_number(to += ' ', status.word());
  if (status.signaled()) {
    to.append(" killed ").append(signal_word(status.signal()));
    if (status.dumped_core()) to += " (core dumped)";
  } else {
    append_number(to += " exited ", status.exit_code());
  }
  if (!usage) return;
  if (ended.wall) append_seconds(to += ", wall ", *ended.wall);
  if (!ended.usage) {
    to += ", usage unknown";
    return;
  }
  append_seconds(to += ", user ", ended.usage->user);
  append_seconds(to += ", system ", ended.usage->system);
  append_number(to += ", memory ", ended.usage->max_rss);
  to += " KiB";
}

}  // namespace out
