// The chains at the hooks, which commits change by single rules.
#include <catch2/catch.hpp>

#include "fwd/kernel/chains.h"
#include "fwd/kernel/nft_batch.h"
#include "fwd/kernel/nft_reader.h"
#include "tests/fwd/kernel/table_fixtures.h"
#include "tests/support/netns.h"

using namespace fwd::kernel;
using namespace fwd::test;

TEST_CASE("a commit replaces one rule of a base chain, and leaves those that have verdicts alone") {
  support::in_new_netns([] {
    auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
    require(socket);
    const auto rules_of = [&](const char* chain) {
      auto rules = read_rules(*socket, kTableName, chain);
      require(rules);
      return *rules;
    };
    const auto firewall = opened();
    require(firewall->commit(policy_with_limit("one"), 1, fwd::Mode::Enforce));
    for (const char* chain : {"a_input", "a_output"}) {
      const auto before = rules_of(chain);
      require(firewall->commit(policy_with_limit("one"), 2, fwd::Mode::Enforce));
      const auto after = rules_of(chain);
      REQUIRE(after.size() == before.size());
      for (std::size_t i = 0; i < after.size(); ++i) {
        CHECK(after[i].handle == before[i].handle);
        CHECK((after[i].expressions == before[i].expressions) == (i != 0));
      }
      require(firewall->commit(policy_with_limit("one"), 1, fwd::Mode::Enforce));
      CHECK(rules_of(chain)[0].expressions == before[0].expressions);
    }
    require_whole(*firewall);
  });
}

TEST_CASE("base chains that a switch fills anew have their rule replaced by the next commits") {
  support::in_new_netns([] {
    const auto firewall = opened();
    rules::Policy policy = policy_with_limit("one");
    Generation generation = 0;
    for (const bool established : {true, false, true}) {
      policy.builtins.established = established;
      for (int i = 0; i < 2; ++i) {
        require(firewall->commit(policy, ++generation, fwd::Mode::Enforce));
        require_whole(*firewall);
      }
    }
  });
}

TEST_CASE(
    "base chains that somebody else fills with the same are no damage, and are changed next") {
  support::in_new_netns([] {
    const auto firewall = opened();
    const rules::Policy policy = policy_with_limit("one");
    require(firewall->commit(policy, 1, fwd::Mode::Enforce));
    require(firewall->commit(policy, 2, fwd::Mode::Enforce));
    rules::KernelPlan plan;
    (void)plan.update(policy);
    const FixedPart fixed = build_fixed({}, policy, plan, 2, fwd::Mode::Enforce, settings());
    change([&](NftBatch& batch) {
      for (const rules::nft::Chain& chain : fixed.current.chains) {
        if (!chain.base) continue;
        batch.flush_chain(kTableName, chain.name);
        for (const rules::nft::Rule& rule : chain.rules)
          batch.add_rule(kTableName, chain.name, rule, firewall->queue_expression());
      }
    });
    require_whole(*firewall);
    require(firewall->commit(policy, 3, fwd::Mode::Enforce));
    require_whole(*firewall);
  });
}
