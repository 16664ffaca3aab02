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

// What all entries of a block are compared by at once. Of IPv6 addresses the first 32 bits.
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

template <typename F>
BlockPoint block_point(const Point<F>& point) {
  return {F::top(point.source), F::top(point.destination), point.source_port,
          point.destination_port, tag_of(point.kind)};
}

template <typename F>
struct Block {
  BlockKeys keys;
  std::size_t count = 0;
  std::array<Entry<F>, kBlock> entries;
  std::array<Slot, kBlock> owners;

  void set(std::size_t at, const Entry<F>& entry, Slot owner, const KindTest& kind);
  void insert(std::size_t at, const Entry<F>& entry, Slot owner, const KindTest& kind);
  void erase(std::size_t at);
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

// Bit i: entry i of the block spans the point, as far as the keys tell.
using BlockScan = std::uint64_t (*)(const BlockKeys& keys, const BlockPoint& point);
// The fastest that this processor runs.
BlockScan block_scan();
std::uint64_t scan_block_portably(const BlockKeys& keys, const BlockPoint& point);

}  // namespace rules::classifier
