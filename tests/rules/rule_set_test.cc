#include "rules/rule_set.h"

#include <catch2/catch.hpp>

#include "tests/support/five_tuple.h"
#include "tests/support/packet_builder.h"

using rules::Action;
using rules::DecidedBy;
using rules::Decision;
using rules::Direction;
using rules::kOtherInterface;
using tests::IPv4;
using tests::IPv6;

namespace {

rules::AddressMatch members(std::initializer_list<std::string_view> texts) {
  std::vector<rules::AddressRange> ranges;
  for (const auto text : texts) {
    const auto range = rules::parse_range(text);
    REQUIRE(range.has_value());
    ranges.push_back(*range);
  }
  return {std::make_shared<const rules::AddressSet>(ranges), {}};
}

rules::Rule rule(Action action, rules::Match match = {}) {
  rules::Rule made;
  made.action = action;
  made.match = std::move(match);
  return made;
}

rules::Policy policy(std::vector<rules::Rule> list) {
  rules::Policy made;
  made.rules = std::move(list);
  return made;
}

rules::Packet packet(const tests::PacketBuilder& builder) {
  const auto decoded = rules::decode(bytes(builder));
  REQUIRE(decoded.has_value());
  return *decoded;
}

Decision incoming(const rules::RuleSet& rules, const tests::PacketBuilder& builder) {
  return rules.classify(packet(builder), Direction::In, kOtherInterface);
}

// Whether the one rule with this match is hit.
bool hits(const rules::Match& match, const tests::PacketBuilder& builder) {
  const auto rules = compile(policy({rule(Action::Allow, match)}));
  return incoming(rules, builder) == Decision{Action::Allow, DecidedBy::Rule, 0};
}

}  // namespace

TEST_CASE("an empty policy gives the default of the direction") {
  auto empty = policy({});
  empty.default_in = Action::Reject;
  empty.default_out = Action::Allow;
  const auto rules = compile(empty);
  const auto any = packet(IPv4{} / tests::Tcp{});
  CHECK(rules.classify(any, Direction::In, kOtherInterface) ==
        Decision{Action::Reject, DecidedBy::Default, 0});
  CHECK(rules.classify(any, Direction::Out, kOtherInterface) ==
        Decision{Action::Allow, DecidedBy::Default, 0});
}

TEST_CASE("the first match decides, and a rule's index counts both directions") {
  rules::Match out;
  out.direction = Direction::Out;
  rules::Match web;
  web.destination_ports = {{80, 80}};
  const auto rules =
      compile(policy({rule(Action::Reject, out), rule(Action::Limit, web), rule(Action::Deny)}));
  CHECK(incoming(rules, IPv4{} / tests::Tcp{.dport = 80}) ==
        Decision{Action::Limit, DecidedBy::Rule, 1});
  CHECK(incoming(rules, IPv4{} / tests::Tcp{.dport = 81}) ==
        Decision{Action::Deny, DecidedBy::Rule, 2});
  CHECK(rules.classify(packet(IPv6{} / tests::Udp{}), Direction::Out, kOtherInterface) ==
        Decision{Action::Reject, DecidedBy::Rule, 0});
}

TEST_CASE("built-in rules come before the policy's") {
  auto both = policy({rule(Action::Deny)});
  rules::Match discovery;
  discovery.protocols = {{rules::protocol::kIcmpv6, 135, {}}};
  discovery.hop_limit = 255;
  both.builtin_rules = {rule(Action::Allow, discovery)};
  const auto rules = compile(both);
  const auto solicitation = tests::Icmpv6{.type = 135};
  CHECK(incoming(rules, IPv6{.hop_limit = 255} / solicitation) ==
        Decision{Action::Allow, DecidedBy::Builtin, 0});
  CHECK(incoming(rules, IPv6{.hop_limit = 254} / solicitation) ==
        Decision{Action::Deny, DecidedBy::Rule, 0});
  CHECK(incoming(rules, IPv6{.hop_limit = 255} / tests::Icmpv6{.type = 134}).by == DecidedBy::Rule);
}

TEST_CASE("the policy may be gone after compiling") {
  auto temporary = std::make_unique<rules::Policy>();
  rules::Match match;
  match.source = members({"192.0.2.0/24"});
  match.interface = "eth0";
  temporary->rules = {rule(Action::Allow, match)};
  const auto rules = compile(*temporary);
  temporary.reset();
  const auto id = rules.interface_id("eth0");
  CHECK(rules.classify(packet(IPv4{} / tests::Tcp{}), Direction::In, id).action == Action::Allow);
}

