// Which hash table holds which piece: a few tables of relaxed shapes, chosen so that their buckets
// stay small (TupleMerge: Daly et al., IEEE/ACM ToN 2019, doi 10.1109/TNET.2019.2920718).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
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

struct Placement {
  std::vector<Place> places;  // of each piece
  std::size_t list = 0;       // how many are in no table, if all were placed anew
};

// Pieces in order of their labels, all of one family. `before` says where each piece was, nothing for
// a new one; `list_before` is Placement::list of then. Nobody moves while the list stays short.
Placement place(std::span<const Piece* const> pieces, std::span<const std::optional<Place>> before,
                std::size_t list_before);

}  // namespace rules
