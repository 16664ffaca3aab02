// Medians of runs that take turns, with how far they spread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

namespace bench {

// Of this thread's own CPU time: somebody else's turn on the processor doesn't count.
inline double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// For what takes less time than asking for the CPU time does.
inline double wall_seconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Keeps the compiler from leaving out work whose result nobody reads.
inline void keep(std::size_t value) {
  asm volatile("" : : "r"(value));
}

struct Timing {
  double median = 0;  // nanoseconds for each piece of work
  double spread = 0;  // from the first quartile to the third, as a part of the median
};

inline Timing timing_of(std::vector<double> nanoseconds) {
  std::ranges::sort(nanoseconds);
  const auto at = [&](std::size_t quarter) {
    return nanoseconds[(nanoseconds.size() - 1) * quarter / 4];
  };
  return {at(2), (at(3) - at(1)) / at(2)};
}

struct Side {
  std::string name;
  std::size_t pieces;  // that one run does
  std::function<void()> run;
};

// Every side once, then every side again, and so on. Each runs once before it is timed: what the side before has left in the
// processor's caches is not its own.
inline std::vector<Timing> take_turns(const std::vector<Side>& sides, std::size_t runs) {
  std::vector<std::vector<double>> times(sides.size());
  for (std::size_t run = 0; run < runs; ++run) {
    for (std::size_t i = 0; i < sides.size(); ++i) {
      sides[i].run();
      const double start = cpu_seconds();
      sides[i].run();
      times[i].push_back(1e9 * (cpu_seconds() - start) / static_cast<double>(sides[i].pieces));
    }
  }
  std::vector<Timing> timings;
  for (auto& side : times) timings.push_back(timing_of(std::move(side)));
  return timings;
}

}  // namespace bench
