// What the tests of the kernel's table share.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <catch2/catch.hpp>
#include <linux/netlink.h>

#include "fwd/kernel/nft_batch.h"
#include "fwd/kernel/table.h"

namespace fwd::test {

inline rules::Policy policy_with_limit(const std::string& hash) {
  rules::Policy policy;
  policy.hash = hash;
  rules::Rule limit;
  limit.action = rules::Action::Limit;
  limit.rate = rules::Rate{};
  limit.id = "00000000000000aa";
  policy.rules.push_back(limit);
  rules::Rule ping;
  ping.action = rules::Action::Allow;
  ping.match.protocols = {{rules::protocol::kIcmp, 8, {}}, {rules::protocol::kIcmpv6, 128, {}}};
  ping.id = "ping";
  policy.builtin_rules.push_back(ping);
  return policy;
}

inline kernel::TableSettings settings() {
  return {.queues = {0, 1}, .ct_mark = {}, .nflog_group = 4789, .state_directory = "/var/lib/fwd"};
}

inline std::unique_ptr<kernel::Firewall> opened() {
  auto firewall = kernel::open_firewall(settings());
  INFO((firewall ? "" : firewall.error().message()));
  REQUIRE(firewall);
  return std::move(*firewall);
}

template <typename T>
void require(const Result<T>& result) {
  INFO((result ? "" : result.error().message()));
  REQUIRE(result);
}

// Fills and commits a transaction, as somebody else.
template <typename Fill>
void change(const Fill& fill) {
  auto socket = kernel::NetlinkSocket::open(NETLINK_NETFILTER);
  require(socket);
  kernel::NftBatch batch(*socket);
  fill(batch);
  require(batch.commit("change"));
}

inline void change_another_table() {
  change([](kernel::NftBatch& batch) {
    batch.add_table("other", "");
    batch.delete_table("other");
  });
}

// Compares all of the table with what should be there, because somebody has changed another table.
inline void require_whole(kernel::Firewall& firewall) {
  change_another_table();
  const auto damage = firewall.damage();
  require(damage);
  CHECK(damage->value_or("none") == "none");
}

}  // namespace fwd::test
