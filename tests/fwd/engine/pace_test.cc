#include "fwd/engine/pace.h"

#include <catch2/catch.hpp>

namespace {

using fwd::engine::Pace;
using namespace std::chrono_literals;

// The wait after the last of so many batches, one every `interval`.
std::chrono::nanoseconds wait_after(Pace& pace, int batches, std::size_t packets,
                                    std::chrono::nanoseconds interval) {
  static std::chrono::nanoseconds now = 1h;
  std::chrono::nanoseconds wait{0};
  for (int batch = 0; batch < batches; ++batch) wait = pace.after(packets, now += interval);
  return wait;
}

}  // namespace

TEST_CASE("a worker waits for nothing while packets come one by one") {
  Pace pace;
  CHECK(wait_after(pace, 100, 1, 100us) == 0ns);
}

TEST_CASE("a worker lets packets gather while several come in that time") {
  Pace pace;
  CHECK(wait_after(pace, 100, 1, 40us) == Pace::kWait);
  CHECK(wait_after(pace, 100, 8, 300us) == Pace::kWait);
}

TEST_CASE("a short burst out of the calm isn't waited for") {
  Pace pace;
  wait_after(pace, 1, 1, 10ms);
  CHECK(wait_after(pace, 5, 8, 100us) == 0ns);
}

TEST_CASE("a worker behind a full batch goes on at once") {
  Pace pace;
  CHECK(wait_after(pace, 100, fwd::kernel::kBatchPackets, 150us) == 0ns);
}

TEST_CASE("the first pause ends the waiting") {
  Pace pace;
  REQUIRE(wait_after(pace, 100, 8, 100us) == Pace::kWait);
  CHECK(wait_after(pace, 1, 0, fwd::kernel::kTick) == 0ns);
  CHECK(wait_after(pace, 1, 1, 1us) == 0ns);
}
