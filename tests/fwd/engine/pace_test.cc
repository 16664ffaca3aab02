#include "fwd/engine/pace.h"

#include <array>
#include <chrono>
#include <initializer_list>
#include <thread>

#include <catch2/catch.hpp>
#include <sched.h>
#include <sys/resource.h>

#include "fwd/engine/worker.h"
#include "tests/fwd/engine/fixtures.h"

namespace {

using fwd::engine::Pace;
using std::chrono::nanoseconds;

// A worker whose packets come one by one, in windows one after the other.
class Windows {
 public:
  Windows() { pace_.received(0, now_); }

  // The pause after the last of so many packets, and whatever ends the window.
  nanoseconds pass(std::size_t packets) {
    for (std::size_t i = 0; i < packets; ++i) pace_.received(1, now_);
    return pace_.received(0, now_ += Pace::kWindow);
  }

  // In the window that has begun.
  nanoseconds after_batch_of(std::size_t packets) { return pace_.received(packets, now_); }

  // So many windows of so many packets; of how many another one begins with a pause.
  unsigned pauses_of(unsigned windows, std::size_t packets) {
    unsigned pauses = 0;
    while (windows-- > 0) pauses += pass(packets) == Pace::kPause ? 1 : 0;
    return pauses;
  }

 private:
  Pace pace_;
  nanoseconds now_ = std::chrono::hours(1);
};

int policy_after(std::initializer_list<std::size_t> windows, int before = SCHED_OTHER) {
  int policy = -1;
  std::thread([&] {
    const sched_param none{};
    if (sched_setscheduler(0, before, &none) != 0) return;
    Windows passing;
    for (const std::size_t packets : windows) passing.pass(packets);
    policy = sched_getscheduler(0);
  }).join();
  return policy;
}

constexpr std::size_t kFast = 2 * Pace::kVeryMany;

}  // namespace

TEST_CASE("A worker waits for its turn while packets come fast") {
  CHECK(policy_after({}) == SCHED_OTHER);
  CHECK(policy_after({1, 5, Pace::kMany - 1}) == SCHED_OTHER);
  CHECK(policy_after({Pace::kMany}) == SCHED_BATCH);
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

TEST_CASE("A worker lets packets gather only where very many come") {
  Windows windows;
  CHECK(windows.pauses_of(2 * Pace::kRound, Pace::kVeryMany - 1) == 0);
  CHECK(windows.pass(Pace::kVeryMany) == Pace::kPause);
}

TEST_CASE("A worker whose batch says that more packets wait already doesn't let them wait longer") {
  Windows windows;
  windows.pass(kFast);
  CHECK(windows.after_batch_of(Pace::kEnough - 1) == Pace::kPause);
  CHECK(windows.after_batch_of(Pace::kEnough) == nanoseconds(0));
}

TEST_CASE(
    "A worker goes on with pauses that cost no packets, and looks once a round whether they do") {
  Windows windows;
  CHECK(windows.pauses_of(3 * Pace::kRound, kFast) == 3 * (Pace::kRound - 1));
}

TEST_CASE("A worker leaves off for a round where pauses only slow its senders down") {
  Windows windows;
  for (int round = 0; round < 3; ++round) {
    CHECK(windows.pass(kFast) == Pace::kPause);
    CHECK(windows.pass(kFast / 2) == nanoseconds(0));
    CHECK(windows.pauses_of(Pace::kRound - 2, kFast) == 0);
  }
}

TEST_CASE("A worker goes on with pauses where fewer packets come for another reason") {
  Windows windows;
  windows.pass(10 * kFast);
  CHECK(windows.pass(kFast) == nanoseconds(0));
  CHECK(windows.pauses_of(Pace::kRound - 1, kFast) == Pace::kRound - 1);
  CHECK(windows.pass(kFast) == nanoseconds(0));
}

TEST_CASE(
    "A worker leaves off for a round also where pauses slow senders down by little, or few packets "
    "come") {
  Windows windows;
  const auto [first, paused, without] = GENERATE(std::array<std::size_t, 3>{510, 225, 495},
                                                 std::array<std::size_t, 3>{1000, 860, 950});
  CHECK(windows.pass(first) == Pace::kPause);
  CHECK(windows.pass(paused) == nanoseconds(0));
  CHECK(windows.pauses_of(Pace::kRound - 2, without) == 0);
}

TEST_CASE("A worker lets the next flood's packets gather soon after one has ended") {
  Windows windows;
  windows.pass(10 * kFast);
  windows.pass(3);
  windows.pass(5);
  CHECK(windows.pauses_of(2, kFast) == 2);
}

TEST_CASE("A worker doesn't pause any longer than a round after the flood has ended") {
  Windows windows;
  windows.pass(kFast);
  CHECK(windows.pass(1) == nanoseconds(0));
  CHECK(windows.pauses_of(2 * Pace::kRound, 1) == 0);
}

TEST_CASE(
    "a worker to whom very many packets come lets them gather: it sleeps without being made to") {
  fwd::engine::SnapshotBoard board;
  board.post(tests::snapshot(
      tests::active(tests::policy_of({tests::tcp_rule(rules::Action::Allow, 80)}), 7, 5), 1));
  tests::KeepingSink sink;
  constexpr long kPauses = 20;
  const auto sleeps = [] {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
  };
  long slept = 0;
  std::thread([&] {  // since its scheduling policy changes as well
    std::vector<tests::Queued> batch;
    // One that leaves no record.
    batch.emplace_back(1, fwd::kernel::PacketClass::Again,
                       tests::bytes(tests::IPv4{} / tests::Tcp{.dport = 80}));
    fwd::engine::Worker worker(0, std::make_unique<tests::EndlessSource>(std::move(batch)), board,
                               sink);
    for (int steps = 0; steps < 20'000'000 && slept < kPauses; ++steps) {
      if (!worker.step()) break;
      if (steps % 100 == 99) slept = sleeps();
    }
  })
      .join();
  CHECK(slept >= kPauses);
}
