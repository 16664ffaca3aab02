#include "rules/policy_diff.h"

#include <catch2/catch.hpp>

#include "tests/rules/texts.h"

namespace {

rules::PolicyDiff between(const std::string& before, const std::string& after) {
  const auto policy = [](const std::string& text) {
    auto resolved = rules::tests::resolve_tree(rules::tests::tree_of(text));
    REQUIRE(resolved);
    return std::move(resolved->policy);
  };
  return rules::diff(policy(before), policy(after));
}

TEST_CASE("equal policies don't differ, however they are written") {
  CHECK(between("allow 80/tcp\n", "# web\nallow in proto tcp from any to any port 80\n").empty());
}

TEST_CASE("a set that gained a member shows before and after") {
  const auto diff = between("set s = { 192.0.2.1 }\nallow from @s\n",
                            "set s = { 192.0.2.1, 192.0.2.9 }\nallow from @s\n");
  CHECK(diff.removed == std::vector<std::string>{"set s = { 192.0.2.1 }"});
  CHECK(diff.added == std::vector<std::string>{"set s = { 192.0.2.1, 192.0.2.9 }"});
  CHECK_FALSE(diff.reordered);
}

TEST_CASE("rules that change places are told apart from rules that change") {
  const auto diff =
      between("allow 80/tcp\ndeny from 192.0.2.1\n", "deny from 192.0.2.1\nallow 80/tcp\n");
  CHECK(diff.removed.empty());
  CHECK(diff.added.empty());
  CHECK(diff.reordered);
  CHECK_FALSE(between("allow 80/tcp\n", "deny from 192.0.2.1\nallow 80/tcp\n").reordered);
}

}  // namespace
