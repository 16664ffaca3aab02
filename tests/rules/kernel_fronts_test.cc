#include "rules/kernel_fronts.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/core.h>

#include "rules/kernel_plan.h"
#include "tests/support/five_tuple.h"
#include "tests/support/linear_matcher.h"
#include "tests/support/nft_machine.h"
#include "tests/support/plan_table.h"
#include "tests/support/random.h"
#include "tests/support/random_policy.h"
#include "tests/support/rule_lists.h"

using rules::Action;
using rules::Direction;
using rules::KernelPlan;
using rules::PlanChange;
using rules::Policy;
using rules::Rule;

namespace {

constexpr std::uint8_t kTcp = rules::protocol::kTcp;
constexpr std::uint8_t kUdp = rules::protocol::kUdp;

rules::AddressMatch host(const char* text) {
  return {std::make_shared<const rules::AddressSet>(std::vector{*rules::parse_range(text)}), {}};
}

Rule from(const char* source, Action action = Action::Deny) {
  Rule rule;
  rule.action = action;
  rule.match.source = host(source);
  rule.id = fmt::format("from {}", source);
  return rule;
}

Rule to_port(std::uint16_t port, std::uint8_t protocol = kTcp) {
  Rule rule;
  rule.action = Action::Allow;
  rule.match.protocols = {{protocol, {}, {}}};
  rule.match.destination_ports = {{port, port}};
  rule.id = fmt::format("to {}/{}", port, protocol);
  return rule;
}

Policy many_rules() {
  Policy policy = tests::to_policy(tests::generate_five_tuples(1, KernelPlan::kManyRules, 0).rules);
  for (std::size_t i = 0; i < policy.rules.size(); ++i)
    tests::change(policy.rules, i, [&](Rule& rule) { rule.id = fmt::format("r{}", i); });
  return policy;
}

bool changes_chains(const PlanChange& change) {
  return change.whole || !change.new_chains.empty() || !change.changed_chains.empty() ||
         !change.lost_chains.empty();
}

// A policy, its plan, and what an edit has changed there last.
class Edited {
 public:
  explicit Edited(Policy policy) : policy_(std::move(policy)) { (void)plan_.update(policy_); }

  PlanChange insert(std::size_t at, Rule rule) {
    policy_.rules.insert(at, std::move(rule));
    return plan_.update(policy_);
  }
  PlanChange erase(std::size_t at) {
    policy_.rules.erase(at);
    return plan_.update(policy_);
  }
  std::size_t size() const { return policy_.rules.size(); }

 private:
  Policy policy_;
  KernelPlan plan_;
};

struct One {
  std::string map;
  std::size_t lost;
  std::size_t gained;
  bool operator==(const One&) const = default;
};

std::vector<One> elements(const PlanChange& change) {
  std::vector<One> all;
  for (const auto& [map, lost, gained] : change.elements)
    all.push_back({map.name, lost.size(), gained.size()});
  return all;
}

}  // namespace

TEST_CASE("a simple rule that comes to many changes an element and no chain, wherever it is put") {
  const auto [rule, map] = GENERATE(table<Rule, const char*>({
      {from("198.51.100.7"), "labels/in4/32.0"},
      {from("2001:db8::7"), "labels/in6/128.0"},
      {to_port(8443), "labels/in/0.0pd"},
  }));
  INFO(map);
  Edited edited(many_rules());
  for (const std::size_t at : {std::size_t{0}, std::size_t{500}, edited.size()}) {
    const PlanChange added = edited.insert(at, rule);
    CHECK_FALSE(changes_chains(added));
    CHECK(added.new_maps.empty());
    CHECK(elements(added) == std::vector<One>{{map, 0, 1}});
    const PlanChange removed = edited.erase(at);
    CHECK_FALSE(changes_chains(removed));
    CHECK(elements(removed) == std::vector<One>{{map, 1, 0}});
  }
}

TEST_CASE("a service for one host is an element too, of both protocols if it has both") {
  Edited edited(many_rules());
  Rule rule = to_port(8443);
  rule.match.source = host("198.51.100.7");
  rule.match.protocols = {{kTcp, {}, {}}, {kUdp, {}, {}}};
  const PlanChange change = edited.insert(0, rule);
  CHECK_FALSE(changes_chains(change));
  CHECK(elements(change) == std::vector<One>{{"labels/in4/32.0pd", 0, 2}});
}