TEST_CASE("addresses match on the edges of their ranges and not beside them") {
  rules::Match source;
  source.source = members({"192.0.2.10-192.0.2.20", "2001:db8:1::/64"});
  for (const auto* const inside : {"192.0.2.10", "192.0.2.15", "192.0.2.20"}) {
    CHECK(hits(source, IPv4{.source = inside} / tests::Tcp{}));
  }
  for (const auto* const outside : {"192.0.2.9", "192.0.2.21", "0.0.0.0", "255.255.255.255"}) {
    CHECK_FALSE(hits(source, IPv4{.source = outside} / tests::Tcp{}));
    CHECK_FALSE(hits(source, IPv4{.source = outside, .destination = "192.0.2.10"} / tests::Tcp{}));
  }
  CHECK(hits(source, IPv6{.source = "2001:db8:1::"} / tests::Tcp{}));
  CHECK(hits(source, IPv6{.source = "2001:db8:1:0:ffff:ffff:ffff:ffff"} / tests::Tcp{}));
  CHECK_FALSE(hits(source, IPv6{.source = "2001:db8:1:1::"} / tests::Tcp{}));
  CHECK_FALSE(hits(source, IPv6{.source = "2001:db8:0:ffff:ffff:ffff:ffff:ffff"} / tests::Tcp{}));
  CHECK_FALSE(hits(source, IPv6{.source = "::ffff:192.0.2.10"} / tests::Tcp{}));
}

