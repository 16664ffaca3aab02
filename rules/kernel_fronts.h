// Hash tables from all that a piece tests to its rule's label, ahead of the other tables of what comes in. A piece that
// goes there changes no chain; for one that changes, the kernel goes through all chains at the commit, which with many
// rules takes it longer than all else (net/netfilter/nf_tables_api.c, nft_table_validate).
//
// They are looked into one after the other, and whatever is found is the packet's label from then on. So a piece has its
// place there only where its label is smaller than those of the pieces before it that match some of its packets, and
// larger than those behind it. A label that is found takes the place of the packet's whole priority, also of the bits
// that belong to others: nobody reads these of a packet that comes in.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "rules/kernel_group.h"
#include "rules/kernel_piece.h"
#include "rules/tuple_merge.h"

namespace rules {

struct Front {
  std::optional<Family> family;
  Shape shape;
};

// In the order in which they are looked into: a service for anybody, one for a host, anything from a host.
inline constexpr std::array kFronts = std::to_array<Front>({
    {std::nullopt, {.protocol = true, .destination_port = true}},
    {Family::V4, {.source = 32, .protocol = true, .destination_port = true}},
    {Family::V6, {.source = 128, .protocol = true, .destination_port = true}},
    {Family::V4, {.source = 32}},
    {Family::V6, {.source = 128}},
});

class KernelFronts {
 public:
  using Index = std::size_t;  // of kFronts

  // Closed, there are none in the kernel.
  bool is_open() const { return open_; }
  void open() { open_ = true; }

  // Where it went; nothing where there is no front of its shape, or no place for it. Its shape must be all that
  // it tests.
  std::optional<Index> add(const PieceOf& piece, std::optional<Family> family, const Point& point);
  std::optional<Index> remove(const PieceOf& piece);
  bool has(const PieceOf& piece) const;

  std::vector<PieceOf> pieces(Index front) const;

 private:
  struct Item {
    PieceOf piece;
    Point point;
  };

  bool fits(const PieceOf& piece, const Point& point, Index front) const;

  bool open_ = false;
  std::array<std::vector<Item>, kFronts.size()> items_;  // sorted by their pieces
};

std::string front_name(const Front& front);

}  // namespace rules
