#include "ctl/report/page.h"

#include <catch2/catch.hpp>

#include "ctl/report/html.h"
#include "ctl/report/tally.h"
#include "tests/ctl/log/lines.h"

using namespace ctl;
using namespace ctl::report;
using ctl::log::Line;

namespace {

const Time kMade = *parse_timestamp("2026-08-20T12:00:00Z");

std::string page_of(const std::vector<std::string>& lines) {
  Tally tally({});
  for (const std::string& line : lines) tally.take(line);
  return render_page(tally.finish(), kMade);
}

bool has(const std::string& page, std::string_view what) {
  return page.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("the page says in words what it shows") {
  const std::string page = page_of(
      {Line().text(), Line{.sequence = 2}.text(), Line{.sequence = 3, .action = "accept"}.text()});
  CHECK(has(page,
            "2 of 3 connections were denied (66.7 %), from 1 source; most of one source, 2, came "
            "from 203.0.113.7. No record is missing."));
  CHECK(has(page, "3 decided = 3 written + 0 folded + 0 lost"));
  CHECK(has(page, "2026-08-20 10:15:30: 2, 2 a rule denies it</title>"));
  CHECK(has(page, "aria-label=\"mysql: 1 accepted, 2 denied\""));
}

TEST_CASE("nothing that comes from outside is markup") {
  constexpr std::string_view kEvil = R"(<script>alert('1')</script>\" onload=\"x&)";
  Line line;
  line.rule =
      fmt::format(R"({{"id":"9c1f02ab5d3e7a10","name":"{}","ruleset":"policy.fw:12"}})", kEvil);
  std::string text = line.text();
  text.replace(text.find("web01"), 5, "<b>host");
  std::string change = log::happening(2, "fwd.admin", "add_rule", std::string(kEvil), R"("x":0)",
                                      R"("outcome":"success")");
  change.replace(change.find("web01"), 5, "<b>host");
  Line flood = log::folded(3, 5);
  flood.rule = R"({"id":"1c1f02ab5d3e7a10","name":"<i>","ruleset":"<u>.fw:1"})";
  const std::string page = page_of({text, change, flood.text()});
  for (const char* markup : {"<script", "<b>host", "<i>", "<u>", "\" onload"}) {
    INFO(markup);
    CHECK(!has(page, markup));
  }
  CHECK(has(page, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x&amp;"));
}

TEST_CASE("the page needs nothing else and has no script") {
  const std::string page = page_of({Line().text()});
  for (const char* other : {"http:", "https:", "url(", " src=", "<link", "<script", "@import"}) {
    INFO(other);
    CHECK(!has(page, other));
  }
}

TEST_CASE("an empty log is a page too") {
  const std::string page = page_of({});
  CHECK(has(page, "No connection was decided in this time."));
  CHECK(page.ends_with("</html>\n"));
}

TEST_CASE("numbers are written for a person") {
  CHECK(number(0) == "0");
  CHECK(number(999) == "999");
  CHECK(number(12034) == "12,034");
  CHECK(number(1234567) == "1,234,567");
  CHECK(short_number(0) == "0");
  CHECK(short_number(0.25) == "0.25");
  CHECK(short_number(0.001) == "<0.01");
  CHECK(short_number(5) == "5");
  CHECK(short_number(340) == "340");
  CHECK(short_number(1500) == "1.5 k");
  CHECK(short_number(2'000'000) == "2 M");
  CHECK(percent(0, 10) == "0 %");
  CHECK(percent(1, 3) == "33.3 %");
  CHECK(percent(1, 100'000) == "< 0.1 %");
  CHECK(percent(99'999, 100'000) == "> 99.9 %");
  CHECK(percent(10, 10) == "100.0 %");
}
