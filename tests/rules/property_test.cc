// Random policies and packets: the classifier agrees with the linear matcher, whatever they are.
#include <catch2/catch.hpp>

#include "rules/rule_set.h"
#include "tests/fuzz/policy_property.h"
#include "tests/support/linear_matcher.h"
#include "tests/support/near_misses.h"
#include "tests/support/policy_text.h"
#include "tests/support/random.h"
#include "tests/support/random_policy.h"

using tests::classify_linearly;
using tests::RandomPolicies;

namespace {

// Goes over what rules and probes decided, so that a generator which only ever hits the default
// shows.
struct Tally {
  int by_rule = 0;
  int by_builtin = 0;
  int by_default = 0;

  void count(rules::DecidedBy by) {
    switch (by) {
      case rules::DecidedBy::Rule:
        ++by_rule;
        break;
      case rules::DecidedBy::Builtin:
        ++by_builtin;
        break;
      case rules::DecidedBy::Default:
        ++by_default;
        break;
    }
  }
};

void check_policy(RandomPolicies& generator, std::size_t rules, int probes, Tally& tally) {
  const auto policy = generator.policy(rules);
  const auto rule_set = rules::compile(policy);
  for (int left = probes; left > 0; --left) {
    const auto probe = generator.probe(policy);
    const auto expected = classify_linearly(policy, probe.packet, probe.direction, probe.interface);
    const auto got =
        rule_set.classify(probe.packet, probe.direction, rule_set.interface_id(probe.interface));
    tally.count(expected.by);
    if (got == expected) continue;
    INFO(describe(probe));
    INFO("rule " << got.index << " instead of " << expected.index);
    FAIL("classifier and linear matcher differ");
  }
}

TEST_CASE("a rule set that was made from another by an edit answers as one compiled afresh") {
  const auto seed = tests::test_seed();
  INFO("FWD_TEST_SEED=" << seed);
  RandomPolicies generator{seed};
  tests::Random random{seed};
  for (const std::size_t size : {0, 3, 60}) {
    rules::Policy policy = generator.policy(size);
    rules::RuleSet rule_set = rules::compile(policy);
    for (int edit = 0; edit < 80; ++edit) {
      const rules::RuleSet before = rule_set;
      const rules::Policy policy_before = policy;
      if (policy.rules.empty() || random.one_in(2)) {
        const std::size_t index = random.below(policy.rules.size() + 1);
        policy.rules.insert(index, generator.policy(1).rules[0]);
        rule_set = rule_set.with_rule(policy, index);
      } else if (random.one_in(2)) {
        std::vector<std::size_t> indices;
        for (std::size_t index = 0; index < policy.rules.size(); ++index) {
          if (!random.one_in(4)) continue;
          rules::Rule other = generator.policy(1).rules[0];
          other.match.direction = policy.rules[index].match.direction;
          policy.rules.replace(index, std::move(other));
          indices.push_back(index);
        }
        rule_set = rule_set.with_others(policy, policy_before.rules, indices);
      } else {
        const std::size_t index = random.below(policy.rules.size());
        const rules::Rule removed = policy.rules[index];
        policy.rules.erase(index);
        rule_set = rule_set.without_rule(policy, removed, index);
      }
      const auto agrees = [&](const rules::RuleSet& set, const rules::Policy& its) {
        const auto probe = generator.probe(its);
        REQUIRE(set.classify(probe.packet, probe.direction, set.interface_id(probe.interface)) ==
                classify_linearly(its, probe.packet, probe.direction, probe.interface));
      };
      for (int probe = 0; probe < 50; ++probe) {
        agrees(rule_set, policy);
        agrees(before, policy_before);
      }
      // An edit that came to nothing: what is made from the one before doesn't know of it.
      if (random.one_in(10)) {
        rule_set = before;
        policy = policy_before;
      }
    }
  }
}

}  // namespace

TEST_CASE("the classifier agrees with the linear matcher on random policies") {
  const auto seed = tests::test_seed();
  INFO("FWD_TEST_SEED=" << seed);
  RandomPolicies generator{seed};
  Tally tally;
  for (int round = 0; round < 1500; ++round)
    check_policy(generator, static_cast<std::size_t>(round % 12), 60, tally);
  for (int round = 0; round < 60; ++round) check_policy(generator, 100, 300, tally);
  for (int round = 0; round < 4; ++round) check_policy(generator, 1500, 1500, tally);
  CHECK(tally.by_rule > 10000);
  CHECK(tally.by_builtin > 1000);
  CHECK(tally.by_default > 1000);
}

TEST_CASE("the classifier agrees with the linear matcher beyond one row of rules") {
  const auto seed = tests::test_seed();
  INFO("FWD_TEST_SEED=" << seed);
  RandomPolicies generator{seed};
  auto policy = generator.policy(0);
  // Rules that are never hit, and then those that are, in the third row.
  rules::Rule never;
  never.match.protocols = {{253, {}, {}}};
  const auto wanted = generator.policy(50).rules;
  for (int i = 0; i < 2 * 16384 + 100; ++i) policy.rules.push_back(never);
  for (const rules::Rule& rule : wanted) policy.rules.push_back(rule);
  const auto rule_set = rules::compile(policy);
  auto last_part = policy;
  last_part.rules = wanted;
  for (int left = 300; left > 0; --left) {
    const auto probe = generator.probe(last_part);
    REQUIRE(
        rule_set.classify(probe.packet, probe.direction, rule_set.interface_id(probe.interface)) ==
        classify_linearly(policy, probe.packet, probe.direction, probe.interface));
  }
}

TEST_CASE("the classifier agrees with the linear matcher on and beside every edge") {
  const auto seed = tests::test_seed();
  INFO("FWD_TEST_SEED=" << seed);
  int compared = 0;
  for (std::uint64_t round = 0; round < 40; ++round) {
    const auto text = tests::random_policy_text(seed + round);
    INFO(text);
    const auto policy = tests::policy_from(text).value();
    const auto rule_set = rules::compile(policy);
    for (const auto& probe : tests::near_misses(policy, seed)) {
      const auto interface = rule_set.interface_id(probe.interface);
      ++compared;
      if (rule_set.classify(probe.packet, probe.direction, interface) ==
          classify_linearly(policy, probe.packet, probe.direction, probe.interface))
        continue;
      FAIL(describe(probe));
    }
  }
  CHECK(compared > 10000);
}
