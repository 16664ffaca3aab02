// How the daemon is doing, and what it has counted.
#include <algorithm>
#include <chrono>

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

#include "ctl/api/codec.h"
#include "ctl/api/status.h"
#include "fwd/control/handlers.h"
#include "fwd/control/queue_counters.h"
#include "fwd/kernel/conntrack.h"
#include "fwd/log.h"
#include "rules/builtin.h"

namespace fwd::control {
namespace {

namespace api = ctl::api;

// What can't be read is logged and shown as zero: a status that fails helps nobody. What the kernel has not loaded yet,
// because nothing needed it, is zero.
template <typename T>
T value_or_log(Result<T> result) {
  if (result) return std::move(*result);
  if (result.error().code != ENOENT) log::warning("status: {}", result.error().message());
  return {};
}

std::vector<api::Worker> workers(const engine::Engine& engine) {
  const auto kernel_counters = value_or_log(read_queue_counters());
  std::vector<api::Worker> list;
  for (const engine::QueueTotals& totals : engine.queue_totals()) {
    api::Worker worker{.queue = totals.queue,
                       .packets = totals.packets,
                       .send_errors = totals.unsent + totals.refused,
                       .enobufs = totals.overruns};
    if (const auto found = kernel_counters.find(totals.queue); found != kernel_counters.end()) {
      worker.depth = found->second.waiting;
      worker.dropped = found->second.dropped;
      worker.user_dropped = found->second.user_dropped;
    }
    list.push_back(worker);
  }
  return list;
}

std::string rfc3339(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

api::PolicyStatus policy_status(const Context& context, const policy::InForce& state) {
  const rules::Policy& policy = state.active->policy;
  return {.file = context.policy.store().path(),
          .hash = policy.hash,
          .rules = policy.rules.size(),
          .sets = policy.sets.size(),
          .loaded = rfc3339(state.since),
          .cut = state.cut};
}

api::CopyStatus copy_status(const CopyWatch::State& state) {
  const kernel::CopyCounters& packets = state.packets;
  return {.active = state.since.has_value(),
          .since = state.since ? rfc3339(*state.since) : std::string(),
          .reason = state.since ? std::string(to_string(state.reason)) : std::string(),
          .episodes = state.episodes,
          .packets = packets.decided(),
          .allowed = packets.allowed,
          .denied = packets.denied,
          .metered = packets.metered,
          .shed = packets.shed};
}

api::ActionCounts action_counts(const engine::PacketTotals& totals, rules::Direction hook) {
  const auto count = [&](rules::Action action) {
    std::uint64_t sum = 0;
    for (std::size_t reason = 0; reason < engine::kReasons; ++reason) {
      sum += totals.packets.at(hook, action, static_cast<engine::Reason>(reason));
    }
    return sum;
  };
  return {count(rules::Action::Allow), count(rules::Action::Deny), count(rules::Action::Reject),
          count(rules::Action::Limit)};
}

std::map<std::string, std::uint64_t> reason_counts(const engine::PacketTotals& totals) {
  std::map<std::string, std::uint64_t> counts;
  for (std::size_t i = 0; i < engine::kReasons; ++i) {
    const auto reason = static_cast<engine::Reason>(i);
    std::uint64_t& sum = counts[std::string(engine::to_string(reason))];
    for (const auto hook : {rules::Direction::In, rules::Direction::Out}) {
      for (std::size_t action = 0; action < engine::kActions; ++action) {
        sum += totals.packets.at(hook, static_cast<rules::Action>(action), reason);
      }
    }
  }
  return counts;
}

double microseconds(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) / 1000.0;
}

}  // namespace

Answer get_status(const Context& context, const Request&) {
  const policy::State state = context.policy.state();
  const rules::Policy& policy = state->active->policy;
  const auto uptime = std::chrono::steady_clock::now() - context.started;
  const audit::LogState log = context.audit_state();
  const audit::Counters& audit = log.counters;
  const auto conntrack = value_or_log(kernel::conntrack_fill());
  api::Status status;
  status.version = FWD_VERSION;
  status.pid = static_cast<std::uint32_t>(getpid());
  status.uptime_seconds =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(uptime).count());
  status.mode = to_string(state->active->mode);
  status.enabled = context.policy.enabled();
  status.generation = state->active->generation;
  status.policy = policy_status(context, *state);
  status.defaults = {std::string(rules::to_string(policy.default_in)),
                     std::string(rules::to_string(policy.default_out))};
  for (const rules::BuiltinName& builtin : rules::kBuiltinNames) {
    status.builtins[std::string(builtin.name)] = policy.builtins.*builtin.member;
  }
  const bool native = context.firewall.queue_expression() == kernel::QueueExpression::Native;
  status.queue = {context.queues.first, context.queues.last, native ? "native" : "compat",
                  workers(context.engine)};
  status.kernel_copy = copy_status(context.kernel_copy());
  status.audit = {context.audit_file, audit.written, audit.folded,
                  audit.lost,         audit.waiting, log.trouble};
  status.conntrack = {conntrack.entries, conntrack.limit};
  status.warnings = context.warnings();
  return api::encode(status);
}

Answer get_stats(const Context& context, const Request&) {
  const engine::PacketTotals totals = context.engine.packet_totals();
  api::Stats stats;
  stats.packets = {action_counts(totals, rules::Direction::In),
                   action_counts(totals, rules::Direction::Out)};
  stats.reasons = reason_counts(totals);
  const CopyWatch::State copy = context.kernel_copy();
  const kernel::CopyCounters& packets = copy.packets;
  stats.kernel_copy = {packets.allowed, packets.denied, packets.metered, packets.shed};
  stats.revoked = copy.revoked;
  // Of these the daemon knows nothing: the kernel decides and counts them.
  const auto reason = [&](engine::Reason of) -> std::uint64_t& {
    return stats.reasons[std::string(engine::to_string(of))];
  };
  reason(engine::Reason::RateLimit) = copy.limit_refused;
  reason(engine::Reason::Shed) = packets.shed;
  reason(engine::Reason::KernelCopy) =
      packets.decided() - std::min(packets.decided(), packets.shed);
  stats.workers = workers(context.engine);
  stats.verdict_microseconds = {microseconds(totals.verdict_time(0.50)),
                                microseconds(totals.verdict_time(0.99))};
  return api::encode(stats);
}

}  // namespace fwd::control
