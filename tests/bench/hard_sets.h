// Five-tuple sets as policies and packets: as they are, in IPv6, on interfaces; and sets that no hash table divides.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rules/packet.h"
#include "rules/policy.h"
#include "tests/support/five_tuple.h"

namespace bench {

struct HardSet {
  std::string name;
  tests::FiveTupleSet tuples;  // what the same means in IPv4, for the scan
  rules::Policy policy;
  std::vector<rules::Packet> packets;   // of each header
  std::vector<std::string> interfaces;  // of each packet; empty: none has one
};

HardSet plain(const tests::FiveTupleSet& set);
// Each IPv4 address as the second 32 bits of a /64.
HardSet in_ipv6(const tests::FiveTupleSet& set);
// Each rule on one of eight interfaces; each packet on that of the rule that it matches.
HardSet on_interfaces(const tests::FiveTupleSet& set);

// Wild in both addresses; nested port ranges; all in one bucket.
std::vector<HardSet> adversarial(std::uint64_t seed, std::size_t rules, std::size_t headers);

}  // namespace bench
