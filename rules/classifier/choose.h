// Which tables a set of entries gets: a few relaxed shapes, each taking the entries for which it has small buckets
// (TupleMerge: Daly et al., IEEE/ACM ToN 2019, doi 10.1109/TNET.2019.2920718). choose_shapes() is the only way in.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "rules/classifier/bucket.h"
#include "rules/classifier/condition.h"
#include "rules/classifier/entry.h"
#include "rules/classifier/shape.h"

namespace rules::classifier {

inline constexpr std::size_t kBucket = kRow;  // entries; more only where no table has room
inline constexpr std::size_t kMostTables = 24;
inline constexpr std::size_t kMostLevels =
    16;  // different prefix lengths, or masks of fields, of the tables
inline constexpr std::size_t kShortList = 64;  // as many entries need no table

// The most that all packets of the entry have in common.
template <typename F>
Shape shape_of(const Entry<F>& entry, const KindTest& kind);

// What a table of this shape would hash of the entry.
template <typename F>
std::uint32_t hash_of(const Entry<F>& entry, const KindTest& kind, const Shape& shape);

struct ChosenShape {
  Shape shape;
  std::size_t entries = 0;  // that it is there for
};

// Entries in the order of their labels; conditions as Conditions::data().
template <typename F>
std::vector<ChosenShape> choose_shapes(std::span<const Entry<F>> entries,
                                       const Condition* conditions);

}  // namespace rules::classifier
