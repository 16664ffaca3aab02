// Which accepted connections have a record of their own where the rule says `log sample N`. A hash of the connection's
// ends chooses, so that a connection's beginning and its end are chosen alike, whoever asks.
#pragma once

#include <cstdint>

#include "rules/packet.h"

namespace fwd::engine {

// One in `one_in`, evenly; all where that is 1. `first`: the connection's first packet.
bool in_sample(const rules::Packet& first, std::uint32_t one_in, std::uint64_t seed) noexcept;

// Of this process, by chance: nobody outside can choose ends that are never in a sample.
std::uint64_t sample_seed();

}  // namespace fwd::engine
