#include "fwd/kernel/table_change.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "fwd/kernel/chains.h"
#include "tests/support/five_tuple.h"
#include "tests/support/rule_lists.h"

using namespace fwd::kernel;

namespace {

struct Built {
  rules::KernelPlan plan;
  rules::nft::Table table;
};

Built build(const rules::Policy& policy, Generation generation, const Built* before = nullptr) {
  Built built;
  built.plan = rules::make_kernel_plan(policy, before == nullptr ? nullptr : &before->plan);
  built.table = build_table(policy, built.plan, generation, fwd::Mode::Enforce,
                            {.queues = {0, 1}, .ct_mark = {}, .state_directory = "/"});
  return built;
}

std::size_t messages(const TableChange& change) {
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  REQUIRE(socket);
  NftBatch batch(*socket);
  write(batch, change, QueueExpression::Native);
  return batch.size();
}

rules::Policy many_rules(std::size_t count) {
  rules::Policy policy = to_policy(tests::generate_five_tuples(1, count, 0).rules);
  for (std::size_t i = 0; i < count; ++i) {
    tests::change(policy.rules, i, [&](rules::Rule& rule) { rule.id = fmt::format("r{}", i); });
  }
  return policy;
}

rules::Policy with_set(std::uint32_t size) {
  rules::Policy policy;
  std::vector<rules::AddressRange> members;
  for (std::uint32_t i = 0; i < size; ++i) {
    const auto address = rules::Address::v4(0x0a000000 + 2 * i);
    members.push_back({address, address});
  }
  rules::Rule rule;
  rule.action = rules::Action::Allow;
  rule.match.source = {std::make_shared<const rules::AddressSet>(std::move(members)), "peers"};
  rule.id = "00000000000000aa";
  policy.rules.push_back(rule);
  return policy;
}

}  // namespace

TEST_CASE("nothing changes where the policy and the generation are the same") {
  const rules::Policy policy = many_rules(200);
  const Built first = build(policy, 1);
  const Built second = build(policy, 1, &first);
  CHECK(first.table == second.table);
  CHECK(messages(difference(first.table, second.table)) == 0);
}

TEST_CASE("one more rule among 10,000 is a batch of tens of messages") {
  rules::Policy policy = many_rules(10000);
  const Built first = build(policy, 1);
  rules::Rule rule = many_rules(3).rules[2];
  rule.id = "another";
  const std::size_t at = GENERATE(std::size_t{0}, std::size_t{5000}, std::size_t{10000});
  policy.rules.insert(at, rule);
  const Built second = build(policy, 2, &first);
  CHECK(messages(difference(first.table, second.table)) < 100);
}

TEST_CASE("one more address in a set of 100,000 is one element") {
  const Built first = build(with_set(100000), 1);
  const Built second = build(with_set(100001), 1, &first);
  const TableChange change = difference(first.table, second.table);
  REQUIRE(change.elements.size() == 1);
  CHECK(change.elements[0].set == "peers_4");
  CHECK(change.elements[0].gained.size() == 1);
  CHECK(change.elements[0].lost.empty());
  CHECK(messages(change) == 1);
}
