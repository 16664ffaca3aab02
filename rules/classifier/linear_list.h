// The entries that no table has room for, in the order of their labels, in blocks laid out for comparing many entries at
// once. A list is a value: changing a copy copies the blocks that differ.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "rules/classifier/condition.h"
#include "rules/classifier/entry.h"

namespace rules::classifier {

inline constexpr std::size_t kBlock = 64;

// What all entries of a block are compared by at once. Of IPv6 addresses one word.
struct alignas(64) BlockKeys {
  std::array<std::uint32_t, kBlock> source{};
  std::array<std::uint32_t, kBlock> source_span{};
  std::array<std::uint32_t, kBlock> destination{};
  std::array<std::uint32_t, kBlock> destination_span{};
  std::array<std::uint16_t, kBlock> source_port{};
  std::array<std::uint16_t, kBlock> source_port_span{};
  std::array<std::uint16_t, kBlock> destination_port{};
  std::array<std::uint16_t, kBlock> destination_port_span{};
  std::array<std::uint16_t, kBlock> tag{};  // tag_of() the kind
  std::array<std::uint16_t, kBlock> tag_mask{};
};

struct BlockPoint {
  std::uint32_t source;
  std::uint32_t destination;
  std::uint16_t source_port;
  std::uint16_t destination_port;
  std::uint16_t tag;
};

// Bit i: what stands in the block's place i spans the point.
using BlockScan = std::uint64_t (*)(const BlockKeys& keys, const BlockPoint& point);

template <typename F>
struct Block {
  BlockKeys keys;
  std::size_t count = 0;
  unsigned source_word =
      0;  // which of an IPv6 address is among the keys: the first in which entries differ
  unsigned destination_word = 0;
  std::array<Entry<F>, kBlock> entries;
  std::array<Slot, kBlock> owners;

  BlockPoint point(const Point<F>& from) const {
    return {F::word(from.source, source_word), F::word(from.destination, destination_word),
            from.source_port(), from.destination_port(), tag_of(from.kind)};
  }
  // Bit i: entry i spans the point, as far as the keys tell.
  std::uint64_t scan(BlockScan scan_keys, const Point<F>& from) const {
    const std::uint64_t hits = scan_keys(keys, point(from));
    return count < kBlock ? hits & ((std::uint64_t{1} << count) - 1) : hits;
  }

  void insert(std::size_t at, const Entry<F>& entry, Slot owner, const KindTest& kind);
  void erase(std::size_t at);

 private:
  void set_addresses(std::size_t at);
  void choose_words();
};

template <typename F>
class LinearList {
 public:
  using Blocks = std::vector<std::shared_ptr<const Block<F>>>;

  const Blocks& blocks() const { return blocks_; }
  std::size_t size() const;
  std::size_t memory_bytes() const { return blocks_.size() * sizeof(Block<F>); }

  // `kind` is the entry's condition's.
  void insert(const Entry<F>& entry, Slot owner, const KindTest& kind);
  // False where none of them is in the list.
  bool mark_pending(Label label, Slot owner);
  bool erase(Label label, Slot owner);

 private:
  // The first block that may hold the label.
  std::size_t block_of(Label label) const;
  // Calls change(block copy, position) for every entry of the owner's.
  template <typename Change>
  bool change_entries(Label label, Slot owner, const Change& change);

  Blocks blocks_;
};

std::uint64_t scan_block_portably(const BlockKeys& keys, const BlockPoint& point);
#if defined(__x86_64__)
std::uint64_t scan_block_avx2(const BlockKeys& keys, const BlockPoint& point);
std::uint64_t scan_block_avx512(const BlockKeys& keys, const BlockPoint& point);
#endif

}  // namespace rules::classifier
