#pragma once

#include <chrono>

#include <time.h>

namespace fwd::engine {

// A system call only where the kernel has no vDSO clock.
inline std::chrono::nanoseconds now(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);  // can't fail for the clocks that every kernel has
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace fwd::engine
