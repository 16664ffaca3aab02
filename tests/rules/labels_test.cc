#include "rules/labels.h"

#include <algorithm>
#include <random>

#include <catch2/catch.hpp>

#include "tests/support/random_policy.h"

using rules::kDefaultLabel;
using rules::Label;
using rules::number_rules;
using rules::spread_labels;

namespace {

using Before = std::vector<std::optional<Label>>;

void check_order(const std::vector<Label>& labels) {
  REQUIRE(std::ranges::is_sorted(labels));
  REQUIRE(std::ranges::adjacent_find(labels) == labels.end());
  if (labels.empty()) return;
  REQUIRE(labels.front() >= 1);
  REQUIRE(labels.back() < kDefaultLabel);
}

std::size_t kept(const Before& before, const std::vector<Label>& labels) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) count += before[i] == labels[i];
  return count;
}

}  // namespace

TEST_CASE("labels grow with the rules and stay below the default's, however many there are") {
  for (const std::size_t count : {0, 1, 2, 1000, 600000, 0xffffe})
    check_order(number_rules(Before(count)));
}

TEST_CASE("a rule between two others takes a number between theirs, and they keep theirs") {
  CHECK(number_rules(Before{100, {}, 200}) == std::vector<Label>{100, 150, 200});
  CHECK(number_rules(Before{100, {}, {}, 103}) == std::vector<Label>{100, 101, 102, 103});
}

TEST_CASE("rules at either end leave room for more") {
  CHECK(number_rules(Before{{}, 1000, {}}) == std::vector<Label>{936, 1000, 1064});
}

TEST_CASE(
    "built-in rules have the first labels, and a thousand rules fit between them and the others") {
  constexpr std::size_t kBuiltins = 5;
  Before before(10000);
  for (int i = 0; i < 1000; ++i) {
    const std::vector<Label> labels = number_rules(before, kBuiltins);
    check_order(labels);
    REQUIRE(labels[kBuiltins - 1] == kBuiltins);
    if (i > 0) REQUIRE(kept(before, labels) == before.size() - 1);
    before.assign(labels.begin(), labels.end());
    before.insert(before.begin() + kBuiltins, std::nullopt);
  }
}

TEST_CASE("the first rule behind built-in ones has room on both sides") {
  const std::vector<Label> labels = number_rules(Before{1, 2, 3, {}});
  CHECK(labels[3] > kDefaultLabel / 4);
  CHECK(labels[3] < kDefaultLabel / 4 * 3);
  Before before{1, 2, 3, {}};
  for (int i = 0; i < 1000; ++i) {
    const std::vector<Label> now = number_rules(before);
    check_order(now);
    if (i > 0) REQUIRE(kept(before, now) == before.size() - 1);
    before.assign(now.begin(), now.end());
    before.emplace_back();
  }
}

TEST_CASE("where there is no room all are numbered anew") {
  const Before before{100, {}, {}, 102};
  const std::vector<Label> labels = number_rules(before);
  check_order(labels);
  CHECK(kept(before, labels) == 0);
}

TEST_CASE("a rule that has moved is the only one that gets another number") {
  const Before before{200, 300, 100, 400};
  const std::vector<Label> labels = number_rules(before);
  check_order(labels);
  CHECK(kept(before, labels) == 3);
}

TEST_CASE("a thousand rules are added at the end without another's number changing") {
  Before before(10000);
  for (int i = 0; i < 1000; ++i) {
    std::vector<Label> labels = number_rules(before);
    if (i > 0) REQUIRE(kept(before, labels) == before.size() - 1);
    before.assign(labels.begin(), labels.end());
    before.emplace_back();
  }
}

TEST_CASE("labels stay in order through random insertions and moves") {
  const auto seed = tests::test_seed();
  INFO("FWD_TEST_SEED=" << seed);
  std::mt19937_64 random{seed};
  Before before(50);
  for (int i = 0; i < 500; ++i) {
    const std::vector<Label> labels = number_rules(before);
    check_order(labels);
    before.assign(labels.begin(), labels.end());
    before.insert(before.begin() + static_cast<long>(random() % (before.size() + 1)), std::nullopt);
    std::swap(before[random() % before.size()], before[random() % before.size()]);
  }
}

TEST_CASE("spread labels keep their distance, and few of them more than many") {
  CHECK(spread_labels(1, 100, 132) == std::vector<Label>{116});
  CHECK(spread_labels(3, 100, 164) == std::vector<Label>{116, 132, 148});
  CHECK_FALSE(spread_labels(1, 100, 131));
  CHECK_FALSE(spread_labels(3, 100, 131));
  const auto many = spread_labels(100000, 0, 200002);
  REQUIRE(many);
  check_order(*many);
  CHECK_FALSE(spread_labels(100000, 0, 200000));
}
