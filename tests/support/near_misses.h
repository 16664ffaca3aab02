// For each rule a packet that it matches, and others that differ in one field only: at both ends of each of its ranges,
// inside and just outside.
#pragma once

#include <cstdint>
#include <vector>

#include "rules/policy.h"
#include "tests/support/random_policy.h"

namespace tests {

// What a rule leaves open is random. In the order of the rules, built-in ones first.
std::vector<Probe> near_misses(const rules::Policy& policy, std::uint64_t seed);

// The ends of a range and what is next to them.
std::vector<rules::Address> edges(const rules::AddressRange& range);

}  // namespace tests
