// The reader's side of the tables: what a lookup walks through. A directory is immutable; of what it leads to, a table's
// slots are the only thing that changes while somebody reads, each by one atomic store (see store.h).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "rules/classifier/choose.h"
#include "rules/classifier/entry.h"
#include "rules/classifier/linear_list.h"
#include "rules/classifier/shape.h"

namespace rules::classifier {

// Where a table's bucket is, and enough about it to pass it by: two bits of a filter for each hash in it, and the upper
// half of its smallest label. All zero: no bucket.
struct BucketRef {
  std::uint32_t offset = 0;
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
    return offset | std::uint64_t{filter} << 32U | std::uint64_t{floor} << 48U;
  }
  static BucketRef unpacked(std::uint64_t bits) {
    return {static_cast<std::uint32_t>(bits), static_cast<std::uint16_t>(bits >> 32U),
            static_cast<std::uint16_t>(bits >> 48U)};
  }
};

using BucketSlot = std::atomic<std::uint64_t>;  // BucketRef::packed()
inline constexpr unsigned kMaxSlotBits = 24;    // the filter takes the lowest 8 bits of a hash

struct Table {
  std::uint8_t source = 0;  // which of the directory's masks
  std::uint8_t destination = 0;
  std::uint8_t fields = 0;
  std::uint8_t shift = 0;  // of the hash, for the number of the slot
  Label first = kNoLabel;  // no entry has a smaller one
  const BucketSlot* slots = nullptr;
};

// The different masks of the tables' shapes.
template <typename Mask>
struct Levels {
  std::array<Mask, kMostLevels> masks{};
  std::size_t count = 0;

  std::uint8_t number_of(const Mask& mask) {
    std::size_t at = 0;
    while (at < count && !(masks[at] == mask)) ++at;
    if (at == count) masks[count++] = mask;
    return static_cast<std::uint8_t>(at);
  }
};

template <typename F>
struct Directory {
  Levels<typename F::Number> sources;
  Levels<typename F::Number> destinations;
  Levels<FieldMask> fields;
  std::array<Table, kMostTables> tables;  // by their smallest label
  std::size_t table_count = 0;
  const Entry<F>* entries = nullptr;  // of all buckets
  const Slot* owners = nullptr;       // of `entries`
  LinearList<F> list;
};

}  // namespace rules::classifier
