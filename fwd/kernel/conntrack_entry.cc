#include "fwd/kernel/conntrack_entry.h"

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <netinet/in.h>

#include "fwd/kernel/inet_address.h"
#include "rules/policy.h"

namespace fwd::kernel {

// Where the tuple goes to, as the host's own chains see it: where its replies come from.
std::optional<rules::Packet> first_packet(const nf_conntrack* entry) {
  const std::uint8_t family = nfct_get_attr_u8(entry, ATTR_ORIG_L3PROTO);
  const bool ipv4 = family == AF_INET;
  const void* source = nfct_get_attr(entry, ipv4 ? ATTR_ORIG_IPV4_SRC : ATTR_ORIG_IPV6_SRC);
  const void* destination = nfct_get_attr(entry, ipv4 ? ATTR_REPL_IPV4_SRC : ATTR_REPL_IPV6_SRC);
  if (source == nullptr || destination == nullptr) return std::nullopt;

  constexpr std::uint8_t kSyn = 0x02;
  rules::Packet packet;
  packet.source = address_from(family, source);
  packet.destination = address_from(family, destination);
  packet.protocol = nfct_get_attr_u8(entry, ATTR_ORIG_L4PROTO);
  packet.hop_limit = 64;
  packet.has_ports = rules::has_ports(packet.protocol);
  if (packet.has_ports) {
    packet.source_port = ntohs(nfct_get_attr_u16(entry, ATTR_ORIG_PORT_SRC));
    packet.destination_port = ntohs(nfct_get_attr_u16(entry, ATTR_REPL_PORT_SRC));
  }
  packet.has_icmp = packet.protocol == IPPROTO_ICMP || packet.protocol == IPPROTO_ICMPV6;
  if (packet.has_icmp) {
    packet.icmp_type = nfct_get_attr_u8(entry, ATTR_ICMP_TYPE);
    packet.icmp_code = nfct_get_attr_u8(entry, ATTR_ICMP_CODE);
  }
  if (packet.protocol == IPPROTO_TCP) packet.tcp_flags = kSyn;
  return packet;
}

}  // namespace fwd::kernel
