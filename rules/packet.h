// decode() is the only way from bytes to a packet. It never reads beyond what it was given, and what it can't
// decode is an error, never a packet with holes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "rules/address.h"

namespace rules {

// The headers that a rule can look at. Host byte order.
struct Packet {
  Address source;
  Address destination;
  std::uint8_t protocol = 0;   // the transport after all extension headers
  std::uint8_t hop_limit = 0;  // or TTL
  bool has_ports = false;
  std::uint16_t source_port = 0;       // valid with has_ports
  std::uint16_t destination_port = 0;  // likewise
  bool has_icmp = false;
  std::uint8_t icmp_type = 0;  // valid with has_icmp; ICMP and ICMPv6
  std::uint8_t icmp_code = 0;
  std::uint8_t tcp_flags = 0;  // the low eight: CWR ECE URG ACK PSH RST SYN FIN
  std::uint32_t length = 0;    // of the whole IP packet, as its header says it; see decode()

  Family family() const { return source.family; }

  bool operator==(const Packet&) const = default;
};

enum class Malformed : std::uint8_t {
  Empty,         // no first byte
  Version,       // neither IPv4 nor IPv6, or not the one that was announced
  HeaderLength,  // a length field that is too small for its header or contradicts another
  Truncated,     // a header goes on beyond the bytes at hand, or the packet beyond its wire length
  Fragment,      // a fragment that is not the whole packet: nothing is ever reassembled here
  TooManyHeaders,  // more than 8 IPv6 extension headers
  HeaderOrder,     // hop-by-hop options anywhere but first (RFC 8200, 4.1)
  RoutingHeader,   // type 0 (RFC 5095)
};

std::string_view to_string(Malformed malformed);

// `bytes` starts at the IP header and may be cut short after the transport header (a queue's copy range).
// `wire_length` is the packet's length before it was cut. A length field of 0 is taken for `wire_length` only where that
// is more than the field can hold (BIG TCP); jumbograms (RFC 2675) are malformed otherwise.
// IPv6 extension headers are walked as nftables does for `meta l4proto`: AH is a transport, in both IP versions.
std::expected<Packet, Malformed> decode(std::span<const std::byte> bytes, std::size_t wire_length);

inline std::expected<Packet, Malformed> decode(std::span<const std::byte> bytes) {
  return decode(bytes, bytes.size());
}

}  // namespace rules
