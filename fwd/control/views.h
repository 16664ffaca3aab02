// How the policy looks in the API.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ctl/api/policy.h"
#include "ctl/api/rule.h"
#include "fwd/engine/rule_totals.h"
#include "fwd/kernel/table.h"
#include "fwd/policy/manager.h"
#include "rules/include.h"
#include "rules/policy.h"

namespace fwd::control {

// The rule at this index, which has decided so many packets.
ctl::api::Rule rule_view(const rules::Policy& policy, std::size_t index, std::uint64_t packets);

// All rules of the policy that `totals` is of.
ctl::api::RuleList rule_list_view(const engine::RuleTotals& totals);

// Adds the packets that the kernel's copy decided.
void add(engine::RuleTotals& totals, const kernel::CopyHits& hits);

// At most kMostConnections of them are named, the one from `source` to `destination` first.
inline constexpr std::size_t kMostConnections = 1000;
ctl::api::Diff diff_view(const policy::Difference& difference, const std::string& source,
                         const std::string& destination);

ctl::api::Set set_view(const rules::NamedSet& set);

ctl::api::Sources sources_view(rules::SourceTree tree);
rules::SourceTree source_tree(ctl::api::Sources sources);

}  // namespace fwd::control