TEST_CASE("what tests more than a front looks at goes to the tables and chains") {
  Edited edited(many_rules());
  const auto goes_elsewhere = [&](Rule rule) {
    const PlanChange change = edited.insert(0, std::move(rule));
    return changes_chains(change) &&
           std::ranges::none_of(change.elements, [](const PlanChange::Elements& of) {
             return of.map.to == rules::nft::Map::To::Number;
           });
  };
  Rule out = from("198.51.100.7");
  out.match.direction = Direction::Out;
  CHECK(goes_elsewhere(out));
  Rule on_interface = from("198.51.100.8");
  on_interface.match.interface = "eth0";
  CHECK(goes_elsewhere(on_interface));
  Rule any;
  any.id = "any";
  CHECK(goes_elsewhere(any));
  Rule range = to_port(8443);
  range.match.destination_ports = {{8443, 8450}};
  CHECK(goes_elsewhere(range));
}

TEST_CASE("of two that match the same packets, the one that is looked up later has to come first") {
  Edited edited(many_rules());
  REQUIRE_FALSE(changes_chains(edited.insert(100, to_port(8443))));
  CHECK_FALSE(changes_chains(edited.insert(50, from("198.51.100.7"))));
  CHECK(changes_chains(edited.insert(150, from("198.51.100.8"))));
  CHECK(changes_chains(edited.insert(20, to_port(9443))));
  CHECK_FALSE(changes_chains(edited.insert(120, to_port(9444))));
  CHECK(changes_chains(edited.insert(0, from("198.51.100.7"))));
}

TEST_CASE("where a front's rules need other labels, their elements are replaced") {
  Policy policy = many_rules();
  KernelPlan plan;
  (void)plan.update(policy);
  rules::nft::Table table = tests::table_of(plan);
  std::size_t replaced = 0;
  for (unsigned i = 1; i <= 40; ++i) {
    policy.rules.insert(500, from(fmt::format("198.51.100.{}", i).c_str()));
    PlanChange change = plan.update(policy);
    REQUIRE_FALSE(change.whole);
    for (const auto& [map, lost, gained] : change.elements) {
      if (map.to == rules::nft::Map::To::Number) replaced += lost.size();
    }
    tests::apply(std::move(change), table);
  }
  CHECK(replaced > 0);
  rules::nft::Table whole = tests::table_of(plan);
  tests::sort_table(whole);
  tests::sort_table(table);
  CHECK(dump(table) == dump(whole));
}

TEST_CASE("many rules at once go to the tables, and leave the fronts to single ones") {
  Policy policy = many_rules();
  KernelPlan plan;
  (void)plan.update(policy);
  for (unsigned i = 0; i < 100; ++i)
    policy.rules.insert(0, from(fmt::format("198.51.100.{}", i).c_str()));
  const PlanChange change = plan.update(policy);
  REQUIRE_FALSE(change.whole);
  CHECK(std::ranges::none_of(change.elements, [](const PlanChange::Elements& of) {
    return of.map.to == rules::nft::Map::To::Number;
  }));
}

TEST_CASE("the first rule of another shape opens a front for it, until there are twelve") {
  Edited edited(many_rules());
  const PlanChange first = edited.insert(0, from("198.51.100.0/24"));
  CHECK(first.new_maps.size() == 1);
  REQUIRE(first.changed_chains.size() == 1);
  CHECK(first.changed_chains[0].name == "search_input");
  CHECK(elements(first) == std::vector<One>{{"labels/in4/24.0", 0, 1}});
  CHECK_FALSE(changes_chains(edited.insert(0, from("198.51.101.0/24"))));
  std::size_t opened = 1;
  for (unsigned bits = 16; bits < 24; ++bits)
    opened += edited.insert(0, from(fmt::format("198.0.0.0/{}", bits).c_str())).new_maps.size();
  CHECK(opened == 12 - 5);
}

TEST_CASE("fronts have an end, behind which rules go to the tables as ever") {
  Edited edited(many_rules());
  std::size_t elements_only = 0;
  for (std::size_t i = 0; i < 1100; ++i) {
    const std::string source = fmt::format("203.0.{}.{}", i / 250, i % 250);
    elements_only += changes_chains(edited.insert(0, from(source.c_str()))) ? 0 : 1;
  }
  CHECK(elements_only == 1024);
}

