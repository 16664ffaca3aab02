#include "rules/builtin.h"

#include <initializer_list>
#include <string>

#include <fmt/core.h>

namespace rules {
namespace {

constexpr std::array kBothDirections{Direction::In, Direction::Out};

std::vector<ProtocolMatch> types(std::uint8_t number, std::initializer_list<std::uint8_t> types) {
  std::vector<ProtocolMatch> matches;
  for (const std::uint8_t type : types) matches.push_back({number, type, {}});
  return matches;
}

// `what` is for people: the language has no words for all that these rules look at.
Rule allow(std::string_view name, Direction direction, std::string_view what) {
  Rule rule;
  rule.action = Action::Allow;
  rule.match.direction = direction;
  rule.id = name;
  rule.canonical = fmt::format("allow {} {}", to_string(direction), what);
  return rule;
}

void add_loopback(std::vector<Rule>& rules) {
  for (const Direction direction : kBothDirections) {
    Rule rule = allow("loopback", direction, "on lo from any to any");
    rule.match.interface = "lo";
    rules.push_back(std::move(rule));
  }
}

// RFC 4861: the hop limit shows that the packet was sent on this link.
void add_neighbour_discovery(std::vector<Rule>& rules) {
  for (const Direction direction : kBothDirections) {
    Rule rule =
        allow("neighbour-discovery", direction, "proto icmpv6 type 133-137 with hop limit 255");
    rule.match.protocols = types(protocol::kIcmpv6, {133, 134, 135, 136, 137});
    rule.match.hop_limit = 255;
    rules.push_back(std::move(rule));
  }
}

// RFC 2710, RFC 3810
void add_mld(std::vector<Rule>& rules) {
  for (const Direction direction : kBothDirections) {
    Rule rule = allow("mld", direction, "proto icmpv6 type 130,131,132,143 with hop limit 1");
    rule.match.protocols = types(protocol::kIcmpv6, {130, 131, 132, 143});
    rule.match.hop_limit = 1;
    rules.push_back(std::move(rule));
  }
}

void add_icmp_errors(std::vector<Rule>& rules) {
  for (const Direction direction : kBothDirections) {
    Rule rule =
        allow("icmp-errors", direction, "proto icmp type 3,11,12 and proto icmpv6 type 1-4");
    std::vector<ProtocolMatch> protocols = types(protocol::kIcmp, {3, 11, 12});
    for (const ProtocolMatch& match : types(protocol::kIcmpv6, {1, 2, 3, 4})) {
      protocols.push_back(match);
    }
    rule.match.protocols = protocols;
    rules.push_back(std::move(rule));
  }
}

void add_ping(std::vector<Rule>& rules) {
  Rule rule = allow("ping", Direction::In, "proto icmp type echo-request from any to any");
  rule.match.protocols = {{protocol::kIcmp, 8, {}}, {protocol::kIcmpv6, 128, {}}};
  rules.push_back(std::move(rule));
}

void add_dhcp(std::vector<Rule>& rules) {
  Rule v4 = allow("dhcp", Direction::In, "proto udp from any port 67 to any port 68");
  v4.match.protocols = {{protocol::kUdp, {}, {}}};
  v4.match.source_ports = {{67, 67}};
  v4.match.destination_ports = {{68, 68}};
  rules.push_back(std::move(v4));

  Rule v6 = allow("dhcp", Direction::In, "proto udp from fe80::/10 port 547 to any port 546");
  const Address link_local = Address::v6(0xfe80ULL << 48, 0);
  v6.match.protocols = {{protocol::kUdp, {}, {}}};
  v6.match.source.members =
      std::make_shared<const AddressSet>(std::vector<AddressRange>{prefix_range(link_local, 10)});
  v6.match.source_ports = {{547, 547}};
  v6.match.destination_ports = {{546, 546}};
  rules.push_back(std::move(v6));
}

}  // namespace

std::vector<Rule> builtin_rules(const Builtins& builtins) {
  std::vector<Rule> rules;
  if (builtins.loopback) add_loopback(rules);
  if (builtins.neighbour_discovery) add_neighbour_discovery(rules);
  if (builtins.mld) add_mld(rules);
  if (builtins.icmp_errors) add_icmp_errors(rules);
  if (builtins.ping) add_ping(rules);
  if (builtins.dhcp) add_dhcp(rules);
  return rules;
}

}  // namespace rules
