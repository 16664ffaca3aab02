// The entry points are EcsEncoder's append(), one for each kind of record.
#include "fwd/audit/ecs.h"

#include <array>
#include <utility>

#include <unistd.h>

#include "fwd/audit/json.h"
#include "rules/policy.h"

namespace fwd::audit {
namespace {

using rules::Direction;

// How an outcome is told: the verb of the message and event.action, and ECS's event.type and
// event.outcome.
struct Telling {
  std::string_view action;
  std::string_view types;
  std::string_view outcome;
};

constexpr Telling telling(engine::Outcome outcome) {
  constexpr std::string_view kAllowed = R"(["connection","allowed"])";
  constexpr std::string_view kDenied = R"(["connection","denied"])";
  switch (outcome) {
    case engine::Outcome::Approve:
    case engine::Outcome::Pass:
      return {"accept", kAllowed, "success"};
    case engine::Outcome::Drop:
    case engine::Outcome::Revoke:
      return {"drop", kDenied, "success"};
    case engine::Outcome::Reject:
      return {"reject", kDenied, "success"};
    case engine::Outcome::Limit:  // the kernel's meter decides
      return {"limit", R"(["connection"])", "unknown"};
  }
  __builtin_unreachable();
}

// What observe mode kept from being done. A meter refuses what was over its limit.
constexpr std::string_view refusal(const engine::Judgement& judgement) {
  return judgement.reason == engine::Reason::RateLimit ? "limit"
                                                       : telling(judgement.outcome).action;
}

constexpr std::string_view text(GapReason reason) {
  switch (reason) {
    case GapReason::RingFull:
      return "ring_full";
    case GapReason::DiskFull:
      return "disk_full";
    case GapReason::WriteError:
      return "write_error";
    case GapReason::TornLine:
      return "torn_line";
    case GapReason::Killed:
      return "killed";
  }
  __builtin_unreachable();
}

constexpr std::string_view types(HealthType type) {
  switch (type) {
    case HealthType::Start:
      return R"(["start"])";
    case HealthType::End:
      return R"(["end"])";
    case HealthType::Info:
      return R"(["info"])";
  }
  __builtin_unreachable();
}

// The one that the packet itself came by. A reply is judged as its connection is, which goes the
// other way.
constexpr Direction hook(const VerdictRecord& record) {
  const Direction direction = record.judgement.direction;
  if (record.packet_class != kernel::PacketClass::AgainReply) return direction;
  return direction == Direction::In ? Direction::Out : Direction::In;
}

// None where nothing of the packet could be matched.
const RuleName* deciding_rule(const VerdictRecord& record, const PolicyNames* policy) {
  if (policy == nullptr || record.judgement.reason == engine::Reason::Invalid) return nullptr;
  return policy->find(record.judgement.decision, record.judgement.direction);
}

void append_end(std::string& out, const rules::Packet& packet, const rules::Address& address,
                std::uint16_t port) {
  if (packet.has_ports) {
    append_endpoint(out, address, port);
  } else {
    append_address(out, address);
  }
}

// "tcp 203.0.113.7:51514 -> 10.0.0.11:3306", "icmp 192.0.2.1 -> 192.0.2.2 type 8 code 0"
void append_packet(std::string& out, const rules::Packet& packet) {
  out.append(rules::protocol_name(packet.protocol)).push_back(' ');
  append_end(out, packet, packet.source, packet.source_port);
  out.append(" -> ");
  append_end(out, packet, packet.destination, packet.destination_port);
  if (!packet.has_icmp) return;
  json::append_number(out.append(" type "), packet.icmp_type);
  json::append_number(out.append(" code "), packet.icmp_code);
}

void append_verdict(std::string& out, const VerdictRecord& record, const RuleName* rule) {
  if (rule != nullptr) out.append(" rule ").append(rule->id);
  const engine::Reason reason = record.judgement.reason_done();
  const bool ordinary = reason == engine::Reason::Rule || reason == engine::Reason::Default;
  if (!ordinary) out.append(" (").append(to_string(reason)).append(")");
}

// "drop", "would drop"
void append_verb(std::string& out, const engine::Judgement& judgement) {
  if (judgement.instead) {
    out.append("would ").append(refusal(judgement));
  } else {
    out.append(telling(judgement.outcome).action);
  }
}

// The whole record for a person, as one JSON string. Nothing in it comes from outside but what is
// escaped already.
void append_message(std::string& out, const VerdictRecord& record, const RuleName* rule) {
  const engine::Judgement& judgement = record.judgement;
  append_verb(out.append(",\"message\":\""), judgement);
  out.push_back(' ');
  if (judgement.decoded) {
    append_packet(out, judgement.packet);
  } else {
    out.append("malformed packet: ").append(rules::to_string(judgement.malformed));
  }
  append_verdict(out, record, rule);
  out.push_back('"');
}

// "drop 12034 tcp packets from 203.0.113.7 rule 9c1f02ab5d3e7a10"
void append_message(std::string& out, const Fold& fold, const RuleName* rule) {
  const engine::Judgement& judgement = fold.first.judgement;
  append_verb(out.append(",\"message\":\""), judgement);
  out.push_back(' ');
  json::append_number(out, fold.packets);
  out.push_back(' ');
  if (judgement.decoded) {
    out.append(rules::protocol_name(judgement.packet.protocol)).append(" packets from ");
    fold.one_source ? append_address(out, judgement.packet.source)
                    : void(out.append("many sources"));
  } else {
    out.append("malformed packets");
  }
  append_verdict(out, fold.first, rule);
  out.push_back('"');
}

// Up to what differs between one decision and many.
void append_event(std::string& out, const VerdictRecord& record, std::uint64_t sequence) {
  const Telling told = telling(record.judgement.done());
  out.append(R"(,"event":{"kind":"event","category":["network"],"type":)").append(told.types);
  out.append(R"(,"action":")").append(told.action);
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

void append_tcp_flags(std::string& out, std::uint8_t flags) {
  constexpr std::string_view kLetters = "FSRPAUEC";  // from the lowest bit
  out.append(R"(,"tcp_flags":")");
  for (std::size_t bit = 0; bit < kLetters.size(); ++bit) {
    if ((flags >> bit & 1U) != 0) out.push_back(kLetters[bit]);
  }
  out.push_back('"');
}

void append_headers(std::string& out, const rules::Packet& packet) {
  if (packet.protocol == rules::protocol::kTcp) append_tcp_flags(out, packet.tcp_flags);
  if (packet.has_icmp) {
    json::append_number(out.append(R"(,"icmp_type":)"), packet.icmp_type);
    json::append_number(out.append(R"(,"icmp_code":)"), packet.icmp_code);
  }
  json::append_number(out.append(R"(,"ttl":)"), packet.hop_limit);
}

void append_hook(std::string& out, const VerdictRecord& record) {
  out.append(R"(,"fwd":{"hook":")").append(hook(record) == Direction::In ? "input" : "output");
  out.push_back('"');
}

void append_refusal(std::string& out, const engine::Judgement& judgement) {
  if (judgement.instead) out.append(R"(,"would":")").append(refusal(judgement)).append("\"");
}

void append_decided_by(std::string& out, const VerdictRecord& record) {
  const bool by_kernel = record.decided_by == DecidedBy::KernelCopy;
  out.append(R"(,"decided_by":")").append(by_kernel ? "kernel_copy" : "daemon").append("\"}");
}

void append_own(std::string& out, const VerdictRecord& record) {
  const engine::Judgement& judgement = record.judgement;
  append_hook(out, record);
  append_refusal(out, judgement);
  if (record.decided_by == DecidedBy::Daemon)
    json::append_number(out.append(R"(,"queue":)"), record.queue);
  if (judgement.decoded) {
    if (record.decided_by != DecidedBy::Sweep) append_headers(out, judgement.packet);
  } else {
    out.append(R"(,"malformed":")").append(rules::to_string(judgement.malformed)).append("\"");
  }
  append_decided_by(out, record);
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
  out.append(judgement.direction == Direction::In ? "ingress\"" : "egress\"");
}

