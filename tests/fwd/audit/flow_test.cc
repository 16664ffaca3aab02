// The ends of connections on their way from a source to lines.
#include <deque>

#include <catch2/catch.hpp>

#include "fwd/audit/ecs.h"
#include "fwd/audit/flow_reader.h"
#include "tests/fwd/audit/records.h"

namespace {

using namespace fwd::audit;
using namespace fwd::audit::test;

constexpr std::int64_t kSecond = 1'000'000'000;

FlowRecord flow() {
  FlowRecord record;
  record.end_ns = kTime_ns;
  record.start_ns = kTime_ns - 2 * kSecond;
  record.traffic = FlowTraffic{{10, 1500}, {12, 48000}};
  record.first = tcp("203.0.113.7", 51514, "10.0.0.11", 3306);
  record.direction = rules::Direction::In;
  record.policy_version = 7;
  record.decision = rules::Decision{rules::Action::Allow, rules::DecidedBy::Rule, 0};
  return record;
}

template <typename What>
std::string line(const What& what) {
  const PolicyNames names(policy(), 7);
  std::string out;
  EcsEncoder("web01", interface_name).append(out, what, &names, 18231);
  REQUIRE(nlohmann::json::accept(out));
  REQUIRE(out.back() == '\n');
  out.pop_back();
  return out;
}

nlohmann::json parsed(const FlowRecord& record) {
  return nlohmann::json::parse(line(record));
}

}  // namespace

TEST_CASE("the end of a connection is told as in the manual") {
  CHECK(
      line(flow()) ==
      R"({"@timestamp":"2026-08-20T10:15:30.123456Z","ecs":{"version":"8.17.0"},)"
      R"("message":"end tcp 203.0.113.7:51514 -> 10.0.0.11:3306 rule 9c1f02ab5d3e7a10, )"
      R"(1500 bytes there, 48000 back",)"
      R"("event":{"kind":"event","category":["network"],"type":["connection","end"],)"
      R"("action":"end","dataset":"fwd.flow","sequence":18231,)"
      R"("start":"2026-08-20T10:15:28.123456Z","end":"2026-08-20T10:15:30.123456Z",)"
      R"("duration":2000000000},)"
      R"("rule":{"id":"9c1f02ab5d3e7a10","name":"replication","ruleset":"policy.fw:12","version":"7"},)"
      R"("observer":{"hostname":"web01","type":"firewall"},)"
      R"("network":{"type":"ipv4","transport":"tcp","iana_number":"6","direction":"ingress",)"
      R"("community_id":"1:JPShjCuLDodQQ9lHojrdzdiRT2Q=","bytes":49500,"packets":22},)"
      R"("source":{"ip":"203.0.113.7","port":51514,"bytes":1500,"packets":10},)"
      R"("destination":{"ip":"10.0.0.11","port":3306,"bytes":48000,"packets":12},)"
      R"("fwd":{}})");
}

TEST_CASE("what isn't known of a flow is left out") {
  FlowRecord record = flow();
  record.start_ns.reset();
  record.traffic.reset();
  record.direction.reset();
  record.decision.reset();
  record.first.has_ports = false;
  record.first.protocol = 47;
  const auto json = parsed(record);
  CHECK(json["message"] == "end gre 203.0.113.7 -> 10.0.0.11");
  CHECK(!json["event"].contains("start"));
  CHECK(!json["event"].contains("duration"));
  CHECK(json["rule"] == nlohmann::json{{"version", "7"}});
  CHECK(!json["network"].contains("direction"));
  CHECK(!json["network"].contains("bytes"));
  CHECK(json["source"] == nlohmann::json{{"ip", "203.0.113.7"}});
}

TEST_CASE("a revoked connection's end says so, and a clock set back makes no negative duration") {
  FlowRecord record = flow();
  record.revoked = true;
  record.start_ns = record.end_ns + kSecond;
  CHECK(parsed(record)["event"]["reason"] == "revoked");
  CHECK(parsed(record)["event"]["duration"] == 0);
}

