// What the classifier compares: a packet as a point, a rule as entries. Each entry is one prefix or range of either
// address and one range of either port; everything else a rule asks for is its condition.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <utility>

#include "rules/interface_id.h"
#include "rules/packet.h"
#include "rules/policy.h"

namespace rules::classifier {

// Order of rules: the smallest label decides. 0 and kNoLabel are never a rule's.
using Label = std::uint32_t;
inline constexpr Label kNoLabel = ~Label{0};

// A rule's handle: stays what it is until the rule is removed.
using Slot = std::uint32_t;

__extension__ using Number128 = unsigned __int128;

struct V4 {
  using Number = std::uint32_t;
  static constexpr Family kFamily = Family::V4;
  static constexpr unsigned kBits = 32;
  static Number number(const Address& address) { return static_cast<Number>(address.low); }
  static std::uint32_t top(Number number) { return number; }
};

struct V6 {
  using Number = Number128;
  static constexpr Family kFamily = Family::V6;
  static constexpr unsigned kBits = 128;
  static Number number(const Address& address) { return Number{address.high} << 64U | address.low; }
  static std::uint32_t top(Number number) { return static_cast<std::uint32_t>(number >> 96U); }
};

// The first `bits` bits of an address.
template <typename F>
constexpr typename F::Number prefix_mask(unsigned bits) {
  return bits == 0 ? 0
                   : static_cast<typename F::Number>(~typename F::Number{0} << (F::kBits - bits));
}

// All that isn't address or port in one number, so that a condition is a mask and a value.
namespace kind {
inline constexpr std::uint64_t kNoProtocol = 1U << 8U;  // a protocol that no rule names
inline constexpr std::uint64_t kHasPorts = 1U << 9U;
inline constexpr std::uint64_t kHasIcmp = 1U << 10U;
inline constexpr std::uint64_t kProtocol = 0xffU | kNoProtocol;
inline constexpr unsigned kIcmpTypeShift = 16;
inline constexpr unsigned kIcmpCodeShift = 24;
inline constexpr unsigned kHopLimitShift = 32;
inline constexpr unsigned kInterfaceShift = 40;
inline constexpr std::uint64_t kInterface = ~std::uint64_t{0} << kInterfaceShift;
}  // namespace kind

// Always made by point_of(), or whole: a batch of them isn't cleared first.
template <typename F>
struct Point {
  typename F::Number source;
  typename F::Number destination;
  std::uint16_t source_port;  // 0 in a packet without
  std::uint16_t destination_port;
  std::uint64_t kind;
};

template <typename F>
[[gnu::always_inline]] inline Point<F> point_of(const Packet& packet,
                                                InterfaceId interface) noexcept {
  Point<F> point{F::number(packet.source), F::number(packet.destination), 0, 0, 0};
  point.kind = packet.protocol | std::uint64_t{packet.hop_limit} << kind::kHopLimitShift |
               std::uint64_t{std::to_underlying(interface)} << kind::kInterfaceShift;
  if (packet.has_ports && has_ports(packet.protocol)) {
    point.kind |= kind::kHasPorts;
    point.source_port = packet.source_port;
    point.destination_port = packet.destination_port;
  }
  if (packet.has_icmp) {
    point.kind |= kind::kHasIcmp | std::uint64_t{packet.icmp_type} << kind::kIcmpTypeShift |
                  std::uint64_t{packet.icmp_code} << kind::kIcmpCodeShift;
  }
  return point;
}

// Low bits of the kind that rules most often ask for, for comparing many at once: protocol and interface.
constexpr std::uint16_t tag_of(std::uint64_t kind) {
  return static_cast<std::uint16_t>((kind & 0xffU) | (kind >> kind::kInterfaceShift & 0xffU) << 8U);
}

// From `first` to `first + span`.
struct PortSpan {
  std::uint16_t first = 0;
  std::uint16_t span = 0xffff;

  bool has(std::uint16_t port) const { return static_cast<std::uint16_t>(port - first) <= span; }
  bool operator==(const PortSpan&) const = default;
};

// The two addresses of an entry: IPv4 as ranges, IPv6 as prefixes, so that an entry fits a cache line.
template <typename F>
struct AddressPair;

template <>
struct AddressPair<V4> {
  std::uint32_t source = 0;
  std::uint32_t source_span = ~0U;
  std::uint32_t destination = 0;
  std::uint32_t destination_span = ~0U;

  bool operator==(const AddressPair&) const = default;
  bool has(std::uint32_t from, std::uint32_t to) const {
    // Both without a branch between: which one fails can't be foreseen.
    return static_cast<unsigned>(from - source <= source_span) &
           static_cast<unsigned>(to - destination <= destination_span);
  }
  // How many leading bits all addresses of the range have in common.
  static unsigned common_bits(std::uint32_t first, std::uint32_t span) {
    return static_cast<unsigned>(std::countl_zero(first ^ (first + span)));
  }
  unsigned source_bits() const { return common_bits(source, source_span); }
  unsigned destination_bits() const { return common_bits(destination, destination_span); }
  std::uint32_t source_top_span() const { return source_span; }
  std::uint32_t destination_top_span() const { return destination_span; }
};

// By length: looking a mask up is faster than shifting 128 bits.
inline constexpr auto kPrefixMasks = [] {
  std::array<Number128, V6::kBits + 1> masks{};
  for (unsigned bits = 0; bits < masks.size(); ++bits) masks[bits] = prefix_mask<V6>(bits);
  return masks;
}();

template <>
struct AddressPair<V6> {
  Number128 source = 0;
  Number128 destination = 0;
  std::uint8_t source_length = 0;
  std::uint8_t destination_length = 0;

  bool operator==(const AddressPair&) const = default;
  static std::uint64_t differing(Number128 a, Number128 b, unsigned bits) {
    const Number128 both = (a ^ b) & kPrefixMasks[bits];
    return static_cast<std::uint64_t>(both >> 64U) | static_cast<std::uint64_t>(both);
  }
  bool has(Number128 from, Number128 to) const {
    return (differing(from, source, source_length) |
            differing(to, destination, destination_length)) == 0;
  }
  unsigned source_bits() const { return source_length; }
  unsigned destination_bits() const { return destination_length; }
  std::uint32_t source_top_span() const { return top_span(source_length); }
  std::uint32_t destination_top_span() const { return top_span(destination_length); }
  static std::uint32_t top_span(unsigned bits) { return bits >= 32 ? 0 : ~0U >> bits; }
};

template <typename F>
struct Entry {
  // Parts of `condition` that aren't its number.
  static constexpr std::uint32_t kLast = 1U << 31U;  // of its bucket
  static constexpr std::uint32_t kPending =
      1U << 30U;  // not of every version: ask the rule's lifetime
  static constexpr std::uint32_t kNumber = kPending - 1;

  AddressPair<F> addresses;
  PortSpan source_ports;
  PortSpan destination_ports;
  Label label = 0;
  std::uint32_t condition = 0;

  bool last() const { return (condition & kLast) != 0; }
  bool pending() const { return (condition & kPending) != 0; }
  std::uint32_t condition_number() const { return condition & kNumber; }

  // Everything but the condition.
  bool spans(const Point<F>& point) const {
    return static_cast<unsigned>(addresses.has(point.source, point.destination)) &
           static_cast<unsigned>(source_ports.has(point.source_port)) &
           static_cast<unsigned>(destination_ports.has(point.destination_port));
  }
};

static_assert(sizeof(Entry<V4>) == 32);
static_assert(sizeof(Entry<V6>) == 64);

}  // namespace rules::classifier