void append_happening(std::string& out, std::string_view category, std::string_view type,
                      std::string_view action, std::string_view dataset, std::uint64_t sequence) {
  out.append(R"(,"event":{"kind":"event","category":[")").append(category);
  out.append(R"("],"type":)").append(type).append(R"(,"action":)");
  json::append_string(out, action);
  out.append(R"(,"dataset":")").append(dataset);
  json::append_number(out.append(R"(","sequence":)"), sequence);
}

void append_packets(std::string& out, const HealthEvent& event) {
  json::append_number(out.append(R"("packets":)"), *event.packets);
  if (!event.by_copy) return;
  const HealthEvent::ByCopy& packets = *event.by_copy;
  json::append_number(out.append(R"(,"allowed":)"), packets.allowed);
  json::append_number(out.append(R"(,"denied":)"), packets.denied);
  json::append_number(out.append(R"(,"metered":)"), packets.metered);
  json::append_number(out.append(R"(,"shed":)"), packets.shed);
}

void append_checkpoint(std::string& out, const Checkpoint& checkpoint) {
  json::append_number(out.append(R"("checkpoint":{"decided":)"), checkpoint.decided);
  json::append_number(out.append(R"(,"written":)"), checkpoint.written);
  json::append_number(out.append(R"(,"folded":)"), checkpoint.folded);
  json::append_number(out.append(R"(,"lost":)"), checkpoint.lost);
  json::append_number(out.append(R"(,"waiting":)"), checkpoint.waiting);
  out.push_back('}');
}

