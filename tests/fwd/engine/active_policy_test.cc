#include "fwd/engine/active_policy.h"

#include <catch2/catch.hpp>

#include "tests/fwd/engine/fixtures.h"

using namespace rules;

TEST_CASE("limits have their slots, and no other rule has one, before or behind them") {
  const auto policy = tests::active(tests::policy_of({
      tests::tcp_rule(Action::Allow, 80),
      tests::tcp_rule(Action::Limit, 22),
      tests::tcp_rule(Action::Allow, 443),
      tests::tcp_rule(Action::Limit, 25),
      tests::tcp_rule(Action::Deny, 8080),
  }));
  const auto slot = [&](DecidedBy by, std::uint32_t index) {
    return policy->limit_slot({.by = by, .index = index});
  };
  CHECK(slot(DecidedBy::Rule, 0) == 0);
  CHECK(slot(DecidedBy::Rule, 1) == 1);
  CHECK(slot(DecidedBy::Rule, 2) == 0);
  CHECK(slot(DecidedBy::Rule, 3) == 2);
  CHECK(slot(DecidedBy::Rule, 4) == 0);
  CHECK(slot(DecidedBy::Default, 1) == 0);
}
