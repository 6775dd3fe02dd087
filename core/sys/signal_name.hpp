// The names of signals.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace core {

/// The symbol of signal `number`, as "SIGTERM", or "SIGRTMIN+2" of a real-time one; empty for a
/// number that stands for no signal, 0 included. sigabbrev_np(3)
std::string signal_name(int number);

/// What signal `number` stands for, in the C library's words, never translated. Empty where it has
/// none, as of the real-time ones. sigdescr_np(3)
std::string_view signal_message(int number);

/// The number of the signal `text`: its symbol with or without "SIG", in any case, "RTMIN+2" and
/// "RTMAX-1" among them, or its number in digits. None for what is no signal; 0 is one only as the
/// digit, and stands for the question whether a process may be signalled. kill(2)
std::optional<int> signal_number(std::string_view text);

/// The symbols that have a name of their own, without "SIG", in the order of their numbers.
std::span<const std::string_view> signal_names();

}  // namespace core
