// Decisions, one by one and folded; the other records are in ecs_events.cc.
#include "fwd/audit/ecs.h"

#include <utility>

#include "fwd/audit/describe.h"
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

void append_rule(std::string& out, const VerdictRecord& record, const RuleName* rule) {
  out.append(R"(,"rule":)");
  if (rule != nullptr) {
    out.append(rule->object);
    return;
  }
  json::append_number(out.append(R"({"version":")"), record.policy_version);
  out.append("\"}");
}

// IANA's keyword, as ECS wants it; the policy language has a shorter name for one.
void append_transport(std::string& out, std::uint8_t protocol) {
  out.append(R"("transport":")");
  if (protocol == rules::protocol::kIcmpv6) {
    out.append("ipv6-icmp");
  } else {
    out.append(rules::protocol_name(protocol));
  }
  json::append_number(out.append(R"(","iana_number":")"), protocol);
  out.append("\",");
}

void append_side(std::string& out, std::string_view key, const rules::Address& address,
                 const rules::Packet& packet, std::uint16_t port) {
  out.append(",\"").append(key).append(R"(":{"ip":")");
  append_address(out, address);
  out.push_back('"');
  if (packet.has_ports) json::append_number(out.append(R"(,"port":)"), port);
  out.push_back('}');
}

// Without its end.
void append_network(std::string& out, const VerdictRecord& record) {
  const engine::Judgement& judgement = record.judgement;
  out.append(R"(,"network":{)");
  if (judgement.decoded) {
    const bool v4 = judgement.packet.family() == rules::Family::V4;
    out.append(R"("type":")").append(v4 ? "ipv4" : "ipv6").append("\",");
    append_transport(out, judgement.packet.protocol);
  }
  out.append(R"("direction":")");
  out.append(judgement.direction == rules::Direction::In ? "ingress\"" : "egress\"");
}

}  // namespace

EcsEncoder::EcsEncoder(std::string_view hostname, InterfaceNames interface_names)
    : interface_names_(std::move(interface_names)) {
  json::append_string(hostname_, hostname);
}

void EcsEncoder::append(std::string& out, const VerdictRecord& record, const PolicyNames* policy,
                        std::uint64_t sequence) {
  const engine::Judgement& judgement = record.judgement;
  const rules::Packet& packet = judgement.packet;
  const RuleName* rule = deciding_rule(record, policy);
  begin(out, record.realtime_ns);
  describe(out.append(R"(,"message":")"), record, rule);
  append_event(out.append("\""), record, sequence);
  if (record.decided_by != DecidedBy::Sweep) {
    json::append_number(out.append(R"(,"duration":)"), record.duration_ns);
  }
  out.push_back('}');
  append_rule(out, record, rule);
  append_observer(out, record);
  append_network(out, record);
  append_community_id(out, record);
  if (judgement.decoded) {
    append_side(out, "source", packet.source, packet, packet.source_port);
    append_side(out, "destination", packet.destination, packet, packet.destination_port);
  }
  append_own(out.append(R"(,"fwd":{)"), record);
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
  append_rule(out, first, rule);
  begin_observer(out);
  append_network(out.append("}"), first);
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

void EcsEncoder::append_community_id(std::string& out, const VerdictRecord& record) {
  if (record.judgement.decoded) {
    const std::string_view id = community_id_.of(record.judgement.packet);
    out.append(R"(,"community_id":")").append(id).append("\"");
  }
  out.push_back('}');
}

}  // namespace fwd::audit
