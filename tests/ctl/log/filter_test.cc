#include "ctl/log/filter.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/ctl/log/lines.h"

using namespace ctl;
using namespace ctl::log;

namespace {

bool matches(const std::vector<std::string>& words, const std::string& line) {
  Parser parser;
  const auto filter = Filter::parse(words);
  REQUIRE(filter);
  const auto record = parser.parse(line);
  REQUIRE(record);
  return filter->matches(*record);
}

Line accepted() {
  Line line;
  line.action = "accept";
  return line;
}

Line observed() {
  Line line = accepted();
  line.own = R"("would":"drop")";
  return line;
}

}  // namespace

TEST_CASE("a filter holds where all of its words do") {
  struct Case {
    std::vector<std::string> words;
    bool expected;
  };
  const Case cases[] = {
      {{}, true},
      {{"denied"}, true},
      {{"accepted"}, false},
      {{"in"}, true},
      {{"out"}, false},
      {{"proto", "tcp"}, true},
      {{"proto", "udp"}, false},
      {{"203.0.113.7"}, true},
      {{"10.0.0.11"}, true},
      {{"203.0.113.8"}, false},
      {{"203.0.113.0/24"}, true},
      {{"203.0.112.0/24"}, false},
      {{"203.0.113.1-203.0.113.9"}, true},
      {{"203.0.113.7", "10.0.0.11"}, true},
      {{"203.0.113.7", "10.0.0.12"}, false},
      {{"2001:db8::/32"}, false},
      {{"port", "3306"}, true},
      {{"port", "51514"}, true},
      {{"port", "80,3306"}, true},
      {{"port", "3307"}, false},
      {{"rule", "9c1f"}, true},
      {{"rule", "9c1f02ab5d3e7a10"}, true},
      {{"rule", "replication"}, true},
      {{"rule", "repl"}, false},
      {{"rule", "0b4e"}, false},
      {{"denied", "in", "port", "3306", "203.0.113.7", "rule", "replication"}, true},
      {{"denied", "in", "port", "3306", "203.0.113.7", "rule", "web"}, false},
  };
  for (const Case& c : cases) {
    INFO(fmt::format("{}", fmt::join(c.words, " ")));
    CHECK(matches(c.words, Line().text()) == c.expected);
  }
  CHECK(matches({"accepted"}, accepted().text()));
  CHECK(!matches({"denied"}, accepted().text()));
  CHECK(matches({"denied"}, observed().text()));
}

TEST_CASE("what a line for many decisions doesn't say doesn't match") {
  CHECK(matches({"denied", "203.0.113.7"}, folded(1, 100).text()));
  CHECK(!matches({"port", "3306"}, folded(1, 100).text()));
  CHECK(!matches({"10.0.0.11"}, folded(1, 100).text()));
}

TEST_CASE("ends of connections are for who asks for them") {
  CHECK(!matches({}, ended(1, 1, 1)));
  CHECK(!matches({"accepted"}, ended(1, 1, 1)));
  CHECK(matches({"ended"}, ended(1, 1, 1)));
  CHECK(matches({"ended", "port", "3306"}, ended(1, 1, 1)));
  CHECK(!matches({"ended", "port", "80"}, ended(1, 1, 1)));
  CHECK(!matches({"ended"}, Line().text()));
}

TEST_CASE("what isn't a verdict is never filtered out") {
  CHECK(matches({"denied", "port", "1"}, happening(1, "fwd.audit_gap", "gap", "")));
  CHECK(matches({"accepted", "192.0.2.1"}, happening(1, "fwd.health", "start", "")));
}

TEST_CASE("a word that isn't understood is an error that says what may stand there") {
  struct Case {
    std::vector<std::string> words;
    std::string message;
  };
  const Case cases[] = {
      {{"deneid"},
       "\"deneid\" is neither an address nor a word of the filter: did you mean \"denied\"?"},
      {{"10.0.0.1/24"},
       "\"10.0.0.1/24\" is neither an address nor a word of the filter: [denied|accepted|ended] "
       "[in|out] "
       "[proto P] "
       "[ADDRESS[/LENGTH]] [port N[,N]] [rule ID|NAME]"},
      {{"port"}, "port needs a value"},
      {{"port", "http"},
       "\"http\" is no port: write a number from 0 to 65535, or several with commas"},
      {{"port", "65536"},
       "\"65536\" is no port: write a number from 0 to 65535, or several with commas"},
      {{"port", "80,"}, "\"\" is no port: write a number from 0 to 65535, or several with commas"},
  };
  for (const Case& c : cases) {
    const auto filter = Filter::parse(c.words);
    REQUIRE(!filter);
    CHECK(filter.error().message == c.message);
    CHECK(filter.error().code == api::ErrorCode::BadRequest);
  }
}
