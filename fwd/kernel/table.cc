#include "fwd/kernel/table.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <unistd.h>

#include "fwd/kernel/chains.h"
#include "fwd/kernel/nft_batch.h"
#include "fwd/kernel/nft_reader.h"

namespace fwd::kernel {
namespace {

constexpr std::string_view kStateDirectoryComment = "fwd state ";

template <typename Items>
std::set<std::string> names(const Items& items) {
  std::set<std::string> out;
  for (const auto& item : items) out.insert(item.name);
  return out;
}

// The whole table anew below the base chains, as one transaction.
void fill(NftBatch& batch, const rules::nft::Table& wanted, const FoundTable& found,
          QueueExpression queue) {
  if (!found.exists) batch.add_table(wanted.name, wanted.comment);
  for (const std::string& counter : wanted.counters) {
    if (!found.counters.contains(counter)) batch.add_counter(wanted.name, counter);
  }
  for (const rules::nft::Set& set : wanted.sets) {
    if (std::ranges::find(found.sets, set.name) == found.sets.end())
      batch.add_set(wanted.name, set);
  }
  for (const rules::nft::Chain& chain : wanted.chains) {
    if (!found.chains.contains(chain.name)) batch.add_chain(wanted.name, chain);
  }
  for (const auto& [name, chain] : found.chains) batch.flush_chain(wanted.name, name);
  for (const rules::nft::Chain& chain : wanted.chains) {
    for (const rules::nft::Rule& rule : chain.rules)
      batch.add_rule(wanted.name, chain.name, rule, queue);
  }
  const std::set<std::string> chains = names(wanted.chains);
  for (const auto& [name, chain] : found.chains) {
    if (!chains.contains(name)) batch.delete_chain(wanted.name, name);
  }
  const std::set<std::string> sets = names(wanted.sets);
  for (const std::string& name : found.sets) {
    if (!sets.contains(name)) batch.delete_set(wanted.name, name);
  }
}

bool same_base(const rules::nft::Chain& wanted, const FoundChain& found) {
  if (!wanted.base) return !found.hook;
  const std::uint32_t hook = wanted.base->hook == rules::nft::BaseChain::Hook::Input
                                 ? NF_INET_LOCAL_IN
                                 : NF_INET_LOCAL_OUT;
  return found.hook == hook && found.priority == wanted.base->priority;
}

// Chains with their rules in order, as the kernel gave them back, against what was sent.
Result<void> compare(const rules::nft::Table& wanted, const FoundTable& found,
                     const std::vector<FoundRule>& rules, QueueExpression queue) {
  const auto differs = [](const std::string& what) {
    return failed(fmt::format("the kernel's table differs from what was written: {}", what), 0);
  };
  if (found.chains.size() != wanted.chains.size()) return differs("number of chains");
  std::map<std::string, std::vector<const FoundRule*>> by_chain;
  for (const FoundRule& rule : rules) by_chain[rule.chain].push_back(&rule);
  for (const rules::nft::Chain& chain : wanted.chains) {
    const auto entry = found.chains.find(chain.name);
    if (entry == found.chains.end() || !same_base(chain, entry->second))
      return differs("chain " + chain.name);
    const std::vector<const FoundRule*>& written = by_chain[chain.name];
    if (written.size() != chain.rules.size())
      return differs("number of rules in chain " + chain.name);
    for (std::size_t i = 0; i < written.size(); ++i) {
      const RulePtr sent = encode_rule(wanted.name, chain.name, chain.rules[i], queue);
      if (expressions(sent.get()) != written[i]->expressions ||
          chain.rules[i].comment != written[i]->comment) {
        return differs(fmt::format("rule {} of chain {}", i + 1, chain.name));
      }
    }
  }
  return {};
}

class NftFirewall : public Firewall {
 public:
  NftFirewall(TableSettings settings, NetlinkSocket socket, NetlinkSocket lease_socket,
              QueueExpression queue)
      : settings_(std::move(settings)),
        socket_(std::move(socket)),
        lease_socket_(std::move(lease_socket)),
        queue_(queue) {}

  Result<void> commit(const rules::Policy& policy, Generation generation) override {
    const std::lock_guard lock(mutex_);
    const auto found = read_table(socket_, kTableName);
    if (!found) return std::unexpected(found.error());
    const rules::nft::Table wanted = build_table(policy, generation, settings_);
    NftBatch batch(socket_);
    fill(batch, wanted, *found, queue_);
    if (auto done = batch.commit("write the table"); !done) return done;
    return verify(wanted);
  }

