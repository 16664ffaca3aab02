#include "fwd/engine/preemption.h"

#include <utility>

#include <sched.h>

namespace fwd::engine {

void Preemption::received(std::size_t packets, std::chrono::nanoseconds now) noexcept {
  packets_ += packets;
  if (now < window_ends_) return;
  window_ends_ = now + kWindow;
  const int wanted = std::exchange(packets_, 0) >= kMany ? SCHED_BATCH : SCHED_OTHER;
  const int current = sched_getscheduler(0);  // of this thread
  if (current == wanted || (current != SCHED_OTHER && current != SCHED_BATCH)) return;
  // Needs no privilege between these two; where it is refused, all goes on as it was.
  const sched_param none{};
  sched_setscheduler(0, wanted, &none);
}

}  // namespace fwd::engine
