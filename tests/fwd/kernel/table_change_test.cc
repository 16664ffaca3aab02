#include "fwd/kernel/table_change.h"

#include <algorithm>
#include <utility>

#include <catch2/catch.hpp>
#include <fmt/core.h>

#include "fwd/kernel/chains.h"
#include "tests/support/five_tuple.h"
#include "tests/support/rule_lists.h"

using namespace fwd::kernel;

namespace {

// A plan, the fixed part beside it, and what has last been changed.
class Built {
 public:
  TableChange update(const rules::Policy& policy, Generation generation,
                     fwd::Mode mode = fwd::Mode::Enforce) {
    const TableSettings settings{.queues = {0, 1}, .ct_mark = {}, .state_directory = "/"};
    rules::PlanChange change = plan_.update(policy);
    whole_ = change.whole;
    FixedPart fixed = build_fixed(fixed_, policy, plan_, generation, mode, settings);
    CHECK(fixed.whole() == build_fixed({}, policy, plan_, generation, mode, settings).whole());
    const FixedPart before = std::exchange(fixed_, std::move(fixed));
    return difference(before, fixed_, std::move(change));
  }
  bool whole() const { return whole_; }

 private:
  rules::KernelPlan plan_;
  FixedPart fixed_;
  bool whole_ = false;
};

std::size_t messages(const TableChange& change) {
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  REQUIRE(socket);
  NftBatch batch(*socket);
  RuleHandles handles;
  for (const TableChange::ChangedRule& one : change.changed_rules)
    handles[one.chain].resize(one.position + 1);
  write(batch, change, handles, QueueExpression::Native);
  return batch.size();
}

// For anything else the kernel goes through the table (`validate` of its nft_expr_ops).
bool is_of_conntrack(const rules::nft::Statement& statement) {
  using rules::nft::Field;
  if (const auto* compare = std::get_if<rules::nft::Compare>(&statement))
    return compare->field == Field::CtMark || compare->field == Field::CtState;
  const auto* assign = std::get_if<rules::nft::Assign>(&statement);
  return assign != nullptr && assign->field == Field::CtMark;
}

rules::Policy many_rules(std::size_t count) {
  rules::Policy policy = to_policy(tests::generate_five_tuples(1, count, 0).rules);
  for (std::size_t i = 0; i < count; ++i) {
    tests::change(policy.rules, i, [&](rules::Rule& rule) { rule.id = fmt::format("r{}", i); });
  }
  return policy;
}

rules::Policy with_set_of(std::uint32_t size) {
  rules::Policy policy;
  std::vector<rules::AddressRange> members;
  for (std::uint32_t i = 0; i < size; ++i) {
    const auto address = rules::Address::v4(0x0a000000 + 2 * i);
    members.push_back({address, address});
  }
  rules::Rule rule;
  rule.action = rules::Action::Allow;
  rule.match.source = {std::make_shared<const rules::AddressSet>(members), "peers"};
  rule.id = "00000000000000aa";
  policy.rules.push_back(rule);
  return policy;
}

}  // namespace

TEST_CASE("nothing changes where the policy and the generation are the same") {
  const rules::Policy policy = many_rules(200);
  Built built;
  (void)built.update(policy, 1);
  CHECK(built.whole());
  CHECK(messages(built.update(policy, 1)) == 0);
  CHECK_FALSE(built.whole());
}

TEST_CASE("one more rule among 10,000 is a batch of tens of messages, and so is one less") {
  rules::Policy policy = many_rules(10000);
  Built built;
  (void)built.update(policy, 1);
  rules::Rule rule = many_rules(3).rules[2];
  rule.id = "another";
  const bool with_set = GENERATE(false, true);
  if (with_set) rule.match.source = with_set_of(20).rules[0].match.source;
  const std::size_t at = GENERATE(std::size_t{0}, std::size_t{5000}, std::size_t{10000});
  policy.rules.insert(at, rule);
  CHECK(messages(built.update(policy, 2)) < 100);
  CHECK_FALSE(built.whole());
  policy.rules.erase(at);
  CHECK(messages(built.update(policy, 3)) < 100);
  CHECK_FALSE(built.whole());
  policy.rules.erase(at / 2);
  CHECK(messages(built.update(policy, 4)) < 100);
  CHECK_FALSE(built.whole());
}

