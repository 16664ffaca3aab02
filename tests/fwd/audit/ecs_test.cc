#include "fwd/audit/ecs.h"

#include <catch2/catch.hpp>
#include <unistd.h>

#include "tests/fwd/audit/records.h"

namespace {

using namespace fwd::audit;
using namespace fwd::audit::test;
using fwd::engine::Outcome;
using fwd::engine::Reason;
using rules::Action;
using rules::Direction;

std::string line(const VerdictRecord& record, const rules::Policy& named = policy(),
                 const Owner& owner = {}) {
  const PolicyNames names(named, 7);
  EcsEncoder encoder("web01", interface_name);
  std::string out;
  encoder.append(out, record, owner, record.policy_version == 7 ? &names : nullptr, 18231);
  REQUIRE(out.back() == '\n');
  REQUIRE(out.find('\n') == out.size() - 1);
  REQUIRE(nlohmann::json::accept(out));
  out.pop_back();
  return out;
}

nlohmann::json owner_in(const std::string& text) {
  return nlohmann::json::parse(text)["fwd"]["owner"];
}

nlohmann::json parsed(const VerdictRecord& record, const rules::Policy& named = policy()) {
  return nlohmann::json::parse(line(record, named));
}

VerdictRecord echo_request() {
  VerdictRecord record = denied();
  record.judgement.outcome = Outcome::Approve;
  record.judgement.decision = {Action::Allow, rules::DecidedBy::Builtin, 0};
  record.judgement.packet = {.source = address("2001:db8::7"),
                             .destination = address("2001:db8:1::11"),
                             .protocol = rules::protocol::kIcmpv6,
                             .hop_limit = 64,
                             .has_icmp = true,
                             .icmp_type = 128,
                             .icmp_code = 0};
  return record;
}

VerdictRecord outgoing() {
  VerdictRecord record = denied();
  record.queue = 3;
  record.judgement.outcome = Outcome::Reject;
  record.judgement.reason = Reason::Default;
  record.judgement.direction = Direction::Out;
  record.judgement.decision = {Action::Reject, rules::DecidedBy::Default, 0};
  record.judgement.packet = tcp("2001:db8:1::11", 40000, "2001:db8::7", 25);
  return record;
}

VerdictRecord malformed() {
  VerdictRecord record = denied();
  record.judgement.reason = Reason::Invalid;
  record.judgement.decoded = false;
  record.judgement.malformed = rules::Malformed::Truncated;
  return record;
}

}  // namespace

TEST_CASE("a denied connection is told as in the manual") {
  CHECK(
      line(denied()) ==
      R"({"@timestamp":"2026-08-20T10:15:30.123456Z","ecs":{"version":"8.17.0"},)"
      R"("message":"drop tcp 203.0.113.7:51514 -> 10.0.0.11:3306 rule 9c1f02ab5d3e7a10",)"
      R"("event":{"kind":"event","category":["network"],"type":["connection","denied"],)"
      R"("action":"drop","outcome":"success","dataset":"fwd.verdict","sequence":18231,)"
      R"("reason":"rule","duration":46000},)"
      R"("rule":{"id":"9c1f02ab5d3e7a10","name":"replication","ruleset":"policy.fw:12","version":"7"},)"
      R"("observer":{"hostname":"web01","type":"firewall","ingress":{"interface":{"name":"eth0"}}},)"
      R"("network":{"type":"ipv4","transport":"tcp","iana_number":"6","direction":"ingress",)"
      R"("community_id":"1:JPShjCuLDodQQ9lHojrdzdiRT2Q="},)"
      R"("source":{"ip":"203.0.113.7","port":51514},"destination":{"ip":"10.0.0.11","port":3306},)"
      R"("fwd":{"hook":"input","queue":0,"tcp_flags":"S","ttl":52,"decided_by":"daemon",)"
      R"("owner":{"uid":"unknown","unit":"unknown"}}})");
}

