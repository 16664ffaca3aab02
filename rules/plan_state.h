// What a plan remembers from one policy to the next: as little as emits its chains and finds what another policy
// changes in them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rules/kernel_fronts.h"
#include "rules/kernel_group.h"
#include "rules/kernel_piece.h"
#include "rules/kernel_set.h"
#include "rules/labels.h"
#include "rules/rule_list.h"

namespace rules {

struct PlannedRule {
  RuleList::Shared rule;
  Label label = 0;
  std::uint32_t id_hash = 0;
  std::uint32_t copy = 1;  // tells rules with the same id apart
  Action action = Action::Deny;
};

// A set of the policy's that rules look into.
struct UsedList {
  std::shared_ptr<const AddressSet> members;
  Kinds kinds;
  std::size_t uses = 0;  // by sides of rules
};

struct PlanState {
  std::size_t builtins = 0;        // so many of the rules are the policy's built-in ones
  std::vector<PlannedRule> rules;  // in order, so by label too
  std::array<KernelGroup, 6> groups{{{Direction::In, std::nullopt},
                                     {Direction::In, Family::V4},
                                     {Direction::In, Family::V6},
                                     {Direction::Out, std::nullopt},
                                     {Direction::Out, Family::V4},
                                     {Direction::Out, Family::V6}}};
  KernelFronts fronts;
  std::map<std::string, UsedList> lists;

  const PlannedRule& rule_of(Label label) const;
  Cut cut(const PlannedRule& rule) const;
  KernelGroup& group_of(Direction direction, const std::optional<Family>& family);
};

std::uint32_t hash_of_id(const RuleId& id);

}  // namespace rules