void append_who(std::string& out, const AdminEvent::Actor& actor) {
  json::append_number(out.append(R"(,"user":{"id":")"), actor.uid);
  out.push_back('"');
  if (!actor.user.empty()) json::append_string(out.append(R"(,"name":)"), actor.user);
  json::append_number(out.append(R"(},"process":{"pid":)"), static_cast<std::uint64_t>(actor.pid));
  if (!actor.command.empty()) json::append_string(out.append(R"(,"command_line":)"), actor.command);
  out.push_back('}');
}

void append_change(std::string& out, const AdminEvent& event) {
  json::append_string(out.append(R"(,"fwd":{"change":)"), event.change);
  const auto& actor = event.actor;
  if (actor.login_uid) json::append_number(out.append(R"(,"login_uid":)"), *actor.login_uid);
  if (actor.sudo_uid) json::append_number(out.append(R"(,"sudo_uid":)"), *actor.sudo_uid);
  json::append_number(out.append(R"(,"generation":{"before":)"), event.before.generation);
  json::append_number(out.append(R"(,"after":)"), event.after.generation);
  json::append_string(out.append(R"(},"policy_hash":{"before":)"), event.before.policy_hash);
  json::append_string(out.append(R"(,"after":)"), event.after.policy_hash);
  out.append("}}");
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
  append_message(out, record, rule);
  append_event(out, record, sequence);
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
  append_own(out, record);
  out.append("}\n");
}

void EcsEncoder::append(std::string& out, const Fold& fold, const PolicyNames* policy,
                        std::uint64_t sequence) {
  const VerdictRecord& first = fold.first;
  const RuleName* rule = deciding_rule(first, policy);
  begin(out, fold.last_ns);
  append_message(out, fold, rule);
  append_event(out, first, sequence);
  time_.append(out.append(R"(,"start":")"), first.realtime_ns);
  time_.append(out.append(R"(","end":")"), fold.last_ns);
  out.append("\"}");
  append_rule(out, first, rule);
  out.append(R"(,"observer":{"hostname":)").append(hostname_).append(R"(,"type":"firewall"})");
  append_network(out, first);
  out.push_back('}');
  if (first.judgement.decoded && fold.one_source) {
    append_address(out.append(R"(,"source":{"ip":")"), first.judgement.packet.source);
    out.append("\"}");
  }
  append_hook(out, first);
  append_refusal(out, first.judgement);
  json::append_number(out.append(R"(,"packets":)"), fold.packets);
  append_decided_by(out, first);
  out.append("}\n");
}

void EcsEncoder::append(std::string& out, const Gap& gap, std::int64_t now_ns,
                        std::uint64_t sequence) {
  begin(out, now_ns);
  json::append_number(out.append(R"(,"message":")"), gap.count);
  out.append(" records missing: ").append(text(gap.reason)).append("\"");
  append_happening(out, "host", R"(["info"])", "gap", "fwd.audit_gap", sequence);
  out.append(R"(,"reason":")").append(text(gap.reason)).append("\"}");
  out.append(R"(,"observer":{"hostname":)").append(hostname_).append(R"(,"type":"firewall"})");
  time_.append(out.append(R"(,"fwd":{"from":")"), gap.from_ns);
  time_.append(out.append(R"(","to":")"), gap.to_ns);
  json::append_number(out.append(R"(","count":)"), gap.count);
  out.append("}}\n");
}

void EcsEncoder::append(std::string& out, const HealthEvent& event, std::int64_t now_ns,
                        std::uint64_t sequence, const Checkpoint& checkpoint) {
  begin(out, now_ns);
  json::append_string(out.append(R"(,"message":)"), event.message);
  append_happening(out, "process", types(event.type), event.action, "fwd.health", sequence);
  if (!event.reason.empty()) json::append_string(out.append(R"(,"reason":)"), event.reason);
  out.append(R"(},"observer":{"hostname":)").append(hostname_);
  out.append(R"(,"type":"firewall","version":")" FWD_VERSION R"("})");
  json::append_number(out.append(R"(,"process":{"pid":)"), static_cast<std::uint64_t>(getpid()));
  out.append(R"(},"fwd":{)");
  if (event.packets) append_packets(out, event);
  if (event.checkpoint) append_checkpoint(out, checkpoint);
  out.append("}}\n");
}

void EcsEncoder::append(std::string& out, const AdminEvent& event, std::int64_t now_ns,
                        std::uint64_t sequence) {
  const bool refused = !event.refusal.empty();
  begin(out, now_ns);
  json::append_number(out.append(R"(,"message":"uid )"), event.actor.uid);
  json::append_escaped(out.append(refused ? " was refused: " : " "), event.change);
  out.push_back('"');
  append_happening(out, "configuration", R"(["change"])", event.action, "fwd.admin", sequence);
  out.append(refused ? R"(,"outcome":"failure")" : R"(,"outcome":"success")");
  if (refused) json::append_string(out.append(R"(,"reason":)"), event.refusal);
  out.append(R"(},"observer":{"hostname":)").append(hostname_).append(R"(,"type":"firewall"})");
  append_who(out, event.actor);
  append_change(out, event);
  out.append("}\n");
}

void EcsEncoder::begin(std::string& out, std::int64_t time_ns) {
  time_.append(out.append(R"({"@timestamp":")"), time_ns);
  out.append(R"(","ecs":{"version":"8.17.0"})");
}

void EcsEncoder::append_observer(std::string& out, const VerdictRecord& record) const {
  out.append(R"(,"observer":{"hostname":)").append(hostname_).append(R"(,"type":"firewall")");
  if (record.interface_index != 0) {
    const std::string name = interface_names_(record.interface_index);
    out.append(hook(record) == Direction::In ? R"(,"ingress")" : R"(,"egress")");
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
