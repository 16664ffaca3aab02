#include "ctl/log/record.h"

#include <catch2/catch.hpp>

#include "tests/ctl/log/lines.h"

using namespace ctl;
using namespace ctl::log;

TEST_CASE("a verdict's line is read into its fields") {
  Parser parser;
  const std::string line = Line{.sequence = 18231}.text();
  const auto record = parser.parse(line);
  REQUIRE(record);
  CHECK(timestamp_text(record->time) == "2026-08-20T10:15:30.123456Z");
  CHECK(record->sequence == 18231);
  CHECK(record->dataset == Dataset::Verdict);
  CHECK(record->verdict == Verdict::Denied);
  CHECK(record->action == "drop");
  CHECK(record->reason == "rule");
  CHECK(record->host == "web01");
  CHECK(record->rule_id == "9c1f02ab5d3e7a10");
  CHECK(record->rule_name == "replication");
  CHECK(record->ruleset == "policy.fw:12");
  CHECK(record->protocol == "tcp");
  CHECK(record->direction == "ingress");
  CHECK(record->interface_name == "eth0");
  CHECK(record->source.ip == "203.0.113.7");
  CHECK(record->source.port == 51514);
  CHECK(record->destination.ip == "10.0.0.11");
  CHECK(record->destination.port == 3306);
  CHECK(record->count == 1);
  CHECK(!record->folded);
  CHECK(!record->by_copy);
}

TEST_CASE("a verdict's line in EVE is read into the same fields") {
  Parser parser;
  const std::string line =
      R"({"timestamp":"2026-08-20T10:15:30.123456+0000","flow_id":40633100938123,)"
      R"("in_iface":"eth0","event_type":"alert","host":"web01","src_ip":"203.0.113.7",)"
      R"("src_port":51514,"dest_ip":"10.0.0.11","dest_port":3306,"proto":"TCP",)"
      R"("alert":{"action":"blocked","signature":"replication"},"verdict":{"action":"drop"},)"
      R"("metadata":{"flowvars":[{"dataset":"fwd.verdict","sequence":18231,"message":"m",)"
      R"("action":"drop","reason":"rule","direction":"ingress","transport":"tcp",)"
      R"("rule":{"id":"9c1f02ab5d3e7a10","name":"replication","ruleset":"policy.fw:12"},)"
      R"("hook":"input","decided_by":"kernel_copy"}]}})";
  const auto record = parser.parse(line);
  REQUIRE(record);
  CHECK(timestamp_text(record->time) == "2026-08-20T10:15:30.123456Z");
  CHECK(record->first == record->time);
  CHECK(record->sequence == 18231);
  CHECK(record->dataset == Dataset::Verdict);
  CHECK(record->verdict == Verdict::Denied);
  CHECK(record->message == "m");
  CHECK(record->reason == "rule");
  CHECK(record->host == "web01");
  CHECK(record->rule_id == "9c1f02ab5d3e7a10");
  CHECK(record->rule_name == "replication");
  CHECK(record->ruleset == "policy.fw:12");
  CHECK(record->protocol == "tcp");
  CHECK(record->direction == "ingress");
  CHECK(record->interface_name == "eth0");
  CHECK(record->source.ip == "203.0.113.7");
  CHECK(record->source.port == 51514);
  CHECK(record->destination.ip == "10.0.0.11");
  CHECK(record->destination.port == 3306);
  CHECK(record->by_copy);
  CHECK_FALSE(parser.parse(R"({"timestamp":"2026-08-20T10:15:30.1+0000","event_type":"alert"})"));
}

TEST_CASE("an engine's message in EVE is a record of the daemon's own") {
  Parser parser;
  const std::string line =
      R"({"timestamp":"2026-08-20T10:15:30.123456+0000","event_type":"engine",)"
      R"("engine":{"message":"12 records missing: disk_full"},)"
      R"("metadata":{"flowvars":[{"dataset":"fwd.audit_gap","sequence":7,"action":"gap","count":12}]}})";
  const auto record = parser.parse(line);
  REQUIRE(record);
  CHECK(record->dataset == Dataset::Gap);
  CHECK(record->count == 12);
  CHECK(record->message == "12 records missing: disk_full");
}

TEST_CASE("a line for many decisions has their number and lacks what differs") {
  Parser parser;
  const std::string line = folded(3, 12034).text();
  const auto record = parser.parse(line);
  REQUIRE(record);
  CHECK(record->folded);
  CHECK(record->count == 12034);
  CHECK(record->source.ip == "203.0.113.7");
  CHECK(!record->source.port);
  CHECK(record->destination.ip.empty());
}

TEST_CASE("what observe mode let through is accepted, and would have been denied") {
  Parser parser;
  Line line;
  line.action = "accept";
  line.reason = "observe";
  line.own = R"("would":"drop")";
  const std::string text = line.text();
  const auto record = parser.parse(text);
  REQUIRE(record);
  CHECK(record->verdict == Verdict::Accepted);
  CHECK(record->denied_or_would_be());
}

TEST_CASE("gaps and episodes have their counts") {
  Parser parser;
  const std::string gap = happening(4, "fwd.audit_gap", "gap", "", R"("count":17)");
  const auto missing = parser.parse(gap);
  REQUIRE(missing);
  CHECK(missing->dataset == Dataset::Gap);
  CHECK(missing->count == 17);
  const std::string recovery =
      happening(5, "fwd.health", "recovery", "", R"("packets":30,"allowed":20,"denied":9)");
  const auto episode = parser.parse(recovery);
  REQUIRE(episode);
  CHECK(episode->dataset == Dataset::Health);
  CHECK(episode->count == 30);
  CHECK(episode->allowed == 20);
  CHECK(episode->denied == 9);
}

TEST_CASE("a connection's end has what each side has sent") {
  Parser parser;
  const std::string line = ended(5, 1200, 3'400'000);
  const auto record = parser.parse(line);
  REQUIRE(record);
  CHECK(record->dataset == Dataset::Flow);
  CHECK(record->verdict == Verdict::Other);
  CHECK(record->source_bytes == 1200);
  CHECK(record->destination_bytes == 3'400'000);
  CHECK(record->destination.port == 3306);
  CHECK(record->count == 1);
  CHECK(timestamp_text(record->first) == "2026-08-20T10:14:00.000000Z");
}

TEST_CASE("what is no whole record of fwd's is none") {
  Parser parser;
  const std::string whole = Line().text();
  for (std::size_t length = 0; length + 1 < whole.size(); ++length) {
    INFO(length);
    CHECK(!parser.parse(whole.substr(0, length)));
  }
  CHECK(!parser.parse("{}"));
  CHECK(!parser.parse("[]"));
  CHECK(!parser.parse("hello\n"));
  CHECK(!parser.parse(
      R"({"@timestamp":"2026-08-20T10:15:30Z","event":{"sequence":1,"dataset":"nginx.access"}})"));
  CHECK(!parser.parse(R"({"@timestamp":5,"event":{"sequence":1,"dataset":"fwd.verdict"}})"));
  CHECK(!parser.parse(
      R"({"@timestamp":"2026-08-20T10:15:30Z","event":{"sequence":-1,"dataset":"fwd.verdict"}})"));
  CHECK(parser.parse(whole));
}
