// Which bits of a packet a hash table looks at, and their hash. A table's hash is the exclusive or of three, one for
// each address and one for the other fields: tables share lengths of prefixes, so that few have to be computed.
#pragma once

#include <cstdint>

#include "rules/classifier/entry.h"

namespace rules::classifier {

// The fields other than addresses that a shape may look at.
struct FieldMask {
  std::uint32_t ports = 0;  // source port in the upper half
  std::uint32_t interface = 0;

  bool operator==(const FieldMask&) const = default;
  bool within(const FieldMask& other) const {
    return (ports & ~other.ports) == 0 && (interface & ~other.interface) == 0;
  }
};

struct Shape {
  std::uint8_t source = 0;  // bits of the prefix
  std::uint8_t destination = 0;
  FieldMask fields;

  bool operator==(const Shape&) const = default;
  // Whether a table of this shape can hold what has all the bits of the other.
  bool within(const Shape& other) const {
    return source <= other.source && destination <= other.destination &&
           fields.within(other.fields);
  }
};

// Avalanche of MurmurHash3 (A. Appleby): every bit in depends on every bit out.
constexpr std::uint32_t mix(std::uint32_t value) {
  value = (value ^ value >> 16U) * 0x85ebca6bU;
  value = (value ^ value >> 13U) * 0xc2b2ae35U;
  return value ^ value >> 16U;
}

inline constexpr std::uint32_t kSourceSeed = 0x9e3779b9U;
inline constexpr std::uint32_t kDestinationSeed = 0x7f4a7c15U;
inline constexpr std::uint32_t kFieldSeed = 0x165667b1U;
inline constexpr std::uint32_t kInterfaceFactor = 0x27d4eb2fU;

inline std::uint32_t fold(std::uint32_t number) {
  return number;
}
inline std::uint32_t fold(Number128 number) {
  const auto word = [&](unsigned shift) { return static_cast<std::uint32_t>(number >> shift); };
  return word(96) + word(64) * 0x9e3779b1U + word(32) * 0x85ebca77U + word(0) * 0xc2b2ae3dU;
}

template <typename Number>
std::uint32_t address_hash(Number number, Number mask, std::uint32_t seed) {
  return mix(fold(number & mask) + seed);
}

inline std::uint32_t field_hash(std::uint32_t ports, std::uint32_t interface,
                                const FieldMask& mask) {
  return mix((ports & mask.ports) + (interface & mask.interface) * kInterfaceFactor + kFieldSeed);
}

template <typename F>
std::uint32_t field_hash(const Point<F>& point, const FieldMask& mask) {
  return field_hash(point.ports, kind::interface_bits(point.kind), mask);
}

}  // namespace rules::classifier
