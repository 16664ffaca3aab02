#include "fwd/audit/ring.h"

#include <array>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/fwd/audit/records.h"

namespace {

using fwd::audit::Loss;
using fwd::audit::Ring;
using fwd::audit::RingCounts;
using fwd::audit::test::at_time;

bool balanced(const RingCounts& counts) {
  return counts.decided == counts.settled + counts.lost + counts.waiting;
}

}  // namespace

TEST_CASE("records come out in the order they went in") {
  std::uint64_t decided = 0;
  Ring ring(4, decided);
  for (int time = 1; time <= 3; ++time) CHECK(ring.push(at_time(time)));
  REQUIRE(ring.head() - ring.tail() == 3);
  for (std::uint64_t position = 0; position < 3; ++position) {
    CHECK(ring.at(position).realtime_ns == static_cast<std::int64_t>(position) + 1);
  }
}

TEST_CASE("the capacity is rounded up to a power of two") {
  std::uint64_t decided = 0;
  Ring ring(5, decided);
  for (int time = 0; time < 8; ++time) CHECK(ring.push(at_time(time)));
  CHECK_FALSE(ring.push(at_time(8)));
}

TEST_CASE("of a batch the ring takes what fits, round its end too, and counts the rest as lost") {
  std::uint64_t decided = 0;
  Ring ring(4, decided);
  const std::array records{at_time(1), at_time(2), at_time(3)};
  CHECK(ring.push(records) == 3);
  ring.release(2);
  CHECK(ring.push(records) == 3);
  CHECK(ring.at(5).realtime_ns == 3);
  ring.release(1);
  CHECK(ring.push(records) == 1);
  CHECK(ring.losses()->count == 2);
  CHECK(ring.losses()->from_ns == 2);
  CHECK(balanced(ring.counts()));
}

TEST_CASE("a full ring counts what it loses, with the time that it fell into") {
  std::uint64_t decided = 0;
  Ring ring(2, decided);
  CHECK_FALSE(ring.losses());
  for (int time = 10; time <= 50; time += 10) ring.push(at_time(time));
  const auto loss = ring.losses();
  REQUIRE(loss);
  CHECK(loss->count == 3);
  CHECK(loss->from_ns == 30);
  CHECK(loss->to_ns == 50);
  const auto counts = ring.counts();
  CHECK(counts.decided == 5);
  CHECK(counts.lost == 3);
  CHECK(counts.waiting == 2);
  CHECK(counts.settled == 0);
}

TEST_CASE("an acknowledged loss is not reported again, and the next one has its own beginning") {
  std::uint64_t decided = 0;
  Ring ring(1, decided);
  ring.push(at_time(10));
  ring.push(at_time(20));
  ring.acknowledge(ring.losses().value());
  CHECK_FALSE(ring.losses());
  ring.push(at_time(30));
  ring.push(at_time(40));
  const auto loss = ring.losses();
  REQUIRE(loss);
  CHECK(loss->count == 2);
  CHECK(loss->from_ns == 30);
  CHECK(loss->to_ns == 40);
}

TEST_CASE("a loss between report and acknowledgement begins where the report ended") {
  std::uint64_t decided = 0;
  Ring ring(1, decided);
  ring.push(at_time(10));
  ring.push(at_time(20));
  const Loss reported = ring.losses().value();
  ring.push(at_time(30));
  ring.acknowledge(reported);
  const auto loss = ring.losses();
  REQUIRE(loss);
  CHECK(loss->count == 1);
  CHECK(loss->from_ns == 20);
  CHECK(loss->to_ns == 30);
}

TEST_CASE("a released place takes a record again") {
  std::uint64_t decided = 0;
  Ring ring(1, decided);
  CHECK(ring.push(at_time(1)));
  CHECK_FALSE(ring.push(at_time(2)));
  ring.release(1);
  CHECK(ring.push(at_time(3)));
  CHECK(balanced(ring.counts()));
}

TEST_CASE("between two threads no record is torn, doubled or lost without being counted") {
  constexpr std::int64_t kRecords = 200'000;
  std::uint64_t decided = 0;
  Ring ring(64, decided);
  std::thread producer([&] {
    for (std::int64_t time = 1; time <= kRecords; ++time) {
      auto record = at_time(time);
      record.policy_version = static_cast<std::uint64_t>(time);
      ring.push(record);
    }
  });
  std::int64_t last = 0;
  std::uint64_t seen = 0;
  std::uint64_t reported = 0;
  bool ordered = true;
  bool always_balanced = true;
  while (seen + reported < kRecords) {
    const std::uint64_t waiting = ring.head() - ring.tail();
    for (std::uint64_t at = 0; at < waiting; ++at) {
      const auto& record = ring.at(ring.tail() + at);
      ordered = ordered && record.realtime_ns > last &&
                record.policy_version == static_cast<std::uint64_t>(record.realtime_ns);
      last = record.realtime_ns;
    }
    ring.release(waiting);
    seen += waiting;
    if (const auto loss = ring.losses()) {
      ordered = ordered && loss->from_ns <= loss->to_ns;
      reported += loss->count;
      ring.acknowledge(*loss);
    }
    always_balanced = always_balanced && balanced(ring.counts());
  }
  producer.join();
  CHECK(ordered);
  CHECK(always_balanced);
  CHECK(seen + reported == kRecords);
  CHECK(ring.counts().lost == reported);
}
