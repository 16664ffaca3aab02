// Connections that are older than the table. They carry no mark, and conntrack may know them the
// wrong way round or not at all, so their direction is taken from the sockets (sock_diag) and their
// verdict is written on the conntrack entry beforehand.
#pragma once

#include <cstddef>
#include <functional>

#include "fwd/kernel/marks.h"
#include "fwd/system_error.h"
#include "rules/packet.h"
#include "rules/policy.h"

namespace fwd::kernel {

struct AdoptedCounts {
  std::size_t approved = 0;
  std::size_t revoked = 0;
};

// Decides about a live connection, given as its first packet would have looked.
using ConnectionJudge =
    std::function<bool(const rules::Packet& first, rules::Direction direction, unsigned ifindex)>;

// Called right before the table is first installed, and once more right after, for those that came
// in between.
Result<AdoptedCounts> adopt_connections(CtMark mark, Generation generation,
                                        const ConnectionJudge& allowed);

}  // namespace fwd::kernel
