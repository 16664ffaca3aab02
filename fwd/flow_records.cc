#include "fwd/flow_records.h"

#include <utility>

#include "fwd/clock.h"
#include "fwd/kernel/own_addresses.h"
#include "fwd/log.h"

namespace fwd {
namespace {

// Nothing where it hangs on the interface, which conntrack doesn't know.
std::optional<rules::Decision> decision_of(const rules::RuleSet& rules, const rules::Packet& first,
                                           rules::Direction direction) {
  const rules::Decision decision = rules.classify(first, direction, rules::kOtherInterface);
  const std::vector<std::string>& names = rules.interfaces();
  for (std::size_t index = 1; index < names.size(); ++index) {
    if (names[index] == "lo") continue;  // nothing of it is ever marked
    const rules::InterfaceId interface { static_cast<std::uint32_t>(index) };
    if (rules.classify(first, direction, interface) != decision) return std::nullopt;
  }
  return decision;
}

// Whether that decision can have led to this end: an expected connection was let in by another's.
bool explains(const rules::Decision& decision, bool revoked, Mode mode) {
  const bool denies =
      decision.action == rules::Action::Deny || decision.action == rules::Action::Reject;
  return mode == Mode::Observe || denies == revoked;
}

std::optional<audit::FlowTraffic> traffic_of(const kernel::FlowEnd& end) {
  if (!end.counts) return std::nullopt;
  const auto traffic = [](const kernel::CtEntry::Count& count) {
    return audit::Traffic{count.packets, count.bytes};
  };
  return audit::FlowTraffic{traffic(end.counts->original), traffic(end.counts->reply)};
}

std::set<rules::Address> host_addresses() {
  auto own = kernel::own_addresses();
  if (own) return *std::move(own);
  log::warning("audit: {}", own.error().message());
  return {};
}

}  // namespace

std::optional<audit::FlowRecord> flow_record(const kernel::FlowEnd& end, kernel::CtMark mark,
                                             std::optional<rules::Direction> direction,
                                             const engine::ActivePolicy& active,
                                             std::int64_t now_ns) {
  const kernel::ConnectionVerdict verdict = mark.decode(end.mark);
  audit::FlowRecord record;
  record.end_ns = end.stop_ns.value_or(now_ns);
  record.start_ns = end.start_ns;
  record.traffic = traffic_of(end);
  record.first = end.first;
  record.direction = direction;
  record.revoked = verdict.state == kernel::ConnectionState::Revoked;
  record.policy_version = active.version;
  if (!direction || verdict.generation != active.generation) return record;
  const auto decision = decision_of(active.rules, end.first, *direction);
  if (!decision || !explains(*decision, record.revoked, active.mode)) return record;
  if (!active.recorded(*decision)) return std::nullopt;
  record.decision = decision;
  record.sampled_out = !record.revoked && active.sampled_out(*decision, end.first);
  return record;
}

DirectionFinder::DirectionFinder(Addresses addresses, std::function<Clock::time_point()> now)
    : addresses_(std::move(addresses)), now_(std::move(now)) {}

std::optional<rules::Direction> DirectionFinder::of(const rules::Packet& first) {
  refresh_after(kOld);
  const auto direction = look(first);
  return direction || !refresh_after(kYoung) ? direction : look(first);
}

std::optional<rules::Direction> DirectionFinder::look(const rules::Packet& first) const {
  if (own_.contains(first.source)) return rules::Direction::Out;
  if (own_.contains(first.destination)) return rules::Direction::In;
  return std::nullopt;
}

bool DirectionFinder::refresh_after(Clock::duration age) {
  const auto now = now_();
  if (read_at_ && now - *read_at_ < age) return false;
  own_ = addresses_();
  read_at_ = now;
  return true;
}

ConntrackFlows::ConntrackFlows(kernel::FlowEvents events, kernel::CtMark mark, Policy policy)
    : events_(std::move(events)),
      mark_(mark),
      policy_(std::move(policy)),
      directions_(host_addresses) {}

Result<std::unique_ptr<ConntrackFlows>> ConntrackFlows::open(kernel::CtMark mark, Policy policy) {
  if (const auto on = kernel::switch_on_accounting(); !on) {
    log::warning(
        "audit: {}; set net.netfilter.nf_conntrack_acct and nf_conntrack_timestamp to 1 with "
        "sysctl, or records of connections' ends have no bytes, packets and start",
        on.error().message());
  }
  auto events = kernel::FlowEvents::open(mark);
  if (!events) return std::unexpected(events.error());
  return std::unique_ptr<ConntrackFlows>(
      new ConntrackFlows(std::move(*events), mark, std::move(policy)));
}

std::size_t ConntrackFlows::read(std::size_t most,
                                 const std::function<void(const audit::FlowRecord&)>& each) {
  const auto active = policy_();
  const std::int64_t now_ns = realtime_ns();
  const auto taken = events_.read(most, [&](const kernel::FlowEnd& end) {
    const auto record = flow_record(end, mark_, directions_.of(end.first), *active, now_ns);
    if (record) each(*record);
  });
  if (taken) return *taken;
  if (!std::exchange(complained_, true)) log::error("audit: {}", taken.error().message());
  return 0;
}

}  // namespace fwd
