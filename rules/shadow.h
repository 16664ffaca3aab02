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

// Errors for rules with equal canonical text, warnings for rules that one earlier rule covers. The
// work is bounded: each pair of rules costs a comparison of outlines, and after `max_steps` of them
// (enough for some 14,000 rules) a warning says up to where rules were looked at.
inline constexpr std::size_t kMaxShadowSteps = 100'000'000;
void check_order(const std::vector<Rule>& rules, Report& report,
                 std::size_t max_steps = kMaxShadowSteps);

}  // namespace rules
