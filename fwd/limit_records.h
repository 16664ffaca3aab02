// What the kernel's meters decided, as audit records: of a connection that a `limit` rule matched,
// only they know the outcome.
#pragma once

#include <optional>

#include "fwd/audit/record.h"
#include "fwd/engine/active_policy.h"
#include "fwd/kernel/limit_log.h"

namespace fwd {

// Nothing where the policy has no such slot, as happens right after a commit, or wants no record of
// it.
std::optional<audit::VerdictRecord> limit_record(const kernel::LimitEvent& event,
                                                 const engine::ActivePolicy& active,
                                                 std::int64_t realtime_ns);

}  // namespace fwd
