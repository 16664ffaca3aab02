// The pieces of one direction that are of one family, or of either: in hash tables, or in a list.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rules/labels.h"
#include "rules/policy.h"
#include "rules/tuple_merge.h"

namespace rules {

// A piece of the rule that has the label.
struct PieceOf {
  Label label = 0;
  std::uint32_t piece = 0;

  auto operator<=>(const PieceOf&) const = default;
};

class KernelGroup {
 public:
  struct Item {
    std::uint64_t bucket;
    PieceOf piece;

    auto operator<=>(const Item&) const = default;
  };
  struct Table {
    Shape shape;
    Label first;              // of all its pieces
    std::vector<Item> items;  // sorted: so those of one bucket are together, in order
  };
  using PointOf = std::function<Point(const PieceOf& piece)>;

  // What of a group the chain says that leads to its tables and its list.
  struct Summary {
    std::vector<std::pair<Label, Shape>> tables;  // in the order in which they are looked into
    std::optional<Label> list;

    bool empty() const { return tables.empty() && !list; }
    bool operator==(const Summary&) const = default;
  };

  KernelGroup(Direction direction, std::optional<Family> family)
      : direction_(direction), family_(family) {}

  Direction direction() const { return direction_; }
  const std::optional<Family>& family() const { return family_; }
  std::string name() const;  // "in4"
  std::string table_name(const Shape& shape) const;

  // Into the emptiest bucket that a table has for it, if that isn't too full; nobody else moves.
  // `point_of` tells what is there already.
  Place add(const PieceOf& piece, const Point& point, const PointOf& point_of);
  Place remove(const PieceOf& piece, const Point& point);
  // Places all that there is, in order, and puts it in place of what is there. Where that leaves as many in
  // the list as there are, nobody moves: false.
  bool place_anew(const std::vector<PieceOf>& pieces, const std::vector<Point>& points);
  // One more table for what is in the list, if it is worth it: its shape, and those that have gone there from the list,
  // which these points are of.
  struct Opened {
    Shape shape;
    std::vector<PieceOf> pieces;
  };
  std::optional<Opened> open_table(const std::vector<Point>& points);
  // Whether the list has become too long to leave everybody where he is.
  bool overgrown() const { return list_.size() > kShortList + list_when_placed_; }
  void clear();

  const std::vector<Table>& tables() const { return tables_; }
  const Table* table(const Shape& shape) const;
  static std::span<const Item> bucket(const Table& table, std::uint64_t bucket);
  const std::vector<PieceOf>& list() const { return list_; }
  Summary summary() const;

 private:
  void fill(const std::vector<PieceOf>& pieces, const std::vector<Point>& points,
            const std::vector<Place>& places);

  Direction direction_;
  std::optional<Family> family_;
  std::vector<Table> tables_;
  std::vector<PieceOf> list_;  // sorted
  std::size_t list_when_placed_ = 0;
};

}  // namespace rules
