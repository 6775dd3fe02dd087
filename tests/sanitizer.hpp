// Whether AddressSanitizer is in this build. It has words and a status of its own where osbox runs
// without /proc or with an effective id that is not the real one, and takes memory of its own.
#pragma once

#include <doctest/doctest.h>

namespace tests {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

/// True, and says so, where a test means nothing because of it.
inline bool disturbed_by_sanitizer() {
  if (sanitized) MESSAGE("not tested: a sanitizer would disturb this");
  return sanitized;
}

}  // namespace tests
