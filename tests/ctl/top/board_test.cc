#include "ctl/top/board.h"

#include <catch2/catch.hpp>

#include "tests/ctl/log/lines.h"

using namespace ctl;
using namespace ctl::top;
using ctl::log::Line;

namespace {

constexpr const char* kWeb = "9c1f02ab5d3e7a10";

Sample sample(std::uint64_t web, std::uint64_t denied) {
  Sample s;
  s.status.pid = 812;
  s.status.version = "0.1.0";
  s.status.mode = "enforce";
  s.status.enabled = true;
  s.status.uptime_seconds = 100;
  s.stats.packets.in.allow = web;
  s.stats.packets.in.deny = denied;
  api::Rule rule;
  rule.id = kWeb;
  rule.action = "allow";
  rule.direction = "in";
  rule.text = "allow in 80/tcp";
  rule.comment = "web";
  rule.packets = web;
  s.rules.rules = {rule};
  s.rules.defaults = {{"deny", denied}, {"allow", 0}};
  return s;
}

// "name accepted/denied total; ..." of rates
std::string dump(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows)
    text += fmt::format("{} {}/{} {}; ", row.name, row.rates.accepted, row.rates.denied, row.total);
  return text;
}

void take(Board& board, const std::string& line) {
  log::Parser parser;
  const auto record = parser.parse(line);
  REQUIRE(record);
  board.record(*record);
}

}  // namespace

TEST_CASE("rates are differences of counters") {
  Board board;
  CHECK(dump(board.tick({}, 1, sample(100, 50), {}).rules).empty());
  const View view = board.tick({}, 2, sample(110, 51), {});
  CHECK(dump(view.rules) == "allow in 80/tcp 5/0 10; default deny in 0/0.5 1; ");
  CHECK(view.all.rates.accepted == 5);
  CHECK(view.all.rates.denied == 0.5);
  CHECK(view.guarded);
  CHECK(view.daemon == "fwd 0.1.0, up 1 min 40 s, generation 0");
  CHECK(dump(board.tick({}, 2, sample(110, 51), {}).rules) ==
        "allow in 80/tcp 0/0 10; default deny in 0/0 1; ");
}

TEST_CASE("counters that begin anew make no rate, and none below zero") {
  Board board;
  board.tick({}, 1, sample(100, 50), {});
  Sample restarted = sample(40, 60);
  restarted.status.pid = 900;
  restarted.status.uptime_seconds = 1;
  const View view = board.tick({}, 1, restarted, {});
  CHECK(view.all.rates.accepted == 0);
  CHECK(view.all.rates.denied == 0);
  CHECK(view.rules.empty());
  restarted.rules.rules[0].packets = 42;
  CHECK(dump(board.tick({}, 1, restarted, {}).rules) == "allow in 80/tcp 2/0 2; ");
  restarted.rules.rules[0].packets = 1;
  CHECK(dump(board.tick({}, 1, restarted, {}).rules) == "allow in 80/tcp 0/0 2; ");
}

TEST_CASE("a process with the same number after a restart is another one") {
  Board board;
  board.tick({}, 1, sample(100, 50), {});
  Sample restarted = sample(400, 600);
  restarted.status.uptime_seconds = 1;
  CHECK(board.tick({}, 1, restarted, {}).rules.empty());
}

TEST_CASE("without an answer the page says why, and goes on by the log") {
  Board board;
  board.tick({}, 1, sample(100, 50), {});
  take(board, Line().text());
  const View view = board.tick({}, 1, std::nullopt, "no answer");
  CHECK(view.trouble == "no answer");
  CHECK(dump(view.services) == "mysql 0/1 1; ");
}

TEST_CASE("services and denied sources come from the log, with all that a line stands for") {
  Board board;
  take(board, Line().text());
  Line web{.sequence = 2, .action = "accept"};
  web.rule = R"({"id":"0b4e77aa12cd9f03","name":"web","ruleset":"policy.fw:1"})";
  web.destination = R"("destination":{"ip":"10.0.0.11","port":443},)";
  take(board, web.text());
  take(board, log::folded(3, 18).text());
  const View view = board.tick({}, 2, std::nullopt, "no answer");
  CHECK(dump(view.services) == "mysql 0/9.5 19; https 0.5/0 1; ");
  CHECK(dump(view.sources) == "203.0.113.7 0/9.5 19; ");
  CHECK(dump(board.tick({}, 2, std::nullopt, "no answer").sources) == "203.0.113.7 0/0 19; ");
}

TEST_CASE("what a limit rule refused is denied, the rest accepted") {
  Board board;
  Sample before = sample(0, 0);
  before.rules.rules[0].action = "limit";
  board.tick({}, 1, before, {});
  before.rules.rules[0].packets = 10;
  Line over{.sequence = 1, .reason = "rate_limit"};
  take(board, over.text());
  take(board, over.text());
  CHECK(dump(board.tick({}, 1, before, {}).rules) == "allow in 80/tcp 8/2 10; ");
}

TEST_CASE("what the rules would deny is accepted while the policy is only observed") {
  Board board;
  Sample observed = sample(0, 0);
  observed.status.mode = "observe";
  board.tick({}, 1, observed, {});
  observed.rules.defaults.in.packets = 3;
  const View view = board.tick({}, 1, observed, {});
  CHECK(dump(view.rules) == "default deny in 3/0 3; ");
  CHECK(!view.guarded);
  CHECK(view.state == "observing only: nothing is refused");
}

TEST_CASE("the kernel's copy and trouble stand out") {
  Board board;
  Sample s = sample(0, 0);
  s.status.kernel_copy = {true, "2026-08-20T10:15:30Z", "no_answer", 1, 30, 20, 10, 0, 0};
  s.status.audit.lost = 3;
  const View view = board.tick({}, 1, s, {});
  CHECK(view.copy ==
        "The kernel's copy decides since 2026-08-20T10:15:30Z (no_answer): 20 allowed, 10 denied "
        "since the start");
  CHECK(!view.healthy);
  CHECK(view.health == "queues: 0 waiting, 0 dropped  audit: 0 waiting, 3 lost  conntrack: 0 of 0");
}
