#include "fwd/engine/rule_totals.h"

#include <catch2/catch.hpp>

#include "tests/fwd/engine/fixtures.h"

using fwd::engine::ActivePolicy;
using fwd::engine::RuleHistory;
using rules::Action;
using rules::DecidedBy;
using rules::Direction;

namespace {

using namespace tests;

void hit(const ActivePolicy& policy, std::uint32_t index, int times, unsigned worker = 0) {
  for (int time = 0; time < times; ++time) {
    policy.counters[worker]->count({.by = DecidedBy::Rule, .index = index}, Direction::In);
  }
}

}  // namespace

TEST_CASE("without a policy there are no totals") {
  CHECK(RuleHistory{}.totals().policy == nullptr);
}

TEST_CASE("a rule's count follows its id, not its place, and is the sum over the workers") {
  RuleHistory history;
  const auto first = active(policy_of({tcp_rule(Action::Allow, 80)}), 1, 1, 2);
  history.begin(first, 1);
  hit(*first, 0, 3, 0);
  hit(*first, 0, 4, 1);
  CHECK(history.totals().rules == std::vector<std::uint64_t>{7});

  const auto second =
      active(policy_of({tcp_rule(Action::Deny, 25), tcp_rule(Action::Allow, 80)}), 2, 2, 2);
  history.begin(second, 2);
  hit(*second, 1, 10);
  CHECK(history.totals().rules == std::vector<std::uint64_t>{0, 17});
  CHECK(history.packets(second->policy.rules[0]) == 0);
  CHECK(history.packets(second->policy.rules[1]) == 17);
}

TEST_CASE("a retired policy counts for as long as a worker may use it, and its counts stay") {
  RuleHistory history;
  const auto first = active(policy_of({tcp_rule(Action::Allow, 80)}));
  history.begin(first, 1);
  history.begin(active(policy_of({tcp_rule(Action::Allow, 80)}), 2), 2);
  history.fold(1);
  CHECK(history.retired() == 1);
  hit(*first, 0, 5);
  CHECK(history.totals().rules == std::vector<std::uint64_t>{5});

  history.fold(2);
  CHECK(history.retired() == 0);
  CHECK(history.totals().rules == std::vector<std::uint64_t>{5});
  CHECK(history.packets(first->policy.rules[0]) == 5);
}

TEST_CASE("a rule that was removed and comes back goes on counting") {
  RuleHistory history;
  const auto first = active(policy_of({tcp_rule(Action::Allow, 80)}));
  history.begin(first, 1);
  hit(*first, 0, 5);
  history.begin(active(policy_of({}), 2), 2);
  history.fold(2);
  history.begin(active(policy_of({tcp_rule(Action::Allow, 80)}), 3), 3);
  history.fold(3);
  CHECK(history.totals().rules == std::vector<std::uint64_t>{5});
}

TEST_CASE("counts of removed rules don't pile up without end") {
  RuleHistory history;
  std::uint64_t number = 0;
  for (std::uint16_t port = 1; port <= 3000; ++port) {
    const auto policy = active(policy_of({tcp_rule(Action::Allow, port)}), ++number);
    history.begin(policy, number);
    hit(*policy, 0, 1);
    history.fold(number);
  }
  ++number;
  history.begin(active(policy_of({tcp_rule(Action::Allow, 1)}), number), number);
  history.fold(number);
  CHECK(history.totals().rules == std::vector<std::uint64_t>{0});
}

TEST_CASE("who asks for the first rules gets no more") {
  RuleHistory history;
  const auto policy =
      active(policy_of({tcp_rule(Action::Allow, 1), tcp_rule(Action::Allow, 2)}), 1, 1, 1);
  history.begin(policy, 1);
  hit(*policy, 0, 3);
  hit(*policy, 1, 4);
  CHECK(history.totals(1).rules == std::vector<std::uint64_t>{3});
  CHECK(history.totals(9).rules == std::vector<std::uint64_t>{3, 4});
}

TEST_CASE("built-in rules that share an id share its count") {
  rules::Policy policy = policy_of({});
  policy.builtin_rules = {tcp_rule(Action::Allow, 7), tcp_rule(Action::Allow, 7)};
  RuleHistory history;
  const auto first = active(policy);
  history.begin(first, 1);
  first->counters[0]->count({.by = DecidedBy::Builtin, .index = 0}, Direction::In);
  first->counters[0]->count({.by = DecidedBy::Builtin, .index = 1}, Direction::In);
  CHECK(history.totals().builtin == std::vector<std::uint64_t>{2, 2});
  CHECK(history.totals(0).builtin == std::vector<std::uint64_t>{2, 2});
}
