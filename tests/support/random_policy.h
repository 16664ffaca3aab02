// Random policies in which rules overlap a lot, and packets on and just beside the edges of their
// rules.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "rules/packet.h"
#include "rules/policy.h"

namespace tests {

// FWD_TEST_SEED if it's set, otherwise another one each time. Print it with what failed.
std::uint64_t test_seed();

struct Probe {
  rules::Packet packet;
  rules::Direction direction = rules::Direction::In;
  std::string interface;
};

std::string describe(const Probe& probe);

class RandomPolicies {
 public:
  explicit RandomPolicies(std::uint64_t seed) : random_{seed} {}

  rules::Policy policy(std::size_t rules);
  // A packet that one of the rules matches, or would but for a field or two.
  Probe probe(const rules::Policy& policy);

 private:
  bool one_in(unsigned n) { return below(n) == 0; }
  std::uint64_t below(std::uint64_t n) {
    return std::uniform_int_distribution<std::uint64_t>{0, n - 1}(random_);
  }
  template <typename Items>
  const auto& pick(const Items& items) {
    return items[below(std::size(items))];
  }

  rules::AddressRange address_range();
  rules::AddressMatch address_match();
  std::vector<rules::PortRange> ports();
  std::vector<rules::ProtocolMatch> protocols();
  rules::Rule rule();

  rules::Address address_at(const rules::AddressMatch& match, rules::Family family);
  std::uint16_t port_at(const rules::ShortList<rules::PortRange>& ranges);
  void choose_protocol(const rules::Match& match, rules::Packet& packet);

  std::mt19937_64 random_;
  std::vector<rules::AddressMatch> shared_sets_;
};

}  // namespace tests