TEST_CASE("whole address families and an empty set are no special case") {
  rules::Match v4;
  v4.source = members({"0.0.0.0/0"});
  CHECK(hits(v4, IPv4{.source = "255.255.255.255"} / tests::Tcp{}));
  CHECK(hits(v4, IPv4{.source = "0.0.0.0"} / tests::Tcp{}));
  CHECK_FALSE(hits(v4, IPv6{.source = "::"} / tests::Tcp{}));
  rules::Match v6;
  v6.destination = members({"::/0"});
  CHECK(hits(v6, IPv6{.destination = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"} / tests::Tcp{}));
  CHECK_FALSE(hits(v6, IPv4{} / tests::Tcp{}));
  rules::Match nobody;
  nobody.source = members({});
  CHECK_FALSE(hits(nobody, IPv4{} / tests::Tcp{}));
  CHECK_FALSE(hits(nobody, IPv6{} / tests::Tcp{}));
}

TEST_CASE("ports match only in protocols that have them, port 0 and 65535 included") {
  rules::Match low;
  low.destination_ports = {{0, 0}, {65535, 65535}};
  CHECK(hits(low, IPv4{} / tests::Tcp{.dport = 0}));
  CHECK(hits(low, IPv6{} / tests::Udp{.dport = 65535}));
  CHECK(hits(low, IPv6{} / tests::Sctp{.dport = 0}));
  CHECK_FALSE(hits(low, IPv4{} / tests::Tcp{.dport = 1}));
  CHECK_FALSE(hits(low, IPv4{} / tests::Tcp{.dport = 65534}));
  CHECK_FALSE(hits(low, IPv4{} / tests::Icmp{.type = 0}));
  CHECK_FALSE(hits(low, IPv4{} / tests::Raw{.number = 47}));
  rules::Match all_ports;
  all_ports.source_ports = {{0, 65535}};
  CHECK(hits(all_ports, IPv4{} / tests::Udp{}));
  CHECK_FALSE(hits(all_ports, IPv4{} / tests::Icmp{}));
  CHECK(hits(rules::Match{}, IPv4{} / tests::Icmp{}));
}

TEST_CASE("protocols match by number, and ICMP by type and code where those are given") {
  rules::Match match;
  match.protocols = {{rules::protocol::kUdp, {}, {}},
                     {rules::protocol::kIcmp, 3, 4},
                     {rules::protocol::kIcmp, 8, {}}};
  CHECK(hits(match, IPv4{} / tests::Udp{}));
  CHECK(hits(match, IPv4{} / tests::Icmp{.type = 3, .code = 4}));
  CHECK(hits(match, IPv4{} / tests::Icmp{.type = 8, .code = 255}));
  CHECK_FALSE(hits(match, IPv4{} / tests::Icmp{.type = 3, .code = 3}));
  CHECK_FALSE(hits(match, IPv4{} / tests::Icmp{.type = 7}));
  CHECK_FALSE(hits(match, IPv4{} / tests::Icmp{.type = 9}));
  CHECK_FALSE(hits(match, IPv6{} / tests::Icmpv6{.type = 8}));
  CHECK_FALSE(hits(match, IPv4{} / tests::Tcp{}));
  CHECK_FALSE(hits(match, IPv4{} / tests::UdpLite{}));
}

TEST_CASE("a protocol that is listed twice still matches") {
  rules::Match match;
  match.protocols = {{rules::protocol::kIcmp, {}, {}}, {rules::protocol::kIcmp, 8, {}}};
  CHECK(hits(match, IPv4{} / tests::Icmp{.type = 8}));
  CHECK(hits(match, IPv4{} / tests::Icmp{.type = 0}));
}

TEST_CASE("interfaces are told apart by the names that rules mention") {
  rules::Match eth0;
  eth0.interface = "eth0";
  rules::Match eth1_out;
  eth1_out.direction = Direction::Out;
  eth1_out.interface = "eth1";
  const auto rules = compile(policy({rule(Action::Allow, eth0), rule(Action::Deny, eth1_out)}));
  CHECK(rules.interfaces() == std::vector<std::string>{"", "eth0", "eth1"});
  CHECK(rules.interface_id("eth9") == kOtherInterface);
  CHECK(rules.interface_id("") == kOtherInterface);
  CHECK(rules.interface_id("eth0") != rules.interface_id("eth1"));
  const auto any = packet(IPv4{} / tests::Tcp{});
  const auto by = [&](Direction direction, std::string_view name) {
    return rules.classify(any, direction, rules.interface_id(name)).by;
  };
  CHECK(by(Direction::In, "eth0") == DecidedBy::Rule);
  CHECK(by(Direction::In, "eth1") == DecidedBy::Default);
  CHECK(by(Direction::In, "eth9") == DecidedBy::Default);
  CHECK(by(Direction::Out, "eth1") == DecidedBy::Rule);
  CHECK(by(Direction::Out, "eth0") == DecidedBy::Default);
}

TEST_CASE("a set with very many members costs memory once, not for each rule that names it") {
  std::vector<rules::AddressRange> scattered;
  for (std::uint32_t i = 0; i < 50000; ++i) {
    const auto address = rules::Address::v4(i * 7919);
    scattered.push_back({address, address});
  }
  rules::Match match;
  match.source = {std::make_shared<const rules::AddressSet>(scattered), "many"};
  std::vector<rules::Rule> list;
  for (std::uint16_t port = 0; port < 1000; ++port) {
    match.destination_ports = {{port, port}};
    list.push_back(rule(Action::Allow, match));
  }
  const auto rules = compile(policy(std::move(list)));
  CHECK(rules.memory_bytes() < 3'000'000);
  CHECK(incoming(rules, IPv4{.source = "0.0.30.239"} / tests::Tcp{.dport = 999}).index ==
        999);  // 1 * 7919
  CHECK(incoming(rules, IPv4{.source = "0.0.30.240"} / tests::Tcp{.dport = 999}).by ==
        DecidedBy::Default);
}

TEST_CASE("the classifier finds what ClassBench's traces say") {
  const std::string size = GENERATE("1k", "10k");
  const std::string name = GENERATE("acl1", "fw1", "ipc1");
  const auto set = tests::read_classbench(name, size);
  if (!set) {
    WARN("skipped: no ClassBench sets");
    return;
  }
  const auto rules = compile(tests::to_policy(set->rules));
  std::size_t wrong = 0;
  for (const auto& header : set->headers) {
    const auto decision = rules.classify(tests::to_packet(header), Direction::In, kOtherInterface);
    wrong += decision.by == DecidedBy::Rule && decision.index == header.expected ? 0 : 1;
  }
  INFO(name << " " << size);
  CHECK(wrong == 0);
}

TEST_CASE("generated five-tuples match as a scan over them says") {
  const auto set = tests::generate_five_tuples(7, 3000, 2000);
  const auto rules = compile(tests::to_policy(set.rules));
  for (const auto& header : set.headers) {
    const auto expected = tests::first_match(set.rules, header);
    const auto decision = rules.classify(tests::to_packet(header), Direction::In, kOtherInterface);
    REQUIRE((decision.by == DecidedBy::Rule) == expected.has_value());
    REQUIRE(decision.index == expected.value_or(0));
  }
}

TEST_CASE("interfaces that no rule names any more are forgotten by and by") {
  rules::Policy policy;
  rules::RuleSet rule_set = rules::compile(policy);
  for (int i = 0; i < 500; ++i) {
    const std::string name = "veth" + std::to_string(i);
    rules::Rule allowed;
    allowed.action = Action::Allow;
    allowed.match.interface = name;
    policy.rules.insert(0, std::move(allowed));
    rule_set = rule_set.with_rule(policy, 0);
    CHECK(rule_set.interface_id(name) != rules::kOtherInterface);
    const rules::Rule removed = policy.rules[0];
    policy.rules.erase(0);
    rule_set = rule_set.without_rule(policy, removed, 0);
  }
  CHECK(rule_set.interfaces().size() < 100);
}
