#include "ctl/render_record.h"

#include <catch2/catch.hpp>

#include "tests/ctl/log/lines.h"

using namespace ctl;
using namespace ctl::log;

namespace {

std::string shown(const std::vector<std::string>& lines, const Look& look = {}) {
  Parser parser;
  RecordLines shown(look);
  std::string text;
  for (const std::string& line : lines) {
    const auto record = parser.parse(line);
    REQUIRE(record);
    text += shown.text(*record);
  }
  return text;
}

Line web() {
  Line line{.sequence = 2};
  line.action = "accept";
  line.source = R"("source":{"ip":"2001:db8::7","port":40000},)";
  line.destination = R"("destination":{"ip":"2001:db8::11","port":443},)";
  line.rule = R"({"id":"0b4e77aa12cd9f03","name":"web","ruleset":"policy.fw:1"})";
  return line;
}

Line ping() {
  Line line{.sequence = 3};
  line.transport = "icmp";
  line.source = R"("source":{"ip":"203.0.113.7"},)";
  line.destination = R"("destination":{"ip":"10.0.0.11"},)";
  line.own = R"("icmp_type":8)";
  line.rule = R"({"id":"default","name":"default deny in","ruleset":"default"})";
  line.reason = "default";
  return line;
}

Line malformed() {
  Line line{.sequence = 4};
  line.transport = "";
  line.source.clear();
  line.destination.clear();
  line.reason = "invalid";
  line.rule = R"({"version":"7"})";
  return line;
}

Line other_day() {
  Line line{.sequence = 5, .time = "2026-08-21T00:00:00.000000Z"};
  line.action = "accept";
  line.reason = "observe";
  line.own = R"("would":"reject")";
  return line;
}

}  // namespace

TEST_CASE("a record is a line of columns, and a day begins with its date") {
  CHECK(shown({Line().text(), web().text(), ping().text(), malformed().text(),
               folded(5, 12034).text(), other_day().text()}) ==
        R"(2026-08-20 UTC
10:15:30.123 drop   in  tcp   203.0.113.7:51514 -> 10.0.0.11:3306     mysql     9c1f02ab5d3e7a10 replication
10:15:30.123 accept in  tcp   [2001:db8::7]:40000 -> [2001:db8::11]:443  https     0b4e77aa12cd9f03 web
10:15:30.123 drop   in  icmp  203.0.113.7 -> 10.0.0.11                   type 8    default
10:15:30.123 drop   in  malformed packet  (invalid)
10:15:30.123 drop   in  tcp   203.0.113.7                                          9c1f02ab5d3e7a10 replication  x 12034
2026-08-21 UTC
00:00:00.000 would reject in  tcp   203.0.113.7:51514 -> 10.0.0.11:3306        mysql     9c1f02ab5d3e7a10 replication (observe)
)");
}

TEST_CASE("a connection's end has what went each way, and for how long") {
  CHECK(shown({ended(1, 812, 3'400'000)}).find("replication  -> 812 B <- 3.4 MB  1 min 30 s\n") !=
        std::string::npos);
}

TEST_CASE("what happens to the daemon and what is missing stands among the verdicts") {
  CHECK(shown({happening(1, "fwd.health", "start", "fwd 0.1.0 started"),
               happening(2, "fwd.audit_gap", "gap", "17 records missing: killed")}) ==
        "2026-08-20 UTC\n"
        "10:15:31.000 * fwd 0.1.0 started\n"
        "10:15:31.000 missing 17 records missing: killed\n");
}

TEST_CASE("a rule's comment can't drive the terminal") {
  Line line;
  line.rule = R"({"id":"9c1f02ab5d3e7a10","name":"a\u001b[2Jb\nc","ruleset":"policy.fw:12"})";
  const std::string text = shown({line.text()});
  CHECK(text.find('\033') == std::string::npos);
  CHECK(std::ranges::count(text, '\n') == 2);
}

TEST_CASE("verdicts have colours") {
  CHECK(shown({Line().text()}, {true}).find("\033[31mdrop  \033[0m") != std::string::npos);
  CHECK(shown({web().text()}, {true}).find("\033[32maccept\033[0m") != std::string::npos);
}
