#include "fwd/engine/service_slots.h"

#include <catch2/catch.hpp>

#include "tests/fwd/engine/fixtures.h"

using fwd::engine::kServices;
using fwd::engine::ServicePlaces;
using fwd::engine::ServiceSlots;

namespace {

rules::ServiceMap ports(std::uint16_t first, std::size_t count) {
  std::vector<rules::Rule> rules;
  rules.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    rules.push_back(tests::tcp_rule(rules::Action::Allow, static_cast<std::uint16_t>(first + i)));
  }
  return rules::make_service_map(rules::RuleList(std::move(rules)), {}, kServices);
}

}  // namespace

TEST_CASE("a service keeps its place through changes of the policy") {
  ServiceSlots slots;
  CHECK(slots.places(ports(80, 2)) == ServicePlaces{0, 1, 2});
  CHECK(slots.places(ports(81, 2)) == ServicePlaces{0, 2, 3});
  CHECK(slots.places(ports(80, 1)) == ServicePlaces{0, 1});
  CHECK(slots.names() == std::vector<std::string>{"other", "80", "81", "82"});
}

TEST_CASE("what there is no place left for is counted as other") {
  ServiceSlots slots;
  (void)slots.places(ports(1000, kServices - 1));
  CHECK(slots.names().size() == kServices);
  CHECK(slots.places(ports(1000 + kServices - 2, 2)) == ServicePlaces{0, kServices - 1, 0});
  CHECK(slots.names().size() == kServices);
}
