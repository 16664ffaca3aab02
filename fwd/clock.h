// The time as records tell it.
#pragma once

#include <chrono>
#include <cstdint>

namespace fwd {

// CLOCK_REALTIME, ns since 1970.
inline std::int64_t realtime_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

// Which second a time is in.
constexpr std::int64_t second_of(std::int64_t time_ns) {
  return time_ns / 1'000'000'000;
}

}  // namespace fwd
