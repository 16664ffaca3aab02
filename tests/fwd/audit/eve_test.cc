#include "fwd/audit/eve.h"

#include <catch2/catch.hpp>

#include "tests/fwd/audit/records.h"

namespace {

using namespace fwd::audit;
using namespace fwd::audit::test;
using fwd::engine::Outcome;
using fwd::engine::Reason;
using rules::Direction;

std::string line(const VerdictRecord& record) {
  const PolicyNames names(policy(), 7);
  EveEncoder encoder("web01", interface_name);
  std::string out;
  encoder.append(out, record, {}, record.policy_version == 7 ? &names : nullptr, 18231);
  REQUIRE(out.find('\n') == out.size() - 1);
  out.pop_back();
  return out;
}

nlohmann::json parsed(const VerdictRecord& record) {
  return nlohmann::json::parse(line(record));
}

nlohmann::json own(const nlohmann::json& line) {
  return line["metadata"]["flowvars"][0];
}

VerdictRecord accepted() {
  VerdictRecord record = denied();
  record.judgement.outcome = Outcome::Approve;
  return record;
}

template <typename Event>
nlohmann::json event_line(const Event& event) {
  EveEncoder encoder("web01", interface_name);
  std::string out;
  if constexpr (std::is_same_v<Event, HealthEvent>) {
    encoder.append(out, event, kTime_ns, 9, {});
  } else {
    encoder.append(out, event, kTime_ns, 9);
  }
  return nlohmann::json::parse(out);
}

}  // namespace

TEST_CASE("a denied connection is an alert in EVE, as in the manual") {
  CHECK(
      line(denied()) ==
      R"({"timestamp":"2026-08-20T10:15:30.123456+0000","flow_id":40633100938123,"in_iface":"eth0",)"
      R"("event_type":"alert","host":"web01","src_ip":"203.0.113.7","src_port":51514,)"
      R"("dest_ip":"10.0.0.11","dest_port":3306,"proto":"TCP",)"
      R"("community_id":"1:JPShjCuLDodQQ9lHojrdzdiRT2Q=",)"
      R"("alert":{"action":"blocked","gid":1,"signature_id":2089718512,"rev":7,"signature":"replication",)"
      R"("category":"Firewall policy","severity":3,"metadata":{"rule_id":["9c1f02ab5d3e7a10"]}},)"
      R"("verdict":{"action":"drop"},"metadata":{"flowvars":[{"dataset":"fwd.verdict","sequence":18231,)"
      R"("message":"drop tcp 203.0.113.7:51514 -> 10.0.0.11:3306 rule 9c1f02ab5d3e7a10",)"
      R"("action":"drop","reason":"rule","direction":"ingress","transport":"tcp",)"
      R"("rule":{"id":"9c1f02ab5d3e7a10","name":"replication","ruleset":"policy.fw:12","version":"7"},)"
      R"("duration":46000,"hook":"input","queue":0,"tcp_flags":"S","ttl":52,"decided_by":"daemon",)"
      R"("owner":{"uid":"unknown","unit":"unknown"}}]}})");
}

TEST_CASE("an accepted connection is a flow that begins in EVE") {
  const auto json = parsed(accepted());
  CHECK(json["event_type"] == "flow");
  CHECK(json["flow"] == nlohmann::json{{"start", "2026-08-20T10:15:30.123456+0000"},
                                       {"state", "new"},
                                       {"action", "accept"}});
  CHECK_FALSE(json.contains("alert"));
  CHECK_FALSE(json.contains("verdict"));
  CHECK(own(json)["rule"]["id"] == "9c1f02ab5d3e7a10");
  VerdictRecord metered = denied();
  metered.judgement.outcome = Outcome::Limit;
  CHECK_FALSE(parsed(metered)["flow"].contains("action"));
}