TEST_CASE(
    "a host denied among 10,000 rules is elements, and no rule that the kernel would go through "
    "the table for") {
  rules::Policy policy = many_rules(10000);
  Built built;
  (void)built.update(policy, 1);
  rules::Rule rule = with_set_of(1).rules[0];
  rule.match.source.name = {};
  policy.rules.insert(0, rule);
  const TableChange change = built.update(policy, 2);
  std::vector<std::string> filled;
  for (const auto& [chain, added] : change.filled_chains) filled.push_back(chain.name);
  CHECK(filled == std::vector<std::string>{"state", "stamp_approved", "stamp_revoked"});
  std::vector<std::string> changed;
  for (const TableChange::ChangedRule& one : change.changed_rules) {
    changed.push_back(one.chain);
    CHECK(one.position == 0);
    for (const rules::nft::Statement& statement : one.rule.statements)
      CHECK(is_of_conntrack(statement));
  }
  CHECK(changed == std::vector<std::string>{"a_input", "a_output"});
  for (const TableChange::Elements& elements : change.elements) {
    for (const KernelElement& element : elements.gained)
      CHECK((element.kind != ElementKind::Jump && element.kind != ElementKind::Goto));
  }
}

TEST_CASE(
    "what lasts from one commit to the next is written where a switch or a meter changes it") {
  const auto filled = [](const TableChange& change, const std::string& name) {
    return std::ranges::any_of(change.filled_chains,
                               [&](const auto& one) { return one.chain.name == name; });
  };
  const auto lost = [](const TableChange& change, const std::string& name) {
    return std::ranges::find(change.lost_chains, name) != change.lost_chains.end();
  };
  rules::Policy policy = many_rules(200);
  Built built;
  (void)built.update(policy, 1);
  CHECK_FALSE(filled(built.update(policy, 2), "copy_input"));
  policy.default_in = rules::Action::Allow;
  CHECK(filled(built.update(policy, 3), "copy_input"));
  policy.builtins.loopback = false;
  CHECK(filled(built.update(policy, 4), "a_rest_input"));
  policy.builtins.established = false;  // fewer rules, so that none is in its place any more
  CHECK(filled(built.update(policy, 5), "a_input"));
  policy.builtins.established = true;
  CHECK(filled(built.update(policy, 5), "a_input"));
  CHECK(lost(built.update(policy, 5, fwd::Mode::Observe), "reject"));
  CHECK(filled(built.update(policy, 6), "reject"));

  const std::string meter = "limit_" + policy.rules[0].id.str();
  const auto act = [&](rules::Action action) {
    tests::change(policy.rules, 0, [&](rules::Rule& rule) {
      rule.action = action;
      rule.rate = rules::Rate{};
    });
  };
  act(rules::Action::Limit);
  CHECK(filled(built.update(policy, 7), meter));
  CHECK_FALSE(filled(built.update(policy, 8), meter));
  act(rules::Action::Deny);
  CHECK(lost(built.update(policy, 9), meter));
}

TEST_CASE("one more address in a set of 100,000 is one element") {
  Built built;
  (void)built.update(with_set_of(100000), 1);
  const TableChange change = built.update(with_set_of(100001), 1);
  CHECK_FALSE(built.whole());
  const auto found = std::ranges::find(change.elements, "peers_4h17", &TableChange::Elements::set);
  REQUIRE(found != change.elements.end());
  CHECK(found->gained.size() == 1);
  CHECK(found->lost.empty());
  CHECK(messages(change) == 1);
}
