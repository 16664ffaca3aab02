// Rules that can never decide anything, because an earlier one decides first.
#pragma once

#include <cstddef>
#include <vector>

#include "rules/policy.h"
#include "rules/report.h"

namespace rules {

// Whether every packet that `narrow` matches is matched by `wide`. May be false where only a
// combination of members shows it.
bool covers(const Match& wide, const Match& narrow);

// Errors for rules with equal canonical text, warnings for rules that one earlier rule covers. Each rule is compared with
// those earlier ones that match a certain packet of its own. They are few; should they not be, a warning after `max_steps`
// comparisons says up to where rules were looked at.
inline constexpr std::size_t kMaxShadowSteps = 100'000'000;
void check_order(const Policy& policy, Report& report, std::size_t max_steps = kMaxShadowSteps);

// The same of one rule that has come into a list without errors: what covers it, and what it covers that nothing did
// before. At most Report::kMost warnings.
std::vector<Diagnostic> check_new_rule(const Policy& policy, std::size_t index);

}  // namespace rules
