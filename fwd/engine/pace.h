// How a worker goes about packets that come fast. One that comes alone is answered at once. Where many come, to be woken for each costs
// more than to judge it, and often it is the server or the sender of more of them that is interrupted. There the worker waits for its
// turn on the processor (SCHED_BATCH, sched(7)), and where very many come it lets some gather before it receives again, as a network
// card's driver does.
//
// Who waits for an answer before sending the next packet is only slowed down by that. So it is tried: the windows of a round pause as
// long as they bring as many packets as its first one, which doesn't. Where fewer come, the next window goes without: if it is nearer to
// the one that paused than to the first, there are fewer packets anyway, and another round begins with it. Bursts that end within a
// window can't be told from that.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace fwd::engine {

class Pace {
 public:
  static constexpr std::chrono::milliseconds kWindow{100};
  static constexpr unsigned kRound = 16;         // windows
  static constexpr std::size_t kMany = 100;      // packets in a window
  static constexpr std::size_t kVeryMany = 500;  // likewise
  static constexpr std::chrono::microseconds kPause{500};
  static constexpr std::size_t kEnough = 32;  // packets in a batch, after which more already wait

  // By the worker's thread after each batch, and each tick without one; `now` is CLOCK_MONOTONIC. How long to wait before it receives
  // again: kPause or nothing. The thread's scheduling policy stays where somebody else has chosen it.
  std::chrono::nanoseconds received(std::size_t packets, std::chrono::nanoseconds now) noexcept;

 private:
  void end_window() noexcept;

  std::chrono::nanoseconds window_ends_{0};
  std::size_t packets_ = 0;        // in this window
  std::size_t without_pause_ = 0;  // packets in the round's first window
  unsigned window_ = 0;            // of the round
  bool pausing_ = false;
  // Packets in the window before, if it paused and brought fewer.
  std::optional<std::size_t> suspected_;
};

}  // namespace fwd::engine
