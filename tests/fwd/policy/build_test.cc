#include "fwd/policy/build.h"

#include <catch2/catch.hpp>

#include "rules/parser.h"

TEST_CASE("an edit can't make more rules of a policy than its file could have") {
  const fwd::engine::ActivePolicy before(rules::Policy{}, 1, 1, fwd::Mode::Enforce, 1);
  rules::PolicyEdit edit{rules::PolicyEdit::Kind::Added, {}, {}, 0};
  edit.policy.sources = std::make_shared<const rules::SourceTree>(
      rules::SourceTree{.main = {"policy.fw", ""}, .includes = {}});
  for (std::uint32_t line = 1; line <= rules::kMaxRules + 1; ++line)
    edit.policy.rules.push_back({}, {.line = line});
  const auto built = fwd::policy::build(before, std::move(edit), {}, {});
  REQUIRE_FALSE(built);
  CHECK(built.error().message == "policy.fw:200001: a policy has at most 200000 rules");
}
