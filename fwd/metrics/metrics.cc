#include "fwd/metrics/metrics.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <unordered_set>

#include <fmt/core.h>

#include "fwd/control/queue_counters.h"
#include "fwd/kernel/conntrack.h"
#include "fwd/metrics/exposition.h"

namespace fwd::metrics {
namespace {

using rules::Action;
using rules::Direction;

// The words of the audit records' event.action and fwd.hook.
std::string_view word(Action action) {
  switch (action) {
    case Action::Allow:
      return "accept";
    case Action::Deny:
      return "drop";
    case Action::Reject:
      return "reject";
    case Action::Limit:
      return "limit";
  }
  __builtin_unreachable();
}

std::string_view word(Direction hook) {
  return hook == Direction::In ? "input" : "output";
}

constexpr std::array kActions = {Action::Allow, Action::Deny, Action::Reject, Action::Limit};
constexpr std::array kHooks = {Direction::In, Direction::Out};

double seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

std::uint64_t flag(bool value) {
  return value ? 1 : 0;
}

// Of the reasons, those that a worker gives for this action: with them a series is there before its first
// packet.
bool expected(Action action, engine::Reason reason) {
  switch (reason) {
    case engine::Reason::Rule:
      return true;
    case engine::Reason::Default:
      return action != Action::Limit;
    case engine::Reason::Invalid:
    case engine::Reason::Revoked:
      return action == Action::Deny;
    case engine::Reason::Observe:
      return action == Action::Allow;
    case engine::Reason::RateLimit:
    case engine::Reason::KernelCopy:
    case engine::Reason::Shed:
      return false;
  }
  __builtin_unreachable();
}

void add_packets(Exposition& page, const engine::PacketTotals& totals) {
  auto family = page.counter("fwd_packets_total",
                             "Packets that the workers decided, by what they answered and why.");
  for (const Direction hook : kHooks) {
    for (const Action action : kActions) {
      for (std::size_t i = 0; i < engine::kReasons; ++i) {
        const auto reason = static_cast<engine::Reason>(i);
        const std::uint64_t count = totals.packets.at(hook, action, reason);
        if (count == 0 && !expected(action, reason)) continue;
        family.add({{"hook", word(hook)}, {"action", word(action)}, {"reason", to_string(reason)}},
                   count);
      }
    }
  }
  page.histogram_of_seconds(
      "fwd_verdict_duration_seconds",
      "Time from receiving a batch of packets to its verdicts, for each packet.",
      engine::kVerdictTimeBounds, totals.verdict_times, totals.verdict_nanoseconds);
}

void add_defaults(Exposition::Family& family, const engine::RuleTotals& totals) {
  const rules::Policy& policy = totals.policy->policy;
  const auto add = [&](Action action, std::uint64_t count) {
    family.add({{"rule_id", "default"}, {"action", word(action)}}, count);
  };
  if (policy.default_in == policy.default_out)
    return add(policy.default_in, totals.default_in + totals.default_out);
  add(policy.default_in, totals.default_in);
  add(policy.default_out, totals.default_out);
}

// Several built-in rules may share an id, and its count.
void add_rules(Exposition& page, const engine::RuleTotals& totals) {
  auto family = page.counter("fwd_rule_packets_total",
                             "Packets that the workers decided by this rule of the policy.");
  if (!totals.policy) return;
  add_defaults(family, totals);
  std::unordered_set<std::string_view> seen;
  const auto add = [&](const auto& list, const std::vector<std::uint64_t>& counts) {
    for (std::size_t at = 0; at < counts.size(); ++at) {
      const rules::Rule& rule = list[at];
      if (!seen.insert(rule.id.view()).second) continue;
      family.add({{"rule_id", rule.id.view()}, {"action", word(rule.action)}}, counts[at]);
    }
  };
  add(totals.policy->policy.builtin_rules, totals.builtin);
  add(totals.policy->policy.rules, totals.rules);
}

void add_connections(Exposition& page, const std::vector<engine::ServiceTotals>& services) {
  auto family = page.counter("fwd_connections_total",
                             "Connections that came in for a service that the policy names.");
  for (const engine::ServiceTotals& totals : services) {
    for (const Action action : kActions) {
      family.add({{"service", totals.service}, {"action", word(action)}},
                 totals.connections[static_cast<std::size_t>(action)]);
    }
  }
}

void add_workers(Exposition& page, const std::vector<engine::QueueTotals>& queues) {
  const auto add = [&](Exposition::Family family, auto value) {
    for (const engine::QueueTotals& queue : queues)
      family.add({{"queue", std::to_string(queue.queue)}}, value(queue));
  };
  using Totals = engine::QueueTotals;
  add(page.gauge("fwd_queue_worker_up", "Whether the queue's worker runs."),
      [](const Totals& queue) { return flag(queue.failure == 0); });
  add(page.counter("fwd_queue_packets_total", "Packets that the queue's worker decided."),
      [](const Totals& queue) { return queue.packets; });
  add(page.counter("fwd_queue_overruns_total",
                   "Times that the buffer of the queue's socket was full."),
      [](const Totals& queue) { return queue.overruns; });
  add(page.counter("fwd_queue_send_errors_total", "Verdicts that the kernel didn't take."),
      [](const Totals& queue) { return queue.unsent + queue.refused; });
}

void add_kernel_queues(Exposition& page,
                       const std::map<std::uint16_t, control::QueueCounters>& queues) {
  const auto add = [&](Exposition::Family family, auto value) {
    for (const auto& [number, queue] : queues)
      family.add({{"queue", std::to_string(number)}}, value(queue));
  };
  using Counters = control::QueueCounters;
  add(page.gauge("fwd_queue_depth", "Packets that wait in the queue."),
      [](const Counters& queue) { return queue.waiting; });
  add(page.counter("fwd_queue_dropped_packets_total",
                   "Packets that the kernel dropped, the queue or its socket's buffer being full."),
      [](const Counters& queue) { return queue.dropped + queue.user_dropped; });
}

void add_copy(Exposition& page, const CopyWatch::State& state) {
  const kernel::CopyCounters& packets = state.packets;
  page.gauge(
          "fwd_kernel_copy_active",
          "Whether the kernel's copy of the policy decides packets now, or did so within seconds.")
      .add(flag(state.since.has_value()));
  page.counter("fwd_kernel_copy_episodes_total",
               "Stretches of time in which the kernel's copy decided packets.")
      .add(state.episodes);
  page.counter("fwd_kernel_copy_packets_total",
               "Packets that the kernel's copy of the policy decided.")
      .add({{"action", "accept"}}, packets.allowed)
      .add({{"action", "drop"}}, packets.denied)
      .add({{"action", "limit"}}, packets.metered);
  page.counter("fwd_kernel_copy_shed_packets_total",
               "Of these, packets of a source that sent too many to a queue.")
      .add(packets.shed);
  page.counter("fwd_limit_refused_packets_total", "Packets that the meters of limit rules refused.")
      .add(state.limit_refused);
  page.counter("fwd_revoked_packets_total",
               "Packets of connections that were cut, dropped by the kernel.")
      .add(state.revoked);
}

void add_audit(Exposition& page, const audit::LogState& log, const std::string& file) {
  const audit::Counters& counters = log.counters;
  page.counter("fwd_audit_decisions_total", "Decisions that the audit log has to tell.")
      .add(counters.decided);
  page.counter("fwd_audit_records_total", "What became of them.")
      .add({{"fate", "written"}}, counters.written)
      .add({{"fate", "folded"}}, counters.folded)
      .add({{"fate", "lost"}}, counters.lost);
  page.gauge("fwd_audit_waiting_records", "Decisions that wait for their line.")
      .add(counters.waiting);
  page.gauge("fwd_audit_trouble", "Whether something keeps lines from the audit log's file.")
      .add(flag(!log.trouble.empty()));
  std::error_code error;
  const auto space = std::filesystem::space(std::filesystem::path(file).parent_path(), error);
  if (error) return;
  page.gauge("fwd_audit_free_bytes", "Room on the audit log's file system.").add(space.available);
}

// Receivers beside the file, where the settings name one.
void add_outputs(Exposition& page, const std::vector<audit::OutputState>& outputs) {
  if (outputs.empty()) return;
  auto up = page.gauge("fwd_audit_output_up", "Whether the receiver takes the audit log's lines.");
  for (const audit::OutputState& output : outputs)
    up.add({{"output", output.name}}, flag(output.trouble.empty()));
  auto lines = page.counter("fwd_audit_output_lines_total", "What became of the lines for it.");
  for (const audit::OutputState& output : outputs) {
    lines.add({{"output", output.name}, {"fate", "sent"}}, output.sent)
        .add({{"output", output.name}, {"fate", "missed"}}, output.missed);
  }
  auto waiting = page.gauge("fwd_audit_output_waiting_lines", "Lines that wait to be sent to it.");
  for (const audit::OutputState& output : outputs)
    waiting.add({{"output", output.name}}, output.waiting);
}

void add_policy(Exposition& page, const policy::InForce& state) {
  const rules::Policy& policy = state.active->policy;
  page.gauge("fwd_generation", "Generation of the policy in force, 1 to 63.")
      .add(std::uint64_t{state.active->generation});
  page.gauge("fwd_policy_rules", "Rules of the policy.").add(std::uint64_t{policy.rules.size()});
  page.gauge("fwd_policy_rules_unlisted",
             "Rules that have no series of their own, because the policy has too many.")
      .add(std::uint64_t{policy.rules.size() - std::min(policy.rules.size(), kListedRules)});
  page.gauge("fwd_policy_commit_time_seconds", "When the policy was put in force.")
      .add(seconds(state.since));
  page.gauge("fwd_policy_cut_connections", "Live connections that it cut when it was put in force.")
      .add(std::uint64_t{state.cut});
}

}  // namespace

std::string Metrics::text(Detail detail) {
  const policy::State state = context_.policy.state();
  Exposition page;
  page.gauge("fwd_build_info", "1, labelled with the daemon's version and the policy's generation.")
      .add({{"version", FWD_VERSION}, {"generation", std::to_string(state->active->generation)}},
           std::uint64_t{1});
  page.gauge("fwd_start_time_seconds", "When the daemon started.").add(seconds(context_.since));
  page.gauge("fwd_healthy", "Whether every worker comes round, so that the kernel waits for them.")
      .add(flag(context_.healthy()));
  page.gauge("fwd_enabled", "Whether the firewall is enabled.")
      .add(flag(context_.policy.enabled()));
  page.gauge("fwd_observing", "Whether the policy is only observed, and nothing refused.")
      .add(flag(state->active->mode == Mode::Observe));
  page.gauge("fwd_warnings", "Warnings that fwctl status shows.")
      .add(std::uint64_t{context_.warnings().size()});
  add_policy(page, *state);
  add_packets(page, context_.engine.packet_totals());
  add_connections(page, context_.engine.connection_totals());
  if (detail == Detail::Whole) add_rules(page, context_.engine.rule_totals(kListedRules));
  add_workers(page, context_.engine.queue_totals());
  page.gauge("fwd_queue_limit", "Packets that the kernel holds for one queue at most.")
      .add(std::uint64_t{context_.queue_length});
  // What the kernel has not loaded yet, because nothing needed it, is no trouble.
  if (const auto queues = control::read_queue_counters()) {
    queues_.none();
    add_kernel_queues(page, *queues);
  } else if (queues.error().code != ENOENT) {
    queues_.trouble(queues.error().message());
  }
  add_copy(page, context_.kernel_copy());
  const audit::LogState log = context_.audit_state();
  add_audit(page, log, context_.audit_file);
  add_outputs(page, log.outputs);
  if (const auto fill = kernel::conntrack_fill()) {
    conntrack_.none();
    page.gauge("fwd_conntrack_entries", "Connections that the kernel keeps track of.")
        .add(fill->entries);
    page.gauge("fwd_conntrack_limit", "How many it can keep track of.").add(fill->limit);
  } else if (fill.error().code != ENOENT) {
    conntrack_.trouble(fill.error().message());
  }
  return page.take();
}

control::Route Metrics::route(Detail detail) {
  return {"GET", "/metrics", control::Right::Read,
          [this, detail](const control::Request&) -> control::Answer { return text(detail); },
          "text/plain; version=0.0.4; charset=utf-8"};
}

}  // namespace fwd::metrics
