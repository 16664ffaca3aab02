#include "fwd/audit/describe.h"

#include "fwd/audit/json.h"
#include "fwd/audit/text.h"

namespace fwd::audit {
namespace {

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
    out.append("would ").append(refusal_word(judgement));
  } else {
    out.append(action_word(judgement.outcome));
  }
}

}  // namespace

std::string_view action_word(engine::Outcome outcome) {
  switch (outcome) {
    case engine::Outcome::Approve:
    case engine::Outcome::Pass:
      return "accept";
    case engine::Outcome::Drop:
    case engine::Outcome::Revoke:
      return "drop";
    case engine::Outcome::Reject:
      return "reject";
    case engine::Outcome::Limit:  // the kernel's meter decides
      return "limit";
  }
  __builtin_unreachable();
}

std::string_view to_string(GapReason reason) {
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

// A meter refuses what was over its limit.
std::string_view refusal_word(const engine::Judgement& judgement) {
  return judgement.reason == engine::Reason::RateLimit ? "limit" : action_word(judgement.outcome);
}

void append_transport(std::string& out, std::uint8_t protocol) {
  if (protocol == rules::protocol::kIcmpv6) {
    out.append("ipv6-icmp");
  } else {
    out.append(rules::protocol_name(protocol));
  }
}

rules::Direction hook_of(const VerdictRecord& record) {
  using rules::Direction;
  const Direction direction = record.judgement.direction;
  if (record.packet_class != kernel::PacketClass::AgainReply) return direction;
  return direction == Direction::In ? Direction::Out : Direction::In;
}

const RuleName* deciding_rule(const VerdictRecord& record, const PolicyNames* policy) {
  if (policy == nullptr || record.judgement.reason == engine::Reason::Invalid) return nullptr;
  return policy->find(record.judgement.decision, record.judgement.direction);
}

const RuleName* deciding_rule(const FlowRecord& record, const PolicyNames* policy) {
  if (policy == nullptr || !record.decision || !record.direction) return nullptr;
  return policy->find(*record.decision, *record.direction);
}

void describe(std::string& out, const VerdictRecord& record, const RuleName* rule) {
  const engine::Judgement& judgement = record.judgement;
  append_verb(out, judgement);
  out.push_back(' ');
  if (judgement.decoded) {
    append_packet(out, judgement.packet);
  } else {
    out.append("malformed packet: ").append(rules::to_string(judgement.malformed));
  }
  append_verdict(out, record, rule);
}

// "drop 12034 tcp packets from 203.0.113.7 rule 9c1f02ab5d3e7a10", "accept 99 tcp packets beside the sample rule ..."
void describe(std::string& out, const Fold& fold, const RuleName* rule) {
  const engine::Judgement& judgement = fold.first.judgement;
  append_verb(out, judgement);
  out.push_back(' ');
  json::append_number(out, fold.packets);
  out.push_back(' ');
  if (judgement.decoded) {
    out.append(rules::protocol_name(judgement.packet.protocol)).append(" packets ");
    if (fold.first.sampled_out) {
      out.append("beside the sample");
    } else if (fold.one_source) {
      append_address(out.append("from "), judgement.packet.source);
    } else {
      out.append("from many sources");
    }
  } else {
    out.append("malformed packets");
  }
  append_verdict(out, fold.first, rule);
}

void describe(std::string& out, const Gap& gap) {
  json::append_number(out, gap.count);
  out.append(" records missing: ").append(to_string(gap.reason));
}

void describe(std::string& out, const AdminEvent& event) {
  event.actor.uid ? json::append_number(out.append("uid "), *event.actor.uid)
                  : void(out.append("several users"));
  json::append_escaped(out.append(event.refusal.empty() ? " " : " was refused: "), event.change);
}

// "end tcp 203.0.113.7:51514 -> 10.0.0.11:443 rule 9c1f02ab5d3e7a10, 1500 bytes there, 48000 back"
void describe(std::string& out, const FlowRecord& record, const RuleName* rule) {
  append_packet(out.append("end "), record.first);
  if (rule != nullptr) out.append(" rule ").append(rule->id);
  if (record.revoked) out.append(" (revoked)");
  if (!record.traffic) return;
  json::append_number(out.append(", "), record.traffic->source.bytes);
  json::append_number(out.append(" bytes there, "), record.traffic->destination.bytes);
  out.append(" back");
}

// "end of 12034 tcp connections rule 9c1f02ab5d3e7a10"
void describe(std::string& out, const FlowFold& fold, const RuleName* rule) {
  json::append_number(out.append("end of "), fold.connections);
  out.append(" ").append(rules::protocol_name(fold.first.first.protocol)).append(" connections");
  if (rule != nullptr) out.append(" rule ").append(rule->id);
  if (fold.first.revoked) out.append(" (revoked)");
  if (fold.first.sampled_out) out.append(" beside the sample");
}

void describe(std::string& out, const FlowGap& gap) {
  json::append_number(out.append("the ends of "), gap.connections);
  out.append(" connections missing: flow_overrun");
}

}  // namespace fwd::audit
