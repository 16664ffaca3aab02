// What keeps a rule small: lists, optional parts and ids in as little room as will do.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "rules/policy.h"

using namespace rules;

namespace {

using Ports = ShortList<PortRange>;

std::vector<PortRange> items(const Ports& list) {
  return {list.begin(), list.end()};
}

const std::vector<std::vector<PortRange>> kLists{
    {}, {{80, 80}}, {{1, 2}, {8, 9}}, {{1, 1}, {3, 3}, {5, 5}, {7, 7}}};

}  // namespace

TEST_CASE("a short list has what it was given, however many they are") {
  for (const auto& wanted : kLists) {
    const Ports list(wanted);
    CHECK(items(list) == wanted);
    CHECK(list.size() == wanted.size());
    CHECK(list.empty() == wanted.empty());
    if (wanted.empty()) continue;
    CHECK(list.front() == wanted.front());
    CHECK(list.back() == wanted.back());
    CHECK(list[wanted.size() - 1] == wanted.back());
  }
}

TEST_CASE("short lists are copied, moved and compared by what they have") {
  for (const auto& one : kLists) {
    for (const auto& other : kLists) {
      Ports list(one);
      const Ports copy(list);
      CHECK((list == Ports(other)) == (one == other));
      list = Ports(other);
      CHECK(items(list) == other);
      CHECK(items(copy) == one);
      Ports moved(std::move(list));
      CHECK(items(moved) == other);
      moved = copy;
      CHECK(items(moved) == one);
      CHECK(items(copy) == one);
    }
  }
}

TEST_CASE("what is mostly absent is copied with what it holds") {
  Sparse<std::string> absent;
  Sparse<std::string> text = "eth0";
  const Sparse<std::string> copy = text;
  CHECK_FALSE(absent);
  CHECK(absent.value_or("none") == "none");
  CHECK(absent == Sparse<std::string>());
  CHECK_FALSE(absent == text);
  CHECK_FALSE(absent == "");
  CHECK(text == "eth0");
  CHECK(text == copy);
  text = "eth1";
  CHECK(copy == "eth0");
  CHECK_FALSE(text == copy);
  absent = text;
  CHECK(*absent == "eth1");
  text = {};
  CHECK_FALSE(text);
}

TEST_CASE("a rule's id is the text that it was given") {
  const RuleId id = "0123456789abcdef";
  CHECK(id.view() == "0123456789abcdef");
  CHECK(RuleId("neighbour-discovery").str() == "neighbour-discovery");
  CHECK(RuleId().view().empty());
  CHECK(id == RuleId(std::string("0123456789abcdef")));
  CHECK_FALSE(id == RuleId("0123456789abcde"));
  CHECK(RuleId("a") < RuleId("b"));
  const std::string longest(RuleId::kMost, 'x');
  CHECK(RuleId(longest).view() == longest);
}

TEST_CASE("a list of rules that was copied keeps what it has") {
  RuleList list{Rule{}, Rule{}};
  const RuleList before = list;
  Rule rule;
  rule.id = "new";
  list.insert(1, rule, {.line = 7, .offset = 70});
  list.move_written(1, 2, -5);
  CHECK(list.size() == 3);
  CHECK(list[1].id == "new");
  CHECK(list.written(1).line == 9);
  CHECK(list.written(1).offset == 65);
  CHECK(list.written(2).line == 0);
  REQUIRE(before.size() == 2);
  CHECK(before.shared(0) == list.shared(0));
  CHECK(before.shared(1) == list.shared(2));
  list.erase(0);
  list.replace(0, Rule{}, {});
  CHECK(before.shared(1) == list.shared(1));
  CHECK(before.size() == 2);
}

// A policy may have 100,000 rules.
TEST_CASE("a rule takes little memory") {
  CHECK(sizeof(Rule) <= 168);
  CHECK(sizeof(AddressSet) <= 40);
  CHECK(sizeof(Written) <= 16);
}
