// Live connections when a policy comes into force: those that are older than the table get their
// verdict beforehand, those that were judged under an older policy are judged again.
#pragma once

#include <functional>
#include <vector>

#include "fwd/audit/record.h"
#include "fwd/engine/active_policy.h"
#include "fwd/kernel/adopt.h"
#include "fwd/kernel/sweep.h"

namespace fwd::policy {

// What reaches the host's live connections; tests put fakes here.
struct Connections {
  // kernel::adopt_connections with its ct mark.
  std::function<Result<kernel::AdoptedCounts>(kernel::Generation, const kernel::ConnectionJudge&)>
      adopt;
  // kernel::sweep_connections; the ct mark in the options is left to it.
  std::function<Result<kernel::Sweep>(kernel::SweepOptions, const kernel::SweepJudge&)> sweep;
};
Connections host_connections(kernel::CtMark mark);

// A failure is logged: without it some live connections are judged by the direction that conntrack
// takes them to have, which may be wrong; no firewall at all would be worse.
void adopt_live(const Connections& connections, const engine::ActivePolicy& active);

// How many were cut. `tell` hears of each that the policy denies and wants a record of. Connections
// that the sweep doesn't reach are judged when their next packet comes.
std::size_t sweep_live(const Connections& connections, const engine::ActivePolicy& active,
                       const std::function<void(const audit::VerdictRecord&)>& tell);

// The live connections that this policy would cut if it were enforced.
Result<std::vector<kernel::JudgedConnection>> would_cut(const Connections& connections,
                                                        const engine::ActivePolicy& active);

}  // namespace fwd::policy
