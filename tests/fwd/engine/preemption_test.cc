#include "fwd/engine/preemption.h"

#include <chrono>
#include <initializer_list>
#include <thread>

#include <catch2/catch.hpp>
#include <sched.h>

namespace {

using fwd::engine::Preemption;
using std::chrono::nanoseconds;

// In windows one after the other so many packets come; the thread's policy at the end.
int policy_after(std::initializer_list<std::size_t> windows, int before = SCHED_OTHER) {
  int policy = -1;
  std::thread([&] {
    const sched_param none{};
    if (sched_setscheduler(0, before, &none) != 0) return;
    Preemption preemption;
    nanoseconds now = std::chrono::hours(1);
    preemption.received(0, now);
    for (const std::size_t packets : windows) {
      for (std::size_t i = 0; i < packets; ++i) preemption.received(1, now);
      preemption.received(0, now += Preemption::kWindow);
    }
    policy = sched_getscheduler(0);
  }).join();
  return policy;
}

}  // namespace

TEST_CASE("A worker waits for its turn while packets come fast") {
  CHECK(policy_after({}) == SCHED_OTHER);
  CHECK(policy_after({1, 5, Preemption::kMany - 1}) == SCHED_OTHER);
  CHECK(policy_after({Preemption::kMany}) == SCHED_BATCH);
  CHECK(policy_after({5000, 5000}) == SCHED_BATCH);
}

TEST_CASE("A packet that comes alone after many is answered at once again") {
  CHECK(policy_after({5000, 1}) == SCHED_OTHER);
  CHECK(policy_after({5000, 0}) == SCHED_OTHER);
}

TEST_CASE("A scheduling policy of the administrator's stays") {
  CHECK(policy_after({5000}, SCHED_IDLE) == SCHED_IDLE);
  CHECK(policy_after({0}, SCHED_IDLE) == SCHED_IDLE);
}
