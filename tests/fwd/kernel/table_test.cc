#include "fwd/kernel/table.h"

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "fwd/kernel/chains.h"
#include "fwd/kernel/nft_batch.h"
#include "fwd/kernel/nft_reader.h"
#include "fwd/unique_fd.h"
#include "tests/fwd/kernel/table_fixtures.h"
#include "tests/support/netns.h"
#include "tests/support/random_policy.h"
#include "tests/support/rule_lists.h"

using namespace fwd::kernel;
using namespace fwd::test;
using namespace std::chrono_literals;

namespace {

// One datagram of a new connection over loopback. On its way in it is of an approved one.
void send_to_loopback(int receiver) {
  sockaddr_in to{};
  socklen_t length = sizeof to;
  REQUIRE(getsockname(receiver, reinterpret_cast<sockaddr*>(&to), &length) == 0);
  const fwd::UniqueFd sender(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const char byte = 0;
  (void)sendto(sender.get(), &byte, 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

fwd::UniqueFd loopback_receiver() {
  fwd::UniqueFd receiver(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(receiver.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return receiver;
}

// A policy with a set of so many addresses.
rules::Policy policy_with_members(std::uint32_t count) {
  rules::AddressSet::Builder members;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto address = rules::Address::v4(0x0a000000 + 2 * i);
    members.add({address, address});
  }
  rules::Policy policy = policy_with_limit("large");
  tests::change(policy.rules, 0, [&](rules::Rule& rule) {
    rule.match.source = {std::make_shared<const rules::AddressSet>(std::move(members).build()),
                         "peers"};
  });
  return policy;
}

}  // namespace

TEST_CASE("a committed table is read back with its generation and policy") {
  support::in_new_netns([] {
    const auto firewall = opened();
    const auto before = firewall->read();
    require(before);
    CHECK_FALSE(before->has_value());
    require(firewall->commit(policy_with_limit("first"), 63, fwd::Mode::Enforce));
    const auto found = firewall->read();
    require(found);
    REQUIRE(found->has_value());
    CHECK((*found)->generation == 63);
    CHECK((*found)->policy_hash == "first");
    CHECK((*found)->state_directory == "/var/lib/fwd");
  });
}

TEST_CASE("a second commit replaces the first, and what it no longer needs is gone") {
  support::in_new_netns([] {
    const auto firewall = opened();
    require(firewall->commit(policy_with_limit("first"), 1, fwd::Mode::Enforce));
    rules::Policy without_limit;
    without_limit.hash = "second";
    require(firewall->commit(without_limit, 2, fwd::Mode::Enforce));
    const auto found = firewall->read();
    require(found);
    CHECK((*found)->policy_hash == "second");
    require(firewall->counters());
  });
}

TEST_CASE(
    "leases that are renewed meanwhile don't hinder a commit or a check of all of the table") {
  support::in_new_netns([] {
    const auto firewall = opened();
    constexpr std::uint32_t kChains = 10'000;
    rules::Policy policy;
    for (std::uint32_t i = 0; i < kChains; ++i) {
      rules::Rule rule;
      rule.id = fmt::format("{:016x}", i);
      const auto address = rules::Address::v4(0x0a000000 + i);
      rule.match.source.members = std::make_shared<const rules::AddressSet>(
          std::vector{rules::AddressRange{address, address}});
      rule.match.protocols = {{rules::protocol::kTcp, {}, {}}};
      rule.match.destination_ports = {{80, 81}};  // which takes a chain
      policy.rules.push_back(std::move(rule));
    }
    require(firewall->commit(policy, 1, fwd::Mode::Enforce));
    std::atomic<bool> over = false;
    std::thread leases([&] {
      while (!over) (void)firewall->renew_lease(1s);
    });
    const auto committed = firewall->commit(policy, 2, fwd::Mode::Observe);
    const auto removed = firewall->remove();
    const auto again = firewall->commit(policy, 3, fwd::Mode::Enforce);
    over = true;
    leases.join();
    require(committed);
    require(removed);
    require(again);
    require_whole(*firewall);
  });
}

TEST_CASE("observe mode comes and goes with a commit, and what it doesn't need with it") {
  support::in_new_netns([] {
    const auto firewall = opened();
    const rules::Policy policy = policy_with_limit("first");
    Generation generation = 0;
    for (const auto mode : {fwd::Mode::Enforce, fwd::Mode::Observe, fwd::Mode::Enforce}) {
      require(firewall->commit(policy, ++generation, mode));
      const auto found = firewall->read();
      require(found);
      CHECK((*found)->generation == generation);
      CHECK((*found)->policy_hash == "first");
      CHECK((*found)->mode == mode);
    }
  });
}

TEST_CASE("commits that follow one another leave what a first commit of the last policy leaves") {
  support::in_new_netns([] {
    const auto seed = tests::test_seed();
    INFO("FWD_TEST_SEED=" << seed);
    tests::RandomPolicies generator{seed};
    const auto firewall = opened();
    for (int round = 0; round < 20; ++round) {
      rules::Policy policy = generator.policy(static_cast<std::size_t>(round * 7 % 60));
      for (rules::Rule& builtin : policy.builtin_rules) builtin.action = rules::Action::Allow;
      for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        const bool kept = i % 3 != 0;
        tests::change(policy.rules, i, [&](rules::Rule& rule) {
          if (rule.action == rules::Action::Limit) rule.rate = rules::Rate{};
          rule.id = fmt::format("{}{}", kept ? "kept" : fmt::format("new{}.", round), i);
        });
      }
      require(firewall->commit(policy, static_cast<Generation>(1 + round), fwd::Mode::Enforce));
      require_whole(*firewall);
      if (round % 3 == 0) require(firewall->renew_lease(1s));
    }
  });
}

TEST_CASE("edits of one rule or of a set's members leave what a first commit leaves") {
  support::in_new_netns([] {
    const auto seed = tests::test_seed();
    INFO("FWD_TEST_SEED=" << seed);
    tests::RandomPolicies generator{seed};
    std::mt19937_64 random{seed};
    const auto firewall = opened();
    rules::Policy policy;
    std::vector<rules::AddressRange> members;
    for (int round = 0; round < 40; ++round) {
      rules::Rule rule = generator.policy(1).rules[0];
      if (rule.action == rules::Action::Limit) rule.rate = rules::Rate{};
      rule.id = fmt::format("r{}", round);
      if (round % 3 == 0) rule.match.source = {nullptr, "peers"};
      policy.rules.insert(random() % (policy.rules.size() + 1), rule);
      if (round % 4 == 3) policy.rules.erase(random() % policy.rules.size());
      const auto first = static_cast<std::uint32_t>(random() % 64 * 8);
      const auto last = first + static_cast<std::uint32_t>(random() % 3);
      members.push_back({rules::Address::v4(first), rules::Address::v4(last)});
      members.push_back({rules::Address::v6(0, first), rules::Address::v6(0, last)});
      if (members.size() > 20) members.erase(members.begin(), members.begin() + 6);
      const auto peers = std::make_shared<const rules::AddressSet>(members);
      for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        if (policy.rules[i].match.source.name != "peers") continue;
        tests::change(policy.rules, i, [&](rules::Rule& one) { one.match.source.members = peers; });
      }
      require(firewall->commit(policy, static_cast<Generation>(1 + round), fwd::Mode::Enforce));
      require_whole(*firewall);
    }
  });
}

TEST_CASE("what another changed meanwhile is written over") {
  support::in_new_netns([] {
    const auto ours = opened();
    require(ours->commit(policy_with_limit("first"), 1, fwd::Mode::Enforce));
    const auto another = opened();
    require(another->commit(rules::Policy{}, 7, fwd::Mode::Enforce));
    require(ours->commit(policy_with_limit("second"), 2, fwd::Mode::Enforce));
    const auto found = ours->read();
    require(found);
    CHECK((*found)->policy_hash == "second");
    CHECK((*found)->generation == 2);
    require(another->remove());
    require(ours->commit(policy_with_limit("third"), 3, fwd::Mode::Enforce));
    CHECK((*ours->read())->policy_hash == "third");
  });
}

TEST_CASE("a set is written and verified while its hash table still grows") {
  support::in_new_netns([] {
    const auto firewall = opened();
    require(firewall->commit(policy_with_members(16'000), 1, fwd::Mode::Enforce));
    require(firewall->commit(policy_with_members(15'999), 2, fwd::Mode::Enforce));
  });
}

TEST_CASE(
    "a large set whose members become more than its hash table has room for gets a larger one") {
  support::in_new_netns([] {
    const auto firewall = opened();
    Generation generation = 0;
    for (const std::uint32_t members :
         {16'000, 17'000, 26'000, 27'000, 60'000, 26'000, 10, 40'000}) {
      INFO(members << " members");
      require(firewall->commit(policy_with_members(members), ++generation, fwd::Mode::Enforce));
      require_whole(*firewall);
    }
    const auto another = opened();  // what it finds there it writes over
    require(another->commit(policy_with_members(20'000), ++generation, fwd::Mode::Enforce));
    require_whole(*another);
  });
}

TEST_CASE(
    "a large set is filled before the kernel goes over to what refers to it, and taken back where "
    "it doesn't") {
  support::in_new_netns([] {
    const auto observer = opened();
    const auto firewall = opened();
    require(firewall->commit(policy_with_members(10), 1, fwd::Mode::Enforce));
    auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
    require(socket);
    const auto sets = [&] {
      const auto found = read_table(*socket, kTableName);
      require(found);
      return found->sets;
    };
    const auto before = sets();
    const auto policy = policy_with_members(70'000);
    for (const bool changed_by_others : {false, true}) {
      INFO(
          (changed_by_others ? "another table is changed meanwhile" : "the workers can't be held"));
      int asked = 0;
      const auto refused = firewall->commit(policy, 2, fwd::Mode::Enforce, [&](const Send& send) {
        CHECK(sets().size() == before.size() + (asked++ == 0 ? 1 : 0));
        CHECK((*observer->read())->generation != 2);
        if (!changed_by_others) return fwd::Result<void>(fwd::failed("hold the workers", EBUSY));
        change_another_table();
        return send();
      });
      CHECK(!refused);
      CHECK(asked == (changed_by_others ? 6 : 2));  // then for the whole table
      CHECK(sets() == before);
      require(firewall->commit(policy_with_members(10), 3, fwd::Mode::Enforce));
    }
    require(firewall->commit(policy, 4, fwd::Mode::Enforce));
    require_whole(*firewall);
    CHECK(sets().size() == before.size());
  });
}

TEST_CASE(
    "large lists of exact addresses and ranges of both families, and ports, are written and "
    "verified") {
  support::in_new_netns([] {
    rules::AddressSet::Builder members;
    for (std::uint32_t i = 0; i < 20'000; ++i) {
      const auto v4 = rules::Address::v4(0x0a000000 + 4 * i);
      const auto v6 = rules::Address::v6(0x20010db800000000, 4 * i);
      auto last = i % 100 == 0 ? v6 : v4;
      last.low += i % 100 <= 1 ? 1 : 0;
      members.add({i % 100 == 0 ? v6 : v4, last});
      if (i % 100 > 1) members.add({v6, v6});
    }
    std::vector<rules::PortRange> ports;
    for (std::uint16_t port = 1; port < 600; port += 2) ports.push_back({port, port});
    rules::Policy policy = policy_with_limit("all kinds");
    tests::change(policy.rules, 0, [&](rules::Rule& rule) {
      rule.match.protocols = {{rules::protocol::kTcp, {}, {}}};
      rule.match.source = {std::make_shared<const rules::AddressSet>(std::move(members).build()),
                           "peers"};
      rule.match.destination_ports = ports;
    });
    const auto firewall = opened();
    require(firewall->commit(policy_with_limit("none"), 1, fwd::Mode::Enforce));
    require(firewall->commit(policy, 2, fwd::Mode::Enforce));  // what differs
    require_whole(*firewall);
    const auto another = opened();
    require(another->commit(policy, 3, fwd::Mode::Enforce));  // all of it
    require_whole(*another);
  });
}

TEST_CASE("reading a large table that changes meanwhile fails in no other way than by the change") {
  support::in_new_netns([] {
    rules::Policy policy = policy_with_limit("large");
    for (std::uint16_t i = 0; i < 2000; ++i) {
      rules::Rule rule = policy.rules[0];
      rule.action = rules::Action::Allow;
      rule.id = fmt::format("{:016x}", i);
      policy.rules.push_back(std::move(rule));
    }
    const auto firewall = opened();
    require(firewall->commit(policy, 1, fwd::Mode::Enforce));
    const std::jthread leases([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) (void)firewall->renew_lease(1s);
    });
    for (int i = 0; i < 10; ++i) {
      const auto hits = firewall->copy_hits(policy);
      if (!hits) CHECK(hits.error().code == EINTR);
    }
    const auto found = firewall->read();
    if (!found) CHECK(found.error().code == EINTR);
  });
}

TEST_CASE("what the copy decides is counted, by rule too, and taken exactly once") {
  support::in_new_netns([] {
    const auto firewall = opened();
    rules::Policy policy = policy_with_limit("counted");
    policy.builtins.loopback = false;
    tests::change(policy.rules, 0, [](rules::Rule& rule) {
      rule.match.direction = rules::Direction::Out;
      rule.rate = rules::Rate{3, 60};
    });
    require(firewall->commit(policy, 1, fwd::Mode::Enforce));
    const auto receiver = loopback_receiver();
    for (int i = 0; i < 5; ++i) send_to_loopback(receiver.get());

    const auto counted = firewall->counters();
    require(counted);
    CHECK(counted->copy.decided() == 5);
    CHECK(counted->copy.metered == 5);
    CHECK(counted->limit_refused == 2);
    const auto hits = firewall->copy_hits(policy);
    require(hits);
    CHECK(hits->default_out == 0);
    CHECK(hits->rules.at("00000000000000aa") == 5);

    require(firewall->take_copy_counters());
    const auto rest = firewall->take_copy_counters();
    require(rest);
    CHECK(*rest == CopyCounters{});
    CHECK(firewall->copy_hits(policy)->rules.at("00000000000000aa") == 5);
  });
}

TEST_CASE("packets of a source that is shed go past the queue for as long as was asked") {
  support::in_new_netns([] {
    const auto firewall = opened();
    rules::Policy policy;
    policy.builtins.loopback = false;
    require(firewall->commit(policy, 1, fwd::Mode::Enforce));
    require(firewall->renew_lease(1min));
    const std::array sources{rules::Address::v4(0x7f000001), rules::Address::v6(0, 1)};
    require(firewall->shed(sources, 1min));
    require(firewall->shed(sources, 1min));
    const auto receiver = loopback_receiver();
    for (int i = 0; i < 2; ++i) send_to_loopback(receiver.get());
    CHECK(firewall->take_copy_counters()->shed == 2);
  });
}
