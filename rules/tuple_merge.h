// Which hash table holds which piece: a few tables of relaxed shapes, chosen so that their buckets
// stay small (TupleMerge: Daly et al., IEEE/ACM ToN 2019, doi 10.1109/TNET.2019.2920718).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rules/kernel_piece.h"

namespace rules {

// A table, or no table: the list that is gone through one by one.
using Place = std::optional<Shape>;

// The bits of the piece's packets that a table of this shape looks at, as text.
std::string bucket_name(const Piece& piece, const Shape& shape);

// As fields of a key, in the order of bucket_key().
std::vector<nft::KeyPart> key_parts(const Shape& shape, std::optional<Family> family);
std::vector<nft::Value> bucket_key(const Piece& piece, const Shape& shape);

// Everything of a piece that a table can look at, as plain numbers.
struct Point {
  Shape shape;
  std::array<std::uint64_t, 4> addresses{};
  std::uint64_t fields = 0;
};
Point point_of(const Piece& piece);

// Of what a table of this shape sees of the point: two buckets may share a number, though they hardly will.
std::uint64_t bucket_of(const Point& point, const Shape& shape);
bool share_bucket(const Point& one, const Point& other, const Shape& shape);

inline constexpr std::size_t kShortList = 24;  // as many pieces need no table
inline constexpr std::size_t kBucket = 8;      // more than that only where no table has room

// Of pieces in order of their labels, all of one family.
std::vector<Place> place(std::vector<Point> points);

// The shape of one more table, beside those of these shapes, that takes most of what is in none; nothing where none would
// take much, or there are as many tables as there may be.
std::optional<Shape> shape_of_table(std::vector<Point> points, const std::vector<Shape>& tables);

}  // namespace rules
