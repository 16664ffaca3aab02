#include "rules/kernel_plan.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/support/five_tuple.h"
#include "tests/support/linear_matcher.h"
#include "tests/support/nft_machine.h"
#include "tests/support/random_policy.h"
#include "tests/support/rule_lists.h"

using rules::DecidedBy;
using rules::Direction;
using rules::KernelPlan;
using rules::Policy;
using tests::MachineState;
using tests::NftMachine;
using tests::RandomPolicies;

namespace {

constexpr std::uint32_t kOthersBits = 0x123;  // of the priority: not ours, and kept

rules::nft::Table table_of(const KernelPlan& plan) {
  return {"plan", {}, {}, {}, plan.sets, plan.maps, plan.chains};
}

// What the plan decides, found through the label that the search leaves.
rules::Decision decide(const Policy& policy, const KernelPlan& plan, const NftMachine& machine,
                       MachineState& state) {
  state.priority = rules::kDefaultLabel << rules::kLabelShift | kOthersBits;
  REQUIRE(machine.run(search_chain(state.direction), state) == NftMachine::End::Fallthrough);
  REQUIRE((state.priority & 0xfff) == kOthersBits);
  const rules::Label label = state.priority >> rules::kLabelShift;
  if (label == rules::kDefaultLabel) {
    const bool in = state.direction == Direction::In;
    return {in ? policy.default_in : policy.default_out, DecidedBy::Default, 0};
  }
  const auto found = std::ranges::lower_bound(plan.rules, label, {}, &rules::PlannedRule::label);
  REQUIRE(found != plan.rules.end());
  REQUIRE(found->label == label);
  const bool builtin = found->by == DecidedBy::Builtin;
  const rules::Rule& rule =
      builtin ? policy.builtin_rules[found->index] : policy.rules[found->index];
  return {rule.action, found->by, found->index};
}

void check_probe(const Policy& policy, const KernelPlan& plan, const NftMachine& machine,
                 const tests::Probe& probe) {
  const auto expected =
      tests::classify_linearly(policy, probe.packet, probe.direction, probe.interface);
  MachineState state{probe.packet, probe.direction, probe.interface};
  const auto got = decide(policy, plan, machine, state);
  if (got == expected) return;
  INFO(describe(probe));
  INFO("rule " << got.index << " instead of " << expected.index);
  INFO(dump(table_of(plan)));
  FAIL("the kernel's plan and the linear matcher differ");
}

void name_rules(Policy& policy, const std::string& prefix) {
  for (std::size_t i = 0; i < policy.rules.size(); ++i)
    tests::change(policy.rules, i,
                  [&](rules::Rule& rule) { rule.id = fmt::format("{}{}", prefix, i); });
}

void check_policy(RandomPolicies& generator, const Policy& policy, const KernelPlan& plan,
                  int probes) {
  const rules::nft::Table table = table_of(plan);
  const NftMachine machine(table);
  for (int i = 0; i < probes; ++i) check_probe(policy, plan, machine, generator.probe(policy));
}

Policy classbench_policy(const std::vector<tests::FiveTupleRule>& rules) {
  Policy policy = to_policy(rules);
  name_rules(policy, "r");
  return policy;
}

}  // namespace

TEST_CASE("a short policy is a list for each family, and its named sets are the kernel's") {
  Policy policy;
  const auto host = rules::Address::v4(0xc0000201);
  const auto prefix = rules::prefix_range(rules::Address::v4(0x0a000000), 8);
  rules::Rule peers;
  peers.match.source = {std::make_shared<const rules::AddressSet>(
                            std::vector<rules::AddressRange>{{host, host}, prefix}),
                        "peers"};
  peers.match.protocols = {{6, {}, {}}};
  peers.match.destination_ports = {{22, 22}, {8000, 8009}};
  peers.id = "a";
  rules::Rule ping;
  ping.match.direction = Direction::Out;
  ping.match.protocols = {{1, 8, {}}, {58, 128, {}}};
  ping.match.interface = "eth0";
  ping.id = "b";
  policy.rules = {peers, ping};
  CHECK(dump(table_of(rules::make_kernel_plan(policy))) == R"(table inet plan {
  set peers_4 { typeof ip saddr; elements = { 192.0.2.1 } }
  set peers_4r { typeof ip saddr; flags interval; elements = { 10.0.0.0-10.255.255.255 } }
  chain in4/list {
    meta l4proto 6 th dport 22 ip saddr @peers_4r meta priority > 0x3fffffff meta priority set meta priority & 0xfff | 0x3ffff000 return
    meta l4proto 6 th dport 8000-8009 ip saddr @peers_4r meta priority > 0x3fffffff meta priority set meta priority & 0xfff | 0x3ffff000 return
    meta l4proto 6 th dport 22 ip saddr @peers_4 meta priority > 0x3fffffff meta priority set meta priority & 0xfff | 0x3ffff000 return
    meta l4proto 6 th dport 8000-8009 ip saddr @peers_4 meta priority > 0x3fffffff meta priority set meta priority & 0xfff | 0x3ffff000 return
  }
  chain in4 {
    meta priority > 0x3fffffff jump in4/list
  }
  chain search_input {
    meta nfproto 2 jump in4
  }
  chain out/list {
    meta l4proto 1 icmp type 8 oifname "eth0" meta priority > 0x7fffffff meta priority set meta priority & 0xfff | 0x7ffff000 return
    meta l4proto 58 icmp type 128 oifname "eth0" meta priority > 0x7fffffff meta priority set meta priority & 0xfff | 0x7ffff000 return
  }
  chain search_output {
    meta priority > 0x7fffffff jump out/list
  }
}
)");
}

