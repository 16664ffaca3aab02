// What differs between two policies, in the words of print(): whole lines, so a set that gained a
// member shows as its line before and its line after.
#pragma once

#include <string>
#include <vector>

#include "rules/policy.h"

namespace rules {

struct PolicyDiff {
  std::vector<std::string> removed;  // in the order of the policy before
  std::vector<std::string> added;    // in the order of the policy after
  bool reordered = false;            // what both have stands in another order

  bool empty() const { return removed.empty() && added.empty() && !reordered; }
};

PolicyDiff diff(const Policy& before, const Policy& after);

}  // namespace rules
