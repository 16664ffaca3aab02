#include "rules/kernel_plan.h"

#include <map>
#include <memory>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/core.h>

#include "tests/support/five_tuple.h"
#include "tests/support/linear_matcher.h"
#include "tests/support/nft_machine.h"
#include "tests/support/plan_table.h"
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

KernelPlan plan_of(const Policy& policy) {
  KernelPlan plan;
  (void)plan.update(policy);
  return plan;
}

// What the plan decides, found through the label that the search leaves.
rules::Decision decide(const Policy& policy, const KernelPlan& plan, const NftMachine& machine,
                       MachineState& state) {
  state.priority = rules::kDefaultLabel << rules::kLabelShift | kOthersBits;
  REQUIRE(machine.run(search_chain(state.direction), state) == NftMachine::End::Fallthrough);
  REQUIRE((state.direction == Direction::In || !state.priority_from_map));
  REQUIRE((state.priority & 0xfff) == (state.priority_from_map ? 0 : kOthersBits));
  const rules::Label label = state.priority >> rules::kLabelShift;
  if (label == rules::kDefaultLabel) {
    const bool in = state.direction == Direction::In;
    return {in ? policy.default_in : policy.default_out, DecidedBy::Default, 0};
  }
  const auto& rules = plan.rules();
  const auto found = std::ranges::lower_bound(rules, label, {}, &rules::PlannedRule::label);
  REQUIRE(found != rules.end());
  REQUIRE(found->label == label);
  const auto at = static_cast<std::size_t>(found - rules.begin());
  const bool builtin = at < plan.builtin_rules();
  const auto index = static_cast<std::uint32_t>(builtin ? at : at - plan.builtin_rules());
  const rules::Rule& rule = builtin ? policy.builtin_rules[index] : policy.rules[index];
  REQUIRE(found->action == rule.action);
  REQUIRE(found->rule->id == rule.id);
  return {rule.action, builtin ? DecidedBy::Builtin : DecidedBy::Rule, index};
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
  INFO(dump(tests::table_of(plan)));
  FAIL("the kernel's plan and the linear matcher differ");
}

void name_rules(Policy& policy, const std::string& prefix) {
  for (std::size_t i = 0; i < policy.rules.size(); ++i)
    tests::change(policy.rules, i,
                  [&](rules::Rule& rule) { rule.id = fmt::format("{}{}", prefix, i); });
}

void check_policy(RandomPolicies& generator, const Policy& policy, const KernelPlan& plan,
                  int probes) {
  const rules::nft::Table table = tests::table_of(plan);
  const NftMachine machine(table);
  for (int i = 0; i < probes; ++i) check_probe(policy, plan, machine, generator.probe(policy));
}

Policy classbench_policy(const std::vector<tests::FiveTupleRule>& rules) {
  Policy policy = to_policy(rules);
  name_rules(policy, "r");
  return policy;
}

// Edits at random: rules come, go, move and change under their ids, set's members change.
class Edits {
 public:
  Edits(RandomPolicies& generator, std::uint64_t seed) : generator_(generator), random_(seed) {}

  Policy first() {
    for (const char* name : {"one", "two", "three"}) change_set(name);
    Policy policy = generator_.policy(60);
    name_rules(policy, "r");
    for (std::size_t i = 0; i < policy.rules.size(); i += 4) use_set(policy, i);
    return policy;
  }

  void edit(Policy& policy) {
    const Policy fresh = generator_.policy(1 + below(3));
    for (rules::Rule rule : fresh.rules) {
      rule.id = fmt::format("e{}", below(400));  // some more than once
      policy.rules.insert(below(policy.rules.size() + 1), std::move(rule));
    }
    if (below(2) == 0) use_set(policy, below(policy.rules.size()));
    for (std::size_t left = 1 + below(3); left > 0; --left)
      policy.rules.erase(below(policy.rules.size()));
    const std::size_t mover = below(policy.rules.size());
    rules::Rule moved = policy.rules[mover];
    policy.rules.erase(mover);
    policy.rules.insert(below(policy.rules.size() + 1), std::move(moved));
    if (below(4) == 0) policy.builtin_rules = fresh.builtin_rules;
    if (below(3) == 0) copy_a_rule(policy);
    if (below(2) == 0) change_members(policy);
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }

