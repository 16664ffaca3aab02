#include "fwd/audit/own_fields.h"

#include "fwd/audit/describe.h"
#include "fwd/audit/json.h"

namespace fwd::audit {
namespace {

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
  const bool in = hook_of(record) == rules::Direction::In;
  out.append(R"("hook":")").append(in ? "input" : "output").append("\"");
}

void append_refusal(std::string& out, const engine::Judgement& judgement) {
  if (judgement.instead) out.append(R"(,"would":")").append(refusal_word(judgement)).append("\"");
}

void append_decided_by(std::string& out, const VerdictRecord& record) {
  const bool by_kernel = record.decided_by == DecidedBy::KernelCopy;
  out.append(R"(,"decided_by":")").append(by_kernel ? "kernel_copy" : "daemon").append("\"");
}

void append_owner(std::string& out, const Owner& owner) {
  constexpr std::string_view kUnknown = "unknown";
  out.append(R"(,"owner":{"uid":")");
  owner.uid ? json::append_number(out, *owner.uid) : void(out.append(kUnknown));
  json::append_string(out.append(R"(","unit":)"), owner.unit.empty() ? kUnknown : owner.unit);
  out.push_back('}');
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

}  // namespace

void append_own(std::string& out, const VerdictRecord& record, const Owner& owner) {
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
  append_owner(out, owner);
}

void append_own(std::string& out, const Fold& fold) {
  append_hook(out, fold.first);
  append_refusal(out, fold.first.judgement);
  json::append_number(out.append(R"(,"packets":)"), fold.packets);
  if (fold.first.sampled_out) out.append(R"(,"sampled_out":true)");
  append_decided_by(out, fold.first);
}

void append_own(std::string& out, const Gap& gap, TimeText& time) {
  time.append(out.append(R"("from":")"), gap.from_ns);
  time.append(out.append(R"(","to":")"), gap.to_ns);
  json::append_number(out.append(R"(","count":)"), gap.count);
}

void append_own(std::string& out, const HealthEvent& event, const Checkpoint& checkpoint) {
  if (event.packets) append_packets(out, event);
  if (event.missed) json::append_number(out.append(R"("missed":)"), *event.missed);
  if (event.checkpoint) append_checkpoint(out, checkpoint);
}

void append_own(std::string& out, const AdminEvent& event) {
  const auto& actor = event.actor;
  json::append_string(out.append(R"("change":)"), event.change);
  if (event.requests != 1) json::append_number(out.append(R"(,"requests":)"), event.requests);
  if (actor.login_uid) json::append_number(out.append(R"(,"login_uid":)"), *actor.login_uid);
  if (actor.sudo_uid) json::append_number(out.append(R"(,"sudo_uid":)"), *actor.sudo_uid);
  json::append_number(out.append(R"(,"generation":{"before":)"), event.before.generation);
  json::append_number(out.append(R"(,"after":)"), event.after.generation);
  json::append_string(out.append(R"(},"policy_hash":{"before":)"), event.before.policy_hash);
  json::append_string(out.append(R"(,"after":)"), event.after.policy_hash);
  out.push_back('}');
}

void append_own(std::string& out, const FlowFold& fold) {
  json::append_number(out.append(R"("connections":)"), fold.connections);
  if (fold.first.sampled_out) out.append(R"(,"sampled_out":true)");
}

void append_own(std::string& out, const FlowGap& gap, TimeText& time) {
  time.append(out.append(R"("from":")"), gap.from_ns);
  time.append(out.append(R"(","to":")"), gap.to_ns);
  json::append_number(out.append(R"(","connections":)"), gap.connections);
}

}  // namespace fwd::audit
