// How the fields of a packet become keys, and the parts of a rule the keys that it takes. The two
// sides of each field stand together, because they must agree.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "rules/dimension.h"
#include "rules/packet.h"
#include "rules/policy.h"

namespace rules::keys {

using Key32 = std::uint32_t;
using Key128 = unsigned __int128;

inline Key32 v4(const Address& address) {
  return static_cast<Key32>(address.low);
}
inline Key128 v6(const Address& address) {
  return Key128{address.high} << 64U | address.low;
}
KeyRanges<Key32> v4(const AddressMatch& match);
KeyRanges<Key128> v6(const AddressMatch& match);

// A packet without ports has a key that only rules without ports take.
inline Key32 port(const Packet& packet, std::uint16_t number) {
  constexpr Key32 kNone = 0x10000;
  return packet.has_ports && has_ports(packet.protocol) ? number : kNone;
}
KeyRanges<Key32> ports(const std::vector<PortRange>& ranges);

// The protocol, and below it whether there are ICMP fields, type and code.
constexpr unsigned kProtocolShift = 17;
constexpr Key32 kHasIcmp = 1U << 16U;
inline Key32 protocol(const Packet& packet) {
  const Key32 number = Key32{packet.protocol} << kProtocolShift;
  if (!packet.has_icmp) return number;
  return number | kHasIcmp | Key32{packet.icmp_type} << 8U | packet.icmp_code;
}
KeyRanges<Key32> protocols(const std::vector<ProtocolMatch>& matches);

// A number that must be exactly that, if there is one.
KeyRanges<Key32> exactly(std::optional<Key32> number);

}  // namespace rules::keys
