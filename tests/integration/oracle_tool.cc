// Random policies, packets for them that a real host can be sent, and what the linear matcher says to each. Packets are
// lines: INTERFACE PROTOCOL SOURCE PORT DESTINATION PORT ICMP_TYPE ICMP_CODE HOP_LIMIT.
//     oracle policy SEED               prints a policy
//     oracle packets POLICY SEED MOST  prints at most so many
//     oracle decide POLICY             reads packets, prints a line for each: the action, and the id of the rule if any
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "tests/fuzz/policy_property.h"
#include "tests/support/linear_matcher.h"
#include "tests/support/near_misses.h"
#include "tests/support/policy_text.h"
#include "tests/support/random_policy.h"

namespace {

using rules::Address;
using rules::Family;
using rules::Packet;

constexpr std::uint64_t kTop = 1ULL
                               << 56U;  // of an IPv6 address's high half: one in its first byte

// Unicast, and nothing that the kernel drops on its way to the input hook.
bool sendable(const Address& address) {
  if (address.family == Family::V4) {
    const std::uint64_t first = address.low >> 24U;
    return first != 0 && first != 127 && first < 224;
  }
  return address.high >= 0x20 * kTop && address.high < 0x40 * kTop;
}

// What neither engine leaves to conntrack, which knows no more ICMP types as the start of something
// (nf_conntrack_proto_icmp.c, nf_conntrack_proto_icmpv6.c: 128 and 139; the others are untracked).
bool judged_by_headers(const Packet& packet) {
  static const std::set<unsigned> kIcmp{8, 13, 15, 17};
  static const std::set<unsigned> kIcmpv6{128, 130, 131, 132, 133, 134, 135, 136, 139, 143};
  static const std::set<unsigned> kExtensions{0,  43,  44,  59,
                                              60, 135, 139, 140};  // headers, not transports
  const bool v4 = packet.family() == Family::V4;
  switch (packet.protocol) {
    case rules::protocol::kIcmp:
      return v4 && kIcmp.contains(packet.icmp_type);
    case rules::protocol::kIcmpv6:
      return !v4 && kIcmpv6.contains(packet.icmp_type);
    case rules::protocol::kDccp:
      return false;
    default:
      return packet.protocol != 0 && (v4 || !kExtensions.contains(packet.protocol));
  }
}

rules::Policy read_policy(const char* path) {
  std::ifstream file{path};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  auto policy = tests::policy_from(text);
  if (!file || !policy) {
    std::cerr << path << ": not a policy\n";
    std::exit(1);
  }
  return std::move(*policy);
}

// At the edges of what the rules take for a destination.
std::vector<Address> own_addresses(const rules::Policy& policy) {
  std::set<Address> addresses{*rules::parse_address("10.0.0.11"),
                              *rules::parse_address("2001:db8::11")};
  for (const rules::Rule& rule : policy.rules) {
    if (rule.match.destination.any()) continue;
    for (const auto& range : rule.match.destination.members->ranges()) {
      for (const Address& edge : tests::edges(range)) {
        if (sendable(edge)) addresses.insert(edge);
      }
    }
  }
  return {addresses.begin(), addresses.end()};
}

// Moves what a rule leaves open to where it can be sent from and to; false where a rule doesn't leave it open.
class Sender {
 public:
  Sender(const rules::Policy& policy, std::uint64_t seed)
      : own_(own_addresses(policy)), random_{seed} {}

  bool fit(tests::Probe& probe) {
    Packet& packet = probe.packet;
    if (!sendable(packet.source)) packet.source = any_source(packet.family());
    if (!std::binary_search(own_.begin(), own_.end(), packet.destination))
      packet.destination = any_own(packet.family());
    if (packet.hop_limit == 0) packet.hop_limit = 64;
    const bool interface = probe.interface == "eth0" || probe.interface == "eth1";
    return interface && probe.direction == rules::Direction::In && judged_by_headers(packet);
  }

