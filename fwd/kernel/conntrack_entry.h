// What libnetfilter_conntrack's entries say, in our terms.
#pragma once

#include <optional>

#include "rules/packet.h"

struct nf_conntrack;  // libnetfilter_conntrack

namespace fwd::kernel {

// The first packet as input or output saw it: after a destination was translated, before a source is.
std::optional<rules::Packet> first_packet(const nf_conntrack* entry);

}  // namespace fwd::kernel
