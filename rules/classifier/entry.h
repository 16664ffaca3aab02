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
  static Address address(Number number) { return Address::v4(number); }
  // 32 bits of a number, the highest first.
  static std::uint32_t word(Number number, unsigned /*at*/) { return number; }
};

struct V6 {
  using Number = Number128;
  static constexpr Family kFamily = Family::V6;
  static constexpr unsigned kBits = 128;
  static Number number(const Address& address) { return Number{address.high} << 64U | address.low; }
  static Address address(Number number) {
    return Address::v6(static_cast<std::uint64_t>(number >> 64U),
                       static_cast<std::uint64_t>(number));
  }
  static std::uint32_t word(Number number, unsigned at) {
    return static_cast<std::uint32_t>(number >> (96U - 32U * at));
  }
};

// The first `bits` bits of an address.
template <typename F>
constexpr typename F::Number prefix_mask(unsigned bits) {
  return bits == 0 ? 0
                   : static_cast<typename F::Number>(~typename F::Number{0} << (F::kBits - bits));
}

// All that isn't address or port in one number, so that a condition is a mask and a value. What rules ask for most often
// stands in the lowest 27 bits: see short conditions in condition.h.
namespace kind {
inline constexpr std::uint64_t kNoProtocol = 1U << 8U;  // a protocol that no rule names
inline constexpr std::uint64_t kHasPorts = 1U << 9U;
inline constexpr unsigned kInterfaceShift = 10;            // its lowest 16 bits
inline constexpr std::uint64_t kFarInterface = 1U << 26U;  // there are more, at kInterfaceRestShift
inline constexpr std::uint64_t kHasIcmp = 1U << 27U;
inline constexpr unsigned kIcmpTypeShift = 32;
inline constexpr unsigned kIcmpCodeShift = 40;
inline constexpr unsigned kHopLimitShift = 48;
inline constexpr unsigned kInterfaceRestShift = 56;
inline constexpr std::uint64_t kProtocol = 0xffU | kNoProtocol;
inline constexpr std::uint64_t kInterface = std::uint64_t{0xffff} << kInterfaceShift |
                                            kFarInterface |
                                            std::uint64_t{0xff} << kInterfaceRestShift;

constexpr std::uint64_t of_interface(InterfaceId interface) {
  const std::uint64_t number = std::to_underlying(interface);
  return (number & 0xffffU) << kInterfaceShift | (number >> 16U != 0 ? kFarInterface : 0) |
         number >> 16U << kInterfaceRestShift;
}
// As much of the interface as a hash table looks at.
constexpr std::uint32_t interface_bits(std::uint64_t kind) {
  return static_cast<std::uint32_t>(kind >> kInterfaceShift) & 0xffffU;
}
}  // namespace kind

// Always made by point_of(), or whole: a batch of them isn't cleared first.
template <typename F>
struct Point {
  typename F::Number source;
  typename F::Number destination;
  std::uint32_t ports;  // the source port in the upper half; 0 in a packet without
  std::uint64_t kind;

  std::uint16_t source_port() const { return static_cast<std::uint16_t>(ports >> 16U); }
  std::uint16_t destination_port() const { return static_cast<std::uint16_t>(ports); }
};

constexpr std::uint32_t both_ports(std::uint16_t source, std::uint16_t destination) {
  return std::uint32_t{source} << 16U | destination;
}

// Bit i: protocol i has ports.
inline constexpr auto kWithPorts = [] {
  std::array<std::uint64_t, 4> bits{};
  for (unsigned number = 0; number < 256; ++number)
    bits[number / 64] |= std::uint64_t{has_ports(static_cast<std::uint8_t>(number))} << number % 64;
  return bits;
}();

template <typename F>
[[gnu::always_inline]] inline Point<F> point_of(const Packet& packet,
                                                InterfaceId interface) noexcept {
  // Without a branch: what comes next of ports and ICMP can't be foreseen.
  const auto where = [](bool there) { return 0U - static_cast<std::uint32_t>(there); };
  const std::uint32_t ported =
      where(packet.has_ports) &
      where((kWithPorts[packet.protocol / 64U] >> packet.protocol % 64U & 1U) != 0);
  const std::uint64_t icmp = std::uint64_t{packet.icmp_type} << kind::kIcmpTypeShift |
                             std::uint64_t{packet.icmp_code} << kind::kIcmpCodeShift |
                             kind::kHasIcmp;
  return {F::number(packet.source), F::number(packet.destination),
          both_ports(packet.source_port, packet.destination_port) & ported,
          packet.protocol | (ported & kind::kHasPorts) | (packet.has_icmp ? icmp : 0) |
              std::uint64_t{packet.hop_limit} << kind::kHopLimitShift |
              kind::of_interface(interface)};
}

// Low bits of the kind that rules most often ask for, for comparing many at once: protocol and interface.
constexpr std::uint16_t tag_of(std::uint64_t kind) {
  return static_cast<std::uint16_t>((kind & 0xffU) | (kind::interface_bits(kind) & 0xffU) << 8U);
}

// From `first` to `first + span`.
struct PortSpan {
  std::uint16_t first = 0;
  std::uint16_t span = 0xffff;

  bool has(std::uint16_t port) const { return static_cast<std::uint16_t>(port - first) <= span; }
  bool operator==(const PortSpan&) const = default;
};

// The two addresses of an entry: IPv4 as ranges, IPv6 as prefixes, so that an entry is no more than a cache line.
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
  // From the smallest number to the greatest that a word of the addresses can be, whatever the other words are.
  std::uint32_t source_word_span(unsigned /*at*/) const { return source_span; }
  std::uint32_t destination_word_span(unsigned /*at*/) const { return destination_span; }
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
  std::uint32_t source_word_span(unsigned at) const { return word_span(source_length, at); }
  std::uint32_t destination_word_span(unsigned at) const {
    return word_span(destination_length, at);
  }
  static std::uint32_t word_span(unsigned bits, unsigned at) {
    if (bits <= 32 * at) return ~0U;
    return bits >= 32 * (at + 1) ? 0 : ~0U >> (bits - 32 * at);
  }
};

template <typename F>
struct Entry {
  // Part of `condition`: not of every version, ask the rule's lifetime.
  static constexpr std::uint32_t kPending = 1U << 31U;

  AddressPair<F> addresses;
  PortSpan source_ports;
  PortSpan destination_ports;
  Label label = 0;
  std::uint32_t condition = 0;  // see condition.h

  bool pending() const { return (condition & kPending) != 0; }
  std::uint32_t condition_word() const { return condition & ~kPending; }

  // Whatever their labels are, and for whom they are there.
  bool same_piece(const Entry& other) const {
    return addresses == other.addresses && source_ports == other.source_ports &&
           destination_ports == other.destination_ports &&
           condition_word() == other.condition_word();
  }

  // Everything but the condition.
  bool spans(const Point<F>& point) const {
    return static_cast<unsigned>(addresses.has(point.source, point.destination)) &
           static_cast<unsigned>(source_ports.has(point.source_port())) &
           static_cast<unsigned>(destination_ports.has(point.destination_port()));
  }
};

}  // namespace rules::classifier