TEST_CASE("an accepted ICMPv6 message has type and code in place of ports") {
  CHECK(
      line(echo_request()) ==
      R"({"@timestamp":"2026-08-20T10:15:30.123456Z","ecs":{"version":"8.17.0"},)"
      R"("message":"accept icmpv6 2001:db8::7 -> 2001:db8:1::11 type 128 code 0 rule ping",)"
      R"("event":{"kind":"event","category":["network"],"type":["connection","allowed"],)"
      R"("action":"accept","outcome":"success","dataset":"fwd.verdict","sequence":18231,)"
      R"("reason":"rule","duration":46000},)"
      R"("rule":{"id":"ping","ruleset":"builtin","version":"7"},)"
      R"("observer":{"hostname":"web01","type":"firewall","ingress":{"interface":{"name":"eth0"}}},)"
      R"("network":{"type":"ipv6","transport":"ipv6-icmp","iana_number":"58","direction":"ingress",)"
      R"("community_id":"1:AIEe+/pz778YzqbjkcBZaMISveU="},)"
      R"("source":{"ip":"2001:db8::7"},"destination":{"ip":"2001:db8:1::11"},)"
      R"("fwd":{"hook":"input","queue":0,"icmp_type":128,"icmp_code":0,"ttl":64,"decided_by":"daemon",)"
      R"("owner":{"uid":"unknown","unit":"unknown"}}})");
}

TEST_CASE("a rejected outgoing connection leaves by its egress interface") {
  CHECK(
      line(outgoing()) ==
      R"({"@timestamp":"2026-08-20T10:15:30.123456Z","ecs":{"version":"8.17.0"},)"
      R"("message":"reject tcp [2001:db8:1::11]:40000 -> [2001:db8::7]:25 rule default",)"
      R"("event":{"kind":"event","category":["network"],"type":["connection","denied"],)"
      R"("action":"reject","outcome":"success","dataset":"fwd.verdict","sequence":18231,)"
      R"("reason":"default","duration":46000},)"
      R"("rule":{"id":"default","name":"default allow out","ruleset":"default","version":"7"},)"
      R"("observer":{"hostname":"web01","type":"firewall","egress":{"interface":{"name":"eth0"}}},)"
      R"("network":{"type":"ipv6","transport":"tcp","iana_number":"6","direction":"egress",)"
      R"("community_id":"1:o9NgJoZNsL2X/nR1yu6GloVie4k="},)"
      R"("source":{"ip":"2001:db8:1::11","port":40000},"destination":{"ip":"2001:db8::7","port":25},)"
      R"("fwd":{"hook":"output","queue":3,"tcp_flags":"S","ttl":52,"decided_by":"daemon",)"
      R"("owner":{"uid":"unknown","unit":"unknown"}}})");
}

TEST_CASE("a packet that can't be decoded has no addresses, but what is wrong with it") {
  CHECK(
      line(malformed()) ==
      R"({"@timestamp":"2026-08-20T10:15:30.123456Z","ecs":{"version":"8.17.0"},)"
      R"~("message":"drop malformed packet: truncated (invalid)",)~"
      R"("event":{"kind":"event","category":["network"],"type":["connection","denied"],)"
      R"("action":"drop","outcome":"success","dataset":"fwd.verdict","sequence":18231,)"
      R"("reason":"invalid","duration":46000},)"
      R"("rule":{"version":"7"},)"
      R"("observer":{"hostname":"web01","type":"firewall","ingress":{"interface":{"name":"eth0"}}},)"
      R"("network":{"direction":"ingress"},)"
      R"("fwd":{"hook":"input","queue":0,"malformed":"truncated","decided_by":"daemon",)"
      R"("owner":{"uid":"unknown","unit":"unknown"}}})");
}

