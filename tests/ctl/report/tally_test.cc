#include "ctl/report/tally.h"

#include <catch2/catch.hpp>

#include "tests/ctl/log/lines.h"

using namespace ctl;
using namespace ctl::report;
using ctl::log::folded;
using ctl::log::happening;
using ctl::log::Line;

namespace {

Report report_of(const std::vector<std::string>& lines, const Range& range = {}) {
  Tally tally(range);
  for (const std::string& line : lines) tally.take(line);
  return tally.finish();
}

Line accepted(std::uint64_t sequence) {
  Line line{.sequence = sequence};
  line.action = "accept";
  line.destination = R"("destination":{"ip":"10.0.0.11","port":443},)";
  line.rule = R"({"id":"0b4e77aa12cd9f03","name":"web","ruleset":"policy.fw:1"})";
  return line;
}

std::string at(std::uint64_t sequence, const std::string& time) {
  return Line{.sequence = sequence, .time = time}.text();
}

Time time(const char* text) {
  return *parse_timestamp(text);
}

// "name count (detail)", one after the other
std::string dump(const std::vector<Ranked>& list) {
  std::string text;
  for (const Ranked& entry : list)
    text += fmt::format("{} {} ({}); ", entry.name, entry.count, entry.detail);
  return text;
}

}  // namespace

TEST_CASE("an empty log makes an empty report") {
  const Report report = report_of({});
  CHECK(report.decided() == 0);
  CHECK(report.services.empty());
  CHECK(report.denied_in.empty());
  CHECK(report.hosts.empty());
}

TEST_CASE("one record is a report of one slot") {
  const Report report = report_of({Line().text()});
  CHECK(report.decided() == 1);
  CHECK(report.denied == 1);
  REQUIRE(report.denied_in.size() == 1);
  CHECK(report.denied_in[0][static_cast<std::size_t>(Cause::Rule)] == 1);
  CHECK(report.slot == std::chrono::seconds(1));
  CHECK(report.first_slot == time("2026-08-20T10:15:30Z"));
}

TEST_CASE("decisions are counted with all that a line stands for") {
  Line limit{.sequence = 5, .reason = "rate_limit"};
  Line observed{.sequence = 6, .action = "accept", .reason = "observe"};
  observed.own = R"("would":"drop")";
  const Report report = report_of(
      {Line().text(), accepted(2).text(), folded(3, 1000).text(),
       happening(4, "fwd.audit_gap", "gap", "17 records missing: disk_full", R"("count":17)"),
       limit.text(), observed.text()});
  CHECK(report.decided() == 1021);
  CHECK(report.written == 4);
  CHECK(report.folded == 1000);
  CHECK(report.lost == 17);
  CHECK(report.accepted == 2);
  CHECK(report.denied == 1002);
  CHECK(report.causes == ByCause{0, 1001, 1, 0, 0, 0, 1});
  CHECK(report.hosts == std::vector<std::string>{"web01"});
  CHECK(dump(report.top_sources) == "203.0.113.7 1002 (); ");
  CHECK(dump(report.top_rules) == "replication 1002 (9c1f02ab5d3e7a10, policy.fw:12); ");
  CHECK(report.heat.services == std::vector<std::string>{"mysql"});
  CHECK(report.heat.denied == std::vector<std::vector<std::uint64_t>>{{1002}});
}

TEST_CASE("a flood's line is its rule's service, as far as that is one") {
  Line other{.sequence = 2};
  other.destination = R"("destination":{"ip":"10.0.0.11","port":22},)";
  const Report one = report_of({Line().text(), folded(2, 10).text()});
  CHECK(dump(one.top_services) == "mysql 11 (); ");
  const Report several = report_of({Line().text(), other.text(), folded(3, 10).text()});
  CHECK(dump(several.top_services) == "rule replication 10 (); mysql 1 (); ssh 1 (); ");
}

TEST_CASE("services have their numbers in each slot, and those that are few are told together") {
  std::vector<std::string> lines;
  for (unsigned port = 1; port <= 20; ++port) {
    Line line{.sequence = port, .time = fmt::format("2026-08-20T10:15:{:02}.000000Z", port)};
    line.action = "accept";
    line.destination =
        fmt::format(R"("destination":{{"ip":"10.0.0.11","port":{}}},)", 60000 + port);
    lines.push_back(line.text());
  }
  Line busy{.sequence = 21, .time = "2026-08-20T10:15:20.000000Z"};
  lines.push_back(busy.text());
  busy.sequence = 22;
  lines.push_back(busy.text());
  const Report report = report_of(lines);
  REQUIRE(report.services.size() == 9);
  CHECK(report.services[0].name == "mysql");
  CHECK(report.services[0].denied == 2);
  REQUIRE(report.services[0].denied_in.size() == 20);
  CHECK(report.services[0].denied_in[19] == 2);
  CHECK(report.services[8].name == "all others");
  CHECK(report.services[8].accepted == 13);
}

TEST_CASE("ends of connections are their services' traffic, and no decisions") {
  const Report report = report_of({Line().text(), log::ended(2, 1000, 500), log::ended(3, 10, 5)});
  CHECK(report.decided() == 1);
  REQUIRE(report.services.size() == 1);
  CHECK(report.services[0].bytes == 1515);
  CHECK(report.services[0].denied == 1);
}

