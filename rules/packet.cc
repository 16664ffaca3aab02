#include "rules/packet.h"

#include <algorithm>
#include <optional>

#include "rules/policy.h"
#include "rules/wire.h"

namespace rules {
namespace {

using wire::Bytes;
using wire::u16;
using wire::u32;
using wire::u64;
using wire::u8;

// What is at hand of a header and what follows it, and how long that is on the wire.
struct Payload {
  Bytes bytes;
  std::size_t wire_length = 0;

  Payload without(std::size_t header) const {
    return {bytes.subspan(header), wire_length - header};
  }
};

using Decoded = std::expected<Packet, Malformed>;
using Malformation = std::optional<Malformed>;  // none: it's fine

constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kMaxExtensionHeaders = 8;  // as IP6_MAX_EXT_HDRS_CNT

// The IP header's length field counts, not what the link added below it. A GSO packet beyond 64 kB
// (BIG TCP) has no room for its length there and says 0.
std::expected<Payload, Malformed> cut_to_length(Payload packet, std::size_t length,
                                                bool says_zero) {
  if (says_zero && packet.wire_length > 0xffff) return packet;
  if (length > packet.wire_length) return std::unexpected(Malformed::Truncated);
  return Payload{packet.bytes.first(std::min(packet.bytes.size(), length)), length};
}

Malformation read_tcp(Payload segment, Packet& packet) {
  constexpr std::size_t kUpToFlags = 14;
  constexpr std::size_t kFixedHeader = 20;
  if (segment.bytes.size() < kUpToFlags) return Malformed::Truncated;
  const std::size_t header = std::size_t{4} * (u8(segment.bytes, 12) >> 4U);
  if (header < kFixedHeader) return Malformed::HeaderLength;
  if (header > segment.wire_length) return Malformed::Truncated;
  packet.tcp_flags = u8(segment.bytes, 13);
  return std::nullopt;
}

// UDP's length field, or UDP-Lite's checksum coverage, where 0 means all of it (RFC 3828, 3.1).
Malformation check_udp_length(Payload datagram, bool zero_means_all) {
  constexpr std::size_t kHeader = 8;
  if (datagram.bytes.size() < kHeader) return Malformed::Truncated;
  const std::size_t length = u16(datagram.bytes, 4);
  if (zero_means_all && length == 0) return std::nullopt;
  if (length < kHeader || length > datagram.wire_length) return Malformed::HeaderLength;
  return std::nullopt;
}

Malformation need(Payload payload, std::size_t header) {
  return payload.bytes.size() < header ? Malformation{Malformed::Truncated} : std::nullopt;
}

Malformation check_header(Payload payload, Packet& packet) {
  switch (packet.protocol) {
    case protocol::kTcp:
      return read_tcp(payload, packet);
    case protocol::kUdp:
      return check_udp_length(payload, false);
    case protocol::kUdpLite:
      return check_udp_length(payload, true);
    case protocol::kSctp:
    case protocol::kDccp:
    case protocol::kAh:
      return need(payload, 12);
    case protocol::kIcmp:
    case protocol::kIcmpv6:
    case protocol::kEsp:
      return need(payload, 8);
    default:
      return std::nullopt;  // matched by its number alone
  }
}

Decoded read_transport(Payload payload, Packet packet) {
  if (const Malformation fault = check_header(payload, packet)) return std::unexpected(*fault);
  if (has_ports(packet.protocol)) {
    packet.has_ports = true;
    packet.source_port = u16(payload.bytes, 0);
    packet.destination_port = u16(payload.bytes, 2);
  }
  // By the number alone, whatever the IP version: so does the kernel.
  if (packet.protocol == protocol::kIcmp || packet.protocol == protocol::kIcmpv6) {
    packet.has_icmp = true;
    packet.icmp_type = u8(payload.bytes, 0);
    packet.icmp_code = u8(payload.bytes, 1);
  }
  return packet;
}

Decoded read_v4(Payload whole) {
  if (whole.bytes.size() < kIpv4Header) return std::unexpected(Malformed::Truncated);
  const std::size_t header = std::size_t{4} * (u8(whole.bytes, 0) & 0xfU);
  const std::size_t length = u16(whole.bytes, 2);
  if (header < kIpv4Header) return std::unexpected(Malformed::HeaderLength);
  const auto datagram = cut_to_length(whole, length, length == 0);
  if (!datagram) return std::unexpected(datagram.error());
  if (header > datagram->wire_length) return std::unexpected(Malformed::HeaderLength);
  if (header > datagram->bytes.size()) return std::unexpected(Malformed::Truncated);

  constexpr unsigned kMoreFragmentsAndOffset = 0x3fff;
  if ((u16(whole.bytes, 6) & kMoreFragmentsAndOffset) != 0) {
    return std::unexpected(Malformed::Fragment);
  }
  Packet packet;
  packet.source = Address::v4(u32(whole.bytes, 12));
  packet.destination = Address::v4(u32(whole.bytes, 16));
  packet.protocol = u8(whole.bytes, 9);
  packet.hop_limit = u8(whole.bytes, 8);
  packet.length = static_cast<std::uint32_t>(datagram->wire_length);
  return read_transport(datagram->without(header), packet);
}

// The next-header values that the kernel's ipv6_find_hdr() goes on behind when nftables asks for
// the transport (net/ipv6/exthdrs_core.c, include/net/netfilter/nf_tables_ipv6.h). It stops at AH,
// and knows nothing of mobility, HIP and shim6: those are transports.
namespace extension {
constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kDestination = 60;

bool is_one(std::uint8_t next_header) {
  return next_header == kHopByHop || next_header == kRouting || next_header == kFragment ||
         next_header == kDestination;
}
}  // namespace extension

Malformation check_extension(std::uint8_t kind, Bytes header, bool first) {
  if (kind == extension::kHopByHop && !first) return Malformed::HeaderOrder;
  if (kind == extension::kRouting && u8(header, 2) == 0) return Malformed::RoutingHeader;
  // Offset and more-fragments both zero: an "atomic" fragment is the whole packet (RFC 6946).
  constexpr unsigned kOffsetAndMoreFragments = 0xfff9;
  if (kind == extension::kFragment && (u16(header, 2) & kOffsetAndMoreFragments) != 0) {
    return Malformed::Fragment;
  }
  return std::nullopt;
}

struct Transport {
  std::uint8_t protocol = 0;
  Payload payload;
};

std::expected<Transport, Malformed> skip_extensions(std::uint8_t next_header, Payload payload) {
  constexpr std::size_t kUnit = 8;  // every extension header is a multiple of this
  for (std::size_t count = 0; extension::is_one(next_header); ++count) {
    if (count == kMaxExtensionHeaders) return std::unexpected(Malformed::TooManyHeaders);
    if (payload.bytes.size() < kUnit) return std::unexpected(Malformed::Truncated);
    if (const Malformation fault = check_extension(next_header, payload.bytes, count == 0)) {
      return std::unexpected(*fault);
    }
    // A fragment header has a reserved byte where the others have their length.
    const bool fixed = next_header == extension::kFragment;
    const std::size_t length = fixed ? kUnit : kUnit * (1U + u8(payload.bytes, 1));
    if (payload.bytes.size() < length) return std::unexpected(Malformed::Truncated);
    next_header = u8(payload.bytes, 0);
    payload = payload.without(length);
  }
  return Transport{next_header, payload};
}

Decoded read_v6(Payload whole) {
  if (whole.bytes.size() < kIpv6Header) return std::unexpected(Malformed::Truncated);
  const std::size_t payload_length = u16(whole.bytes, 4);
  const auto datagram = cut_to_length(whole, kIpv6Header + payload_length, payload_length == 0);
  if (!datagram) return std::unexpected(datagram.error());
  const auto transport = skip_extensions(u8(whole.bytes, 6), datagram->without(kIpv6Header));
  if (!transport) return std::unexpected(transport.error());

  Packet packet;
  packet.source = Address::v6(u64(whole.bytes, 8), u64(whole.bytes, 16));
  packet.destination = Address::v6(u64(whole.bytes, 24), u64(whole.bytes, 32));
  packet.protocol = transport->protocol;
  packet.hop_limit = u8(whole.bytes, 7);
  packet.length = static_cast<std::uint32_t>(datagram->wire_length);
  return read_transport(transport->payload, packet);
}

}  // namespace

std::string_view to_string(Malformed malformed) {
  switch (malformed) {
    case Malformed::Empty:
      return "empty";
    case Malformed::Version:
      return "version";
    case Malformed::HeaderLength:
      return "header length";
    case Malformed::Truncated:
      return "truncated";
    case Malformed::Fragment:
      return "fragment";
    case Malformed::TooManyHeaders:
      return "too many headers";
    case Malformed::HeaderOrder:
      return "header order";
    case Malformed::RoutingHeader:
      return "routing header";
  }
  return "";
}

Decoded decode(Bytes bytes, std::size_t wire_length) {
  const Payload whole{bytes.first(std::min(bytes.size(), wire_length)), wire_length};
  if (whole.bytes.empty()) return std::unexpected(Malformed::Empty);
  switch (u8(whole.bytes, 0) >> 4U) {
    case 4:
      return read_v4(whole);
    case 6:
      return read_v6(whole);
    default:
      return std::unexpected(Malformed::Version);
  }
}

}  // namespace rules