TEST_CASE("a gap tells how many records are missing, when and why") {
  const auto [reason, text] = GENERATE(table<GapReason, std::string>({
      {GapReason::RingFull, "ring_full"},
      {GapReason::DiskFull, "disk_full"},
      {GapReason::WriteError, "write_error"},
      {GapReason::TornLine, "torn_line"},
  }));
  std::string out;
  EcsEncoder("web01", interface_name)
      .append(out, Gap{kTime_ns, kTime_ns + 2'000'000, 12, reason}, kTime_ns + 1'000'000'000, 9);
  CHECK(
      out ==
      R"({"@timestamp":"2026-08-20T10:15:31.123456Z","ecs":{"version":"8.17.0"},)"
      R"("message":"12 records missing: )" +
          text +
          R"(",)"
          R"("event":{"kind":"event","category":["host"],"type":["info"],"action":"gap",)"
          R"("dataset":"fwd.audit_gap","sequence":9,"reason":")" +
          text +
          R"("},)"
          R"("observer":{"hostname":"web01","type":"firewall"},)"
          R"("fwd":{"from":"2026-08-20T10:15:30.123456Z","to":"2026-08-20T10:15:30.125456Z","count":12}})"
          "\n");
}

TEST_CASE("a health event tells the daemon's version and process") {
  std::string out;
  EcsEncoder("web01", interface_name)
      .append(out, HealthEvent{HealthType::Start, "start", "fwd starts"}, kTime_ns, 1, {});
  CHECK(out ==
        R"({"@timestamp":"2026-08-20T10:15:30.123456Z","ecs":{"version":"8.17.0"},)"
        R"("message":"fwd starts",)"
        R"("event":{"kind":"event","category":["process"],"type":["start"],"action":"start",)"
        R"("dataset":"fwd.health","sequence":1},)"
        R"("observer":{"hostname":"web01","type":"firewall","version":")" FWD_VERSION R"("},)"
        R"("process":{"pid":)" +
            std::to_string(getpid()) + "},\"fwd\":{}}\n");
}

TEST_CASE("a health event tells its reason and counts packets where it has some") {
  HealthEvent event{HealthType::Info, "fallback", "m", "queue_full", 42};
  const auto written = [&] {
    std::string out;
    EcsEncoder("web01", interface_name).append(out, event, kTime_ns, 1, {});
    return nlohmann::json::parse(out);
  };
  CHECK(written()["event"]["reason"] == "queue_full");
  CHECK(written()["fwd"] == nlohmann::json{{"packets", 42}});
  event.by_copy = HealthEvent::ByCopy{30, 10, 2, 41};
  const nlohmann::json counts = {
      {"packets", 42}, {"allowed", 30}, {"denied", 10}, {"metered", 2}, {"shed", 41}};
  CHECK(written()["fwd"] == counts);
}

TEST_CASE("a change says who made it, what it was, and the policy before and after") {
  AdminEvent event{.action = "add_rule",
                   .change = "added rule 1: allow in \"x\"",
                   .actor = {0, "root", 4711, "fwctl allow 80", 1000, 1001},
                   .before = {1, "aa"},
                   .after = {2, "bb"},
                   .refusal = {}};
  std::string out;
  EcsEncoder encoder("web01", interface_name);
  encoder.append(out, event, kTime_ns, 5);
  CHECK(out ==
        R"({"@timestamp":"2026-08-20T10:15:30.123456Z","ecs":{"version":"8.17.0"},)"
        R"("message":"uid 0 added rule 1: allow in \"x\"",)"
        R"("event":{"kind":"event","category":["configuration"],"type":["change"],)"
        R"("action":"add_rule","dataset":"fwd.admin","sequence":5,"outcome":"success"},)"
        R"("observer":{"hostname":"web01","type":"firewall"},"user":{"id":"0","name":"root"},)"
        R"("process":{"pid":4711,"command_line":"fwctl allow 80"},)"
        R"("fwd":{"change":"added rule 1: allow in \"x\"","login_uid":1000,"sudo_uid":1001,)"
        R"("generation":{"before":1,"after":2},"policy_hash":{"before":"aa","after":"bb"}}})"
        "\n");
  event.refusal = "no";
  event.actor = {1000, "", 1, "", {}, {}};
  out.clear();
  encoder.append(out, event, kTime_ns, 6);
  const auto line = nlohmann::json::parse(out);
  CHECK(line["event"]["outcome"] == "failure");
  CHECK(line["event"]["reason"] == "no");
  CHECK(line["message"] == "uid 1000 was refused: added rule 1: allow in \"x\"");
  CHECK_FALSE(line["fwd"].contains("login_uid"));
  CHECK_FALSE(line["user"].contains("name"));
}