TEST_CASE("the kernel's plan agrees with the linear matcher on random policies") {
  const auto seed = tests::test_seed();
  INFO("FWD_TEST_SEED=" << seed);
  RandomPolicies generator{seed};
  const auto check = [&](std::size_t rules, int probes) {
    Policy policy = generator.policy(rules);
    name_rules(policy, "r");
    check_policy(generator, policy, rules::make_kernel_plan(policy), probes);
  };
  for (std::size_t round = 0; round < 600; ++round) check(round % 12, 40);
  for (int round = 0; round < 30; ++round) check(100, 200);
  for (int round = 0; round < 2; ++round) check(1000, 1000);
}

TEST_CASE("a plan made from an earlier one means what a fresh one means") {
  const auto seed = tests::test_seed();
  INFO("FWD_TEST_SEED=" << seed);
  RandomPolicies generator{seed};
  std::mt19937_64 random{seed};
  for (int round = 0; round < 10; ++round) {
    Policy policy = generator.policy(60);
    name_rules(policy, fmt::format("r{}.", round));
    KernelPlan plan = rules::make_kernel_plan(policy);
    for (int edit = 0; edit < 15; ++edit) {
      const Policy fresh = generator.policy(3);
      for (std::size_t i = 0; i < fresh.rules.size(); ++i) {
        rules::Rule rule = fresh.rules[i];
        rule.id = fmt::format("e{}.{}.{}", round, edit, i);
        policy.rules.insert(random() % (policy.rules.size() + 1), rule);
      }
      policy.rules.erase(random() % policy.rules.size());
      const std::size_t mover = random() % policy.rules.size();
      rules::Rule moved = policy.rules[mover];
      policy.rules.erase(mover);
      policy.rules.insert(random() % (policy.rules.size() + 1), std::move(moved));
      plan = rules::make_kernel_plan(policy, &plan);
      REQUIRE(std::ranges::is_sorted(plan.rules, {}, &rules::PlannedRule::label));
      check_policy(generator, policy, plan, 60);
    }
  }
}

TEST_CASE("the kernel's plan of 10,000 rules finds the rule that the trace names") {
  const std::string name = GENERATE("acl1", "fw1", "ipc1");
  const auto set = tests::read_classbench(name, "10k");
  if (!set) return;
  const Policy policy = classbench_policy(set->rules);
  const KernelPlan plan = rules::make_kernel_plan(policy);
  const rules::nft::Table table = table_of(plan);
  const NftMachine machine(table);
  std::size_t rules = 0;
  std::size_t most = 0;
  const std::size_t headers = std::min<std::size_t>(set->headers.size(), 20000);
  for (std::size_t i = 0; i < headers; ++i) {
    const auto& header = set->headers[i];
    MachineState state{to_packet(header), Direction::In, "eth0"};
    const auto decision = decide(policy, plan, machine, state);
    const auto expected = first_match(set->rules, header);
    REQUIRE((decision.by == DecidedBy::Rule) == expected.has_value());
    if (expected) REQUIRE(decision.index == *expected);
    rules += state.rules;
    most = std::max(most, state.rules);
  }
  INFO(name << ": " << plan.maps.size() << " tables, " << plan.chains.size() << " chains, "
            << rules / headers << " rules on average, at most " << most);
  CHECK(rules / headers < 100);
}
