// A policy compiled into chains, sets and maps of nf_tables: what decides in the kernel where no
// worker does. KernelPlan is the only way in.
//
// Chain search_input (or search_output) leaves in bits 31-12 of the packet's priority the label of the
// first rule that matches. Every rule has a label, larger than those of the rules before it; the
// packet starts with kDefaultLabel, and a rule that matches writes its own only over a larger one. So
// the rules can be visited in any order, and are: hash tables on some bits of the addresses and ports
// lead to a chain with the few rules that those bits leave, and what fits no table is a list. Simple rules that are
// added to many are looked up before all others (rules/kernel_fronts.h).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "rules/nft.h"
#include "rules/plan_emitter.h"
#include "rules/plan_state.h"
#include "rules/policy.h"

namespace rules {

// What another policy changes in the table that the plan is.
struct PlanChange {
  struct Elements {
    nft::Map map;  // without elements
    std::vector<nft::Element> lost = {};
    std::vector<nft::Element> gained = {};
  };

  bool whole = false;  // nearly everything: then nothing of it is said below

  std::vector<nft::Chain> new_chains = {};
  std::vector<nft::Chain> changed_chains = {};  // as they are now
  std::vector<std::string> lost_chains = {};
  std::vector<nft::Map> new_maps = {};      // without elements
  std::vector<Elements> elements = {};      // of maps that are there afterwards
  std::vector<std::string> lost_sets = {};  // and maps
  std::vector<MemberSet> new_sets = {};
  std::vector<MemberChange> members = {};
  std::vector<PlannedRule> lost_rules = {};
  std::vector<PlannedRule> gained_rules = {};
  std::vector<std::string> lost_ids = {};  // that no rule has any more
  std::vector<std::string> gained_ids = {};
};

class KernelPlan {
 public:
  // Of so many rules on it opens fronts. A test may want them sooner.
  static constexpr std::size_t kManyRules = 1000;
  KernelPlan() = default;
  explicit KernelPlan(std::size_t many_rules) : many_rules_(many_rules) {}

  // The plan of this policy from now on. Rules that were in the one before stay where they were, if they can.
  // At most kDefaultLabel - 1 rules.
  PlanChange update(const Policy& policy);

  // Built-in ones first.
  const std::vector<PlannedRule>& rules() const { return state_.rules; }
  std::size_t builtin_rules() const { return state_.builtins; }
  PlanEmitter emit() const { return PlanEmitter(state_); }

 private:
  std::size_t many_rules_ = kManyRules;
  PlanState state_;
};

}  // namespace rules
