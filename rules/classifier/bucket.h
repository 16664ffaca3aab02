// How the buckets of a family's tables lie in memory: a bucket is rows of at most eight entries, and a row has one field of
// all its entries after the other, so that one comparison in a wide register is of eight entries. Full rows come first.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "rules/classifier/entry.h"

namespace rules::classifier {

inline constexpr std::size_t kRow = 8;
inline constexpr std::size_t kLongBucket = 32;  // no bucket has more entries

// Where a table's bucket is, and enough about it to pass it by: two bits of a filter for each hash in it, and the upper
// half of its smallest label. All zero: no bucket.
struct BucketRef {
  static constexpr unsigned kOffsetBits = 26;
  static constexpr unsigned kFilterShift = 32;
  static constexpr unsigned kFloorShift = 48;

  std::uint32_t offset = 0;  // in entries
  std::uint8_t length = 0;   // likewise
  std::uint16_t filter = 0;
  std::uint16_t floor = 0;

  bool may_hold(std::uint32_t hash) const {
    return (filter >> (hash & 15U) & filter >> (hash >> 4U & 15U) & 1) != 0;
  }
  static std::uint16_t filter_of(std::uint32_t hash) {
    return static_cast<std::uint16_t>(1U << (hash & 15U) | 1U << (hash >> 4U & 15U));
  }
  static std::uint16_t floor_of(Label label) { return static_cast<std::uint16_t>(label >> 16U); }

  std::uint64_t packed() const {
    return offset | std::uint64_t{length} << kOffsetBits | std::uint64_t{filter} << kFilterShift |
           std::uint64_t{floor} << kFloorShift;
  }
  static BucketRef unpacked(std::uint64_t bits) {
    const auto low = static_cast<std::uint32_t>(bits);
    return {low & ((1U << kOffsetBits) - 1), static_cast<std::uint8_t>(low >> kOffsetBits),
            static_cast<std::uint16_t>(bits >> kFilterShift),
            static_cast<std::uint16_t>(bits >> kFloorShift)};
  }
};
static_assert(kLongBucket < 1U << (32 - BucketRef::kOffsetBits));

using BucketSlot = std::atomic<std::uint64_t>;  // BucketRef::packed()

// The addresses' words of one entry. IPv4: each address and its span. IPv6: the halves of each address, the lower word of
// each half first; and how far each of them is shifted to the right for what isn't in the prefix to be gone, one byte
// each. Halves are in pairs of words, so that a row has all words of the first half side by side.
template <typename F>
struct AddressWords;

template <>
struct AddressWords<V4> {
  static constexpr std::size_t kCount = 4;

  static bool has(const std::uint32_t* row, std::size_t count, std::size_t at,
                  const Point<V4>& point) {
    const std::uint32_t* const w = row + at;
    return static_cast<unsigned>(point.source - w[0] <= w[count]) &
           static_cast<unsigned>(point.destination - w[2 * count] <= w[3 * count]);
  }
  static void write(std::uint32_t* row, std::size_t count, std::size_t at,
                    const AddressPair<V4>& pair) {
    std::uint32_t* const w = row + at;
    w[0] = pair.source;
    w[count] = pair.source_span;
    w[2 * count] = pair.destination;
    w[3 * count] = pair.destination_span;
  }
  static AddressPair<V4> read(const std::uint32_t* row, std::size_t count, std::size_t at) {
    const std::uint32_t* const w = row + at;
    return {w[0], w[count], w[2 * count], w[3 * count]};
  }
};

template <>
struct AddressWords<V6> {
  static constexpr std::size_t kCount = 9;
  static constexpr std::size_t kShifts = 8;  // the word of the shifts

  static std::uint64_t half(const std::uint32_t* row, std::size_t count, std::size_t at,
                            std::size_t number) {
    const std::uint32_t* const w = row + 2 * (number * count + at);
    return w[0] | std::uint64_t{w[1]} << 32U;
  }
  static Number128 address(const std::uint32_t* row, std::size_t count, std::size_t at,
                           std::size_t number) {
    return Number128{half(row, count, at, number)} << 64U | half(row, count, at, number + 1);
  }
  // Of the prefix in both halves whose shifts these are.
  static unsigned length(std::uint32_t shifts) {
    return 128 - (shifts & 0xffU) - (shifts >> 8U & 0xffU);
  }

