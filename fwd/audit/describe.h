// What all formats tell alike: the words for what was decided, and the record as a sentence for a
// person. Text that is appended is escaped for a JSON string already.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fwd/audit/event.h"
#include "fwd/audit/flow.h"
#include "fwd/audit/fold.h"
#include "fwd/audit/policy_names.h"
#include "fwd/audit/record.h"

namespace fwd::audit {

std::string_view action_word(engine::Outcome outcome);  // "accept", "drop", "reject", "limit"
std::string_view to_string(GapReason reason);           // "ring_full"

// What observe mode kept from being done.
std::string_view refusal_word(const engine::Judgement& judgement);

// IANA's keyword; the policy language has a shorter name for one.
void append_transport(std::string& out, std::uint8_t protocol);

// The one that the packet itself came by. A reply is judged as its connection is, which goes the
// other way.
rules::Direction hook_of(const VerdictRecord& record);

// None where nothing of the packet could be matched.
const RuleName* deciding_rule(const VerdictRecord& record, const PolicyNames* policy);
// None where the record has none.
const RuleName* deciding_rule(const FlowRecord& record, const PolicyNames* policy);

void describe(std::string& out, const VerdictRecord& record, const RuleName* rule);
void describe(std::string& out, const Fold& fold, const RuleName* rule);
void describe(std::string& out, const Gap& gap);
void describe(std::string& out, const AdminEvent& event);
void describe(std::string& out, const FlowRecord& record, const RuleName* rule);
void describe(std::string& out, const FlowFold& fold, const RuleName* rule);
void describe(std::string& out, const FlowGap& gap);

}  // namespace fwd::audit
