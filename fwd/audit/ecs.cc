// Decisions, one by one and folded; the ends of connections are in ecs_flow.cc, the other records in
// ecs_events.cc.
#include "fwd/audit/ecs.h"

#include <utility>

#include "fwd/audit/describe.h"
#include "fwd/audit/ecs_fields.h"
#include "fwd/audit/json.h"
#include "fwd/audit/own_fields.h"

namespace fwd::audit {
namespace {

// ECS's event.type and event.outcome.
struct Telling {
  std::string_view types;
  std::string_view outcome;
};

constexpr Telling telling(engine::Outcome outcome) {
  constexpr std::string_view kAllowed = R"(["connection","allowed"])";
  constexpr std::string_view kDenied = R"(["connection","denied"])";
  switch (outcome) {
    case engine::Outcome::Approve:
    case engine::Outcome::Pass:
      return {kAllowed, "success"};
    case engine::Outcome::Drop:
    case engine::Outcome::Revoke:
    case engine::Outcome::Reject:
      return {kDenied, "success"};
    case engine::Outcome::Limit:  // the kernel's meter decides
      return {R"(["connection"])", "unknown"};
  }
  __builtin_unreachable();
}

// Up to what differs between one decision and many.
void append_event(std::string& out, const VerdictRecord& record, std::uint64_t sequence) {
  const Telling told = telling(record.judgement.done());
  out.append(R"(,"event":{"kind":"event","category":["network"],"type":)").append(told.types);
  out.append(R"(,"action":")").append(action_word(record.judgement.done()));
  out.append(R"(","outcome":")").append(told.outcome);
  json::append_number(out.append(R"(","dataset":"fwd.verdict","sequence":)"), sequence);
  out.append(R"(,"reason":")").append(to_string(record.judgement.reason_done())).append("\"");
}

const rules::Packet* packet_of(const VerdictRecord& record) {
  return record.judgement.decoded ? &record.judgement.packet : nullptr;
}

}  // namespace

EcsEncoder::EcsEncoder(std::string_view hostname, InterfaceNames interface_names)
    : interface_names_(std::move(interface_names)) {
  json::append_string(hostname_, hostname);
}

void EcsEncoder::append(std::string& out, const VerdictRecord& record, const Owner& owner,
                        const PolicyNames* policy, std::uint64_t sequence) {
  const RuleName* rule = deciding_rule(record, policy);
  begin(out, record.realtime_ns);
  describe(out.append(R"(,"message":")"), record, rule);
  append_event(out.append("\""), record, sequence);
  if (record.decided_by != DecidedBy::Sweep) {
    json::append_number(out.append(R"(,"duration":)"), record.duration_ns);
  }
  out.push_back('}');
  append_rule(out, record.policy_version, rule);
  append_observer(out, record);
  append_network(out, packet_of(record), record.judgement.direction);
  if (const rules::Packet* packet = packet_of(record)) {
    append_community_id(out, *packet);
    append_source(out.append("},"), *packet);
    append_destination(out.append("},"), *packet);
  }
  append_own(out.append(R"(},"fwd":{)"), record, owner);
  out.append("}}\n");
}

void EcsEncoder::append(std::string& out, const Fold& fold, const PolicyNames* policy,
                        std::uint64_t sequence) {
  const VerdictRecord& first = fold.first;
  const RuleName* rule = deciding_rule(first, policy);
  begin(out, fold.last_ns);
  describe(out.append(R"(,"message":")"), fold, rule);
  append_event(out.append("\""), first, sequence);
  time_.append(out.append(R"(,"start":")"), first.realtime_ns);
  time_.append(out.append(R"(","end":")"), fold.last_ns);
  out.append("\"}");
  append_rule(out, first.policy_version, rule);
  begin_observer(out);
  append_network(out.append("}"), packet_of(first), first.judgement.direction);
  out.push_back('}');
  if (first.judgement.decoded && fold.one_source) {
    append_address(out.append(R"(,"source":{"ip":")"), first.judgement.packet.source);
    out.append("\"}");
  }
  append_own(out.append(R"(,"fwd":{)"), fold);
  out.append("}}\n");
}

void EcsEncoder::begin(std::string& out, std::int64_t time_ns) {
  time_.append(out.append(R"({"@timestamp":")"), time_ns);
  out.append(R"(","ecs":{"version":"8.17.0"})");
}

// Without its end.
void EcsEncoder::begin_observer(std::string& out) const {
  out.append(R"(,"observer":{"hostname":)").append(hostname_).append(R"(,"type":"firewall")");
}

void EcsEncoder::append_observer(std::string& out, const VerdictRecord& record) const {
  begin_observer(out);
  if (record.interface_index != 0) {
    const std::string name = interface_names_(record.interface_index);
    out.append(hook_of(record) == rules::Direction::In ? R"(,"ingress")" : R"(,"egress")");
    if (name.empty()) {
      json::append_number(out.append(R"(:{"interface":{"id":")"), record.interface_index);
      out.append("\"}}");
    } else {
      json::append_string(out.append(R"(:{"interface":{"name":)"), name);
      out.append("}}");
    }
  }
  out.push_back('}');
}

void EcsEncoder::append_community_id(std::string& out, const rules::Packet& packet) {
  out.append(R"(,"community_id":")").append(community_id_.of(packet)).append("\"");
}

}  // namespace fwd::audit
