// The reader's side of the tables: what a lookup walks through. A directory is immutable; of what it leads to, a table's
// slots are the only thing that changes while somebody reads, each by one atomic store (see store.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "rules/classifier/bucket.h"
#include "rules/classifier/choose.h"
#include "rules/classifier/entry.h"
#include "rules/classifier/linear_list.h"
#include "rules/classifier/shape.h"

namespace rules::classifier {

inline constexpr unsigned kMaxSlotBits = 24;  // the filter takes the lowest 8 bits of a hash

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

// The same once more, by columns: what one packet needs of all tables and masks at once (see search_avx512.cc).
template <typename F>
struct alignas(64) Columns {
  static constexpr std::size_t kWords = F::kBits / 32;
  static constexpr std::size_t kTables = (kMostTables + 15) / 16 * 16;
  template <std::size_t count>
  using Column = std::array<std::uint32_t, count>;

  std::array<Column<kMostLevels>, kWords> sources{};  // words of the masks, the highest first
  std::array<Column<kMostLevels>, kWords> destinations{};
  Column<kMostLevels> ports{};
  Column<kMostLevels> interfaces{};
  Column<kTables> source{};  // of each table, as in Table
  Column<kTables> destination{};
  Column<kTables> fields{};
  Column<kTables> shift{};
  std::array<const BucketSlot*, kTables> slots{};
};

template <typename F>
struct Directory {
  Levels<typename F::Number> sources;
  Levels<typename F::Number> destinations;
  Levels<FieldMask> fields;
  std::array<Table, kMostTables> tables;  // by their smallest label
  std::size_t table_count = 0;
  Columns<F> columns;
  const std::uint32_t* buckets = nullptr;
  LinearList<F> list;
  Label list_first = kNoLabel;  // its smallest label

  const std::uint32_t* bucket(const BucketRef& ref) const {
    return buckets + std::size_t{ref.offset} * Row<F>::kEntryWords;
  }
  // Once masks and tables are there.
  void fill_columns();
};

template <typename F>
void Directory<F>::fill_columns() {
  const auto word = [](typename F::Number number, std::size_t at) {
    return static_cast<std::uint32_t>(number >> (32 * (Columns<F>::kWords - 1 - at)));
  };
  for (std::size_t level = 0; level < kMostLevels; ++level) {
    for (std::size_t at = 0; at < Columns<F>::kWords; ++at) {
      columns.sources[at][level] = word(sources.masks[level], at);
      columns.destinations[at][level] = word(destinations.masks[level], at);
    }
    columns.ports[level] = fields.masks[level].ports;
    columns.interfaces[level] = fields.masks[level].interface;
  }
  for (std::size_t at = 0; at < table_count; ++at) {
    columns.source[at] = tables[at].source;
    columns.destination[at] = tables[at].destination;
    columns.fields[at] = tables[at].fields;
    columns.shift[at] = tables[at].shift;
    columns.slots[at] = tables[at].slots;
  }
}

}  // namespace rules::classifier
