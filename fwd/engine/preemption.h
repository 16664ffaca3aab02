// Whether a worker that is woken takes the processor from who has it. A packet that comes alone is answered at once. Where packets come
// fast that costs two switches for each, and often it is the server or the sender of more of them that is interrupted: there the worker
// waits for its turn (SCHED_BATCH, sched(7)), and finds several.
#pragma once

#include <chrono>
#include <cstddef>

namespace fwd::engine {

class Preemption {
 public:
  static constexpr std::chrono::milliseconds kWindow{100};
  static constexpr std::size_t kMany = 100;  // packets in a window

  // By the thread it is about, after each batch and each tick without one; `now` is CLOCK_MONOTONIC. A scheduling policy that
  // somebody else has chosen for the thread stays.
  void received(std::size_t packets, std::chrono::nanoseconds now) noexcept;

 private:
  std::chrono::nanoseconds window_ends_{0};
  std::size_t packets_ = 0;  // in this window
};

}  // namespace fwd::engine