  static bool has(const std::uint32_t* row, std::size_t count, std::size_t at,
                  const Point<V6>& point) {
    const std::uint32_t shifts = row[kShifts * count + at];
    return (AddressPair<V6>::differing(point.source, address(row, count, at, 0), length(shifts)) |
            AddressPair<V6>::differing(point.destination, address(row, count, at, 2),
                                       length(shifts >> 16U))) == 0;
  }
  static void write(std::uint32_t* row, std::size_t count, std::size_t at,
                    const AddressPair<V6>& pair) {
    const auto put = [&](std::size_t number, Number128 value) {
      std::uint32_t* const w = row + 2 * (number * count + at);
      w[0] = static_cast<std::uint32_t>(value);
      w[1] = static_cast<std::uint32_t>(value >> 32U);
    };
    put(0, pair.source >> 64U);
    put(1, pair.source);
    put(2, pair.destination >> 64U);
    put(3, pair.destination);
    row[kShifts * count + at] = shifts(pair.source_length) | shifts(pair.destination_length) << 16U;
  }
  static std::uint32_t shifts(unsigned length) {
    const unsigned high = 64 - std::min(length, 64U);
    return high | (128 - length - high) << 8U;
  }
  static AddressPair<V6> read(const std::uint32_t* row, std::size_t count, std::size_t at) {
    const std::uint32_t shifts = row[kShifts * count + at];
    return {address(row, count, at, 0), address(row, count, at, 2),
            static_cast<std::uint8_t>(length(shifts)),
            static_cast<std::uint8_t>(length(shifts >> 16U))};
  }
};

// One row, of `count` entries in the order of their labels.
template <typename F, typename Word = const std::uint32_t>
struct Row {
  using Addresses = AddressWords<F>;
  // Behind the addresses: fields of one word each.
  enum Field : std::size_t { Ports, PortSpans, Labels, ConditionWords, Owners, Fields };
  static constexpr std::size_t kEntryWords = Addresses::kCount + Fields;

  Word* words;
  std::size_t count;

  Word* field(Field number) const { return words + (Addresses::kCount + number) * count; }
  Label label(std::size_t at) const { return field(Labels)[at]; }
  Word& condition(std::size_t at) const { return field(ConditionWords)[at]; }
  Word& owner(std::size_t at) const { return field(Owners)[at]; }

  // Everything but the condition.
  bool spans(std::size_t at, const Point<F>& point) const {
    const std::uint32_t ports = field(Ports)[at];
    const std::uint32_t span = field(PortSpans)[at];
    const auto from = static_cast<std::uint16_t>(point.source_port() - (ports >> 16U));
    const auto to = static_cast<std::uint16_t>(point.destination_port() - (ports & 0xffffU));
    return static_cast<unsigned>(Addresses::has(words, count, at, point)) &
           static_cast<unsigned>(from <= span >> 16U) &
           static_cast<unsigned>(to <= (span & 0xffffU));
  }

  void write(std::size_t at, const Entry<F>& entry, Slot entry_owner) const {
    Addresses::write(words, count, at, entry.addresses);
    field(Ports)[at] = both_ports(entry.source_ports.first, entry.destination_ports.first);
    field(PortSpans)[at] = both_ports(entry.source_ports.span, entry.destination_ports.span);
    field(Labels)[at] = entry.label;
    condition(at) = entry.condition;
    owner(at) = entry_owner;
  }
  Entry<F> read(std::size_t at) const {
    const auto span = [&](unsigned shift) {
      return PortSpan{static_cast<std::uint16_t>(field(Ports)[at] >> shift),
                      static_cast<std::uint16_t>(field(PortSpans)[at] >> shift)};
    };
    return {Addresses::read(words, count, at), span(16), span(0), label(at), condition(at)};
  }
};

// The row of a bucket of `length` entries from `words` that starts with its entry `first`.
template <typename F, typename Word>
Row<F, Word> row_of(Word* words, std::size_t length, std::size_t first) {
  return {words + first * Row<F>::kEntryWords, std::min(kRow, length - first)};
}

}  // namespace rules::classifier
