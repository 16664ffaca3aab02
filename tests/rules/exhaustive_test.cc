// Small worlds, looked at completely: every policy of up to three rules out of an alphabet, against
// every packet that these rules can tell apart.
#include <catch2/catch.hpp>

#include "rules/rule_set.h"
#include "tests/support/linear_matcher.h"
#include "tests/support/random_policy.h"

using rules::Action;
using rules::Direction;

namespace {

rules::AddressMatch members(std::string_view text) {
  const auto range = rules::parse_range(text);
  REQUIRE(range.has_value());
  return {std::make_shared<const rules::AddressSet>(std::vector{*range}), {}};
}

// Matches of every shape, each field wide, narrow and overlapping with another.
std::vector<rules::Match> alphabet() {
  std::vector<rules::Match> matches(1);
  const auto add = [&](auto change) {
    rules::Match match;
    change(match);
    matches.push_back(match);
  };
  add([](auto& match) { match.source = members("192.0.2.0/31"); });
  add([](auto& match) { match.source = members("192.0.2.1"); });
  add([](auto& match) { match.source = members("::2-::3"); });
  add([](auto& match) { match.destination = members("192.0.2.1-192.0.2.2"); });
  add([](auto& match) { match.destination = members("::/0"); });
  add([](auto& match) { match.destination_ports = {{1, 2}}; });
  add([](auto& match) { match.source_ports = {{0, 0}, {2, 2}}; });
  add([](auto& match) {
    match.protocols = {{rules::protocol::kTcp, {}, {}}, {rules::protocol::kIcmp, 8, {}}};
  });
  add([](auto& match) { match.protocols = {{rules::protocol::kIcmp, 8, 1}}; });
  add([](auto& match) { match.interface = "eth0"; });
  add([](auto& match) { match.direction = Direction::Out; });
  add([](auto& match) { match.hop_limit = 255; });
  add([](auto& match) {
    match.protocols = {{rules::protocol::kTcp, {}, {}}};
    match.source = members("192.0.2.0/30");
    match.destination_ports = {{2, 65535}};
  });
  return matches;
}

std::vector<rules::Packet> headers() {
  std::vector<rules::Packet> packets;
  for (std::uint16_t port = 0; port < 4; ++port) {
    rules::Packet packet;
    packet.has_ports = true;
    packet.source_port = port;
    packet.destination_port = static_cast<std::uint16_t>(3 - port);
    packet.protocol = port % 2 == 0 ? rules::protocol::kTcp : rules::protocol::kUdp;
    packets.push_back(packet);
  }
  for (std::uint8_t code = 0; code < 2; ++code) {
    rules::Packet packet;
    packet.protocol = rules::protocol::kIcmp;
    packet.has_icmp = true;
    packet.icmp_type = 8;
    packet.icmp_code = code;
    packets.push_back(packet);
  }
  return packets;
}

std::vector<tests::Probe> world() {
  std::vector<tests::Probe> probes;
  for (const auto& header : headers()) {
    for (unsigned corner = 0; corner < 32; ++corner) {
      const std::uint32_t number = corner % 4;
      tests::Probe probe{header, Direction::In, corner < 16 ? "eth0" : "eth1"};
      const bool v4 = corner % 8 < 4;
      probe.packet.source =
          v4 ? rules::Address::v4(0xc0000200U + number) : rules::Address::v6(0, number);
      probe.packet.destination =
          v4 ? rules::Address::v4(0xc0000203U - number) : rules::Address::v6(number, 0);
      probe.packet.hop_limit = corner % 16 < 8 ? 255 : 64;
      probes.push_back(probe);
      if (number != 1) continue;
      probe.direction = Direction::Out;
      probes.push_back(probe);
    }
  }
  return probes;
}

rules::Policy policy_of(const std::vector<rules::Match>& matches,
                        std::initializer_list<std::size_t> chosen) {
  rules::Policy policy;
  for (const std::size_t index : chosen) {
    rules::Rule rule;
    rule.action = Action::Allow;
    rule.match = matches[index];
    if (rule.match.hop_limit) {
      policy.builtin_rules.push_back(rule);
    } else {
      policy.rules.push_back(rule);
    }
  }
  return policy;
}

void check_world(const rules::Policy& policy, const std::vector<tests::Probe>& probes) {
  const auto rules = rules::compile(policy);
  for (const auto& probe : probes) {
    const auto got =
        rules.classify(probe.packet, probe.direction, rules.interface_id(probe.interface));
    if (got == tests::classify_linearly(policy, probe.packet, probe.direction, probe.interface))
      continue;
    FAIL("differs: " << describe(probe));
  }
}

}  // namespace

TEST_CASE("in small worlds the classifier agrees with the linear matcher everywhere") {
  const auto matches = alphabet();
  const auto probes = world();
  int policies = 0;
  for (std::size_t first = 0; first < matches.size(); ++first) {
    check_world(policy_of(matches, {first}), probes);
    for (std::size_t second = 0; second < matches.size(); ++second) {
      check_world(policy_of(matches, {first, second}), probes);
      for (std::size_t third = second + 1; third < matches.size(); ++third, ++policies) {
        INFO("rules " << first << ", " << second << ", " << third);
        check_world(policy_of(matches, {first, second, third}), probes);
      }
    }
  }
  CHECK(policies > 1000);
}
