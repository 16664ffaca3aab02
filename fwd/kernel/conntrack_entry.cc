#include "fwd/kernel/conntrack_entry.h"

#include <array>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include "fwd/kernel/attributes.h"
#include "fwd/kernel/inet_address.h"
#include "rules/policy.h"

namespace fwd::kernel {
namespace {

using AttributeValue = std::span<const std::byte>;

std::optional<rules::Address> inet_address(unsigned type, AttributeValue value) {
  if (type == CTA_IP_V6_SRC || type == CTA_IP_V6_DST) {
    if (const auto words = load<std::array<std::uint32_t, 4>>(value))
      return address_from(AF_INET6, words->data());
  } else if (const auto word = load<std::uint32_t>(value)) {
    return address_from(AF_INET, &*word);
  }
  return std::nullopt;
}

struct ParsedTuple {
  CtTuple tuple;
  bool from = false;  // whether there was such an address
  bool to = false;
  std::uint8_t icmp_type = 0;
  std::uint8_t icmp_code = 0;

  bool whole() const { return from && to && tuple.source.family == tuple.destination.family; }

  void take_address(unsigned type, AttributeValue value) {
    const auto found = inet_address(type, value);
    if (!found) return;
    if (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC) {
      tuple.source = *found;
      from = true;
    } else if (type == CTA_IP_V4_DST || type == CTA_IP_V6_DST) {
      tuple.destination = *found;
      to = true;
    }
  }

  void take_transport(unsigned type, AttributeValue value) {
    switch (type) {
      case CTA_PROTO_NUM:
        tuple.protocol = load_network<std::uint8_t>(value);
        break;
      case CTA_PROTO_SRC_PORT:
        tuple.source_port = load_network<std::uint16_t>(value);
        break;
      case CTA_PROTO_DST_PORT:
        tuple.destination_port = load_network<std::uint16_t>(value);
        break;
      case CTA_PROTO_ICMP_TYPE:
      case CTA_PROTO_ICMPV6_TYPE:
        icmp_type = load_network<std::uint8_t>(value);
        break;
      case CTA_PROTO_ICMP_CODE:
      case CTA_PROTO_ICMPV6_CODE:
        icmp_code = load_network<std::uint8_t>(value);
        break;
      default:
        break;
    }
  }
};

ParsedTuple parse_tuple(AttributeValue attributes) {
  ParsedTuple found;
  for_each_attribute(attributes, [&](unsigned type, AttributeValue value) {
    if (type == CTA_TUPLE_IP)
      for_each_attribute(value, [&](auto... part) { found.take_address(part...); });
    if (type == CTA_TUPLE_PROTO)
      for_each_attribute(value, [&](auto... part) { found.take_transport(part...); });
  });
  return found;
}

CtEntry::Count counted(AttributeValue attributes) {
  CtEntry::Count found;
  for_each_attribute(attributes, [&](unsigned type, AttributeValue value) {
    if (type == CTA_COUNTERS_PACKETS) found.packets = load_network<std::uint64_t>(value);
    if (type == CTA_COUNTERS_BYTES) found.bytes = load_network<std::uint64_t>(value);
  });
  return found;
}

std::optional<std::int64_t> time_of(AttributeValue value) {
  const auto time = load_network<std::uint64_t>(value);
  if (time == 0) return std::nullopt;
  return static_cast<std::int64_t>(time);
}

std::optional<std::uint8_t> tcp_state(AttributeValue protocol_attributes) {
  std::optional<std::uint8_t> state;
  for_each_attribute(protocol_attributes, [&](unsigned protocol, AttributeValue attributes) {
    if (protocol != CTA_PROTOINFO_TCP) return;
    for_each_attribute(attributes, [&](unsigned type, AttributeValue value) {
      if (type == CTA_PROTOINFO_TCP_STATE) state = load<std::uint8_t>(value);
    });
  });
  return state;
}

// What the attributes say, before it is known whether they are all there.
struct EntryAttributes {
  CtEntry entry;
  ParsedTuple original;
  ParsedTuple reply;
  std::optional<CtEntry::Count> original_count;
  std::optional<CtEntry::Count> reply_count;

  void take(unsigned type, AttributeValue value) {
    switch (type) {
      case CTA_TUPLE_ORIG:
        original = parse_tuple(value);
        entry.original_attribute = value;
        break;
      case CTA_TUPLE_REPLY:
        reply = parse_tuple(value);
        break;
      case CTA_ZONE:
        entry.zone_attribute = value;
        break;
      case CTA_MARK:
        entry.mark = load_network<std::uint32_t>(value);
        break;
      case CTA_PROTOINFO:
        entry.tcp_state = tcp_state(value);
        break;
      case CTA_COUNTERS_ORIG:
        original_count = counted(value);
        break;
      case CTA_COUNTERS_REPLY:
        reply_count = counted(value);
        break;
      case CTA_TIMESTAMP:
        for_each_attribute(value, [&](unsigned which, AttributeValue time) {
          if (which == CTA_TIMESTAMP_START) entry.start_ns = time_of(time);
          if (which == CTA_TIMESTAMP_STOP) entry.stop_ns = time_of(time);
        });
        break;
      default:
        break;
    }
  }
};

}  // namespace

std::optional<CtEntry> parse_entry(std::span<const std::byte> message) noexcept {
  const auto header = load<nlmsghdr>(message);
  constexpr std::size_t kHeaders = sizeof(nlmsghdr) + sizeof(nfgenmsg);
  if (!header || NFNL_SUBSYS_ID(header->nlmsg_type) != NFNL_SUBSYS_CTNETLINK) return std::nullopt;
  if (header->nlmsg_len < kHeaders || header->nlmsg_len > message.size()) return std::nullopt;

  EntryAttributes found;
  for_each_attribute(message.first(header->nlmsg_len).subspan(kHeaders),
                     [&](unsigned type, AttributeValue value) { found.take(type, value); });
  if (!found.original.whole() || !found.reply.whole()) return std::nullopt;
  if (found.original.tuple.source.family != found.reply.tuple.source.family) return std::nullopt;
  CtEntry& entry = found.entry;
  entry.original = found.original.tuple;
  entry.reply = found.reply.tuple;
  entry.icmp_type = found.original.icmp_type;
  entry.icmp_code = found.original.icmp_code;
  if (found.original_count && found.reply_count)
    entry.counts = {*found.original_count, *found.reply_count};
  return entry;
}

// Where the tuple goes to, as the host's own chains see it: where its replies come from.
rules::Packet first_packet(const CtEntry& entry) noexcept {
  constexpr std::uint8_t kSyn = 0x02;
  rules::Packet packet;
  packet.source = entry.original.source;
  packet.destination = entry.reply.source;
  packet.protocol = entry.original.protocol;
  packet.hop_limit = 64;
  packet.has_ports = rules::has_ports(packet.protocol);
  if (packet.has_ports) {
    packet.source_port = entry.original.source_port;
    packet.destination_port = entry.reply.source_port;
  }
  packet.has_icmp = packet.protocol == IPPROTO_ICMP || packet.protocol == IPPROTO_ICMPV6;
  if (packet.has_icmp) {
    packet.icmp_type = entry.icmp_type;
    packet.icmp_code = entry.icmp_code;
  }
  if (packet.protocol == IPPROTO_TCP) packet.tcp_flags = kSyn;
  return packet;
}

}  // namespace fwd::kernel
