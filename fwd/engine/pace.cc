#include "fwd/engine/pace.h"

#include <sched.h>

namespace fwd::engine {
namespace {

// Between these two a thread may change without privilege. Where it is refused, all goes on as it was.
void wait_for_turn(bool wait) {
  const int wanted = wait ? SCHED_BATCH : SCHED_OTHER;
  const int current = sched_getscheduler(0);  // of this thread
  if (current == wanted || (current != SCHED_OTHER && current != SCHED_BATCH)) return;
  const sched_param none{};
  sched_setscheduler(0, wanted, &none);
}

}  // namespace

std::chrono::nanoseconds Pace::received(std::size_t packets,
                                        std::chrono::nanoseconds now) noexcept {
  packets_ += packets;
  if (now >= window_ends_) {
    wait_for_turn(packets_ >= kMany);
    end_window();
    window_ends_ = now + kWindow;
    packets_ = 0;
  }
  return pausing_ && packets < kEnough ? kPause : std::chrono::nanoseconds(0);
}

void Pace::end_window() noexcept {
  const bool fewer_anyway = suspected_ && 2 * packets_ < *suspected_ + without_pause_;
  if (fewer_anyway) window_ = 0;
  suspected_.reset();
  const bool first = window_ == 0;
  if (first) without_pause_ = packets_;
  const bool as_many = 8 * packets_ >= 7 * without_pause_;
  if (pausing_ && !as_many) suspected_ = packets_;
  window_ = without_pause_ < kVeryMany ? 0 : (window_ + 1) % kRound;
  pausing_ = window_ != 0 && as_many && (first || pausing_);
}

}  // namespace fwd::engine
