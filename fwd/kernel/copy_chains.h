// The kernel's copy of the policy: chains copy_input and copy_output, which decide what no worker has
// decided. They follow the matrix in fwd/engine/judge.h, with conntrack's state in place of the packet's
// class, but for two things that can't be said in nf_tables: a reply can't be turned round, so one of a
// connection that was approved under any generation passes, and any other is dropped; and of what
// rules::decode() refuses only fragments, routing headers of type 0 and IPv6 headers that hide the
// transport are seen here. Conntrack finds most of the rest invalid (lengths, TCP's data offset).
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "fwd/kernel/chains.h"
#include "fwd/kernel/marks.h"
#include "fwd/mode.h"
#include "rules/kernel_plan.h"
#include "rules/nft.h"
#include "rules/policy.h"

namespace fwd::kernel {

// The counter of a rule, and of the default of a direction: packets that the copy decided by it.
inline constexpr std::string_view kRuleCounterPrefix = "rule_";
std::string rule_counter(std::string_view id);
std::string default_counter(rules::Direction direction);

// From each rule's label to its counter, and for each action the labels of its rules: of `limit` rules a map to
// their chains. Only that one is a verdict map: for an element with a verdict the kernel goes through the whole table at
// the commit, and then through all chains that a verdict map leads to, once for each of its elements. Without elements.
inline constexpr std::array kActions{rules::Action::Allow, rules::Action::Deny,
                                     rules::Action::Reject, rules::Action::Limit};
rules::nft::Map count_map();
rules::nft::Map action_map(rules::Action action);
rules::nft::Element count_element(const rules::PlannedRule& rule);
rules::nft::Element action_element(const rules::PlannedRule& rule);

// With all that they need, but chains approve, pass, limit_*, and revoke and reject where the policy
// is enforced; what the plan emits; and rules' counters and elements.
void add_copy_chains(rules::nft::Table& table, const rules::Policy& policy,
                     const LimitRules& limits, Mode mode, const CtMark& mark);

}  // namespace fwd::kernel
