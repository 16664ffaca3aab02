// Decisions, one by one and folded; the ends of connections are in eve_flow.cc, the other records in
// eve_events.cc.
#include "fwd/audit/eve.h"

#include <utility>

#include "fwd/audit/describe.h"
#include "fwd/audit/eve_fields.h"
#include "fwd/audit/json.h"
#include "fwd/audit/own_fields.h"

namespace fwd::audit {
namespace {

using engine::Outcome;

bool refused(Outcome outcome) {
  return outcome == Outcome::Drop || outcome == Outcome::Revoke || outcome == Outcome::Reject;
}

// Also what was only observed: a rule matched that would have refused it.
bool is_alert(const engine::Judgement& judgement) {
  return refused(judgement.done()) || judgement.instead.has_value();
}

// Where no rule is known, the reason stands for it.
void append_alert(std::string& out, const VerdictRecord& record, const RuleName* rule) {
  const std::string_view reason = to_string(record.judgement.reason);
  const bool blocked = refused(record.judgement.done());
  out.append(R"(,"alert":{"action":")").append(blocked ? "blocked" : "allowed");
  json::append_number(out.append(R"(","gid":1,"signature_id":)"),
                      rule != nullptr ? rule->signature_id : signature_id(reason));
  json::append_number(out.append(R"(,"rev":)"), record.policy_version);
  out.append(R"(,"signature":")").append(rule != nullptr ? rule->name : reason);
  out.append(R"(","category":"Firewall policy","severity":3)");
  if (rule != nullptr) out.append(R"(,"metadata":{"rule_id":[")").append(rule->id).append("\"]}");
  out.push_back('}');
}

// What the engine did with the packet.
void append_done(std::string& out, const engine::Judgement& judgement) {
  const Outcome done = judgement.done();
  out.append(R"(,"verdict":{"action":")").append(refused(done) ? "drop\"" : "pass\"");
  if (done == Outcome::Reject) {
    const bool tcp = judgement.packet.protocol == rules::protocol::kTcp;
    out.append(R"(,"reject":[")").append(tcp ? "tcp-reset" : "icmp-prohib");
    out.append(R"("],"reject-target":"to_client")");
  }
  out.push_back('}');
}

// Behind the message.
void append_decision(std::string& out, const VerdictRecord& record, const RuleName* rule) {
  const engine::Judgement& judgement = record.judgement;
  out.append(R"(","action":")").append(action_word(judgement.done()));
  out.append(R"(","reason":")").append(to_string(judgement.reason_done()));
  out.append("\"");
  append_match(out, judgement.direction, judgement.decoded ? &judgement.packet : nullptr, rule);
}

}  // namespace

EveEncoder::EveEncoder(std::string_view hostname, InterfaceNames interface_names)
    : interface_names_(std::move(interface_names)) {
  json::append_string(hostname_, hostname);
}

void EveEncoder::append(std::string& out, const VerdictRecord& record, const Owner& owner,
                        const PolicyNames* policy, std::uint64_t sequence) {
  const engine::Judgement& judgement = record.judgement;
  const RuleName* rule = deciding_rule(record, policy);
  const bool alert = is_alert(judgement);
  append_time(out.append(R"({"timestamp":)"), record.realtime_ns);
  std::string_view community_id;
  if (judgement.decoded) {
    community_id = community_id_.of(judgement.packet);
    json::append_number(out.append(R"(,"flow_id":)"), community_id_.number());
  }
  append_interface(out, record);
  append_type(out, alert ? "alert" : "flow");
  if (judgement.decoded) {
    append_connection(out, judgement.packet);
    out.append(R"(,"community_id":")").append(community_id).append("\"");
  }
  if (alert) {
    append_alert(out, record, rule);
    append_done(out, judgement);
  } else {
    append_time(out.append(R"(,"flow":{"start":)"), record.realtime_ns);
    out.append(R"(,"state":"new")");
    if (judgement.done() != Outcome::Limit) out.append(R"(,"action":"accept")");
    out.push_back('}');
  }
  begin_flowvars(out, "fwd.verdict", sequence);
  describe(out, record, rule);
  append_decision(out, record, rule);
  if (record.decided_by != DecidedBy::Sweep)
    json::append_number(out.append(R"(,"duration":)"), record.duration_ns);
  append_own(out.append(","), record, owner);
  out.append("}]}}\n");
}

void EveEncoder::append(std::string& out, const Fold& fold, const PolicyNames* policy,
                        std::uint64_t sequence) {
  const VerdictRecord& first = fold.first;
  const engine::Judgement& judgement = first.judgement;
  const RuleName* rule = deciding_rule(first, policy);
  const bool alert = is_alert(judgement);
  append_time(out.append(R"({"timestamp":)"), fold.last_ns);
  append_type(out, alert ? "alert" : "flow");
  if (judgement.decoded) {
    if (fold.one_source) append_source_address(out, judgement.packet.source);
    append_protocol(out, judgement.packet.protocol);
  }
  if (alert) {
    append_alert(out, first, rule);
    append_done(out, judgement);
  }
  append_time(out.append(R"(,"flow":{"start":)"), first.realtime_ns);
  append_time(out.append(R"(,"end":)"), fold.last_ns);
  json::append_number(out.append(R"(,"pkts_toserver":)"), fold.packets);
  out.push_back('}');
  begin_flowvars(out, "fwd.verdict", sequence);
  describe(out, fold, rule);
  append_decision(out, first, rule);
  append_own(out.append(","), fold);
  out.append("}]}}\n");
}

// With its quotes, and the zone in the way that the schema wants it.
void EveEncoder::append_time(std::string& out, std::int64_t time_ns) {
  time_.append(out.append("\""), time_ns);
  out.back() = '+';
  out.append("0000\"");
}

void EveEncoder::append_interface(std::string& out, const VerdictRecord& record) const {
  if (record.interface_index == 0) return;
  const std::string name = interface_names_(record.interface_index);
  if (!name.empty()) json::append_string(out.append(R"(,"in_iface":)"), name);
}

void EveEncoder::append_type(std::string& out, std::string_view type) const {
  out.append(R"(,"event_type":")").append(type).append(R"(","host":)").append(hostname_);
}

}  // namespace fwd::audit
