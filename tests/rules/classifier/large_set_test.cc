// Sets of addresses as large as anybody has: a rule that names one is still one entry.
#include <catch2/catch.hpp>

#include "rules/classifier/classifier.h"
#include "tests/support/random.h"
#include "tests/support/random_policy.h"

using namespace rules;

namespace {

constexpr std::size_t kMembers = 1'000'000;

// Every fourth address from 10.0.0.0 on, and of IPv6 the same number of addresses with two ranges among them.
AddressRange member(std::size_t i) {
  if (i % 2 == 0) {
    const auto address = Address::v4(static_cast<std::uint32_t>(0x0a000000 + 4 * i));
    return {address, address};
  }
  const auto first = Address::v6(0x20010db800000000ULL, 16 * i);
  return {first, Address::v6(0x20010db800000000ULL, 16 * i + (i % 1001 == 0 ? 7 : 0))};
}

bool is_member(const Address& address) {
  if (address.family == Family::V4) {
    const std::uint64_t offset = address.low - 0x0a000000;
    return address.low >= 0x0a000000 && offset % 8 == 0 && offset / 4 < kMembers;
  }
  const std::uint64_t i = address.low / 16;
  return address.high == 0x20010db800000000ULL && i % 2 == 1 && i < kMembers &&
         address.low % 16 <= (i % 1001 == 0 ? 7U : 0U);
}

Packet packet_from(const Address& source) {
  Packet packet;
  packet.source = source;
  packet.destination = source.family == Family::V4 ? Address::v4(1) : Address::v6(0, 1);
  packet.protocol = protocol::kTcp;
  packet.has_ports = true;
  return packet;
}

}  // namespace

TEST_CASE("a set with a million members is built, looked up and counted in bounded memory") {
  std::vector<AddressRange> ranges;
  ranges.reserve(kMembers);
  for (std::size_t i = 0; i < kMembers; ++i) ranges.push_back(member(i));
  Match match;
  match.source = {std::make_shared<const AddressSet>(ranges), "a million"};
  Match rest;
  const classifier::Pattern patterns[] = {{&match, {}}, {&rest, {}}};
  classifier::Classifier classifier{patterns};
  // Half of the members of each family; a table of them is full by a third at least, and made of powers of two.
  CHECK(classifier.memory_bytes() < kMembers / 2 * 3 * (sizeof(std::uint32_t) + 16) + (1U << 20U));

  const auto version = classifier.publish();
  tests::Random random{tests::test_seed()};
  std::vector<Packet> packets;
  for (std::size_t i = 0; i < 20'000; ++i) {
    Address address = member(random.below(kMembers)).first;
    if (random.one_in(2)) address.low += random.below(12);  // beside it
    packets.push_back(packet_from(address));
  }
  std::vector<classifier::Query> queries;
  for (const Packet& packet : packets) queries.push_back({&packet, kOtherInterface});
  std::vector<classifier::Found> found(queries.size());
  version->first_matches(queries, found);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const classifier::Slot expected = is_member(packets[i].source) ? 0 : 1;
    wrong += found[i].slot != expected;
    wrong += version->first_match(packets[i], kOtherInterface).slot != expected;
  }
  CHECK(wrong == 0);
}

TEST_CASE("rules that name the same large set share what is made of it") {
  std::vector<AddressRange> ranges;
  for (std::size_t i = 0; i < 100'000; ++i) ranges.push_back(member(i));
  const auto members = std::make_shared<const AddressSet>(ranges);
  std::vector<Match> matches(50);
  std::vector<classifier::Pattern> patterns;
  for (std::uint16_t port = 0; Match & match : matches) {
    match.source = {members, "shared"};
    match.destination_ports = {{port, port}};
    ++port;
    patterns.push_back({&match, {}});
  }
  const auto bytes_of = [&](std::size_t rules) {
    return classifier::Classifier{std::span{patterns}.first(rules)}.memory_bytes();
  };
  CHECK(bytes_of(50) < bytes_of(1) + 50 * 1000);
}
