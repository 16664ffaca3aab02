#include "fwd/engine/sample.h"

#include <cmath>
#include <cstdlib>

#include <catch2/catch.hpp>

#include "tests/fwd/audit/records.h"

namespace {

using fwd::engine::in_sample;

rules::Packet connection(std::uint32_t number) {
  rules::Packet first =
      fwd::audit::test::tcp("203.0.113.7", static_cast<std::uint16_t>(number), "10.0.0.11", 80);
  first.source.low += number >> 16U;
  return first;
}

}  // namespace

TEST_CASE("one in so many is in the sample, whatever the number and the seed") {
  constexpr std::uint32_t kConnections = 200'000;
  for (const std::uint32_t one_in : {2U, 10U, 1000U}) {
    for (const std::uint64_t seed : {0ULL, 1ULL, 0xffffffffffffffffULL}) {
      std::uint32_t chosen = 0;
      for (std::uint32_t number = 0; number < kConnections; ++number) {
        if (in_sample(connection(number), one_in, seed)) ++chosen;
      }
      // Five standard deviations: sqrt(expected) is more than one.
      const double expected = double{kConnections} / one_in;
      CHECK(std::abs(chosen - expected) < 5 * std::sqrt(expected));
    }
  }
}

TEST_CASE("a connection's ends alone decide, and the seed") {
  const rules::Packet first = connection(51514);
  rules::Packet other = first;
  other.tcp_flags = 0;
  other.hop_limit = 1;
  other.length = 1500;
  std::uint32_t moved = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    CHECK(in_sample(first, 2, seed) == in_sample(other, 2, seed));
    if (in_sample(first, 2, seed) != in_sample(first, 2, seed + 1)) ++moved;
  }
  CHECK(moved > 400);
}

TEST_CASE("of one in one all are chosen") {
  for (std::uint32_t number = 0; number < 1000; ++number)
    CHECK(in_sample(connection(number), 1, number));
}
