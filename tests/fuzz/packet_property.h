// What must hold for decode() on any bytes at all. Used by the fuzzer and by the test that replays
// its corpus.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "rules/packet.h"
#include "rules/policy.h"

namespace tests {

inline bool is_whole(const rules::Packet& packet, std::size_t wire_length) {
  const bool icmp =
      packet.protocol == rules::protocol::kIcmp || packet.protocol == rules::protocol::kIcmpv6;
  return packet.has_ports == rules::has_ports(packet.protocol) && packet.has_icmp == icmp &&
         packet.length <= wire_length && packet.source.family == packet.destination.family;
}

// The property that is broken; empty if all hold.
inline std::string_view broken_packet_property(std::span<const std::byte> bytes) {
  constexpr std::size_t kBig = 100'000;  // a GSO packet
  for (const std::size_t wire_length : {bytes.size(), bytes.size() + 1400, kBig}) {
    const auto whole = rules::decode(bytes, wire_length);
    if (whole && !is_whole(*whole, wire_length)) return "a decoded packet has all its fields";
    const std::size_t cuts = whole ? std::min<std::size_t>(bytes.size(), 512) : 0;
    for (std::size_t size = 0; size < cuts; ++size) {
      // A copy of exactly this size, so that a sanitizer sees a read beyond it.
      const std::vector<std::byte> exact(bytes.begin(),
                                         bytes.begin() + static_cast<std::ptrdiff_t>(size));
      const auto cut = rules::decode(exact, wire_length);
      if (cut && *cut != *whole)
        return "a packet that is cut short decodes as the whole one or not at all";
    }
  }
  return "";
}

}  // namespace tests
