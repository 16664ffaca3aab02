#include "fwd/shed_list.h"

#include <catch2/catch.hpp>

using fwd::ShedList;
using rules::Address;
using namespace std::chrono_literals;

TEST_CASE("a source is shed once, and again only when its time is over") {
  const Address one = Address::v4(1);
  const Address other = Address::v6(0, 1);
  const ShedList::Time start{};
  ShedList list;
  CHECK(list.add({one, one}, start) == std::vector{one});
  CHECK(list.add({one, other}, start + ShedList::kTime - 1s) == std::vector{other});
  CHECK(list.add({one, other}, start + ShedList::kTime) == std::vector{one});
  CHECK(list.add({}, start + 1h).empty());
}