TEST_CASE("EVE says how a packet was rejected") {
  VerdictRecord record = denied();
  record.judgement.outcome = Outcome::Reject;
  CHECK(parsed(record)["verdict"] == nlohmann::json{{"action", "drop"},
                                                    {"reject", {"tcp-reset"}},
                                                    {"reject-target", "to_client"}});
  record.judgement.packet.protocol = rules::protocol::kUdp;
  CHECK(parsed(record)["verdict"]["reject"] == nlohmann::json{"icmp-prohib"});
}

TEST_CASE("what observe mode let through is an alert that didn't block in EVE") {
  VerdictRecord record = denied();
  record.judgement.instead = Outcome::Approve;
  const auto json = parsed(record);
  CHECK(json["event_type"] == "alert");
  CHECK(json["alert"]["action"] == "allowed");
  CHECK(json["verdict"] == nlohmann::json{{"action", "pass"}});
  CHECK(own(json)["would"] == "drop");
}

TEST_CASE("a connection has one flow_id in EVE, whichever end speaks") {
  VerdictRecord reply = denied();
  std::swap(reply.judgement.packet.source, reply.judgement.packet.destination);
  std::swap(reply.judgement.packet.source_port, reply.judgement.packet.destination_port);
  CHECK(parsed(reply)["flow_id"] == parsed(denied())["flow_id"]);
  VerdictRecord other = denied();
  other.judgement.packet.source_port += 1;
  CHECK(parsed(other)["flow_id"] != parsed(denied())["flow_id"]);
}

TEST_CASE("protocols have Suricata's names in EVE, or three digits") {
  const auto [number, name] = GENERATE(table<std::uint8_t, std::string>(
      {{17, "UDP"}, {1, "ICMP"}, {58, "IPv6-ICMP"}, {132, "SCTP"}, {50, "ESP"}, {2, "002"}}));
  VerdictRecord record = denied();
  record.judgement.packet.protocol = number;
  CHECK(parsed(record)["proto"] == name);
}

TEST_CASE("what can't be decoded has neither addresses nor a rule in EVE") {
  VerdictRecord record = denied();
  record.judgement.reason = Reason::Invalid;
  record.judgement.decoded = false;
  record.judgement.malformed = rules::Malformed::Truncated;
  const auto json = parsed(record);
  CHECK(json["alert"]["signature"] == "invalid");
  CHECK(json["alert"]["signature_id"] == signature_id("invalid"));
  CHECK_FALSE(json["alert"].contains("metadata"));
  for (const auto* key : {"flow_id", "src_ip", "dest_ip", "proto", "community_id"})
    CHECK_FALSE(json.contains(key));
  CHECK(own(json)["malformed"] == "truncated");
}

TEST_CASE("a rule's number in EVE depends on nothing but its id") {
  CHECK(signature_id("9c1f02ab5d3e7a10") == signature_id("9c1f02ab5d3e7a10"));
  CHECK(signature_id("9c1f02ab5d3e7a10") != signature_id("9c1f02ab5d3e7a11"));
  for (const auto* id : {"default", "ping", "0000000000000000", ""}) {
    CHECK(signature_id(id) >= 1U << 30U);
    CHECK(signature_id(id) < 1U << 31U);
  }
}

TEST_CASE("a fold counts its packets in EVE") {
  EveEncoder encoder("web01", interface_name);
  std::string out;
  encoder.append(out, {denied(), kTime_ns + 800'000'000, 12034, true}, nullptr, 1);
  encoder.append(out, {accepted(), kTime_ns, 3, false}, nullptr, 2);
  const auto lines = parse_lines(out);
  CHECK(lines[0]["event_type"] == "alert");
  CHECK(lines[0]["src_ip"] == "203.0.113.7");
  CHECK_FALSE(lines[0].contains("dest_ip"));
  CHECK(lines[0]["flow"] == nlohmann::json{{"start", "2026-08-20T10:15:30.123456+0000"},
                                           {"end", "2026-08-20T10:15:30.923456+0000"},
                                           {"pkts_toserver", 12034}});
  CHECK(own(lines[0])["packets"] == 12034);
  CHECK(lines[1]["event_type"] == "flow");
  CHECK_FALSE(lines[1].contains("src_ip"));
}

