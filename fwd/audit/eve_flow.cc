// The ends of connections.
#include <algorithm>

#include "fwd/audit/describe.h"
#include "fwd/audit/eve.h"
#include "fwd/audit/eve_fields.h"
#include "fwd/audit/json.h"
#include "fwd/audit/own_fields.h"

namespace fwd::audit {
namespace {

// The server is the end that was called.
void append_traffic(std::string& out, const FlowTraffic& traffic) {
  json::append_number(out.append(R"(,"pkts_toserver":)"), traffic.source.packets);
  json::append_number(out.append(R"(,"pkts_toclient":)"), traffic.destination.packets);
  json::append_number(out.append(R"(,"bytes_toserver":)"), traffic.source.bytes);
  json::append_number(out.append(R"(,"bytes_toclient":)"), traffic.destination.bytes);
}

// In seconds. Clocks may be set back in between.
void append_age(std::string& out, std::int64_t nanoseconds) {
  constexpr std::int64_t kSecond_ns = 1'000'000'000;
  const std::int64_t age = std::max<std::int64_t>(nanoseconds, 0) / kSecond_ns;
  json::append_number(out.append(R"(,"age":)"), static_cast<std::uint64_t>(age));
}

// Behind the message.
void append_end(std::string& out, const FlowRecord& record, const RuleName* rule) {
  out.append(R"(","action":"end")");
  if (record.revoked) out.append(R"(,"reason":"revoked")");
  append_match(out, record.direction, &record.first, rule);
}

}  // namespace

void EveEncoder::append(std::string& out, const FlowRecord& record, const PolicyNames* policy,
                        std::uint64_t sequence) {
  const RuleName* rule = deciding_rule(record, policy);
  const std::string_view community_id = community_id_.of(record.first);
  append_time(out.append(R"({"timestamp":)"), record.end_ns);
  json::append_number(out.append(R"(,"flow_id":)"), community_id_.number());
  append_type(out, "flow");
  append_connection(out, record.first);
  out.append(R"(,"community_id":")").append(community_id);
  append_time(out.append(R"(","flow":{"end":)"), record.end_ns);
  if (record.start_ns) {
    append_time(out.append(R"(,"start":)"), *record.start_ns);
    append_age(out, record.end_ns - *record.start_ns);
  }
  if (record.traffic) append_traffic(out, *record.traffic);
  out.append(R"(,"state":"closed"})");
  begin_flowvars(out, "fwd.flow", sequence);
  describe(out, record, rule);
  append_end(out, record, rule);
  out.append("}]}}\n");
}

void EveEncoder::append(std::string& out, const FlowFold& fold, const PolicyNames* policy,
                        std::uint64_t sequence) {
  const RuleName* rule = deciding_rule(fold.first, policy);
  append_time(out.append(R"({"timestamp":)"), fold.last_ns);
  append_type(out, "flow");
  append_protocol(out, fold.first.first.protocol);
  append_time(out.append(R"(,"flow":{"end":)"), fold.last_ns);
  append_traffic(out, fold.traffic);
  out.append(R"(,"state":"closed"})");
  begin_flowvars(out, "fwd.flow", sequence);
  describe(out, fold, rule);
  append_end(out, fold.first, rule);
  append_own(out.append(","), fold);
  out.append("}]}}\n");
}

}  // namespace fwd::audit
