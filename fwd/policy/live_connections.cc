#include "fwd/policy/live_connections.h"

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

rules::Decision decide(const rules::RuleSet& rules, const kernel::JudgedConnection& connection) {
  return rules.classify(connection.first, connection.direction,
                        interface_id(rules, connection.interface_index));
}

bool allows(const rules::RuleSet& rules, const rules::Packet& first, rules::Direction direction,
            unsigned interface) {
  switch (decide(rules, {first, direction, interface}).action) {
    case rules::Action::Allow:
    case rules::Action::Limit:
      return true;  // a limit counts only new connections
    case rules::Action::Deny:
    case rules::Action::Reject:
      return false;
  }
  __builtin_unreachable();
}

// As a worker would have recorded it, had a packet come first.
audit::VerdictRecord record_of(const engine::ActivePolicy& active,
                               const kernel::JudgedConnection& connection,
                               std::chrono::system_clock::time_point now) {
  audit::VerdictRecord record;
  record.realtime_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  record.policy_version = active.version;
  record.interface_index = connection.interface_index;
  record.decided_by = audit::DecidedBy::Sweep;
  record.packet_class = kernel::PacketClass::Again;
  record.judgement.outcome = engine::Outcome::Revoke;
  record.judgement.reason = engine::Reason::Revoked;
  if (active.mode == Mode::Observe) record.judgement.instead = engine::Outcome::Approve;
  record.judgement.decision = decide(active.rules, connection);
  record.judgement.direction = connection.direction;
  record.judgement.packet = connection.first;
  record.judgement.decoded = true;
  return record;
}

Result<kernel::Sweep> judge_all(const Connections& connections, const engine::ActivePolicy& active,
                                const kernel::ConnectionJudge& allowed, bool write) {
  return connections.sweep({.mark = {},
                            .generation = active.generation,
                            .by_interface = active.rules.interfaces().size() > 1,
                            .write = write},
                           allowed);
}

}  // namespace

Connections host_connections(kernel::CtMark mark) {
  return {[mark](kernel::Generation generation, const kernel::ConnectionJudge& judge) {
            return kernel::adopt_connections(mark, generation, judge);
          },
          [mark](kernel::SweepOptions options, const kernel::ConnectionJudge& judge) {
            options.mark = mark;
            return kernel::sweep_connections(options, judge);
          }};
}

void adopt_live(const Connections& connections, const engine::ActivePolicy& active) {
  const auto counts = connections.adopt(
      active.generation,
      [&](const rules::Packet& first, rules::Direction direction, unsigned interface) {
        return active.mode == Mode::Observe || allows(active.rules, first, direction, interface);
      });
  if (!counts) {
    spdlog::warn("live connections keep no verdict: {}", counts.error().message());
  } else if (counts->approved + counts->revoked > 0) {
    spdlog::info("live connections: {} approved, {} denied", counts->approved, counts->revoked);
  }
}

std::size_t sweep_live(const Connections& connections, const engine::ActivePolicy& active,
                       const std::function<void(const audit::VerdictRecord&)>& tell) {
  std::vector<kernel::JudgedConnection> observed;
  const auto allowed = [&](const rules::Packet& first, rules::Direction direction,
                           unsigned interface) {
    if (allows(active.rules, first, direction, interface)) return true;
    if (active.mode == Mode::Enforce) return false;
    observed.push_back({first, direction, interface});
    return true;
  };
  const auto swept = judge_all(connections, active, allowed, true);
  if (!swept) {
    spdlog::warn("live connections wait for their next packet to be judged again: {}",
                 swept.error().message());
    return 0;
  }
  const auto now = std::chrono::system_clock::now();
  const auto& refused = active.mode == Mode::Observe ? observed : swept->cut;
  for (const kernel::JudgedConnection& connection : refused) {
    const audit::VerdictRecord record = record_of(active, connection, now);
    if (active.recorded(record.judgement.decision)) tell(record);
  }
  if (!swept->cut.empty()) spdlog::info("live connections: {} cut", swept->cut.size());
  return swept->cut.size();
}

Result<std::vector<kernel::JudgedConnection>> would_cut(const Connections& connections,
                                                        const engine::ActivePolicy& active) {
  const auto allowed = [&](const rules::Packet& first, rules::Direction direction,
                           unsigned interface) {
    return allows(active.rules, first, direction, interface);
  };
  auto swept = judge_all(connections, active, allowed, false);
  if (!swept) return std::unexpected(swept.error());
  return std::move(swept->cut);
}

}  // namespace fwd::policy
