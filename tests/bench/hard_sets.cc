#include "tests/bench/hard_sets.h"

#include <memory>
#include <random>

#include <fmt/core.h>

#include "tests/support/rule_lists.h"

namespace bench {
namespace {

constexpr std::uint64_t kSite = 0x20010db800000000ULL;
constexpr std::size_t kInterfaces = 8;

rules::Address in_ipv6(std::uint32_t address, std::uint64_t low) {
  return rules::Address::v6(kSite | address, low);
}

void to_ipv6(rules::AddressMatch& match) {
  if (match.any()) return;
  const auto& range = match.members->ranges().front();
  match.members = std::make_shared<const rules::AddressSet>(std::vector<rules::AddressRange>{
      {in_ipv6(static_cast<std::uint32_t>(range.first.low), 0),
       in_ipv6(static_cast<std::uint32_t>(range.last.low), ~0ULL)}});
}

class Adversary {
 public:
  Adversary(std::uint64_t seed, std::size_t rules, std::size_t headers)
      : random_{seed}, rules_{rules}, headers_{headers} {}

  // Every rule from `make(i)`; headers within rules, at random.
  template <typename Make>
  HardSet set(const std::string& name, const Make& make) {
    tests::FiveTupleSet tuples{name, {}, {}};
    for (std::size_t i = 0; i < rules_; ++i) {
      tuples.rules.push_back(make(i));
      tuples.rules.back().protocol = i % 2 == 0 ? rules::protocol::kTcp : rules::protocol::kUdp;
    }
    for (std::size_t i = 0; i < headers_; ++i) {
      const auto& rule = tuples.rules[below(static_cast<std::uint32_t>(rules_))];
      tuples.headers.push_back({within(rule.source_first, rule.source_last),
                                within(rule.destination_first, rule.destination_last),
                                within(rule.source_ports),
                                within(rule.destination_ports),
                                *rule.protocol,
                                {}});
    }
    return plain(tuples);
  }

  rules::PortRange narrow_range() {
    const auto first = static_cast<std::uint16_t>(1 + below(65000));
    return {first, static_cast<std::uint16_t>(first + below(400))};
  }
  // Around one port, wider and wider.
  rules::PortRange nested(std::size_t number) const {
    const auto reach = static_cast<std::uint16_t>(1 + 32000 * number / rules_);
    return {static_cast<std::uint16_t>(32500 - reach), static_cast<std::uint16_t>(32500 + reach)};
  }

 private:
  std::uint32_t below(std::uint64_t n) { return static_cast<std::uint32_t>(random_() % n); }
  std::uint32_t within(std::uint32_t first, std::uint32_t last) {
    return first + below(std::uint64_t{last} - first + 1);
  }
  std::uint16_t within(rules::PortRange range) {
    return static_cast<std::uint16_t>(within(std::uint32_t{range.first}, range.last));
  }

  std::mt19937_64 random_;
  std::size_t rules_;
  std::size_t headers_;
};

}  // namespace

HardSet plain(const tests::FiveTupleSet& set) {
  HardSet made{set.name, set, tests::to_policy(set.rules), {}, {}};
  for (const auto& header : set.headers) made.packets.push_back(tests::to_packet(header));
  return made;
}

HardSet in_ipv6(const tests::FiveTupleSet& set) {
  HardSet made = plain(set);
  made.name += " IPv6";
  for (std::size_t i = 0; i < made.policy.rules.size(); ++i) {
    tests::change(made.policy.rules, i, [](rules::Rule& rule) {
      to_ipv6(rule.match.source);
      to_ipv6(rule.match.destination);
    });
  }
  for (auto& packet : made.packets) {
    packet.source = in_ipv6(static_cast<std::uint32_t>(packet.source.low), packet.source_port);
    packet.destination = in_ipv6(static_cast<std::uint32_t>(packet.destination.low), 1);
  }
  return made;
}

HardSet on_interfaces(const tests::FiveTupleSet& set) {
  HardSet made = plain(set);
  made.name += " iface";
  const auto name = [](std::size_t rule) { return fmt::format("eth{}", rule % kInterfaces); };
  for (std::size_t i = 0; i < made.policy.rules.size(); ++i) {
    tests::change(made.policy.rules, i, [&](rules::Rule& rule) { rule.match.interface = name(i); });
  }
  for (auto& header : made.tuples.headers) {
    if (!header.expected) header.expected = tests::first_match(set.rules, header);
    made.interfaces.push_back(header.expected ? name(*header.expected) : "");
  }
  return made;
}

std::vector<HardSet> adversarial(std::uint64_t seed, std::size_t rules, std::size_t headers) {
  Adversary adversary{seed, rules, headers};
  const std::uint32_t from = 0xc0000200;
  const std::uint32_t to = 0xc6336400;
  std::vector<HardSet> sets;
  sets.push_back(adversary.set("wild addresses", [&](std::size_t) {
    tests::FiveTupleRule rule;
    rule.source_ports = adversary.narrow_range();
    rule.destination_ports = adversary.narrow_range();
    return rule;
  }));
  sets.push_back(adversary.set("nested ports", [&](std::size_t i) {
    tests::FiveTupleRule rule;
    rule.destination_ports = adversary.nested(i);
    return rule;
  }));
  sets.push_back(adversary.set("one bucket", [&](std::size_t) {
    tests::FiveTupleRule rule{from, from + 255, to, to + 255, {0, 0xffff}, {}, {}};
    rule.destination_ports = adversary.narrow_range();
    return rule;
  }));
  return sets;
}

}  // namespace bench
