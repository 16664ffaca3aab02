#include "rules/shadow.h"

#include <chrono>
#include <string>

#include <catch2/catch.hpp>

#include "tests/rules/texts.h"
#include "tests/support/random_policy.h"

using namespace rules;
using namespace rules::tests;

namespace {

// Whether the second rule is said to be covered by the first.
bool shadowed(const std::string& first, const std::string& second) {
  const SourceTree tree =
      tree_of("set a = { 10.0.0.1, 10.0.0.9, ::1 }\nset b = { 10.0.0.1 }\nset none = { }\n" +
              first + "\n" + second + "\n");
  const auto resolved = resolve_tree(tree);
  if (!resolved) FAIL(render_all(resolved.error()));
  return !resolved->warnings.empty();
}

}  // namespace

TEST_CASE("a rule that an earlier one covers in all dimensions is shadowed") {
  const std::pair<const char*, const char*> cases[] = {
      {"allow from any", "deny 80"},
      {"allow from 10.0.0.0/8", "deny from 10.1.0.0/16 to any port 80"},
      {"allow 1:100/tcp", "deny 5,80/tcp"},
      {"allow 53", "deny 53/udp"},
      {"deny from @a", "allow from @b to any port 22"},
      {"allow proto icmp", "deny proto icmp type echo-request"},
      {"allow proto icmpv6 type 1", "deny proto icmpv6 type 1/4"},
      {"allow 80", "allow on eth0 80"},
  };
  for (const auto& [first, second] : cases) {
    INFO(first << " / " << second);
    CHECK(shadowed(first, second));
    CHECK_FALSE(shadowed(second, first));
  }
  CHECK(shadowed("limit ssh", "limit ssh rate 1/1s"));
  CHECK(shadowed("deny 80", "allow 80"));
}

TEST_CASE("a rule that an earlier one covers only in part isn't shadowed") {
  const std::pair<const char*, const char*> cases[] = {
      {"allow 80/tcp", "deny 80"},
      {"allow 80", "deny out 80"},
      {"allow on eth0 80", "deny on eth1 80"},
      {"allow from 10.0.0.1", "deny from @a"},
      {"allow 1:5,7:9/tcp", "deny 4:8/tcp"},
      {"allow from any port 1 to any port 2 proto tcp", "deny 2/tcp"},
      {"allow proto icmp type 8", "deny proto icmp type echo-request"},
      {"allow from any", "deny from @none"},  // it may get members
  };
  for (const auto& [first, second] : cases) {
    INFO(first << " / " << second);
    CHECK_FALSE(shadowed(first, second));
  }
}

TEST_CASE("a rule that stands there twice is an error that shows both lines") {
  CHECK(errors_of("allow 80/tcp\n\nallow in log proto tcp to any port http comment \"again\"\n") ==
        "policy.fw:3:1: error: the same rule stands here twice\n"
        "allow in log proto tcp to any port http comment \"again\"\n"
        "^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "policy.fw:1:1: note: see also\n"
        "allow 80/tcp\n"
        "^~~~~~~~~~~~\n"
        "hint: remove one of them\n");
}

TEST_CASE("ten thousand rules are checked in about a second, and the work is bounded") {
  std::string text;
  for (int i = 0; i < 10'000; ++i) {
    text += "allow from 10." + std::to_string(i / 250) + "." + std::to_string(i % 250) +
            ".0/24 to any port " + std::to_string(1 + i % 100) + "\n";
  }
  text += "deny from 10.3.7.9 to any port 58\n";
  const SourceTree tree = tree_of(text);
  const auto start = std::chrono::steady_clock::now();
  const auto resolved = resolve_tree(tree);
  const auto elapsed = std::chrono::steady_clock::now() - start;
  REQUIRE(resolved);
  REQUIRE(resolved->warnings.size() == 1);
  CHECK(resolved->warnings[0].other[0].line == 758);
  CHECK(elapsed <
        std::chrono::seconds(10));  // far more than it takes, for sanitizers on a busy machine

  Report report;
  check_order(resolved->policy, report, 1000);
  const auto warnings = report.take_warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].message == "rules from here on weren't checked for being covered: too many");
}

TEST_CASE("the first rule that covers another is found as by comparing all pairs") {
  const auto seed = ::tests::test_seed();
  INFO("FWD_TEST_SEED=" << seed);
  ::tests::RandomPolicies generator{seed};
  for (int round = 0; round < 200; ++round) {
    const RuleList random = generator.policy(16).rules;
    std::vector<Rule> list(random.begin(), random.end());
    // Those that match nothing at all are another matter.
    std::erase_if(list, [](const Rule& rule) {
      const auto has = [](const AddressMatch& match, Family family) {
        return match.any() || match.members->has(family);
      };
      const auto both = [&](Family family) {
        return has(rule.match.source, family) && has(rule.match.destination, family);
      };
      return !both(Family::V4) && !both(Family::V6);
    });
    Policy policy;
    policy.sources = std::make_shared<const SourceTree>();
    for (std::size_t i = 0; i < list.size(); ++i) {
      list[i].id = std::to_string(i);
      policy.rules.push_back(list[i], {.line = static_cast<std::uint32_t>(i + 1)});
    }
    std::vector<std::pair<std::size_t, std::size_t>> expected;
    for (std::size_t later = 0; later < list.size(); ++later) {
      for (std::size_t earlier = 0; earlier < later; ++earlier) {
        if (!covers(list[earlier].match, list[later].match)) continue;
        expected.emplace_back(later + 1, earlier + 1);
        break;
      }
    }
    Report report;
    check_order(policy, report);
    std::vector<std::pair<std::size_t, std::size_t>> found;
    for (const auto& warning : report.take_warnings())
      found.emplace_back(warning.where.line, warning.other.at(0).line);
    REQUIRE(found == expected);
  }
}
