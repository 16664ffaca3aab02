#include "fwd/engine/source_meter.h"

#include <catch2/catch.hpp>

using fwd::engine::SourceMeter;
using rules::Address;
using namespace std::chrono_literals;

namespace {

const Address kHeavy = Address::v4(0x0a000007);

void count(SourceMeter& meter, const Address& source, int packets, std::chrono::nanoseconds now) {
  for (int i = 0; i < packets; ++i) meter.count(source, now);
}

}  // namespace

TEST_CASE("a source is heavy when it sends more than so many packets in one second") {
  SourceMeter meter(100);
  count(meter, kHeavy, 100, 5s);
  CHECK(meter.take_heavy().empty());
  count(meter, kHeavy, 100, 6s);
  CHECK(meter.take_heavy().empty());
  count(meter, kHeavy, 1, 6999ms);
  CHECK(meter.take_heavy() == std::vector{kHeavy});
  CHECK(meter.take_heavy().empty());
}

TEST_CASE("an IPv6 source counts like any other, and isn't the IPv4 one of the same number") {
  SourceMeter meter(100);
  count(meter, Address::v6(0, 0x0a000007), 101, 1s);
  CHECK(meter.take_heavy() == std::vector{Address::v6(0, 0x0a000007)});
}

TEST_CASE("without a threshold no source is heavy") {
  SourceMeter meter(0);
  count(meter, kHeavy, 100'000, 1s);
  CHECK(meter.take_heavy().empty());
}

TEST_CASE("forged sources neither hide a heavy one nor are taken for heavy") {
  SourceMeter meter(1000);
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    meter.count(Address::v4(0xc0000000 + i), 1s);
    if (i % 20 == 0) meter.count(kHeavy, 1s);
  }
  const auto heavy = meter.take_heavy();
  CHECK_FALSE(heavy.empty());
  for (const Address& source : heavy) CHECK(source == kHeavy);
}
