// Live connections after a commit. Each one that was judged under an older generation is judged
// again and marked, so that those stop which the new policy denies, in both directions, also where
// nothing but replies is sent or nothing at all.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "fwd/kernel/adopt.h"
#include "fwd/kernel/marks.h"
#include "fwd/system_error.h"
#include "rules/packet.h"
#include "rules/policy.h"

namespace fwd::kernel {

// As its first packet looked.
struct JudgedConnection {
  rules::Packet first;
  rules::Direction direction = rules::Direction::In;
  unsigned interface_index = 0;  // that leads to the peer; 0 unless it was asked for
};

struct Sweep {
  std::size_t approved = 0;
  std::vector<JudgedConnection> cut;  // approved before, denied now
};

struct SweepOptions {
  CtMark mark;
  Generation generation = 1;
  bool by_interface = false;  // the judge wants to know the interface
  bool write = true;          // false: only look
};

// A connection's interface is the one that leads to its peer now. What was never judged (loopback,
// forwarded connections, those older than the table) is left alone.
Result<Sweep> sweep_connections(const SweepOptions& options, const ConnectionJudge& allowed);

}  // namespace fwd::kernel
