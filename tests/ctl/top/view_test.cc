#include "ctl/top/view.h"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace ctl;
using namespace ctl::top;

namespace {

View page() {
  View view;
  view.time = *parse_timestamp("2026-08-20T10:15:30.5Z");
  view.host = "web01";
  view.daemon = "fwd 0.1.0, up 3 d 4 h, generation 7";
  view.state = "active";
  view.guarded = true;
  view.health = "queues: 0 waiting, 0 dropped";
  view.all = {"all", {}, {}, {12.34, 3}, {0, 1, 8}, 40};
  view.services = {{"https", {}, {}, {12.3, 0}, {8, 4, 0}, 37},
                   {"mysql", {}, {}, {0, 3}, {0, 0, 3}, 3}};
  view.rules = {{"allow in 80,443/tcp", "web", "allow", {12.3, 0}, {8, 4, 0}, 37}};
  view.sources = {{"203.0.113.7", {}, {}, {0, 150}, {0, 0, 3}, 3},
                  {"198.51.100.9", {}, {}, {0, 0}, {1, 0, 0}, 1}};
  return view;
}

}  // namespace

TEST_CASE("the page has the state, then services, rules and sources") {
  CHECK(render(page(), {94, 40}, true, {}) ==
        R"(web01  fwd 0.1.0, up 3 d 4 h, generation 7  2026-08-20 10:15:30 UTC
active  queues: 0 waiting, 0 dropped
Accepted/s 12.3  Denied/s 3.0   ▁█

Service                         Accepted/s  Denied/s  Total  Lately
https                                 12.3         -     37  █▄ 
mysql                                    -       3.0      3    █

Rule                            Accepted/s  Denied/s  Total  Lately
allow in 80,443/tcp  web              12.3         -     37  █▄ 

Denied source, last minutes     Accepted/s  Denied/s  Total  Lately
203.0.113.7                              -       150      3    █
198.51.100.9                             -         -      1  █  
)");
}

TEST_CASE("a page never has more lines than the terminal, and each list gets its part") {
  View view = page();
  for (int i = 0; i < 50; ++i) view.services.push_back(view.services[0]);
  for (std::size_t lines = 1; lines < 40; ++lines) {
    const std::string text = render(view, {80, lines}, true, {});
    INFO(text);
    CHECK(static_cast<std::size_t>(std::ranges::count(text, '\n')) <= lines);
    if (lines >= 14) {
      CHECK(text.find("203.0.113.7") != std::string::npos);
      CHECK(text.find("allow in") != std::string::npos);
    }
  }
}

TEST_CASE("a daemon that doesn't answer is what the page says first") {
  View view = page();
  view.trouble = "no answer from fwd";
  CHECK(render(view, {}, true, {})
            .find("fwd doesn't answer: the kernel's copy of the policy decides  no answer from "
                  "fwd\n") != std::string::npos);
}

TEST_CASE("names from outside can't drive the terminal") {
  View view = page();
  view.rules[0].detail = "\033[2J\nx";
  view.host = "\033]0;x";
  CHECK(render(view, {}, true, {}).find('\033') == std::string::npos);
}

TEST_CASE("a sparkline has a character for each value, or for each few of them") {
  CHECK(sparkline({}, 10, true).empty());
  CHECK(sparkline({0, 0}, 10, true) == "  ");
  CHECK(sparkline({0, 1, 2, 4, 8}, 10, true) == " ▁▂▄█");
  CHECK(sparkline({0, 1, 2, 4, 8}, 10, false) == " _.-#");
  CHECK(sparkline({8, 0, 0, 1, 4, 0}, 3, true) == "█▁▄");
  CHECK(sparkline({0.001, 1000}, 10, true) == "▁█");
}

TEST_CASE("as JSON a page is one line with all numbers") {
  const std::string text = render_json(page());
  CHECK(std::ranges::count(text, '\n') == 1);
  CHECK(
      text.find(
          R"("sources":[{"name":"203.0.113.7","accepted_per_second":0.0,"denied_per_second":150.0,"total":3})") !=
      std::string::npos);
}
