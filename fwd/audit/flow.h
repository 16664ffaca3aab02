// What the audit log says of a connection's end: dataset fwd.flow, as conntrack tells it. No decision
// is in it: the accounts of decisions know nothing of flows.
#pragma once

#include <cstdint>
#include <optional>

#include "rules/packet.h"
#include "rules/policy.h"
#include "rules/rule_set.h"

namespace fwd::audit {

// What one end has sent. Bytes of IP packets, headers included.
struct Traffic {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;

  bool operator==(const Traffic&) const = default;
};

struct FlowTraffic {
  Traffic source;  // sent by the end that opened the connection
  Traffic destination;
};

// Times in ns since 1970.
struct FlowRecord {
  std::int64_t end_ns = 0;
  std::optional<std::int64_t> start_ns;  // where conntrack kept it
  std::optional<FlowTraffic> traffic;    // likewise
  rules::Packet first;                   // the connection as its first packet looked
  std::optional<rules::Direction> direction;
  bool revoked = false;              // denied by a policy that came later than its start
  std::uint64_t policy_version = 0;  // in force at its end
  // By that policy, of such a connection: what let it live, or what revoked it. Absent where the
  // connection wasn't judged by that policy, or where that hung on what conntrack doesn't tell.
  std::optional<rules::Decision> decision;
  bool sampled_out = false;  // as VerdictRecord::sampled_out
};

// Connections that ended in one second and have no line of their own: they differ in nothing of
// decision, direction and protocol.
struct FlowFold {
  FlowRecord first;          // of which nothing else counts
  std::int64_t last_ns = 0;  // when the last of them ended
  std::uint64_t connections = 0;
  FlowTraffic traffic = {};  // of all whose traffic is known
};

// Ends that came faster than they could be read: nothing but their number is known.
struct FlowGap {
  std::int64_t from_ns = 0;
  std::int64_t to_ns = 0;
  std::uint64_t connections = 0;
};

}  // namespace fwd::audit