TEST_CASE("every outcome has its action and type") {
  const auto [outcome, action, type] = GENERATE(table<Outcome, std::string, std::string>({
      {Outcome::Approve, "accept", "allowed"},
      {Outcome::Pass, "accept", "allowed"},
      {Outcome::Drop, "drop", "denied"},
      {Outcome::Revoke, "drop", "denied"},
      {Outcome::Reject, "reject", "denied"},
  }));
  VerdictRecord record = denied();
  record.judgement.outcome = outcome;
  const auto json = parsed(record);
  CHECK(json["event"]["action"] == action);
  CHECK(json["event"]["type"] == nlohmann::json({"connection", type}));
  CHECK(json["event"]["outcome"] == "success");
}

TEST_CASE("what the kernel's meter has yet to decide is neither allowed nor denied") {
  VerdictRecord record = denied();
  record.judgement.outcome = Outcome::Limit;
  const auto json = parsed(record);
  CHECK(json["event"]["action"] == "limit");
  CHECK(json["event"]["type"] == nlohmann::json({"connection"}));
  CHECK(json["event"]["outcome"] == "unknown");
}

TEST_CASE("the message names a reason that is more than the rule") {
  VerdictRecord record = denied();
  record.judgement.reason = Reason::RateLimit;
  CHECK(parsed(record)["message"] ==
        "drop tcp 203.0.113.7:51514 -> 10.0.0.11:3306 rule 9c1f02ab5d3e7a10 (rate_limit)");
  record.judgement.reason = Reason::Invalid;
  CHECK(parsed(record)["message"] == "drop tcp 203.0.113.7:51514 -> 10.0.0.11:3306 (invalid)");
}

TEST_CASE("what observe mode let through is told as accepted, with what would have been done") {
  VerdictRecord record = denied();
  record.judgement.instead = Outcome::Approve;
  auto json = parsed(record);
  CHECK(json["message"] ==
        "would drop tcp 203.0.113.7:51514 -> 10.0.0.11:3306 rule 9c1f02ab5d3e7a10 (observe)");
  CHECK(json["event"]["action"] == "accept");
  CHECK(json["event"]["type"] == nlohmann::json{"connection", "allowed"});
  CHECK(json["event"]["outcome"] == "success");
  CHECK(json["event"]["reason"] == "observe");
  CHECK(json["rule"]["id"] == "9c1f02ab5d3e7a10");
  CHECK(json["fwd"]["would"] == "drop");
  record.judgement.outcome = Outcome::Reject;
  CHECK(parsed(record)["fwd"]["would"] == "reject");
  record.judgement.outcome = Outcome::Revoke;
  CHECK(parsed(record)["fwd"]["would"] == "drop");
  record.judgement.outcome = Outcome::Drop;
  record.judgement.reason = Reason::RateLimit;
  CHECK(parsed(record)["fwd"]["would"] == "limit");
  record = malformed();
  record.judgement.instead = Outcome::Pass;
  CHECK(parsed(record)["message"] == "would drop malformed packet: truncated (observe)");
  CHECK_FALSE(parsed(denied())["fwd"].contains("would"));
}