  // A name stands for one list, in all rules.
  void change_set(const std::string& name) {
    std::vector<rules::AddressRange> members;
    const std::size_t kinds = 1 + below(15);
    for (std::uint64_t i = 0; i < 8; ++i) {
      const auto v4 = rules::Address::v4(static_cast<std::uint32_t>(4 * below(8)));
      const auto v6 = rules::Address::v6(0, 4 * below(8));
      if ((kinds & 1U) != 0) members.push_back({v4, v4});
      if ((kinds & 2U) != 0)
        members.push_back({v4, rules::Address::v4(static_cast<std::uint32_t>(v4.low + 1))});
      if ((kinds & 4U) != 0) members.push_back({v6, v6});
      if ((kinds & 8U) != 0) members.push_back({v6, rules::Address::v6(0, v6.low + 1)});
    }
    sets_[name] = std::make_shared<const rules::AddressSet>(members);
  }

  void use_set(Policy& policy, std::size_t index) {
    const auto& [name, members] = *std::next(sets_.begin(), static_cast<std::ptrdiff_t>(below(3)));
    tests::change(policy.rules, index,
                  [&, of = rules::AddressMatch{members, name}](rules::Rule& rule) {
                    (below(2) == 0 ? rule.match.source : rule.match.destination) = of;
                  });
  }

  void change_members(Policy& policy) {
    const std::string name = std::next(sets_.begin(), static_cast<std::ptrdiff_t>(below(3)))->first;
    change_set(name);
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
      const rules::Match& match = policy.rules[i].match;
      if (match.source.name != name && match.destination.name != name) continue;
      tests::change(policy.rules, i, [&](rules::Rule& rule) {
        for (rules::AddressMatch* side : {&rule.match.source, &rule.match.destination}) {
          if (side->name == name) side->members = sets_[name];
        }
      });
    }
  }

  void copy_a_rule(Policy& policy) {
    const rules::Rule copied = policy.rules[below(policy.rules.size())];
    policy.rules.insert(below(policy.rules.size() + 1), copied);
  }

  RandomPolicies& generator_;
  std::mt19937_64 random_;
  std::map<std::string, std::shared_ptr<const rules::AddressSet>> sets_;
};

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
  CHECK(dump(tests::table_of(plan_of(policy))) == R"(table inet plan {
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
    check_policy(generator, policy, plan_of(policy), probes);
  };
  for (std::size_t round = 0; round < 600; ++round) check(round % 12, 40);
  for (int round = 0; round < 30; ++round) check(100, 200);
  for (int round = 0; round < 2; ++round) check(1000, 1000);
}

TEST_CASE("after edits a plan means what a fresh one means, and its changes lead to what it is") {
  const auto seed = tests::test_seed();
  INFO("FWD_TEST_SEED=" << seed);
  RandomPolicies generator{seed};
  Edits edits{generator, seed};
  int by_change = 0;
  for (int round = 0; round < 12; ++round) {
    Policy policy = edits.first();
    KernelPlan plan(round % 2 == 0 ? 0 : 65);  // fronts from the first, or as it grows
    (void)plan.update(policy);
    rules::nft::Table table = tests::table_of(plan);
    for (int edit = 0; edit < 25; ++edit) {
      edits.edit(policy);
      rules::PlanChange change = plan.update(policy);
      REQUIRE(std::ranges::is_sorted(plan.rules(), {}, &rules::PlannedRule::label));
      rules::nft::Table now = tests::table_of(plan);
      if (!change.whole) {
        ++by_change;
        tests::apply(std::move(change), table);
        tests::sort_table(table);
        tests::sort_table(now);
        REQUIRE(table.fixed_sets == now.fixed_sets);
        REQUIRE(dump(table) == dump(now));
      }
      table = std::move(now);
      check_policy(generator, policy, plan, 40);
      const rules::PlanChange nothing = plan.update(policy);
      REQUIRE_FALSE(nothing.whole);
      REQUIRE(nothing.lost_rules.size() + nothing.gained_rules.size() == 0);
    }
  }
  CHECK(by_change > 100);
}

