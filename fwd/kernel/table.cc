#include "fwd/kernel/table.h"

#include <array>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/core.h>
#include <linux/netlink.h>
#include <unistd.h>

#include "fwd/kernel/chains.h"
#include "fwd/kernel/copy_chains.h"
#include "fwd/kernel/nft_batch.h"
#include "fwd/kernel/nft_field.h"
#include "fwd/kernel/nft_reader.h"
#include "fwd/kernel/table_change.h"
#include "fwd/log.h"
#include "rules/kernel_plan.h"

namespace fwd::kernel {
namespace {

constexpr std::string_view kStateDirectoryComment = "fwd state ";

// The table isn't owned (NFT_TABLE_F_OWNER): one socket would have to do all, leases would wait for long
// commits, and `fwd --disable` couldn't help against a daemon that hangs. damage() finds what others do.
class NftFirewall : public Firewall {
 public:
  NftFirewall(TableSettings settings, NetlinkSocket socket, NetlinkSocket lease_socket,
              QueueExpression queue)
      : settings_(std::move(settings)),
        socket_(std::move(socket)),
        lease_socket_(std::move(lease_socket)),
        queue_(queue) {}

  using Firewall::commit;
  Result<void> commit(const rules::Policy& policy, Generation generation, Mode mode,
                      const SwitchOver& switch_over) override {
    const std::lock_guard lock(mutex_);
    // Without a table that is known to be written, nothing is known: also where one of the steps below fails.
    std::optional<Written> written = std::exchange(written_, std::nullopt);
    const bool known = written.has_value();
    if (!known) written = Written{};
    rules::PlanChange change = written->plan.update(policy);
    FixedPart fixed =
        build_fixed(written->fixed, policy, written->plan, generation, mode, settings_);
    const FixedPart before = std::exchange(written->fixed, std::move(fixed));
    const bool done = known && !change.whole &&
                      write_difference(before, std::move(change), *written, switch_over);
    if (!done) {
      if (auto whole = write_whole(*written, switch_over); !whole) return whole;
    }
    written_ = std::move(written);
    return {};
  }

  Result<std::optional<TableState>> read() override {
    const std::lock_guard lock(mutex_);
    const auto comment = find_table(socket_, kTableName);
    if (!comment) return std::unexpected(comment.error());
    if (!*comment) return std::nullopt;
    const auto rules = read_rules(socket_, kTableName, kStateChain);
    if (!rules) return std::unexpected(rules.error());
    TableState state;
    if (!rules->empty()) state = parse_state_comment(rules->front().comment).value_or(TableState{});
    if ((*comment)->starts_with(kStateDirectoryComment)) {
      state.state_directory = (*comment)->substr(kStateDirectoryComment.size());
    }
    return state;
  }

  Result<bool> exists() override {
    const std::lock_guard lock(mutex_);
    const auto untouched = is_untouched();
    if (!untouched || *untouched) return untouched;
    const auto found = find_table(socket_, kTableName);
    if (!found) return std::unexpected(found.error());
    return found->has_value();
  }

  Result<TableCounters> counters() override {
    static constexpr std::array kOthers = {kCounterRevoked, kCounterLimitRefused};
    const std::lock_guard lock(lease_mutex_);
    const auto copy = read_copy_counters(CounterAccess::Read);
    if (!copy) return std::unexpected(copy.error());
    const auto others = read_counters(lease_socket_, kTableName, kOthers, CounterAccess::Read);
    if (!others) return std::unexpected(others.error());
    return TableCounters{*copy, (*others)[0], (*others)[1]};
  }

  Result<CopyCounters> take_copy_counters() override {
    const std::lock_guard lock(lease_mutex_);
    return read_copy_counters(CounterAccess::Reset);
  }

