#include "fwd/policy/live_connections.h"

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include <net/if.h>

#include "fwd/log.h"

namespace fwd::policy {
namespace {

rules::InterfaceId interface_id(const rules::RuleSet& rules, unsigned index) {
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(index, name.data()) == nullptr) return rules::kOtherInterface;
  return rules.interface_id(name.data());
}

// Whether a connection that is older than the table goes on.
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
kernel::SweepVerdict judge(const rules::RuleSet& rules,
                           const kernel::JudgedConnection& connection) {
  const auto by = [&](std::size_t interface) {
    const rules::InterfaceId id{static_cast<std::uint32_t>(interface)};
    return verdict_of(rules.classify(connection.first, connection.direction, id).action);
  };
  const kernel::SweepVerdict first = by(0);
  const std::vector<std::string>& names = rules.interfaces();
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
  if (active.mode == Mode::Observe) record.judgement.instead = engine::Outcome::Approve;
  record.judgement.decision =
      active.rules.classify(connection.first, connection.direction, rules::kOtherInterface);
  record.judgement.direction = connection.direction;
  record.judgement.packet = connection.first;
  record.judgement.decoded = true;
  return record;
}

// Open from one sweep to the next: to close a socket of netfilter's right after a commit waits until the kernel has
// freed what the commit took away.
class Sweeps {
 public:
  explicit Sweeps(kernel::CtMark mark) : mark_(mark) {}

  // By whoever asks: a diff may while a later sweep runs.
  Result<kernel::Sweep> run(kernel::SweepOptions options, const kernel::SweepJudge& judge) {
    const std::lock_guard lock(mutex_);
    if (!conntrack_) {
      auto opened = kernel::Conntrack::open();
      if (!opened) return std::unexpected(opened.error());
      conntrack_.emplace(std::move(*opened));
    }
    options.mark = mark_;
    auto swept = kernel::sweep_connections(*conntrack_, options, judge);
    if (!swept) conntrack_.reset();
    return swept;
  }

 private:
  const kernel::CtMark mark_;
  std::mutex mutex_;
  std::optional<kernel::Conntrack> conntrack_;
};

}  // namespace

Connections host_connections(kernel::CtMark mark) {
  return {[mark](kernel::Generation generation, const kernel::ConnectionJudge& judge) {
            return kernel::adopt_connections(mark, generation, judge);
          },
          [sweeps = std::make_shared<Sweeps>(mark)](const kernel::SweepOptions& options,
                                                    const kernel::SweepJudge& judge) {
            return sweeps->run(options, judge);
          }};
}

void adopt_live(const Connections& connections, const engine::ActivePolicy& active) {
  const auto counts = connections.adopt(
      active.generation,
      [&](const rules::Packet& first, rules::Direction direction, unsigned interface) {
        return permits(active, first, direction, interface);
      });
  if (!counts) {
    log::warning("live connections keep no verdict: {}", counts.error().message());
  } else if (counts->approved + counts->revoked > 0) {
    log::info("live connections: {} approved, {} denied", counts->approved, counts->revoked);
  }
}

std::size_t sweep_live(const Connections& connections, const engine::ActivePolicy& active,
                       const std::function<void(const audit::VerdictRecord&)>& tell) {
  std::vector<kernel::JudgedConnection> observed;
  const auto decide = [&](const kernel::JudgedConnection& one) {
    const kernel::SweepVerdict verdict = judge(active.rules, one);
    if (active.mode == Mode::Enforce) return verdict;
    if (verdict == kernel::SweepVerdict::Revoke) observed.push_back(one);
    return kernel::SweepVerdict::Approve;
  };
  const auto swept =
      connections.sweep({.mark = {}, .generation = active.generation, .write = true}, decide);
  if (!swept) {
    log::warning("live connections wait for their next packet to be judged again: {}",
                 swept.error().message());
    return 0;
  }
  const auto now = std::chrono::system_clock::now();
  const auto& refused = active.mode == Mode::Observe ? observed : swept->cut;
  for (const kernel::JudgedConnection& connection : refused) {
    const audit::VerdictRecord record = record_of(active, connection, now);
    // A reject is recorded with the packet that it answers.
    const bool rejected = record.judgement.decision.action == rules::Action::Reject;
    if (!rejected && active.recorded(record.judgement.decision)) tell(record);
  }
  const std::size_t cut = swept->cut.size() + swept->cut_by_packets;
  if (cut > 0) log::info("live connections: {} cut", cut);
  return cut;
}

Result<std::vector<kernel::JudgedConnection>> would_cut(const Connections& connections,
                                                        const engine::ActivePolicy& active) {
  auto swept = connections.sweep(
      {.mark = {}, .generation = active.generation, .write = false},
      [&](const kernel::JudgedConnection& one) { return judge(active.rules, one); });
  if (!swept) return std::unexpected(swept.error());
  return std::move(swept->cut);
}

}  // namespace fwd::policy
