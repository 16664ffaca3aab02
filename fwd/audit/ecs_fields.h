// Fields that records of connections have in common, in the words of the Elastic Common Schema.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fwd/audit/policy_names.h"
#include "rules/packet.h"
#include "rules/policy.h"

namespace fwd::audit {

// Where no rule is known, the policy's version alone.
void append_rule(std::string& out, std::uint64_t policy_version, const RuleName* rule);

// These are without their ends, for more members to follow. No packet: one that couldn't be decoded.
void append_network(std::string& out, const rules::Packet* packet,
                    std::optional<rules::Direction> direction);
void append_source(std::string& out, const rules::Packet& packet);
void append_destination(std::string& out, const rules::Packet& packet);

}  // namespace fwd::audit