TEST_CASE("a reply is told in its connection's direction, but by the hook it came through") {
  VerdictRecord record = denied();
  record.packet_class = fwd::kernel::PacketClass::AgainReply;
  const auto json = parsed(record);
  CHECK(json["network"]["direction"] == "ingress");
  CHECK(json["fwd"]["hook"] == "output");
  CHECK(json["observer"]["egress"]["interface"]["name"] == "eth0");
}

TEST_CASE("an interface without a name is told by its index, none is left out") {
  VerdictRecord record = denied();
  record.interface_index = 77;
  CHECK(parsed(record)["observer"]["ingress"]["interface"] == nlohmann::json{{"id", "77"}});
  record.interface_index = 0;
  CHECK_FALSE(parsed(record)["observer"].contains("ingress"));
}

TEST_CASE("of a policy that isn't known the record has the version") {
  VerdictRecord record = denied();
  record.policy_version = 6;
  CHECK(parsed(record)["rule"] == nlohmann::json{{"version", "6"}});
}

TEST_CASE("what the kernel's copy decided belongs to no queue") {
  VerdictRecord record = denied();
  record.decided_by = DecidedBy::KernelCopy;
  CHECK(parsed(record)["fwd"]["decided_by"] == "kernel_copy");
  CHECK_FALSE(parsed(record)["fwd"].contains("queue"));
}

TEST_CASE("TCP flags are letters from FIN to CWR") {
  VerdictRecord record = denied();
  record.judgement.packet.tcp_flags = 0xff;
  CHECK(parsed(record)["fwd"]["tcp_flags"] == "FSRPAUEC");
  record.judgement.packet.tcp_flags = 0x12;
  CHECK(parsed(record)["fwd"]["tcp_flags"] == "SA");
  record.judgement.packet.tcp_flags = 0;
  CHECK(parsed(record)["fwd"]["tcp_flags"] == "");
}

TEST_CASE("a protocol without ports has neither ports nor flags") {
  VerdictRecord record = denied();
  record.judgement.packet.protocol = rules::protocol::kEsp;
  record.judgement.packet.has_ports = false;
  const auto json = parsed(record);
  CHECK(json["message"] == "drop esp 203.0.113.7 -> 10.0.0.11 rule 9c1f02ab5d3e7a10");
  CHECK(json["source"] == nlohmann::json{{"ip", "203.0.113.7"}});
  CHECK_FALSE(json["fwd"].contains("tcp_flags"));
}

TEST_CASE("no text from outside can forge a record or a field") {
  const std::string attack =
      "x\"},\"event\":{\"action\":\"accept\"}}\n{\"@timestamp\":\"\xff\x1b[2J";
  const auto json = parsed(denied(), policy(attack));
  CHECK(json["event"]["action"] == "drop");
  CHECK(json["rule"]["name"] ==
        "x\"},\"event\":{\"action\":\"accept\"}}\n{\"@timestamp\":\"\uFFFD\x1b[2J");

  EcsEncoder encoder(attack, [&](std::uint32_t) { return attack; });
  std::string out;
  encoder.append(out, denied(), {}, nullptr, 1);
  encoder.append(out, HealthEvent{HealthType::Info, attack, attack, attack}, kTime_ns, 2, {});
  const auto lines = parse_lines(out);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["event"]["action"] == "drop");
  CHECK(lines[1]["event"]["dataset"] == "fwd.health");
}

TEST_CASE("keys always stand in the same order") {
  for (const auto& record : {denied(), echo_request(), outgoing()}) {
    const auto json = nlohmann::ordered_json::parse(line(record));
    std::vector<std::string> keys;
    for (const auto& [key, value] : json.items()) keys.push_back(key);
    CHECK(keys == std::vector<std::string>{"@timestamp", "ecs", "message", "event", "rule",
                                           "observer", "network", "source", "destination", "fwd"});
  }
}