TEST_CASE("folded flows and lost ones are told with their number") {
  const auto fold =
      nlohmann::json::parse(line(FlowFold{flow(), kTime_ns, 300, {{5, 50}, {6, 70}}}));
  CHECK(fold["message"] == "end of 300 tcp connections rule 9c1f02ab5d3e7a10");
  CHECK(fold["fwd"]["connections"] == 300);
  CHECK(fold["source"] == nlohmann::json{{"bytes", 50}, {"packets", 5}});
  CHECK(fold["network"]["bytes"] == 120);

  std::string out;
  EcsEncoder("web01", interface_name)
      .append(out, FlowGap{kTime_ns, kTime_ns + kSecond, 41}, kTime_ns, 9);
  const auto gap = nlohmann::json::parse(out);
  CHECK(gap["event"]["dataset"] == "fwd.audit_gap");
  CHECK(gap["event"]["reason"] == "flow_overrun");
  CHECK(gap["fwd"]["connections"] == 41);
  CHECK(!gap["fwd"].contains("count"));  // that is of decisions
}

TEST_CASE(
    "beyond so many flows in a second, the rest is summed up by rule, direction and protocol") {
  FlowFolder folder(2);
  CHECK(folder.take(flow(), kTime_ns));
  CHECK(folder.take(flow(), kTime_ns));
  FlowRecord other = flow();
  other.decision->index = 1;
  FlowRecord uncounted = flow();
  uncounted.traffic.reset();
  uncounted.end_ns += 5;
  for (const FlowRecord& record : {flow(), other, uncounted}) CHECK(!folder.take(record, kTime_ns));
  CHECK(folder.close_before(kTime_ns).empty());
  const auto folds = folder.close_before(kTime_ns + kSecond);
  REQUIRE(folds.size() == 2);
  CHECK(folds[0].connections == 2);
  CHECK(folds[0].traffic.source == Traffic{10, 1500});
  CHECK(folds[0].traffic.destination == Traffic{12, 48000});
  CHECK(folds[0].last_ns == kTime_ns + 5);
  CHECK(folds[1].connections == 1);
  CHECK(folder.close().empty());
  CHECK(folder.take(flow(), kTime_ns + kSecond));
}

TEST_CASE("a flow that is sampled out is summed up, and takes nobody's line") {
  FlowRecord out = flow();
  out.sampled_out = true;
  for (const std::uint32_t lines : {0U, 1U}) {
    FlowFolder folder(lines);
    CHECK_FALSE(folder.take(out, kTime_ns));
    CHECK_FALSE(folder.take(out, kTime_ns));
    CHECK(folder.take(flow(), kTime_ns));
    CHECK(folder.close_before(kTime_ns).empty());
    const auto folds = folder.close_before(kTime_ns + kSecond);
    REQUIRE(folds.size() == 1);
    CHECK(folds[0].connections == 2);
    std::string line;
    EcsEncoder("web01", interface_name).append(line, folds[0], nullptr, 1);
    CHECK(nlohmann::json::parse(line)["fwd"]["sampled_out"] == true);
  }
}

TEST_CASE("folds of flows are bounded, and none is left out") {
  FlowFolder folder(1);
  CHECK(folder.take(flow(), kTime_ns));
  const std::uint32_t many = FlowFolder::kMostFolds + 500;
  for (std::uint32_t index = 0; index < many; ++index) {
    FlowRecord record = flow();
    record.decision->index = index;
    CHECK(!folder.take(record, kTime_ns));
  }
  std::uint64_t sum = 0;
  const auto folds = folder.close();
  for (const FlowFold& fold : folds) sum += fold.connections;
  CHECK(folds.size() == FlowFolder::kMostFolds + 1);
  CHECK(sum == many);
}

TEST_CASE("without a limit no flow is folded") {
  FlowFolder folder(0);
  for (int i = 0; i < 5000; ++i) REQUIRE(folder.take(flow(), kTime_ns));
  CHECK(folder.close().empty());
}