  Result<CopyHits> copy_hits(const rules::Policy& policy) override {
    std::vector<std::string> names{default_counter(rules::Direction::In),
                                   default_counter(rules::Direction::Out)};
    for (const rules::Rule& rule : policy.builtin_rules)
      names.push_back(rule_counter(rule.id.view()));
    for (const rules::Rule& rule : policy.rules) names.push_back(rule_counter(rule.id.view()));
    const std::lock_guard lock(mutex_);
    auto found = find_counters(socket_, kTableName, names);
    if (!found) return std::unexpected(found.error());
    CopyHits hits{.rules = {},
                  .default_in = (*found)[default_counter(rules::Direction::In)],
                  .default_out = (*found)[default_counter(rules::Direction::Out)]};
    for (const auto& [name, packets] : *found) {
      if (name.starts_with(kRuleCounterPrefix))
        hits.rules.emplace(name.substr(kRuleCounterPrefix.size()), packets);
    }
    return hits;
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
    auto done = batch.commit("renew the lease");
    if (done) ++own_changes_;
    return done;
  }

  Result<void> shed(std::span<const rules::Address> sources,
                    std::chrono::milliseconds timeout) override {
    const std::lock_guard lock(lease_mutex_);
    NftBatch batch(lease_socket_);
    for (const rules::Address& source : sources) {
      const bool ipv4 = source.family == rules::Family::V4;
      const auto key =
          key_bytes({ipv4 ? rules::nft::Field::Ip4Source : rules::nft::Field::Ip6Source}, {source});
      batch.add_element(kTableName, ipv4 ? kShedSet4 : kShedSet6, std::as_bytes(std::span(key)),
                        timeout);
    }
    auto done = batch.commit("let sources past the queue");
    if (done) ++own_changes_;
    return done;
  }

  Result<std::optional<std::string>> damage() override {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return std::nullopt;
    const auto now = this_moment();
    if (!now) return std::unexpected(now.error());
    if (written_ && now->only_own_since(written_->when)) return std::nullopt;
    const auto found = find_table(socket_, kTableName);
    if (!found) return std::unexpected(found.error());
    if (!*found) return "it is gone";
    if (!written_) return "what a change that failed has left of it isn't known";
    const rules::nft::Table fixed = written_->fixed.whole();
    const auto verified = verify_whole(socket_, {fixed, written_->plan}, queue_, only_leases());
    if (!verified && verified.error().code != 0) return std::unexpected(verified.error());
    if (!verified) return verified.error().what;
    written_->handles.clear();  // somebody may have written the same again
    written_->when = *now;
    return std::nullopt;
  }

  Result<void> remove() override {
    const std::lock_guard lock(mutex_);
    const auto comment = find_table(socket_, kTableName);
    if (!comment) return std::unexpected(comment.error());
    if (!*comment) return {};
    written_.reset();
    NftBatch batch(socket_);
    batch.delete_table(kTableName);
    return batch.commit("remove the table");
  }

  QueueExpression queue_expression() const override { return queue_; }

 private:
  // A moment in nf_tables' history: only we have changed a table since if its generation id has grown
  // by as much as our own changes.
  struct Moment {
    std::uint32_t generation_id = 0;
    std::uint32_t own_changes = 0;

    bool only_own_since(const Moment& before) const {
      return generation_id - before.generation_id == own_changes - before.own_changes;
    }
  };

  struct Written {
    FixedPart fixed;
    rules::KernelPlan plan;
    RuleHandles handles;  // as far as they have been needed
    Moment when;
  };

  // Whether nobody but this object has changed nf_tables since its last commit.
  Result<bool> is_untouched() {
    if (!written_) return false;
    const auto now = this_moment();
    if (!now) return std::unexpected(now.error());
    return now->only_own_since(written_->when);
  }

