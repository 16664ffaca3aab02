// One entry of conntrack, as ctnetlink's messages tell it (linux/netfilter/nfnetlink_conntrack.h): answers to a dump, and events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>

#include "rules/packet.h"

namespace fwd::kernel {

// One direction of a connection.
struct CtTuple {
  std::uint8_t protocol = 0;
  rules::Address source;
  std::uint16_t source_port = 0;  // or what conntrack has in its place; 0 where that is nothing
  rules::Address destination;
  std::uint16_t destination_port = 0;

  CtTuple reversed() const {
    return {protocol, destination, destination_port, source, source_port};
  }
  auto operator<=>(const CtTuple&) const = default;
};

struct CtEntry {
  // Bytes of IP packets, headers included.
  struct Count {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
  };
  // Both or none: only what began while the kernel counted has them.
  struct Counts {
    Count original;
    Count reply;
  };

  CtTuple original;
  CtTuple reply;
  std::uint8_t icmp_type = 0;  // of the original direction
  std::uint8_t icmp_code = 0;
  std::uint32_t mark = 0;
  std::optional<std::uint8_t> tcp_state;  // enum tcp_conntrack
  std::optional<Counts> counts;
  std::optional<std::int64_t> start_ns;  // since 1970; of what began while the kernel kept times
  std::optional<std::int64_t> stop_ns;   // likewise, of what has ended

  // What names the entry to the kernel: the values of CTA_TUPLE_ORIG and CTA_ZONE, valid as long as the message's bytes.
  std::span<const std::byte> original_attribute;
  std::span<const std::byte> zone_attribute;  // or empty; a zone of one direction is in the tuple
};

// Nothing for a message that isn't an entry of IPv4 or IPv6, whole from its header on.
std::optional<CtEntry> parse_entry(std::span<const std::byte> message) noexcept;

// The first packet as input or output saw it: after a destination was translated, before a source is.
rules::Packet first_packet(const CtEntry& entry) noexcept;

}  // namespace fwd::kernel
