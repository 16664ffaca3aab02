// A policy compiled into chains, sets and maps of nf_tables: what decides in the kernel where no
// worker does. make_kernel_plan() is the only way in.
//
// Chain search_input (or search_output) leaves in bits 31-12 of the packet's priority the label of the
// first rule that matches. Every rule has a label, larger than those of the rules before it; the
// packet starts with kDefaultLabel, and a rule that matches writes its own only over a larger one. So
// the rules can be visited in any order, and are: hash tables on some bits of the addresses and ports
// lead to a chain with the few rules that those bits leave, and what fits no table is a list.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "rules/labels.h"
#include "rules/nft.h"
#include "rules/policy.h"
#include "rules/rule_set.h"
#include "rules/tuple_merge.h"

namespace rules {

struct PlannedRule {
  DecidedBy by;
  std::uint32_t index;  // into Policy::builtin_rules or Policy::rules
  std::string key;      // the rule's id, made unique within the policy
  Label label;
  std::vector<Place> places;  // of each of its pieces
};

struct KernelPlan {
  std::vector<PlannedRule> rules;  // in order, so by label too
  std::vector<nft::FixedSet> sets;
  std::vector<nft::Map> maps;
  std::vector<nft::Chain> chains;
  std::map<std::string, std::size_t> lists;  // Placement::list of each group of tables
};

// "search_input"
std::string search_chain(Direction direction);

// Rules whose id was in the previous plan stay where they were, if they can: then the two plans differ
// in little more than what the policies differ in. At most kDefaultLabel - 1 rules.
KernelPlan make_kernel_plan(const Policy& policy, const KernelPlan* previous = nullptr);

}  // namespace rules
