// Rules on IPv4 addresses, ports and protocol, as the literature has them: made up, or read from
// files in ClassBench's format. For benchmarks, and for tests with many rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rules/packet.h"
#include "rules/policy.h"

namespace tests {

struct FiveTupleRule {
  std::uint32_t source_first = 0;
  std::uint32_t source_last = ~0U;
  std::uint32_t destination_first = 0;
  std::uint32_t destination_last = ~0U;
  rules::PortRange source_ports{0, 0xffff};
  rules::PortRange destination_ports{0, 0xffff};
  std::optional<std::uint8_t> protocol;
};

struct FiveTupleHeader {
  std::uint32_t source = 0;
  std::uint32_t destination = 0;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint8_t protocol = 0;
  std::optional<std::size_t> expected;  // the first rule that matches, as the trace says
};

struct FiveTupleSet {
  std::string name;
  std::vector<FiveTupleRule> rules;
  std::vector<FiveTupleHeader> headers;
};

// Many exact pairs, nested prefixes, port ranges, a few rules that are wild in both addresses;
// headers on the corners and inside of the rules. The same seed gives the same set.
FiveTupleSet generate_five_tuples(std::uint64_t seed, std::size_t rules, std::size_t headers);

// A set of the shared data, "acl1" with size "10k"; nothing where it isn't there.
std::optional<FiveTupleSet> read_classbench(const std::string& name, const std::string& size);

// The first that matches, one after the other over plain structs: what a classifier must be faster
// than.
std::optional<std::size_t> first_match(const std::vector<FiveTupleRule>& rules,
                                       const FiveTupleHeader& header);

rules::Policy to_policy(const std::vector<FiveTupleRule>& rules);
rules::Packet to_packet(const FiveTupleHeader& header);

}  // namespace tests
