#include "rules/plan_state.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/core.h>

namespace rules {

const PlannedRule& PlanState::rule_of(Label label) const {
  return *std::ranges::lower_bound(rules, label, {}, &PlannedRule::label);
}

Cut PlanState::cut(const PlannedRule& rule) const {
  const auto kinds = [this](const AddressMatch& side) { return lists.at(*side.name).kinds; };
  std::string key = rule.rule->id.str();
  if (rule.copy != 1) key += fmt::format(".{}", rule.copy);
  return {rule.rule->match, std::move(key), kinds};
}

KernelGroup& PlanState::group_of(Direction direction, const std::optional<Family>& family) {
  const std::size_t first = direction == Direction::In ? 0 : 3;
  return groups[first + (!family ? 0U : *family == Family::V4 ? 1U : 2U)];
}

std::uint32_t hash_of_id(const RuleId& id) {
  return static_cast<std::uint32_t>(std::hash<RuleId>{}(id));
}

}  // namespace rules