TEST_CASE("what lies before or after the report's time is left out and counted") {
  const Range range{time("2026-08-20T10:00:00Z"), time("2026-08-20T11:00:00Z")};
  const Report report =
      report_of({at(1, "2026-08-20T09:59:59.999999Z"), at(2, "2026-08-20T10:00:00.000000Z"),
                 at(3, "2026-08-20T11:00:00.000000Z"), at(4, "2026-08-20T11:00:00.000001Z")},
                range);
  CHECK(report.decided() == 2);
  CHECK(report.outside == 2);
  CHECK(report.from == *range.from);
  CHECK(report.to == *range.to);
  CHECK(report.slot == std::chrono::seconds(30));
  CHECK(report.denied_in.size() == 121);
}

TEST_CASE("a clock that jumps leaves all counts right") {
  const Report report =
      report_of({at(1, "2026-08-20T10:15:30.000000Z"), at(2, "1970-01-01T00:00:01.000000Z"),
                 at(3, "2038-01-19T03:14:07.000000Z"), at(4, "2026-08-20T10:15:31.000000Z")});
  CHECK(report.decided() == 4);
  CHECK(report.denied_in.size() <= 240);
  std::uint64_t sum = 0;
  for (const ByCause& causes : report.denied_in)
    sum += causes[static_cast<std::size_t>(Cause::Rule)];
  CHECK(sum == 4);
}

TEST_CASE("lines that are missing, torn, foreign or there twice are told from the others") {
  const std::string line = at(4, "2026-08-20T10:15:30.000000Z");
  const Report report = report_of(
      {at(1, "2026-08-20T10:15:30.000000Z"), line, line, "hello\n", "\n", line.substr(0, 90)});
  CHECK(report.decided() == 2);
  CHECK(report.lines == 2);
  CHECK(report.missing_lines == 2);
  CHECK(report.foreign == 2);
}

TEST_CASE("what happened is told with its length") {
  const auto health = [](std::uint64_t sequence, const char* action, const char* clock,
                         const char* own = R"("x":0)") {
    return happening(sequence, "fwd.health", action, action, own, R"("reason":"no_answer")",
                     fmt::format("2026-08-20T{}.000000Z", clock));
  };
  const Report report =
      report_of({health(1, "start", "10:00:00"), health(2, "fallback", "10:01:00"),
                 health(3, "recovery", "10:02:30", R"("packets":30,"allowed":20,"denied":9)"),
                 health(4, "stop", "10:03:00"), health(5, "start", "10:04:00"),
                 health(6, "rotate", "10:05:00"), health(7, "start", "10:06:00"),
                 happening(8, "fwd.admin", "add_rule", "added", R"("x":0)",
                           R"("outcome":"success")", "2026-08-20T10:07:00.000000Z"),
                 happening(9, "fwd.admin", "add_rule", "refused", R"("x":0)",
                           R"("outcome":"failure")", "2026-08-20T10:08:00.000000Z"),
                 health(10, "fallback", "10:09:00"), health(11, "shed", "10:10:00")});
  std::string text;
  for (const Episode& episode : report.episodes)
    text += fmt::format(
        "{} {} +{}s\n", clock_text(episode.begin), label(episode.kind),
        std::chrono::duration_cast<std::chrono::seconds>(episode.end - episode.begin).count());
  CHECK(text ==
        "10:00:00.000 daemon not running +0s\n"
        "10:01:00.000 kernel's copy decides +90s\n"
        "10:03:00.000 daemon not running +60s\n"
        "10:05:00.000 daemon not running +60s\n"
        "10:07:00.000 change +0s\n"
        "10:08:00.000 refused change +0s\n"
        "10:10:00.000 other +0s\n"
        "10:09:00.000 kernel's copy decides +60s\n");
  CHECK(report.copy_packets == 30);
  CHECK(report.copy_allowed == 20);
  CHECK(report.copy_denied == 9);
}

TEST_CASE("several hosts' logs are one report") {
  std::string other = at(1, "2026-08-20T10:15:31.000000Z");
  other.replace(other.find("web01"), 5, "web02");
  const Report report = report_of({at(1, "2026-08-20T10:15:30.000000Z"), other});
  CHECK(report.decided() == 2);
  CHECK(report.hosts == std::vector<std::string>{"web01", "web02"});
  CHECK(report.missing_lines == 0);
}

TEST_CASE("with too many names the common ones stay, and the error is known") {
  Counter counter(100);
  for (int round = 0; round < 1000; ++round) {
    counter.add("common", 3);
    counter.add(std::to_string(round), 1);
  }
  CHECK(counter.size() <= 100);
  REQUIRE(!counter.top(1).empty());
  CHECK(counter.top(1)[0].first == "common");
  CHECK(counter.of("common") <= 3000);
  CHECK(counter.of("common") + counter.shortfall() >= 3000);
  Counter few(100);
  for (int round = 0; round < 100; ++round) few.add(std::to_string(round % 50), 1);
  CHECK(few.shortfall() == 0);
  CHECK(few.of("7") == 2);
}
