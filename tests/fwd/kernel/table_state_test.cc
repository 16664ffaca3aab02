// Firewall beside its commits: whether the table is there and whole, its lease, and its end.
#include <string>

#include <catch2/catch.hpp>

#include "tests/fwd/kernel/table_fixtures.h"
#include "tests/support/netns.h"

using namespace fwd::kernel;
using namespace fwd::test;
using namespace std::chrono_literals;

namespace {

fwd::Result<void> refuse(const Send&) {
  return fwd::failed("write the table", ENOSPC);
}

}  // namespace

TEST_CASE("a table exists from its first commit until somebody takes it away") {
  support::in_new_netns([] {
    const auto firewall = opened();
    const auto exists = [&] {
      const auto found = firewall->exists();
      require(found);
      return *found;
    };
    const auto commit = [&](Generation generation) {
      require(firewall->commit(policy_with_limit("x"), generation, fwd::Mode::Enforce));
    };
    CHECK_FALSE(exists());
    commit(1);
    CHECK(exists());
    require(firewall->renew_lease(1s));
    CHECK(exists());
    change_another_table();
    CHECK(exists());
    change([](NftBatch& batch) { batch.delete_table(kTableName); });
    CHECK_FALSE(exists());
    commit(2);
    CHECK(exists());
    CHECK_FALSE(firewall->commit(policy_with_limit("refused"), 3, fwd::Mode::Enforce, refuse));
    CHECK(exists());
    require(firewall->remove());
    CHECK_FALSE(exists());
  });
}

TEST_CASE("the lease can be renewed again and again, also after it has run out") {
  support::in_new_netns([] {
    const auto firewall = opened();
    require(firewall->commit(rules::Policy{}, 1, fwd::Mode::Enforce));
    for (int i = 0; i < 3; ++i) require(firewall->renew_lease(1ms));
    require(firewall->renew_lease(1s));
  });
}

TEST_CASE("the lease of a missing table is an error that names the set") {
  support::in_new_netns([] {
    const auto renewed = opened()->renew_lease(1s);
    REQUIRE_FALSE(renewed);
    CHECK(renewed.error().message() ==
          "renew the lease: the kernel refused \"flush set lease\": No such file or directory");
  });
}

TEST_CASE("removing the table succeeds with and without one") {
  support::in_new_netns([] {
    const auto firewall = opened();
    require(firewall->remove());
    require(firewall->commit(rules::Policy{}, 1, fwd::Mode::Enforce));
    require(firewall->remove());
    const auto found = firewall->read();
    require(found);
    CHECK_FALSE(found->has_value());
  });
}

TEST_CASE("what others do to the table is damage, what they do elsewhere isn't") {
  support::in_new_netns([] {
    const auto firewall = opened();
    require(firewall->commit(policy_with_limit("whole"), 1, fwd::Mode::Enforce));
    require(firewall->renew_lease(1s));
    const auto damage = [&] {
      const auto found = firewall->damage();
      require(found);
      return found->value_or("none");
    };
    CHECK(damage() == "none");
    change([](NftBatch& batch) { batch.add_table("other", ""); });
    CHECK(damage() == "none");
    change([](NftBatch& batch) { batch.flush_chain(kTableName, "a_input"); });
    CHECK(damage() ==
          "the kernel's table differs from what was written: number of rules in chain a_input");
    require(firewall->commit(policy_with_limit("whole"), 2, fwd::Mode::Enforce));
    CHECK(damage() == "none");
    change([](NftBatch& batch) { batch.delete_table(kTableName); });
    CHECK(damage() == "it is gone");
    require(firewall->commit(policy_with_limit("whole"), 3, fwd::Mode::Enforce));
    CHECK(damage() == "none");
    CHECK_FALSE(firewall->commit(policy_with_limit("refused"), 4, fwd::Mode::Enforce, refuse));
    CHECK(damage() == "what a change that failed has left of it isn't known");
    require(firewall->commit(policy_with_limit("whole"), 5, fwd::Mode::Enforce));
    CHECK(damage() == "none");
  });
}
