// The members of a record that no published schema has a field for, the same in every format: each
// function appends them without the braces of the object that they stand in.
#pragma once

#include <string>

#include "fwd/audit/event.h"
#include "fwd/audit/flow.h"
#include "fwd/audit/fold.h"
#include "fwd/audit/owner.h"
#include "fwd/audit/record.h"
#include "fwd/audit/text.h"

namespace fwd::audit {

void append_own(std::string& out, const VerdictRecord& record, const Owner& owner);
void append_own(std::string& out, const Fold& fold);
void append_own(std::string& out, const Gap& gap, TimeText& time);
// One of its numbers, or none.
void append_own(std::string& out, const HealthEvent& event, const Checkpoint& checkpoint);
void append_own(std::string& out, const AdminEvent& event);
void append_own(std::string& out, const FlowFold& fold);
void append_own(std::string& out, const FlowGap& gap, TimeText& time);

}  // namespace fwd::audit
