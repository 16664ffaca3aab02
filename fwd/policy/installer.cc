#include "fwd/policy/installer.h"

#include <array>
#include <chrono>

#include <net/if.h>
#include <spdlog/spdlog.h>

namespace fwd::policy {
namespace {

rules::InterfaceId interface_id(const rules::RuleSet& rules, unsigned index) {
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(index, name.data()) == nullptr) return rules::kOtherInterface;
  return rules.interface_id(name.data());
}

// Whether a live connection goes on.
bool permits(const engine::ActivePolicy& active, const rules::Packet& first,
             rules::Direction direction, unsigned interface) {
  if (active.mode == Mode::Observe) return true;
  const auto id = interface_id(active.rules, interface);
  switch (active.rules.classify(first, direction, id).action) {
    case rules::Action::Allow:
    case rules::Action::Limit:
      return true;  // a limit counts only new connections
    case rules::Action::Deny:
    case rules::Action::Reject:
      return false;
  }
  __builtin_unreachable();
}

kernel::SweepVerdict verdict_of(rules::Action action) {
  switch (action) {
    case rules::Action::Allow:
    case rules::Action::Limit:
      return kernel::SweepVerdict::Approve;
    case rules::Action::Deny:
      return kernel::SweepVerdict::Revoke;
    case rules::Action::Reject:
      return kernel::SweepVerdict::Reject;
  }
  __builtin_unreachable();
}

// Conntrack doesn't know interfaces: what they make a difference to is not decided here.
kernel::SweepVerdict sweep_verdict(const engine::ActivePolicy& active,
                                   const kernel::JudgedConnection& connection) {
  if (active.mode == Mode::Observe) return kernel::SweepVerdict::Approve;
  const auto by = [&](std::size_t interface) {
    return verdict_of(active.rules
                          .classify(connection.first, connection.direction,
                                    rules::InterfaceId{static_cast<std::uint32_t>(interface)})
                          .action);
  };
  const kernel::SweepVerdict first = by(0);
  const std::vector<std::string>& names = active.rules.interfaces();
  for (std::size_t interface = 1; interface < names.size(); ++interface) {
    if (names[interface] == "lo") continue;  // nothing of it is ever marked
    if (by(interface) != first) return kernel::SweepVerdict::NextPacket;
  }
  return first;
}

// As a worker would have recorded it, had a packet come first.
audit::VerdictRecord record_of(const engine::ActivePolicy& active,
                               const kernel::JudgedConnection& connection,
                               std::chrono::system_clock::time_point now) {
  audit::VerdictRecord record;
  record.realtime_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  record.policy_version = active.version;
  record.decided_by = audit::DecidedBy::Sweep;
  record.packet_class = kernel::PacketClass::Again;
  record.judgement.outcome = engine::Outcome::Revoke;
  record.judgement.reason = engine::Reason::Revoked;
  record.judgement.decision =
      active.rules.classify(connection.first, connection.direction, rules::kOtherInterface);
  record.judgement.direction = connection.direction;
  record.judgement.packet = connection.first;
  record.judgement.decoded = true;
  return record;
}

}  // namespace

Result<std::size_t> Installer::commit(const Active& active) {
  announce_.policy(active);
  {
    const engine::Hold hold = engine_.hold();
    // A worker that can't be held does no harm: chain B takes no verdict of an older generation.
    if (!hold.complete()) spdlog::debug("commit: a worker was too busy to be held");
    if (auto committed = firewall_.commit(active->policy, active->generation, active->mode);
        !committed)
      return std::unexpected(committed.error());
    engine_.publish(active);
  }
  return sweep(active);
}

Result<std::size_t> Installer::install_first(const Active& active) {
  adopt(active);
  auto committed = commit(active);
  if (!committed) return committed;
  if (lease_.healthy()) {
    if (auto renewed = lease_.renew(); !renewed) spdlog::warn("{}", renewed.error().message());
  }
  adopt(active);  // those that came in between
  return committed;
}

void Installer::prepare(const Active& active) {
  announce_.policy(active);
  engine_.publish(active);
}

Result<std::vector<kernel::JudgedConnection>> Installer::would_cut(const Active& active) const {
  auto swept = judge_all(*active, false);
  if (!swept) return std::unexpected(swept.error());
  return std::move(swept->cut);
}

Result<kernel::Sweep> Installer::judge_all(const engine::ActivePolicy& active, bool write) const {
  return connections_.sweep(
      {.mark = {}, .generation = active.generation, .write = write},
      [&](const kernel::JudgedConnection& one) { return sweep_verdict(active, one); });
}

// Connections that it doesn't reach are judged when their next packet comes.
std::size_t Installer::sweep(const Active& active) {
  const auto swept = judge_all(*active, true);
  if (!swept) {
    spdlog::warn("live connections wait for their next packet to be judged again: {}",
                 swept.error().message());
    return 0;
  }
  const auto now = std::chrono::system_clock::now();
  for (const kernel::JudgedConnection& connection : swept->cut) {
    const audit::VerdictRecord record = record_of(*active, connection, now);
    // A reject is recorded with the packet that it answers.
    const bool rejected = record.judgement.decision.action == rules::Action::Reject;
    if (!rejected && active->recorded(record.judgement.decision)) announce_.record(record);
  }
  if (!swept->cut.empty()) spdlog::info("live connections: {} cut", swept->cut.size());
  return swept->cut.size();
}

// Without it some live connections are judged by the direction that conntrack takes them to have,
// which may be wrong; no firewall at all would be worse.
void Installer::adopt(const Active& active) {
  const auto counts = connections_.adopt(
      active->generation,
      [&](const rules::Packet& first, rules::Direction direction, unsigned interface) {
        return permits(*active, first, direction, interface);
      });
  if (!counts) {
    spdlog::warn("live connections keep no verdict: {}", counts.error().message());
  } else if (counts->approved + counts->revoked > 0) {
    spdlog::info("live connections: {} approved, {} denied", counts->approved, counts->revoked);
  }
}

}  // namespace fwd::policy
