// Live connections after a commit. Each one that was judged under an older generation is judged
// again and marked, so that those stop which the new policy denies, in both directions, also where
// nothing but replies is sent or nothing at all.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "fwd/kernel/conntrack.h"
#include "fwd/kernel/marks.h"
#include "fwd/system_error.h"
#include "rules/packet.h"
#include "rules/policy.h"

namespace fwd::kernel {

// As its first packet looked.
struct JudgedConnection {
  rules::Packet first;
  rules::Direction direction = rules::Direction::In;
};

enum class SweepVerdict : std::uint8_t {
  Approve,
  Revoke,
  Reject,     // only a packet can be answered: its next one is judged
  NextPacket  // depends on what conntrack doesn't tell, such as the interface
};
using SweepJudge = std::function<SweepVerdict(const JudgedConnection&)>;

struct Sweep {
  std::size_t approved = 0;
  std::vector<JudgedConnection> cut;  // approved before and open, denied now
  std::size_t cut_by_packets = 0;     // by a packet of theirs that came between commit and sweep
};

struct SweepOptions {
  CtMark mark;
  Generation generation = 1;
  bool write = true;  // false: only look
};

// What was never judged (loopback, forwarded connections, those older than the table) is left alone.
Result<Sweep> sweep_connections(Conntrack& conntrack, const SweepOptions& options,
                                const SweepJudge& judge);

}  // namespace fwd::kernel