TEST_CASE("what is no decision is an engine's message in EVE") {
  const auto gap = event_line(Gap{kTime_ns, kTime_ns + 1'000'000'000, 12, GapReason::DiskFull});
  CHECK(gap["event_type"] == "engine");
  CHECK(gap["log_level"] == "Warning");
  CHECK(gap["engine"] == nlohmann::json{{"message", "12 records missing: disk_full"}});
  CHECK(own(gap) == nlohmann::json{{"dataset", "fwd.audit_gap"},
                                   {"sequence", 9},
                                   {"action", "gap"},
                                   {"reason", "disk_full"},
                                   {"from", "2026-08-20T10:15:30.123456Z"},
                                   {"to", "2026-08-20T10:15:31.123456Z"},
                                   {"count", 12}});
  const auto health = event_line(HealthEvent{HealthType::Info, "fallback", "m", "queue_full", 42});
  CHECK(health["engine"]["message"] == "m");
  CHECK(own(health)["packets"] == 42);
  CHECK(own(health)["reason"] == "queue_full");
  const auto admin = event_line(AdminEvent{.action = "add_rule",
                                           .change = "added rule 1: allow in \"x\"",
                                           .actor = {0, "root", 4711, "fwctl allow 80", 1000, {}},
                                           .before = {1, "aa"},
                                           .after = {2, "bb"},
                                           .refusal = {}});
  CHECK(admin["engine"]["message"] == "uid 0 added rule 1: allow in \"x\"");
  CHECK(own(admin)["outcome"] == "success");
  CHECK(own(admin)["uid"] == 0);
  CHECK(own(admin)["command_line"] == "fwctl allow 80");
  CHECK(own(admin)["generation"] == nlohmann::json{{"before", 1}, {"after", 2}});
}

TEST_CASE("a connection's end is a flow that is closed in EVE") {
  const PolicyNames names(policy(), 7);
  EveEncoder encoder("web01", interface_name);
  std::string out;
  FlowRecord flow{.end_ns = kTime_ns,
                  .start_ns = kTime_ns - 2'500'000'000,
                  .traffic = FlowTraffic{{10, 1500}, {12, 48000}},
                  .first = tcp("203.0.113.7", 51514, "10.0.0.11", 3306),
                  .direction = Direction::In,
                  .revoked = false,
                  .policy_version = 7,
                  .decision = rules::Decision{rules::Action::Allow, rules::DecidedBy::Rule, 0}};
  encoder.append(out, flow, &names, 1);
  flow.start_ns.reset();
  flow.traffic.reset();
  flow.revoked = true;
  encoder.append(out, flow, nullptr, 2);
  encoder.append(out, FlowFold{flow, kTime_ns, 500, {{1, 2}, {3, 4}}}, &names, 3);
  const auto lines = parse_lines(out);
  CHECK(lines[0]["event_type"] == "flow");
  CHECK(lines[0]["flow_id"] == parsed(denied())["flow_id"]);
  CHECK(lines[0]["dest_port"] == 3306);
  CHECK(lines[0]["flow"] == nlohmann::json{{"start", "2026-08-20T10:15:27.623456+0000"},
                                           {"end", "2026-08-20T10:15:30.123456+0000"},
                                           {"age", 2},
                                           {"pkts_toserver", 10},
                                           {"pkts_toclient", 12},
                                           {"bytes_toserver", 1500},
                                           {"bytes_toclient", 48000},
                                           {"state", "closed"}});
  CHECK(own(lines[0])["dataset"] == "fwd.flow");
  CHECK(own(lines[0])["rule"]["id"] == "9c1f02ab5d3e7a10");
  CHECK_FALSE(own(lines[0]).contains("reason"));
  CHECK(lines[1]["flow"].size() == 2);
  CHECK(own(lines[1])["reason"] == "revoked");
  CHECK_FALSE(lines[2].contains("src_ip"));
  CHECK(lines[2]["flow"]["pkts_toclient"] == 3);
  CHECK(own(lines[2])["connections"] == 500);
}
