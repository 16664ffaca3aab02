// The ends of connections.
#include <algorithm>

#include "fwd/audit/describe.h"
#include "fwd/audit/ecs.h"
#include "fwd/audit/ecs_fields.h"
#include "fwd/audit/json.h"
#include "fwd/audit/own_fields.h"

namespace fwd::audit {
namespace {

// Without its end.
void append_event(std::string& out, const FlowRecord& record, std::uint64_t sequence) {
  out.append(R"(,"event":{"kind":"event","category":["network"],"type":["connection","end"],)");
  out.append(R"("action":"end","dataset":"fwd.flow","sequence":)");
  json::append_number(out, sequence);
  if (record.revoked) out.append(R"(,"reason":"revoked")");
}

// Clocks may be set back in between.
void append_duration(std::string& out, std::int64_t nanoseconds) {
  const std::int64_t duration = std::max<std::int64_t>(nanoseconds, 0);
  json::append_number(out.append(R"(,"duration":)"), static_cast<std::uint64_t>(duration));
}

void append_traffic(std::string& out, const Traffic& traffic) {
  out.append(out.back() == '{' ? R"("bytes":)" : R"(,"bytes":)");
  json::append_number(out, traffic.bytes);
  json::append_number(out.append(R"(,"packets":)"), traffic.packets);
}

Traffic sum(const FlowTraffic& traffic) {
  return {traffic.source.packets + traffic.destination.packets,
          traffic.source.bytes + traffic.destination.bytes};
}

}  // namespace

void EcsEncoder::append(std::string& out, const FlowRecord& record, const PolicyNames* policy,
                        std::uint64_t sequence) {
  const RuleName* rule = deciding_rule(record, policy);
  begin(out, record.end_ns);
  describe(out.append(R"(,"message":")"), record, rule);
  append_event(out.append("\""), record, sequence);
  if (record.start_ns) time_.append(out.append(R"(,"start":")"), *record.start_ns);
  time_.append(out.append(record.start_ns ? R"(","end":")" : R"(,"end":")"), record.end_ns);
  out.push_back('"');
  if (record.start_ns) append_duration(out, record.end_ns - *record.start_ns);
  append_rule(out.append("}"), record.policy_version, rule);
  begin_observer(out);
  append_network(out.append("}"), &record.first, record.direction);
  append_community_id(out, record.first);
  if (record.traffic) append_traffic(out, sum(*record.traffic));
  append_source(out.append("},"), record.first);
  if (record.traffic) append_traffic(out, record.traffic->source);
  append_destination(out.append("},"), record.first);
  if (record.traffic) append_traffic(out, record.traffic->destination);
  out.append(R"(},"fwd":{}})").push_back('\n');
}

void EcsEncoder::append(std::string& out, const FlowFold& fold, const PolicyNames* policy,
                        std::uint64_t sequence) {
  const RuleName* rule = deciding_rule(fold.first, policy);
  begin(out, fold.last_ns);
  describe(out.append(R"(,"message":")"), fold, rule);
  append_event(out.append("\""), fold.first, sequence);
  time_.append(out.append(R"(,"end":")"), fold.last_ns);
  append_rule(out.append("\"}"), fold.first.policy_version, rule);
  begin_observer(out);
  append_network(out.append("}"), &fold.first.first, fold.first.direction);
  append_traffic(out, sum(fold.traffic));
  append_traffic(out.append(R"(},"source":{)"), fold.traffic.source);
  append_traffic(out.append(R"(},"destination":{)"), fold.traffic.destination);
  append_own(out.append(R"(},"fwd":{)"), fold);
  out.append("}}\n");
}

void EcsEncoder::append(std::string& out, const FlowGap& gap, std::int64_t now_ns,
                        std::uint64_t sequence) {
  begin(out, now_ns);
  describe(out.append(R"(,"message":")"), gap);
  out.append(R"(","event":{"kind":"event","category":["host"],"type":["info"],"action":"gap",)");
  json::append_number(out.append(R"("dataset":"fwd.audit_gap","sequence":)"), sequence);
  out.append(R"(,"reason":"flow_overrun"})");
  begin_observer(out);
  append_own(out.append(R"(},"fwd":{)"), gap, time_);
  out.append("}}\n");
}

}  // namespace fwd::audit
