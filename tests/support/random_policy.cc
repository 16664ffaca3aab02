#include "tests/support/random_policy.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <fmt/core.h>

namespace tests {
namespace {

using rules::Address;
using rules::Family;

constexpr const char* kInterfaces[] = {"eth0", "eth1", "lo"};
constexpr std::uint8_t kProtocols[] = {1, 2, 6, 6, 6, 17, 17, 33, 47, 50, 51, 58, 132, 136, 255};
constexpr std::uint16_t kPorts[] = {0, 1, 22, 80, 443, 1023, 1024, 3306, 32768, 65534, 65535};
constexpr std::uint8_t kIcmpTypes[] = {0, 3, 8, 128, 135, 255};
constexpr std::uint8_t kHopLimits[] = {1, 254, 255};

// The next address up or down, around the ends.
Address step(Address address, bool up) {
  if (address.family == Family::V4) {
    return Address::v4(static_cast<std::uint32_t>(up ? address.low + 1 : address.low - 1));
  }
  const std::uint64_t low = up ? address.low + 1 : address.low - 1;
  const bool carry = up ? low == 0 : address.low == 0;
  const std::uint64_t high = !carry ? address.high : up ? address.high + 1 : address.high - 1;
  return Address::v6(high, low);
}

rules::AddressMatch literal(std::vector<rules::AddressRange> ranges) {
  rules::AddressMatch match;
  match.members = std::make_shared<const rules::AddressSet>(ranges);
  return match;
}

}  // namespace

std::uint64_t test_seed() {
  const char* const text = std::getenv("FWD_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 0) : std::random_device{}();
}

std::string describe(const Probe& probe) {
  const auto& packet = probe.packet;
  return fmt::format(
      "{} on '{}': {} port {} -> {} port {}, protocol {}{}, type {} code {}, hop limit {}",
      probe.direction == rules::Direction::In ? "in" : "out", probe.interface,
      to_string(packet.source), packet.source_port, to_string(packet.destination),
      packet.destination_port, packet.protocol, packet.has_ports ? " with ports" : "",
      packet.icmp_type, packet.icmp_code, packet.hop_limit);
}

rules::AddressRange RandomPolicies::address_range() {
  // Few bits vary, so that ranges nest and overlap; both ends of the address space are among them.
  Address address =
      one_in(2) ? Address::v4(static_cast<std::uint32_t>(below(4) * 0x55555555U ^ below(4)))
                : Address::v6(below(4) * 0x5555555555555555ULL, below(2) * ~0ULL ^ below(4));
  if (one_in(3)) {
    const auto [first, last] = std::minmax({address, step(step(address, true), one_in(2))});
    return {first, last};
  }
  const unsigned width = address.family == Family::V4 ? 32 : 128;
  static constexpr unsigned kShort[] = {0, 1, 2, 8, 31};
  return prefix_range(address, one_in(2) ? width - static_cast<unsigned>(below(3)) : pick(kShort));
}

rules::AddressMatch RandomPolicies::address_match() {
  if (one_in(3)) return {};
  if (one_in(3) && !shared_sets_.empty()) return pick(shared_sets_);
  std::vector<rules::AddressRange> ranges;
  for (std::uint64_t left = one_in(4) ? below(6) : 1; left > 0; --left)
    ranges.push_back(address_range());
  auto match = literal(std::move(ranges));
  if (one_in(4)) shared_sets_.push_back(match);
  return match;
}

std::vector<rules::PortRange> RandomPolicies::ports() {
  std::vector<rules::PortRange> ranges;
  if (one_in(2)) return ranges;
  std::uint32_t at = 0;
  for (std::uint64_t left = 1 + below(2); left > 0; --left) {
    const auto first = std::max<std::uint32_t>(at, pick(kPorts));
    const auto last = one_in(2) ? first
                                : std::min<std::uint32_t>(
                                      0xffff, first + static_cast<std::uint32_t>(below(3000)));
    if (first > 0xffff) break;
    ranges.push_back({static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last)});
    at = last + 2;
  }
  return ranges;
}

std::vector<rules::ProtocolMatch> RandomPolicies::protocols() {
  std::vector<rules::ProtocolMatch> matches;
  for (std::uint64_t left = below(3); left > 0; --left) {
    rules::ProtocolMatch match{pick(kProtocols), {}, {}};
    if (match.number == rules::protocol::kIcmp || match.number == rules::protocol::kIcmpv6) {
      if (!one_in(3)) match.icmp_type = pick(kIcmpTypes);
      if (one_in(3)) match.icmp_code = static_cast<std::uint8_t>(below(3));
    }
    matches.push_back(match);
  }
  return matches;
}

rules::Rule RandomPolicies::rule() {
  rules::Rule rule;
  rule.action = static_cast<rules::Action>(below(4));
  rule.match.direction = one_in(2) ? rules::Direction::In : rules::Direction::Out;
  if (one_in(5)) rule.match.interface = pick(kInterfaces);
  rule.match.protocols = protocols();
  rule.match.source = address_match();
  rule.match.destination = address_match();
  rule.match.source_ports = one_in(3) ? ports() : std::vector<rules::PortRange>{};
  rule.match.destination_ports = ports();
  return rule;
}

rules::Policy RandomPolicies::policy(std::size_t rules) {
  rules::Policy policy;
  shared_sets_.clear();
  policy.default_in = one_in(2) ? rules::Action::Deny : rules::Action::Allow;
  policy.default_out = one_in(2) ? rules::Action::Reject : rules::Action::Allow;
  for (std::uint64_t left = below(3); left > 0; --left) {
    policy.builtin_rules.push_back(rule());
    policy.builtin_rules.back().match.hop_limit = pick(kHopLimits);
  }
  for (std::size_t left = rules; left > 0; --left) policy.rules.push_back(rule());
  return policy;
}

Address RandomPolicies::address_at(const rules::AddressMatch& match, Family family) {
  if (match.any() || !match.members->has(family)) {
    return family == Family::V4 ? Address::v4(static_cast<std::uint32_t>(random_()))
                                : Address::v6(random_(), random_());
  }
  std::vector<rules::AddressRange> ranges;
  for (const auto& range : match.members->ranges()) {
    if (range.first.family == family) ranges.push_back(range);
  }
  const bool first = one_in(2);
  const auto& range = pick(ranges);
  const Address edge = first ? range.first : range.last;
  return one_in(6) ? step(edge, !first) : edge;
}

std::uint16_t RandomPolicies::port_at(const rules::ShortList<rules::PortRange>& ranges) {
  if (ranges.empty()) return static_cast<std::uint16_t>(random_());
  const bool first = one_in(2);
  const auto& range = pick(ranges);
  const auto edge = first ? range.first : range.last;
  if (!one_in(6)) return edge;
  return static_cast<std::uint16_t>(first ? edge - 1 : edge + 1);
}

void RandomPolicies::choose_protocol(const rules::Match& match, rules::Packet& packet) {
  rules::ProtocolMatch wanted{pick(kProtocols), {}, {}};
  if (!match.protocols.empty() && !one_in(8)) wanted = pick(match.protocols);
  packet.protocol = wanted.number;
  packet.has_ports = rules::has_ports(packet.protocol);
  packet.has_icmp =
      packet.protocol == rules::protocol::kIcmp || packet.protocol == rules::protocol::kIcmpv6;
  if (packet.has_icmp) {
    packet.icmp_type = one_in(6) ? pick(kIcmpTypes) : wanted.icmp_type.value_or(pick(kIcmpTypes));
    packet.icmp_code = one_in(6) ? std::uint8_t{2} : wanted.icmp_code.value_or(0);
  }
}

Probe RandomPolicies::probe(const rules::Policy& policy) {
  const bool builtin = policy.rules.empty() || (one_in(8) && !policy.builtin_rules.empty());
  const auto& list = builtin ? policy.builtin_rules : policy.rules;
  const rules::Match match = list.empty() ? rule().match : pick(list).match;
  Probe probe;
  auto& packet = probe.packet;
  const Family family = one_in(2) ? Family::V4 : Family::V6;
  packet.source = address_at(match.source, family);
  packet.destination = address_at(match.destination, family);
  choose_protocol(match, packet);
  if (packet.has_ports) {
    packet.source_port = port_at(match.source_ports);
    packet.destination_port = port_at(match.destination_ports);
  }
  packet.hop_limit = one_in(4) ? pick(kHopLimits) : match.hop_limit.value_or(64);
  probe.direction = one_in(10) ? rules::Direction::Out : match.direction;
  probe.interface = one_in(6) ? "tun9" : match.interface.value_or(pick(kInterfaces));
  return probe;
}

}  // namespace tests