  Result<std::optional<TableState>> read() override {
    const std::lock_guard lock(mutex_);
    const auto found = read_table(socket_, kTableName);
    if (!found) return std::unexpected(found.error());
    if (!found->exists) return std::nullopt;
    const auto rules = read_rules(socket_, kTableName, kStateChain);
    if (!rules) return std::unexpected(rules.error());
    TableState state;
    if (!rules->empty()) state = parse_state_comment(rules->front().comment).value_or(TableState{});
    if (found->comment.starts_with(kStateDirectoryComment)) {
      state.state_directory = found->comment.substr(kStateDirectoryComment.size());
    }
    return state;
  }

  Result<TableCounters> counters() override {
    const std::lock_guard lock(mutex_);
    auto found = read_counters(socket_, kTableName);
    if (!found) return std::unexpected(found.error());
    return TableCounters{.copy_allowed = (*found)[kCounterCopyAllowed],
                         .copy_denied = (*found)[kCounterCopyDenied],
                         .revoked = (*found)[kCounterRevoked],
                         .shed = (*found)[kCounterShed]};
  }

  // An element's timeout can't be renewed in place before kernel 6.12, so all are replaced, in one
  // transaction.
  Result<void> renew_lease(std::chrono::milliseconds timeout) override {
    const std::lock_guard lock(lease_mutex_);
    NftBatch batch(lease_socket_);
    batch.flush_set(kTableName, kLeaseSet);
    for (const std::uint32_t family : {rules::nft::kIpv4, rules::nft::kIpv6}) {
      const std::array key{static_cast<std::byte>(family)};
      batch.add_element(kTableName, kLeaseSet, key, timeout);
    }
    return batch.commit("renew the lease");
  }

  Result<void> remove() override {
    const std::lock_guard lock(mutex_);
    const auto found = read_table(socket_, kTableName);
    if (!found) return std::unexpected(found.error());
    if (!found->exists) return {};
    NftBatch batch(socket_);
    batch.delete_table(kTableName);
    return batch.commit("remove the table");
  }

  QueueExpression queue_expression() const override { return queue_; }

 private:
  Result<void> verify(const rules::nft::Table& wanted) {
    const auto found = read_table(socket_, kTableName);
    if (!found) return std::unexpected(found.error());
    const auto rules = read_rules(socket_, kTableName);
    if (!rules) return std::unexpected(rules.error());
    return compare(wanted, *found, *rules, queue_);
  }

  const TableSettings settings_;
  std::mutex mutex_;
  NetlinkSocket socket_;
  std::mutex lease_mutex_;  // of its own: a lease must not wait for a long commit's encoding
  NetlinkSocket lease_socket_;
  const QueueExpression queue_;
};

// Writes a queue rule into a table that the same transaction takes away again.
Result<void> try_queue(NetlinkSocket& socket, QueueExpression queue) {
  const std::string table = fmt::format("fwd_probe_{}", getpid());
  NftBatch batch(socket);
  batch.add_table(table, "");
  batch.add_chain(table, {"probe"});
  batch.add_rule(table, "probe", {{rules::nft::Queue{0, 0}}}, queue);
  batch.delete_table(table);
  return batch.commit("probe the kernel for nf_tables and NFQUEUE");
}

Result<QueueExpression> probe_queue(NetlinkSocket& socket) {
  const auto native = try_queue(socket, QueueExpression::Native);
  if (native) return QueueExpression::Native;
  if (native.error().code == EPERM) return failed("nf_tables needs CAP_NET_ADMIN", EPERM);
  const auto compat = try_queue(socket, QueueExpression::Compat);
  if (compat) return QueueExpression::Compat;
  return failed(
      "this kernel can't queue packets to fwd: it has neither nft_queue (CONFIG_NFT_QUEUE) nor "
      "xt_NFQUEUE "
      "with nft_compat (CONFIG_NETFILTER_XT_TARGET_NFQUEUE, CONFIG_NFT_COMPAT)",
      compat.error().code);
}

}  // namespace

Result<std::unique_ptr<Firewall>> open_firewall(TableSettings settings) {
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket) return std::unexpected(socket.error());
  auto lease_socket = NetlinkSocket::open(NETLINK_NETFILTER);
  if (!lease_socket) return std::unexpected(lease_socket.error());
  const auto queue = probe_queue(*socket);
  if (!queue) return std::unexpected(queue.error());
  return std::make_unique<NftFirewall>(std::move(settings), std::move(*socket),
                                       std::move(*lease_socket), *queue);
}

}  // namespace fwd::kernel
