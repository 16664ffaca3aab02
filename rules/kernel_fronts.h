// Hash tables from all that a piece tests to its rule's label, ahead of the other tables of what comes in. A piece that
// goes there changes no chain; for one that changes, the kernel goes through all chains at the commit, which with many
// rules takes it longer than all else (net/netfilter/nf_tables_api.c, nft_table_validate).
//
// They are looked into one after the other, and whatever is found is the packet's label from then on. So a piece has its
// place there only where its label is smaller than those of the pieces before it that match some of its packets, and
// larger than those behind it.
//
// A label that is found takes the place of the packet's whole priority, also of the low bits, which belong to others and
// become 0: before kernel 6.13 nothing can put two registers together. Of what comes in hardly anybody reads them; what
// goes out has no fronts. While an element gets another label, a packet on its way may find the new label, or none, among
// chains of the old policy: what these decide has the old generation, and is decided again.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "rules/kernel_group.h"
#include "rules/kernel_piece.h"
#include "rules/tuple_merge.h"

namespace rules {

// One for all pieces of a shape. Every packet that comes in and that the copy decides looks into each.
struct Front {
  std::optional<Family> family;
  Shape shape;

  bool operator==(const Front&) const = default;
};
std::string front_name(const Front& front);

class KernelFronts {
 public:
  using Index = std::size_t;
  struct Item {
    PieceOf piece;
    Point point;
  };
  struct Filled {
    Front front;
    std::vector<Item> items;  // sorted by their pieces
  };

  // Those for what comes most, in this order: a service for anybody, one for a host, anything from a host. Others open
  // behind them with the first piece that needs one.
  void open();
  bool is_open() const { return !fronts_.empty(); }
  const std::vector<Filled>& all() const { return fronts_; }

  // Where it went; nothing where it has no place in its front, or there are twelve fronts or 1024 pieces, which stay until
  // they are removed or everything is placed anew. Its shape must be all that it tests.
  std::optional<Index> add(const PieceOf& piece, std::optional<Family> family, const Point& point);
  std::optional<Index> remove(const PieceOf& piece);
  bool has(const PieceOf& piece) const;

 private:
  bool fits(const PieceOf& piece, const Point& point, const Front& front, Index at) const;

  std::vector<Filled> fronts_;
  std::size_t count_ = 0;  // of all items
};

}  // namespace rules