TEST_CASE("a policy of few rules has no fronts") {
  Policy policy;
  policy.rules = {to_port(80)};
  Edited edited(policy);
  CHECK(changes_chains(edited.insert(0, from("198.51.100.7"))));
}

TEST_CASE("fronts open with the rule that makes them many, which goes there already") {
  Policy policy = many_rules();
  while (policy.rules.size() + policy.builtin_rules.size() >= KernelPlan::kManyRules)
    policy.rules.erase(0);
  Edited edited(policy);
  const PlanChange opened = edited.insert(0, from("198.51.100.7"));
  CHECK_FALSE(opened.whole);
  CHECK(opened.new_maps.size() == 5);
  REQUIRE(opened.changed_chains.size() == 1);
  CHECK(opened.changed_chains[0].name == "search_input");
  CHECK_FALSE(changes_chains(edited.insert(0, from("198.51.100.8"))));
}

namespace {

// Hosts and services of a small world, so that rules of all fronts meet one another and those of the tables.
class SmallWorld {
 public:
  explicit SmallWorld(std::uint64_t seed) : random_(seed) {}

  void edit(Policy& policy) {
    const std::size_t count = policy.rules.size();
    if (count > 3 && random_.one_in(3))
      policy.rules.erase(random_.below(count));
    else
      policy.rules.insert(random_.below(count + 1), any_rule());
  }

  rules::Packet any_packet() {
    static constexpr std::array kSources = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1",
                                            "2001:db8::3"};
    rules::Packet packet;
    packet.source = rules::parse_range(random_.pick(kSources))->first;
    packet.destination = packet.source;
    packet.has_ports = true;
    packet.protocol = any_protocol();
    packet.destination_port = any_port();
    return packet;
  }

 private:
  std::uint16_t any_port() { return static_cast<std::uint16_t>(80 + random_.below(2)); }
  std::uint8_t any_protocol() { return random_.one_in(2) ? kTcp : kUdp; }

  Rule any_rule() {
    static constexpr std::array kSources = {"192.0.2.1",   "192.0.2.2",   "192.0.2.0/30",
                                            "2001:db8::1", "2001:db8::2", "2001:db8::/126"};
    Rule rule = to_port(any_port(), any_protocol());
    const std::uint64_t shape = random_.below(4);
    if (shape == 0) rule.match = {};
    if (shape != 1) rule.match.source = host(random_.pick(kSources));
    rule.action = random_.one_in(2) ? Action::Allow : Action::Deny;
    rule.id = fmt::format("n{}", number_++);
    return rule;
  }

  tests::Random random_;
  std::size_t number_ = 0;
};

// Of the rule that decides; the default's where none does.
rules::Label label_of(const Policy& policy, const KernelPlan& plan, const rules::Packet& packet) {
  const auto decision = tests::classify_linearly(policy, packet, Direction::In, "");
  return decision.by == rules::DecidedBy::Default ? rules::kDefaultLabel
                                                  : plan.rules()[decision.index].label;
}

std::size_t in_fronts(const rules::nft::Table& table) {
  std::size_t count = 0;
  for (const rules::nft::Map& map : table.maps) {
    if (map.to == rules::nft::Map::To::Number) count += map.elements.size();
  }
  return count;
}

}  // namespace

TEST_CASE("with fronts the first rule that matches decides, whatever came and went") {
  const auto seed = tests::test_seed();
  INFO("FWD_TEST_SEED=" << seed);
  SmallWorld world(seed);
  std::size_t elements = 0;
  for (int round = 0; round < 60; ++round) {
    Policy policy;
    policy.builtin_rules.clear();
    KernelPlan plan(0);
    (void)plan.update(policy);
    for (int edit = 0; edit < 25; ++edit) {
      world.edit(policy);
      (void)plan.update(policy);
      const rules::nft::Table table = tests::table_of(plan);
      elements += in_fronts(table);
      const tests::NftMachine machine(table);
      for (int probe = 0; probe < 20; ++probe) {
        tests::MachineState state{world.any_packet()};
        state.priority = rules::kDefaultLabel << rules::kLabelShift;
        REQUIRE(machine.run("search_input", state) == tests::NftMachine::End::Fallthrough);
        INFO(dump(table));
        REQUIRE(state.priority >> rules::kLabelShift == label_of(policy, plan, state.packet));
      }
    }
  }
  CHECK(elements > 1000);
}
