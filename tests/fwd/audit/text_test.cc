#include "fwd/audit/text.h"

#include <random>

#include <catch2/catch.hpp>

namespace {

using fwd::audit::append_address;
using fwd::audit::append_endpoint;
using fwd::audit::TimeText;

std::string text_of(const rules::Address& address) {
  std::string out;
  append_address(out, address);
  return out;
}

std::string time_of(std::int64_t realtime_ns) {
  std::string out;
  TimeText().append(out, realtime_ns);
  return out;
}

}  // namespace

TEST_CASE("an address has the same text here as everywhere else") {
  std::mt19937_64 random(1);
  // Masks that leave many groups zero.
  const auto half = [&] {
    return random() & (random() % 2 == 0 ? 0xffff00000000ffff : 0x0000ffff0000ffff);
  };
  for (int round = 0; round < 5000; ++round) {
    const auto v4 = rules::Address::v4(static_cast<std::uint32_t>(random()));
    const auto v6 = rules::Address::v6(half(), half());
    const auto mapped = rules::Address::v6(0, 0xffff00000000 | (random() & 0xffffffff));
    REQUIRE(text_of(v4) == to_string(v4));
    REQUIRE(text_of(v6) == to_string(v6));
    REQUIRE(text_of(mapped) == to_string(mapped));
  }
  CHECK(text_of(rules::Address::v6(0, 0)) == "::");
  CHECK(text_of(rules::Address::v6(0, 1)) == "::1");
}

TEST_CASE("an IPv6 address with a port stands in brackets") {
  std::string out;
  append_endpoint(out, rules::parse_address("2001:db8::1").value(), 443);
  append_endpoint(out.append(" "), rules::parse_address("192.0.2.1").value(), 80);
  CHECK(out == "[2001:db8::1]:443 192.0.2.1:80");
}

TEST_CASE("times are UTC with microseconds, cut and not rounded") {
  CHECK(time_of(0) == "1970-01-01T00:00:00.000000Z");
  CHECK(time_of(951'782'400'000'000'000) == "2000-02-29T00:00:00.000000Z");
  CHECK(time_of(1'787'220'930'123'456'789) == "2026-08-20T10:15:30.123456Z");
  CHECK(time_of(1'798'761'599'999'999'999) == "2026-12-31T23:59:59.999999Z");
}

TEST_CASE("the kept second follows the time in both directions") {
  TimeText text;
  std::string out;
  text.append(out, 1'000'000'000);
  text.append(out.append(" "), 2'500'000'000);
  text.append(out.append(" "), 1'250'000'000);
  CHECK(out ==
        "1970-01-01T00:00:01.000000Z 1970-01-01T00:00:02.500000Z 1970-01-01T00:00:01.250000Z");
}
