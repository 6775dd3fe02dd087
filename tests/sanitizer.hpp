// What a sanitizer changes in this build. AddressSanitizer has words and a status of its own where
// osbox runs without /proc or with an effective id that is not the real one, and takes memory of
// its own; ThreadSanitizer has a thread.
#pragma once

#include <doctest/doctest.h>

namespace tests {

/// Threads that a sanitizer starts with the first of osbox's own.
#if defined(__SANITIZE_THREAD__)
inline constexpr int threads_of_sanitizer = 1;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr int threads_of_sanitizer = 1;
#else
inline constexpr int threads_of_sanitizer = 0;
#endif
#else
inline constexpr int threads_of_sanitizer = 0;
#endif

/// Whether AddressSanitizer is in it.
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