 private:
  Address any_source(Family family) {
    if (family == Family::V4)
      return Address::v4(static_cast<std::uint32_t>(0x0b000000 | random_() >> 40U));
    return Address::v6(0x2001ULL << 48U | random_() >> 16U, random_());
  }
  Address any_own(Family family) {
    while (true) {
      const Address& address = own_[random_() % own_.size()];
      if (address.family == family) return address;
    }
  }

  std::vector<Address> own_;
  std::mt19937_64 random_;
};

std::string line(const tests::Probe& probe) {
  const Packet& packet = probe.packet;
  return fmt::format("{} {} {} {} {} {} {} {} {}", probe.interface, packet.protocol,
                     to_string(packet.source), packet.has_ports ? packet.source_port : 0,
                     to_string(packet.destination), packet.has_ports ? packet.destination_port : 0,
                     packet.has_icmp ? packet.icmp_type : 0, packet.has_icmp ? packet.icmp_code : 0,
                     packet.hop_limit);
}

tests::Probe read_line(const std::string& text) {
  std::istringstream words{text};
  tests::Probe probe;
  Packet& packet = probe.packet;
  std::string source;
  std::string destination;
  unsigned protocol = 0;
  unsigned type = 0;
  unsigned code = 0;
  unsigned hop_limit = 0;
  words >> probe.interface >> protocol >> source >> packet.source_port >> destination >>
      packet.destination_port >> type >> code >> hop_limit;
  packet.source = rules::parse_address(source).value();
  packet.destination = rules::parse_address(destination).value();
  packet.protocol = static_cast<std::uint8_t>(protocol);
  packet.icmp_type = static_cast<std::uint8_t>(type);
  packet.icmp_code = static_cast<std::uint8_t>(code);
  packet.hop_limit = static_cast<std::uint8_t>(hop_limit);
  packet.has_ports = rules::has_ports(packet.protocol);
  packet.has_icmp =
      packet.protocol == rules::protocol::kIcmp || packet.protocol == rules::protocol::kIcmpv6;
  return probe;
}

void print_packets(const rules::Policy& policy, std::uint64_t seed, std::size_t most) {
  auto probes = tests::near_misses(policy, seed);
  tests::RandomPolicies generator{seed};
  for (std::size_t left = probes.size() / 4; left > 0; --left)
    probes.push_back(generator.probe(policy));
  Sender sender{policy, seed};
  std::set<std::string> lines;
  for (tests::Probe& probe : probes) {
    if (sender.fit(probe)) lines.insert(line(probe));
  }
  std::vector<std::string> chosen;
  std::sample(lines.begin(), lines.end(), std::back_inserter(chosen), most, std::mt19937_64{seed});
  for (const std::string& each : chosen) std::cout << each << '\n';
}

std::string deciding_rule(const rules::Policy& policy, const rules::Decision& decision) {
  switch (decision.by) {
    case rules::DecidedBy::Builtin:
      return policy.builtin_rules[decision.index].id.str();
    case rules::DecidedBy::Rule:
      return policy.rules[decision.index].id.str();
    case rules::DecidedBy::Default:
      return "";
  }
  return "";
}

void decide(const rules::Policy& policy) {
  for (std::string text; std::getline(std::cin, text);) {
    const auto probe = read_line(text);
    const auto decision =
        tests::classify_linearly(policy, probe.packet, probe.direction, probe.interface);
    std::cout << to_string(decision.action) << ' ' << deciding_rule(policy, decision) << '\n';
  }
}

std::uint64_t number(const char* text) {
  return std::strtoull(text, nullptr, 10);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 2 ? argv[1] : "";
  if (command == "policy") {
    std::cout << tests::random_policy_text(number(argv[2]));
  } else if (command == "packets" && argc == 5) {
    print_packets(read_policy(argv[2]), number(argv[3]), number(argv[4]));
  } else if (command == "decide") {
    decide(read_policy(argv[2]));
  } else {
    std::cerr << "usage: oracle_tool policy SEED | packets POLICY SEED MOST | "
                 "decide POLICY\n";
    return 2;
  }
  return 0;
}
