// One decision, as a worker hands it to the audit writer: plain data of fixed size, copied through
// the ring without allocation. Everything that needs text (rule ids, comments, names) is looked up
// by the writer in the policy of `policy_version`.
#pragma once

#include <cstdint>
#include <type_traits>

#include "fwd/engine/judge.h"

namespace fwd::audit {

// Sweep: the daemon, looking through conntrack's table after a commit, without a packet.
enum class DecidedBy : std::uint8_t { Daemon, KernelCopy, Sweep };

struct VerdictRecord {
  std::int64_t realtime_ns = 0;      // CLOCK_REALTIME when decided, ns since 1970
  std::uint32_t duration_ns = 0;     // from receiving the batch to the decision
  bool sampled_out = false;          // counted, without a line of its own
  std::uint64_t policy_version = 0;  // counts commits since the daemon's start, never wraps
  std::uint32_t interface_index = 0;
  std::uint16_t queue = 0;
  DecidedBy decided_by = DecidedBy::Daemon;
  kernel::PacketClass packet_class = kernel::PacketClass::New;
  engine::Judgement judgement;
};

static_assert(std::is_trivially_copyable_v<VerdictRecord>);

}  // namespace fwd::audit
