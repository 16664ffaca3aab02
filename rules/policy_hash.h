// What a policy is known by: two that say the same have the same hash, whatever their texts look like.
#pragma once

#include <string>

#include "rules/policy.h"

namespace rules {

// For NamedSet::hash.
std::string members_hash(const NamedSet& set);

// For Policy::hash. Takes what is long as its hash: a rule as its id, a set's members as theirs.
std::string hash_of(const Policy& policy);

}  // namespace rules
