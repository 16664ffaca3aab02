// A `limit` rule in the kernel. For each family a set holds, for as long as the rate's period, how
// often a source has tried since it first tried; who is over the limit is held in a second set,
// which every further try renews: denied tries count. Sets are named by rule id, so a source's
// count outlives commits that leave the rule as it is. In observe mode it counts and reports all the
// same, and lets everybody through.
#pragma once

#include <cstdint>

#include "fwd/kernel/chains.h"
#include "fwd/mode.h"
#include "rules/nft.h"
#include "rules/policy.h"

namespace fwd::kernel {

// Adds chain "limits", which a packet enters with the rule's slot in its priority, and all below
// it.
void add_limit_chains(rules::nft::Table& table, const LimitRules& limits, Mode mode,
                      std::uint16_t nflog_group);

}  // namespace fwd::kernel
