#include "fwd/kernel/sweep.h"

#include <optional>
#include <set>

#include "fwd/kernel/own_addresses.h"

namespace fwd::kernel {
namespace {

class Sweeper {
 public:
  Sweeper(const SweepOptions& options, const SweepJudge& judge, std::set<rules::Address> own)
      : options_(options), judge_(judge), own_(std::move(own)) {}

  // The mark's new bits. Of a generation whose number comes round again nothing must be left, so
  // what isn't decided keeps its state under none.
  std::optional<std::uint32_t> operator()(const CtConnection& connection) {
    const ConnectionVerdict before = options_.mark.decode(connection.mark);
    if (before == ConnectionVerdict{}) return std::nullopt;
    if (before.generation == options_.generation) {
      const bool cut = before.state == ConnectionState::Revoked && !connection.closed;
      if (cut) ++sweep_.cut_by_packets;
      return std::nullopt;
    }
    const auto direction = direction_of(connection.first);
    const JudgedConnection judged{connection.first, direction.value_or(rules::Direction::In)};
    const auto verdict = direction ? judge_(judged) : SweepVerdict::NextPacket;
    count(verdict, judged, approved_once(before.state) && !connection.closed);
    if (!options_.write) return std::nullopt;
    switch (verdict) {
      case SweepVerdict::Approve:
        return options_.mark.encode(ConnectionState::Approved, options_.generation);
      case SweepVerdict::Revoke:
        return options_.mark.encode(ConnectionState::Revoked, options_.generation);
      case SweepVerdict::Reject:
        return 0;
      case SweepVerdict::NextPacket:
        return options_.mark.encode(
            approved_once(before.state) ? ConnectionState::Lapsed : before.state, 0);
    }
    __builtin_unreachable();
  }

  Sweep take() { return std::move(sweep_); }

 private:
  void count(SweepVerdict verdict, const JudgedConnection& judged, bool was_open) {
    if (verdict == SweepVerdict::Approve) ++sweep_.approved;
    const bool denied = verdict == SweepVerdict::Revoke || verdict == SweepVerdict::Reject;
    if (denied && was_open) sweep_.cut.push_back(judged);
  }

  // Nothing where neither end is this host's, as with a transparent proxy's connections.
  std::optional<rules::Direction> direction_of(const rules::Packet& first) const {
    if (own_.contains(first.source)) return rules::Direction::Out;
    if (own_.contains(first.destination)) return rules::Direction::In;
    return std::nullopt;
  }

  const SweepOptions& options_;
  const SweepJudge& judge_;
  const std::set<rules::Address> own_;
  Sweep sweep_;
};

}  // namespace

Result<Sweep> sweep_connections(Conntrack& conntrack, const SweepOptions& options,
                                const SweepJudge& judge) {
  auto own = own_addresses();
  if (!own) return std::unexpected(own.error());
  Sweeper sweeper(options, judge, std::move(*own));
  if (auto done = conntrack.mark_all(options.mark.mask, std::ref(sweeper)); !done) {
    return std::unexpected(done.error());
  }
  return sweeper.take();
}

}  // namespace fwd::kernel