TEST_CASE("a connection that a sweep cut has no packet to tell of") {
  VerdictRecord record = denied();
  record.decided_by = DecidedBy::Sweep;
  record.judgement.outcome = Outcome::Revoke;
  record.judgement.reason = Reason::Revoked;
  const auto json = parsed(record);
  CHECK_FALSE(json["event"].contains("duration"));
  CHECK(json["fwd"]["hook"] == "input");
  CHECK(json["fwd"]["decided_by"] == "daemon");
  CHECK(json["fwd"].size() == 3);  // and the owner
  CHECK(json["source"]["port"] == 51514);
}

TEST_CASE("a fold tells what its decisions have in common, when, and how many they were") {
  const PolicyNames names(policy(), 7);
  EcsEncoder encoder("web01", interface_name);
  std::string out;
  encoder.append(out, {denied(), kTime_ns + 800'000'000, 12034, true}, &names, 18231);
  CHECK(
      out ==
      R"({"@timestamp":"2026-08-20T10:15:30.923456Z","ecs":{"version":"8.17.0"},)"
      R"("message":"drop 12034 tcp packets from 203.0.113.7 rule 9c1f02ab5d3e7a10",)"
      R"("event":{"kind":"event","category":["network"],"type":["connection","denied"],)"
      R"("action":"drop","outcome":"success","dataset":"fwd.verdict","sequence":18231,)"
      R"("reason":"rule","start":"2026-08-20T10:15:30.123456Z","end":"2026-08-20T10:15:30.923456Z"},)"
      R"("rule":{"id":"9c1f02ab5d3e7a10","name":"replication","ruleset":"policy.fw:12","version":"7"},)"
      R"("observer":{"hostname":"web01","type":"firewall"},)"
      R"("network":{"type":"ipv4","transport":"tcp","iana_number":"6","direction":"ingress"},)"
      R"("source":{"ip":"203.0.113.7"},"fwd":{"hook":"input","packets":12034,"decided_by":"daemon"}})"
      "\n");
}

TEST_CASE("a fold of many sources names none") {
  EcsEncoder encoder("web01", interface_name);
  std::string out;
  encoder.append(out, {denied(), kTime_ns, 2, false}, nullptr, 1);
  encoder.append(out, {malformed(), kTime_ns, 3, false}, nullptr, 2);
  const auto lines = parse_lines(out);
  CHECK(lines[0]["message"] == "drop 2 tcp packets from many sources");
  CHECK_FALSE(lines[0].contains("source"));
  CHECK(lines[1]["message"] == "drop 3 malformed packets (invalid)");
}

TEST_CASE("a fold of what isn't in the sample says so") {
  EcsEncoder encoder("web01", interface_name);
  VerdictRecord record = denied();
  record.judgement.outcome = Outcome::Approve;
  record.sampled_out = true;
  std::string out;
  encoder.append(out, {record, kTime_ns, 99, false}, nullptr, 1);
  const auto json = parse_lines(out)[0];
  CHECK(json["message"] == "accept 99 tcp packets beside the sample");
  CHECK(json["fwd"]["packets"] == 99);
  CHECK(json["fwd"]["sampled_out"] == true);
  CHECK_FALSE(json.contains("source"));
}

TEST_CASE("a socket's owner is told, and what isn't known of it is unknown") {
  const auto told = [](const Owner& owner) { return owner_in(line(denied(), policy(), owner)); };
  CHECK(told({106, "mariadb.service"}) ==
        nlohmann::json{{"uid", "106"}, {"unit", "mariadb.service"}});
  CHECK(told({0, ""}) == nlohmann::json{{"uid", "0"}, {"unit", "unknown"}});
  CHECK(told({std::nullopt, "a.scope"}) == nlohmann::json{{"uid", "unknown"}, {"unit", "a.scope"}});
  CHECK(told({1, "\"\n"})["unit"] == "\"\n");
}
