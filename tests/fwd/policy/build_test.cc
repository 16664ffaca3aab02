#include "fwd/policy/build.h"

#include <catch2/catch.hpp>

#include "rules/parser.h"

TEST_CASE("an edit can't make more rules of a policy than its file could have") {
  const fwd::engine::ActivePolicy before(rules::Policy{}, 1, 1, fwd::Mode::Enforce, 1);
  rules::PolicyEdit edit{rules::PolicyEdit::Kind::Added, {}, {}, {}, 0};
  rules::Rule rule;
  rule.written.file = "policy.fw";
  for (std::size_t i = 0; i <= rules::kMaxRules; ++i) {
    rule.written.line = i + 1;
    edit.policy.rules.push_back(rule);
  }
  const auto built = fwd::policy::build(before, std::move(edit), {}, {});
  REQUIRE_FALSE(built);
  CHECK(built.error().message == "policy.fw:200001: a policy has at most 200000 rules");
}
