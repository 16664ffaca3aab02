#include "tests/support/linear_matcher.h"

namespace tests {
namespace {

bool matches(const rules::AddressMatch& match, const rules::Address& address) {
  if (match.any()) return true;
  for (const auto& range : match.members->ranges()) {
    if (range.first.family == address.family && range.first <= address && address <= range.last)
      return true;
  }
  return false;
}

bool matches(const rules::ShortList<rules::ProtocolMatch>& protocols, const rules::Packet& packet) {
  if (protocols.empty()) return true;
  for (const auto& wanted : protocols) {
    if (wanted.number != packet.protocol) continue;
    if (wanted.icmp_type && (!packet.has_icmp || *wanted.icmp_type != packet.icmp_type)) continue;
    if (wanted.icmp_code && (!packet.has_icmp || *wanted.icmp_code != packet.icmp_code)) continue;
    return true;
  }
  return false;
}

bool matches(const rules::ShortList<rules::PortRange>& ranges, const rules::Packet& packet,
             std::uint16_t port) {
  if (ranges.empty()) return true;
  if (!packet.has_ports || !rules::has_ports(packet.protocol)) return false;
  for (const auto& range : ranges) {
    if (range.first <= port && port <= range.last) return true;
  }
  return false;
}

}  // namespace

bool matches(const rules::Match& match, const rules::Packet& packet, rules::Direction direction,
             std::string_view interface) {
  if (match.direction != direction) return false;
  if (match.interface && *match.interface != interface) return false;
  if (match.hop_limit && *match.hop_limit != packet.hop_limit) return false;
  if (!matches(match.protocols, packet)) return false;
  if (!matches(match.source, packet.source)) return false;
  if (!matches(match.destination, packet.destination)) return false;
  if (!matches(match.source_ports, packet, packet.source_port)) return false;
  return matches(match.destination_ports, packet, packet.destination_port);
}

rules::Decision classify_linearly(const rules::Policy& policy, const rules::Packet& packet,
                                  rules::Direction direction, std::string_view interface) {
  const auto find = [&](const auto& list, rules::DecidedBy by, rules::Decision& decision) {
    for (std::uint32_t index = 0; index < list.size(); ++index) {
      if (!matches(list[index].match, packet, direction, interface)) continue;
      decision = {list[index].action, by, index};
      return true;
    }
    return false;
  };
  const bool in = direction == rules::Direction::In;
  rules::Decision decision{in ? policy.default_in : policy.default_out, rules::DecidedBy::Default,
                           0};
  if (!find(policy.builtin_rules, rules::DecidedBy::Builtin, decision)) {
    find(policy.rules, rules::DecidedBy::Rule, decision);
  }
  return decision;
}

}  // namespace tests