  // A packet is counted as shed first and as decided afterwards: read the other way round, what
  // shedding explains is never taken for a full queue.
  Result<CopyCounters> read_copy_counters(CounterAccess access) {
    static constexpr std::array kNames = {kCounterCopyAllowed, kCounterCopyDenied,
                                          kCounterCopyMetered, kCounterShed};
    const auto packets = read_counters(lease_socket_, kTableName, kNames, access);
    if (!packets) return std::unexpected(packets.error());
    return CopyCounters{(*packets)[0], (*packets)[1], (*packets)[2], (*packets)[3]};
  }

  // False: the whole table has to be written, for whatever reason.
  bool write_difference(const FixedPart& before, rules::PlanChange plan, Written& next,
                        const SwitchOver& switch_over) {
    const TableChange change = difference(before, next.fixed, std::move(plan));
    NftBatch batch(socket_);
    const auto send_it = [&] { return send(batch, next.when); };
    auto done = find_handles(socket_, change, next.handles);
    if (done) done = write_ahead(batch, change, next.plan.rules().size(), send_it);
    if (done) {
      write(batch, change, next.handles, queue_);
      done = switch_over(send_it);
    }
    for (const auto& [chain, added] : change.filled_chains) next.handles.erase(chain.name);
    if (done)
      done = verify(socket_, change, queue_);
    else
      take_back(batch, change, [&] { return send_anyhow(batch); });
    if (!done) log::info("{}; writing the whole table", done.error().message());
    return done.has_value();
  }

  // The table may change while it is read and encoded: then again.
  Result<void> write_whole(Written& next, const SwitchOver& switch_over) {
    constexpr int kAttempts = 5;
    const rules::nft::Table fixed = next.fixed.whole();
    next.handles.clear();
    Result<void> done;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const auto now = this_moment();
      if (!now) return std::unexpected(now.error());
      next.when = *now;
      const auto found = read_table(socket_, kTableName, only_leases());
      if (!found) return std::unexpected(found.error());
      const WantedTable wanted{fixed, next.plan};
      {
        NftBatch batch(socket_);
        kernel::write_whole(batch, *found, wanted, queue_);
        done = switch_over([&] { return send(batch, next.when); });
      }
      if (done) done = verify_whole(socket_, wanted, queue_, only_leases());
      if (done || done.error().code != ERESTART) return done;
    }
    return done;
  }

  Result<Moment> this_moment() {
    const std::lock_guard lock(lease_mutex_);
    const auto id = read_generation_id(lease_socket_);
    if (!id) return std::unexpected(id.error());
    return Moment{*id, own_changes_};
  }

  // Since now: no chain, set or counter comes or goes by that.
  Undisturbed only_leases() {
    return [this, begun = this_moment()] {
      const auto now = this_moment();
      return begun && now && now->only_own_since(*begun);
    };
  }

  // A lease waits meanwhile; only the kernel's own work is done under its lock. `when`: as of which the change
  // was worked out; afterwards, when it was made.
  Result<void> send(NftBatch& batch, Moment& when) {
    constexpr const char* kWhat = "write the table";
    const std::lock_guard lock(lease_mutex_);
    const auto id = read_generation_id(lease_socket_);
    if (!id) return std::unexpected(id.error());
    if (!Moment{*id, own_changes_}.only_own_since(when)) return failed(kWhat, ERESTART);
    if (auto done = batch.commit(kWhat, *id); !done) return done;
    ++own_changes_;
    when = {*id + 1, own_changes_};
    return {};
  }

  // Whatever somebody else has changed meanwhile.
  Result<void> send_anyhow(NftBatch& batch) {
    const std::lock_guard lock(lease_mutex_);
    auto done = batch.commit("take back a set");
    if (done) ++own_changes_;
    return done;
  }

  const TableSettings settings_;
  std::mutex mutex_;
  NetlinkSocket socket_;
  std::mutex lease_mutex_;  // of its own: a lease must not wait for a long commit's encoding
  NetlinkSocket lease_socket_;
  std::uint32_t own_changes_ = 0;  // under lease_mutex_: transactions of this object
  const QueueExpression queue_;
  std::optional<Written> written_;  // and verified
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
