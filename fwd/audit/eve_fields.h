// Members that records of connections have in common in Suricata's EVE, each with a comma before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fwd/audit/policy_names.h"
#include "rules/packet.h"
#include "rules/policy.h"

namespace fwd::audit {

void append_protocol(std::string& out, std::uint8_t number);
void append_source_address(std::string& out, const rules::Address& source);
// Both ends and the protocol.
void append_connection(std::string& out, const rules::Packet& packet);

// The object of what is ours alone, up to the message within its quotes.
void begin_flowvars(std::string& out, std::string_view dataset, std::uint64_t sequence);
// Of that object: how the rules saw the connection.
void append_match(std::string& out, std::optional<rules::Direction> direction,
                  const rules::Packet* packet, const RuleName* rule);

}  // namespace fwd::audit
