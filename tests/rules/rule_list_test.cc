#include "rules/rule_list.h"

#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "rules/policy.h"

using namespace rules;

namespace {

Rule rule(const char* id) {
  Rule rule;
  rule.id = id;
  return rule;
}

}  // namespace

TEST_CASE("a rule is found by its id, wherever edits have put it") {
  RuleList list;
  list.push_back(rule("00000000000000a0"));
  list.push_back(rule("00000000000000b0"));
  const RuleList before = list;
  list.insert(0, rule("00000000000000c0"));
  list.erase(1);
  list.replace(1, rule("00000000000000d0"));
  CHECK(list.size() == 2);
  CHECK(list.index_of("00000000000000c0") == 0U);
  CHECK(list.index_of("00000000000000d0") == 1U);
  CHECK(list.index_of("00000000000000a0") == std::nullopt);
  CHECK(list.index_of("00000000000000b0") == std::nullopt);
  CHECK(before.index_of("00000000000000a0") == 0U);
  CHECK(before.index_of("00000000000000b0") == 1U);
}

TEST_CASE("of several rules with an id the first is found") {
  const RuleList list{rule("00000000000000a0"), rule("00000000000000b0"), rule("00000000000000b0")};
  CHECK(list.index_of("00000000000000b0") == 1U);
}

TEST_CASE("ids that are numbers are told apart by every digit") {
  const RuleList list{rule("00000000000000a0"), rule("00000000000000a1"), rule("80000000000000a0")};
  CHECK(list.index_of("00000000000000a0") == 0U);
  CHECK(list.index_of("00000000000000a1") == 1U);
  CHECK(list.index_of("80000000000000a0") == 2U);
  CHECK(list.index_of("00000000000000a") == std::nullopt);
}

TEST_CASE("names are ids too") {
  const RuleList list{rule("ping"), rule("mld"), rule("0000000000000000"),
                      rule("00000000000000000")};
  CHECK(list.index_of("mld") == 1U);
  CHECK(list.index_of("0000000000000000") == 2U);
  CHECK(list.index_of("00000000000000000") == 3U);
  CHECK(list.index_of("dhcp") == std::nullopt);
}

TEST_CASE("keys are the ids' numbers, and tell which rules say more than their id") {
  Rule commented = rule("00000000000000b1");
  commented.comment = "ours";
  Rule logged = rule("00000000000000c0");
  logged.log = Log::None;
  RuleList list{rule("00000000000000a1"), commented, logged, rule("ping")};
  CHECK(std::vector(list.keys().begin(), list.keys().end()) ==
        std::vector<std::uint64_t>{0xa1, 0xb1, 0xc0, 0});
  const auto more = [&] {
    std::vector<bool> say(list.size());
    for (std::size_t i = 0; (i = list.next_that_says_more(i)) < list.size(); ++i) say[i] = true;
    return say;
  };
  CHECK(more() == std::vector{false, true, true, true});
  list.replace(1, rule("00000000000000b1"));
  CHECK(more() == std::vector{false, false, true, true});
  list.insert(0, commented);
  list.erase(3);
  CHECK(more() == std::vector{true, false, false, true});
}

TEST_CASE("limits are counted as they come and go") {
  Rule limit = rule("00000000000000a0");
  limit.action = Action::Limit;
  RuleList list{limit, rule("00000000000000b0")};
  const RuleList before = list;
  list.insert(0, limit);
  CHECK(list.limits() == 2);
  list.replace(0, rule("00000000000000c0"));
  CHECK(list.limits() == 1);
  list.replace(0, limit);
  list.erase(0);
  CHECK(list.limits() == 1);
  list.erase(0);
  CHECK(list.limits() == 0);
  CHECK(before.limits() == 1);
}

TEST_CASE("a line with a rule moves what is written from there on in the main file") {
  RuleList list;
  list.push_back(rule("00000000000000a0"), {.line = 1, .offset = 0, .length = 9, .source = 0});
  list.push_back(rule("00000000000000b0"), {.line = 7, .offset = 70, .length = 9, .source = 1});
  Rule limit = rule("00000000000000c0");
  limit.action = Action::Limit;
  list.push_back(limit, {.line = 2, .offset = 10, .length = 9, .source = 0});
  const RuleList before = list;
  Rule commented = rule("00000000000000d0");
  commented.comment = "x";
  list.insert_line(1, commented, {.line = 2, .offset = 10, .length = 20, .source = 0}, 21);
  const auto place = [](const RuleList& of, std::size_t index) {
    return std::pair(of.written(index).line, of.written(index).offset);
  };
  CHECK(place(list, 0) == std::pair(1U, 0U));
  CHECK(place(list, 1) == std::pair(2U, 10U));
  CHECK(place(list, 2) == std::pair(7U, 70U));
  CHECK(place(list, 3) == std::pair(3U, 31U));
  CHECK(list.index_of("00000000000000d0") == 1U);
  CHECK(list.index_of("00000000000000c0") == 3U);
  CHECK(list.next_that_says_more(0) == 1);
  CHECK(list.next_that_says_more(2) == list.size());
  CHECK(list.limits() == 1);
  CHECK(before.size() == 3);
  CHECK(place(before, 2) == std::pair(2U, 10U));
}
