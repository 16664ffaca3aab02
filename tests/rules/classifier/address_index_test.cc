#include "rules/classifier/address_index.h"

#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/random.h"
#include "tests/support/random_policy.h"

using namespace rules;
using classifier::AddressIndex;
using classifier::AddressIndexes;
using classifier::Lookup;

namespace {

using Set = std::shared_ptr<const AddressSet>;

constexpr std::uint64_t kPlaces = 6000;  // of each family

Address address(Family family, std::uint64_t number) {
  if (family == Family::V4) return Address::v4(static_cast<std::uint32_t>(number));
  return Address::v6(number % 3, number);
}

// None touches the next, and 0 is among them.
AddressRange random_member(tests::Random& random) {
  const Family family = random.one_in(2) ? Family::V4 : Family::V6;
  const Address first = address(family, 24 * random.below(kPlaces));
  Address last = first;
  if (random.one_in(20)) last.low += 3;
  return {first, last};
}

Set random_set(tests::Random& random) {
  std::vector<AddressRange> members;
  for (int i = 0; i < 9000; ++i) members.push_back(random_member(random));
  return std::make_shared<const AddressSet>(members);
}

Set changed(const AddressSet& set, tests::Random& random) {
  AddressSet next = set;
  for (std::uint64_t changes = 1 + random.below(5); changes > 0; --changes) {
    const AddressRange member = random_member(random);
    next = random.one_in(2) ? next.with({member}) : next.without(member);
  }
  return std::make_shared<const AddressSet>(std::move(next));
}

bool has(const AddressIndex& index, const Address& one) {
  using namespace classifier;
  return one.family == Family::V4 ? index.has(V4::number(one)) : index.has(V6::number(one));
}

std::size_t wrong_answers(const AddressIndex& index, const AddressSet& set, tests::Random& random) {
  std::size_t wrong = 0;
  const auto probe = [&](const Address& one) { wrong += has(index, one) != set.contains(one); };
  for (int i = 0; i < 500; ++i) {
    AddressRange member = random_member(random);
    probe(member.first);
    probe(member.last);
    ++member.last.low;
    probe(member.last);
  }
  for (const Family family : {Family::V4, Family::V6}) probe(address(family, 0));
  return wrong;
}

}  // namespace

TEST_CASE("an index that follows another answers as its set does, after any changes") {
  tests::Random random{tests::test_seed()};
  Set set = random_set(random);
  std::shared_ptr<const AddressIndex> index =
      std::make_shared<const AddressIndex>(set, Lookup::Table);
  std::size_t wrong = wrong_answers(*index, *set, random);
  std::size_t followed = 0;
  for (int step = 0; step < 400; ++step) {
    const Set next = changed(*set, random);
    const auto change = set->difference(*next, 100);
    REQUIRE(change);
    auto following = index->with(*change);
    if (following)
      ++followed;
    else
      following = std::make_shared<const AddressIndex>(next, Lookup::Table);
    wrong += wrong_answers(*following, *next, random);
    for (const auto* ranges : {&change->lost, &change->gained}) {
      for (const AddressRange& range : *ranges)
        wrong += has(*following, range.first) != next->contains(range.first);
    }
    set = next;
    index = std::move(following);
  }
  CHECK(wrong == 0);
  CHECK(followed > 300);
}

TEST_CASE("an index isn't followed where its table would have another size, or it has none") {
  std::vector<AddressRange> members;
  for (std::uint32_t i = 0; i < 16; ++i)
    members.push_back({Address::v4(2 * i), Address::v4(2 * i)});
  const auto set = std::make_shared<const AddressSet>(members);
  const AddressIndex index(set, Lookup::Table);
  const Address more = Address::v4(1000);
  CHECK(index.with({.gained = {{more, more}}}) != nullptr);
  AddressSet::Difference many;
  for (std::uint32_t i = 0; i < 30; ++i)
    many.gained.push_back({Address::v4(1000 + 2 * i), Address::v4(1000 + 2 * i)});
  CHECK(index.with(many) == nullptr);
  CHECK(AddressIndex(set, Lookup::Search).with({.gained = {{more, more}}}) == nullptr);
}

TEST_CASE("indexes are found for sets of any size, those in use and their followers") {
  tests::Random random{tests::test_seed()};
  AddressIndexes indexes;
  const Set large = random_set(random);
  const auto first = indexes.of(large);
  CHECK(indexes.of(large) == first);
  const Set next = changed(*large, random);
  const Set other = random_set(random);
  const Set small = std::make_shared<const AddressSet>(
      std::vector<AddressRange>{{Address::v4(7), Address::v4(7)}});
  for (const Set& set : {next, other, small, large})
    CHECK(wrong_answers(*indexes.of(set), *set, random) == 0);
}

TEST_CASE("the difference of two sets is told range by range, if it's small") {
  const auto v4 = [](std::uint32_t first, std::uint32_t last) {
    return AddressRange{Address::v4(first), Address::v4(last)};
  };
  const auto v6 = [](std::uint64_t one) {
    return AddressRange{Address::v6(1, one), Address::v6(1, one)};
  };
  const AddressSet before({v4(1, 1), v4(3, 3), v4(5, 9), v6(4)});
  const AddressSet wanted({v4(1, 1), v4(3, 3), v4(5, 10), v4(20, 20), v6(2), v6(4), v6(6)});
  const auto change = before.difference(wanted, 5);
  REQUIRE(change);
  CHECK(change->lost == std::vector{v4(5, 9)});
  CHECK(change->gained == std::vector{v4(5, 10), v4(20, 20), v6(2), v6(6)});
  CHECK_FALSE(before.difference(wanted, 4));
  CHECK(before.difference(before, 0));
  const auto back = wanted.difference({}, 100);
  REQUIRE(back);
  CHECK(back->lost.size() == wanted.size());
  CHECK(back->gained.empty());
}
