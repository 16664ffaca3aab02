// How long a worker lets packets gather. While they come so fast that a short wait brings several, a
// wake-up for each few of them costs more than judging them; so it then waits before it receives
// again, as network cards moderate their interrupts. While it is calm, a packet finds the worker
// waiting for it and is delayed by nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "fwd/kernel/packet_source.h"

namespace fwd::engine {

class Pace {
 public:
  static constexpr std::chrono::microseconds kWait{200};
  static constexpr std::uint64_t kWorthwhile = 4;  // packets to be expected in that time

  // After a batch: how long to wait before the next. `now` in any clock that doesn't step back.
  std::chrono::nanoseconds after(std::size_t packets, std::chrono::nanoseconds now) noexcept {
    packets_ += packets;
    const auto elapsed = now - since_;
    if (elapsed >= kWindow) {
      busy_ = packets_ * kWait >= kWorthwhile * elapsed;
      packets_ = 0;
      since_ = now;
    }
    // Behind a full batch there are more.
    const bool waits = busy_ && packets < kernel::kBatchPackets;
    return waits ? kWait : std::chrono::nanoseconds(0);
  }

 private:
  static constexpr std::chrono::milliseconds kWindow{1};  // at least, that the rate is taken over

  std::chrono::nanoseconds since_{0};
  std::uint64_t packets_ = 0;
  bool busy_ = false;
};

}  // namespace fwd::engine
