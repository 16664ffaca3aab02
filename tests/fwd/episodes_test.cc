#include "fwd/episodes.h"

#include <catch2/catch.hpp>

using fwd::CopyLook;
using fwd::CopyReason;
using fwd::Episodes;
using fwd::kernel::CopyCounters;
using Change = fwd::Episodes::Change;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::steady_clock::time_point kStart{};

CopyLook look_at(std::chrono::milliseconds time, const CopyCounters& counters) {
  return {.at = kStart + time, .counters = counters};
}

CopyReason reason_of(const CopyLook& look) {
  Episodes episodes;
  REQUIRE(episodes.look(look) == Change::Began);
  return episodes.current()->main_reason();
}

}  // namespace

TEST_CASE("as long as the copy decides nothing there is no episode") {
  Episodes episodes;
  for (const auto time : {0ms, 500ms, 10'000ms})
    CHECK(episodes.look(look_at(time, {})) == Change::None);
  CHECK(episodes.count() == 0);
}

TEST_CASE("an episode lasts until the copy has been quiet for a while, and counts exactly") {
  Episodes episodes;
  CHECK(episodes.look(look_at(0s, {})) == Change::None);
  CHECK(episodes.look(look_at(1s, {5, 2, 1, 0})) == Change::Began);
  CHECK(episodes.look(look_at(2s, {5, 2, 1, 0})) == Change::None);
  CHECK(episodes.look(look_at(3s, {9, 2, 1, 0})) == Change::None);
  CHECK(episodes.look(look_at(5900ms, {9, 2, 1, 0})) == Change::None);
  CHECK(episodes.look(look_at(6s, {9, 2, 1, 0})) == Change::Quiet);

  const fwd::Episode ended = episodes.end({10, 2, 1, 0});
  CHECK(ended.packets == CopyCounters{10, 2, 1, 0});
  CHECK(ended.began == kStart + 1s);
  CHECK(ended.last == kStart + 3s);
  CHECK_FALSE(episodes.current());
  CHECK(episodes.look(look_at(7s, {})) == Change::None);
}

TEST_CASE("every packet is in exactly one episode") {
  Episodes episodes;
  episodes.look(look_at(0s, {3, 0, 0, 0}));
  REQUIRE(episodes.look(look_at(3s, {3, 0, 0, 0})) == Change::Quiet);
  CHECK(episodes.end({3, 0, 0, 0}).packets.decided() == 3);
  CHECK(episodes.look(look_at(4s, {4, 0, 0, 0})) == Change::Began);
  REQUIRE(episodes.look(look_at(7s, {4, 0, 0, 0})) == Change::Quiet);
  CHECK(episodes.end({4, 0, 0, 0}).packets.decided() == 4);
  CHECK(episodes.total() == CopyCounters{7, 0, 0, 0});
  CHECK(episodes.count() == 2);
}

TEST_CASE("counters that begin anew in the middle of an episode add up") {
  Episodes episodes;
  episodes.look(look_at(0s, {100, 50, 0, 0}));
  episodes.look(look_at(1s, {10, 5, 0, 0}));
  CHECK(episodes.total() == CopyCounters{110, 55, 0, 0});
}

TEST_CASE("the reason is what is known of the packets' way to the copy") {
  CHECK(reason_of(look_at(0s, {7, 3, 0, 0})) == CopyReason::QueueFull);
  CHECK(reason_of(look_at(0s, {7, 2, 1, 10})) == CopyReason::Shed);
  CHECK(reason_of(look_at(0s, {7, 3, 1, 10})) == CopyReason::QueueFull);
  CopyLook look = look_at(0s, {7, 3, 0, 0});
  look.overruns = 1;
  CHECK(reason_of(look) == CopyReason::BufferFull);
  look.no_lease = true;
  CHECK(reason_of(look) == CopyReason::NoAnswer);
  look.restart = true;
  CHECK(reason_of(look) == CopyReason::Restart);
}

TEST_CASE("overruns before an episode don't explain it") {
  Episodes episodes;
  CopyLook look = look_at(0s, {});
  look.overruns = 4;
  CHECK(episodes.look(look) == Change::None);
  look.counters.denied = 1;
  CHECK(episodes.look(look) == Change::Began);
  CHECK(episodes.current()->main_reason() == CopyReason::QueueFull);
}

TEST_CASE("without a lease there is an episode, with packets or without; a restart needs packets") {
  Episodes episodes;
  CopyLook look = look_at(0s, {});
  look.restart = true;
  CHECK(episodes.look(look) == Change::None);
  look = look_at(1s, {});
  look.no_lease = true;
  CHECK(episodes.look(look) == Change::Began);
  look.at = kStart + 20s;
  CHECK(episodes.look(look) == Change::None);
  CHECK(episodes.look(look_at(23s, {})) == Change::Quiet);
  CHECK(episodes.end({}).main_reason() == CopyReason::NoAnswer);
}