TEST_CASE("what a rule's id counts by comes with the first rule of the id and goes with the last") {
  Policy policy;
  rules::Rule rule;
  rule.id = "twice";
  policy.rules = {rule};
  for (int i = 0; i < 3; ++i) {
    rule.id = fmt::format("other{}", i);
    policy.rules.push_back(rule);
  }
  KernelPlan plan = plan_of(policy);
  policy.rules.push_back(policy.rules[0]);
  CHECK(plan.update(policy).gained_ids.empty());
  policy.rules.erase(0);
  CHECK(plan.update(policy).lost_ids.empty());
  policy.rules.erase(3);
  CHECK(plan.update(policy).lost_ids == std::vector<std::string>{"twice"});
  rule.id = "twice";
  policy.rules.push_back(rule);
  CHECK(plan.update(policy).gained_ids == std::vector<std::string>{"twice"});
}

TEST_CASE("however many rules are put in one place, each is a small change") {
  Policy policy = tests::to_policy(tests::generate_five_tuples(1, 10000, 0).rules);
  for (std::size_t i = 0; i < policy.rules.size(); ++i)
    tests::change(policy.rules, i, [&](rules::Rule& rule) { rule.id = fmt::format("r{}", i); });
  KernelPlan plan;
  (void)plan.update(policy);
  const Policy others = tests::to_policy(tests::generate_five_tuples(2, 300, 0).rules);
  for (std::size_t i = 0; i < others.rules.size(); ++i) {
    rules::Rule rule = others.rules[i];
    rule.id = fmt::format("new{}", i);
    policy.rules.insert(5000, rule);
    const rules::PlanChange change = plan.update(policy);
    REQUIRE_FALSE(change.whole);
    REQUIRE(change.gained_rules.size() < 600);
  }
}

TEST_CASE("rules that fit no table get one of their own, and the others stay where they are") {
  Policy policy = tests::to_policy(tests::generate_five_tuples(1, 3000, 0).rules);
  std::erase_if(policy.builtin_rules, [](const rules::Rule&) { return true; });
  for (std::size_t i = 0; i < policy.rules.size(); ++i)
    tests::change(policy.rules, i, [&](rules::Rule& rule) { rule.id = fmt::format("r{}", i); });
  KernelPlan plan;
  (void)plan.update(policy);
  rules::nft::Table table = tests::table_of(plan);
  std::size_t opened = 0;
  for (std::uint16_t port = 1; port <= 200; ++port) {
    rules::Rule rule;
    rule.id = fmt::format("port{}", port);
    rule.match.protocols = {{17, {}, {}}};
    rule.match.source_ports = {{port, port}};
    policy.rules.insert(port, rule);
    rules::PlanChange change = plan.update(policy);
    REQUIRE_FALSE(change.whole);
    opened += change.new_maps.size();
    tests::apply(std::move(change), table);
  }
  CHECK(opened > 0);
  rules::nft::Table whole = tests::table_of(plan);
  tests::sort_table(whole);
  tests::sort_table(table);
  CHECK(dump(table) == dump(whole));
}

TEST_CASE("the kernel's plan of 10,000 rules finds the rule that the trace names") {
  const std::string name = GENERATE("acl1", "fw1", "ipc1");
  const auto set = tests::read_classbench(name, "10k");
  if (!set) return;
  const Policy policy = classbench_policy(set->rules);
  const KernelPlan plan = plan_of(policy);
  const rules::nft::Table table = tests::table_of(plan);
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
  INFO(name << ": " << table.maps.size() << " tables, " << table.chains.size() << " chains, "
            << rules / headers << " rules on average, at most " << most);
  CHECK(rules / headers < 100);
}
